"""NumPy's numbers in compiled functions: operators on them are those on numbers, to the bit, and change nothing."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import compile
from autograd_lite.transforms import grad, value_and_grad

OPERATORS = {
    "times": operator.mul,
    "by": operator.truediv,
    "power": lambda x, y: abs(x) ** y,
    "square": lambda x, y: x**2 + y,
    "root": lambda x, y: abs(x) ** 0.5 * y,
    "beside Python's numbers": lambda x, y: (0.3 + x) * 1.7 - 0.3j * y,
    "power of a number": lambda x, y: 1.7 ** abs(x) * y,
    "absolute": lambda x, y: abs(x) + abs(y),
    "transposed": lambda x, y: x.T * y.conj(),
    "copied": lambda x, y: x.copy() * y,
    "an array of it": lambda x, y: np.copy(x) * y,
    "its own array": lambda x, y: x[...] * y,
    "parts": lambda x, y: np.real(x) ** 3.1 * np.imag(y),
    "in place": lambda x, y: _in_place(x, y),
}


def _in_place(x, y):
    z = x
    z *= y
    z **= 2
    return z * x


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("f", OPERATORS.values(), ids=OPERATORS)
@np.errstate(all="ignore")
def test_operators_give_the_bits_of_numbers(f, dtype):
    compiled = compile(lambda x, y: f(np.sum(x), np.sum(y)), jit=False)
    of_arguments = compile(f, jit=False)
    for seed in range(20):
        parts = np.random.default_rng(seed).normal(size=(4, 2))
        x, y = ((parts[i] + (1j * parts[i + 1] if dtype[0] == "c" else 0)).astype(dtype) for i in (0, 2))
        for found, expected in (
            (compiled(x, y), f(np.sum(x), np.sum(y))),
            (of_arguments(x[0], y[0]), f(x[0], y[0])),
            (of_arguments(np.array(x[0]), np.array(y[0])), f(np.array(x[0]), np.array(y[0]))),
        ):
            assert (type(found), found.dtype) == (type(expected), expected.dtype)
            np.testing.assert_array_equal(found, expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([np.tanh, np.exp, np.sin, lambda z: z * z / (1 + z**2)]))
def test_gradients_with_respect_to_complex_numbers_have_the_eager_bits(seed, f):
    step = value_and_grad(lambda z, c: np.real(f(0.5 + z) * c * z**3))
    compiled = compile(step, jit=False)
    rng = np.random.default_rng(seed)
    for _ in range(3):
        z, c = (np.array(complex(*rng.normal(size=2))) for _ in range(2))
        for found, expected in zip(compiled(z, c), step(z, c), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("made", [np.sum, np.mean, lambda x: x[0], lambda x: np.max(x).copy(), lambda x: np.sum(x).T])
def test_a_number_is_not_changed_in_place(made):
    def f(x):
        y = made(x)
        z = y
        y += 1
        y += x
        return y, z

    compiled = compile(f, jit=False)
    for x in (np.arange(3.0), np.arange(3.0) + 1):
        for found, expected in zip(compiled(x), f(x), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_number_as_an_argument_is_not_changed_in_place():
    def f(x):
        y = x
        y *= 2
        return y, x

    compiled = compile(f, jit=False)
    for x in (np.float64(3), np.float64(4), np.array(3.0), np.array(5.0)):
        theirs, mine = np.copy(x)[()] if isinstance(x, np.generic) else x.copy(), x
        expected, found = f(theirs), compiled(mine)
        assert list(map(float, found)) == list(map(float, expected))
        assert float(mine) == float(theirs)


PULLBACKS = {
    "eig": lambda a: np.sum(np.real(np.linalg.eig(a)[0])),
    "eig of complex numbers": lambda a: np.sum(np.real(np.linalg.eig(a + 0.1j * a.T).eigenvalues)),
    "eigh of complex numbers": lambda a: np.sum(np.abs(np.linalg.eigh(a + a.T + 1j * (a - a.T))[1]) ** 2 * a),
    "svd of complex numbers": lambda a: np.sum(np.abs(np.linalg.svd(a + 1j * a.T)[0]) ** 2 * a),
    "svd of a wide matrix": lambda a: np.sum(np.linalg.svd(a[:2]).U ** 2 * a[:2, :2]),
}


@pytest.mark.parametrize("jit", [False, None])
@pytest.mark.parametrize("f", PULLBACKS.values(), ids=PULLBACKS)
def test_pullbacks_that_read_numbers_get_arrays_in_each_call(f, jit):
    step = grad(f)
    compiled = compile(step, jit=jit)
    for seed in range(3):
        a = np.random.default_rng(seed).normal(size=(3, 3))
        np.testing.assert_array_equal(compiled(a), step(a))
