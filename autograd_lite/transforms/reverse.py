"""Reverse mode as a level: its tensors carry nodes of a graph, over which cotangents are pulled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.backward import backward_pass
from ..core.context import CONTEXT, RUNNING
from ..core.graph import Leaf, Node
from ..core.messages import refuse_dtype
from ..core.outputs import in_container_of, node_of_call, node_of_output
from ..core.rule import Mask, Recipe, Rule
from ..core.saved import Mark, Saved, kept
from ..core.tensor import Tensor, wrap
from ..core.tree import found, mapped
from .interpreter import Level, Traced


class ReverseLevel(Level):
    """A level whose tensors carry nodes of its own graph, over which cotangents are pulled back."""

    def input(self, value: Any) -> Traced:
        """A value as a leaf of the level."""
        return self._tensor(value, Leaf(value.shape, value.dtype))

    def argument(self, value: Any) -> Traced:
        """A value as a leaf of the level, as it is now, whatever the caller does to it later."""
        if CONTEXT.get().tracer is not None:
            return self.input(value)
        marks: list[Mark] = []
        leaf = self.input(kept(value, marks))
        if marks and leaf._node is not None:
            leaf._node.saved = Saved.with_marks((value,), marks)
        return leaf

    def record(
        self, rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result with the node of the call; a tuple for several results."""
        parents: list[Node] = []
        for position, members in mask:
            chosen = [values[position]] if members is None else [values[position][i] for i in members]
            parents += [tensor._node for tensor in chosen]
        recipe = rule.recipe(mask)
        saved = _as_of_now(recipe.save(self.lower(values), out))
        if isinstance(out, tuple):
            call = node_of_call(recipe, tuple(parents), saved, out)
            return in_container_of(out, [self._tensor(part, node_of_output(call, i)) for i, part in enumerate(out)])
        return self._tensor(out, Node(recipe, tuple(parents), saved, out.shape, out.dtype))

    def recorded(self, recipe: Recipe, parents: tuple[Any, ...], values: tuple[Any, ...], out: Any) -> Traced:
        """See `Level`."""
        dtype = out.dtype
        if dtype.kind not in "fc":
            refuse_dtype(recipe.rule, dtype)
        saved = recipe.save(values, out) if recipe.reads else ()
        return self._tensor(out, Node(recipe, parents, saved, out.shape, dtype))

    def is_alone(self) -> bool:
        """See `Level`."""
        context = CONTEXT.get()
        is_plain = context.paused < self.depth and context.anomalies is None
        return is_plain and self.running and RUNNING[-1] is self and type(self) is ReverseLevel

    def _tensor(self, data: Any, node: Node) -> Traced:
        tensor = object.__new__(Traced)
        tensor._value, tensor._node, tensor._name, tensor._level = data, node, None, self
        return tensor

    def pull(self, out: Traced, g: Any, inputs: list[Traced], retain_graph: bool) -> list[Any]:
        """The cotangents of the inputs for the cotangent ``g`` of a result; None for an input that it does not reach.

        If the cotangent, the result and the saved values are all plain arrays, no outer level differentiates the pass,
        and it may compute in place. Otherwise the rules run on tensors of the outer levels, which differentiate it.
        """
        assert out._node is not None
        if isinstance(g, Tensor) or isinstance(out._value, Tensor):
            reached = backward_pass(out._node, g, retain_graph=retain_graph, lift=lambda node: node.saved or ())
        else:
            reached = backward_pass(out._node, g, retain_graph=retain_graph)
        return [reached.get(tensor._node) if tensor._node is not None else None for tensor in inputs]


class _CapturedLeaf(Mark):
    """A leaf outside of the level, whose array a node of the level has saved."""

    __slots__ = ("_leaf",)

    def __init__(self, array: Any, leaf: Leaf) -> None:
        self.array, self._leaf = array, leaf

    def is_intact(self) -> bool:
        """Whether the leaf's tensor still holds the same array, and that the same numbers."""
        saved = self._leaf.saved
        return saved is not None and (not isinstance(saved, Saved) or saved.changed() is None)


def _as_of_now(saved: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a node saves, with what captured tensors hold now in the place of these tensors."""
    if all(tensor._is_immutable() for tensor in found(Tensor, saved)) or CONTEXT.get().tracer is not None:
        return saved
    marks: list[Mark] = list(saved.marks) if isinstance(saved, Saved) else []

    def held(value: Any) -> Any:
        if not isinstance(value, Tensor) or value._is_immutable():
            return value
        leaf = value._leaf()
        if leaf is None or value._node is None:
            return wrap(kept(value._array(), marks))
        marks.append(_CapturedLeaf(value._array(), leaf))
        return wrap(value._array(), leaf)

    return Saved.with_marks([mapped(held, value) for value in saved], marks)


def gradients_of(scalar: Callable[..., Any], values: list[Any]) -> list[Any]:
    """The gradients of a function of arrays whose result is a single real number; None for an array it does not use."""
    with ReverseLevel("jvp") as level:
        leaves = [level.input(value) for value in values]
        out = scalar(*leaves)
    if not level.owns(out):
        return [None] * len(values)
    return level.pull(out, np.ones_like(out._value), leaves, retain_graph=False)
