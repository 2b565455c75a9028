"""How hypergeometric functions and Wright's Bessel function differentiate: the parameters increase by one."""

from __future__ import annotations

import numpy as np
from scipy import special

from ..._common import strong_product
from .register import rule

rule("hyp0f1", x2=lambda g, x1, x2: strong_product(g, special.hyp0f1(x1 + 1, x2) / x1))
rule("hyp1f1", x3=lambda g, x1, x2, x3: strong_product(g, (x1 / x2) * special.hyp1f1(x1 + 1, x2 + 1, x3)))
rule(
    "hyp2f1",
    x4=lambda g, x1, x2, x3, x4: strong_product(g, (x1 * x2 / x3) * special.hyp2f1(x1 + 1, x2 + 1, x3 + 1, x4)),
)
rule("hyperu", x3=lambda g, x1, x2, x3: strong_product(-g, x1 * special.hyperu(x1 + 1, x2 + 1, x3)))
rule("wright_bessel", x3=lambda g, x1, x2, x3: strong_product(g, special.wright_bessel(x1, x1 + x2, x3)))
rule(
    "log_wright_bessel",
    x3=lambda g, x1, x2, x3, out: strong_product(g, np.exp(special.log_wright_bessel(x1, x1 + x2, x3) - out)),
)
