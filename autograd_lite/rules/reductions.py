"""How reductions, and cumulative sums and products, differentiate.

If the largest (or smallest) value occurs several times, ``max`` (``min``) shares the cotangent equally among its
places: that is the symmetric one of the subgradients.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.registry import defconstant, defvjp, derive
from ..transforms.rule_tables import defbatching, defjvp, deflinear
from ._common import (
    Shape,
    axes_of_all,
    batch_reduction,
    batch_scan,
    over_count,
    reduced_axes,
    shared,
    strong_product,
    symmetric_product,
    with_kept_axes,
)
from .complex_numbers import conjugate


# ---- sums and means ----
def _spread(g: Any, shape: Shape, axis: Any) -> Any:
    """The cotangent of a sum: the same for every term."""
    return np.broadcast_to(with_kept_axes(g, shape, axis), shape)


def _count(shape: Shape, axis: Any) -> int:
    """The number of elements that each element of the result is computed from."""
    return math.prod(shape[i] for i in reduced_axes(axis, len(shape)))


def _along(t: Any, gradient: Any, axis: Any, keepdims: Any) -> Any:
    """The derivative of a reduction along ``t``: each element of the result has a gradient of its own elements."""
    return np.sum(symmetric_product(t, gradient), axis=axis, keepdims=bool(keepdims))


defvjp(np.sum, any_value=("initial",), a=lambda g, a_shape, axis: _spread(g, a_shape, axis))
defjvp(np.sum, a=lambda t, axis, keepdims: np.sum(t, axis=axis, keepdims=bool(keepdims)))
batch_reduction(np.sum)

defvjp(np.mean, a=lambda g, a_shape, axis: _spread(over_count(g, max(_count(a_shape, axis), 1)), a_shape, axis))
defjvp(np.mean, a=lambda t, axis, keepdims: np.mean(t, axis=axis, keepdims=bool(keepdims)))
batch_reduction(np.mean)


# ---- variances ----
def _var(g: Any, a: Any, axis: Any, ddof: Any) -> Any:
    """``2 (a - mean) / (n - ddof)``."""
    n = _count(a.shape, axis) - ddof
    deviation = conjugate(a - np.mean(a, axis=axis, keepdims=True))
    return strong_product(over_count(with_kept_axes(g, a.shape, axis) * 2, n), deviation)


defvjp(np.var, a=lambda g, a, axis, ddof: _var(g, a, axis, ddof))
defjvp(
    np.var,
    a=lambda t, out, a, axis, ddof, keepdims: _along(t, _var(np.ones_like(out), a, axis, ddof), axis, keepdims),
)
batch_reduction(np.var)


def _std(g: Any, out: Any, a: Any, axis: Any, ddof: Any) -> Any:
    """``(a - mean) / ((n - ddof) std)``; 0 where all elements are equal, which is the symmetric subgradient."""
    n = _count(a.shape, axis) - ddof
    std = with_kept_axes(out, a.shape, axis)
    deviation = a - np.mean(a, axis=axis, keepdims=True)
    # If the mean of equal elements is rounded, all of them deviate by the same amount, which is then ``std``.
    deviation = deviation - np.mean(deviation, axis=axis, keepdims=True)
    slope = conjugate(deviation) / np.where(np.equal(std, 0), np.ones_like(std), std)
    return strong_product(over_count(with_kept_axes(g, a.shape, axis), n), slope)


defvjp(np.std, a=lambda g, out, a, axis, ddof: _std(g, out, a, axis, ddof))
defjvp(
    np.std,
    a=lambda t, out, a, axis, ddof, keepdims: _along(t, _std(np.ones_like(out), out, a, axis, ddof), axis, keepdims),
)
batch_reduction(np.std)


# ---- the largest and the smallest ----
def _extremum(g: Any, out: Any, a: Any, axis: Any) -> Any:
    """The cotangent, shared equally among the places of the extremum; if the extremum is NaN, among the NaNs."""
    reached = np.equal(a, with_kept_axes(out, a.shape, axis)) | np.isnan(a)
    return shared(with_kept_axes(g, a.shape, axis), reached, reduced_axes(axis, a.ndim))


for _function in (np.max, np.amax, np.min, np.amin):
    defvjp(_function, a=lambda g, out, a, axis: _extremum(g, out, a, axis))
    defjvp(
        _function,
        a=lambda t, out, a, axis, keepdims: _along(t, _extremum(np.ones_like(out), out, a, axis), axis, keepdims),
    )
    batch_reduction(_function)


@derive(np.ptp)
def ptp(a: Any, axis: Any = None, out: None = None, keepdims: bool = False) -> Any:
    """`numpy.ptp`, as the difference of maximum and minimum."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# ---- products ----
def _prod(g: Any, out: Any, a: Any, axis: Any) -> Any:
    """The product of the other factors: by division if the product has kept all its digits, else without division."""
    axes = reduced_axes(axis, a.ndim)
    kept = [i for i in range(a.ndim) if i not in axes]
    order = [*kept, *axes]
    rows = np.reshape(np.transpose(a, order), (*(a.shape[i] for i in kept), -1 if a.size else _count(a.shape, axis)))
    others = np.reshape(_product_of_others(rows), tuple(a.shape[i] for i in order))
    others = np.transpose(others, tuple(int(i) for i in np.argsort(order)))
    product = with_kept_axes(out, a.shape, axis)
    divisible = _divisible(product)
    quotient = product / np.where(divisible, a, np.ones_like(a))
    return strong_product(with_kept_axes(g, a.shape, axis), np.where(divisible, quotient, others))


def _divisible(product: Any) -> Any:
    """Whether each product has kept all its digits, so that dividing by a factor gives the product of the others."""
    return np.greater_equal(np.absolute(product), np.finfo(product.dtype).tiny) & np.isfinite(product)


def _product_before(rows: Any) -> Any:
    """For each element along the last axis, the product of the elements before it."""
    return np.cumprod(np.concatenate([np.ones_like(rows[..., :1]), rows[..., :-1]], axis=-1), axis=-1)


def _product_of_others(rows: Any) -> Any:
    """For each element along the last axis, the product of all others, from the products before and after it."""
    return _product_before(rows) * np.flip(_product_before(np.flip(rows, -1)), -1)


defvjp(np.prod, a=lambda g, out, a, axis: _prod(g, out, a, axis))
defjvp(
    np.prod,
    a=lambda t, out, a, axis, keepdims: _along(t, _prod(np.ones_like(out), out, a, axis), axis, keepdims),
)
batch_reduction(np.prod)


# ---- cumulative sums and products ----
def _cumsum(g: Any, a_shape: Shape, axis: Any) -> Any:
    """The sum of the cotangents from each element to the end, because an element is in all later sums."""
    along = 0 if axis is None else axis
    return np.reshape(np.flip(np.cumsum(np.flip(g, along), axis=along), along), a_shape)


defvjp(np.cumsum, a=lambda g, a_shape, axis: _cumsum(g, a_shape, axis))
deflinear(np.cumsum, "a")
batch_scan(np.cumsum, axis=None)


def _recurrence(a: Any, b: Any) -> Any:
    """``h[i] = a[i] h[i-1] + b[i]`` along the last axis, in log2(n) steps, each over twice the distance.

    Hillis and Steele, *Data parallel algorithms* (1986).
    """
    reach = 1
    while reach < b.shape[-1]:
        nothing = np.zeros_like(b[..., :reach])
        b = b + strong_product(np.concatenate([nothing, b[..., :-reach]], axis=-1), a)
        a = a * np.concatenate([nothing, a[..., :-reach]], axis=-1)
        reach *= 2
    return b


def _along_last(array: Any, axis: Any) -> Any:
    return np.reshape(array, (-1,)) if axis is None else np.moveaxis(array, axis, -1)


def _cumprod(g: Any, a: Any, axis: Any) -> Any:
    """With ``p`` as the product of the elements before: ``p[i] (g[i] + a[i+1] (g[i+1] + a[i+2] (...)))``."""
    rows, g = _along_last(a, axis), _along_last(g, axis)
    following = np.concatenate([np.flip(rows[..., 1:], -1), np.zeros_like(rows[..., :1])], axis=-1)
    following = np.roll(following, 1, axis=-1)
    cotangent = strong_product(np.flip(_recurrence(following, np.flip(g, -1)), -1), _product_before(rows))
    return np.reshape(cotangent, a.shape) if axis is None else np.moveaxis(cotangent, -1, axis)


def _cumprod_along(t: Any, a: Any, axis: Any) -> Any:
    rows = _along_last(a, axis)
    tangent = _recurrence(rows, strong_product(_along_last(t, axis), _product_before(rows)))
    return tangent if axis is None else np.moveaxis(tangent, -1, axis)


defvjp(np.cumprod, a=lambda g, a, axis: _cumprod(g, a, axis))
defjvp(np.cumprod, a=lambda t, a, axis: _cumprod_along(t, a, axis))
batch_scan(np.cumprod, axis=None)


def _cumulative(name: str, scan: Any, initial: float) -> None:
    def cumulative(
        x: Any, /, *, axis: Any = None, dtype: Any = None, out: None = None, include_initial: bool = False
    ) -> Any:
        if axis is None:
            if x.ndim > 1:
                raise ValueError(f"np.{name}: for an array of shape {x.shape}, pass axis=")
            axis = 0
        found = scan(x, axis=axis, dtype=dtype)
        if not include_initial:
            return found
        first = np.full_like(found[(*(slice(None),) * (axis % x.ndim), slice(0, 1))], initial)
        if not x.shape[axis]:
            first = np.full(tuple(1 if k == axis % x.ndim else n for k, n in enumerate(x.shape)), initial, found.dtype)
        return np.concatenate([first, found], axis=axis)

    derive(getattr(np, name))(cumulative)


if hasattr(np, "cumulative_sum"):
    _cumulative("cumulative_sum", np.cumsum, 0.0)
    _cumulative("cumulative_prod", np.cumprod, 1.0)


# ---- counts, truth values and places, which carry no gradient ----
defconstant(
    [
        np.argmax, np.argmin, np.argsort, np.argwhere, np.nonzero, np.flatnonzero, np.searchsorted, np.count_nonzero,
        np.all, np.any, np.digitize, np.lexsort, np.argpartition, np.nanargmax, np.nanargmin,
    ]
)  # fmt: skip
for _count_of in (np.all, np.any, np.count_nonzero):
    batch_reduction(_count_of)
for _place_of in (np.argmax, np.argmin, np.nanargmax, np.nanargmin):
    batch_scan(_place_of, axis=None)
batch_scan(np.argsort, axis=-1)
defbatching(np.searchsorted, "v")(lambda a, v, side="left", sorter=None: np.searchsorted(a, v, side, sorter))
defbatching(np.digitize, "x")(lambda x, bins, right=False: np.digitize(x, bins, right))


@defbatching(np.argpartition, "a")
def _argpartition_all(a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Any:
    if axis is None:
        a, axis = np.reshape(a, (a.shape[0], -1)), 0
    return np.argpartition(a, kth, axes_of_all(axis, a.ndim - 1), kind)
