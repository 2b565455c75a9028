"""Elementwise rules at the special points of their domains: against mpmath, and where nothing comes in."""

import itertools
import warnings

import numpy as np
import pytest

import autograd_lite.rules.scipy.special  # noqa: F401 - registers its rules
import nn
from autograd_lite import compile
from autograd_lite.core.registry import RULES
from autograd_lite.formatting import name_of
from autograd_lite.speed.strong_zero import strong_product, strong_quotient, symmetric_product
from autograd_lite.transforms import grad, jvp, vjp

from .special_points import FUNCTIONS
from .special_points_table import PATH, table

TOLERANCES = {np.float64: 1e-12, np.float32: 2e-5}


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def slopes(function, x, dtype):
    """The slope at a point by both modes."""
    point, one = np.array(x, dtype), np.ones((), dtype)
    return float(grad(function)(point)), float(jvp(function, (point,), (one,))[1])


# ---- against the limit of differences ----


@pytest.mark.parametrize("dtype", TOLERANCES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_slope_at_a_special_point_is_the_limit_of_differences(function, dtype):
    for x in function.points(dtype):
        expected = function.slope(x)
        if expected is None:
            continue
        expected, limits = float(dtype(expected)), np.finfo(dtype)
        for found in slopes(function.call, x, dtype):
            bound = TOLERANCES[dtype] * abs(expected) + function.absolute * limits.eps + 4 * limits.tiny
            assert found == expected or abs(found - expected) <= bound, (x, found, expected)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_second_derivative_at_a_special_point_is_that_of_differences(function):
    for x in function.points(np.float64):
        if abs(x) > 40 or 0 < abs(x) < 1e-10 or x in (*function.ends, *function.kinks):
            continue
        expected = function.slope(x, order=2)
        for found in slopes(grad(function.call), x, np.float64):
            assert abs(found - expected) <= 1e-9 * abs(expected) + (1 + function.absolute) * 1e-15, (x, found, expected)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_both_modes_give_the_same_slope_at_every_special_point(function):
    for x in function.points(np.float64):
        backward, forward = slopes(function.call, x, np.float64)
        np.testing.assert_equal(backward, forward, err_msg=str(x))


# ---- where nothing comes in ----

POINTS = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-310, 1e300]

FEW_POINTS = [0.0, 1.0, np.nan]
"""For SciPy's, some of which do not end at infinity."""

WHOLE = {
    "ldexp": (1,),
    "expn": (0,),
    "yn": (0,),
    "kn": (0,),
    "bdtr": (1,),
    "bdtrc": (1,),
    "bdtri": (1,),
    "_lambertw": (1,),
    "eval_hermite": (0,),
    "eval_hermitenorm": (0,),
}
"""Of functions that take integers: which arguments."""

UFUNCS = [function for function, rule in RULES.items() if isinstance(function, np.ufunc) and rule.elementwise]
OTHERS = [nn.relu, nn.leaky_relu, nn.elu, nn.sigmoid, nn.softplus, nn.gelu, nn.silu, np.sinc, np.angle]


def is_scipys(function):
    return not hasattr(np, function.__name__)


def arguments(function):
    """Every combination of the special points, as arrays; integers and orders are 1."""
    rule = RULES.get(function)
    if rule is None or not isinstance(function, np.ufunc):
        return [np.array(POINTS)], [0]
    free = [i for i in sorted(rule.differentiable) if rule.vjps[rule.parameters[i]] is not None]
    columns = np.array(list(itertools.product(FEW_POINTS if is_scipys(function) else POINTS, repeat=len(free)))).T
    given = [
        np.ones(columns.shape[1], int if i in WHOLE.get(function.__name__, ()) else float) for i in range(function.nin)
    ]
    for i, column in zip(free, columns, strict=True):
        given[i] = column
    return given, free


def closed(function, given, free):
    """The function of its differentiable arguments alone, with one real result."""

    def of_free(*values):
        every = list(given)
        for i, value in zip(free, values, strict=True):
            every[i] = value
        found = function(*every)
        found = found[0] if isinstance(found, tuple) else found
        return np.real(found) if found.dtype.kind == "c" else found

    return of_free, [given[i] for i in free]


CLOSED = [
    pytest.param(*closed(function, *arguments(function)), id=name_of(function))
    for function in (*UFUNCS, *OTHERS)
    if arguments(function)[1]
]


@pytest.mark.parametrize(("function", "values"), CLOSED)
def test_a_cotangent_of_zero_stays_zero_whatever_slope_it_meets(function, values):
    out, pull = vjp(function, *values)
    for gradient in pull(np.zeros_like(out)):
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


@pytest.mark.parametrize(("function", "values"), CLOSED)
def test_a_tangent_of_zero_stays_zero_whatever_slope_it_meets(function, values):
    _, tangent = jvp(function, tuple(values), tuple(map(np.zeros_like, values)))
    np.testing.assert_array_equal(tangent, np.zeros_like(tangent))


@pytest.mark.parametrize(("function", "values"), CLOSED)
def test_what_a_mask_hides_has_no_second_derivative_either(function, values):
    def hidden(first):
        return np.sum(np.where(False, function(first, *values[1:]), first))

    def slope(first):
        return np.sum(grad(hidden)(first))

    ones = np.ones_like(values[0])
    np.testing.assert_array_equal(grad(slope)(values[0]), 0 * ones)
    np.testing.assert_array_equal(jvp(grad(hidden), (values[0],), (ones,))[1], 0 * ones)


# ---- in compiled functions ----

MASKED = {
    "root": lambda x: np.where(x >= 0, x, np.sqrt(-x)),
    "x log x": lambda x: np.where(x > 0, x * np.log(x), 0.0),
    "cosine": lambda x: np.where(x < 1, np.cos(x), 0.0),
    "quotient": lambda x: np.where(x > 0, 1 / x, 0.0),
    "power": lambda x: np.where(x > 0, x**-1.5, 0.0),
    "tangent of a root": lambda x: np.where(x >= 0, x, np.tanh(np.sqrt(-x))),
    "larger": lambda x: np.maximum(1 + x, np.sqrt(x)),
}
HIDDEN = {"root": 1.0, "cosine": np.inf, "tangent of a root": 1.0}


@pytest.mark.parametrize("jit", [True, False], ids=["machine code", "NumPy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("shape", [(3,), (4, 3), (300, 600)], ids=str)
@pytest.mark.parametrize("name", MASKED)
def test_a_compiled_function_has_the_same_strong_zeros(name, shape, dtype, jit):
    x = np.resize(np.array([HIDDEN.get(name, 0.0), 0.5, HIDDEN.get(name, 0.0)], dtype), shape)
    gradient = grad(lambda x: np.sum(2 * MASKED[name](x)))
    curvature = grad(lambda x: np.sum(gradient(x)))
    for function in (gradient, curvature):
        replayed = compile(function, jit=jit)
        replayed(x)
        expected = function(x)
        assert np.isfinite(expected).all()
        np.testing.assert_array_equal(replayed(x), expected)


# ---- the documentation ----


def test_the_page_of_special_points_says_what_the_rules_give():
    assert PATH.read_text() == table()


# ---- what strong zeros are ----


def test_a_strong_zero_is_zero_and_everything_else_is_numpys():
    x, slope = (
        np.array([0.0, -0.0, 0.0, 2.0, np.inf, np.nan, 0.0]),
        np.array([np.inf, np.nan, 3.0, np.inf, 0.0, 1.0, -2.0]),
    )
    plain = x * slope
    found = strong_product(x, slope)
    assert found[:3].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(found[2:], plain[2:])
    np.testing.assert_array_equal(np.signbit(found[2:]), np.signbit(plain[2:]))
    np.testing.assert_array_equal(strong_quotient(x, 1 / slope)[3:], (x / (1 / slope))[3:])
    assert symmetric_product(slope, x)[[0, 1, 4]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("state", ["warn", "raise", "ignore"])
def test_a_strong_zero_is_no_invalid_operation(state):
    zeros, infinities = np.zeros(3), np.full(3, np.inf)
    with np.errstate(all=state), warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in (strong_product, symmetric_product):
            assert function(zeros, infinities).tolist() == [0, 0, 0]
        assert strong_quotient(zeros, zeros).tolist() == [0, 0, 0]


@pytest.mark.parametrize("function", [strong_product, symmetric_product, strong_quotient], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
def test_a_strong_zero_is_found_in_every_type_shape_and_order(function, dtype):
    for shape in ((), (0,), (3,), (2, 3), (1, 2, 3)):
        x, other = np.zeros(shape, dtype, order="F"), np.full(shape, np.nan, dtype, order="F")
        for slope in (other, other.ravel()[:1].reshape(()) if other.size else other, other.T.copy().T):
            found = function(x, slope)
            assert found.dtype == dtype
            assert np.shape(found) == shape
            assert not np.any(found)
