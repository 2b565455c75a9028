"""``tensor.data = array`` in a compiled function gives the tensor another array; others keep the old one."""

import numpy as np
import pytest

import nn
from autograd_lite import CompileError, Tensor, callback, compile
from autograd_lite.compiler.native import is_installed

JIT = [False, pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="needs Numba"))]
X = np.arange(3.0)


def _stepping(w, v):
    def step(x):
        w.data = w.data - x
        return w.data * 2

    return step


def _keeping_the_old(w, v):
    def step(x):
        old = w.data
        w.data = w.data - x
        return old, w.data

    return step


def _swapping(w, v):
    def step(x):
        w.data, v.data = v.data + x, w.data
        return v.data

    return step


def _sharing(w, v):
    def step(x):
        w.data = v.data = w.data - x
        v.data *= 2
        return w.data * 1

    return step


def _taking_the_argument(w, v):
    def step(x):
        w.data = x
        return w.data + v.data

    return step


def _with_an_optimizer(w, v):
    optimizer = nn.SGD([w], lr=0.1)

    def step(x):
        optimizer.zero_grad()
        w.data = w.data * 0.9
        ((w * x) ** 2).sum().backward()
        optimizer.step()
        return w.data * 1

    return step


def _before_a_callback(w, v):
    def step(x):
        w.data = w.data - x
        seen = callback(lambda: w.data * 1.0)
        w.data = w.data * 2
        return seen

    return step


MAKERS = [
    _stepping, _keeping_the_old, _swapping, _sharing, _taking_the_argument, _with_an_optimizer, _before_a_callback
]  # fmt: skip


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("make", MAKERS)
def test_arrays_that_others_hold_stay_and_results_are_the_functions(make, jit):
    def run(compiled):
        w, v = Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True), Tensor(np.array([4.0, 5.0, 6.0]))
        step, held = make(w, v), []
        step = compile(step, jit=jit) if compiled else step
        for i in range(5):
            held += [w.data, v.data]
            yield from np.atleast_2d(step(X + i))
            yield w.data.copy()
            yield v.data.copy()
        yield from held

    for mine, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_functions_that_read_the_tensor_are_not_written_anew_each_time():
    w = Tensor(X.copy())
    move, read = compile(_stepping(w, w), jit=False), compile(lambda x: w.data * x, jit=False)
    for i in range(6):
        move(X)
        np.testing.assert_array_equal(read(X), w.data * X)
        if i == 3:
            source = read.plans[0].source
    assert read.plans[0].source is source
    assert len(move.plans) == 1


def test_another_layout_is_recorded_anew():
    w = Tensor(np.ones((2, 3)))
    total = compile(lambda x: (w.data * x).cumsum(), jit=False)
    step = compile(lambda x: setattr(w, "data", w.data + x), jit=False)
    for x in (np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2).T):
        w.data = np.ascontiguousarray(x)
        step(x)
        w.data = np.asfortranarray(x)
        step(x)
        np.testing.assert_array_equal(w.data, 2 * x)
        np.testing.assert_array_equal(total(x), (w.data * x).cumsum())


def test_parts_of_one_array_for_two_tensors_are_copied_as_they_are_eagerly():
    def run(compiled):
        w, v = Tensor(X.copy()), Tensor(X.copy())

        def step(x):
            both = np.concatenate([x, x]) * 2
            w.data, v.data = both[:3], both[2:5]
            w.data *= 3

        step = compile(step) if compiled else step
        step(X)
        step(X + 1)
        return np.concatenate([w.data, v.data])

    np.testing.assert_array_equal(run(True), run(False))


def test_an_argument_that_is_assigned_stays_the_callers_as_it_does_eagerly():
    w = Tensor(X.copy())
    compiled = compile(lambda x: setattr(w, "data", x), jit=False)
    for _ in range(3):
        x = np.ones(3)
        compiled(x)
        x += 1
        assert w.data.tolist() == [1.0] * 3


def test_a_callback_that_assigns_another_array_is_refused_and_named():
    w = Tensor(X.copy(), requires_grad=True)

    def step(x):
        loss = (w * x).sum()
        callback(lambda: setattr(w, "data", np.zeros(3)))
        return loss.detach()

    with pytest.raises(CompileError, match="a callback assigned another array to the tensor"):
        compile(step)(X)
