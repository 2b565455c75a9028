"""Numbers and functions as text, in tables, labels and messages."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def short(value: Any, digits: int = 4) -> str:
    """A number with some significant digits.

    Examples
    --------
    >>> short(3.14159), short(1e-9, 2), short(1 - 2j)
    ('3.142', '1e-09', '1-2j')
    """
    return f"{value:.{digits}g}"


def with_unit(number: float, unit: str) -> str:
    """A number with three digits, a prefix (k, M, G, T), and a unit.

    Examples
    --------
    >>> with_unit(512, "B"), with_unit(52428800, "B"), with_unit(1.2e9, "flop")
    ('512 B', '52.4 MB', '1.2 Gflop')
    """
    exponent = min(4, max(0, math.floor(math.log10(max(1.0, number)) / 3)))
    return f"{number / 1000**exponent:.3g} {('', 'k', 'M', 'G', 'T')[exponent]}{unit}"


def visible(text: str, longest: int = 200) -> str:
    r"""A text that every format can hold: what is no character is written as in Python's source, and the end is cut.

    Control characters, halves of characters, separators of lines and numbers without a character become escapes.

    Examples
    --------
    >>> print(visible("a\0b\n"), visible("é"), len(visible("x" * 20_000)))
    a\x00b\n é 200
    """
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    if text.isprintable():
        return text
    import unicodedata

    return "".join(
        repr(letter)[1:-1] if unicodedata.category(letter) in ("Cc", "Cn", "Cs", "Zl", "Zp") else letter
        for letter in text
    )


def name_of(function: Callable[..., Any]) -> str:
    """A function's name as a user writes it: ``np.exp``, ``np.linalg.inv``, or its own name alone."""
    name = getattr(function, "__name__", repr(function))
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{name_of(owner)}.{name}"
    module = getattr(function, "__module__", None) or ""
    if isinstance(function, np.ufunc):
        homes = (home for home in ("numpy", "scipy.special") if getattr(sys.modules.get(home), name, None) is function)
        module = next(homes, "")
    if module == "scipy.special":
        return f"{module}.{name}"
    return f"np{module[5:]}.{name}" if module.partition(".")[0] == "numpy" else name
