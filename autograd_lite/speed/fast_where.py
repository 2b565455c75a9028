"""`where`: `numpy.where` with the same results to the bit, in less time.

`numpy.where` takes a branch for each element, and for random signs a processor mispredicts every other branch: that
takes 4 ns, ten times as long as the arithmetic. Instead, the bits, read as an integer, can be multiplied by the truth
value. Without this, an eager step of a network with ReLU takes 6 to 19 % longer (784-512-512-10 with Adam: 18 %).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FEW = 1500
"""Up to this number of elements, one call of `numpy.where` costs less than several calls of other functions."""


def where(condition: Any, x: Any, y: Any) -> Any:
    """The same as `numpy.where` to the bit, for all arguments; faster for many numbers of one floating-point type.

    Parameters
    ----------
    condition : array
        Truth values.
    x, y : array, Tensor or number
        The numbers where the condition is true, and those where it is false.

    Examples
    --------
    >>> where(np.array([True, False]), np.array([1.0, 2.0]), 0)
    array([1., 0.])
    """
    if type(condition) is not np.ndarray or condition.size <= FEW:
        return np.where(condition, x, y)
    shape = condition.shape
    # This is the choice in the backward pass of every ReLU, with the fewest calls.
    if type(x) is np.ndarray and x.shape == shape and x.dtype in _INTEGERS and condition.dtype == _BOOL and is_zero(y):
        return np.multiply(x.view(_INTEGERS[x.dtype]), condition).view(x.dtype)
    arrays = [choice for choice in (x, y) if type(choice) is np.ndarray]
    if not is_by_bits(condition.dtype, x, y) or any(array.shape != shape for array in arrays):
        return np.where(condition, x, y)
    out = np.empty_like(condition, arrays[0].dtype)
    for function, arguments in steps(condition, x, y, out):
        function(*arguments)
    return out


def is_by_bits(condition: np.dtype[Any], x: Any, y: Any) -> bool:
    """Whether a choice can be made by bits: between arrays of one floating-point type, or one and a number."""
    if type(x) is not np.ndarray:
        x, y = y, x
    if type(x) is not np.ndarray or condition != _BOOL or x.dtype not in _LARGEST:
        return False
    return y.dtype == x.dtype if type(y) is np.ndarray else is_exact(y, x.dtype)


def is_exact(number: Any, dtype: np.dtype[Any]) -> bool:
    """Whether it is a Python number that NumPy converts to the floating-point dtype of the other operands."""
    return type(number) in (int, float) and (
        abs(number) <= _LARGEST[dtype] or abs(number) == math.inf or number != number
    )


_BOOL = np.dtype(np.bool_)

_LARGEST = {np.dtype(kind): float(np.finfo(kind).max) for kind in (np.float32, np.float64)}


def is_zero(choice: Any) -> bool:
    """Whether it is the number 0, whose bits are all 0."""
    return type(choice) in (int, float) and choice == 0 and math.copysign(1, choice) > 0


def steps(condition: Array, x: Any, y: Any, out: Array) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """The calls, as functions and arguments, that write ``y ^ (condition * (x ^ y))``, of the bits, into `out`.

    Parameters
    ----------
    condition, x, y
        As for `where`.
    out : array
        The array for the result; it may be x if y is 0.
    """
    chosen, result = _bits(_array(x, out.dtype)), _bits(out)
    if is_zero(y):
        return [(np.multiply, (chosen, condition, result))]
    otherwise = _bits(_array(y, out.dtype))
    return [
        (np.bitwise_xor, (chosen, otherwise, result)),
        (np.multiply, (result, condition, result)),
        (np.bitwise_xor, (result, otherwise, result)),
    ]


def _bits(array: Array) -> Array:
    """A view of floating-point numbers as integers with the same bits."""
    return array.view(_INTEGERS[array.dtype])


_INTEGERS: dict[Any, np.dtype[Any]] = {
    np.dtype(np.float32): np.dtype(np.int32),
    np.dtype(np.float64): np.dtype(np.int64),
}


def _array(choice: Any, dtype: np.dtype[Any]) -> Array:
    return choice if isinstance(choice, np.ndarray) else np.array(choice, dtype)
