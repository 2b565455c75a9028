"""How indexing differentiates: a gather's cotangent is scattered back, and added up where an element was read twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.custom import primitive
from ..core.dispatch import getitem
from ..core.registry import deflinear, defvjp

Shape = tuple[int, ...]


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
    """Whether no element can be selected twice: no index is an array of integers."""
    entries = index if isinstance(index, tuple) else (index,)
    return all(
        entry is None or entry is Ellipsis or isinstance(entry, slice | int | np.integer) or _dtype(entry).kind == "b"
        for entry in entries
    )


def _dtype(entry: Any) -> Any:
    return entry.dtype if hasattr(entry, "dtype") else np.asarray(entry).dtype


defvjp(getitem, x=lambda g, x_shape, index: scatter_add(g, index, x_shape))
defvjp(scatter_add, values=lambda g, index, shape: g[index])


def _scatter_along(g: Any, shape: Shape, axis: int | None, positions: Callable[[int], Any]) -> Any:
    """The cotangent of an array whose elements were read at the positions along an axis, or flattened with None."""
    if axis is None or not shape:
        size = math.prod(shape)
        return np.reshape(scatter_add(g, positions(size), (size,)), shape)
    return scatter_add(g, (*(slice(None),) * (axis % len(shape)), positions(shape[axis])), shape)


def _take_along_axis(g: Any, shape: Shape, indices: Any, axis: int | None) -> Any:
    """The cotangent goes back along the axis; along the others every position is read for itself."""
    if axis is None:
        return _scatter_along(g, shape, None, lambda size: indices)
    index = list(np.indices(shape, sparse=True))
    index[axis] = indices
    return scatter_add(g, tuple(index), shape)


defvjp(
    np.take,
    a=lambda g, a_shape, indices, axis, mode: _scatter_along(
        g, a_shape, axis, lambda n: np.take(np.arange(n), indices, mode=mode)
    ),
)
defvjp(
    np.repeat,
    a=lambda g, a_shape, repeats, axis: _scatter_along(g, a_shape, axis, lambda n: np.repeat(np.arange(n), repeats)),
)
defvjp(
    np.bincount,
    like=lambda x, weights=None, minlength=0: None,
    weights=lambda g, x, minlength: np.take(g, x),
)
defvjp(np.take_along_axis, arr=lambda g, arr_shape, indices, axis: _take_along_axis(g, arr_shape, indices, axis))

for _function, _argument in (
    (getitem, "x"), (scatter_add, "values"), (np.take, "a"), (np.repeat, "a"), (np.bincount, "weights"),
    (np.take_along_axis, "arr"),
):  # fmt: skip
    deflinear(_function, _argument)
