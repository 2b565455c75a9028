"""Jacobians, Hessians and their products by hand, compared with what a transform computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.tree import flatten, paths
from ...errors import GradientError
from .engine import differentiated
from .evidence import Row, Sizes, largest, row_of
from .explain import explanations
from .hand import derivation, plain
from .recording import Recording
from .report import GradientComparison
from .rows import Explanation, ParameterComparison
from .single import finding


def of_derivative(given: Any, derivative: Callable[..., Any], args: tuple[Any, ...]) -> GradientComparison:
    """The report on a derivative by hand, beside what a function such as ``hessian(f)`` returns."""
    found = derivative(*args)
    whole = getattr(derivative, "__name__", "derivative")
    leaves = flatten(found)[0]
    if not leaves:
        raise GradientError(f"compare_gradients: {whole} has returned no numbers; nothing can be compared")
    names = paths(found)
    computed = {name: plain(f"what {whole} computes", leaf) for name, leaf in zip(names, leaves, strict=True)}
    if names == [""]:
        computed = {whole: computed[""]}
        given = given if isinstance(given, Mapping) and whole in given else {whole: given}
    derived = derivation(given, computed, {}, {}).gradients
    masks = {n: ~np.ma.getmaskarray(a) for n, a in derived.items() if isinstance(a, np.ma.MaskedArray)}
    rows = [
        ParameterComparison(name, np.ma.getdata(derived[name]), engine, 0.0, masks.get(name))
        for name, engine in computed.items()
        if name in derived
    ]
    ready = [row_of(row, None) for row in rows]
    of_parts = [one for row in ready if (one := _part_of_a_matrix(row)) is not None]
    named = {name for one in of_parts for name in one.parameters}
    said, places = explanations([row for row in ready if row.name not in named], None, Sizes(squared=False))
    not_given = tuple(name for name in computed if name not in derived)
    recording = None
    if not of_parts and not said and len(ready) == len(computed) == 1 and not masks:
        said, recording = _in_the_program(ready[0], derivative, args)
    return GradientComparison(rows, [*of_parts, *said], not_given, recording, places)


def _in_the_program(
    row: Row, derivative: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[list[Explanation], Recording | None]:
    """The mistakes in a Jacobian by hand that the function's graph shows, in one random sum of its rows."""
    f = getattr(derivative, "__wrapped__", None)
    if row.agrees or not row.same_shape or not row.finite or f is None or len(args) != 1:
        return [], None
    if getattr(derivative, "__derivative__", "") != "jacobian" or hasattr(f, "__derivative__"):
        return [], None
    x = np.asarray(args[0])
    axes = row.engine.ndim - x.ndim
    weights = np.random.default_rng(0).normal(size=row.engine.shape[:axes])
    values, computed, recording = differentiated(lambda x: np.sum(weights * f(x)), args, 0)
    (name,) = computed
    summed = ParameterComparison(name, np.tensordot(weights, row.hand, axes), computed[name], recording.terms()[name])
    found, _ = explanations([row_of(summed, values[name])], recording, Sizes(squared=False))
    what = f"{row.name} equals yours"
    return [
        replace(one, parameters=(row.name,), text=one.text.replace(f"gradients of {name} equal yours", what))
        for one in found
    ], recording


def _part_of_a_matrix(row: Row) -> Explanation | None:
    """A part of a square matrix, such as a Hessian, that alone is right."""
    hand, engine = row.hand, row.engine
    if row.agrees or not row.finite or not row.same_shape or hand.ndim < 2 or hand.ndim % 2 or finding(row):
        return None
    n = int(np.prod(hand.shape[: hand.ndim // 2], dtype=int))
    if n < 2 or hand.shape[: hand.ndim // 2] != hand.shape[hand.ndim // 2 :]:
        return None
    H, E = hand.reshape(n, n), engine.reshape(n, n)
    diagonal = np.diag(np.diag(E))
    upper, lower = np.triu(E), np.tril(E)
    versions = [
        ("only the diagonal is there: the mixed derivatives are missing", diagonal),
        ("only the upper triangle is there; the matrix is symmetric, so the lower one is its transpose", upper),
        ("only the lower triangle is there; the matrix is symmetric, so the upper one is its transpose", lower),
        ("the mixed derivatives, off the diagonal, have the wrong sign", 2 * diagonal - E),
        ("the mixed derivatives, off the diagonal, are twice what they are", 2 * E - diagonal),
        ("the mixed derivatives, off the diagonal, are half of what they are", (E + diagonal) / 2),
        ("the derivatives on the diagonal are twice what they are", E + diagonal),
        ("the derivatives on the diagonal are half of what they are", E - diagonal / 2),
    ]
    for text, wrong in versions:
        if row.is_proven_by(wrong.reshape(hand.shape)):
            return Explanation("part of a matrix", (row.name,), f"{row.name}: {text}")
    off = H - E
    allowed = row.tolerance * largest(engine)
    symmetric = largest(E - E.T) <= allowed
    if symmetric and largest(H - H.T) > 1e-4 * largest(H):
        i, j = np.unravel_index(int(np.argmax(np.abs(H - H.T))), (n, n))
        at, across = ([int(k) for k in np.unravel_index(one, hand.shape[: hand.ndim // 2])] for one in (i, j))
        text = (
            f"{row.name}: the matrix is symmetric, and yours is not: {_entry(H, i, j)} at {at + across}, and "
            f"{_entry(H, j, i)} at {across + at}"
        )
        return Explanation("part of a matrix", (row.name,), text)
    if largest(np.diag(off)) <= allowed and n > 2:
        return Explanation(
            "part of a matrix", (row.name,), f"{row.name}: the diagonal agrees, the mixed derivatives do not"
        )
    if largest(off - np.diag(np.diag(off))) <= allowed:
        return Explanation(
            "part of a matrix", (row.name,), f"{row.name}: the mixed derivatives agree, the diagonal does not"
        )
    return None


def _entry(matrix: Any, i: Any, j: Any) -> str:
    return f"{matrix[i, j]:.6g}"
