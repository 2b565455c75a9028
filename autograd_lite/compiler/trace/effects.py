"""What a function does beside making new arrays: it writes to its arguments, or gives views of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from inspect import signature
from types import FunctionType
from typing import Any

import numpy as np


def written(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """What a function of NumPy's changes in place."""
    if function in _WRITING or getattr(function, "__name__", "") == "at":
        return args[:1]
    if function in _WRITING_IF:
        name, place, value = _WRITING_IF[function]
        given = kwargs.get(name, args[place] if len(args) > place else not value)
        return args[:1] if bool(given) is value else ()
    out = kwargs.get("out")
    if out is None and not isinstance(function, np.ufunc):
        position = _position_of_out(function)
        out = args[position] if position is not None and len(args) > position else None
    if isinstance(out, tuple):
        return tuple(target for target in out if target is not None)
    return () if out is None else (out,)


def _position_of_out(function: Callable[..., Any]) -> int | None:
    if type(function) is FunctionType and not hasattr(function, "__wrapped__"):
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        return names.index("out") if "out" in names else None
    # Remembered of NumPy's functions alone, since what is remembered is kept, with all that it holds.
    is_numpys = (getattr(function, "__module__", None) or "").partition(".")[0] in ("numpy", "_operator")
    is_method = getattr(function, "__objclass__", None) is np.ndarray or isinstance(
        getattr(function, "__self__", None), np.ufunc
    )
    return (_signed_position_of_out if is_numpys or is_method else _signed_position_of_out.__wrapped__)(function)


@lru_cache(maxsize=256)
def _signed_position_of_out(function: Callable[..., Any]) -> int | None:
    try:
        names = list(signature(function).parameters)
    except (ValueError, TypeError):  # of a function in C
        return None
    return names.index("out") if "out" in names else None


def gives_views_by_shapes(function: Callable[..., Any]) -> bool:
    """Whether shapes and other arguments alone say which part of an operand's memory a view is that a function gives.

    The numbers in the operand say it for `numpy.trim_zeros` and `numpy.real_if_close`.
    """
    return function in _VIEWS


_WRITING = frozenset(
    {np.copyto, np.put, np.putmask, np.place, np.fill_diagonal, np.put_along_axis, operator.setitem}
    | {np.ndarray.fill, np.ndarray.sort, np.ndarray.partition, np.ndarray.put, np.ndarray.setfield}
)

_WRITING_IF: dict[Callable[..., Any], tuple[str, int, bool]] = {
    np.nan_to_num: ("copy", 1, False),
    np.ndarray.byteswap: ("inplace", 1, True),
    np.median: ("overwrite_input", 3, True),
    np.nanmedian: ("overwrite_input", 3, True),
    np.percentile: ("overwrite_input", 4, True),
    np.nanpercentile: ("overwrite_input", 4, True),
    np.quantile: ("overwrite_input", 4, True),
    np.nanquantile: ("overwrite_input", 4, True),
}
"""Functions that write to their first argument if another one, of this name and position, is this."""

_VIEWS = frozenset(
    {operator.getitem, np.reshape, np.ravel, np.squeeze, np.expand_dims, np.transpose, np.permute_dims}
    | {np.matrix_transpose, np.linalg.matrix_transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.rot90}
    | {np.flip, np.fliplr, np.flipud, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.broadcast_to, np.broadcast_arrays}
    | {np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack, np.real, np.imag, np.diagonal, np.diag}
    | {np.linalg.diagonal, np.meshgrid, np.ix_, np.einsum, np.astype}
    | {np.lib.stride_tricks.as_strided, np.lib.stride_tricks.sliding_window_view}
    | {np.ndarray.reshape, np.ndarray.ravel, np.ndarray.squeeze, np.ndarray.transpose, np.ndarray.swapaxes}
    | {np.ndarray.diagonal, np.ndarray.view, np.ndarray.getfield, np.ndarray.astype, np.ndarray.conj}
    | {np.ndarray.conjugate, np.ndarray.byteswap, np.ndarray.__getitem__}
)
