"""How Bessel, Struve, Kelvin and Airy functions differentiate by their argument: into functions of adjacent orders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ..._common import strong_product
from .register import rule, rule_of_several

# ---- Bessel functions of any order x1, DLMF 10.6.1 and 10.29.1 ----

rule("jv", x2=lambda g, x1, x2: strong_product(g, (special.jv(x1 - 1, x2) - special.jv(x1 + 1, x2)) / 2))
rule("yv", x2=lambda g, x1, x2: strong_product(g, (special.yv(x1 - 1, x2) - special.yv(x1 + 1, x2)) / 2))
rule("yn", x2=lambda g, x1, x2: strong_product(g, (special.yn(x1 - 1, x2) - special.yn(x1 + 1, x2)) / 2))
rule("iv", x2=lambda g, x1, x2: strong_product(g, (special.iv(x1 - 1, x2) + special.iv(x1 + 1, x2)) / 2))
rule("kv", x2=lambda g, x1, x2: strong_product(-g, (special.kv(x1 - 1, x2) + special.kv(x1 + 1, x2)) / 2))
rule("kn", x2=lambda g, x1, x2: strong_product(-g, (special.kn(abs(x1 - 1), x2) + special.kn(x1 + 1, x2)) / 2))
rule("hankel1", x2=lambda g, x1, x2: strong_product(g, (special.hankel1(x1 - 1, x2) - special.hankel1(x1 + 1, x2)) / 2))
rule("hankel2", x2=lambda g, x1, x2: strong_product(g, (special.hankel2(x1 - 1, x2) - special.hankel2(x1 + 1, x2)) / 2))

# ---- the same, scaled: exp(-|x|) I, exp(x) K, exp(-ix) and exp(ix) times the two H ----


def _of_scaled_i(order: Any, x: Any) -> Any:
    """The derivative without that of the scaling factor."""
    return (special.ive(order - 1, x) + special.ive(order + 1, x)) / 2


# The scaling uses the real part of complex numbers, so the Jacobian is not equal to its transpose.
rule(
    "ive",
    x2=lambda g, x1, x2, out: (
        strong_product(g, _of_scaled_i(x1, x2)) - strong_product(np.real(strong_product(g, out)), np.sign(np.real(x2)))
    ),
    jvps={
        "x2": lambda t, x1, x2, out: (
            strong_product(t, _of_scaled_i(x1, x2)) - strong_product(np.real(t), np.sign(np.real(x2)) * out)
        )
    },
)
rule("kve", x2=lambda g, x1, x2, out: strong_product(g, out - (special.kve(x1 - 1, x2) + special.kve(x1 + 1, x2)) / 2))
rule(
    "hankel1e",
    x2=lambda g, x1, x2, out: strong_product(
        g, (special.hankel1e(x1 - 1, x2) - special.hankel1e(x1 + 1, x2)) / 2 - 1j * out
    ),
)
rule(
    "hankel2e",
    x2=lambda g, x1, x2, out: strong_product(
        g, (special.hankel2e(x1 - 1, x2) - special.hankel2e(x1 + 1, x2)) / 2 + 1j * out
    ),
)

# ---- of orders 0 and 1 ----

rule("j0", x=lambda g, x: strong_product(-g, special.j1(x)))
rule("j1", x=lambda g, x: strong_product(g, (special.j0(x) - special.jv(2, x)) / 2))
rule("y0", x=lambda g, x: strong_product(-g, special.y1(x)))
rule("y1", x=lambda g, x: strong_product(g, (special.y0(x) - special.yv(2, x)) / 2))
rule("i0", x=lambda g, x: strong_product(g, special.i1(x)))
rule("i1", x=lambda g, x: strong_product(g, (special.i0(x) + special.iv(2, x)) / 2))
rule("k0", x=lambda g, x: strong_product(-g, special.k1(x)))
rule("k1", x=lambda g, x: strong_product(-g, (special.k0(x) + special.kv(2, x)) / 2))
rule("i0e", x=lambda g, x, out: strong_product(g, special.i1e(x) - np.sign(x) * out))
rule("i1e", x=lambda g, x, out: strong_product(g, (special.i0e(x) + special.ive(2, x)) / 2 - np.sign(x) * out))
rule("k0e", x=lambda g, x, out: strong_product(g, out - special.k1e(x)))
rule("k1e", x=lambda g, x, out: strong_product(g, out - (special.k0e(x) + special.kve(2, x)) / 2))

# ---- integrals of those ----

rule_of_several("itj0y0", lambda x, out: (special.j0(x), special.y0(x)))
rule_of_several("iti0k0", lambda x, out: (special.i0(x), special.k0(x)))
rule_of_several("it2j0y0", lambda x, out: ((1 - special.j0(x)) / x, -special.y0(x) / x))
rule_of_several("it2i0k0", lambda x, out: ((special.i0(x) - 1) / x, -special.k0(x) / x))

# ---- Struve functions, DLMF 11.4.27 and 11.4.30 ----


def _struve_power(order: Any, x: Any) -> Any:
    return (x / 2) ** order / (math.sqrt(math.pi) * special.gamma(order + 1.5))


rule(
    "struve",
    x2=lambda g, x1, x2: strong_product(
        g, (special.struve(x1 - 1, x2) - special.struve(x1 + 1, x2) + _struve_power(x1, x2)) / 2
    ),
)
rule(
    "modstruve",
    x2=lambda g, x1, x2: strong_product(
        g, (special.modstruve(x1 - 1, x2) + special.modstruve(x1 + 1, x2) + _struve_power(x1, x2)) / 2
    ),
)
rule("itstruve0", x=lambda g, x: strong_product(g, special.struve(0, x)))
rule("it2struve0", x=lambda g, x: strong_product(-g, special.struve(0, x) / x))
rule("itmodstruve0", x=lambda g, x: strong_product(g, special.modstruve(0, x)))

# ---- Kelvin functions: ber + i bei and ker + i kei solve w'' = i w - w' / x, DLMF 10.61.3 ----

rule("ber", x=lambda g, x: strong_product(g, special.berp(x)))
rule("bei", x=lambda g, x: strong_product(g, special.beip(x)))
rule("ker", x=lambda g, x: strong_product(g, special.kerp(x)))
rule("kei", x=lambda g, x: strong_product(g, special.keip(x)))
rule("berp", x=lambda g, x, out: strong_product(-g, special.bei(x) + out / x))
rule("beip", x=lambda g, x, out: strong_product(g, special.ber(x) - out / x))
rule("kerp", x=lambda g, x, out: strong_product(-g, special.kei(x) + out / x))
rule("keip", x=lambda g, x, out: strong_product(g, special.ker(x) - out / x))
rule_of_several(
    "kelvin",
    lambda x, out: (out[2], out[3], 1j * out[0] - out[2] / x, 1j * out[1] - out[3] / x),
)

# ---- Airy functions solve w'' = x w ----

rule_of_several("airy", lambda x, out: (out[1], x * out[0], out[3], x * out[2]))


def _airy_pairs(x: Any, out: Any) -> tuple[Any, ...]:
    (ai, _, bi, _), (ai_mirrored, _, bi_mirrored, _) = special.airy(x), special.airy(-x)
    return ai, bi, ai_mirrored, bi_mirrored


rule_of_several("itairy", _airy_pairs)
