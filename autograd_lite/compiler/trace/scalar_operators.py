"""Python's operators on NumPy's numbers, which NumPy computes otherwise than on arrays: their last digits are others.

It multiplies complex numbers without a fused multiply-add, and takes powers of real ones by the function of C.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np


def of_numbers(ufunc: np.ufunc, dtype: np.dtype[Any]) -> Callable[..., Any] | None:
    """What computes an operator on numbers, of which one has this dtype; None where the ufunc gives the same.

    Examples
    --------
    >>> product = of_numbers(np.multiply, np.dtype(complex))
    >>> product(np.array(2j), np.array(3.0))
    np.complex128(6j)
    >>> of_numbers(np.multiply, np.dtype(float)) is None
    True
    """
    return _INSTEAD.get((dtype.kind, ufunc))


def called_on_number(ufunc: np.ufunc, dtype: np.dtype[Any]) -> Callable[..., Any] | None:
    """What calls a ufunc on one number of this dtype; None where an array without axes gives the same.

    NumPy leaves the result for a number where the number was, and squares complex ones otherwise there.
    """
    return _square if ufunc is np.square and dtype.kind == "c" else None


def _made(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def compute(*operands: Any) -> Any:
        result = function(*[x[()] if isinstance(x, np.ndarray) else x for x in operands])
        return np.complex128(result) if type(result) is complex else result  # Python's own answers beside a real one

    compute.__name__ = compute.__qualname__ = name
    return compute


_power = _made(operator.pow, "power")
_square = _made(np.square, "square")

_INSTEAD: dict[tuple[str, np.ufunc], Callable[..., Any]] = {
    ("c", np.multiply): _made(operator.mul, "multiply"),
    ("c", np.divide): _made(operator.truediv, "divide"),
    ("c", np.absolute): _made(operator.abs, "absolute"),
    ("c", np.power): _power,
    ("f", np.power): _power,
}
