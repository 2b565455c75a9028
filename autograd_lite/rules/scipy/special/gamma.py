"""How the gamma and beta functions and their incomplete forms differentiate, and the zeta and integral functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special
from scipy.special import digamma

from ....core.custom import primitive
from ....core.registry import defelementwise, defvjp
from ....errors import NoRuleError
from ..._common import strong_product, strong_quotient
from .register import rule, rule_of_several

# ---- gamma and beta ----


@primitive
def polygamma(x: Any, order: int) -> Any:
    """The derivative of `digamma` of order 1 or higher: ``(-1)^(n + 1) n! zeta(n + 1, x)``."""
    if np.iscomplexobj(x):
        raise NoRuleError(
            "the derivative of digamma, and so the second derivative of gamma and loggamma, is not supported for "
            "complex numbers, because SciPy's polygamma takes only real numbers"
        )
    return np.asarray(special.polygamma(order, x), dtype=np.asarray(x).dtype)


defvjp(polygamma, x=lambda g, x, order: strong_product(g, polygamma(x, order + 1)))
defelementwise(polygamma)

rule("digamma", x=lambda g, x: strong_product(g, polygamma(x, 1)))
rule("gamma", x=lambda g, x, out: strong_product(g, out * digamma(x)))
rule("rgamma", x=lambda g, x, out: strong_product(-g, out * digamma(x)))
rule("gammaln", x=lambda g, x: strong_product(g, digamma(x)))
rule("loggamma", x=lambda g, x: strong_product(g, digamma(x)))
rule(
    "beta",
    x1=lambda g, x1, x2, out: strong_product(g, out * (digamma(x1) - digamma(x1 + x2))),
    x2=lambda g, x1, x2, out: strong_product(g, out * (digamma(x2) - digamma(x1 + x2))),
)
rule(
    "betaln",
    x1=lambda g, x1, x2: strong_product(g, digamma(x1) - digamma(x1 + x2)),
    x2=lambda g, x1, x2: strong_product(g, digamma(x2) - digamma(x1 + x2)),
)
rule(
    "binom",
    x1=lambda g, x1, x2, out: strong_product(g, out * (digamma(x1 + 1) - digamma(x1 - x2 + 1))),
    x2=lambda g, x1, x2, out: strong_product(g, out * (digamma(x1 - x2 + 1) - digamma(x2 + 1))),
)
rule(
    "poch",
    x1=lambda g, x1, x2, out: strong_product(g, out * (digamma(x1 + x2) - digamma(x1))),
    x2=lambda g, x1, x2, out: strong_product(g, out * digamma(x1 + x2)),
)

# ---- the incomplete forms, by their upper limit; the slopes are densities ----


def gamma_density(a: Any, x: Any) -> Any:
    """``x^(a - 1) exp(-x) / gamma(a)``."""
    return np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """``x^(a - 1) (1 - x)^(b - 1) / beta(a, b)``."""
    return np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))


rule("gammainc", x2=lambda g, x1, x2: strong_product(g, gamma_density(x1, x2)))
rule("gammaincc", x2=lambda g, x1, x2: strong_product(-g, gamma_density(x1, x2)))
rule("gammaincinv", x2=lambda g, x1, out: strong_quotient(g, gamma_density(x1, out)))
rule("gammainccinv", x2=lambda g, x1, out: strong_quotient(-g, gamma_density(x1, out)))
rule("betainc", x3=lambda g, x1, x2, x3: strong_product(g, beta_density(x1, x2, x3)))
rule("betaincc", x3=lambda g, x1, x2, x3: strong_product(-g, beta_density(x1, x2, x3)))
rule("betaincinv", x3=lambda g, x1, x2, out: strong_quotient(g, beta_density(x1, x2, out)))
rule("betainccinv", x3=lambda g, x1, x2, out: strong_quotient(-g, beta_density(x1, x2, out)))

# ---- zeta, by its second argument: scipy.special.zeta calls this ufunc ----

rule("_zeta", x2=lambda g, x1, x2: strong_product(-g, x1 * special.zeta(x1 + 1, x2)))

# ---- exponential, sine and hyperbolic integrals, the dilogarithm, the omega functions ----

rule("exp1", x=lambda g, x: strong_product(-g, np.exp(-x) / x))
rule("expi", x=lambda g, x: strong_product(g, np.exp(x) / x))
rule("expn", x2=lambda g, x1, x2, out: strong_product(-g, (np.exp(-x2) - (x1 - 1) * out) / x2))
rule("spence", x=lambda g, x: strong_product(-g, special.hyp2f1(1, 1, 2, 1 - x)))
rule_of_several("sici", lambda x, out: (np.sinc(x / np.pi), np.cos(x) / x))
rule_of_several("shichi", lambda x, out: (np.sinh(x) / x, np.cosh(x) / x))
rule("wrightomega", x=lambda g, out: strong_product(g, out / (1 + out)))

# x2 is the branch, and x3 the tolerance.
rule("_lambertw", any_value=("x2", "x3"), x1=lambda g, out: strong_product(g, np.exp(-out) / (1 + out)))
