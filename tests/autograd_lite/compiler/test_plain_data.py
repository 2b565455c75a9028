"""NumPy's functions of plain data: later calls give what the function gives, and change what it changes."""

import copy

import numpy as np
import pytest

from autograd_lite import CompileError, compile

VIEWS = {
    "split": lambda x, y: np.split(x, 2),
    "split of another axis": lambda x, y: np.split(x, [1], axis=1),
    "split beyond the end": lambda x, y: np.split(x, [1, 7]),
    "parts, and parts of them": lambda x, y: np.split(x, [1], 1)[1] @ np.split(x, [1], 1)[1][0],
    "array_split": lambda x, y: np.array_split(x, 3),
    "hsplit": lambda x, y: np.hsplit(x, 3),
    "vsplit": lambda x, y: np.vsplit(x, 2),
    "unstack": lambda x, y: np.unstack(x, axis=1),
    "broadcast_arrays": lambda x, y: np.broadcast_arrays(x, y),
    "broadcast_arrays of one shape": lambda x, y: np.broadcast_arrays(x, x, x * 1),
    "one number and a matrix": lambda x, y: np.broadcast_arrays(x, y[0], np.sum(y)),
    "atleast_1d": lambda x, y: np.atleast_1d(x, np.sum(y), y),
    "atleast_2d": lambda x, y: np.atleast_2d(x, y),
    "atleast_3d": lambda x, y: np.atleast_3d(y, x),
    "meshgrid": lambda x, y: np.meshgrid(y, x[0], copy=False),
    "ix_": lambda x, y: x[np.ix_([1, 0], [0, 2])],
    "ix_ of arrays": lambda x, y: np.ix_(x[0], y),
    "ix_ with a mask": lambda x, y: np.ix_(x[0], y > 0),
    "diagonal": lambda x, y: np.diagonal(x),
    "real": lambda x, y: np.real(x * 1j),
    "einsum": lambda x, y: np.einsum("ij->ji", x),
    "an index of NumPy's": lambda x, y: x[np.int64(1)],
    "an integer beside numbers": lambda x, y: np.ldexp(x, 2),
    "two of them": lambda x, y: x[np.int64(1), np.int32(0)],
}
BY_NUMBERS = {
    "trim_zeros": lambda x, y: np.trim_zeros(y),
    "trim_zeros of the front": lambda x, y: np.trim_zeros(y, "f"),
    "trim_zeros, and its length": lambda x, y: np.zeros_like(np.trim_zeros(y)),
    "trim_zeros twice": lambda x, y: np.concatenate([np.trim_zeros(y)] * 2),
    "real_if_close of real numbers": lambda x, y: np.real_if_close(x),
}
WRITING = {
    "nan_to_num": lambda x, y: np.nan_to_num(x, copy=False),
    "nan_to_num by position": lambda x, y: np.nan_to_num(x, False, 7.0),
    "median": lambda x, y: np.median(x, overwrite_input=True),
    "percentile": lambda x, y: np.percentile(y, 30, overwrite_input=True),
    "sort": lambda x, y: x.sort(),
    "sum into an array": lambda x, y: np.sum(x, 0, None, y),
    "cumsum into an array": lambda x, y: x.cumsum(1, None, x),
    "a ufunc into two arrays": lambda x, y: np.modf(y * 1.5, x[0], y),
    "a power in place": lambda x, y: x.__ipow__(2),
    "a part of a part": lambda x, y: np.split(np.split(x, 2)[1], 3, axis=1)[0].fill(5),
}


def _value(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 3)), rng.normal(size=3)
    y[rng.integers(0, 3, 2)] = 0
    if seed > 1:
        x[seed % 2, 1] = np.nan
    return x, y


def _flat(result):
    return [part for member in result for part in _flat(member)] if isinstance(result, tuple | list) else [result]


def _assert_same(found, expected):
    for mine, theirs in zip(_flat(found), _flat(expected), strict=True):
        assert (mine is None) == (theirs is None)
        if theirs is not None:
            assert (type(mine), mine.dtype) == (type(theirs), theirs.dtype)
            np.testing.assert_array_equal(mine, theirs)


def _assert_replays(f, jit):
    def seen(*arrays):
        result = f(*arrays)
        return result, [None if part is None else part * 2 for part in _flat(result)]

    compiled = compile(seen, jit=jit, watch_randomness=False)
    for seed in (0, 1, 2, 3, 4):
        given = _value(seed)
        changed = copy.deepcopy(given)
        expected = seen(*changed)
        _assert_same(compiled(*given), expected)
        _assert_same(given, changed)


@pytest.mark.parametrize("jit", [False, None])
@pytest.mark.parametrize("f", VIEWS.values(), ids=VIEWS)
def test_views_are_views_of_what_each_call_is_given(f, jit):
    _assert_replays(f, jit)


@pytest.mark.parametrize("jit", [False, None])
@pytest.mark.parametrize("f", BY_NUMBERS.values(), ids=BY_NUMBERS)
def test_views_that_numbers_choose_are_chosen_in_each_call(f, jit):
    _assert_replays(f, jit)


@pytest.mark.parametrize("f", WRITING.values(), ids=WRITING)
def test_what_a_function_writes_to_each_call_writes_to(f):
    _assert_replays(f, False)


def _trimmed_and_written(x, y):
    trimmed = np.trim_zeros(y)
    y += 1
    return trimmed * 2


def _written_through(x, y):
    trimmed = np.trim_zeros(y)
    trimmed += 1
    return y * 2


@pytest.mark.parametrize("f", [_trimmed_and_written, _written_through])
def test_writing_to_what_a_plan_has_copied_is_refused(f):
    with pytest.raises(CompileError, match=r"test_plain_data.py:\d+: an array is written to while another one shares"):
        compile(f)(np.zeros((2, 3)), np.array([0.0, 1.0, 2.0]))


def test_a_part_that_lies_apart_and_that_numbers_choose_is_refused():
    with pytest.raises(CompileError, match="real_if_close looks at the numbers"):
        compile(np.real_if_close)(np.ones((2, 3), complex))


def test_an_output_for_one_of_two_results_is_refused():
    with pytest.raises(CompileError, match="modf is given out= for some of its results"):
        compile(lambda x, y: np.modf(x, out=(y, None)))(np.ones(3), np.ones(3))
