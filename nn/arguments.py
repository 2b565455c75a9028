"""Checks of arguments, shared by the functions that take arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_lite import Tensor

Array = NDArray[Any]


def as_array(array: ArrayLike, name: str) -> Array:
    """A plain array; an error names the argument."""
    try:
        # asarray also makes a plain array of a memory map, without reading it.
        return np.asarray(array)
    except ValueError as error:
        raise ValueError(
            f"{name} cannot be converted to an array, because its rows have different lengths ({error})"
        ) from error


def as_array_or_tensor(value: Any, name: str) -> Any:
    """Tensors, and traced arrays of a compiled function or transform, unchanged; everything else as an array."""
    is_one = isinstance(value, Tensor) or hasattr(value, "__array_function__")
    return value if is_one else as_array(value, name)


def example_array(array: ArrayLike, name: str) -> Array:
    """An array with at least one example along its first axis."""
    result = as_array(array, name)
    if result.ndim == 0:
        raise TypeError(f"{name} must hold examples along its first axis, got {type(array).__name__}")
    if len(result) == 0:
        raise ValueError(f"{name} has no examples: its shape is {result.shape}")
    return result


def positive_int(value: int, name: str) -> int:
    """Check that a value is an integer of at least 1."""
    return _whole_number(value, name, 1)


def nonnegative_int(value: int, name: str) -> int:
    """Check that a value is an integer of at least 0."""
    return _whole_number(value, name, 0)


def _whole_number(value: int, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return int(value)


def real_number(value: float, name: str) -> float:
    """Check that a value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, _REAL):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return float(value)


_REAL = (int, float, np.integer, np.floating)


def nonnegative(value: float, name: str) -> float:
    """Check that a value is a finite number of at least 0."""
    number = real_number(value, name)
    if number < 0:
        raise ValueError(f"{name} must be at least 0, got {value}")
    return number


def fraction(value: float, name: str, closed: bool = False) -> float:
    """Check that a value is a number from 0 to below 1, or, with `closed`, to 1."""
    number = real_number(value, name)
    if not 0 <= number <= 1 or (number == 1 and not closed):
        raise ValueError(f"{name} must be at least 0 and {'at most' if closed else 'below'} 1, got {value}")
    return number
