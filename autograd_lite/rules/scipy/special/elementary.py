"""How logarithms, exponentials, logistic functions, error functions, entropies and losses differentiate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ..._common import strong_product, strong_quotient
from .register import rule, rule_of_several

SQRT_PI = math.sqrt(math.pi)
SQRT_2_PI = math.sqrt(2 * math.pi)


def _nonzero(x: Any) -> tuple[Any, Any]:
    """Whether each value is 0, and the values with 1 in place of 0."""
    zero = np.equal(x, 0)
    return zero, np.where(zero, 1, x)


def _exprel_slope(x: Any, out: Any) -> Any:
    """``(exp(x) - out) / x``, and near 0, where that cancels, by a series; SciPy's does not end far from 0."""
    near = np.absolute(x) < 2
    return np.where(
        near, special.hyp1f1(2, 3, np.where(near, x, 0)) / 2, (np.exp(x) - out) / np.where(near, np.ones_like(x), x)
    )


# ---- powers, exponentials, angles in degrees ----

rule("cbrt", x=lambda g, out: strong_quotient(strong_quotient(g, 3 * out), out))
rule("exp2", x=lambda g, out: strong_product(g, math.log(2) * out))
rule("exp10", x=lambda g, out: strong_product(g, math.log(10) * out))
rule("expm1", x=lambda g, x: strong_product(g, np.exp(x)))
rule("log1p", x=lambda g, x: strong_quotient(g, 1 + x))
rule("cosm1", x=lambda g, x: strong_product(-g, np.sin(x)))
rule("sindg", x=lambda g, x: strong_product(g, np.radians(special.cosdg(x))))
rule("cosdg", x=lambda g, x: strong_product(-g, np.radians(special.sindg(x))))
rule("tandg", x=lambda g, out: strong_product(g, np.radians(1 + out * out)))
rule("cotdg", x=lambda g, out: strong_product(-g, np.radians(1 + out * out)))
rule(
    "radian",
    x1=lambda g: g * (math.pi / 180),
    x2=lambda g: g * (math.pi / 180 / 60),
    x3=lambda g: g * (math.pi / 180 / 3600),
)
rule("round", x=None)
rule("gammasgn", x=None)
rule("exprel", x=lambda g, x, out: strong_product(g, _exprel_slope(x, out)))
rule(
    "powm1",
    x1=lambda g, x1, x2: strong_product(g, x2 * np.power(x1, x2 - 1)),
    x2=lambda g, x1, out: strong_product(g, (out + 1) * np.log(x1)),
)

# ---- the Box-Cox transformation (Box and Cox 1964); lambda is x2 ----


def _power_by_lambda(g: Any, log: Any, power: Any, out: Any) -> Any:
    """The derivative by lambda of ``(x^lambda - 1) / lambda``, which is ``log(x)`` for lambda 0."""
    zero, divisor = _nonzero(power)
    return strong_product(g, np.where(zero, log * log / 2, ((1 + power * out) * log - out) / divisor))


def _inverse_by_lambda(g: Any, y: Any, power: Any, base: Any) -> Any:
    """The derivative by lambda of the inverse ``(1 + lambda y)^(1 / lambda)``."""
    zero, divisor = _nonzero(power)
    slope = (y / np.where(zero, 1, 1 + power * y) - np.log(base)) / divisor
    return strong_product(g, base * np.where(zero, -y * y / 2, slope))


rule(
    "boxcox",
    x1=lambda g, x1, x2: strong_product(g, np.power(x1, x2 - 1)),
    x2=lambda g, x1, x2, out: _power_by_lambda(g, np.log(x1), x2, out),
)
rule(
    "boxcox1p",
    x1=lambda g, x1, x2: strong_product(g, np.power(1 + x1, x2 - 1)),
    x2=lambda g, x1, x2, out: _power_by_lambda(g, np.log1p(x1), x2, out),
)
rule(
    "inv_boxcox",
    x1=lambda g, x2, out: strong_product(g, np.power(out, 1 - x2)),
    x2=lambda g, x1, x2, out: _inverse_by_lambda(g, x1, x2, out),
)
rule(
    "inv_boxcox1p",
    x1=lambda g, x2, out: strong_product(g, np.power(1 + out, 1 - x2)),
    x2=lambda g, x1, x2, out: _inverse_by_lambda(g, x1, x2, 1 + out),
)

# ---- the logistic function and its relatives ----

rule("expit", x=lambda g, x, out: strong_product(g, out * special.expit(-x)))
rule("logit", x=lambda g, x: strong_quotient(g, x * (1 - x)))
rule("log_expit", x=lambda g, x: strong_product(g, special.expit(-x)))

# ---- error functions, and the normal distribution ----

rule("erf", x=lambda g, x: strong_product(g, (2 / SQRT_PI) * np.exp(-x * x)))
rule("erfc", x=lambda g, x: strong_product(-g, (2 / SQRT_PI) * np.exp(-x * x)))
rule("erfcx", x=lambda g, x, out: strong_product(g, 2 * x * out - 2 / SQRT_PI))
rule("erfi", x=lambda g, x: strong_product(g, (2 / SQRT_PI) * np.exp(x * x)))
rule("erfinv", x=lambda g, out: strong_product(g, (SQRT_PI / 2) * np.exp(out * out)))
rule("erfcinv", x=lambda g, out: strong_product(-g, (SQRT_PI / 2) * np.exp(out * out)))
rule("dawsn", x=lambda g, x, out: strong_product(g, 1 - 2 * x * out))
rule("wofz", x=lambda g, x, out: strong_product(g, 2j / SQRT_PI - 2 * x * out))
rule("ndtr", x=lambda g, x: strong_product(g, np.exp(-x * x / 2) / SQRT_2_PI))
rule("ndtri", x=lambda g, out: strong_product(g, SQRT_2_PI * np.exp(out * out / 2)))
rule("log_ndtr", x=lambda g, x, out: strong_product(g, np.exp(-x * x / 2 - out) / SQRT_2_PI))
rule("ndtri_exp", x=lambda g, x, out: strong_product(g, SQRT_2_PI * np.exp(out * out / 2 + x)))
rule(
    "owens_t",
    x1=lambda g, x1, x2: strong_product(
        -g, np.exp(-x1 * x1 / 2) * special.erf(x1 * x2 / math.sqrt(2)) / (2 * SQRT_2_PI)
    ),
    x2=lambda g, x1, x2: strong_product(g, np.exp(-x1 * x1 * (1 + x2 * x2) / 2) / (2 * math.pi * (1 + x2 * x2))),
)


def _faddeeva_slope(x: Any, sigma: Any, gamma: Any) -> tuple[Any, Any]:
    """The point at which a Voigt profile evaluates the Faddeeva function, and that function's derivative there."""
    z = (x + 1j * gamma) / (sigma * math.sqrt(2))
    return z, 2j / SQRT_PI - 2 * z * special.wofz(z)


def _voigt_by_sigma(g: Any, x: Any, sigma: Any, gamma: Any, out: Any) -> Any:
    z, slope = _faddeeva_slope(x, sigma, gamma)
    return strong_product(-g, (out + np.real(z * slope) / (sigma * SQRT_2_PI)) / sigma)


rule(
    "voigt_profile",
    x1=lambda g, x1, x2, x3: strong_product(g, np.real(_faddeeva_slope(x1, x2, x3)[1]) / (2 * SQRT_PI * x2 * x2)),
    x2=lambda g, x1, x2, x3, out: _voigt_by_sigma(g, x1, x2, x3, out),
    x3=lambda g, x1, x2, x3: strong_product(-g, np.imag(_faddeeva_slope(x1, x2, x3)[1]) / (2 * SQRT_PI * x2 * x2)),
)
rule_of_several("fresnel", lambda x, out: (np.sin(math.pi / 2 * x * x), np.cos(math.pi / 2 * x * x)))
rule_of_several(
    "modfresnelp",
    lambda x, out: (-np.exp(1j * x * x), -2j * x * out[1] - np.exp(-0.25j * math.pi) / SQRT_PI),
)
rule_of_several(
    "modfresnelm",
    lambda x, out: (-np.exp(-1j * x * x), 2j * x * out[1] - np.exp(0.25j * math.pi) / SQRT_PI),
)

# ---- entropies and losses ----


def _quotient(x: Any, y: Any) -> Any:
    """``x / y``; 0 where ``x`` is 0, because there the function is 0 for every ``y``."""
    return np.where(np.equal(x, 0), 0, x / np.where(np.equal(x, 0), 1, y))


rule("xlogy", x1=lambda g, x2: strong_product(g, np.log(x2)), x2=lambda g, x1, x2: strong_product(g, _quotient(x1, x2)))
rule(
    "xlog1py",
    x1=lambda g, x2: strong_product(g, np.log1p(x2)),
    x2=lambda g, x1, x2: strong_product(g, _quotient(x1, 1 + x2)),
)
rule("entr", x=lambda g, x: strong_product(-g, np.log(x) + 1))
rule(
    "rel_entr",
    x1=lambda g, x1, x2: strong_product(g, np.log(x1 / x2) + 1),
    x2=lambda g, x1, x2: strong_product(-g, _quotient(x1, x2)),
)
rule(
    "kl_div",
    x1=lambda g, x1, x2: strong_product(g, np.log(x1 / x2)),
    x2=lambda g, x1, x2: strong_product(g, 1 - _quotient(x1, x2)),
)
rule(
    "huber",
    x1=lambda g, x1, x2: strong_product(g, np.maximum(np.abs(x2) - x1, 0)),
    x2=lambda g, x1, x2: strong_product(g, np.clip(x2, -x1, x1)),
)
rule(
    "pseudo_huber",
    x1=lambda g, x1, x2, out: strong_product(g, (2 * out - x2 * x2 / np.sqrt(1 + (x2 / x1) ** 2)) / x1),
    x2=lambda g, x1, x2: strong_product(g, x2 / np.sqrt(1 + (x2 / x1) ** 2)),
)
