"""How NumPy's elementwise functions differentiate: the table of derivatives.

At points where a function has no derivative the rule makes a choice, and says so: ``absolute`` takes 0 at 0;
``maximum`` and ``minimum`` give each of two equal arguments half of the cotangent; ``hypot`` and ``arctan2`` take 0 at
the origin; ``sqrt`` has an infinite slope at 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.custom import primitive
from ..core.dispatch import astype
from ..core.registry import PIECEWISE_CONSTANT, defconstant, defelementwise, defvjp, derive
from ..speed import fast_where
from ..transforms.rule_tables import defbatching, deflinear
from ._common import batch_stack, strong_product, strong_quotient, symmetric_product

LN_2 = float(np.log(2.0))
LN_10 = float(np.log(10.0))


def _share(g: Any, larger: Any, smaller: Any) -> Any:
    """The cotangent where the first argument is larger, and half of it where both are equal.

    Elsewhere 0 is chosen, and not the product with 0, which would be NaN for an infinite cotangent.
    """
    return fast_where.where(np.greater(larger, smaller), g, fast_where.where(np.equal(larger, smaller), 0.5 * g, 0))


def _power_x1(g: Any, x1: Any, x2: Any) -> Any:
    """``g * (x2 * x1 ** (x2 - 1))``, and 0 for the constant ``x1^0``, at 0 and at infinity too."""
    if isinstance(x2, int | float):
        return _zero(g) if x2 == 0 else strong_product(g, x2 * x1 ** (x2 - 1))
    exponent = np.where(np.equal(x1, 0) & np.equal(x2, 0), np.ones_like(x2), np.subtract(x2, 1.0))
    return strong_product(g, strong_product(x2, x1**exponent))


def _power_x2(g: Any, out: Any, x1: Any) -> Any:
    """``g * (out * np.log(x1))``, and 0 where ``x1^x2`` is 0, and for an ``x1`` of 0 where it is finite."""
    if isinstance(x1, int | float) and x1 > 0:
        return strong_product(g, float(np.log(x1)) * out)
    base = np.where(np.equal(x1, 0) & np.isfinite(out), np.ones_like(x1), x1)
    return strong_product(g, strong_product(out, np.log(base.astype(out.dtype) if out.dtype.kind == "c" else base)))


def _below_one(x: Any) -> Any:
    """``sqrt(1 - x^2)``, on the principal branch for complex numbers."""
    return np.sqrt(1 - x) * np.sqrt(1 + x)


def _over_one_and_square(g: Any, x: Any) -> Any:
    """``g / (1 + x**2)``, without the square of a real x, which leaves the range of numbers first."""
    if x.dtype.kind == "c":
        return strong_quotient(g, (1 + 1j * x) * (1 - 1j * x))
    radius = np.hypot(x, 1)
    return strong_quotient(strong_quotient(g, radius), radius)


def _arcsinh(g: Any, x: Any) -> Any:
    """``g / np.sqrt(1 + x**2)``, without the square of a real x, which leaves the range of numbers first."""
    complex_root = x.dtype.kind == "c"
    return strong_quotient(g, np.sqrt(1 + 1j * x) * np.sqrt(1 - 1j * x) if complex_root else np.hypot(x, 1))


def _cosine(x: Any, other: Any, radius: Any) -> Any:
    """``x / radius``: 0 at the origin, where there is no direction, and the limit where x alone is infinite."""
    far = np.isinf(x) & np.isfinite(other)
    return np.where(far, np.sign(x), strong_quotient(x, np.where(far, np.ones_like(radius), radius)))


def _turn(g: Any, across: Any, radius: Any) -> Any:
    """``g * across / radius**2``, and 0 at the origin, and at infinity; without the square, which overflows first."""
    far = np.isinf(radius)
    radius = np.where(far, np.ones_like(radius), radius)
    across = np.where(far, np.zeros_like(across), across)
    return strong_product(g, strong_quotient(strong_quotient(across, radius), radius))


@primitive
def share_of_first(x1: Any, x2: Any, rate: float) -> Any:
    """``1 / (1 + exp(rate * (x2 - x1)))``: what the first contributes to the sum of two exponentials.

    Two equal infinities contribute a half each, as two equal numbers do.
    """
    equal = np.isinf(x1) & np.equal(x1, x2)
    distance = rate * (np.where(equal, 0, x1) - np.where(equal, 0, x2))
    decay = np.exp(-np.absolute(distance))
    return np.where(distance >= 0, 1, decay) / (1 + decay)


def _share_rule(g: Any, out: Any, x1: Any, x2: Any, rate: float) -> Any:
    """``g * rate * out * (1 - out)``, to all digits where the share is nearly 1."""
    return strong_product(rate * g, out * share_of_first(x2, x1, rate))


defvjp(
    share_of_first,
    x1=lambda g, out, x1, x2, rate: _share_rule(g, out, x1, x2, rate),
    x2=lambda g, out, x1, x2, rate: -_share_rule(g, out, x1, x2, rate),
)
defelementwise(share_of_first)


def _zero(g: Any) -> Any:
    """``0``, the derivative of a function that is constant almost everywhere."""
    return np.zeros_like(g)


# ---- arithmetic ----
defvjp(np.add, x1=lambda g: g, x2=lambda g: g)
defvjp(np.subtract, x1=lambda g: g, x2=lambda g: -g)
defvjp(np.multiply, x1=lambda g, x2: strong_product(g, x2), x2=lambda g, x1: strong_product(g, x1))
defvjp(
    np.divide,
    x1=lambda g, x2: strong_quotient(g, x2),
    x2=lambda g, x2, out: strong_quotient(strong_product(-g, out), x2),
)
defvjp(np.power, x1=_power_x1, x2=_power_x2)
defvjp(np.float_power, x1=_power_x1, x2=_power_x2)
defvjp(np.negative, x=lambda g: -g)
defvjp(np.positive, x=lambda g: g)
defvjp(np.reciprocal, x=lambda g, out: strong_product(strong_product(-g, out), out))
defvjp(np.square, x=lambda g, x: strong_product(g, 2 * x))
defvjp(np.sqrt, x=lambda g, out: strong_quotient(g, 2 * out))
defvjp(np.cbrt, x=lambda g, out: strong_quotient(strong_quotient(g, 3 * out), out))
defvjp(np.fabs, x=lambda g, x: symmetric_product(g, np.sign(x)))
defvjp(np.copysign, x1=lambda g, x1, x2: symmetric_product(g, np.sign(x1) * np.copysign(1.0, x2)), x2=_zero)
defvjp(
    np.hypot,
    x1=lambda g, x1, x2, out: strong_product(g, _cosine(x1, x2, out)),
    x2=lambda g, x1, x2, out: strong_product(g, _cosine(x2, x1, out)),
)
defvjp(np.remainder, x1=lambda g: g, x2=lambda g, x1, x2: strong_product(-g, np.floor_divide(x1, x2)))
defvjp(np.fmod, x1=lambda g: g, x2=lambda g, x1, x2: strong_product(-g, np.trunc(x1 / x2)))
defvjp(np.ldexp, x1=lambda g, x2: np.ldexp(g, x2))

# ---- exponentials and logarithms ----
defvjp(np.exp, x=lambda g, out: strong_product(g, out))
defvjp(np.exp2, x=lambda g, out: strong_product(g, LN_2 * out))
defvjp(np.expm1, x=lambda g, x: strong_product(g, np.exp(x)))
defvjp(np.log, x=lambda g, x: strong_quotient(g, x))
defvjp(np.log2, x=lambda g, x: strong_quotient(g, LN_2 * x))
defvjp(np.log10, x=lambda g, x: strong_quotient(g, LN_10 * x))
defvjp(np.log1p, x=lambda g, x: strong_quotient(g, 1 + x))
defvjp(
    np.logaddexp,
    x1=lambda g, x1, x2: strong_product(g, share_of_first(x1, x2, 1.0)),
    x2=lambda g, x1, x2: strong_product(g, share_of_first(x2, x1, 1.0)),
)
defvjp(
    np.logaddexp2,
    x1=lambda g, x1, x2: strong_product(g, share_of_first(x1, x2, LN_2)),
    x2=lambda g, x1, x2: strong_product(g, share_of_first(x2, x1, LN_2)),
)

# ---- trigonometric and hyperbolic functions ----
defvjp(np.sin, x=lambda g, x: strong_product(g, np.cos(x)))
defvjp(np.cos, x=lambda g, x: strong_product(-g, np.sin(x)))
defvjp(np.tan, x=lambda g, out: strong_product(g, 1 + out * out))
defvjp(np.arcsin, x=lambda g, x: strong_quotient(g, _below_one(x)))
defvjp(np.arccos, x=lambda g, x: strong_quotient(-g, _below_one(x)))
defvjp(np.arctan, x=_over_one_and_square)
defvjp(
    np.arctan2,
    x1=lambda g, x1, x2: _turn(g, x2, np.hypot(x1, x2)),
    x2=lambda g, x1, x2: _turn(-g, x1, np.hypot(x1, x2)),
)
defvjp(np.sinh, x=lambda g, x: strong_product(g, np.cosh(x)))
defvjp(np.cosh, x=lambda g, x: strong_product(g, np.sinh(x)))
defvjp(np.tanh, x=lambda g, out: strong_product(g, 1 - out * out))
defvjp(np.arcsinh, x=_arcsinh)
defvjp(np.arccosh, x=lambda g, x: strong_quotient(g, np.sqrt(x - 1) * np.sqrt(x + 1)))
defvjp(np.arctanh, x=lambda g, x: strong_quotient(g, (1 - x) * (1 + x)))
defvjp(np.degrees, x=lambda g: np.degrees(g))
defvjp(np.rad2deg, x=lambda g: np.rad2deg(g))
defvjp(np.radians, x=lambda g: np.radians(g))
defvjp(np.deg2rad, x=lambda g: np.deg2rad(g))

# ---- choices ----
defvjp(np.maximum, x1=lambda g, x1, x2: _share(g, x1, x2), x2=lambda g, x1, x2: _share(g, x2, x1))
defvjp(np.minimum, x1=lambda g, x1, x2: _share(g, x2, x1), x2=lambda g, x1, x2: _share(g, x1, x2))


@primitive
def where(condition: Any, x: Any, y: Any) -> Any:
    """`numpy.where` with both choices."""
    return fast_where.where(condition, x, y)


defvjp(
    where,
    condition=None,
    x=lambda g, condition: fast_where.where(condition, g, 0),
    y=lambda g, condition: fast_where.where(condition, 0, g),
)
defelementwise(where)


@derive(np.where)
def where_or_nonzero(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """`numpy.where`; for a condition alone, the indices where it holds, which carry no gradient."""
    return np.nonzero(condition) if x is None and y is None else where(condition, x, y)


@primitive
def clip_between(a: Any, a_min: Any, a_max: Any) -> Any:
    """`numpy.clip` with two bounds; None means that there is no bound."""
    return np.clip(a, a_min, a_max)


def _within(a: Any, a_min: Any, a_max: Any) -> Any:
    """Whether each element is within the bounds or on them, so that it is not clipped."""
    above = True if a_min is None else np.greater_equal(a, a_min)
    return above & (True if a_max is None else np.less_equal(a, a_max))


defvjp(
    clip_between,
    a=lambda g, a, a_min, a_max: fast_where.where(_within(a, a_min, a_max), g, 0),
    a_min=lambda g, a, a_min, a_max: np.where(np.less(a, a_min) & _within(a_min, None, a_max), g, 0),
    a_max=lambda g, a, a_min, a_max: np.where(
        np.greater(a, a_max) | (a_min is not None and np.greater(a_min, a_max)), g, 0
    ),
)
defelementwise(clip_between)


@derive(np.clip)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: None = None, *, min: Any = None, max: Any = None) -> Any:
    """`numpy.clip`, with either of the two names for each bound."""
    return clip_between(a, min if a_min is None else a_min, max if a_max is None else a_max)


def _unless_missing(g: Any, other: Any, share: Any) -> Any:
    """The whole cotangent where the other argument is NaN, because `fmax` and `fmin` ignore NaN."""
    return np.where(np.isnan(other), g, share)


defvjp(
    np.fmax,
    x1=lambda g, x1, x2: _unless_missing(g, x2, _share(g, x1, x2)),
    x2=lambda g, x1, x2: _unless_missing(g, x1, _share(g, x2, x1)),
)
defvjp(
    np.fmin,
    x1=lambda g, x1, x2: _unless_missing(g, x2, _share(g, x2, x1)),
    x2=lambda g, x1, x2: _unless_missing(g, x1, _share(g, x1, x2)),
)


@derive(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """`numpy.nan_to_num`; replaced elements are constant."""
    if x.dtype.kind == "c":
        return nan_to_num(np.real(x), copy, nan, posinf, neginf) + 1j * nan_to_num(
            np.imag(x), copy, nan, posinf, neginf
        )
    limits = np.finfo(x.dtype)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.equal(x, np.inf), limits.max if posinf is None else posinf, x)
    return np.where(np.equal(x, -np.inf), limits.min if neginf is None else neginf, x)


# ---- steps, which are flat almost everywhere ----
for _step in (np.floor, np.ceil, np.trunc, np.rint):
    defvjp(_step, x=_zero)
PIECEWISE_CONSTANT.update((np.floor, np.ceil, np.trunc, np.rint, np.round, np.floor_divide, np.sign))
defvjp(np.heaviside, x1=_zero, x2=lambda g, x1: fast_where.where(np.equal(x1, 0), g, 0))
defvjp(np.floor_divide, x1=_zero, x2=_zero)
defvjp(np.nextafter, x1=lambda g: g, x2=_zero)
defvjp(np.round, any_value=("decimals",), a=_zero)
defelementwise(np.round)

# ---- the same numbers in another array ----
defvjp(np.copy, a=lambda g: g)
deflinear(np.copy, "a")
defbatching(np.copy, "a")(lambda a: np.copy(a))
defvjp(astype, x=lambda g: g)
deflinear(astype, "x")
defbatching(astype, "x")(lambda x, dtype: x.astype(dtype))
if hasattr(np, "astype"):
    derive(np.astype)(lambda x, dtype, /, *, copy=True, device=None: x.astype(dtype))

derive(np.fix)(lambda x, out=None: np.trunc(x))
derive(np.around)(lambda a, decimals=0, out=None: np.round(a, decimals))


# ---- a number in two parts ----
derive(np.modf)(lambda x: (x - np.trunc(x), np.trunc(x)))
derive(np.divmod)(lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)))


@primitive
def binary_exponent(x: Any) -> Any:
    """The second result of `numpy.frexp`."""
    return np.frexp(x)[1]


@derive(np.frexp)
def frexp(x: Any) -> tuple[Any, Any]:
    """`numpy.frexp`: the mantissa is the number times a power of 2, which is constant."""
    exponent = binary_exponent(x)
    return np.ldexp(x, -exponent), exponent


# ---- comparisons, tests and bits, which carry no gradient ----
defconstant(
    [
        np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
        np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
        np.isnan, np.isinf, np.isfinite, np.signbit, np.isclose, np.allclose, np.array_equal, np.array_equiv,
        binary_exponent, np.isneginf, np.isposinf, np.isreal, np.iscomplex, np.isin, np.spacing,
        np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift,
    ]
)  # fmt: skip
for _test in (np.isneginf, np.isposinf, np.isreal, np.iscomplex, binary_exponent):
    batch_stack(_test)
defbatching(np.isin, "element")(
    lambda element, test_elements, assume_unique=False, invert=False: np.isin(
        element, test_elements, assume_unique, invert
    )
)
