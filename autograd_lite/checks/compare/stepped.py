"""Cotangents that go through weights which are no longer those of the forward pass: stepped, decayed, or others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...core.graph import Node
from .evidence import Row
from .network import calls
from .recording import Detour, Detours, Recording
from .rows import Array, Explanation

MOST_UNKNOWN = 150
"""The most numbers of a matrix that are looked for."""

SPARE = 1.3
"""How many equations there must be for each number that is found, before it proves anything."""

LARGEST_RATE = 1e4

Changes = Callable[[Detours], dict[str, Array] | None]


class Product(NamedTuple):
    """A product with a matrix that is a parameter, and the edge on which the cotangent goes through it."""

    node: Node
    slot: int
    moved: Row

    def through(self, recording: Recording, added: Any) -> Detours:
        """The detour by which the cotangent goes through this matrix beside the parameter."""
        node, slot = self.node, self.slot
        turned = np.asarray(added).T

        def pull(g: Any) -> Any:
            return recording.local(node, g, slot) + (turned @ g if slot else g @ turned)

        return {(node, slot): Detour(node.parents[slot], pull)}


def products(recording: Recording, rows: Sequence[Row], others: Sequence[Row] = ()) -> Iterator[Product]:
    """The products through which all that differs could have gone, with matrices of these rows or of others."""
    by_name = {row.name: row for row in (*rows, *others)}
    differing = {row.name for row in rows if not row.agrees}
    for node in recording.order:
        if not (calls(node, np.matmul) or calls(node, np.dot)) or len(node.parents) != 2 or len(node.shape) != 2:
            continue
        for slot in (0, 1):
            moved = by_name.get(recording.names.get(node.parents[1 - slot], ""))
            if moved is not None and moved.hand.ndim == 2 and differing <= recording.reaches[node.parents[slot]]:
                yield Product(node, slot, moved)


def through_stepped(
    recording: Recording,
    rows: Sequence[Row],
    changes: Changes,
    place: Callable[[Node], str],
    others: Sequence[Row] = (),
) -> Explanation | None:
    """A matrix that has been stepped by a multiple of its gradient, and perhaps decayed, that all rows agree on."""
    for product in products(recording, rows, others):
        name, value = product.moved.name, product.moved.value
        by_step = changes(product.through(recording, -product.moved.hand))
        by_right = by_step if product.moved.agrees else changes(product.through(recording, -product.moved.engine))
        by_decay = None if value is None else changes(product.through(recording, -value))
        for parts in ([by_step], [by_right], [by_step, by_decay]):
            if any(part is None for part in parts):
                continue
            fitted = _fitted(rows, [part for part in parts if part is not None])
            if fitted is None or not 0 < fitted.numbers[0] < LARGEST_RATE:
                continue
            text = f"the cotangent goes through the {name} that has already been stepped, by {fitted.numbers[0]:.6g} "
            text += "times its gradient"
            if len(parts) > 1:
                text += f" and {fitted.numbers[1]:.6g} times itself"
            return _said(f"{text}, in {place(product.node)}", fitted.proven, product)
    return None


def through_another(
    recording: Recording, rows: Sequence[Row], changes: Changes, place: Callable[[Node], str]
) -> Explanation | None:
    """Another matrix in the place of a parameter, found from more equations than it has numbers."""
    equations = sum(row.hand.size for row in rows if not row.agrees)
    for product in products(recording, rows):
        shape = product.moved.engine.shape
        count = int(np.prod(shape))
        if count > MOST_UNKNOWN or equations < SPARE * count:
            continue
        parts = []
        for at in np.ndindex(*shape):
            unit = np.zeros(shape)
            unit[at] = 1.0
            part = changes(product.through(recording, unit))
            if part is None:
                break
            parts.append(part)
        fitted = _fitted(rows, parts) if len(parts) == count else None
        if fitted is not None and not _fits_anything(recording, rows, changes, product, parts):
            text = f"the cotangent goes through another matrix than the {product.moved.name} of the forward pass, as "
            text += f"after a step with momentum or of another optimiser, in {place(product.node)}"
            return _said(text, fitted.proven, product)
    return None


def _fits_anything(
    recording: Recording, rows: Sequence[Row], changes: Changes, product: Product, parts: Sequence[dict[str, Array]]
) -> bool:
    """Whether another matrix would explain a cotangent at random as well, as where the examples are few."""
    node, slot = product.node, product.slot
    parent = node.parents[slot]
    noise = np.random.default_rng(0).normal(size=parent.shape)
    by_noise = changes({(node, slot): Detour(parent, lambda g: recording.local(node, g, slot) + noise)})
    if by_noise is None:
        return True
    drawn = [row if row.agrees else replace(row, hand=row.engine + by_noise[row.name]) for row in rows]
    return _fitted(drawn, parts) is not None


class Fitted(NamedTuple):
    """Multiples of changes that explain all rows, and the rows that prove it."""

    numbers: list[float]
    proven: list[str]


def _fitted(rows: Sequence[Row], parts: Sequence[dict[str, Array]]) -> Fitted | None:
    differing = [row for row in rows if not row.agrees]
    if any(row.hand.dtype.kind == "c" for row in rows):
        return None
    scales = [float(np.max(np.abs(row.hand - row.engine))) for row in differing]
    columns = [
        np.concatenate([(part[row.name] / s).ravel() for row, s in zip(differing, scales, strict=True)])
        for part in parts
    ]
    matrix = np.stack(columns, axis=1)
    wanted = np.concatenate([((row.hand - row.engine) / s).ravel() for row, s in zip(differing, scales, strict=True)])
    if len(wanted) <= len(parts):
        return None
    numbers, _, rank, _ = np.linalg.lstsq(matrix, wanted)
    if len(wanted) < SPARE * rank:
        return None
    predicted = {
        row.name: row.engine + sum(n * p[row.name] for n, p in zip(numbers, parts, strict=True)) for row in rows
    }
    if not all(row.is_close_to(predicted[row.name]) for row in rows):
        return None
    proven = [row.name for row in differing if row.is_proven_by(predicted[row.name])]
    return Fitted([float(n) for n in numbers], proven) if proven else None


def _said(text: str, proven: Sequence[str], product: Product) -> Explanation:
    equal = f"with this mistake, the engine's gradients of {', '.join(proven)} equal yours"
    return Explanation("stepped weights", tuple(proven), f"{text}: {equal}", ((product.node, product.slot, None),))
