"""How functions that change the shape or the order of an array's elements differentiate: the cotangent is put back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.custom import primitive
from ..core.registry import STRUCTURAL, defconstant, defvjp, derive
from ..core.tensor import Tensor
from ..transforms.linearize import array_like
from ..transforms.rule_tables import defbatching, defjvp, deflinear
from ._common import Shape, as_tuple, axes_of_all


# ---- the same elements in another shape ----
def _reshape(g: Any, shape: Shape, order: Any) -> Any:
    if order not in ("C", "F"):
        raise TypeError(f"order={order!r} depends on the array's memory layout, which is not recorded; use 'C' or 'F'")
    return np.reshape(g, shape, order=order)


defvjp(
    np.reshape,
    like=lambda a, shape, order="C", copy=None: None,
    any_value=("shape",),
    a=lambda g, a_shape, order: _reshape(g, a_shape, order),
)
deflinear(np.reshape, "a")


def _lengths(shape: Any, size: int) -> Shape:
    """A shape, with -1 replaced by the missing length."""
    lengths = tuple(map(int, as_tuple(shape)))
    known = math.prod(n for n in lengths if n >= 0)
    return tuple(n if n >= 0 else size // max(known, 1) for n in lengths)


@defbatching(np.reshape, "a")
def _reshape_all(a: Any, shape: Any, order: str = "C") -> Any:
    count, size = a.shape[0], math.prod(a.shape[1:])
    lengths = _lengths(shape, size)
    if math.prod(lengths) != size:
        raise ValueError(f"np.reshape: one example of shape {a.shape[1:]} cannot have the shape {shape}")
    if order == "C":
        return np.reshape(a, (count, *lengths))
    # For column-major order of each example, reverse all axes except the examples' axis, which stays first.
    flat = np.transpose(a, (0, *range(a.ndim - 1, 0, -1)))
    columns = np.reshape(flat, (count, *reversed(lengths)))
    return np.transpose(columns, (0, *range(columns.ndim - 1, 0, -1)))


defvjp(np.ravel, a=lambda g, a_shape, order: _reshape(g, a_shape, order))
deflinear(np.ravel, "a")
defbatching(np.ravel, "a")(lambda a, order="C": _reshape_all(a, -1, order))

defvjp(np.squeeze, any_value=("axis",), a=lambda g, a_shape: np.reshape(g, a_shape))
deflinear(np.squeeze, "a")


@defbatching(np.squeeze, "a")
def _squeeze_all(a: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(a, (a.shape[0], *(n for n in a.shape[1:] if n != 1)))
    return np.squeeze(a, axis=axes_of_all(axis, a.ndim - 1))


defvjp(np.expand_dims, any_value=("axis",), a=lambda g, a_shape: np.reshape(g, a_shape))
deflinear(np.expand_dims, "a")
defbatching(np.expand_dims, "a")(
    lambda a, axis: np.expand_dims(a, axes_of_all(as_tuple(axis), a.ndim - 1 + len(as_tuple(axis))))
)

defvjp(np.broadcast_to, any_value=("shape",), array=lambda g: g)
deflinear(np.broadcast_to, "array")


@defbatching(np.broadcast_to, "array")
def _broadcast_all(array: Any, shape: Any) -> Any:
    lengths = as_tuple(shape)
    missing = (1,) * (len(lengths) - array.ndim + 1)
    return np.broadcast_to(np.reshape(array, (array.shape[0], *missing, *array.shape[1:])), (array.shape[0], *lengths))


@derive(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """`numpy.broadcast_arrays`."""
    shape = np.broadcast_shapes(*(np.shape(array) for array in args))
    return tuple(np.broadcast_to(array, shape) for array in args)


@derive(np.ix_)
def ix_(*args: Any) -> tuple[Any, ...]:
    """`numpy.ix_`: each sequence along an axis of its own."""
    for array in args:
        if np.ndim(array) != 1:
            raise ValueError(f"np.ix_: expected sequences, got shape {np.shape(array)}")
    lines = [array if isinstance(array, Tensor) and array.dtype.kind in "fc" else np.ix_(array)[0] for array in args]
    return tuple(np.reshape(line, (1,) * i + (-1,) + (1,) * (len(args) - 1 - i)) for i, line in enumerate(lines))


# ---- at least so many axes ----
def at_least(array: Any, ndim: int, shape: Callable[[Shape], Shape]) -> Any:
    """An array, reshaped if it has fewer than `ndim` axes."""
    array = array_like(array)
    return array if array.ndim >= ndim else np.reshape(array, shape(array.shape))


def at_least_1d(array: Any) -> Any:
    """An array; a number becomes a vector."""
    return at_least(array, 1, lambda shape: (1,))


def at_least_2d(array: Any) -> Any:
    """An array with two axes or more; a vector becomes a row."""
    return at_least(array, 2, lambda shape: (1, *shape) if shape else (1, 1))


def at_least_3d(array: Any) -> Any:
    """An array with three axes or more; a vector becomes the middle one, a matrix the first two."""
    return at_least(array, 3, lambda shape: (*shape, 1) if len(shape) == 2 else (1, *shape, 1) if shape else (1, 1, 1))


def _for_each(one: Callable[[Any], Any]) -> Callable[..., Any]:
    def for_each(*arys: Any) -> Any:
        return one(arys[0]) if len(arys) == 1 else tuple(map(one, arys))

    return for_each


derive(np.atleast_1d)(_for_each(at_least_1d))
derive(np.atleast_2d)(_for_each(at_least_2d))
derive(np.atleast_3d)(_for_each(at_least_3d))


# ---- the same elements in another order ----
def _inverse(axes: Any, ndim: int) -> tuple[int, ...] | None:
    """The permutation that undoes ``transpose(axes)``."""
    return None if axes is None else tuple(int(i) for i in np.argsort(np.atleast_1d(axes) % ndim))


defvjp(np.transpose, a=lambda g, axes: np.transpose(g, _inverse(axes, g.ndim)))
deflinear(np.transpose, "a")


@defbatching(np.transpose, "a")
def _transpose_all(a: Any, axes: Any = None) -> Any:
    ndim = a.ndim - 1
    return np.transpose(a, (0, *axes_of_all(tuple(range(ndim)[::-1]) if axes is None else as_tuple(axes), ndim)))


defvjp(np.swapaxes, a=lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2))
deflinear(np.swapaxes, "a")
defbatching(np.swapaxes, "a")(lambda a, axis1, axis2: np.swapaxes(a, *axes_of_all((axis1, axis2), a.ndim - 1)))

defvjp(np.moveaxis, a=lambda g, source, destination: np.moveaxis(g, destination, source))
deflinear(np.moveaxis, "a")
defbatching(np.moveaxis, "a")(
    lambda a, source, destination: np.moveaxis(a, axes_of_all(source, a.ndim - 1), axes_of_all(destination, a.ndim - 1))
)

defvjp(np.flip, m=lambda g, axis: np.flip(g, axis))
deflinear(np.flip, "m")
defbatching(np.flip, "m")(lambda m, axis=None: np.flip(m, axes_of_all(axis, m.ndim - 1)))


def _negated(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift


defvjp(np.roll, a=lambda g, shift, axis: np.roll(g, _negated(shift), axis))
deflinear(np.roll, "a")


@defbatching(np.roll, "a")
def _roll_all(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(np.roll(np.reshape(a, (a.shape[0], -1)), shift, 1), a.shape)
    return np.roll(a, shift, axes_of_all(axis, a.ndim - 1))


derive(np.fliplr)(lambda m: np.flip(m, 1))
derive(np.flipud)(lambda m: np.flip(m, 0))
derive(np.matrix_transpose)(lambda x, /: np.swapaxes(x, -1, -2))


@derive(np.rot90)
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`numpy.rot90`, by flipping and exchanging the two axes."""
    first, second = (normalize_axis_index(axis, m.ndim) for axis in axes)
    if first == second:
        raise ValueError(f"np.rot90: axes must be two different axes, got {axes}")
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


# ---- repeated ----
@derive(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """`numpy.tile`: broadcasts along a new axis in front of each old one."""
    repetitions = as_tuple(reps)
    ndim = max(A.ndim, len(repetitions))
    repetitions = (1,) * (ndim - len(repetitions)) + repetitions
    shape = (1,) * (ndim - A.ndim) + A.shape
    apart = np.reshape(A, tuple(length for n in shape for length in (1, n)))
    copies = np.broadcast_to(apart, tuple(length for pair in zip(repetitions, shape, strict=True) for length in pair))
    return np.reshape(copies, tuple(r * n for r, n in zip(repetitions, shape, strict=True)))


@derive(np.resize)
def resize(a: Any, new_shape: Any) -> Any:
    """`numpy.resize`: repeats the elements as often as needed."""
    shape = as_tuple(new_shape)
    flat = np.ravel(a)
    if not flat.size:
        return np.zeros(shape, flat.dtype)
    return np.reshape(np.take(flat, np.arange(np.prod(shape, dtype=int)) % flat.size), shape)


@derive(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, **layout: Any) -> Any:
    """`numpy.full_like`: the value, broadcast to the shape and dtype of the array."""
    blank = np.zeros_like(a, dtype, **layout)
    return np.where(True, fill_value, blank).astype(blank.dtype)


# ---- padded ----
@primitive
def pad_with(array: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    """The array, padded with constants."""
    return np.pad(array, pad_width, constant_values=constant_values)


defvjp(
    pad_with,
    any_value=("constant_values",),
    array=lambda g, array_shape, pad_width: g[
        tuple(slice(before, before + n) for (before, _), n in zip(pad_width, array_shape, strict=True))
    ],
)
defjvp(pad_with, array=lambda t, pad_width: pad_with(t, pad_width))


@defbatching(pad_with, "array")
def _pad_all(array: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    values = constant_values
    if np.ndim(values):
        values = np.concatenate([np.zeros((1, 2)), np.broadcast_to(values, (array.ndim - 1, 2))])
    return pad_with(array, np.concatenate([np.zeros((1, 2), int), pad_width]), values)


@derive(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """`numpy.pad` with constants, or with elements of the array, which are taken by their positions."""
    if not array.ndim:
        return array
    if isinstance(pad_width, dict):
        widths = np.zeros((array.ndim, 2), dtype=int)
        for axis, width in pad_width.items():
            widths[axis] = width
    else:
        widths = np.broadcast_to(pad_width, (array.ndim, 2))
    if mode == "constant":
        return pad_with(array, widths, **options)
    if mode not in ("edge", "reflect", "symmetric", "wrap") or options.get("reflect_type", "even") != "even":
        raise TypeError(
            f"np.pad: mode={mode!r} with {options or 'no options'} is not supported for tensors; the modes are "
            "constant, edge, reflect (even), symmetric (even) and wrap"
        )
    for axis, width in enumerate(widths):
        if width.any():
            positions = np.pad(np.arange(array.shape[axis]), width, mode=mode, **options)
            array = np.take(array, positions, axis=axis)
    return array


# ---- functions that use only shapes and dtypes, and carry no gradient ----
STRUCTURAL.update(
    [
        np.shape, np.size, np.ndim, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.min_scalar_type,
        np.common_type, np.zeros_like, np.ones_like, np.empty_like,
    ]
)  # fmt: skip
defconstant(STRUCTURAL)
defconstant([np.may_share_memory, np.shares_memory, np.isscalar, np.array_repr, np.array_str, np.array2string])
