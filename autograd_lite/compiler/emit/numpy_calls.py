"""How NumPy is called so that it writes a result into existing memory, in the form that takes the least time."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...speed import fast_where
from ...speed.fast_where import is_by_bits, is_exact
from ...speed.strong_zero import PLAIN, compute_into
from ..array_layout import Array, Layout
from ..ir import Argument, Call, Value
from ..optimize.one_hot import chosen, minus_one_hot
from ..optimize.rectifier import masks

Step = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""A function, and its arguments by position and by name."""

_WIDE = 32
"""From this number of columns on, NumPy reads a row of equal numbers faster than a single number."""

_MANY = 2**14
"""Up to this number of elements, an array of equal numbers has the shape of the other operand."""

_FEW = 256
"""Up to this number of elements, a choice in two steps takes less time than one in three steps without branches."""


class Scratch:
    """Arrays that a plan needs besides its values: for results between two steps of one call, and of equal numbers."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.int64)
        self._filled: dict[Any, Array] = {}

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        """An array of a shape."""
        size = math.prod(shape)
        words = -(-size * dtype.itemsize // 8)
        if self._memory.size < words:
            self._memory = np.empty(words, np.int64)
        return self._memory.view(dtype)[:size].reshape(shape)

    def filled(self, shape: tuple[int, ...], dtype: np.dtype[Any], number: float) -> Array:
        """An array of equal numbers."""
        return self._filled.setdefault((shape, dtype, repr(number)), np.full(shape, number, dtype))


def steps(call: Call, arguments: tuple[Any, ...], out: Array, scratch: Scratch) -> list[Step] | None:
    """The steps that compute a call's result in a fixed array; None if there is no special form for the call.

    Parameters
    ----------
    call : Call
    arguments : tuple
        Its arguments, with arrays in the place of those values whose array is fixed.
    out : array
        The array for the result.
    scratch : Scratch
    """
    function, kwargs = call.function, call.kwargs
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc) and function.__name__ == "reduce":
        return _reduction(owner, arguments, {"axis": 0, **kwargs}, out)
    if function in (np.sum, np.ndarray.sum):
        return _reduction(np.add, arguments, {"axis": None, **kwargs}, out)
    if function is minus_one_hot:
        x, indices, identity = arguments
        rows = scratch.array((*call.args[1].layout.shape, len(identity)), out.dtype)
        return [(identity.take, (indices, 0, rows, "clip"), {}), (np.subtract, (x, rows, out), {})]
    if function is chosen and isinstance(arguments[0], np.ndarray) and arguments[0].flags.c_contiguous:
        x, indices, starts = arguments
        places = scratch.array(out.shape, starts.dtype)
        return [(np.add, (starts, indices, places), {}), (x.reshape(-1).take, (places, None, out, "clip"), {})]
    if kwargs or any(isinstance(argument, tuple | list) for argument in arguments):
        return None
    if function in PLAIN:
        return [(compute_into, (function, *arguments, out), {})]
    if function is np.where and len(arguments) == 3:
        return _choice(call, arguments, out, scratch)
    if function is np.matmul and out.flags.c_contiguous and all(_is_matrix(a, out.dtype) for a in (*arguments, out)):
        return [(np.dot, (*arguments, out), {})]
    if isinstance(function, np.ufunc) and function.nout == 1 and len(arguments) == function.nin:
        return _by_ufunc(function, arguments, out, scratch)
    return None


def _choice(call: Call, arguments: tuple[Any, ...], out: Array, scratch: Scratch) -> list[Step] | None:
    condition, x, y = arguments
    if _dtype(condition) != np.bool_:
        return None
    if isinstance(condition, np.ndarray) and is_by_bits(condition.dtype, x, y) and (masks(call) or out.size > _FEW):
        return [(*step, {}) for step in fast_where.steps(condition, x, y, out)]
    # Write one of them everywhere, and then the other where the condition asks for it.
    return [_assigned(out, y), (np.copyto, (out, x), {"where": condition})]


def _assigned(out: Array, value: Any) -> Step:
    """``out[...] = value``, which takes less time than `numpy.copyto`."""
    return operator.setitem, (out, ..., value), {}


def _reduction(ufunc: np.ufunc, arguments: tuple[Any, ...], kwargs: dict[str, Any], out: Array) -> list[Step] | None:
    if len(arguments) != 1 or kwargs.keys() - {"axis", "keepdims"}:
        return None
    (x,) = arguments
    return [(ufunc.reduce, (x, kwargs["axis"], None, out, kwargs.get("keepdims", False)), {})]


def _is_matrix(operand: Any, dtype: np.dtype[Any]) -> bool:
    """Whether it is a matrix for which `numpy.dot` calls the same BLAS product as `numpy.matmul`, in less time."""
    if isinstance(operand, Value):
        if not isinstance(operand.root.origin, Argument):
            return False
        layout = operand.layout
    else:
        layout = Layout.of(operand)
    shape, *_ = layout
    return len(shape) == 2 and 0 not in shape and layout.dtype == dtype and dtype in _FLOATS and layout.is_dense


def _by_ufunc(function: np.ufunc, arguments: tuple[Any, ...], out: Array, scratch: Scratch) -> list[Step]:
    is_extremum = function is np.maximum or function is np.minimum
    dtypes = {_dtype(argument) for argument in arguments} - {None}
    dtype = dtypes.pop() if len(dtypes) == 1 and _is_of_one_type(function) else None
    if out.dtype not in (dtype, np.bool_):
        dtype = None
    operands = [_as_array(argument, dtype, out.shape if is_extremum else (), scratch) for argument in arguments]
    # Maximum and minimum are faster with the array for the result as a keyword.
    return [(function, tuple(operands), {"out": out})] if is_extremum else [(function, (*operands, out), {})]


@cache
def _is_of_one_type(function: np.ufunc) -> bool:
    """Whether all arguments have the same type, as those of `numpy.ldexp` have not."""
    inputs = [types[: function.nin] for types in function.types]
    return all(len(set(types)) == 1 for types in inputs if "d" in types and "m" not in types)


def _dtype(argument: Any) -> np.dtype[Any] | None:
    """The dtype of an array; None for a number."""
    return argument.layout.dtype if isinstance(argument, Value) else getattr(argument, "dtype", None)


def _as_array(argument: Any, dtype: np.dtype[Any] | None, shape: tuple[int, ...], scratch: Scratch) -> Any:
    """A number as an array, in the dtype to which NumPy converts it if all other operands have the same dtype.

    NumPy is faster with an array of equal numbers than with one number: with the operand's shape, or that of its row.
    """
    if dtype not in _FLOATS or not is_exact(argument, dtype):
        return argument
    if math.prod(shape) > _MANY:
        shape = shape[-1:] if shape[-1] >= _WIDE else ()
    return scratch.filled(shape, dtype, argument)


_FLOATS = (np.float32, np.float64)
