"""Checks of arguments, shared by the functions that take arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_lite import Tensor
from autograd_lite.extend import array_contents

Array = NDArray[Any]


def as_array(array: ArrayLike, name: str) -> Array:
    """A plain array, or an error that names what was given; what a mask or a unit says would be lost."""
    array = array_contents(array, name)
    try:
        # asarray also makes a plain array of a memory map, without reading it.
        return np.asarray(array)
    except ValueError as error:
        raise ValueError(
            f"{name} cannot be converted to an array, because its rows have different lengths ({error})"
        ) from error


def as_array_or_tensor(value: Any, name: str) -> Any:
    """A tensor, or what stands for an array within a compiled function or a transform, as it is; others as arrays."""
    if isinstance(value, Tensor) or type(value) is np.ndarray:
        return value
    value = array_contents(value, name)
    return value if hasattr(value, "__array_function__") else as_array(value, name)


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


def number_below(limit: float, value: float, name: str) -> float:
    """A number of at least 0 and below a limit, which may be infinity."""
    if isinstance(value, bool) or not isinstance(value, _REAL):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not 0 <= value < limit:
        expected = "finite and at least 0" if limit == math.inf else f"at least 0 and less than {limit}"
        raise ValueError(f"{name} must be {expected}, got {value!r}")
    return float(value)


def array_like(other: Array, value: ArrayLike, name: str) -> Array:
    """An array of numbers in another one's shape, as a copy of its dtype."""
    array = as_array(value, name)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} is an array of {array.dtype}; expected numbers ({other.dtype})")
    if array.shape != other.shape:
        raise ValueError(f"{name} has shape {array.shape}; expected {other.shape}, the parameter's")
    return array.astype(other.dtype, order="C")
