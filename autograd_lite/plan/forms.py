"""How NumPy is called so that a result lands in memory that is there: in the form that takes the least time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import selection
from ..selection import is_by_bits, is_exact, is_zero
from .program import Array, Call, Value

Step = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""A function, and its arguments by position and by name."""

_WIDE = 32
"""From so many columns on, a row of equal numbers is read faster than one number; up to so many, from so many rows on,
the largest number of each row is found faster column by column."""

_FEW = 256
"""Up to so many elements a choice in two steps takes less time than one in four without branches."""


class Scratch:
    """Memory for what is there between two steps of one call."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.int64)

    def integers(self, like: Array) -> Array:
        """An array of the shape of another one, of integers as wide as its elements."""
        return self.array(like.shape, np.dtype(f"i{like.itemsize}"))

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of a shape."""
        size = math.prod(shape)
        words = -(-size * dtype.itemsize // 8)
        if self._memory.size < words:
            self._memory = np.empty(words, np.int64)
        return self._memory.view(dtype)[:size].reshape(shape)


def steps(call: Call, arguments: tuple[Any, ...], out: Array, scratch: Scratch) -> list[Step] | None:
    """What is called for a result that stays where it is; None if there is no form for it.

    Parameters
    ----------
    call : Call
    arguments : tuple
        Its arguments, with arrays in the place of those values that stay where they are.
    out : array
        For the result.
    scratch : Scratch
    """
    function, kwargs = call.function, call.kwargs
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc) and function.__name__ == "reduce":
        return _reduction(owner, arguments, {"axis": 0, **kwargs}, out, scratch)
    if function in (np.sum, np.ndarray.sum):
        return _reduction(np.add, arguments, {"axis": None, **kwargs}, out, scratch)
    if kwargs or any(isinstance(argument, tuple | list) for argument in arguments):
        return None
    if function is np.where and len(arguments) == 3:
        return _choice(call, arguments, out, scratch)
    if isinstance(function, np.ufunc) and function.nout == 1 and len(arguments) == function.nin:
        return _by_ufunc(function, arguments, out)
    return None


def masks(call: Call) -> bool:
    """Whether a call is ``np.where(condition, x, 0)`` for floating-point numbers."""
    if call.function is not np.where or len(call.args) != 3 or call.kwargs or not call.results:
        return False
    condition, x, otherwise = call.args
    dtype = call.results[0].layout.dtype
    return (
        is_zero(otherwise)
        and isinstance(condition, Value)
        and condition.layout.dtype == np.bool_
        and isinstance(x, Value)
        and x.layout.dtype == dtype
        and dtype in (np.float32, np.float64)
    )


def _choice(call: Call, arguments: tuple[Any, ...], out: Array, scratch: Scratch) -> list[Step] | None:
    condition, x, y = arguments
    if _dtype(condition) != np.bool_:
        return None
    if isinstance(condition, np.ndarray) and is_by_bits(condition.dtype, x, y) and (masks(call) or out.size > _FEW):
        return [(*step, {}) for step in selection.steps(condition, x, y, out, scratch.integers(out))]
    # One of them everywhere, and then the other where it is wanted.
    return [(np.copyto, (out, y), {}), (np.copyto, (out, x), {"where": condition})]


def _reduction(
    ufunc: np.ufunc, arguments: tuple[Any, ...], kwargs: dict[str, Any], out: Array, scratch: Scratch
) -> list[Step] | None:
    if len(arguments) != 1 or kwargs.keys() - {"axis", "keepdims"}:
        return None
    (x,) = arguments
    if _is_of_thin_rows(ufunc, x, kwargs["axis"]):
        turned = scratch.array(x.T.shape, x.dtype)
        return [(np.copyto, (turned, x.T), {}), (ufunc.reduce, (turned, 0, None, out.reshape(-1)), {})]
    return [(ufunc.reduce, (x, kwargs["axis"], None, out, kwargs.get("keepdims", False)), {})]


def _is_of_thin_rows(ufunc: np.ufunc, x: Any, axis: Any) -> bool:
    """Whether an extremum of many short rows is asked for, which does not depend on the order of the numbers."""
    return (
        (ufunc is np.maximum or ufunc is np.minimum)
        and isinstance(x, np.ndarray)
        and x.ndim == 2
        and axis in (-1, 1)
        and x.shape[0] >= _WIDE >= x.shape[1] > 0
    )


def _by_ufunc(function: np.ufunc, arguments: tuple[Any, ...], out: Array) -> list[Step]:
    extremum = function is np.maximum or function is np.minimum
    columns = out.shape[-1] if extremum and out.ndim and out.shape[-1] >= _WIDE else None
    dtypes = {_dtype(argument) for argument in arguments} - {None}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    if out.dtype not in (dtype, np.bool_):
        dtype = None
    operands = tuple(_as_array(argument, dtype, columns) for argument in arguments)
    # These two take the array for their result faster by name.
    return [(function, operands, {"out": out})] if extremum else [(function, (*operands, out), {})]


def _dtype(argument: Any) -> np.dtype[Any] | None:
    """The dtype of an array; None of a number."""
    return argument.layout.dtype if isinstance(argument, Value) else getattr(argument, "dtype", None)


def _as_array(argument: Any, dtype: np.dtype[Any] | None, columns: int | None) -> Any:
    """A number as an array, in the dtype in which NumPy takes it beside operands that all have the same one."""
    if dtype not in (np.float32, np.float64) or not is_exact(argument, dtype):
        return argument
    return np.full(() if columns is None else columns, argument, dtype)
