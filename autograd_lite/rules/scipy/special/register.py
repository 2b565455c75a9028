"""Defines rules for the ufuncs of `scipy.special` by their names, as far as the installed SciPy has them.

Some ufuncs are private, behind Python functions of nearly the same name. A rule that a user has defined before is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from ....core.registry import RULES, defvjp
from ....core.rule import VectorJacobianProduct
from ....transforms.rule_tables import JacobianVectorProduct, defjvp
from ..._common import strong_product

Slopes = Callable[..., tuple[Any, ...]]


def rule(
    name: str,
    /,
    jvps: Mapping[str, JacobianVectorProduct] | None = None,
    any_value: Sequence[str] = (),
    **vjps: VectorJacobianProduct | None,
) -> None:
    """Define the vector-Jacobian products of a ufunc's differentiable arguments, and `jvps` if they are different."""
    candidates = (getattr(home, name, None) for home in (special, special._ufuncs))
    function = next((found for found in candidates if isinstance(found, np.ufunc)), None)
    if function is not None and function not in RULES:
        defvjp(function, any_value=any_value, **vjps)
        defjvp(function, **(jvps or {}))


def rule_of_several(name: str, slopes: Slopes) -> None:
    """Define the derivatives ``slopes(x, out)`` of the results of a ufunc of one argument."""
    rule(
        name,
        x=lambda g, x, out: weighted(g, slopes(x, out)),
        jvps={"x": lambda t, x, out: tuple(strong_product(t, slope) for slope in slopes(x, out))},
    )


def weighted(g: tuple[Any, ...], slopes: tuple[Any, ...]) -> Any:
    """The sum of the cotangents of several results, each multiplied by its slope."""
    total: Any = 0
    for cotangent, slope in zip(g, slopes, strict=True):
        total = total + strong_product(cotangent, slope)
    return total
