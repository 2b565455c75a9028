"""How indexing and picking differentiate: a cotangent goes back to its element; those of the same element are added."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.custom import primitive
from ..core.dispatch import getitem
from ..core.registry import defvjp, derive
from ..transforms.batching import concrete
from ..transforms.linearize import array_like
from ..transforms.rule_tables import defbatching, deflinear
from ._common import Shape, axes_of_all


# ---- indexing, and its transpose ----
@primitive
def scatter_add(values: Any, index: Any, shape: Shape) -> Any:
    """An array of zeros with the values added at the index: the transpose of ``x[index]``."""
    out = np.zeros_like(values, shape=shape)
    if _selects_once(index):
        out[index] = values
    else:
        np.add.at(out, index, values)
    return out


def _selects_once(index: Any) -> bool:
    """Whether no element can be selected twice, because no index is an array of integers."""
    entries = index if isinstance(index, tuple) else (index,)
    return all(
        entry is None or entry is Ellipsis or isinstance(entry, slice | int | np.integer) or _dtype(entry).kind == "b"
        for entry in entries
    )


def _dtype(entry: Any) -> Any:
    return entry.dtype if hasattr(entry, "dtype") else np.asarray(entry).dtype


def _axes_before_all(index: tuple[Any, ...]) -> int:
    """The number of axes from index arrays that NumPy puts in front of all others; 0 if they stay in place."""
    arrays = {i: e for i, e in enumerate(index) if not (e is None or e is Ellipsis or isinstance(e, slice))}
    if not arrays or max(arrays) - min(arrays) == len(arrays) - 1:
        return 0
    return max(1 if _dtype(entry).kind == "b" else np.ndim(entry) for entry in arrays.values())


defvjp(getitem, x=lambda g, x_shape, index: scatter_add(g, index, x_shape))
deflinear(getitem, "x")


@defbatching(getitem, "x")
def _getitem_all(x: Any, index: Any) -> Any:
    index = index if isinstance(index, tuple) else (index,)
    elements, before = x[(slice(None), *index)], _axes_before_all(index)
    return np.moveaxis(elements, before, 0) if before else elements


defvjp(scatter_add, any_value=("shape",), values=lambda g, index: g[index])
deflinear(scatter_add, "values")


@defbatching(scatter_add, "values")
def _scatter_all(values: Any, index: Any, shape: Shape) -> Any:
    index, examples = index if isinstance(index, tuple) else (index,), values.shape[0]
    before = _axes_before_all(index)
    values = np.moveaxis(values, 0, before) if before else values
    return scatter_add(values, (slice(None), *index), (examples, *shape))


# ---- elements taken by their positions along an axis ----
def _scatter_along(g: Any, shape: Shape, axis: int | None, positions: Callable[[int], Any]) -> Any:
    """The cotangent of an array whose elements were read at positions along an axis; None means the flattened array."""
    if axis is None or not shape:
        size = math.prod(shape)
        return np.reshape(scatter_add(g, positions(size), (size,)), shape)
    return scatter_add(g, (*(slice(None),) * (axis % len(shape)), positions(shape[axis])), shape)


defvjp(
    np.take,
    a=lambda g, a_shape, indices, axis, mode: _scatter_along(
        g, a_shape, axis, lambda n: np.take(np.arange(n), indices, mode=mode)
    ),
)
deflinear(np.take, "a")


@defbatching(np.take, "a")
def _take_all(a: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> Any:
    if axis is None:
        a, axis = np.reshape(a, (a.shape[0], -1)), 0
    return np.take(a, indices, axes_of_all(axis, a.ndim - 1), mode=mode)


defvjp(
    np.repeat,
    a=lambda g, a_shape, repeats, axis: _scatter_along(g, a_shape, axis, lambda n: np.repeat(np.arange(n), repeats)),
)
deflinear(np.repeat, "a")


@defbatching(np.repeat, "a")
def _repeat_all(a: Any, repeats: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.repeat(np.reshape(a, (a.shape[0], -1)), repeats, 1)
    return np.repeat(a, repeats, axes_of_all(axis, a.ndim - 1))


@primitive
def add_along_axis(values: Any, indices: Any, axis: int | None, shape: Shape) -> Any:
    """An array of zeros with the values added at positions along an axis: the transpose of `numpy.take_along_axis`."""
    if axis is None:
        return _scatter_along(values, shape, None, lambda size: indices)
    index = list(np.indices(shape, sparse=True))
    index[axis] = indices
    return scatter_add(values, tuple(index), shape)


defvjp(np.take_along_axis, arr=lambda g, arr_shape, indices, axis: add_along_axis(g, indices, axis, arr_shape))
deflinear(np.take_along_axis, "arr")


@defbatching(np.take_along_axis, "arr", "indices")
def _take_along_axis_all(arr: Any, indices: Any, axis: Any = -1) -> Any:
    if axis is None:
        arr, axis = np.reshape(arr, (arr.shape[0], -1)), 0
    return np.take_along_axis(arr, indices, axes_of_all(axis, arr.ndim - 1))


defvjp(
    add_along_axis,
    any_value=("shape",),
    values=lambda g, indices, axis: np.take_along_axis(g, indices, axis),
)
deflinear(add_along_axis, "values")


@defbatching(add_along_axis, "values", "indices")
def _add_along_axis_all(values: Any, indices: Any, axis: int | None, shape: Shape) -> Any:
    if axis is None:
        flat = add_along_axis(values, indices, 1, (values.shape[0], math.prod(shape)))
        return np.reshape(flat, (values.shape[0], *shape))
    return add_along_axis(values, indices, axes_of_all(axis, len(shape)), (values.shape[0], *shape))


@derive(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """`numpy.delete`: the elements at the positions that are left."""
    arr = np.ravel(arr) if axis is None else arr
    axis = normalize_axis_index(axis or 0, arr.ndim)
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), obj), axis=axis)


# ---- weights added by bin: the transpose of np.take ----
defvjp(
    np.bincount,
    like=lambda x, weights=None, minlength=0: None,
    any_value=("minlength",),
    weights=lambda g, x: np.take(g, x),
)
deflinear(np.bincount, "weights")


@defbatching(np.bincount, "weights")
def _bincount_all(x: Any, weights: Any, minlength: int = 0) -> Any:
    numbers = np.asarray(x)
    length = max(int(np.max(numbers, initial=-1)) + 1, minlength)
    return scatter_add(weights.astype(np.float64), (slice(None), numbers), (weights.shape[0], length))


# ---- triangles and diagonals ----
def _triangle(function: Callable[..., Any], upper: bool) -> None:
    def triangle(m: Any, k: int = 0) -> Any:
        if m.ndim == 1:  # NumPy repeats a vector as the rows of a matrix
            m = np.broadcast_to(m, 2 * m.shape)
        rows, columns = m.shape[-2:]
        lower = np.tri(rows, columns, k=k - 1 if upper else k, dtype=bool)
        return np.where(~lower if upper else lower, m, 0)

    derive(function)(triangle)


_triangle(np.tril, upper=False)
_triangle(np.triu, upper=True)


@derive(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """`numpy.diagonal`."""
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    along = np.arange(max(0, min(a.shape[-2] + min(offset, 0), a.shape[-1] - max(offset, 0))))
    return a[..., along - min(offset, 0), along + max(offset, 0)]


@derive(np.diag)
def diag(v: Any, k: int = 0) -> Any:
    """`numpy.diag`: the matrix for a vector, the vector for a matrix."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag: expected one or two axes, got shape {v.shape}")
    n = v.shape[0] + abs(k)
    along = np.arange(v.shape[0])
    return scatter_add(v, (along - min(k, 0), along + max(k, 0)), (n, n))


derive(np.diagflat)(lambda v, k=0: np.diag(np.ravel(array_like(v)), k))


# ---- picked from several ----
@derive(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """`numpy.select`: the choice of the first condition that holds."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"np.select: {len(condlist)} conditions, but {len(choicelist)} choices; expected one for each")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


@derive(np.choose)
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """`numpy.choose`: for each position, the element of the array with the given number."""
    count = len(choices)
    numbers = array_like(a)
    if mode == "raise" and (np.any(numbers < 0) or np.any(numbers >= count)):
        raise ValueError(f"np.choose: a number is not from 0 to {count - 1}; pass mode='clip' or 'wrap' to allow that")
    numbers = np.clip(numbers, 0, count - 1) if mode == "clip" else numbers % count
    shape = np.broadcast_shapes(np.shape(numbers), *(np.shape(choice) for choice in choices))
    stacked = np.stack([np.broadcast_to(choice, shape) for choice in choices])
    return np.take_along_axis(stacked, np.broadcast_to(numbers, shape)[None], 0)[0]


@derive(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """`numpy.compress`: the slices where the condition holds."""
    return np.take(a, np.flatnonzero(concrete(condition, "np.compress")), axis=axis)


derive(np.extract)(lambda condition, arr: np.compress(np.ravel(condition), np.ravel(arr)))


@derive(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """`numpy.piecewise`: each function gets the elements for which its condition is the last one that holds."""
    if isinstance(condlist, bool | np.bool) or (np.ndim(condlist[0]) == 0 and x.ndim):
        condlist = [condlist]
    conditions = [np.broadcast_to(concrete(c, "np.piecewise"), x.shape) for c in condlist]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"np.piecewise: {len(funclist)} functions for {len(conditions)} conditions; expected as many, or one more"
        )
    claimed = np.zeros(x.shape, bool)
    total: Any = np.zeros(x.shape, x.dtype)
    for condition, function in reversed(list(zip(conditions, funclist, strict=True))):
        own = condition & ~claimed
        claimed = claimed | condition
        values = function(x[own], *args, **kw) if callable(function) else function
        values = np.broadcast_to(array_like(values).astype(x.dtype), (int(np.count_nonzero(own)),))
        total = total + scatter_add(values, own, x.shape)
    return total
