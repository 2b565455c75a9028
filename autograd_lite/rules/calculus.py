"""How differences, sums over intervals, interpolation and convolution differentiate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..core.custom import primitive
from ..core.registry import defvjp, derive
from ..transforms.linearize import array_like
from ..transforms.rule_tables import deflinear
from .complex_numbers import conjugate


# ---- differences ----
@derive(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue) -> Any:
    """`numpy.diff`: each element minus the one before, `n` times."""
    a = array_like(a)
    if n < 0:
        raise ValueError(f"np.diff: n={n} must not be negative")
    axis = normalize_axis_index(axis, a.ndim)
    beside = tuple(1 if k == axis else length for k, length in enumerate(a.shape))
    parts = [
        part if part is a or array_like(part).ndim else np.broadcast_to(part, beside)
        for part in (prepend, a, append)
        if part is not np._NoValue and part is not None
    ]
    a = np.concatenate(parts, axis=axis) if len(parts) > 1 else a
    before = (slice(None),) * axis
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


@derive(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """`numpy.ediff1d`."""
    flat = np.ravel(ary)
    parts = [flat[1:] - flat[:-1]]
    if to_begin is not None:
        parts.insert(0, np.ravel(array_like(to_begin)).astype(flat.dtype))
    if to_end is not None:
        parts.append(np.ravel(array_like(to_end)).astype(flat.dtype))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


@derive(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """`numpy.gradient`: differences of second order inside, and of `edge_order` at the two ends."""
    f = array_like(f)
    axes = normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)) or (len(varargs) == 1 < len(axes) and array_like(varargs[0]).ndim):
        raise TypeError(
            f"np.gradient: {len(varargs)} spacings for {len(axes)} axes; expected none, a number, or one for each"
        )
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient: edge_order={edge_order!r}; expected 1 or 2")
    given = varargs or (1.0,)
    spacings = given if len(given) == len(axes) else given * len(axes)
    along = tuple(_along(f, k, array_like(spacing), edge_order) for k, spacing in zip(axes, spacings, strict=True))
    return along[0] if len(along) == 1 else along


def _along(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    y = np.moveaxis(f, axis, -1)
    n = y.shape[-1]
    if n < edge_order + 1:
        raise ValueError(f"np.gradient: axis {axis} has {n} elements; edge_order={edge_order} needs {edge_order + 1}")
    if spacing.ndim and spacing.shape != (n,):
        raise ValueError(
            f"np.gradient: the coordinates have shape {spacing.shape}, but the axis has length {n}; expected ({n},)"
        )
    steps = spacing[1:] - spacing[:-1] if spacing.ndim else spacing * np.ones(n - 1, y.dtype)
    left, right = steps[:-1], steps[1:]
    inside = (
        -right / (left * (left + right)) * y[..., :-2]
        + (right - left) / (left * right) * y[..., 1:-1]
        + left / (right * (left + right)) * y[..., 2:]
    )
    if edge_order == 1:
        first, last = (y[..., 1] - y[..., 0]) / steps[0], (y[..., -1] - y[..., -2]) / steps[-1]
    else:
        first = _at_edge(y[..., 0], y[..., 1], y[..., 2], steps[0], steps[1])
        last = -_at_edge(y[..., -1], y[..., -2], y[..., -3], steps[-1], steps[-2])
    slopes = np.concatenate([first[..., None], inside, last[..., None]], axis=-1)
    return np.moveaxis(slopes, -1, axis).astype(f.dtype)


def _at_edge(y0: Any, y1: Any, y2: Any, near: Any, far: Any) -> Any:
    """The slope at the first of three points of the parabola through them."""
    return (
        -(2 * near + far) / (near * (near + far)) * y0
        + (near + far) / (near * far) * y1
        - near / (far * (near + far)) * y2
    )


# ---- sums over intervals ----
@derive(np.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """`numpy.trapezoid`: half of the sum of two neighbours, times the distance between them."""
    y = np.moveaxis(array_like(y), axis, -1)
    if x is None:
        steps = dx
    else:
        x = array_like(x)
        steps = np.diff(x) if x.ndim == 1 else np.diff(np.moveaxis(x, axis, -1), axis=-1)
    return np.sum(steps * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)


@derive(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """`numpy.interp`: the line through the two points around x; at a point, the line of the interval after it."""
    x, xp, fp = array_like(x), array_like(xp), array_like(fp)
    if period is not None:
        period = abs(period)
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    if xp.shape[0] == 1:
        inside = np.broadcast_to(fp, x.shape) + 0 * x
    else:
        i = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, xp.shape[0] - 2)
        (x0, x1), (f0, f1) = ([_at(points, place) for place in (i, i + 1)] for points in (xp, fp))
        inside = (f1 - f0) / (x1 - x0) * (x - x0) + f0
    above = np.where(x >= xp[-1], fp[-1] if right is None else right, inside)
    exact = np.where(np.equal(x, xp[-1]), fp[-1], above)
    found = np.where(x < xp[0], fp[0] if left is None else left, exact)
    return found.astype(np.result_type(found.dtype, np.float64))


def _at(points: Any, place: Any) -> Any:
    return np.reshape(np.take_along_axis(points, np.ravel(place), 0), place.shape)


@derive(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 6.283185307179586) -> Any:
    """`numpy.unwrap`: it adds whole periods, which are constant."""
    discont = period / 2 if discont is None else discont
    steps = np.diff(p, axis=axis)
    short = np.remainder(steps + period / 2, period) - period / 2
    short = np.where(np.equal(short, -period / 2) & np.greater(steps, 0), period / 2, short)
    corrections = np.where(np.less(np.absolute(steps), discont), 0, short - steps)
    first = np.take(p, [0], axis=axis)
    rest = np.take(p, range(1, p.shape[axis]), axis=axis) + np.cumsum(corrections, axis=axis)
    return np.concatenate([first, rest], axis=axis)


# ---- convolution ----
@primitive
def convolve_full(a: Any, v: Any) -> Any:
    """`numpy.convolve` with ``mode="full"``: wherever the two overlap."""
    return np.convolve(a, v)


# The cotangent of a is the correlation of g with v, where they overlap completely.
defvjp(
    convolve_full,
    a=lambda g, v: np.convolve(g, np.flip(v), "valid"),
    v=lambda g, a: np.convolve(g, np.flip(a), "valid"),
)
deflinear(convolve_full, "a", "v")


@derive(np.convolve)
def convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    """`numpy.convolve`: the results of the other modes are parts of the full one."""
    a, v = np.atleast_1d(a), np.atleast_1d(v)
    longer, shorter = max(len(a), len(v)), min(len(a), len(v))
    full = convolve_full(a, v)
    if mode == "full":
        return full
    if mode == "same":
        start = (shorter - 1) // 2
        return full[start : start + longer]
    if mode == "valid":
        return full[shorter - 1 : longer]
    raise ValueError(f"np.convolve: mode={mode!r}; expected 'full', 'same' or 'valid'")


@derive(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """`numpy.correlate`: the convolution with the second array reversed and conjugated."""
    a, v = array_like(a), array_like(v)
    if len(v) > len(a) and mode == "same":
        # NumPy exchanges the two and reverses the result, which chooses the other of two possible middle parts.
        return np.flip(np.convolve(conjugate(v), np.flip(a), mode))
    return np.convolve(a, np.flip(conjugate(v)), mode)
