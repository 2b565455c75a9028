"""Numbers as text, in tables, labels and messages: with few digits, and with a unit and its prefix."""

from __future__ import annotations

import math
from typing import Any


def short(value: Any, digits: int = 4) -> str:
    """A number with some significant digits.

    Examples
    --------
    >>> short(3.14159), short(1e-9, 2), short(1 - 2j)
    ('3.142', '1e-09', '1-2j')
    """
    return f"{value:.{digits}g}"


def with_unit(number: float, unit: str) -> str:
    """A number with three digits, a prefix that counts in thousands, and a unit.

    Examples
    --------
    >>> with_unit(512, "B"), with_unit(52428800, "B"), with_unit(1.2e9, "flop")
    ('512 B', '52.4 MB', '1.2 Gflop')
    """
    exponent = min(4, max(0, math.floor(math.log10(max(1.0, number)) / 3)))
    return f"{number / 1000**exponent:.3g} {('', 'k', 'M', 'G', 'T')[exponent]}{unit}"
