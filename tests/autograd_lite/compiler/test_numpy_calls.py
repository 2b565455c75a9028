"""Without machine code a plan calls NumPy in the forms that take the least time, with the same numbers to the bit."""

import numpy as np
import pytest

from autograd_lite import Tensor, compile

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, 3.4e38, 0.5]

FUNCTIONS = {
    "a rectifier": lambda x: np.maximum(x, 0),
    "its backward": lambda x: np.where(x > 0, x * 2, 0),
    "its backward over what is read once more": lambda x: _twice(x),
    "a negative zero": lambda x: np.where(x > 0, x, -0.0),
    "the other choice is zero": lambda x: np.where(x > 0, 0, x * 2),
    "a choice": lambda x: np.where(x > 0, x, x * 2),
    "a choice of a row": lambda x: np.where(x > 0, x, x[0]),
    "a choice of one": lambda x: np.where(x >= 0, 1, np.exp(-np.abs(x))),
    "a choice by integers": lambda x: np.where((x > 0) * 3, x, 0),
    "a choice of a wider number": lambda x: np.where(x > 0, x, np.float64(0.1)),
    "an extremum in two axes": lambda x: np.minimum(np.maximum(x, -0.5), 1),
    "a number that is too large": lambda x: np.minimum(x, 1e300),
    "a number of another type": lambda x: x * np.float64(0.1) + np.float32(0.1),
    "a power": lambda x: np.power(x, 2) + np.power(np.abs(x), 0.1),
    "a power in float64": lambda x: np.float_power(np.abs(x), 0.1),
    "a comparison": lambda x: np.greater(x, 0.1),
    "sums": lambda x: (x.sum(), x.sum(axis=0), np.sum(x, axis=(0, 1), keepdims=True), np.add.reduce(x)),
    "extrema": lambda x: (np.maximum.reduce(x, axis=-1, keepdims=True), np.minimum.reduce(x)),
    "extrema of short rows": lambda x: (np.maximum.reduce(x[:, :9], axis=1), np.minimum.reduce(x[:, :3] * 1, axis=-1)),
    "a sum in another dtype": lambda x: np.add.reduce(x, dtype=np.float64),
}

AMBIGUOUS = {"a rectifier", "an extremum in two axes", "extrema", "extrema of short rows"}
"""Of 0 and -0 NumPy's extrema are now the one, now the other."""


def _twice(x):
    y = x * 2
    return np.where(y > 0, y, 0), y


@np.errstate(all="ignore")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (130, 40), (700, 700)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_numpys_to_the_bit(name, shape, dtype):
    f = FUNCTIONS[name]
    compiled = compile(f, jit=False)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(shape).astype(dtype)
        x.reshape(-1)[rng.integers(0, x.size, len(SPECIAL))] = SPECIAL
        expected, found = f(x), compiled(x)
        for one, other in zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]:
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
            if name not in AMBIGUOUS:
                np.testing.assert_array_equal(np.signbit(one), np.signbit(other))


LAYOUTS = {"C": np.ascontiguousarray, "F": np.asfortranarray, "rows apart": lambda a: np.repeat(a, 2, axis=0)[::2]}


@pytest.mark.parametrize("dtypes", [("f4", "f4"), ("f8", "f8"), ("f4", "f8"), ("i4", "f8")])
@pytest.mark.parametrize("layouts", [(a, b) for a in LAYOUTS for b in LAYOUTS])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (4, 1, 5), (6, 9, 1), (30, 20, 10), (3, 0, 2), (0, 2, 3)])
def test_products_are_matmuls_to_the_bit(shape, layouts, dtypes):
    rows, inner, columns = shape
    captured = Tensor(np.zeros((inner, columns), dtypes[1]))
    of_arguments, of_a_tensor = (compile(f, jit=False) for f in (np.matmul, lambda a: np.matmul(a, captured)))
    transposed = compile(lambda a, b: np.matmul(b.T, a.T), jit=False)
    rng = np.random.default_rng(0)
    for _ in range(3):
        a, b = (
            LAYOUTS[layout]((rng.standard_normal(one) * 9).astype(dtype))
            for layout, one, dtype in zip(layouts, ((rows, inner), (inner, columns)), dtypes, strict=True)
        )
        captured.data = b
        np.testing.assert_array_equal(of_arguments(a, b), np.matmul(a, b))
        np.testing.assert_array_equal(of_a_tensor(a).data, np.matmul(a, captured.data))
        np.testing.assert_array_equal(transposed(a, b), np.matmul(b.T, a.T))


@pytest.mark.parametrize("jit", [False, None])
@pytest.mark.parametrize(
    "product",
    [lambda a: np.matmul(a, a.T), lambda a: np.matmul(a * 2, (a * 2).T), lambda a: np.matmul(a.copy().T, a.copy())],
)
def test_a_product_with_its_own_transpose_is_the_same_sum(product, jit):
    compiled = compile(product, jit=jit)
    for seed in range(3):
        a = np.random.default_rng(seed).standard_normal((30, 40))
        np.testing.assert_array_equal(compiled(a), product(a))


def test_views_that_show_the_same_are_left_out():
    compiled = compile(lambda x: np.ravel(x) * np.reshape(x, (4,)), jit=False)
    np.testing.assert_array_equal(compiled(np.arange(4.0)), np.arange(4.0) ** 2)
    assert [call.name for call in compiled.plans[0].calls] == ["np.multiply"]


def test_a_condition_that_is_an_argument_chooses_too():
    compiled = compile(lambda mask, x: np.where(mask, x * 2, 0), jit=False)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        mask, x = rng.random((30, 30)) < 0.5, rng.standard_normal((30, 30))
        np.testing.assert_array_equal(compiled(mask, x), np.where(mask, x * 2, 0))


@pytest.mark.parametrize(
    "view", [np.real, np.imag, lambda a: a[::2, ::2], np.transpose], ids=["real", "imag", "steps", "transpose"]
)
def test_a_matrix_times_its_equal_has_the_bits_of_two_matrices(view):
    # The two are computed once. BLAS adds in another order if a matrix is multiplied by its own transpose.
    z = np.random.default_rng(0).standard_normal((8, 8)) * (1 + 1j)

    def f(z):
        return view(np.exp(z)) @ view(np.exp(z)).T

    np.testing.assert_array_equal(compile(f, jit=False)(z), f(z))
