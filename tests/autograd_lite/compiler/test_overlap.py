"""Arrays from outside that share memory: arguments with each other, with tensors, and tensors with tensors."""

import numpy as np
import pytest

from autograd_lite import CompileError, Tensor, compile
from autograd_lite.compiler.native import is_installed

JIT = [False, pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="needs Numba"))]


def _write_between(x, y, w):
    first = x * 2
    np.add(y, 1, out=y)
    w.data *= 3
    return first, x * 2, y * w.data


def _distinct(w):
    return np.ones(4), np.ones(4)


def _same(w):
    return (x := np.ones(4)), x


def _views(w):
    base = np.arange(6.0)
    return base[:4], base[1:5]


def _reversed(w):
    return (x := np.arange(4.0)), x[::-1]


def _neighbours(w):
    base = np.arange(8.0)
    return base[:4], base[4:]


def _interleaved(w):
    base = np.arange(8.0)
    return base[::2], base[1::2]


def _of_the_tensor(w):
    return w.data, np.ones(4)


def _of_bytes(w):
    block = bytearray(np.arange(6.0).tobytes())
    return np.frombuffer(block)[:4], np.frombuffer(block)[1:5]


PAIRS = [_distinct, _same, _views, _reversed, _neighbours, _interleaved, _of_the_tensor, _of_bytes]


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("later", PAIRS)
@pytest.mark.parametrize("first", PAIRS)
def test_arguments_that_overlap_give_what_the_function_gives(first, later, jit):
    def run(compiled):
        w = Tensor(np.arange(4.0) + 1)
        function = lambda x, y: _write_between(x, y, w)  # noqa: E731
        called = compile(function, jit=jit) if compiled else function
        for pair in (first, later, first, later):
            x, y = pair(w)
            yield from called(x, y)
            yield from (x.copy(), y.copy(), w.data.copy())

    for mine, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("make", [_neighbours, _interleaved, _distinct])
def test_arguments_that_only_have_one_owner_take_one_plan(make):
    w = Tensor(np.arange(4.0) + 1)
    compiled = compile(lambda x, y: _write_between(x, y, w), jit=False)
    for _ in range(4):
        compiled(*make(w))
    assert len(compiled.plans) == 1


@pytest.mark.parametrize("jit", JIT)
def test_tensors_that_share_an_array_are_written_to_together(jit):
    def run(compiled):
        w = Tensor(np.arange(4.0))
        parts = [w, w.detach(), Tensor(np.zeros(4))]
        function = lambda x: _write_between(parts[1].data, x, parts[0])  # noqa: E731
        called = compile(function, jit=jit) if compiled else function
        for i in range(6):
            if i == 3:
                parts[1].data = w.data[::-1]
            yield from called(np.ones(4))
            yield w.data.copy()

    for mine, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("jit", JIT)
def test_an_argument_that_may_not_be_written_to_raises_as_it_does_eagerly(jit):
    compiled = compile(lambda x: np.multiply(x, 2, out=x), jit=jit)
    compiled(np.ones(4))
    x = np.ones(4)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        compiled(x)
    assert x.tolist() == [1.0] * 4


class _Counted(np.ndarray):
    def __mul__(self, other):
        return np.asarray(self) + 1


def test_masked_arrays_and_other_kinds_keep_their_meaning():
    compiled = compile(lambda x: np.sum(x * 2), jit=False)
    compiled(np.ones(3))
    masked = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    assert compiled(masked) == 8.0
    squared = compile(lambda x: x * x, jit=False)
    np.testing.assert_array_equal(squared(np.array([1, 2]).view(_Counted)), [2, 3])
    np.testing.assert_array_equal(squared(np.array([1, 2], object)), [1, 4])


@pytest.mark.parametrize("other", [np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), np.array([1, 2, 3], object)])
def test_masked_arrays_and_objects_among_the_operands_are_refused(other):
    with pytest.raises(CompileError, match="plain, aligned arrays of numbers"):
        compile(lambda x: x * other)(np.ones(3))


def test_arrays_at_odd_addresses_are_summed_as_numpy_sums_them():
    block = np.zeros(8 * 20001 + 1, np.uint8)
    x = block[1:].view(np.float64)
    x[...] = np.random.default_rng(0).standard_normal(20001)
    compiled = compile(lambda x: np.sum(x))
    assert compiled(x.copy()) == np.sum(x.copy())
    assert compiled(x) == np.sum(x)


@pytest.mark.parametrize("jit", JIT)
def test_tensors_that_come_to_share_an_array_are_written_to_together(jit):
    def run(compiled):
        w, v = Tensor(np.arange(4.0)), Tensor(np.arange(4.0) + 1)
        function = lambda x: _write_between(v.data, x, w)  # noqa: E731
        called = compile(function, jit=jit) if compiled else function
        for i in range(6):
            if i == 3:
                v.data = w.data
            yield from called(np.ones(4))
            yield w.data.copy()

    for mine, expected in zip(run(True), run(False), strict=True):
        np.testing.assert_array_equal(mine, expected)


def test_calls_with_arguments_that_overlap_leave_no_plan():
    w = Tensor(np.arange(4.0))
    compiled = compile(lambda x, y: _write_between(x, y, w), jit=False)
    for pair in (_distinct, _same, _same, _reversed, _same):
        compiled(*pair(w))
    assert len(compiled.plans) == 1
