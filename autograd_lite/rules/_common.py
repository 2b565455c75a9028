"""What the rules of several families need: strong zeros, axes of reductions and of many examples, arguments as arrays.

A cotangent or tangent that is exactly 0 stays 0 through every elementwise rule, whatever slope it meets, so that what
`numpy.where` does not choose has no part in a gradient, be it infinite or NaN (the strong zero of Enzyme; Moses and
Churavy, *Instead of rewriting foreign code for machine learning, automatically synthesize fast gradients*, 2020). So
rules multiply and divide a cotangent by `strong_product` and `strong_quotient`, and by `symmetric_product` where a
slope of 0 was chosen. Sums, products of matrices and other linear functions of several elements are NumPy's own.

In a batching rule the first axis of every operand counts the examples. So an axis that the user counts from the front
has a number one higher there, and an axis that is counted from the back keeps its number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.registry import defelementwise, defvjp
from ..speed.strong_zero import strong_product as strong_product
from ..speed.strong_zero import strong_quotient as strong_quotient
from ..speed.strong_zero import symmetric_product as symmetric_product
from ..transforms.rule_tables import BATCHING, Batching

Shape = tuple[int, ...]


# ---- strong zeros ----
# A strong zero is a constant 0 in what it is multiplied with, so there no zero meets an infinity or a NaN either.
defvjp(
    strong_product,
    x=lambda g, slope: strong_product(g, slope),
    slope=lambda g, x: symmetric_product(g, x),
)
defvjp(symmetric_product, x1=lambda g, x2: symmetric_product(g, x2), x2=lambda g, x1: symmetric_product(g, x1))
defvjp(
    strong_quotient,
    x=lambda g, divisor: strong_quotient(g, divisor),
    divisor=lambda g, divisor, out: -strong_quotient(symmetric_product(g, out), divisor),
)
defelementwise(strong_product, symmetric_product, strong_quotient)


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


def over_count(x: Any, n: float) -> Any:
    """``x / n``, also where float16 has no number as large as n."""
    if x.dtype == np.float16 and n > _LARGEST_FLOAT16:
        return (x.astype(np.float32) / n).astype(x.dtype)
    return x / n


def shared(g: Any, reached: Any, axes: Any) -> Any:
    """A cotangent in equal shares at the places that are reached, counted along axes that stay, and 0 elsewhere."""
    wide = np.result_type(g.dtype, np.float32)  # a float16 counts to 2048
    ties = np.sum(reached, axis=axes, keepdims=True, dtype=wide)
    return np.where(reached, (g / ties).astype(g.dtype), 0)


_LARGEST_FLOAT16 = 65504


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
