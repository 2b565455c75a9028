"""Points at which a derivative does not exist, or a formula would divide 0 by 0: the choices that the rules make."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite import Tensor

from .engine import gradients
from .specs.reductions import DOMAINS


def gradient(function, *arrays, g=None):
    """The gradient of the first array, or a list of all, for a cotangent of ones."""
    arrays = [np.asarray(a, dtype=float) for a in arrays]
    g = np.ones_like(function(*arrays)) if g is None else np.asarray(g, dtype=float)
    found = [np.asarray(a).tolist() for a in gradients(function, arrays, [g])]
    return found[0] if len(found) == 1 else found


def second(function, x):
    """The gradient of the sum of the gradient."""
    leaf = Tensor(np.asarray(x, dtype=float), requires_grad=True)
    function(leaf).sum().backward(create_graph=True)
    first = leaf.grad
    leaf.zero_grad()
    if first.requires_grad:
        first.sum().backward()
    return leaf.grad.tolist() if leaf.grad is not None else np.zeros(leaf.shape).tolist()


# ---- kinks and ties ----


@pytest.mark.parametrize("function", [np.maximum, np.minimum], ids=lambda f: f.__name__)
def test_equal_arguments_get_half_of_the_cotangent_each(function):
    assert gradient(function, [1.0, 2.0], [1.0, 3.0], g=[4, 4])[0][0] == 2
    assert gradient(function, [1.0, 2.0], [1.0, 3.0], g=[4, 4])[1][0] == 2
    assert gradient(lambda x: function(x, x), [1.0, -2.0], g=[3, 5]) == [3, 5]
    assert gradient(lambda x: function(x, 0.0), [-1.0, 0.0, 1.0])[1] == 0.5


@pytest.mark.parametrize("name", ["max", "amax"])
def test_the_largest_elements_share_the_cotangent_equally(name):
    function = getattr(np, name)
    assert gradient(function, [2.0, 5.0, 5.0, 1.0, 5.0, 5.0]) == [0, 0.25, 0.25, 0, 0.25, 0.25]
    assert gradient(lambda a: function(a, axis=1), [[1, 1], [0, 3]], g=[6, 7]) == [[3, 3], [0, 7]]
    assert gradient(lambda a: function(a, axis=(0, 1)), [[1, 1], [1, 1]]) == [[0.25, 0.25], [0.25, 0.25]]


@pytest.mark.parametrize("name", ["min", "amin"])
def test_the_smallest_elements_share_the_cotangent_equally(name):
    function = getattr(np, name)
    assert gradient(function, [2.0, 1.0, 5.0, 1.0]) == [0, 0.5, 0, 0.5]
    assert gradient(lambda a: function(a, axis=0, keepdims=True), [[1, 4], [1, 3]]) == [[0.5, 0], [0.5, 1]]


def test_infinite_extrema_are_found():
    assert gradient(np.max, [-np.inf, -np.inf]) == [0.5, 0.5]
    assert gradient(np.min, [1.0, np.inf, -np.inf]) == [0, 0, 1]


def test_a_nan_is_the_extremum_of_its_row_alone():
    assert gradient(lambda a: np.max(a, axis=1), [[1, np.nan, 2], [3, 4, 5]]) == [[0, 1, 0], [0, 0, 1]]


def test_ptp_of_equal_elements_has_no_slope():
    assert gradient(np.ptp, [3.0, 3.0, 3.0]) == [0, 0, 0]


@pytest.mark.parametrize("function", [np.abs, np.fabs], ids=lambda f: f.__name__)
def test_the_absolute_value_takes_slope_zero_at_zero(function):
    assert gradient(function, [-2.0, 0.0, -0.0, 3.0]) == [-1, 0, 0, 1]


def test_clip_passes_the_cotangent_inside_of_the_bounds_and_on_them():
    assert gradient(lambda a: np.clip(a, -1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0]) == [0, 1, 1, 1, 0]


def test_clip_between_crossed_bounds_depends_on_the_upper_one_alone():
    assert gradient(np.clip, [0.0, 1.5, 3.0], 2.0, 1.0) == [[0, 0, 0], 0, 3]


def test_heaviside_depends_on_its_value_at_zero_only_there():
    assert gradient(np.heaviside, [-1.0, 0.0, 1.0], 0.5) == [[0, 0, 0], 1]


def test_copysign_takes_slope_zero_at_zero():
    assert gradient(lambda x: np.copysign(x, -1.0), [-2.0, 0.0, 2.0]) == [1, 0, -1]


# ---- roots and norms at zero ----


@pytest.mark.parametrize("function", [np.sqrt, np.cbrt], ids=lambda f: f.__name__)
def test_a_root_is_infinitely_steep_at_zero(function):
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        assert gradient(function, [0.0]) == [np.inf]


@pytest.mark.parametrize("function", [np.sqrt, np.cbrt], ids=lambda f: f.__name__)
def test_a_root_at_zero_without_a_cotangent_has_no_gradient(function):
    assert gradient(function, [0.0, 1.0], g=[0, 1])[0] == 0


def test_a_masked_root_stays_finite_in_first_and_second_order():
    def masked(x):
        return np.where(x > 0, np.sqrt(np.where(x > 0, x, 0.0)), 0.0)

    assert gradient(masked, [0.0, 4.0, -1.0]) == [0, 0.25, 0]
    assert gradient(lambda x: np.where(x == 0, 0.0, np.sqrt(x)), [0.0, 4.0]) == [0, 0.25]
    assert second(masked, [0.0, 4.0, -1.0]) == [0, -1 / 32, 0]


@pytest.mark.parametrize("function", [np.arcsin, np.arccos], ids=lambda f: f.__name__)
def test_the_ends_of_arcsin_and_arccos_stay_finite_without_a_cotangent(function):
    assert gradient(function, [1.0, -1.0], g=[0, 0]) == [0, 0]


def test_arccosh_at_one_stays_finite_without_a_cotangent():
    assert gradient(np.arccosh, [1.0], g=[0]) == [0]


def test_hypot_takes_slope_zero_at_the_origin():
    assert gradient(np.hypot, [0.0, 3.0], [0.0, 4.0]) == [[0, 0.6], [0, 0.8]]


def test_the_angle_of_a_tiny_vector_has_a_finite_slope():
    by_x1, by_x2 = gradient(np.arctan2, 3e-200, 4e-200)
    np.testing.assert_allclose([by_x1, by_x2], [1.6e199, -1.2e199], rtol=1e-12)


# ---- powers ----


@pytest.mark.parametrize("exponent", [0, 0.0, np.zeros(3), np.float64(0.0), np.zeros(3, dtype=int)], ids=repr)
def test_x_to_the_0_is_flat_at_zero_too(exponent):
    assert gradient(lambda x: x**exponent, [-2.0, 0.0, 3.0]) == [0, 0, 0]
    assert second(lambda x: x**exponent, [-2.0, 0.0, 3.0]) == [0, 0, 0]


@pytest.mark.parametrize("exponent", [1, 1.0, np.ones(3), np.ones(3, dtype=np.int32)], ids=repr)
def test_x_to_the_1_has_slope_one_everywhere(exponent):
    assert gradient(lambda x: x**exponent, [-2.0, 0.0, 3.0]) == [1, 1, 1]
    assert second(lambda x: x**exponent, [-2.0, 0.0, 3.0]) == [0, 0, 0]


@pytest.mark.parametrize("exponent", [2, 2.0, np.full(3, 2.0), np.full(3, 2, dtype=np.uint8)], ids=repr)
def test_the_square_as_a_power_is_smooth_at_zero(exponent):
    assert gradient(lambda x: x**exponent, [-2.0, 0.0, 3.0]) == [-4, 0, 6]
    assert second(lambda x: x**exponent, [-2.0, 0.0, 3.0]) == [2, 2, 2]


# From the exponent to the first and the second derivative of the power at 0.
AT_ZERO = {
    -1.0: (-np.inf, np.inf),
    0.0: (0, 0),
    0.5: (np.inf, -np.inf),
    1.0: (1, 0),
    1.5: (0, np.inf),
    2.0: (0, 2),
    3.0: (0, 0),
}
ONE_BY_ONE = [(np.array([y]), [first], [curved]) for y, (first, curved) in AT_ZERO.items()]
TOGETHER = (np.array([*AT_ZERO]), *map(list, zip(*AT_ZERO.values(), strict=True)))
NUMBERS = [(y, [first], [curved]) for y, (first, curved) in AT_ZERO.items()]


@pytest.mark.parametrize("power", [np.power, np.float_power], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("exponent", "first", "curved"), [*NUMBERS, *ONE_BY_ONE, TOGETHER], ids=repr)
def test_a_power_at_zero_is_as_steep_and_as_curved_as_its_exponent_says(power, exponent, first, curved):
    with np.errstate(divide="ignore", invalid="ignore"):
        assert gradient(lambda x: power(x, exponent), np.zeros(len(first))) == first
        assert second(lambda x: power(x, exponent), np.zeros(len(first))) == curved


@pytest.mark.parametrize("exponent", [-1.0, 0.5, 1.5, TOGETHER[0]], ids=repr)
def test_a_power_at_zero_has_no_gradient_where_no_cotangent_comes_in(exponent):
    zeros = np.zeros(np.size(exponent))
    with np.errstate(divide="ignore"):
        assert gradient(lambda x: np.power(x, exponent), zeros, g=zeros) == zeros.tolist()
        assert second(lambda x: np.where(True, 0.0, np.power(x, exponent)), zeros) == zeros.tolist()


@pytest.mark.parametrize("exponent", [0.5, np.array([0.5, 0.5]), np.array(0.5), np.float64(0.5)], ids=repr)
def test_a_masked_power_stays_finite(exponent):
    with np.errstate(divide="ignore"):
        power = gradient(lambda x: np.where(np.array([False, True]), np.power(x, exponent), 0.0), [0.0, 4.0])
    assert power == [0, 0.25]


def test_the_exponent_of_a_differentiated_power_at_zero_counts_in_the_slope_of_the_base():
    x, y = Tensor(np.zeros(3), requires_grad=True), Tensor([0.5, 1.0, 2.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        np.power(x, y).sum().backward()
    assert x.grad.tolist() == [np.inf, 1, 0]
    assert y.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("exponent", [np.array([3, 2, 1, 0, -1]), np.array([3, 2, 1, 0, -1.0])], ids=repr)
@pytest.mark.parametrize("base", [-2.0, -2.0 + 0j], ids=repr)
def test_a_negative_base_has_derivatives_for_every_whole_exponent(base, exponent):
    x = Tensor(np.full(5, base), requires_grad=True)
    np.power(x, exponent).backward(np.ones_like(x.data), create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward(np.ones_like(x.data))
    np.testing.assert_allclose(first.data, [12, -4, 1, 0, -0.25], rtol=1e-14)
    np.testing.assert_allclose(x.grad.data, [-12, 2, 0, 0, -0.25], rtol=1e-14)


@pytest.mark.parametrize("exponent", [np.array([0.0, 1.0, 1.5, 2.0]), np.array([0, 1, 1.5, 2]) + 0j], ids=repr)
def test_a_complex_power_at_zero_has_the_slope_of_a_real_one_where_that_is_finite(exponent):
    (found,) = gradients(lambda x: np.power(x, exponent), [np.zeros(4, complex)], [np.ones(4, complex)])
    assert found.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("exponent", [0.5, -1.0, np.array([0.5]), np.array([-1.0])], ids=repr)
def test_a_complex_power_at_zero_has_no_gradient_where_no_cotangent_comes_in(exponent):
    with np.errstate(invalid="ignore"):
        (found,) = gradients(lambda x: np.power(x, exponent), [np.zeros(1, complex)], [np.zeros(1, complex)])
    assert found.tolist() == [0]


@pytest.mark.parametrize("base", [0, 0.0, np.zeros(2), np.zeros(2, dtype=complex)], ids=repr)
def test_0_to_a_negative_exponent_falls_with_it_without_bound(base):
    with np.errstate(divide="ignore", invalid="ignore"):
        assert not np.isfinite(gradients(lambda y: np.power(base, y), [np.full(2, -1.0)], [np.ones(2)])).any()
        assert gradient(lambda y: np.power(base, y), [-1.0, -1.0], g=[0, 0]) == [0, 0]


@pytest.mark.parametrize("base", [0, 0.0, np.zeros(3), np.zeros(3, dtype=int)], ids=repr)
def test_0_to_the_y_is_flat(base):
    assert gradient(lambda y: base**y, [0.0, 1.0, 2.5]) == [0, 0, 0]


def test_0_to_the_y_is_flat_in_the_exponent_with_both_differentiated():
    assert gradient(np.power, [0.0, 0.0, 0.0], [0.0, 1.0, 2.0]) == [[0, 1, 0], [0, 0, 0]]


def test_the_mixed_derivative_of_a_power_is_right_where_the_exponent_is_zero():
    x, y = Tensor(2.0, requires_grad=True), Tensor(0.0, requires_grad=True)
    (x**y).backward(create_graph=True)
    by_x = x.grad
    y.zero_grad()
    by_x.backward()
    # d/dy of y x^(y - 1), at y = 0
    assert y.grad.item() == 0.5


def test_negative_bases_have_a_slope_for_whole_exponents():
    assert gradient(lambda x: x**3, [-2.0]) == [12]
    assert gradient(lambda x: x ** np.array([3.0]), [-2.0]) == [12]
    assert gradient(lambda x: x**-1, [-2.0]) == [-0.25]


# ---- products ----


def test_a_product_with_one_zero_has_a_gradient_at_the_zero_alone():
    assert gradient(np.prod, [2.0, 0.0, 5.0]) == [0, 10, 0]
    assert gradient(np.cumprod, [2.0, 0.0, 5.0], g=[0, 0, 1]) == [0, 10, 0]


def test_a_product_with_two_zeros_is_flat_but_curved():
    assert gradient(np.prod, [2.0, 0.0, 0.0]) == [0, 0, 0]
    # The sum of the row of second derivatives: x0 x1 x2 has x2 in (0, 1), x1 in (0, 2), x0 in (1, 2).
    assert second(np.prod, [2.0, 0.0, 0.0]) == [0, 2, 2]


def test_second_derivatives_of_a_product_with_one_zero():
    assert second(np.prod, [2.0, 0.0, 5.0]) == [5, 7, 2]


def test_rows_with_and_without_zeros_differentiate_together():
    rows = [[2.0, 3.0], [0.0, 4.0], [0.0, 0.0]]
    assert gradient(lambda a: np.prod(a, axis=1), rows) == [[3, 2], [4, 0], [0, 0]]
    assert gradient(lambda a: np.prod(a, axis=0), rows) == [[0, 0], [0, 0], [0, 12]]


def test_a_product_that_underflows_has_the_gradient_of_the_others():
    assert gradient(np.prod, [1e-200, 1e-200]) == [1e-200, 1e-200]


def test_a_product_that_overflows_has_the_gradient_of_the_others():
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert gradient(np.prod, [1e200, 1e200]) == [1e200, 1e200]


# ---- variances ----


@pytest.mark.parametrize("value", [3.0, 0.1, 1e6 + 0.1])
@pytest.mark.parametrize("n", [1, 3, 7])
def test_the_standard_deviation_of_equal_elements_has_no_slope(value, n):
    np.testing.assert_allclose(gradient(np.std, np.full(n, value)), np.zeros(n), atol=1e-12)


def test_constant_rows_do_not_disturb_the_standard_deviation_of_others():
    result = gradient(lambda a: np.std(a, axis=1), [[0.1, 0.1, 0.1], [0.0, 1.0, 2.0]])
    np.testing.assert_allclose(result[0], 0, atol=1e-12)
    np.testing.assert_allclose(result[1], gradient(np.std, [0.0, 1.0, 2.0]), rtol=1e-15)


@pytest.mark.parametrize("function", [np.var, np.std], ids=lambda f: f.__name__)
def test_a_variance_without_degrees_of_freedom_has_no_finite_gradient(function):
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        assert not np.isfinite(gradient(lambda a: function(a, ddof=1), [2.0])).any()
        assert not np.isfinite(gradient(lambda a: function(a, axis=1, ddof=2), [[2.0, 3.0]])).any()


# ---- no elements ----


@pytest.mark.parametrize("function", [np.sum, np.prod, np.mean, np.var, np.std], ids=lambda f: f.__name__)
@pytest.mark.parametrize(
    ("shape", "arguments"),
    [((0,), {}), ((2, 0), {"axis": 1}), ((2, 0), {"axis": 0}), ((0, 3), {"axis": (0, 1), "keepdims": True})],
    ids=str,
)
def test_the_gradient_of_no_elements_is_empty(function, shape, arguments):
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        assert gradient(lambda a: function(a, **arguments), np.zeros(shape)) == np.zeros(shape).tolist()


@pytest.mark.parametrize("function", [np.max, np.min, np.ptp], ids=lambda f: f.__name__)
def test_extrema_along_other_axes_than_the_empty_one(function):
    assert gradient(lambda a: function(a, axis=0), np.zeros((2, 0))) == [[], []]


@pytest.mark.parametrize("function", [np.max, np.min, np.ptp], ids=lambda f: f.__name__)
def test_there_is_no_extremum_of_nothing(function):
    with pytest.raises(ValueError, match="zero-size array"):
        function(Tensor(np.zeros((0, 3)), requires_grad=True), axis=0)


@pytest.mark.parametrize("function", [np.cumsum, np.cumprod], ids=lambda f: f.__name__)
def test_running_totals_of_nothing(function):
    assert gradient(function, np.zeros((2, 0))) == [[], []]


# ---- a single number ----


@pytest.mark.parametrize(
    "function", [f for f in DOMAINS if f not in (np.mean, np.var, np.std, np.ptp)], ids=lambda f: f.__name__
)
@pytest.mark.parametrize("axis", [None, 0, -1, ()])
def test_a_single_number_is_reduced_over_any_axis_that_numpy_takes(function, axis):
    assert gradient(lambda a: function(a, axis=axis), 3.0) == 1


def test_every_number_of_axes_zero_stays_an_array_without_axes():
    x = Tensor(2.0, requires_grad=True)
    y = np.add.reduce(np.sqrt(x * x + 1) / np.exp(x[None]))
    y.backward()
    assert isinstance(y.data, np.ndarray)
    assert isinstance(x.grad.data, np.ndarray)
    assert (y.shape, x.grad.shape) == ((), ())


# ---- dtypes ----


@pytest.mark.parametrize(
    "function",
    [
        np.add, np.subtract, np.multiply, np.divide, np.power, np.hypot, np.arctan2, np.maximum, np.logaddexp,
        np.matmul, np.outer, np.dot, np.inner, np.vdot,
        lambda a, b: np.einsum("i,i->i", a, b),
        lambda a, b: np.where([True, False], a, b),
        lambda a, b: np.concatenate([a, b]),
        lambda a, b: np.stack([a, b]),
        lambda a, b: np.clip(a, 0.5 * b, 2 * b),
    ],
)  # fmt: skip
@pytest.mark.parametrize("narrow", [np.float16, np.float32])
def test_each_gradient_has_its_own_arguments_dtype(function, narrow):
    a, b = (Tensor(np.array([1.0, 2.0]), requires_grad=True, dtype=dtype) for dtype in (narrow, np.float64))
    result = function(a, b)
    assert result.dtype == np.float64
    result.sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (narrow, np.float64)


def test_a_cast_hands_its_cotangent_back_in_the_first_width():
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    y = x.astype(np.float64)
    (y * y).sum().backward()
    assert (y.dtype, x.grad.dtype, x.grad.tolist()) == (np.float64, np.float32, [2, 4])


def test_python_numbers_do_not_widen_float32():
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    y = np.maximum(2 * x**1.5 / 3 - 1, 0.0) + 2.0**x + np.where([True, False], x, 0.0) + np.clip(x, 0.0, 1.5)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_integer_arrays_beside_a_tensor_take_part_as_constants():
    x = Tensor([1.0, 2.0], requires_grad=True)
    (np.arange(2) * x + np.arange(4).reshape(2, 2) @ x).sum().backward()
    assert x.grad.tolist() == [2, 5]


@pytest.mark.parametrize(
    "cut",
    [lambda x: np.maximum(x, 0.0), lambda x: -np.minimum(-x, 0.0), lambda x: np.clip(x, 0.0, None)],
    ids=["maximum", "minimum", "clip"],
)
def test_an_infinite_cotangent_is_nothing_where_it_is_not_taken(cut):
    x = Tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        np.sqrt(cut(x)).sum().backward()
    assert x.grad.tolist() == [0, 0.25]


def test_a_leading_coefficient_of_zero_still_has_a_gradient():
    p = Tensor([0.0, 1.0, 2.0], requires_grad=True)
    product = np.polymul(p, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(product.data, np.polymul([0.0, 1.0, 2.0], [1.0, 2.0]))
    product.sum().backward()
    np.testing.assert_array_equal(p.grad.data, [2.0, 3.0, 3.0])  # of the first coefficient 1 is cut off with its power


@given(
    seed=st.integers(0, 10**6), dtype=st.sampled_from([np.float32, np.float64]), scale=st.sampled_from([1e-9, 1, 1e9])
)
def test_the_remainder_of_polynomials_has_numpys_length_and_bits(seed, dtype, scale):
    rng = np.random.default_rng(seed)
    u, v = (np.asarray(scale * rng.standard_normal(n), dtype) for n in (4, 2))
    found = np.polydiv(Tensor(u, requires_grad=True), v)
    for one, other in zip(found, np.polydiv(u, v), strict=True):
        np.testing.assert_array_equal(one.data, other)
