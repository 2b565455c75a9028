"""Checks of what users pass, shared by the functions that take arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def as_array(array: ArrayLike, name: str) -> Array:
    """A plain array, or an error that names what was given."""
    try:
        # asarray also makes a plain array of a memory map, without reading it.
        return np.asarray(array)
    except ValueError as error:
        raise ValueError(f"{name} is no array: its rows differ in length ({error})") from error


def example_array(array: ArrayLike, name: str) -> Array:
    """An array with at least one example along its first axis."""
    result = as_array(array, name)
    if result.ndim == 0:
        raise TypeError(f"{name} must hold examples along its first axis, got {type(array).__name__}")
    if len(result) == 0:
        raise ValueError(f"{name} has no examples: its shape is {result.shape}")
    return result


def positive_int(value: int, name: str) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return int(value)
