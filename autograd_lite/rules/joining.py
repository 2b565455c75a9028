"""How functions differentiate that join arrays, split them, or build them slice by slice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.registry import defvjp, derive
from ..core.tree import flatten
from ..transforms.linearize import array_like
from ..transforms.rule_tables import defbatching, deflinear
from ._common import as_tuple, axes_of_all
from .shapes import at_least, at_least_1d, at_least_2d, at_least_3d


# ---- joined ----
def _pieces(g: Any, shapes: Any, axis: int | None, members: Sequence[int] | None) -> Any:
    """The parts of a concatenation's cotangent for its members; one array if the members were one array."""
    if members is None:
        count, *shape = shapes
        return np.stack(_pieces(g, [tuple(shape)] * count, axis, range(count)))
    if axis is None:
        ends = list(accumulate(math.prod(shape) for shape in shapes))
        return [np.reshape(g[ends[i] - math.prod(shapes[i]) : ends[i]], shapes[i]) for i in members]
    before = (slice(None),) * (axis % len(shapes[0]))
    ends = list(accumulate(shape[axis] for shape in shapes))
    return [g[(*before, slice(ends[i] - shapes[i][axis], ends[i]))] for i in members]


defvjp(
    np.concatenate,
    like=lambda arrays, axis=0, out=None, dtype=None, casting="same_kind": None,
    arrays=lambda g, arrays_shape, axis, members: _pieces(g, arrays_shape, axis, members),
)
deflinear(np.concatenate, "arrays")


def _listed(arrays: Any) -> list[Any]:
    """The arrays to join, each with all examples; a single array is split along its first axis after the examples'."""
    return arrays if isinstance(arrays, list) else [arrays[:, i] for i in range(arrays.shape[1])]


@defbatching(np.concatenate, "arrays")
def _concatenate_all(arrays: Any, axis: Any = 0, **options: Any) -> Any:
    arrays = _listed(arrays)
    if axis is None:
        arrays, axis = [np.reshape(array, (array.shape[0], -1)) for array in arrays], 0
    return np.concatenate(arrays, axes_of_all(axis, arrays[0].ndim - 1), **options)


def _layers(g: Any, axis: int, members: Sequence[int] | None) -> Any:
    """The parts of a stack's cotangent for its members; one array if the members were one array."""
    layers = np.moveaxis(g, axis, 0)
    return layers if members is None else [layers[i] for i in members]


defvjp(np.stack, arrays=lambda g, axis, members: _layers(g, axis, members))
deflinear(np.stack, "arrays")


@defbatching(np.stack, "arrays")
def _stack_all(arrays: Any, axis: int = 0, **options: Any) -> Any:
    arrays = _listed(arrays)
    return np.stack(arrays, axes_of_all(axis, arrays[0].ndim), **options)


def _joining(along: int, enough: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that gives arrays enough axes and joins them along an axis."""

    def join(tup: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
        arrays = [enough(array) for array in tup]
        axis = 0 if arrays and arrays[0].ndim == 1 else along
        return np.concatenate(arrays, axis=axis, dtype=dtype, casting=casting)

    return join


def _columns(array: Any) -> Any:
    return at_least(array, 2, lambda shape: (*shape, 1) if shape else (1, 1))


derive(np.vstack)(_joining(0, at_least_2d))
derive(np.hstack)(_joining(1, at_least_1d))
derive(np.dstack)(_joining(2, at_least_3d))


@derive(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Any:
    """`numpy.column_stack`: vectors become columns."""
    return np.concatenate([_columns(array) for array in tup], axis=1)


@derive(np.append)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`numpy.append`."""
    return np.concatenate([_stacked(arr), _stacked(values)], axis=axis)


def _stacked(arrays: Any) -> Any:
    """An array of what may be a list of arrays, or of such lists."""
    return np.stack([_stacked(array) for array in arrays]) if isinstance(arrays, list | tuple) else array_like(arrays)


@derive(np.block)
def block(arrays: Any) -> Any:
    """`numpy.block`: lists within lists are joined along the last axis first."""
    depth, leaves = 0, arrays
    while isinstance(leaves, list):
        depth, leaves = depth + 1, leaves[0]
    ndim = max(depth, *(array_like(leaf).ndim for leaf in flatten(arrays)[0]), 0)
    return _joined(arrays, depth, ndim)


def _joined(arrays: Any, depth: int, ndim: int) -> Any:
    if isinstance(arrays, list):
        return np.concatenate([_joined(part, depth - 1, ndim) for part in arrays], axis=-depth)
    array = array_like(arrays)
    return np.reshape(array, (1,) * (ndim - array.ndim) + array.shape)


@derive(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`numpy.insert`: the elements of both arrays, in the order that results from inserting their positions."""
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


# ---- split ----
def _splitting(sections_must_divide: bool) -> Callable[..., list[Any]]:
    def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
        axis = normalize_axis_index(axis, ary.ndim, "np.split")
        n = ary.shape[axis]
        if np.ndim(indices_or_sections):
            cuts = [int(i) for i in indices_or_sections]
        else:
            sections = int(indices_or_sections)
            if sections < 1 or (sections_must_divide and n % sections):
                raise ValueError(
                    f"np.split: an axis of length {n} cannot be split into {sections} equal parts; use np.array_split "
                    "for unequal parts"
                )
            sizes = [n // sections + (i < n % sections) for i in range(sections)]
            cuts = list(accumulate(sizes))[:-1]
        before = (slice(None),) * axis
        return [ary[(*before, slice(i, j))] for i, j in zip([0, *cuts], [*cuts, n], strict=True)]

    return split


split = derive(np.split)(_splitting(sections_must_divide=True))
derive(np.array_split)(_splitting(sections_must_divide=False))
derive(np.vsplit)(lambda ary, indices_or_sections: split(ary, indices_or_sections, 0))
derive(np.hsplit)(lambda ary, indices_or_sections: split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0))
derive(np.dsplit)(lambda ary, indices_or_sections: split(ary, indices_or_sections, 2))


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """`numpy.unstack`: the slices along an axis."""
    return tuple(np.moveaxis(x, axis, 0))


if hasattr(np, "unstack"):
    derive(np.unstack)(unstack)


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
    for axis in as_tuple(axes):
        axis = normalize_axis_index(axis, ndim)
        a = func(a, axis)
        a = a if a.ndim == ndim else np.expand_dims(a, axis)
    return a
