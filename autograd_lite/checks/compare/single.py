"""Mistakes that one parameter's two gradients prove alone: factors, signs, transposes, orders, decay, sums."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from .evidence import FOLD, Row, largest, multiple
from .rows import Array

SingleKind = Literal["factor", "sign", "transpose", "reversal", "permutation", "shape", "batch sum", "L2"]
"""The kinds of `Explanation` that are found here; `explain` has the sentence of each."""

SHOWN = 8
"""The longest permutation that is written out."""


class Finding(NamedTuple):
    """A mistake that explains one row.

    Attributes
    ----------
    kind : str
        As in `Explanation`.
    factor : float
        The factor between the engine's numbers, rearranged, and those by hand; for "L2" the multiple of the parameter.
    detail : str
        The part of the text that rows with the same finding share.
    """

    kind: SingleKind
    factor: float
    detail: str = ""


def finding(row: Row) -> Finding | None:
    """The simplest of these mistakes that turns the engine's gradient into the one by hand, or None."""
    if not row.finite or row.agrees:
        return None
    for kind, detail, engine in _rearranged(row):
        if engine.shape != row.hand.shape:
            continue
        factor = _factor(row, engine)
        if factor is not None and row.is_proven_by(factor * engine):
            if kind == "factor":
                return Finding("sign" if abs(factor + 1) <= row.tolerance else "factor", factor)
            return Finding(kind, factor, detail)
    return _decay(row) or _permutation(row)


def _factor(row: Row, engine: Array) -> float | None:
    """The factor from these numbers to the gradient by hand; None for a single number, which any factor would fit."""
    if np.count_nonzero(np.abs(engine) > row.tolerance * largest(engine)) < 2 or engine.dtype.kind == "c":
        return None
    factor = multiple(row.hand, engine)
    if abs(factor) <= row.tolerance**2:  # rounding, where the gradient by hand is zero
        return None
    return 1.0 if abs(factor - 1) <= row.tolerance else factor


def _rearranged(row: Row) -> Iterator[tuple[SingleKind, str, Array]]:
    """The engine's numbers as mistakes rearrange them, with those that leave them as they are left out."""
    engine, hand = row.engine, row.hand
    yield "factor", "", engine
    if engine.ndim == 2 and _differs(row, engine.T):
        yield "transpose", "", engine.T
    for axes, detail in _reversible(engine.ndim):
        if _differs(row, np.flip(engine, axes)):
            yield "reversal", detail, np.flip(engine, axes)
    if (counted := _examples_left(row)) is not None:
        yield "batch sum", counted, hand
    if engine.ndim == 2 and engine.shape[0] == engine.shape[1] and hand.shape == engine.shape[:1]:
        yield "shape", "the diagonal of the engine's, as of a product element by element", np.diagonal(engine)
    if hand.shape != engine.shape and hand.size == engine.size and _squeezed(hand) == _squeezed(engine):
        yield "shape", f"{hand.shape}, not {engine.shape}", engine.reshape(hand.shape)


def _examples_left(row: Row) -> str | None:
    """The axis of examples in the gradient by hand, if the engine's gradient is the sum over it; else None."""
    hand, engine = row.hand, row.engine
    if not hand.ndim or hand.size <= engine.size:
        return None
    for axis, counted in ((0, "rows"), (-1, "columns")):
        summed, size = hand.sum(axis=axis), largest(np.abs(hand).sum(axis=axis))
        same_form = summed.size == engine.size and _squeezed(summed) == _squeezed(engine)
        if same_form and largest(summed.reshape(engine.shape) - engine) <= row.tolerance * size:
            return f"{hand.shape[axis]} {counted}"
    return None


def _reversible(ndim: int) -> list[tuple[tuple[int, ...], str]]:
    if ndim == 1:
        return [((0,), "its entries are")]
    if ndim == 2:
        return [((0,), "its rows are"), ((1,), "its columns are"), ((0, 1), "its rows and its columns are")]
    several = [axes for count in range(1, ndim + 1) for axes in combinations(range(ndim), count)] if ndim < 5 else []
    return [
        (axes, f"the entries along {'axes' if axes[1:] else 'axis'} {', '.join(map(str, axes))} are")
        for axes in several
    ]


def _differs(row: Row, rearranged: Array) -> bool:
    """Whether rearranging changes the engine's numbers; transposing a symmetric matrix, for example, proves nothing."""
    if rearranged.shape != row.engine.shape:
        return True
    return largest(rearranged - row.engine) > FOLD * row.tolerance * largest(row.engine)


def _squeezed(array: Array) -> tuple[int, ...]:
    return tuple(n for n in array.shape if n != 1)


def _decay(row: Row) -> Finding | None:
    """A multiple of the parameter that only one of the two gradients has."""
    if row.value is None or not row.same_shape or row.value.shape != row.hand.shape or row.value.dtype.kind == "c":
        return None
    if np.count_nonzero(row.value) < 2:
        return None
    alpha = multiple(row.hand - row.engine, row.value)
    if not row.is_proven_by(row.engine + alpha * row.value):
        return None
    # The difference itself must equal the multiple; comparing the whole gradients is not precise enough for that.
    apart = row.hand - row.engine
    if largest(apart - alpha * row.value) > 1e-3 * largest(apart):
        return None
    return Finding("L2", alpha)


def _permutation(row: Row) -> Finding | None:
    """The rows, columns or entries of the engine's gradient in another order."""
    if not row.same_shape or row.engine.ndim not in (1, 2) or row.engine.dtype.kind == "c":
        return None
    names = ("entries",) if row.engine.ndim == 1 else ("rows", "columns")
    for axis, name in enumerate(names):
        hand, engine = (np.moveaxis(a, axis, 0).reshape(a.shape[axis], -1) for a in (row.hand, row.engine))
        order = _order(hand, engine)
        moved = order != np.arange(len(order))
        if moved.any() and row.is_proven_by(np.take(row.engine, order, axis=axis)) and _distinct(row, engine[moved]):
            return Finding("permutation", 1.0, f"{name} are in another order{_written(order)}")
    return None


def _order(hand: Array, engine: Array) -> Array:
    """For each row of the first matrix, the row of the second that it equals if both have the same rows."""
    direction = np.random.default_rng(0).normal(size=engine.shape[1])
    order = np.empty(len(hand), int)
    order[np.argsort(hand @ direction, kind="stable")] = np.argsort(engine @ direction, kind="stable")
    # Equal rows stay in their places.
    same = np.all(engine[order] == engine, axis=1)
    free = set(range(len(order))) - set(order[~same].tolist())
    for i in np.flatnonzero(same):
        if i in free and order[i] != i:
            j = int(np.flatnonzero(order == i)[0])
            order[j], order[i] = order[i], i
    return order


def _distinct(row: Row, moved: Array) -> bool:
    """Whether the rows that changed places differ by far more than rounding."""
    direction = np.random.default_rng(1).normal(size=moved.shape[1])
    projected = np.sort(moved @ direction)
    return bool(np.min(np.diff(projected), initial=np.inf) > FOLD * row.tolerance * largest(row.engine))


def _written(order: Array) -> str:
    if len(order) > SHOWN:
        return f" ({np.count_nonzero(order != np.arange(len(order)))} of {len(order)} have moved)"
    return f": yours are the engine's {order.tolist()}"
