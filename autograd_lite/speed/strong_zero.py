"""Products and quotients with a strong zero: it stays zero, whatever infinity or NaN it meets.

Everything else is NumPy's to the bit. NumPy's result comes first, and `argmax` looks at it, which stops at a NaN: it
takes a quarter of a microsecond, where a call with ``where=`` takes seven. Only if there is a NaN is anything chosen.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_NDARRAY, _NUMBER = np.ndarray, np.generic

# NumPy would warn of 0 times infinity, which is an ordinary case here.
warnings.filterwarnings("ignore", "invalid value encountered", RuntimeWarning, re.escape(__name__) + "$")


def strong_product(x: Any, slope: Any) -> Any:
    """``x * slope``, and 0 where `x` is 0: no cotangent, no gradient, however steep the function is.

    Like NumPy's functions it takes all that has NumPy's protocols, and has a rule: it can be differentiated itself.

    Parameters
    ----------
    x, slope : array, Tensor or number
        They are broadcast.

    Examples
    --------
    >>> strong_product(np.array([0.0, 0.0, 2.0]), np.array([np.inf, np.nan, 3.0]))
    array([0., 0., 6.])
    """
    if type(slope) is _NDARRAY and (type(x) is _NDARRAY or isinstance(x, _NUMBER)):
        try:
            product = x * slope
            flat = product if product.ndim < 2 else product.ravel("K")
            if (largest := flat.item(flat.argmax())) == largest:
                return product
        except (ValueError, FloatingPointError, RuntimeWarning):  # no elements; or NumPy is told to raise
            pass
    elif type(slope) in (int, float) and math.isfinite(slope):
        return x * slope
    return _computed(strong_product, x, slope)


def symmetric_product(x1: Any, x2: Any) -> Any:
    """``x1 * x2``, and 0 where either is 0.

    Examples
    --------
    >>> symmetric_product(np.array([np.inf, 2.0]), np.array([0.0, 3.0]))
    array([0., 6.])
    """
    return _computed(symmetric_product, x1, x2)


def strong_quotient(x: Any, divisor: Any) -> Any:
    """``x / divisor``, and 0 where `x` is 0.

    Examples
    --------
    >>> strong_quotient(np.array([0.0, 6.0]), np.array([0.0, 3.0]))
    array([0., 2.])
    """
    return _computed(strong_quotient, x, divisor)


PLAIN: dict[Callable[..., Any], np.ufunc] = {
    strong_product: np.multiply, symmetric_product: np.multiply, strong_quotient: np.divide,
}  # fmt: skip
"""What each of the three is where no zero meets an infinity or a NaN."""


_PLAIN_TYPES = frozenset({np.ndarray, int, float})


def _computed(function: Callable[..., Any], x1: Any, x2: Any) -> Any:
    for operand in (x1, x2):
        if type(operand) in _PLAIN_TYPES:
            continue
        if not isinstance(operand, np.ndarray | np.generic) and hasattr(operand, "__array_function__"):
            answer = operand.__array_function__(function, (type(operand),), (x1, x2), {})
            if answer is not NotImplemented:
                return answer
    try:
        result = PLAIN[function](x1, x2)
    except (FloatingPointError, RuntimeWarning):
        with np.errstate(invalid="ignore"):
            result = PLAIN[function](x1, x2)
    if not _has_nan(result):
        return result
    result = np.asarray(result)
    _choose_zeros(function, x1, x2, result)
    return result


def compute_into(function: Callable[..., Any], x1: Any, x2: Any, out: Array) -> None:
    """Leave what one of the three gives in an array, which must not be the memory of an operand whose zeros are strong.

    Parameters
    ----------
    function : callable
    x1, x2 : array or number
    out : array
    """
    try:
        PLAIN[function](x1, x2, out)
    except (FloatingPointError, RuntimeWarning) as error:
        # The numbers are there: NumPy complains when it is done.
        if "invalid" not in str(error):
            raise
    if _has_nan(out):
        _choose_zeros(function, x1, x2, out)


def strong_operands(function: Callable[..., Any]) -> tuple[int, ...]:
    """The positions of the operands whose zeros are strong."""
    return (0, 1) if function is symmetric_product else (0,)


def _choose_zeros(function: Callable[..., Any], x1: Any, x2: Any, result: Array) -> None:
    zero = np.equal(x1, 0)
    if function is symmetric_product:
        zero = zero | np.equal(x2, 0)
    np.copyto(result, 0, where=zero & np.isnan(result))


def _has_nan(array: Any) -> bool:
    if not array.size:
        return False
    flat = array if array.ndim < 2 else array.ravel("K")
    largest = flat.item(flat.argmax())
    return largest != largest  # type: ignore[no-any-return]
