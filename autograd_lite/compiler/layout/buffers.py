"""Where the arrays of a plan lie: each has memory from the call that makes it to the last call that reads it.

Two arrays that are never alive together can share memory. An elementwise call overwrites an operand that is not read
afterwards. Gradients that stay for the user lie end to end in a separate arena, one for each dtype.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...speed import aligned
from ...speed.aligned import CACHE_LINE_BYTES
from ...speed.strong_zero import PLAIN, strong_operands
from ..array_layout import Array
from ..ir import Argument, Call, EntryGradient, Value
from ..optimize.one_hot import minus_one_hot
from ..optimize.rectifier import masks, where_positive


class Memory:
    """The memory of a plan's arrays.

    Parameters
    ----------
    calls : sequence of Call
        The calls of the plan.
    kept : iterable of Value
        The values that are still read after the last call.
    persistent : iterable of Value
        The values that stay for the user: each in its own part of an arena, in this order.

    Attributes
    ----------
    arrays : dict
        From each root to its array.
    shared_bytes : int
        The size of the memory that the other values share.
    separate_bytes : int
        The size that their memory would have without sharing.
    arenas : dict
        From dtype to the flat array of the persistent values.
    """

    def __init__(self, calls: Sequence[Call], kept: Iterable[Value], persistent: Iterable[Value]) -> None:
        self.arenas: dict[np.dtype[Any], Array] = {}
        self.arrays: dict[Value, Array] = {}
        self._place_persistent(list(persistent))
        last_uses = _last_uses(calls, kept)
        offsets = self._placed(calls, last_uses)
        block = aligned.empty((self.shared_bytes,), np.uint8)
        for root, offset in offsets.items():
            layout = root.layout.in_block()
            self.arrays[root] = np.ndarray(layout.shape, layout.dtype, block.data, offset, layout.strides)
        self.separate_bytes = sum(root.layout.nbytes for root in offsets)

    def _place_persistent(self, values: list[Value]) -> None:
        sizes: dict[np.dtype[Any], int] = {}
        starts = []
        for value in values:
            starts.append(sizes.get(value.layout.dtype, 0))
            sizes[value.layout.dtype] = starts[-1] + value.layout.size
        self.arenas = {dtype: aligned.empty((size,), dtype) for dtype, size in sizes.items()}
        for arena in self.arenas.values():
            arena.fill(0)
        for value, start in zip(values, starts, strict=True):
            part = self.arenas[value.layout.dtype][start : start + value.layout.size]
            self.arrays[value] = part.reshape(value.layout.shape)

    def _placed(self, calls: Sequence[Call], last_uses: Mapping[Value, int]) -> dict[Value, int]:
        """The offset of each root in the shared memory, by first fit in the gaps between those alive."""
        offsets: dict[Value, int] = {}
        alive: dict[Value, tuple[int, int]] = {}
        gaps = _Gaps()
        dying: defaultdict[int, list[Value]] = defaultdict(list)
        self.shared_bytes = 0
        for i, call in enumerate(calls):
            for result in call.results:
                if result.base is not None or result in self.arrays:
                    continue
                over = _overwritten(call, result, i, last_uses, alive)
                if over is not None:
                    offsets[result], end = alive.pop(over)
                else:
                    size = max(1, result.layout.nbytes)
                    offsets[result] = gaps.take(size)
                    end = offsets[result] + size
                alive[result] = offsets[result], end
                self.shared_bytes = max(self.shared_bytes, end)
                dying[max(i, last_uses.get(result, i))].append(result)
            for root in dying.pop(i, ()):
                if root in alive:  # and not overwritten
                    gaps.give(*alive.pop(root))
        return offsets


def _last_uses(calls: Sequence[Call], kept: Iterable[Value]) -> dict[Value, int]:
    last: dict[Value, int] = {}
    for i, call in enumerate(calls):
        for value in (*call.operands, *call.writes):
            last[value.root] = i
    last.update((value.root, len(calls)) for value in kept)
    return last


def _overwritten(
    call: Call, result: Value, i: int, last_uses: Mapping[Value, int], alive: Mapping[Value, Any]
) -> Value | None:
    """An operand that an elementwise call can overwrite with its result; None if there is none."""
    operands = call.operands
    strong = strong_operands(call.function) if call.function in PLAIN else ()
    # NumPy takes a path of its own, and twice the time, where one number is written over itself.
    if not (is_elementwise(call) or strong) or result.layout.size == 1:
        return None
    # Zeros that are strong are looked at once more when the result is there.
    needed = {call.args[i].root for i in strong if isinstance(call.args[i], Value)}
    for operand in operands:
        root = operand.root
        if (
            root in alive
            and root not in needed
            and last_uses.get(root) == i
            and all(other is root for other in operands if other.root is root)
            and root.layout.in_block() == result.layout.in_block()
        ):
            return root
    return None


def is_elementwise(call: Call) -> bool:
    """Whether each element of a result depends on elements in the same place alone, so it may overwrite an operand."""
    function = call.function
    if masks(call):
        return not any(isinstance(operand.root.origin, Argument | EntryGradient) for operand in call.operands)
    is_ufunc = isinstance(function, np.ufunc) and function.signature is None and function.nout == 1
    return is_ufunc or function in (where_positive, minus_one_hot)


class _Gaps:
    """The memory between what is alive, in whole lines of the cache. The last gap has no end."""

    def __init__(self) -> None:
        self._starts: list[int] = [0]
        self._ends: list[float] = [math.inf]

    def take(self, size: int) -> int:
        """The first place that is large enough, which is no gap then."""
        k = next(k for k, (start, end) in enumerate(zip(self._starts, self._ends, strict=True)) if end - start >= size)
        start = self._starts[k]
        self._starts[k] += _in_lines(size)
        if self._starts[k] == self._ends[k]:
            del self._starts[k], self._ends[k]
        return start

    def give(self, start: int, stop: int) -> None:
        """Take back what lies from one place to another."""
        end: float = _in_lines(stop)
        k = bisect(self._starts, start)
        if k < len(self._starts) and self._starts[k] == end:
            end = self._ends[k]
            del self._starts[k], self._ends[k]
        if k and self._ends[k - 1] == start:
            self._ends[k - 1] = end
        else:
            self._starts.insert(k, start)
            self._ends.insert(k, end)


def _in_lines(size: int) -> int:
    return -(-size // CACHE_LINE_BYTES) * CACHE_LINE_BYTES
