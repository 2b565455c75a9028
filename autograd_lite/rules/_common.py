"""Helpers for the rules of several families: axes of reductions, axes of many examples, arguments made into arrays.

In a batching rule the first axis of every operand counts the examples. So an axis that the user counts from the front
has a number one higher there, and an axis that is counted from the back keeps its number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..transforms.rule_tables import BATCHING, Batching

Shape = tuple[int, ...]


# ---- arguments ----
def as_floats(value: Any) -> Any:
    """An array or tensor unchanged; a number or a list of numbers as an array of floating-point numbers."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return value
    array = np.asarray(value)
    return array.astype(float) if array.dtype.kind in "biu" else array


def as_tuple(numbers: Any) -> tuple[Any, ...]:
    """One number, or several, as a tuple, like NumPy's axes and shapes."""
    return (numbers,) if np.ndim(numbers) == 0 else tuple(numbers)


# ---- reductions ----
def reduced_axes(axis: Any, ndim: int) -> Shape:
    """The axes reduced over, counted from 0; an array of one number has no axes, and then axis 0 means all of them."""
    if axis is None or not ndim:
        return tuple(range(ndim))
    return tuple(int(a) % ndim for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def with_kept_axes(reduced: Any, shape: Shape, axis: Any) -> Any:
    """A reduction's result, or its cotangent, with axes of length 1 in place of the reduced axes."""
    axes = reduced_axes(axis, len(shape))
    return reduced.reshape(tuple(1 if i in axes else n for i, n in enumerate(shape)))


# ---- many examples at once ----
def axes_of_all(axis: Any, ndim: int) -> Any:
    """Axes of one example, which has `ndim` axes, as axes of the array of all examples; None means all axes."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple(axes_of_all(a, ndim) for a in axis)
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return int(axis) % ndim + 1


def batch_reduction(function: Callable[..., Any]) -> None:
    """Define the batching rule of a function that reduces over one axis, several axes, or all."""

    def rule(a: Any, axis: Any = None, **options: Any) -> Any:
        if a.ndim == 1:  # a number has no axes, but NumPy allows axis=0 or -1 for it
            return np.reshape(function(a[:, None], axis=1, **options), a.shape)
        return function(a, axis=axes_of_all(axis, a.ndim - 1), **options)

    BATCHING[function] = Batching(rule, ("a",))


def batch_scan(function: Callable[..., Any], axis: int | None) -> None:
    """Define the batching rule of a function along one axis, with this default; None means along all elements."""
    default = axis

    def rule(a: Any, axis: Any = default, *rest: Any, **options: Any) -> Any:
        if axis is None:
            keepdims = options.pop("keepdims", False)
            result = function(
                np.reshape(a, (a.shape[0], -1 if a.size else math.prod(a.shape[1:]))), 1, *rest, **options
            )
            return np.reshape(result, (a.shape[0], *(1,) * (a.ndim - 1))) if keepdims else result
        return function(a, axes_of_all(axis, a.ndim - 1), *rest, **options)

    BATCHING[function] = Batching(rule, ("a",))


def batch_stack(function: Callable[..., Any]) -> None:
    """Define the batching rule of a function of the last axes or of each element: it is called on all examples."""
    BATCHING[function] = Batching(lambda a, *rest, **options: function(a, *rest, **options), ("a",))
