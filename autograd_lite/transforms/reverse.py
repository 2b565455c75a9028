"""Reverse mode as a level: its tensors carry nodes of a graph, over which cotangents are pulled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.backward import backward_pass
from ..core.graph import Leaf, Node
from ..core.outputs import in_container_of, node_of_call, node_of_output
from ..core.rule import Mask, Rule
from ..core.tensor import Tensor
from .interpreter import Level, Traced


class ReverseLevel(Level):
    """A level whose tensors carry nodes of its own graph, over which cotangents are pulled back."""

    def input(self, value: Any) -> Traced:
        """A value as a leaf of the level."""
        leaf = Leaf(value.shape, value.dtype)
        return self._tensor(value, leaf)

    def record(
        self, rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result with the node of the call; a tuple for several results."""
        parents: list[Node] = []
        for position, members in mask:
            chosen = [values[position]] if members is None else [values[position][i] for i in members]
            parents += [tensor._node for tensor in chosen]
        recipe = rule.recipe(mask)
        saved = recipe.save(self.lower(values), out)
        if isinstance(out, tuple):
            call = node_of_call(recipe, tuple(parents), saved, out)
            return in_container_of(out, [self._tensor(part, node_of_output(call, i)) for i, part in enumerate(out)])
        return self._tensor(out, Node(recipe, tuple(parents), saved, out.shape, out.dtype))

    def _tensor(self, data: Any, node: Node) -> Traced:
        tensor = object.__new__(Traced)
        tensor._data, tensor._node, tensor._name, tensor._level = data, node, None, self
        return tensor

    def pull(self, out: Traced, g: Any, inputs: list[Traced], retain_graph: bool) -> list[Any]:
        """The cotangents of the inputs for the cotangent ``g`` of a result; None for an input that it does not reach.

        If the cotangent, the result and the saved values are all plain arrays, no outer level differentiates the pass,
        and it may compute in place. Otherwise the rules run on tensors of the outer levels, which differentiate it.
        """
        assert out._node is not None
        if isinstance(g, Tensor) or isinstance(out._data, Tensor):
            reached = backward_pass(out._node, g, retain_graph=retain_graph, lift=lambda node: node.saved or ())
        else:
            reached = backward_pass(out._node, g, retain_graph=retain_graph)
        return [reached.get(tensor._node) if tensor._node is not None else None for tensor in inputs]


def gradients_of(scalar: Callable[..., Any], values: list[Any]) -> list[Any]:
    """The gradients of a function of arrays whose result is a single real number; None for an array it does not use."""
    with ReverseLevel("jvp") as level:
        leaves = [level.input(value) for value in values]
        out = scalar(*leaves)
    if not level.owns(out):
        return [None] * len(values)
    return level.pull(out, np.ones_like(out._data), leaves, retain_graph=False)
