"""How distribution functions and their inverses differentiate: the slopes are the density, and one over it.

The names are from Cephes: a ``c`` at the end means the upper tail, an ``i`` an inverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special
from scipy.special import betaln, xlog1py, xlogy

from ..._common import strong_product, strong_quotient
from .gamma import beta_density, gamma_density
from .register import rule


def _f_density(d1: Any, d2: Any, x: Any) -> Any:
    """The F distribution's ``sqrt((d1 x)^d1 d2^d2 / (d1 x + d2)^(d1 + d2)) / (x beta(d1 / 2, d2 / 2))``."""
    a, b = d1 / 2, d2 / 2
    return np.exp(
        xlogy(a, d1) + xlogy(b, d2) + xlogy(a - 1, x) - xlogy(a + b, d1 * x + d2) - betaln(a, b)
    )  # fmt: skip


def _chi_square_density(degrees: Any, x: Any) -> Any:
    return gamma_density(degrees / 2, x / 2) / 2


def _student_density(degrees: Any, x: Any) -> Any:
    return np.exp(-xlog1py((degrees + 1) / 2, x * x / degrees) - betaln(degrees / 2, 0.5)) / np.sqrt(degrees)


def _noncentral_chi_square_density(x: Any, degrees: Any, noncentrality: Any) -> Any:
    scaling = np.exp(-noncentrality / 2) * special.hyp0f1(degrees / 2, noncentrality * x / 4)
    return _chi_square_density(degrees, x) * scaling


def _tukey_slope(probability: Any, shape: Any) -> Any:
    """The slope of Tukey's lambda distribution's quantile function ``(p^l - (1 - p)^l) / l``."""
    return np.power(probability, shape - 1) + np.power(1 - probability, shape - 1)


# ---- continuous ----

rule("fdtr", x3=lambda g, x1, x2, x3: strong_product(g, _f_density(x1, x2, x3)))
rule("fdtrc", x3=lambda g, x1, x2, x3: strong_product(-g, _f_density(x1, x2, x3)))
rule("fdtri", x3=lambda g, x1, x2, out: strong_quotient(g, _f_density(x1, x2, out)))
rule("chdtr", x2=lambda g, x1, x2: strong_product(g, _chi_square_density(x1, x2)))
rule("chdtrc", x2=lambda g, x1, x2: strong_product(-g, _chi_square_density(x1, x2)))
rule("chdtri", x2=lambda g, x1, out: strong_quotient(-g, _chi_square_density(x1, out)))
rule("stdtr", x2=lambda g, x1, x2: strong_product(g, _student_density(x1, x2)))
rule("stdtrit", x2=lambda g, x1, out: strong_quotient(g, _student_density(x1, out)))
rule("tklmbda", x1=lambda g, x2, out: np.where((out <= 0) | (out >= 1), 0, strong_quotient(g, _tukey_slope(out, x2))))
rule(
    "chndtr",
    x1=lambda g, x1, x2, x3: strong_product(g, _noncentral_chi_square_density(x1, x2, x3)),
    x3=lambda g, x1, x2, x3: strong_product(g, (special.chndtr(x1, x2 + 2, x3) - special.chndtr(x1, x2, x3)) / 2),
)
rule("chndtrix", x1=lambda g, x2, x3, out: strong_quotient(g, _noncentral_chi_square_density(out, x2, x3)))

# ---- the gamma distribution with rate x1 and shape x2 is a function of the product of rate and argument ----

rule(
    "gdtr",
    x1=lambda g, x1, x2, x3: strong_product(g, x3 * gamma_density(x2, x1 * x3)),
    x3=lambda g, x1, x2, x3: strong_product(g, x1 * gamma_density(x2, x1 * x3)),
)
rule(
    "gdtrc",
    x1=lambda g, x1, x2, x3: strong_product(-g, x3 * gamma_density(x2, x1 * x3)),
    x3=lambda g, x1, x2, x3: strong_product(-g, x1 * gamma_density(x2, x1 * x3)),
)
rule(
    "gdtrix",
    x1=lambda g, x1, out: strong_product(-g, out / x1),
    x3=lambda g, x1, x2, out: strong_quotient(g, x1 * gamma_density(x2, x1 * out)),
)
rule(
    "gdtria",
    x1=lambda g, x2, x3, out: strong_quotient(g, x3 * gamma_density(x2, x3 * out)),
    x3=lambda g, x3, out: strong_product(-g, out / x3),
)

# ---- discrete: by the probability or the mean; counts are rounded down ----


def _binomial_density(k: Any, n: Any, p: Any) -> Any:
    return beta_density(n - np.floor(k), np.floor(k) + 1, 1 - p)


rule("bdtr", x3=lambda g, x1, x2, x3: strong_product(-g, _binomial_density(x1, x2, x3)))
rule("bdtrc", x3=lambda g, x1, x2, x3: strong_product(g, _binomial_density(x1, x2, x3)))
rule("bdtri", x3=lambda g, x1, x2, out: strong_quotient(-g, _binomial_density(x1, x2, out)))
rule("nbdtr", x3=lambda g, x1, x2, x3: strong_product(g, beta_density(x2, x1 + 1, x3)))
rule("nbdtrc", x3=lambda g, x1, x2, x3: strong_product(-g, beta_density(x2, x1 + 1, x3)))
rule("nbdtri", x3=lambda g, x1, x2, out: strong_quotient(g, beta_density(x2, x1 + 1, out)))
rule("pdtr", x2=lambda g, x1, x2: strong_product(-g, gamma_density(np.floor(x1) + 1, x2)))
rule("pdtrc", x2=lambda g, x1, x2: strong_product(g, gamma_density(np.floor(x1) + 1, x2)))
rule("pdtri", x2=lambda g, x1, out: strong_quotient(-g, gamma_density(np.floor(x1) + 1, out)))

# ---- the normal distribution's parameters, from a probability ----


def _normal_quantile_slope(probability: Any) -> Any:
    quantile = special.ndtri(probability)
    return np.sqrt(2 * np.pi) * np.exp(quantile * quantile / 2)


rule(
    "nrdtrimn",
    x1=lambda g, x1, x2: strong_product(-g, x2 * _normal_quantile_slope(x1)),
    x2=lambda g, x1: strong_product(-g, special.ndtri(x1)),
    x3=lambda g: g,
)
rule(
    "nrdtrisd",
    x1=lambda g, x2: strong_quotient(-g, special.ndtri(x2)),
    x2=lambda g, x2, out: strong_product(-g, out * _normal_quantile_slope(x2) / special.ndtri(x2)),
    x3=lambda g, x2: strong_quotient(g, special.ndtri(x2)),
)
