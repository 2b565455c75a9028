"""Shapes and dtypes that follow from the numbers in arrays: the function is recorded anew, or the call is refused."""

import inspect

import numpy as np
import pytest

from autograd_lite import CompileError, Tensor, callback, compile

X = np.arange(1.0, 7.0)
CHOOSING = {
    "a mask": lambda x, m: x[m] * 2,
    "a mask of rows": lambda x, m: x.reshape(3, 2)[m[:3]] * 2,
    "flatnonzero": lambda x, m: x[np.flatnonzero(m)],
    "nonzero": lambda x, m: x[np.nonzero(m)],
    "the method nonzero": lambda x, m: x[m.nonzero()],
    "where": lambda x, m: x[np.where(m)],
    "argwhere": lambda x, m: np.argwhere(m) + 0,
    "compress": lambda x, m: np.compress(m, x) + 1,
    "extract": lambda x, m: np.extract(m, x) + 1,
    "repeat": lambda x, m: np.repeat(x, m.astype(int)),
    "unique": lambda x, m: np.unique(x * m) * 2,
    "unique with counts": lambda x, m: np.unique(x * m, return_counts=True)[1],
    "union": lambda x, m: np.union1d(x * m, x[:1]),
    "bincount": lambda x, m: np.bincount((x * m).astype(int)),
    "delete": lambda x, m: np.delete(x, m),
    "only its length": lambda x, m: np.zeros_like(x[m]) + 1,
    "a dtype": lambda x, m: np.emath.sqrt(np.where(m[1], -x, x)),
    "eigenvalues": lambda x, m: np.linalg.eigvals(np.where(m[1], 1.0, -1.0) * np.eye(2)[::-1] + np.eye(2)),
    "tile": lambda x, m: np.tile(x, np.sum(m)),
}
MASKS = [
    np.array(mask, bool) for mask in ([1, 1, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0], [1] * 6, [0] * 6, [1, 0, 1, 0, 1, 0])
]


@pytest.mark.parametrize("f", CHOOSING.values(), ids=CHOOSING)
def test_other_numbers_give_other_shapes(f):
    compiled = compile(f, jit=False)
    for mask in (*MASKS, *MASKS):
        expected, found = f(X, mask), compiled(X, mask)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_the_same_shapes_take_one_plan():
    compiled = compile(lambda x, m: np.sum(x[m]), jit=False)
    for shift in range(6):
        compiled(X, np.roll(MASKS[0], shift))
    assert len(compiled.plans) == 1


@pytest.mark.parametrize("jit", [False, None])
def test_gradients_through_a_mask_follow_its_count(jit):
    w = Tensor(X.copy(), requires_grad=True)

    def step(x, m):
        w.zero_grad()
        ((w * x)[m]).sum().backward()

    compiled = compile(step, jit=jit)
    for mask in (*MASKS[:3], *MASKS[:3]):
        compiled(X, mask)
        np.testing.assert_array_equal(w.grad.data, np.where(mask, X, 0))


def _writing_first(x, m):
    x *= 2
    return x[m]


def test_where_something_was_written_before_the_call_is_refused_with_its_line():
    compiled = compile(_writing_first)
    compiled(X.copy(), MASKS[0])
    compiled(X.copy(), np.roll(MASKS[0], 1))
    line = inspect.getsourcelines(_writing_first)[1] + 2
    with pytest.raises(CompileError, match=rf"test_shapes_by_numbers.py:{line}: getitem gives shape \(1,\), float64"):
        compiled(X.copy(), MASKS[1])


def test_gradients_that_are_added_up_are_added_once():
    w = Tensor(X.copy(), requires_grad=True)

    def step(x, m):
        chosen = x[m]
        (w * x).sum().backward()
        return chosen

    compiled = compile(step, jit=False)
    for i, mask in enumerate(MASKS[:3]):
        compiled(X, mask)
        np.testing.assert_array_equal(w.grad.data, X * (i + 1))


def test_a_callback_that_gives_another_shape_is_refused():
    given = [2.0, 3.0]
    compiled = compile(lambda x: x[:2] + callback(lambda: np.array(given)))
    compiled(X)
    given[:] = [4.0]
    with pytest.raises(CompileError, match=r"gives shape \(1,\), float64, and gave \(2,\)"):
        compiled(X)


def test_parts_without_elements_are_parts():
    compiled = compile(lambda x: [part * 2 for part in np.split(x, [0, 2])])
    for _ in range(2):
        for mine, expected in zip(compiled(X), np.split(X * 2, [0, 2]), strict=True):
            np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize(
    "view",
    [
        lambda x, n: np.moveaxis(x, n, 0),
        lambda x, n: np.reshape(x, n + np.array([3, 2])),
        lambda x, n: np.split(x, np.atleast_1d(n))[0],
    ],
)
def test_a_view_that_numbers_of_an_array_place_is_refused(view):
    with pytest.raises(CompileError, match="pass Python numbers"):
        compile(view)(X.reshape(3, 2), np.array(0))
