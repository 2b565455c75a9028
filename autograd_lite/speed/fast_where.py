"""`where`: to choose among numbers as NumPy does, to the bit, in less time.

`numpy.where` takes a branch for each element, which a processor mispredicts for every other one where signs are random:
4 ns, of which the arithmetic is a tenth. Bits taken as an integer can be multiplied by the truth value instead. Without
it an eager step of a rectified network takes 6 to 19 % longer (784-512-512-10 with Adam: 18 %).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FEW = 1500
"""Up to so many elements one call of `numpy.where` costs less than several others."""


def where(condition: Any, x: Any, y: Any) -> Any:
    """`numpy.where`, to the bit, for everything that it takes; faster for many numbers of one floating-point type.

    Parameters
    ----------
    condition : array
        Truth values.
    x, y : array, Tensor or number
        What is chosen where it holds, and elsewhere.

    Examples
    --------
    >>> where(np.array([True, False]), np.array([1.0, 2.0]), 0)
    array([1., 0.])
    """
    if type(condition) is not np.ndarray or condition.size <= FEW:
        return np.where(condition, x, y)
    shape = condition.shape
    # What every rectified layer's backward pass asks for, with the fewest calls.
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
    """Whether it is a number of Python's that NumPy takes in a floating-point type beside arrays of that."""
    return type(number) in (int, float) and (
        abs(number) <= _LARGEST[dtype] or abs(number) == math.inf or number != number
    )


_BOOL = np.dtype(np.bool_)

_LARGEST = {np.dtype(kind): float(np.finfo(kind).max) for kind in (np.float32, np.float64)}


def is_zero(choice: Any) -> bool:
    """Whether it is the number 0, which has no bits."""
    return type(choice) in (int, float) and choice == 0 and math.copysign(1, choice) > 0


def steps(condition: Array, x: Any, y: Any, out: Array) -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """The functions, and their arguments, that leave the choice in `out`: ``y ^ (condition * (x ^ y))``, of the bits.

    Parameters
    ----------
    condition, x, y
        As for `where`.
    out : array
        For the result; it may be x where y is 0.
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
    """Floating-point numbers as the integers that have their bits, in the same memory."""
    return array.view(_INTEGERS[array.dtype])


_INTEGERS: dict[Any, np.dtype[Any]] = {
    np.dtype(np.float32): np.dtype(np.int32),
    np.dtype(np.float64): np.dtype(np.int64),
}


def _array(choice: Any, dtype: np.dtype[Any]) -> Array:
    return choice if isinstance(choice, np.ndarray) else np.array(choice, dtype)
