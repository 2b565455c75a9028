"""Without machine code large arrays go through the cache some rows at a time, with the same numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import compile

STEPS = st.sampled_from(
    [
        lambda x, y, r, c: x + y,
        lambda x, y, r, c: np.exp(x * 0.5) - y,
        lambda x, y, r, c: x + r,
        lambda x, y, r, c: y * c,
        lambda x, y, r, c: np.where(x > 0, y, 0),
        lambda x, y, r, c: np.where(x > y, x, r),
        lambda x, y, r, c: x[::-1] + y,
        lambda x, y, r, c: x + np.add.reduce(y, axis=0),
        lambda x, y, r, c: x.T.copy().T * y,
    ]
)


@np.errstate(all="ignore")
@settings(max_examples=40, deadline=None)
@given(steps=st.lists(STEPS, min_size=2, max_size=10), rows=st.sampled_from([3, 41, 500]))
def test_programs_give_the_same_numbers(steps, rows):
    def f(x, r, c):
        y = x * 2
        for step in steps:
            x, y = np.tanh(step(x, y, r, c)), x
        return x, y

    rng = np.random.default_rng(0)
    compiled = compile(f, jit=False)
    for _ in range(2):
        arguments = [rng.standard_normal(shape) for shape in ((rows, 400), (400,), (rows, 1))]
        for one, other in zip(compiled(*arguments), f(*arguments), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("rows", "is_cut"), [(4, False), (2000, True)])
def test_only_large_arrays_are_cut(rows, is_cut):
    compiled = compile(lambda x: np.maximum(x * 2 + 1, 0) * 3, jit=False)
    compiled(np.ones((rows, 100)))
    (plan,) = compiled.plans
    statements = plan.source.partition("return")[0].splitlines()[1:-1]
    assert (len(statements) < len(plan.calls)) == is_cut
