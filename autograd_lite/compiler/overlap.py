"""Whether arrays share memory, and whether they are plain arrays at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from .array_layout import Array

_MOST_WORK = 10_000
"""How many solutions `numpy.shares_memory` may try; where these do not do, arrays that interleave count as sharing."""


def overlap(one: Array, other: Array) -> bool:
    """Whether two arrays have an element in common.

    Examples
    --------
    >>> x = np.zeros((4, 4))
    >>> overlap(x[1:], x[:2]), overlap(x[2:], x[:2]), overlap(x[:, 0], x[:, 1])
    (True, False, False)
    """
    if not np.may_share_memory(one, other):
        return False
    try:
        return np.shares_memory(one, other, max_work=_MOST_WORK)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def owner(array: Any) -> Any:
    """What an array has its memory from: an array, itself perhaps, or an object of another library."""
    while isinstance(base := getattr(array, "base", None), np.ndarray):
        array = base
    return array if base is None else base


def is_plain(array: Any) -> bool:
    """Whether an array is its numbers and nothing else, such as a mask or Python objects, and they lie where they can.

    NumPy sums numbers at odd addresses in another order.
    """
    return type(array) in _PLAIN and not array.dtype.hasobject and array.flags.aligned


_PLAIN = (np.ndarray, np.memmap)
