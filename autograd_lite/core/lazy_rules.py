"""Rules of a library that may be missing: registered when one of its functions first meets a tensor."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .registry import RULES
from .rule import Rule

_PENDING = {"scipy.special": "autograd_lite.rules.scipy.special"}
"""From a library's module to that of its rules, until those are registered; autograd_lite imports neither."""


def rule_of(function: Callable[..., Any]) -> Rule | None:
    """The rule of a function, None if it has none."""
    rule = RULES.get(function)
    if rule is None and _PENDING and isinstance(function, np.ufunc):
        for library in list(_PENDING.keys() & sys.modules.keys()):
            # Taken out afterwards, so that another thread waits for the import in place of finding no rule.
            import_module(_PENDING[library])
            _PENDING.pop(library, None)
        rule = RULES.get(function)
    return rule
