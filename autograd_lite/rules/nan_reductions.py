"""How reductions that skip NaN differentiate: a NaN is replaced by a neutral number, and its gradient is 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import derive


def _filled(a: Any, value: float) -> Any:
    return np.where(np.isnan(a), value, a)


def _count(a: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(~np.isnan(a), axis=axis, keepdims=keepdims)


def _sum_or_product(name: str, neutral: float) -> None:
    function = getattr(np, name.removeprefix("nan"))

    def reduce(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Any:
        return function(_filled(a, neutral), axis=axis, dtype=dtype, keepdims=bool(keepdims))

    def scan(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Any:
        return function(_filled(a, neutral), axis=axis, dtype=dtype)

    derive(getattr(np, name))(scan if "cum" in name else reduce)


_sum_or_product("nansum", 0.0)
_sum_or_product("nanprod", 1.0)
_sum_or_product("nancumsum", 0.0)
_sum_or_product("nancumprod", 1.0)


def _extremum(name: str, lowest: float) -> None:
    function = getattr(np, name.removeprefix("nan"))

    def extremum(a: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Any:
        found = function(_filled(a, lowest), axis=axis, keepdims=bool(keepdims))
        return np.where(np.all(np.isnan(a), axis=axis, keepdims=bool(keepdims)), np.nan, found)

    derive(getattr(np, name))(extremum)


_extremum("nanmax", -np.inf)
_extremum("nanmin", np.inf)


@derive(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Any:
    """`numpy.nanmean`."""
    total = np.sum(_filled(a, 0.0), axis=axis, dtype=dtype, keepdims=bool(keepdims))
    return total / _count(a, axis, bool(keepdims)).astype(total.dtype)


@derive(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: Any = False
) -> Any:
    """`numpy.nanvar`."""
    deviation = np.where(np.isnan(a), 0.0, a - np.nanmean(a, axis=axis, dtype=dtype, keepdims=True))
    squares = np.sum(np.real(deviation * np.conjugate(deviation)), axis=axis, keepdims=bool(keepdims))
    return squares / (_count(a, axis, bool(keepdims)) - ddof).astype(squares.dtype)


@derive(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: float = 0, keepdims: Any = False
) -> Any:
    """`numpy.nanstd`, which takes slope 0 where all elements are equal, as `numpy.std` does."""
    variance = np.nanvar(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims)
    constant = np.equal(variance, 0)
    return np.where(constant, 0, np.sqrt(np.where(constant, 1, variance)))
