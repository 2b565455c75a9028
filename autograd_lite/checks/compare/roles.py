"""Which nodes of a graph do the same: the steps of a recurrence, the parts of a convolution; and how they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.dispatch import getitem
from ...core.graph import Node, describe
from .network import calls
from .recording import Recording

LINEAR = frozenset(
    {
        np.add, np.subtract, np.negative, np.matmul, np.dot, np.einsum, np.tensordot, np.inner, np.outer, np.multiply,
        np.divide, np.transpose, np.reshape, np.swapaxes, np.moveaxis, np.broadcast_to, np.expand_dims, np.concatenate,
        np.stack, np.sum, getitem,
    }
)  # fmt: skip
"""Functions that pass on which parameters a node has been computed with; any other one begins anew."""


class Roles:
    """The role of each node: its function and the nearest parameters that it is computed with.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.nearest: dict[Node, tuple[str, ...]] = {}
        self.groups: dict[Any, list[Node]] = {}
        self._of: dict[Node, Any] = {}
        for node in reversed(recording.order):
            self.nearest[node] = self._nearest(node)
        closest = self._closest()
        places = steps_of_loops(recording)
        for node in reversed(recording.order):
            if node.recipe is not None:
                call = node.recipe.rule.call
                by_constant = call is np.divide and len(node.parents) == 1
                key = places.get(node) or (call, by_constant, node.shape, closest[node])
                self._of[node] = key
                self.groups.setdefault(key, []).append(node)

    def _closest(self) -> dict[Node, tuple[int, tuple[str, ...]]]:
        """For each node the parameters that the fewest calls lead to it, and how many: the same at every step."""
        found: dict[Node, tuple[int, tuple[str, ...]]] = {}
        for node in reversed(self.recording.order):
            if node in self.recording.names:
                found[node] = 0, (self.recording.names[node],)
                continue
            least = min((found[parent][0] for parent in node.parents), default=0)
            names = {name for parent in node.parents if found[parent][0] == least for name in found[parent][1]}
            found[node] = least + 1, tuple(sorted(names))
        return found

    def group(self, node: Node) -> list[Node]:
        """The nodes of the same role, in the order in which they were computed."""
        return self.groups[self._of[node]]

    def _nearest(self, node: Node) -> tuple[str, ...]:
        names = self.recording.names
        if node in names:
            return (names[node],)
        found: list[str] = []
        for parent in node.parents:
            if parent in names:
                found.append(names[parent])
            elif _passes_on(parent) or (calls(node, np.add) and calls(parent, np.multiply)):
                found += self.nearest[parent]
        if not found:
            for parent in node.parents:
                found += self.nearest[parent]
        return tuple(dict.fromkeys(sorted(found, key=list(self.recording.parameters).index)))

    def place(self, nodes: Sequence[Node]) -> str:
        """Where nodes of one role are: the layer, or the parameters that they are computed with, and the step."""
        node = nodes[0]
        for layer in self.recording.layers:
            weights = self.recording.parameters[layer.parameters[0]]
            if node is layer.preactivation or node in layer.ends or weights in node.parents:
                return str(layer)
        group = self.group(node)
        made = "" if node.recipe is None else node.recipe.rule.name.lstrip("_")
        named = f" ({', '.join(self.nearest[node])})" if self.nearest[node] else ""
        if len(group) > 1 and len(nodes) == 1:
            made += f", call {group.index(node) + 1} of {len(group)}"
        return f"{made}{named}" if node.recipe is not None else describe(node)


LONGEST_PERIOD, MOST_CALLS = 150, 3000
"""How many calls a step of a loop may have, and all of the program, so that loops are looked for."""


def steps_of_loops(recording: Recording) -> dict[Node, Any]:
    """For each call in a loop that uses the same parameters at every step its place in the step.

    The calls of a loop repeat themselves: in the order in which they were made, their lines, functions and shapes have
    a period.
    """
    calls_made = [node for node in recording.lines if node in recording.position and node.recipe is not None]
    if len(calls_made) > MOST_CALLS:
        return {}
    marks = [hash((recording.lines[n], n.recipe and n.recipe.rule.name, n.shape)) for n in calls_made]
    found: dict[Node, Any] = {}
    start = 0
    while start < len(marks):
        best, period = 0, 0
        for p in range(1, min(LONGEST_PERIOD, (len(marks) - start) // 2) + 1):
            if marks[start] != marks[start + p]:
                continue
            length = p
            while start + length < len(marks) and marks[start + length] == marks[start + length - p]:
                length += 1
            if length // p >= 2 and length > best:
                best, period = length, p
        run = calls_made[start : start + best - best % period] if best else []
        if run and _uses_the_same(run, period, recording):
            found |= {node: ("step", start, i % period) for i, node in enumerate(run)}
            start += len(run)
        else:
            start += 1
    return found


def _uses_the_same(run: Sequence[Node], period: int, recording: Recording) -> bool:
    names = [tuple(recording.names.get(parent) for parent in node.parents if parent in recording.names) for node in run]
    return any(names) and all(name == names[i % period] for i, name in enumerate(names))


def _passes_on(node: Node) -> bool:
    """Whether a node is a linear function of what it is computed from, or a product."""
    if node.recipe is None or node.recipe.rule.call not in LINEAR:
        return False
    call = node.recipe.rule.call
    if call is np.divide:
        return node.recipe.arguments == ("x1",)
    return call is not np.multiply or len(node.parents) == 1 or any(p.recipe is None for p in node.parents)
