"""How functions that move, join and repeat elements differentiate: cotangents go back where the elements came from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..core.custom import primitive
from ..core.registry import defconstant, defjvp, deflinear, defvjp, derive

Shape = tuple[int, ...]


def _inverse(axes: Any, ndim: int) -> tuple[int, ...] | None:
    """The permutation that undoes ``transpose(axes)``."""
    return None if axes is None else tuple(int(i) for i in np.argsort(np.atleast_1d(axes) % ndim))


def _reshape(g: Any, shape: Shape, order: Any) -> Any:
    if order not in ("C", "F"):
        raise TypeError(f"order={order!r} depends on the array's memory, which is not recorded; use 'C' or 'F'")
    return np.reshape(g, shape, order=order)


def _negated(shift: Any) -> Any:
    return tuple(-s for s in shift) if isinstance(shift, tuple | list) else -shift


def _pieces(g: Any, shapes: Any, axis: int | None, members: Sequence[int] | None) -> Any:
    """The parts of a concatenation's cotangent that belong to the members; as one array if the members were one."""
    if members is None:
        count, *shape = shapes
        return np.stack(_pieces(g, [tuple(shape)] * count, axis, range(count)))
    if axis is None:
        ends = list(accumulate(math.prod(shape) for shape in shapes))
        return [np.reshape(g[ends[i] - math.prod(shapes[i]) : ends[i]], shapes[i]) for i in members]
    before = (slice(None),) * (axis % len(shapes[0]))
    ends = list(accumulate(shape[axis] for shape in shapes))
    return [g[(*before, slice(ends[i] - shapes[i][axis], ends[i]))] for i in members]


# ---- the same elements in another shape ----
defvjp(
    np.reshape,
    like=lambda a, shape, order="C", copy=None: None,
    a=lambda g, a_shape, shape, order: _reshape(g, a_shape, order),
)
defvjp(np.ravel, a=lambda g, a_shape, order: _reshape(g, a_shape, order))
defvjp(np.squeeze, a=lambda g, a_shape, axis: np.reshape(g, a_shape))
defvjp(np.expand_dims, a=lambda g, a_shape, axis: np.reshape(g, a_shape))
defvjp(np.broadcast_to, array=lambda g, shape: g)

# ---- the same elements in another order ----
defvjp(np.transpose, a=lambda g, axes: np.transpose(g, _inverse(axes, g.ndim)))
defvjp(np.swapaxes, a=lambda g, axis1, axis2: np.swapaxes(g, axis1, axis2))
defvjp(np.moveaxis, a=lambda g, source, destination: np.moveaxis(g, destination, source))
defvjp(np.flip, m=lambda g, axis: np.flip(g, axis))
defvjp(np.roll, a=lambda g, shift, axis: np.roll(g, _negated(shift), axis))

# ---- joined ----
defvjp(
    np.concatenate,
    like=lambda arrays, axis=0, out=None, dtype=None, casting="same_kind": None,
    arrays=lambda g, arrays_shape, axis, members: _pieces(g, arrays_shape, axis, members),
)


def _layers(g: Any, axis: int, members: Sequence[int] | None) -> Any:
    """The parts of a stack's cotangent that belong to the members; as one array if the members were one."""
    layers = np.moveaxis(g, axis, 0)
    return layers if members is None else [layers[i] for i in members]


defvjp(np.stack, arrays=lambda g, axis, members: _layers(g, axis, members))

for _function, _argument in (
    (np.reshape, "a"), (np.ravel, "a"), (np.squeeze, "a"), (np.expand_dims, "a"), (np.broadcast_to, "array"),
    (np.transpose, "a"), (np.swapaxes, "a"), (np.moveaxis, "a"), (np.flip, "m"), (np.roll, "a"),
    (np.concatenate, "arrays"), (np.stack, "arrays"),
):  # fmt: skip
    deflinear(_function, _argument)


def _joining(along: int, at_least: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function that joins arrays along an axis after giving them enough axes."""

    def join(tup: Sequence[Any], *, dtype: Any = None, casting: Any = "same_kind") -> Any:
        arrays = [at_least(array) for array in tup]
        axis = 0 if arrays and arrays[0].ndim == 1 else along
        return np.concatenate(arrays, axis=axis, dtype=dtype, casting=casting)

    return join


def _at_least(array: Any, ndim: int, shape: Callable[[Shape], Shape]) -> Any:
    array = array if hasattr(array, "ndim") else np.asarray(array)
    return array if array.ndim >= ndim else np.reshape(array, shape(array.shape))


def _at_least_1d(array: Any) -> Any:
    return _at_least(array, 1, lambda shape: (1,))


def _at_least_2d(array: Any) -> Any:
    return _at_least(array, 2, lambda shape: (1, *shape) if shape else (1, 1))


def _at_least_3d(array: Any) -> Any:
    return _at_least(array, 3, lambda shape: (*shape, 1) if len(shape) == 2 else (1, *shape, 1) if shape else (1, 1, 1))


def _columns(array: Any) -> Any:
    return _at_least(array, 2, lambda shape: (*shape, 1) if shape else (1, 1))


derive(np.vstack)(_joining(0, _at_least_2d))
derive(np.hstack)(_joining(1, _at_least_1d))
derive(np.dstack)(_joining(2, _at_least_3d))


@derive(np.column_stack)
def column_stack(tup: Sequence[Any]) -> Any:
    """`numpy.column_stack`: vectors become columns."""
    return np.concatenate([_columns(array) for array in tup], axis=1)


def _for_each(one: Callable[[Any], Any]) -> Callable[..., Any]:
    def for_each(*arys: Any) -> Any:
        return one(arys[0]) if len(arys) == 1 else tuple(map(one, arys))

    return for_each


derive(np.atleast_1d)(_for_each(_at_least_1d))
derive(np.atleast_2d)(_for_each(_at_least_2d))
derive(np.atleast_3d)(_for_each(_at_least_3d))


# ---- cut apart ----
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
                    f"np.split: an axis of length {n} cannot be cut into {sections} equal parts; np.array_split allows "
                    "unequal ones"
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


# ---- repeated ----
@derive(np.tile)
def tile(A: Any, reps: Any) -> Any:
    """`numpy.tile`: broadcast along a new axis beside each old one."""
    repetitions = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    ndim = max(A.ndim, len(repetitions))
    repetitions = (1,) * (ndim - len(repetitions)) + repetitions
    shape = (1,) * (ndim - A.ndim) + A.shape
    apart = np.reshape(A, tuple(length for n in shape for length in (1, n)))
    copies = np.broadcast_to(apart, tuple(length for pair in zip(repetitions, shape, strict=True) for length in pair))
    return np.reshape(copies, tuple(r * n for r, n in zip(repetitions, shape, strict=True)))


@derive(np.full_like)
def full_like(a: Any, fill_value: Any, dtype: Any = None, **layout: Any) -> Any:
    """`numpy.full_like`: the value broadcast into an array of the other's kind."""
    blank = np.zeros_like(a, dtype, **layout)
    return np.where(True, fill_value, blank).astype(blank.dtype)


@derive(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """`numpy.broadcast_arrays`."""
    shape = np.broadcast_shapes(*(np.shape(array) for array in args))
    return tuple(np.broadcast_to(array, shape) for array in args)


# ---- padded ----
@primitive
def pad_with(array: Any, pad_width: Any, constant_values: Any = 0) -> Any:
    """The array with constants around it."""
    return np.pad(array, pad_width, constant_values=constant_values)


defvjp(
    pad_with,
    array=lambda g, array_shape, pad_width, constant_values: g[
        tuple(slice(before, before + n) for (before, _), n in zip(pad_width, array_shape, strict=True))
    ],
)
defjvp(pad_with, array=lambda t, pad_width: pad_with(t, pad_width))


@derive(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    """`numpy.pad` with constants, or with elements of the array itself, which are then found by their positions."""
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


defconstant(
    [
        np.shape, np.size, np.ndim, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.min_scalar_type,
        np.common_type, np.may_share_memory, np.shares_memory, np.isscalar,
        np.zeros_like, np.ones_like, np.empty_like, np.array_repr, np.array_str, np.array2string,
    ]
)  # fmt: skip
