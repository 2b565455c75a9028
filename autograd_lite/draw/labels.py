"""The text in the nodes of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ..core.graph import Node
from ..formatting import with_unit
from .graph_info import Constant, Contents, has_several
from .live import Array
from .repeats import Run, short_name
from .text import SMALL, gradient_of, root_mean_square


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
    gone : bool
        Whether it is said of a result that its value is gone.
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
        gone: bool = False,
        memory: bool = False,
        numbers: Mapping[Node, str] | None = None,
    ) -> None:
        self.contents = contents
        self.gradients = gradients
        self.values = values
        self.everywhere = everywhere
        self.gone = gone
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
        lines = [title, f"{count:,} parameter{'' if count == 1 else 's'}"] if count else [title]
        gradient = self.gradient_of_module(nodes)
        return lines if gradient is None else [*lines, gradient_of(gradient)]

    def of_run(self, run: Run) -> list[str]:
        """The lines of units that are folded: their parameters, and the gradients of the first and of the last."""
        title, *lines = self.of_module(run.title, run.nodes)
        if lines and lines[-1].startswith("gradient rms"):
            found = [self.gradient_of_module([*unit]) for unit in (run.units[0], run.units[-1])]
            sizes = [f"{root_mean_square(g):.2e}" for g in found if g is not None]
            lines[-1:] = [f"gradient rms {size} in the {which}" for size, which in zip(sizes, ("first", "last"))]  # noqa: B905
        return [title, *lines]

    def gradient_of_module(self, nodes: list[Node]) -> Array | None:
        """The gradients of all parameters among some nodes, as one array; None if they have no gradients."""
        found = [self.gradients[leaf].ravel() for leaf in _leaves(nodes) if leaf in self.gradients]
        return np.concatenate(found) if found else None

    def of_array(self, node: Node) -> list[str]:
        """The lines of the box for a leaf or a result."""
        name = self.contents.names.get(node) or self.numbers.get(node) or self.contents.name_of(node)
        lines = [] if name is None else [name]
        # The gradient of a tensor is always shown.
        left = node.slot is not None and node.slot.grad is not None
        if node.shape or not self.values:
            lines.append(f"{node.shape} {node.dtype}")
        return [*lines, *self._numbers(node, left or self.everywhere)]

    def of_constant(self, constant: Constant, named_after_argument: bool) -> list[str]:
        """The lines of the box for a constant: the variable's name, or the argument's if that is said by no edge."""
        name = constant.name or (constant.argument if named_after_argument else None)
        lines = [] if name is None else [name]
        return [*lines, f"{constant.array.shape} {constant.array.dtype}", *(self._shown("", constant.array))]

    def _numbers(self, node: Node, gradient: bool) -> Iterator[str]:
        if node in self.contents.values:
            yield from self._shown("value ", self.contents.values[node])
        elif self.gone and not has_several(node):
            yield "value gone"
        if gradient and node in self.gradients:
            array = self.gradients[node]
            if not self.values or array.size > SMALL or array.size < 2 or np.isnan(array).any():
                yield gradient_of(array)
            if self.values and array.size > 1:
                yield from self._shown("gradient ", array)

    def _shown(self, title: str, array: Array) -> list[str]:
        """The numbers of an array, after a title if they are all written out."""
        if self.values is None:
            return []
        rows = self.values(array)
        if not title or not rows or not 0 < array.size <= SMALL:
            return rows
        if len(rows) == 1:
            return [title + rows[0]]
        together = f"{title}[{', '.join(rows)}]"
        return [together] if len(together) <= _LONGEST_MATRIX else [title.rstrip(), *rows]


_LONGEST_MATRIX = 36
"""Characters of a matrix that stands in one line."""


def _leaves(nodes: list[Node]) -> list[Node]:
    return [node for node in dict.fromkeys(nodes) if node.recipe is None]
