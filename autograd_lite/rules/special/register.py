"""Giving rules to the ufuncs of `scipy.special` by their names, to those that the installed SciPy has.

A rule that a user has given one of them before stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import special

from ...registry import RULES, defjvp, defvjp

Slopes = Callable[..., tuple[Any, ...]]


def rule(name: str, **vjps: Callable[..., Any] | None) -> None:
    """A vector-Jacobian product for each differentiable argument of a ufunc."""
    function = getattr(special, name, None)
    if function is not None and function not in RULES:
        defvjp(function, **vjps)


def rule_of_several(name: str, slopes: Slopes) -> None:
    """The derivatives, as ``slopes(x, out)``, of the results of a ufunc of one argument."""
    function = getattr(special, name, None)
    if function is not None and function not in RULES:
        defvjp(function, x=lambda g, x, out: _weighted(g, slopes(x, out)))
        defjvp(function, x=lambda t, x, out: tuple(t * slope for slope in slopes(x, out)))


def _weighted(g: tuple[Any, ...], slopes: tuple[Any, ...]) -> Any:
    total: Any = 0
    for cotangent, slope in zip(g, slopes, strict=True):
        total = total + cotangent * slope
    return total
