"""Flushes subnormal numbers, which many processors process a hundred times as slowly as normal numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

_SMALLEST_NORMAL = {np.dtype(kind): float(np.finfo(kind).smallest_normal) for kind in (np.float32, np.float64)}
"""The smallest normal number of each dtype that is flushed; float16 is not, since its subnormal numbers are common."""

_PIECE = 2**15


def flush_subnormal(arrays: Iterable[np.ndarray[Any, Any]]) -> None:
    """Set subnormal numbers to zero, in place.

    Running means of gradients that stay zero decay to subnormal numbers and stay there.

    Examples
    --------
    >>> x = np.array([1e-310, -1e-310, 1.0])
    >>> flush_subnormal([x])
    >>> x
    array([0., 0., 1.])
    """
    for array in arrays:
        smallest = _SMALLEST_NORMAL.get(array.dtype)
        if smallest is None:
            continue
        flat = array.reshape(-1)
        for start in range(0, flat.size, _PIECE):
            piece = flat[start : start + _PIECE]
            piece[np.absolute(piece) < smallest] = 0
