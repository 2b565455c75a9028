"""Where a plan's arrays lie: the first place that is large enough, found without looking at all that are alive."""

from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.compiler.layout.buffers import _Gaps
from autograd_lite.speed.aligned import CACHE_LINE_BYTES


def first_gap(taken, size):
    """The first place between intervals that are taken, by looking at all of them."""
    end = 0
    for start, stop in sorted(taken):
        if start - end >= size:
            break
        end = -(-stop // CACHE_LINE_BYTES) * CACHE_LINE_BYTES
    return end


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 5)), max_size=60))
def test_gaps_are_taken_by_first_fit(steps):
    gaps, alive = _Gaps(), []
    for size, leaving in steps:
        place = gaps.take(size)
        assert place == first_gap(alive, size)
        alive.append((place, place + size))
        for _ in range(min(leaving - 2, len(alive))):
            gaps.give(*alive.pop(size % len(alive)))
    for interval in alive:
        gaps.give(*interval)
    assert gaps.take(10**9) == 0
