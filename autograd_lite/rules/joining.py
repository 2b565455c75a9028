"""How functions that put arrays together, take them apart and pick from several differentiate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.registry import derive
from ..transforms.batching import concrete
from ..transforms.linearize import array_like
from .indexing import scatter_add
from .refusals import refuse_out

Shape = tuple[int, ...]


# ---- triangles and diagonals ----
def _triangle(function: Callable[..., Any], upper: bool) -> None:
    def triangle(m: Any, k: int = 0) -> Any:
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
    """`numpy.diag`: of a vector the matrix, of a matrix the vector."""
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"np.diag: expected one or two axes, got shape {v.shape}")
    n = v.shape[0] + abs(k)
    along = np.arange(v.shape[0])
    return scatter_add(v, (along - min(k, 0), along + max(k, 0)), (n, n))


derive(np.diagflat)(lambda v, k=0: np.diag(np.ravel(array_like(v)), k))


# ---- turned ----
derive(np.fliplr)(lambda m: np.flip(m, 1))
derive(np.flipud)(lambda m: np.flip(m, 0))
derive(np.matrix_transpose)(lambda x, /: np.swapaxes(x, -1, -2))


@derive(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`numpy.rot90` by flips and an exchange of the two axes."""
    first, second = (normalize_axis_index(axis, m.ndim) for axis in axes)
    if first == second:
        raise ValueError(f"np.rot90: axes={axes} must be two different ones")
    if k % 4 == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    if k % 4 == 3:
        return np.flip(np.swapaxes(m, first, second), second)
    return np.flip(m, (first, second)) if k % 4 else np.copy(m)


@derive(np.rollaxis)
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """`numpy.rollaxis`."""
    axis = normalize_axis_index(axis, a.ndim)
    start = start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


# ---- joined ----
@derive(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`numpy.append`."""
    return np.concatenate([array_like(arr), array_like(values)], axis=axis)


@derive(np.block)
def block(arrays: Any) -> Any:
    """`numpy.block`: lists within lists are joined along the last axis first."""
    depth, leaves = 0, arrays
    while isinstance(leaves, list):
        depth, leaves = depth + 1, leaves[0]
    ndim = max(depth, *(array_like(leaf).ndim for leaf in _leaves(arrays)), 0)
    return _joined(arrays, depth, ndim)


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for part in arrays for leaf in _leaves(part)] if isinstance(arrays, list) else [arrays]


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    if isinstance(arrays, list):
        return np.concatenate([_joined(part, depth - 1, ndim) for part in arrays], axis=-depth)
    array = array_like(arrays)
    return np.reshape(array, (1,) * (ndim - array.ndim) + array.shape)


@derive(np.delete)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """`numpy.delete`: the elements at the positions that are left."""
    arr = np.ravel(arr) if axis is None else arr
    axis = normalize_axis_index(axis or 0, arr.ndim)
    return np.take(arr, np.delete(np.arange(arr.shape[axis]), obj), axis=axis)


@derive(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`numpy.insert`: elements of the two, taken in the order that inserting their positions gives."""
    arr, values = array_like(arr), array_like(values)
    arr = np.ravel(arr) if axis is None else arr
    axis = normalize_axis_index(axis or 0, arr.ndim)
    n = arr.shape[axis]
    single = not isinstance(obj, slice) and np.ndim(obj) == 0
    values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    if single:
        values = np.moveaxis(values, 0, axis)
        count = values.shape[axis]
    else:
        count = np.insert(np.arange(n), obj, 0).size - n
    values = np.broadcast_to(values, tuple(count if k == axis else m for k, m in enumerate(arr.shape)))
    order = np.insert(np.arange(n), obj, n + np.arange(count))
    return np.take(np.concatenate([arr, values.astype(arr.dtype)], axis=axis), order, axis=axis)


@derive(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """`numpy.resize`: the elements over and over."""
    shape = (new_shape,) if np.ndim(new_shape) == 0 else tuple(new_shape)
    flat = np.ravel(a)
    if not flat.size:
        return np.zeros(shape, flat.dtype)
    return np.reshape(np.take(flat, np.arange(np.prod(shape, dtype=int)) % flat.size), shape)


# ---- products of all with all ----
@derive(np.kron)
def kron(a: Any, b: Any) -> Any:
    """`numpy.kron`."""
    a, b = array_like(a), array_like(b)
    ndim = max(a.ndim, b.ndim)
    a_shape, b_shape = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    a = np.reshape(a, tuple(n for length in a_shape for n in (length, 1)))
    b = np.reshape(b, tuple(n for length in b_shape for n in (1, length)))
    return np.reshape(a * b, tuple(m * n for m, n in zip(a_shape, b_shape, strict=True)))


@derive(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """`numpy.cross` of vectors in three dimensions."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(array_like(a), axisa, -1), np.moveaxis(array_like(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"np.cross: vectors of length {a.shape[-1]} and {b.shape[-1]}; for tensors both must be 3")
    following, before = [1, 2, 0], [2, 0, 1]
    product = a[..., following] * b[..., before] - a[..., before] * b[..., following]
    return np.moveaxis(product, -1, axisc)


# ---- picked from several ----
@derive(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """`numpy.select`: the choice of the first condition that holds."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"np.select: {len(condlist)} conditions and {len(choicelist)} choices; expected as many")
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = np.where(condition, choice, result)
    return result


@derive(np.choose)
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """`numpy.choose`: for each position the element of the array that its number names."""
    refuse_out(out, "choose")
    count = len(choices)
    numbers = array_like(a)
    if mode == "raise" and (np.any(numbers < 0) or np.any(numbers >= count)):
        raise ValueError(f"np.choose: a number is outside of the {count} choices; mode='clip' or 'wrap' allows that")
    numbers = np.clip(numbers, 0, count - 1) if mode == "clip" else numbers % count
    shape = np.broadcast_shapes(np.shape(numbers), *(np.shape(choice) for choice in choices))
    stacked = np.stack([np.broadcast_to(choice, shape) for choice in choices])
    return np.take_along_axis(stacked, np.broadcast_to(numbers, shape)[None], 0)[0]


@derive(np.compress)
def compress(condition: Any, a: Any, axis: int | None = None, out: None = None) -> Any:
    """`numpy.compress`: the slices where the condition holds."""
    refuse_out(out, "compress")
    return np.take(a, np.flatnonzero(concrete(condition, "np.compress")), axis=axis)


derive(np.extract)(lambda condition, arr: np.compress(np.ravel(condition), np.ravel(arr)))


@derive(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """`numpy.piecewise`: each function is called with the elements for which its condition holds, the last one's."""
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


# ---- function by function ----
@derive(np.apply_along_axis)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`numpy.apply_along_axis`: the function of every slice, stacked."""
    axis = normalize_axis_index(axis, arr.ndim)
    rows = np.moveaxis(arr, axis, -1)
    lead = rows.shape[:-1]
    results = [func1d(rows[index], *args, **kwargs) for index in np.ndindex(*lead)]
    stacked = np.stack(results)
    shape = stacked.shape[1:]
    stacked = np.reshape(stacked, (*lead, *shape))
    return np.moveaxis(stacked, tuple(range(len(lead), stacked.ndim)), tuple(range(axis, axis + len(shape))))


@derive(np.apply_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """`numpy.apply_over_axes`: a reduction over one axis after the other."""
    ndim = a.ndim
    for axis in (axes,) if np.ndim(axes) == 0 else axes:
        axis = normalize_axis_index(axis, ndim)
        a = func(a, axis)
        a = a if a.ndim == ndim else np.expand_dims(a, axis)
    return a
