"""What would make a replay wrong is noticed while a function is recorded, and named with its line."""

import inspect
import math
import random

import numpy as np
import pytest

from autograd_lite import CompileError, Tensor, compile

READING = {
    "if": lambda x: 1.0 if x.sum() > 3 else 0.0,
    "float": lambda x: float(x.sum()),
    "int": lambda x: int(x.sum()),
    "math": lambda x: math.exp(x.sum()),
    "item": lambda x: x.sum().item(),
    "tolist": lambda x: x.tolist(),
    "format": lambda x: f"{x.sum():.3f}",
    "str": lambda x: str(x),
    "asarray": lambda x: np.asarray(x) + 1,
    "range": lambda x: list(range(x.astype(int)[0])),
    "contains": lambda x: 1.0 in x,
    "all close": lambda x: np.allclose(x, 1),
    "a tensor's item": lambda x: (Tensor(x) * 2).sum().item(),
    "a tensor's truth": lambda x: bool(Tensor(x).sum()),
    "nonzero in a loop": lambda x: [i for i, v in enumerate(x) if v],
}


@pytest.mark.parametrize("f", READING.values(), ids=READING)
def test_reading_a_value_into_python_raises_with_the_line(f):
    line = inspect.getsourcelines(f)[1]
    with pytest.raises(CompileError, match=f"test_refusals.py:{line}: "):
        compile(f)(np.ones(3))


def test_reading_a_captured_tensor_raises_too():
    w = Tensor(2.0)
    with pytest.raises(CompileError, match="into Python"):
        compile(lambda x: x * float(w * 1.0))(np.ones(2))


CAPTURED = {
    "item": lambda w: w.item(),
    "float": lambda w: float(w),
    "bool": lambda w: 1.0 if w else 2.0,
    "list": lambda w: w.tolist(),
    "format": lambda w: len(f"{w:.2f}"),
    "an array": lambda w: np.asarray(w),
}


@pytest.mark.parametrize("read", CAPTURED.values(), ids=CAPTURED)
def test_a_tensor_from_outside_cannot_be_read_into_python(read):
    w = Tensor(2.0)
    with pytest.raises(CompileError, match="into Python"):
        compile(lambda x: x * read(w))(np.ones(2))
    assert w.item() == 2.0


RNG = np.random.default_rng(0)

DRAWING = {
    "a generator": lambda x: x + RNG.normal(size=2),
    "the global state": lambda x: x + np.random.rand(2),  # noqa: NPY002 - what old programs do
    "Python's random": lambda x: x + random.random(),
    "a new generator": lambda x: x + np.random.default_rng().normal(size=2),
    "a number": lambda x: x + float(RNG.normal()),
}


@pytest.mark.parametrize("f", DRAWING.values(), ids=DRAWING)
def test_random_numbers_outside_of_a_callback_raise_with_the_line(f):
    line = inspect.getsourcelines(f)[1]
    with pytest.raises(CompileError, match=rf"test_refusals.py:({line}|\d+): .*random number"):
        compile(f)(np.ones(2))


def test_a_graph_that_would_be_lost_is_refused():
    w = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(CompileError, match="a compiled function keeps no graph"):
        compile(lambda x: (x * w).sum())(np.ones(2))


def test_a_recorded_array_that_is_used_later_is_refused():
    kept = []
    compile(lambda x: kept.append(x * 2))(np.ones(2))
    with pytest.raises(CompileError, match="used after its first call"):
        kept[0] + 1


def test_an_index_out_of_range_raises_in_later_calls_too():
    picked = compile(lambda x, i: x[np.arange(len(i)), i].sum())
    x = np.ones((3, 4), np.float32)
    assert picked(x, np.array([0, 3, 1])) == 3.0
    for wrong in ([0, 4, 1], [0, -5, 1]):
        with pytest.raises(IndexError, match="out of bounds"):
            picked(x, np.array(wrong))
    assert picked(x, np.array([0, -4, 1])) == 3.0


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="expected a function"):
        compile(3)
    with pytest.raises(ValueError, match="max_plans"):
        compile(np.sin, max_plans=0)


def test_generators_are_not_watched_where_a_function_is_known_to_draw_from_none():
    rng = np.random.default_rng(0)

    def doubled(x):
        rng.random()  # as another thread might
        return x * 2

    with pytest.raises(CompileError, match="random numbers were drawn"):
        compile(doubled)(np.ones(2))
    unwatched = compile(doubled, watch_randomness=False)
    for x in (1.0, 2.0):
        np.testing.assert_array_equal(unwatched(np.full(2, x)), [2 * x, 2 * x])


def test_an_unknown_kind_of_jit_is_refused():
    with pytest.raises(ValueError, match="jit must be True, False, 'exact' or None, got 'fast'"):
        compile(np.sin, jit="fast")


def test_the_error_of_a_shape_is_the_functions_own():
    with pytest.raises(ValueError, match=r"np\.matmul of shape"):
        compile(lambda x: Tensor(x) @ np.ones((5, 2)))(np.ones((2, 3)))


def test_writing_into_a_plain_array_is_refused():
    def f(x):
        total = np.zeros(2)
        total += x
        return total

    with pytest.raises(CompileError, match="a plain array of shape"):
        compile(f)(np.ones(2))


def test_a_result_of_a_graph_outside_is_refused():
    w = Tensor([1.0, 2.0], requires_grad=True)
    h = w * 2
    with pytest.raises(CompileError, match="a graph that was recorded outside"):
        compile(lambda x: (h * x).sum().backward())(np.ones(2))
    detached = h.detach()
    np.testing.assert_array_equal(compile(lambda x: detached.data * x)(np.ones(2)), [2.0, 4.0])
