"""How indexing differentiates: a gather's cotangent is scattered back, and added up where an element was read twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..primitive import primitive
from ..registry import defvjp, derive
from ..tensor import getitem

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
defvjp(scatter_add, values=lambda g, index: g[index])


@derive(np.take)
def take(a: Any, indices: Any, axis: int | None = None, out: None = None, mode: str = "raise") -> Any:
    """`numpy.take` as an index."""
    if out is not None:
        raise TypeError("np.take: out= cannot be used with tensors; use the result that is returned")
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = range(a.ndim)[axis]
    indices = np.asarray(indices)
    if mode == "clip":
        indices = np.clip(indices, 0, a.shape[axis] - 1)
    elif mode == "wrap":
        indices = indices % a.shape[axis]
    return a[(slice(None),) * axis + (indices,)]


@derive(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """`numpy.take_along_axis` as an index, with the other axes' positions spelled out."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = range(arr.ndim)[axis]
    indices = np.asarray(indices)
    if indices.ndim != arr.ndim:
        raise ValueError(
            f"np.take_along_axis: indices of shape {indices.shape} for an array of shape {arr.shape}; both need the "
            "same number of axes"
        )
    positions: list[Any] = []
    for i, n in enumerate(arr.shape):
        shape = [1] * arr.ndim
        shape[i] = n
        positions.append(indices if i == axis else np.arange(n).reshape(shape))
    return arr[tuple(positions)]
