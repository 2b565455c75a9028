"""How elliptic integrals and functions differentiate; incomplete integrals by Carlson's symmetric forms.

B. C. Carlson, *Numerical computation of real or complex elliptic integrals*, 1995; DLMF 19.18.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from ..._common import strong_product, strong_quotient
from .register import rule, weighted

# ---- complete; by hypergeometric series, whose terms do not cancel for small m ----


def _first_kind_slope(m: Any) -> Any:
    return math.pi / 8 * special.hyp2f1(1.5, 1.5, 2, m)


def _second_kind_slope(m: Any) -> Any:
    return -math.pi / 8 * special.hyp2f1(0.5, 1.5, 2, m)


rule("ellipk", x=lambda g, x: strong_product(g, _first_kind_slope(x)))
rule("ellipkm1", x=lambda g, x, out: strong_product(-g, (special.ellipe(1 - x) - x * out) / (2 * x * (1 - x))))
rule("ellipe", x=lambda g, x: strong_product(g, _second_kind_slope(x)))

# ---- incomplete; the angle is x1, the parameter x2 ----


def _within_half_turn(angle: Any) -> tuple[Any, Any, Any]:
    """The number of half turns in an angle, and the sine and squared cosine of the rest."""
    turns = np.round(angle / math.pi)
    rest = angle - turns * math.pi
    return turns, np.sin(rest), np.cos(rest) ** 2


def _first_kind_by_m(angle: Any, m: Any) -> Any:
    turns, s, c2 = _within_half_turn(angle)
    return s**3 / 6 * special.elliprd(c2, 1, 1 - m * s * s) + 2 * turns * _first_kind_slope(m)


def _second_kind_by_m(angle: Any, m: Any) -> Any:
    turns, s, c2 = _within_half_turn(angle)
    return -(s**3) / 6 * special.elliprd(c2, 1 - m * s * s, 1) + 2 * turns * _second_kind_slope(m)


rule(
    "ellipkinc",
    x1=lambda g, x1, x2: strong_quotient(g, np.sqrt(1 - x2 * np.sin(x1) ** 2)),
    x2=lambda g, x1, x2: strong_product(g, _first_kind_by_m(x1, x2)),
)
rule(
    "ellipeinc",
    x1=lambda g, x1, x2: strong_product(g, np.sqrt(1 - x2 * np.sin(x1) ** 2)),
    x2=lambda g, x1, x2: strong_product(g, _second_kind_by_m(x1, x2)),
)

# ---- Carlson's symmetric forms ----


def _degenerate_by_first(x: Any, y: Any, z: Any, out: Any) -> Any:
    """The slope of `elliprd` in its first argument, from the Euler-Poisson equation, DLMF 19.18.14; x is not z."""
    return (special.elliprd(y, z, x) - out) / (2 * (x - z))


def _degenerate_by_last(x: Any, y: Any, z: Any, out: Any) -> Any:
    """The slope of `elliprd` in its last argument, since the function is homogeneous of degree -3/2."""
    others = x * _degenerate_by_first(x, y, z, out) + y * _degenerate_by_first(y, x, z, out)
    return -(1.5 * out + others) / z


def _elementary_by_first(x: Any, y: Any, out: Any) -> Any:
    """The slope of `elliprc` in its first argument; x is not y."""
    return (out - 1 / np.sqrt(x)) / (2 * (y - x))


rule(
    "elliprf",
    x1=lambda g, x1, x2, x3: strong_product(-g, special.elliprd(x2, x3, x1) / 6),
    x2=lambda g, x1, x2, x3: strong_product(-g, special.elliprd(x1, x3, x2) / 6),
    x3=lambda g, x1, x2, x3: strong_product(-g, special.elliprd(x1, x2, x3) / 6),
)
rule(
    "elliprd",
    x1=lambda g, x1, x2, x3, out: strong_product(g, _degenerate_by_first(x1, x2, x3, out)),
    x2=lambda g, x1, x2, x3, out: strong_product(g, _degenerate_by_first(x2, x1, x3, out)),
    x3=lambda g, x1, x2, x3, out: strong_product(g, _degenerate_by_last(x1, x2, x3, out)),
)
rule(
    "elliprc",
    x1=lambda g, x1, x2, out: strong_product(g, _elementary_by_first(x1, x2, out)),
    x2=lambda g, x1, x2, out: strong_product(-g, (out / 2 + x1 * _elementary_by_first(x1, x2, out)) / x2),
)
rule(
    "elliprg",
    x1=lambda g, x1, x2, x3: strong_product(
        g, (special.elliprf(x1, x2, x3) - x1 * special.elliprd(x2, x3, x1) / 3) / 4
    ),
    x2=lambda g, x1, x2, x3: strong_product(
        g, (special.elliprf(x1, x2, x3) - x2 * special.elliprd(x1, x3, x2) / 3) / 4
    ),
    x3=lambda g, x1, x2, x3: strong_product(
        g, (special.elliprf(x1, x2, x3) - x3 * special.elliprd(x1, x2, x3) / 3) / 4
    ),
)

# ---- the arithmetic-geometric mean, pi (a + b) / (4 K(m)) with m = ((a - b) / (a + b))^2 ----


def _mean_by_first(a: Any, b: Any, out: Any) -> Any:
    ratio = (a - b) / (a + b)
    slope_of_log = _first_kind_slope(ratio**2) / special.ellipk(ratio**2)
    return out / (a + b) * (1 - 4 * b * ratio / (a + b) * slope_of_log)


rule(
    "agm",
    x1=lambda g, x1, x2, out: strong_product(g, _mean_by_first(x1, x2, out)),
    x2=lambda g, x1, x2, out: strong_product(g, _mean_by_first(x2, x1, out)),
)

# ---- Jacobi's functions sn, cn, dn and the amplitude, by the argument u: DLMF 22.13 ----


def _jacobi_slopes(m: Any, out: Any) -> tuple[Any, ...]:
    sn, cn, dn, _ = out
    return cn * dn, -sn * dn, -m * sn * cn, dn


rule(
    "ellipj",
    x1=lambda g, x2, out: weighted(g, _jacobi_slopes(x2, out)),
    jvps={"x1": lambda t, x2, out: tuple(strong_product(t, slope) for slope in _jacobi_slopes(x2, out))},
)
