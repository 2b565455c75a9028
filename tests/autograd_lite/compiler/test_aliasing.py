"""Gradients of a plan that come back to it, as arguments or as what was there, while it writes the next ones."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from autograd_lite import Tensor, compile
from autograd_lite.compiler.emit import aliasing
from autograd_lite.compiler.native import is_installed

JIT = [False, pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="needs Numba"))]


def _leaves():
    return Tensor(np.linspace(1, 2, 4), requires_grad=True), Tensor(np.linspace(-1, 1, 4), requires_grad=True)


def _differences(v, w):
    """Steps along differences of gradients, as in Barzilai and Borwein's method."""

    def step(x):
        before = w.grad.data if w.grad is not None else np.zeros(4)
        v.zero_grad()
        w.zero_grad()
        ((v * w * x) ** 2).sum().backward()
        difference = w.grad.data - before
        w.data -= 0.01 * difference
        return (difference * difference).sum()

    return step


def _swapping(v, w):
    def step(x):
        ((v * w * x) ** 2).sum().backward()
        v.grad, w.grad = w.grad, v.grad
        return x.sum()

    return step


def _sharing(v, w):
    def step(x):
        ((v * w * x) ** 2).sum().backward()
        total = w.grad.data + v.grad.data
        w.grad = v.grad
        return total.sum()

    return step


def _leave_alone(v, w):
    pass


def _swap(v, w):
    v.grad, w.grad = w.grad, v.grad


def _share(v, w):
    v.grad = Tensor(w.grad.data)


def _become_weights(v, w):
    w.data = v.grad.data


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("between", [_leave_alone, _swap, _share, _become_weights])
@pytest.mark.parametrize("make", [_differences, _swapping, _sharing])
def test_gradients_that_were_there_are_read_as_they_were(make, between, jit):
    def run(compiled):
        v, w = _leaves()
        step = compile(make(v, w), jit=jit) if compiled else make(v, w)
        for i in range(6):
            yield step(np.linspace(0, 1, 4) + i)
            yield from (array.copy() for array in (v.grad.data, w.grad.data, w.data))
            between(v, w)

    for mine, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize(
    "part",
    [lambda g: g, lambda g: g[::-1], lambda g: sliding_window_view(g[::-1], 4)[0]],
    ids=["whole", "backwards", "a window"],
)
def test_a_gradient_can_be_passed_to_the_next_call(part, jit):
    def run(compiled):
        v, w = _leaves()

        def function(x):
            v.zero_grad()
            w.zero_grad()
            (np.sin(x * w) * v * x).sum().backward()
            return x.sum()

        called = compile(function, jit=jit) if compiled else function
        x = np.linspace(0, 1, 4)
        for i in range(6):
            yield called(x)
            x = part((v, w)[i % 2].grad.data)

    for mine, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_adding_to_gradients_makes_no_copy_of_those_that_were_there(monkeypatch):
    copied = []
    monkeypatch.setattr(aliasing, "apart", lambda array, blocks: copied.append(array) or array.copy())
    w = Tensor(np.ones(3), requires_grad=True)
    step = compile(lambda x: (w * x).sum().backward(), jit=False)
    for _ in range(5):
        step(np.ones(3))
    np.testing.assert_array_equal(w.grad.data, 5.0)
    assert not copied
    step(w.grad.data)
    assert len(copied) == 1
