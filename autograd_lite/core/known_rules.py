"""Which functions differentiate by which rules, for packages that ask whose the rules are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .registry import all_rules


def known_rules() -> Iterator[tuple[Callable[..., Any], tuple[Callable[..., Any], ...]]]:
    """Each function that has a rule, with the vector-Jacobian products of its arguments.

    Rules of a library that no tensor has met yet, such as those of `scipy.special`, are not among them.

    Examples
    --------
    >>> import numpy as np
    >>> len(dict(known_rules())[np.multiply])
    2
    """
    for function, rule in all_rules():
        yield function, tuple(vjp for vjp in rule.vjps.values() if vjp is not None)
