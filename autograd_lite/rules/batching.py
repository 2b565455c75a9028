"""How NumPy's functions that are not elementwise are called for many examples at once, which `vmap` asks for.

The first axis of every operand counts the examples, so an axis that the user counts from the front is one further on,
and one that is counted from the back stays where it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.dispatch import astype, getitem
from ..core.registry import BATCHING, STRUCTURAL, Batching, defbatching
from .indexing import scatter_add
from .linalg.decompositions import cholesky_lower, qr_reduced, singular_values, svd_full, svd_thin
from .linalg.einsum import LETTERS, explicit
from .linalg.norms import vector_norm_of
from .shapes import pad_with

Shape = tuple[int, ...]


def _further(axis: Any, ndim: int) -> Any:
    """Axes of one example as axes of all."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple(_further(a, ndim) for a in axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return int(axis) % ndim + 1


# ---- along axes ----
def _reduction(function: Callable[..., Any]) -> None:
    """Over one axis, several, or all."""

    def rule(a: Any, axis: Any = None, **options: Any) -> Any:
        if a.ndim == 1:  # a number has no axis, though NumPy lets reductions name its axis 0 or -1
            return np.reshape(function(a[:, None], axis=1, **options), a.shape)
        return function(a, axis=_further(axis, a.ndim - 1), **options)

    BATCHING[function] = Batching(rule, ("a",))


def _scan(function: Callable[..., Any], default: int | None) -> None:
    """Along one axis, or with None along all of the elements."""

    def rule(a: Any, axis: Any = default, *rest: Any, **options: Any) -> Any:
        if axis is None:
            keepdims = options.pop("keepdims", False)
            result = function(
                np.reshape(a, (a.shape[0], -1 if a.size else math.prod(a.shape[1:]))), 1, *rest, **options
            )
            return np.reshape(result, (a.shape[0], *(1,) * (a.ndim - 1))) if keepdims else result
        return function(a, _further(axis, a.ndim - 1), *rest, **options)

    BATCHING[function] = Batching(rule, ("a",))


_function: Any
for _function in (
    np.sum, np.mean, np.prod, np.max, np.amax, np.min, np.amin, np.var, np.std, np.all, np.any, np.count_nonzero,
):  # fmt: skip
    _reduction(_function)
_SCANS: tuple[tuple[Any, int | None], ...] = (
    (np.cumsum, None), (np.cumprod, None), (np.argmax, None), (np.argmin, None), (np.argsort, -1),
)  # fmt: skip
for _function, _default in _SCANS:
    _scan(_function, _default)


def _transform(function: Callable[..., Any]) -> None:
    def rule(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
        return function(a, n, _further(axis, a.ndim - 1), norm)

    BATCHING[function] = Batching(rule, ("a",))


for _function in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft):
    _transform(_function)


@defbatching(vector_norm_of, "x")
def _(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if axis == ():
        return np.absolute(x)
    return vector_norm_of(x, ord, _further(axis, x.ndim - 1), keepdims)


# ---- shapes ----
def _lengths(shape: Any, size: int) -> Shape:
    """A shape with the length that was left open as -1."""
    lengths = tuple(int(n) for n in shape) if isinstance(shape, tuple | list) else (int(shape),)
    known = math.prod(n for n in lengths if n >= 0)
    return tuple(n if n >= 0 else size // max(known, 1) for n in lengths)


@defbatching(np.reshape, "a")
def _(a: Any, shape: Any, order: str = "C") -> Any:
    count, size = a.shape[0], math.prod(a.shape[1:])
    lengths = _lengths(shape, size)
    if math.prod(lengths) != size:
        raise ValueError(f"np.reshape: one example of shape {a.shape[1:]} cannot have the shape {shape}")
    if order == "C":
        return np.reshape(a, (count, *lengths))
    # Column-major for each example: the axes reversed, with the examples kept first.
    flat = np.transpose(a, (0, *range(a.ndim - 1, 0, -1)))
    columns = np.reshape(flat, (count, *reversed(lengths)))
    return np.transpose(columns, (0, *range(columns.ndim - 1, 0, -1)))


@defbatching(np.ravel, "a")
def _(a: Any, order: str = "C") -> Any:
    return BATCHING[np.reshape].rule(a, (math.prod(a.shape[1:]),), order)


@defbatching(np.squeeze, "a")
def _(a: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(a, (a.shape[0], *(n for n in a.shape[1:] if n != 1)))
    return np.squeeze(a, axis=_further(axis, a.ndim - 1))


@defbatching(np.expand_dims, "a")
def _(a: Any, axis: Any) -> Any:
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    return np.expand_dims(a, tuple(_further(k, a.ndim - 1 + len(axes)) for k in axes))


@defbatching(np.broadcast_to, "array")
def _(array: Any, shape: Any) -> Any:
    lengths = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    missing = (1,) * (len(lengths) - array.ndim + 1)
    return np.broadcast_to(np.reshape(array, (array.shape[0], *missing, *array.shape[1:])), (array.shape[0], *lengths))


@defbatching(np.transpose, "a")
def _(a: Any, axes: Any = None) -> Any:
    ndim = a.ndim - 1
    order = range(ndim)[::-1] if axes is None else (axes,) if np.ndim(axes) == 0 else axes
    return np.transpose(a, (0, *(_further(k, ndim) for k in order)))


@defbatching(np.swapaxes, "a")
def _(a: Any, axis1: int, axis2: int) -> Any:
    return np.swapaxes(a, _further(axis1, a.ndim - 1), _further(axis2, a.ndim - 1))


@defbatching(np.moveaxis, "a")
def _(a: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(a, _further(source, a.ndim - 1), _further(destination, a.ndim - 1))


@defbatching(np.flip, "m")
def _(m: Any, axis: Any = None) -> Any:
    return np.flip(m, _further(axis, m.ndim - 1))


@defbatching(np.roll, "a")
def _(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.roll(np.reshape(a, (a.shape[0], -1)), shift, 1), a.shape)
    return np.roll(a, shift, _further(axis, a.ndim - 1))


@defbatching(np.copy, "a")
def _(a: Any) -> Any:
    return np.copy(a)


@defbatching(astype, "x")
def _(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


@defbatching(np.concatenate, "arrays")
def _(arrays: Any, axis: Any = 0, **options: Any) -> Any:
    if not isinstance(arrays, list):
        arrays = [arrays[:, i] for i in range(arrays.shape[1])]
    if axis is None:
        arrays, axis = [np.reshape(array, (array.shape[0], -1)) for array in arrays], 0
    return np.concatenate(arrays, _further(axis, arrays[0].ndim - 1), **options)


@defbatching(np.stack, "arrays")
def _(arrays: Any, axis: int = 0, **options: Any) -> Any:
    if not isinstance(arrays, list):
        arrays = [arrays[:, i] for i in range(arrays.shape[1])]
    return np.stack(arrays, _further(axis, arrays[0].ndim), **options)


@defbatching(pad_with, "array")
def _(array: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    values = constant_values
    if np.ndim(values):
        values = np.concatenate([np.zeros((1, 2)), np.broadcast_to(values, (array.ndim - 1, 2))])
    return pad_with(array, np.concatenate([np.zeros((1, 2), int), pad_width]), values)


@defbatching(np.repeat, "a")
def _(a: Any, repeats: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.repeat(np.reshape(a, (a.shape[0], -1)), repeats, 1)
    return np.repeat(a, repeats, _further(axis, a.ndim - 1))


# ---- elements chosen ----
def _stays_in_place(index: tuple[Any, ...]) -> bool:
    """Whether the axes that arrays of indices make come where the first of them stands, and not before all others."""
    arrays = [
        i for i, entry in enumerate(index) if not (entry is None or entry is Ellipsis or isinstance(entry, slice))
    ]
    return not arrays or arrays[-1] - arrays[0] == len(arrays) - 1


@defbatching(getitem, "x")
def _(x: Any, index: Any) -> Any:
    index = index if isinstance(index, tuple) else (index,)
    return x[(slice(None), *index)] if _stays_in_place(index) else NotImplemented


@defbatching(scatter_add, "values")
def _(values: Any, index: Any, shape: Shape) -> Any:
    index = index if isinstance(index, tuple) else (index,)
    if not _stays_in_place(index):
        return NotImplemented
    return scatter_add(values, (slice(None), *index), (values.shape[0], *shape))


@defbatching(np.take, "a")
def _(a: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> Any:
    if axis is None:
        a, axis = np.reshape(a, (a.shape[0], -1)), 0
    return np.take(a, indices, _further(axis, a.ndim - 1), mode=mode)


@defbatching(np.take_along_axis, "arr", "indices")
def _(arr: Any, indices: Any, axis: Any = -1) -> Any:
    if axis is None:
        arr, axis = np.reshape(arr, (arr.shape[0], -1)), 0
    return np.take_along_axis(arr, indices, _further(axis, arr.ndim - 1))


# ---- products ----
@defbatching(np.matmul, "x1", "x2", repeats=False)
def _(x1: Any, x2: Any, *, mapped: frozenset[str] = frozenset()) -> Any:
    ndim1, ndim2 = (np.ndim(x) - (name in mapped) for x, name in ((x1, "x1"), (x2, "x2")))
    if mapped == {"x1"} and ndim2 <= 2:
        # The rows of all examples meet the same matrix, in one product.
        product = np.matmul(np.reshape(x1, (-1, x1.shape[-1])) if x1.size else x1, x2)
        return np.reshape(product, (*x1.shape[:-1], *x2.shape[1:]))
    if mapped == {"x2"} and ndim2 == 1 and ndim1 <= 2:
        return np.matmul(x2, x1.T)
    # A vector becomes a matrix of one row or column, which is taken away again.
    if ndim1 == 1:
        x1 = x1[..., None, :]
    if ndim2 == 1:
        x2 = x2[..., :, None]
    if "x1" in mapped and ndim2 > max(ndim1, 2):
        x1 = np.reshape(x1, (x1.shape[0], *(1,) * (ndim2 - max(ndim1, 2)), *x1.shape[1:]))
    if "x2" in mapped and ndim1 > max(ndim2, 2):
        x2 = np.reshape(x2, (x2.shape[0], *(1,) * (ndim1 - max(ndim2, 2)), *x2.shape[1:]))
    product = np.matmul(x1, x2)
    if ndim2 == 1:
        product = product[..., 0]
    if ndim1 == 1:
        product = product[..., 0] if ndim2 == 1 else product[..., 0, :]
    return product


@defbatching(np.outer, "a", "b")
def _(a: Any, b: Any) -> Any:
    return np.reshape(a, (a.shape[0], -1, 1)) * np.reshape(b, (b.shape[0], 1, -1))


@defbatching(np.einsum, "operands")
def _(subscripts: Any, *operands: Any, **options: Any) -> Any:
    terms, result = explicit(subscripts, [operand.shape[1:] for operand in operands])
    examples = next(letter for letter in LETTERS if letter not in "".join(terms))
    inputs = ",".join(examples + term for term in terms)
    return np.einsum(f"{inputs}->{examples}{result}", *operands, **options)


# ---- matrices in stacks ----
def _stacked(function: Callable[..., Any]) -> None:
    def rule(a: Any, **options: Any) -> Any:
        return function(a, **options)

    BATCHING[function] = Batching(rule, ("a",))


for _function in (
    np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.eigh, np.linalg.eig, np.linalg.pinv,
    cholesky_lower, svd_thin, svd_full, singular_values, qr_reduced,
):  # fmt: skip
    _stacked(_function)


@defbatching(np.linalg.solve, "a", "b", repeats=False)
def _(a: Any, b: Any, *, mapped: frozenset[str] = frozenset()) -> Any:
    one = np.ndim(b) - ("b" in mapped) == 1
    columns = b[..., None] if one else b
    rank_a, rank_b = np.ndim(a) - ("a" in mapped), np.ndim(columns) - ("b" in mapped)
    if "a" in mapped and rank_b > rank_a:
        a = np.reshape(a, (a.shape[0], *(1,) * (rank_b - rank_a), *a.shape[1:]))
    if "b" in mapped and rank_a > rank_b:
        columns = np.reshape(columns, (columns.shape[0], *(1,) * (rank_a - rank_b), *columns.shape[1:]))
    solution = np.linalg.solve(a, columns)
    return solution[..., 0] if one else solution


# ---- what asks for shapes and dtypes alone ----
STRUCTURAL.update(
    [
        np.shape, np.size, np.ndim, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.min_scalar_type,
        np.common_type, np.zeros_like, np.ones_like, np.empty_like,
    ]
)  # fmt: skip
