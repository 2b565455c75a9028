"""How functions that put elements in order differentiate: each result is the element with its rank.

The order is that of the current numbers. Of equal elements, the one that comes first has the lower rank.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.registry import derive
from ..transforms.batching import concrete
from ..transforms.interpreter import innermost_array

# ---- sorted ----


@derive(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: None = None, *, stable: Any = None) -> Any:
    """`numpy.sort`: the elements taken in the order of `numpy.argsort`."""
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argsort(a, axis=axis, kind="stable"), axis)


@derive(np.sort_complex)
def sort_complex(a: Any) -> Any:
    """`numpy.sort_complex`: sorts by the real part first."""
    return np.sort(a).astype(np.sort_complex(np.ones(1, a.dtype)).dtype)


@derive(np.partition)
def partition(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: None = None) -> Any:
    """`numpy.partition`: the elements taken in the order of `numpy.argpartition`."""
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argpartition(a, kth, axis=axis, kind=kind), axis)


# ---- quantiles ----
def _rows(a: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """The array with the elements that are ranked together along the last axis, and the axes where these were."""
    axes = normalize_axis_tuple(range(a.ndim) if axis is None else axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    moved = np.transpose(a, (*kept, *axes))
    return np.reshape(moved, (*(a.shape[i] for i in kept), int(np.prod([a.shape[i] for i in axes], dtype=int)))), axes


def _ranks(q: Any, counts: Any, method: Any) -> Any:
    """The ranks of the quantiles among `counts` elements, as fractions between two elements.

    NumPy computes them for every method: a rank is the quantile of the ranks themselves.
    """
    places: Any = 0.0
    for n in np.unique(innermost_array(counts)):
        found = np.quantile(np.arange(max(int(n), 1), dtype=float), q, method=method)
        places = np.where(np.equal(counts, n)[..., None], found, places)
    return places


def _quantile(a: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_missing: bool) -> Any:
    rows, axes = _rows(a, axis)
    rows = np.sort(rows, axis=-1)
    ordered = rows[..., None]
    q = np.asarray(q, float)
    missing = np.isnan(rows)
    counts = np.sum(~missing, axis=-1) if skip_missing else np.full(rows.shape[:-1], rows.shape[-1])
    places = np.broadcast_to(_ranks(np.ravel(q), counts, method), (*rows.shape[:-1], q.size))
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, rows.shape[-1] - 1)
    share = (places - below).astype(rows.dtype)
    low, high = (np.take_along_axis(ordered[..., 0], place, -1) for place in (below, above))
    # Only the elements next to the quantile may take part; others may be NaN or infinite.
    found = np.where(np.equal(share, 0), low, low + (np.where(np.equal(share, 0), low, high) - low) * share)
    if not skip_missing:
        found = np.where(missing[..., -1:], np.nan, found)
    found = np.reshape(np.moveaxis(found, -1, 0), (*q.shape, *rows.shape[:-1]))
    return np.expand_dims(found, tuple(q.ndim + i for i in axes)) if keepdims else found


def _quantiles(name: str, scale: float, skip_missing: bool) -> None:
    def quantile(
        a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
        keepdims: Any = False, *, weights: None = None, interpolation: str | None = None,
    ) -> Any:  # fmt: skip
        if weights is not None:
            raise TypeError(f"np.{name}: weights= is not supported for tensors that require a gradient")
        method = interpolation or method
        keepdims = bool(keepdims and keepdims is not np._NoValue)
        found = _quantile(a, np.divide(q, scale), axis, method, keepdims, skip_missing)
        # NumPy's result dtype depends on the method and the type of q, so NumPy is asked for it.
        return found.astype(getattr(np, name)(np.ones(1, a.dtype), q, method=method).dtype)

    quantile.__doc__ = f"`numpy.{name}`, interpolated between two elements by their ranks."
    derive(getattr(np, name))(quantile)


def _median(name: str, skip_missing: bool) -> None:
    def median(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
        keepdims = bool(keepdims and keepdims is not np._NoValue)
        return _quantile(a, 0.5, axis, "linear", keepdims, skip_missing).astype(a.dtype)

    median.__doc__ = f"`numpy.{name}`: the middle element, or the mean of the two in the middle."
    derive(getattr(np, name))(median)


_quantiles("quantile", 1.0, skip_missing=False)
_quantiles("nanquantile", 1.0, skip_missing=True)
_quantiles("percentile", 100.0, skip_missing=False)
_quantiles("nanpercentile", 100.0, skip_missing=True)
_median("median", skip_missing=False)
_median("nanmedian", skip_missing=True)


# ---- sets ----
@derive(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """`numpy.unique`: the first of equal elements; indices and counts carry no gradient."""
    _, first, inverse, counts = np.unique(concrete(ar, "np.unique"), True, True, True, axis, equal_nan=equal_nan)
    values = np.ravel(ar)[first] if axis is None else np.take(ar, first, axis=axis)
    asked = ((return_index, first), (return_inverse, inverse), (return_counts, counts))
    results = (values, *(found for wanted, found in asked if wanted))
    return results if len(results) > 1 else values


def _of_the_standard(name: str) -> None:
    def of(x: Any, /) -> Any:
        plain = concrete(x, f"np.{name}")
        found = getattr(np, name)(plain)
        values = found if name == "unique_values" else found.values
        order = np.argsort(plain, axis=None, kind="stable")
        first = order[np.searchsorted(np.ravel(plain)[order], values)]
        taken = np.ravel(x)[first]
        return taken if name == "unique_values" else found._replace(values=taken)

    of.__doc__ = f"`numpy.{name}`: the first of equal elements."
    derive(getattr(np, name))(of)


for _name in ("unique_values", "unique_counts", "unique_inverse", "unique_all"):
    _of_the_standard(_name)


@derive(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Any:
    """`numpy.union1d`."""
    return np.unique(np.concatenate((ar1, ar2), axis=None))


def _members(function: Callable[..., Any], keep: bool) -> None:
    def members(ar1: Any, ar2: Any, assume_unique: bool = False, **options: Any) -> Any:
        if any(options.values()):
            raise TypeError(f"np.{function.__name__}: {', '.join(options)} is not supported for tensors")
        values = np.ravel(ar1) if assume_unique else np.unique(ar1)
        inside = np.isin(concrete(values, f"np.{function.__name__}"), concrete(ar2, f"np.{function.__name__}"))
        chosen = values[inside if keep else ~inside]
        return np.sort(chosen).astype(np.result_type(ar1, ar2)) if keep else chosen

    derive(function)(members)


_members(np.intersect1d, keep=True)
_members(np.setdiff1d, keep=False)


@derive(np.setxor1d)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """`numpy.setxor1d`."""
    return np.sort(np.concatenate([np.setdiff1d(ar1, ar2, assume_unique), np.setdiff1d(ar2, ar1, assume_unique)]))


@derive(np.trim_zeros)
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """`numpy.trim_zeros`: the elements from the first to the last one that is not 0."""
    kept = np.argwhere(concrete(filt, "np.trim_zeros"))
    if not kept.size:
        return filt[tuple(slice(0, 0) for _ in filt.shape)]
    axes = range(filt.ndim) if axis is None else [normalize_axis_index(k, filt.ndim) for k in np.atleast_1d(axis)]
    index = [slice(None)] * filt.ndim
    for k in axes:
        start = int(kept[:, k].min()) if "f" in trim.lower() else 0
        stop = int(kept[:, k].max()) + 1 if "b" in trim.lower() else filt.shape[k]
        index[k] = slice(start, stop)
    return filt[tuple(index)]
