"""The text in the nodes of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..core.graph import Node
from ..formatting import with_unit
from .graph_info import Array, Contents
from .text import gradient_of


class Labels:
    """The lines of nodes, modules and constants.

    Parameters
    ----------
    contents : Contents
        The graph.
    gradients : mapping
        From node to gradient, if it is known.
    values : callable, optional
        A function that writes an array as lines of text; without it, numbers are not shown.
    everywhere : bool
        Whether gradients are shown at every node, or only at those whose tensor has one.
    memory : bool
        Whether the labels say what each rule keeps.
    numbers : mapping, optional
        From calls whose results have no name to the names that are shown for them.
    """

    def __init__(
        self,
        contents: Contents,
        gradients: Mapping[Node, Array],
        *,
        values: Callable[[Array], list[str]] | None = None,
        everywhere: bool = False,
        memory: bool = False,
        numbers: Mapping[Node, str] | None = None,
    ) -> None:
        self.contents = contents
        self.gradients = gradients
        self.values = values
        self.everywhere = everywhere
        self.memory = memory
        self.numbers = numbers or {}

    def of_call(self, node: Node, boxed: bool) -> list[str]:
        """The lines of a call, and those of its result if that has no box."""
        lines = [short_name(node)]
        if node in self.numbers and not boxed:
            lines = [f"{self.numbers[node]} = {lines[0]}"]
        if self.memory and node in self.contents.kept:
            names = ", ".join(self.contents.kept[node])
            lines.append(f"keeps {names}: {with_unit(self.contents.bytes_kept(node), 'B')}")
        return lines if boxed else [*lines, *self._numbers(node, self.everywhere)]

    def of_module(self, title: str, nodes: list[Node]) -> list[str]:
        """The lines of a folded module: its parameters, and all their gradients as one."""
        count = sum(math.prod(leaf.shape) for leaf in _leaves(nodes))
        lines = [title, f"{count:,} parameter{'' if count == 1 else 's'}"]
        gradient = self.gradient_of_module(nodes)
        return lines if gradient is None else [*lines, gradient_of(gradient)]

    def gradient_of_module(self, nodes: list[Node]) -> Array | None:
        """The gradients of all parameters among some nodes, as one array; None if they have no gradients."""
        found = [self.gradients[leaf].ravel() for leaf in _leaves(nodes) if leaf in self.gradients]
        return np.concatenate(found) if found else None

    def of_array(self, node: Node) -> list[str]:
        """The lines of the box for a leaf or a result."""
        name = self.contents.names.get(node) or self.numbers.get(node)
        lines = [] if name is None else [name]
        # The gradient of a tensor is always shown.
        left = node.slot is not None and node.slot.grad is not None
        return [*lines, f"{node.shape} {node.dtype}", *self._numbers(node, left or self.everywhere)]

    def of_constant(self, array: Array) -> list[str]:
        """The lines of the box for a constant."""
        return [f"{array.shape} {array.dtype}", *(self.values(array) if self.values else [])]

    def _numbers(self, node: Node, gradient: bool) -> Iterator[str]:
        if self.values and node in self.contents.values:
            yield from self.values(self.contents.values[node])
        if gradient and node in self.gradients:
            yield gradient_of(self.gradients[node])
            if self.values and self.gradients[node].size > 1:
                yield from self.values(self.gradients[node])


def _leaves(nodes: list[Node]) -> list[Node]:
    return [node for node in dict.fromkeys(nodes) if node.recipe is None]


def short_name(node: Node) -> str:
    """The name of a call's function, without its module."""
    assert node.recipe is not None
    return node.recipe.rule.name.rpartition(".")[2].lstrip("_")
