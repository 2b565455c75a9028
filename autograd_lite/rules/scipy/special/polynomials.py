"""How orthogonal polynomials differentiate by their argument: into those of one degree less (DLMF 18.9(iii))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import (
    eval_chebys,
    eval_chebyu,
    eval_gegenbauer,
    eval_genlaguerre,
    eval_hermite,
    eval_hermitenorm,
    eval_jacobi,
    eval_sh_chebyu,
    eval_sh_jacobi,
    lpmv,
)

from ..._common import strong_product
from .register import rule


def _of_degree(polynomial: Callable[..., Any], degree: Any, *arguments: Any) -> Any:
    """A polynomial; for degree -1 it is 0, which not all of SciPy's functions return."""
    none = np.equal(degree, -1)
    return np.where(none, 0, polynomial(np.where(none, 0, degree), *arguments))


rule("eval_chebyt", x2=lambda g, x1, x2: strong_product(g, x1 * _of_degree(eval_chebyu, x1 - 1, x2)))
rule("eval_chebyu", x2=lambda g, x1, x2: strong_product(g, 2 * _of_degree(eval_gegenbauer, x1 - 1, 2, x2)))
rule("eval_chebyc", x2=lambda g, x1, x2: strong_product(g, x1 * _of_degree(eval_chebys, x1 - 1, x2)))
rule("eval_chebys", x2=lambda g, x1, x2: strong_product(g, _of_degree(eval_gegenbauer, x1 - 1, 2, x2 / 2)))
rule("eval_legendre", x2=lambda g, x1, x2: strong_product(g, _of_degree(eval_gegenbauer, x1 - 1, 1.5, x2)))
rule(
    "eval_gegenbauer",
    x3=lambda g, x1, x2, x3: strong_product(g, 2 * x2 * _of_degree(eval_gegenbauer, x1 - 1, x2 + 1, x3)),
)
rule(
    "eval_jacobi",
    x4=lambda g, x1, x2, x3, x4: strong_product(
        g, (x1 + x2 + x3 + 1) / 2 * _of_degree(eval_jacobi, x1 - 1, x2 + 1, x3 + 1, x4)
    ),
)
rule("eval_laguerre", x2=lambda g, x1, x2: strong_product(-g, _of_degree(eval_genlaguerre, x1 - 1, 1, x2)))
rule("eval_genlaguerre", x3=lambda g, x1, x2, x3: strong_product(-g, _of_degree(eval_genlaguerre, x1 - 1, x2 + 1, x3)))
rule("eval_hermite", x2=lambda g, x1, x2: strong_product(g, 2 * x1 * _of_degree(eval_hermite, x1 - 1, x2)))
rule("eval_hermitenorm", x2=lambda g, x1, x2: strong_product(g, x1 * _of_degree(eval_hermitenorm, x1 - 1, x2)))

# Shifted to the interval from 0 to 1; shifted Jacobi polynomials have the leading coefficient 1.
rule("eval_sh_chebyt", x2=lambda g, x1, x2: strong_product(g, 2 * x1 * _of_degree(eval_sh_chebyu, x1 - 1, x2)))
rule("eval_sh_chebyu", x2=lambda g, x1, x2: strong_product(g, 4 * _of_degree(eval_gegenbauer, x1 - 1, 2, 2 * x2 - 1)))
rule(
    "eval_sh_legendre", x2=lambda g, x1, x2: strong_product(g, 2 * _of_degree(eval_gegenbauer, x1 - 1, 1.5, 2 * x2 - 1))
)
rule(
    "eval_sh_jacobi",
    x4=lambda g, x1, x2, x3, x4: strong_product(g, x1 * _of_degree(eval_sh_jacobi, x1 - 1, x2 + 2, x3 + 1, x4)),
)

# The associated Legendre function of order x1 and degree x2, DLMF 14.10.5.
rule(
    "lpmv",
    x3=lambda g, x1, x2, x3, out: strong_product(g, (x2 * x3 * out - (x1 + x2) * lpmv(x1, x2 - 1, x3)) / (x3 * x3 - 1)),
)
