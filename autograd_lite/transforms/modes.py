"""The two modes of differentiation as levels: reverse mode records a graph, forward mode carries tangents along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..core.graph import GradientSlot, Leaf, Node, as_dtype, backward_pass, new_node
from ..core.outputs import in_container_of, node_of_call, node_of_result
from ..core.rule import LINEAR, Mask, Rule
from ..core.tensor import Tensor
from .interpreter import Level, Traced


class ReverseLevel(Level):
    """A level whose tensors carry nodes of its own graph, over which cotangents are pulled back."""

    def input(self, value: Any) -> Traced:
        """A value as a leaf of the level."""
        leaf = Leaf(value.shape, value.dtype, GradientSlot(), None)
        return self._tensor(value, leaf)

    def record(
        self, rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result with the node that the call makes; of several a tuple."""
        parents: list[Node] = []
        for position, members in mask:
            chosen = [values[position]] if members is None else [values[position][i] for i in members]
            parents += [tensor._node for tensor in chosen]
        recipe = rule.recipe(mask)
        saved = recipe.save(self.lower(values), out)
        if isinstance(out, tuple):
            call = node_of_call(recipe, tuple(parents), saved, out)
            return in_container_of(out, [self._tensor(part, node_of_result(call, i)) for i, part in enumerate(out)])
        return self._tensor(out, new_node(recipe, tuple(parents), saved, out.shape, out.dtype))

    def _tensor(self, data: Any, node: Node) -> Traced:
        tensor = object.__new__(Traced)
        tensor._data, tensor._node, tensor._name, tensor._level = data, node, None, self
        return tensor

    def pull(self, out: Traced, g: Any, inputs: list[Traced], retain_graph: bool) -> list[Any]:
        """The cotangents of the inputs for the cotangent ``g`` of a result; None for those that it does not reach.

        A cotangent, a result and saved values that are all plain arrays are those of a first derivative, computed in
        place. Otherwise the rules run on the tensors of the levels around, which then differentiate what they compute.
        """
        assert out._node is not None
        if isinstance(g, Tensor) or isinstance(out._data, Tensor):
            reached = backward_pass(out._node, g, retain_graph=retain_graph, lift=lambda node: node.saved or ())
        else:
            reached = backward_pass(out._node, g, retain_graph=retain_graph)
        return [reached.get(tensor._node) if tensor._node is not None else None for tensor in inputs]


class Dual(Traced):
    """A tensor of forward mode: a value and its tangent, the derivative of the value along a direction."""

    __slots__ = ("_tangent",)

    _tangent: Any

    def register_hook(self, hook: Callable[[Tensor], Any]) -> NoReturn:
        """Refused: in forward mode there is no gradient that passes."""
        self._belongs("register_hook() cannot be called in forward mode")


class ForwardLevel(Level):
    """A level whose tensors carry tangents: one pass, with no graph, gives the derivative along a direction."""

    def input(self, value: Any, tangent: Any) -> Dual:
        """A value with the direction in which it moves."""
        dual = object.__new__(Dual)
        dual._data, dual._node, dual._name, dual._level, dual._tangent = value, None, None, self, tangent
        return dual

    def record(
        self, rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result with its tangent: the sum of what the arguments' tangents cause."""
        lowered = self.lower(values)
        total: Any = None
        by_transposition: list[tuple[int, tuple[int, ...] | None]] = []
        for position, members in mask:
            name = rule.parameters[position]
            if rule.jvps.get(name) is LINEAR:
                tangent = self._linear(rule, position, members, args, kwargs)
            elif name in rule.jvps or (rule.elementwise and members is None):
                tangent = rule.push(position, self._tangents(values[position], members), lowered, out, members)
            else:
                by_transposition.append((position, members))
                continue
            total = _plus(total, tangent)
        if by_transposition:
            total = _plus(total, self._transposed(rule, tuple(by_transposition), values, lowered, out))
        if isinstance(out, tuple):
            pairs = zip(out, (None,) * len(out) if total is None else total, strict=True)
            return in_container_of(out, [self.input(part, _like(tangent, part)) for part, tangent in pairs])
        return self.input(out, _like(total, out))

    def tangent(self, value: Any) -> Any:
        """The tangent of a value: of a constant of this level zeros."""
        return value._tangent if self.owns(value) else np.zeros_like(value)

    def _tangents(self, value: Any, members: tuple[int, ...] | None) -> Any:
        return value._tangent if members is None else [value[i]._tangent for i in members]

    def _linear(
        self,
        rule: Rule,
        position: int,
        members: tuple[int, ...] | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """The function itself, called on the tangent in the argument's place."""
        name = rule.parameters[position]
        lowered, named = list(self.lower(args)), self.lower(kwargs)
        given = kwargs[name] if name in kwargs else args[position]
        tangent = given._tangent if members is None else type(given)(map(self.tangent, given))
        if name in kwargs:
            named[name] = tangent
        else:
            lowered[position] = tangent
        return rule.call(*lowered, **named)

    def _transposed(self, rule: Rule, mask: Mask, values: Any, lowered: Any, out: Any) -> Any:
        """The transpose of the function that pulls cotangents back, which is linear in the cotangent.

        The tangent is the gradient, with respect to the cotangent, of the pairing of its pullback with the tangents.
        """
        recipe = rule.recipe(mask)
        saved = recipe.save(lowered, out)
        tangents: list[Any] = []
        for position, members in mask:
            found = self._tangents(values[position], members)
            tangents += [found] if members is None else found

        def paired(*g: Any) -> Any:
            cotangents = recipe.pull(g if isinstance(out, tuple) else g[0], saved)
            return sum(np.sum(np.real(c * t)) for c, t in zip(cotangents, tangents, strict=True) if c is not None)

        pushed = gradients_of(paired, [np.zeros_like(part) for part in (out if isinstance(out, tuple) else (out,))])
        return pushed if isinstance(out, tuple) else pushed[0]


def gradients_of(scalar: Callable[..., Any], values: list[Any]) -> list[Any]:
    """The gradients of a function of arrays, whose result is a single real number; None where it uses one not."""
    with ReverseLevel("jvp") as level:
        leaves = [level.input(value) for value in values]
        out = scalar(*leaves)
    if not level.owns(out):
        return [None] * len(values)
    return level.pull(out, np.ones_like(out._data), leaves, retain_graph=False)


def _plus(total: Any, tangent: Any) -> Any:
    """The sum of two tangents, of which None is zero; of several results each with its own."""
    if total is None or tangent is None:
        return tangent if total is None else total
    if isinstance(total, tuple | list):
        return [_plus(a, b) for a, b in zip(total, tangent, strict=True)]
    return total + tangent


def _like(tangent: Any, out: Any) -> Any:
    """A tangent with the shape and the dtype of the value that it belongs to."""
    if tangent is None:
        return np.zeros_like(out)
    if tangent.shape != out.shape:
        tangent = np.broadcast_to(tangent, out.shape)
    return as_dtype(tangent, out.dtype)
