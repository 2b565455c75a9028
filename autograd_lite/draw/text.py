"""Arrays and gradients in a few characters, for labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formatting import short

Array = np.ndarray[Any, Any]

SMALL = 8
"""The largest number of entries of an array that is written out."""


def values_of(array: Array) -> list[str]:
    """The entries of a small array; mean, standard deviation, minimum and maximum of a large one."""
    if not array.size:
        return ["empty"]
    if array.size <= SMALL:
        return [_row(row) for row in (array.reshape(-1, array.shape[-1]) if array.ndim > 1 else [array])]
    shown = array.astype(np.result_type(array.dtype, np.float64))
    with np.errstate(all="ignore"):
        lines = [f"mean {short(np.mean(shown), 3)}, std {short(np.std(shown), 3)}"]
        if shown.dtype.kind != "c":
            lines.append(f"from {short(np.min(shown), 3)} to {short(np.max(shown), 3)}")
    missing = np.count_nonzero(~np.isfinite(shown))
    return [*lines, f"{missing} not finite"] if missing else lines


def compact(number: Any) -> str:
    """A number in at most six characters."""
    size = abs(number)
    if size and not 1e-3 <= size < 1e4:
        return f"{number:.0e}".replace("e-0", "e-").replace("e+0", "e")
    return short(number, 2)


def root_mean_square(array: Array) -> float:
    """The root of the mean of the squared entries, without overflow; 0 for an empty array, NaN if an entry is NaN."""
    sizes = np.abs(array).astype(np.float64)
    largest = float(np.max(sizes, initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.mean((sizes / largest) ** 2)))


def gradient_of(array: Array) -> str:
    """A gradient's root mean square, and the share of exact zeros if it has some; a single number is written out."""
    if np.isnan(array).any():
        return f"gradient has {np.count_nonzero(np.isnan(array))} NaN"
    if not array.size:
        return "gradient empty"
    zeros = np.count_nonzero(array == 0) / array.size
    if zeros == 1:
        return "gradient exactly 0"
    if array.size == 1:
        return f"gradient {short(array.item())}"
    share = f", {zeros:.0%} zeros" if zeros else ""
    return f"gradient rms {root_mean_square(array):.2e}{share}"


def _row(row: Array) -> str:
    return f"[{', '.join(map(short, row))}]" if row.ndim else short(row[()])
