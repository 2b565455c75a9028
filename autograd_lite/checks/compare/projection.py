"""How a change of any cotangent changes a few numbers made of the gradients, so that a mutation is tried in one step.

The gradients are linear in every cotangent on the way to them. So for fixed weights ``w`` the sum ``<w, gradients>``
changes by ``<t, c>`` if the cotangent of a node changes by ``c``, where ``t`` is the node's tangent in the direction
``w`` of the parameters; it is found once for all nodes, by pulling the rules, which are linear, back themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.backward import backward_pass
from ...core.graph import Node
from ...core.tensor import Tensor
from .evidence import Row, largest
from .recording import Detours, Edge, Recording, has_one_output
from .rows import Array

MOST_NUMBERS = 2**24
"""The most numbers that the tangents of all nodes may have."""

Vector = Array
"""For each direction the change of one number."""


class Way(NamedTuple):
    """The nodes from which detoured ones are reached, in order, with the slots that lead there and the rest."""

    nodes: list[Node]
    detoured: frozenset[Node]
    kept: dict[Node, list[int]]
    rest: dict[Node, Array]


class Projection:
    """Random directions in the space of gradients, and what detours change along them.

    Parameters
    ----------
    recording : Recording
    rows : sequence of Row
        The gradients by hand; each that differs has a direction of its own, and those that agree have one together.
    """

    def __init__(self, recording: Recording, rows: Sequence[Row]) -> None:
        self.recording = recording
        self.rows = rows
        rng = np.random.default_rng(0)
        self.differing = [row for row in rows if not row.agrees]
        self.directions: list[dict[str, Array]] = []
        self.names: list[str | None] = []
        wanted: list[float] = []
        allowed: list[float] = []
        for row in self.differing * (2 if len(self.differing) == 1 else 1):
            weights = self._given(row.name, _weights(rng, row, largest(row.hand - row.engine)))
            self.directions.append({row.name: weights})
            self.names.append(row.name)
            wanted.append(_along(weights, row.hand - row.engine))
            allowed.append(_error(weights, row))
        agreeing = [row for row in rows if row.agrees]
        together = {row.name: self._given(row.name, _weights(rng, row, largest(row.engine) or 1.0)) for row in agreeing}
        self.directions.append(together)
        self.names.append(None)
        wanted.append(0.0)
        allowed.append(sum(_error(together[row.name], row) for row in agreeing))
        self.wanted = np.array(wanted)
        self.allowed = np.array(allowed)
        self.base = np.array([sum(_along(w, self._row(n).engine) for n, w in d.items()) for d in self.directions])
        self._of_edges: dict[Edge, Array] = {}
        self._own = self._of_targets()
        self._tangents = self._all_tangents()
        self._handed: dict[Edge, Vector] = {}
        self._ways: dict[frozenset[Node], Way] = {}

    def _row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    def _given(self, name: str, weights: Array) -> Array:
        """The weights of those entries that are compared."""
        given = self.recording.given_entries.get(name)
        return weights if given is None else np.where(given, weights, 0.0)

    # ---- tangents ----

    def _of_targets(self) -> dict[Node, Array]:
        """For each node whose cotangent is compared its own weights along all directions, flat."""
        found: dict[Node, Array] = {}
        for name, node in self.recording.targets.items():
            own = found.setdefault(node, np.zeros((len(self.directions), int(np.prod(node.shape, dtype=int)))))
            for i, weights in enumerate(self.directions):
                if name in weights:
                    own[i] += weights[name].ravel()
        return found

    def _all_tangents(self) -> dict[Node, Array] | None:
        """For each node its tangents along all directions, flat; None where they cannot be had."""
        order, count = self.recording.order, len(self.directions)
        if any(not has_one_output(node) or node.dtype.kind != "f" for node in order):
            return None
        if count * sum(int(np.prod(node.shape)) for node in order) > MOST_NUMBERS:
            return None
        found: dict[Node, Array] = {}
        try:
            for node in reversed(order):
                tangents = np.zeros((count, int(np.prod(node.shape, dtype=int))))
                if node.recipe is not None:
                    self._push(node, found, tangents)
                found[node] = tangents + self._own[node] if node in self._own else tangents
        except (TypeError, ValueError, AttributeError, NotImplementedError):
            return None  # a rule that takes no tensors
        return found

    def _push(self, node: Node, found: Mapping[Node, Array], tangents: Array) -> None:
        """Add up what the tangents of a node's parents make of its own."""
        assert node.recipe is not None
        g = Tensor(np.asarray(self.recording.cotangents[node]), requires_grad=True)
        assert g.node is not None
        for slot, (parent, given) in enumerate(zip(node.parents, node.recipe.pull(g, node.saved), strict=True)):
            own = np.zeros_like(tangents) if len(node.parents) > 1 else tangents
            self._of_edges[node, slot] = own
            if given is None:
                continue
            if given is g:
                own += _spread(found[parent], parent, node.shape).reshape(tangents.shape)
                tangents += own if own is not tangents else 0
                continue
            if not isinstance(given, Tensor) or given.node is None:
                if np.any(given):
                    raise TypeError("a rule that is not recorded")
                continue
            wide = _spread(found[parent], parent, given.shape)
            for i in range(len(tangents)):
                if np.any(wide[i]):
                    seed = wide[i].astype(given.dtype)
                    pulled = backward_pass(given.node, seed, retain_graph=True)
                    if g.node in pulled:
                        own[i] += np.asarray(pulled[g.node]).ravel()
            if own is not tangents:
                tangents += own

    # ---- what detours change ----

    def vector(self, detours: Detours) -> Vector | None:
        """What detours change along every direction; None where they give no finite numbers."""
        tangents = self._tangents
        if tangents is None:
            return self.along(self.recording.changes(detours))
        if len(detours) == 1:
            ((node, slot), (target, pull)) = next(iter(detours.items()))
            if slot >= 0:
                return self._of_edge(node, slot, target, pull, self.recording.cotangents[node])
        total = np.zeros(len(self.directions))
        ends = [node.parents[slot] if slot >= 0 else node for node, slot in detours]
        ends += [target for target, _ in detours.values() if target is not None]
        if all(end.recipe is None for end in ends) and not any(slot < 0 for _, slot in detours):
            for (node, slot), (target, pull) in detours.items():  # none is on the way of another one
                total += self._of_edge(node, slot, target, pull, self.recording.cotangents[node])
            return total
        return total + self._of_several(detours, tangents)

    def _of_several(self, detours: Detours, tangents: Mapping[Node, Array]) -> Vector:
        """What detours change of which one may be on the way of another one."""
        recording = self.recording
        way = self._way(frozenset(node for node, _ in detours))
        total = np.zeros(len(self.directions))
        changed: dict[Node, Any] = {}

        def add(node: Node, change: Any) -> None:
            nonlocal total
            if node in way.kept:
                changed[node] = changed[node] + change if node in changed else change
            else:
                total = total + tangents[node] @ np.ravel(change)

        for node in way.nodes:
            change = changed.get(node)
            if node in way.detoured and (node, -1) in detours:
                before = recording.cotangents[node] if change is None else recording.cotangents[node] + change
                change = np.asarray(detours[node, -1].pull(before)) - recording.cotangents[node]
            if change is not None and node in self._own:
                total = total + self._own[node] @ np.ravel(change)
            if node in way.detoured:
                g = recording.cotangents[node] if change is None else recording.cotangents[node] + change
                for slot, parent in enumerate(node.parents):
                    if (node, slot) in detours:
                        target, pull = detours[node, slot]
                        add(parent, -recording.handed[node, slot])
                        if target is not None:
                            add(target, recording.fit(pull(g), node, target))
                    elif change is not None:
                        add(parent, recording.quick(node, slot)(change))
            elif change is not None:
                for slot in way.kept[node]:
                    add(node.parents[slot], recording.quick(node, slot)(change))
                if (rest := way.rest.get(node)) is not None:
                    total = total + rest @ np.ravel(change)
        return total

    def _way(self, nodes: frozenset[Node]) -> Way:
        """The part of the graph on which a change can still come to one of these nodes."""
        if nodes in self._ways:
            return self._ways[nodes]
        position = self.recording.position
        last = max(position[node] for node in nodes)
        kept: dict[Node, list[int]] = {}
        rest: dict[Node, Array] = {}
        for node in reversed(self.recording.order[: last + 1]):
            slots = [slot for slot, parent in enumerate(node.parents) if parent in kept]
            if slots or node in nodes:
                kept[node] = slots
                others = [self._of_edges[node, slot] for slot in range(len(node.parents)) if slot not in slots]
                if others:
                    rest[node] = np.sum(others, axis=0)
        self._ways[nodes] = Way(list(reversed(kept)), nodes, kept, rest)
        return self._ways[nodes]

    def with_change(self, detours: Detours, changed: Mapping[Node, Any], own: Vector) -> Vector:
        """The same beside other detours, whose changes of all cotangents above are known."""
        assert self._tangents is not None
        ((node, slot), (target, pull)) = next(iter(detours.items()))
        if node not in changed:
            return own
        g = self.recording.cotangents[node] + changed[node]
        handed = self.recording.local(node, changed[node], slot)
        vector = self._of_edge(node, slot, target, pull, g)
        return np.asarray(vector - self._tangents[node.parents[slot]] @ np.ravel(handed))

    def _of_edge(self, node: Node, slot: int, target: Node | None, pull: Any, g: Any) -> Vector:
        assert self._tangents is not None
        if (node, slot) not in self._handed:
            parent = node.parents[slot]
            self._handed[node, slot] = self._tangents[parent] @ np.ravel(self.recording.handed[node, slot])
        if target is None:
            return -self._handed[node, slot]
        given = self.recording.fit(pull(g), node, target)
        return self._tangents[target] @ np.ravel(given) - self._handed[node, slot]

    def along(self, changes: Mapping[str, Array]) -> Vector:
        """What these changes of the gradients are along every direction."""
        return np.array([sum(_along(w, changes[name]) for name, w in d.items()) for d in self.directions])

    @property
    def is_quick(self) -> bool:
        """Whether a mutation is tried at the cost of its own edges."""
        return self._tangents is not None

    # ---- judgement ----

    def fits(self, vector: Vector, names: frozenset[str] | None = None) -> bool:
        """Whether a change may explain all rows, or these, while those that agree stay as they are."""
        apart = np.abs(vector - self.wanted) <= self.allowed + 1e-9 * np.abs(vector)
        if names is None:
            return bool(np.all(apart))
        return all(bool(ok) for ok, name in zip(apart, self.names, strict=True) if name is None or name in names)

    def fits_but_for_the_rest(self, vector: Vector) -> bool:
        """Whether a change may explain all rows that differ, whatever becomes of the others."""
        apart = np.abs(vector - self.wanted) <= self.allowed + 1e-9 * np.abs(vector)
        return bool(np.all(apart[:-1]))

    def explained(self, vector: Vector) -> frozenset[str]:
        """The rows that a change may explain alone; none if it touches those that agree."""
        apart = np.abs(vector - self.wanted) <= self.allowed + 1e-9 * np.abs(vector)
        if not apart[-1]:
            return frozenset()
        pairs = list(zip(self.names, apart, strict=True))[:-1]
        return frozenset(n for n, _ in pairs if n is not None) - {n for n, ok in pairs if not ok and n is not None}

    def fits_times_a_factor(self, vector: Vector) -> bool:
        """Whether the changed gradients may be those by hand, times one factor."""
        changed, hand = self.base[:-1] + vector[:-1], self.base[:-1] + self.wanted[:-1]
        norm = float(changed @ changed)
        if not norm or not np.isfinite(norm):
            return False
        factor = float(changed @ hand) / norm
        return bool(np.max(np.abs(hand - factor * changed)) <= 1e-4 * np.max(np.abs(hand)))


def _weights(rng: np.random.Generator, row: Row, size: float) -> Array:
    weights: Array = np.asarray(rng.normal(size=row.engine.shape))
    weights /= (size or 1.0) * np.sqrt(max(row.engine.size, 1))
    return weights


def _along(weights: Array, change: Array) -> float:
    return float(np.real(np.vdot(weights, change)))


def _error(weights: Array, row: Row) -> float:
    """How far along these weights a row may be from what explains it."""
    sizes = 2 * row.tolerance * max(largest(row.hand), largest(row.engine))
    if row.agrees:
        sizes = max(sizes, 2 * largest(row.hand - row.engine))
    return float(np.sum(np.abs(weights))) * max(sizes, row.rounding)


def _spread(tangents: Array, parent: Node, shape: tuple[int, ...]) -> Array:
    """Tangents of a parent as wide as what a rule hands on to it."""
    missing = len(shape) - len(parent.shape)
    own = tangents.reshape(len(tangents), *((1,) * missing), *parent.shape)
    return np.broadcast_to(own, (len(tangents), *shape))
