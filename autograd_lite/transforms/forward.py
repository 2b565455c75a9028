"""Forward mode as a level: its tensors carry tangents, derivatives along a direction, in one pass and with no graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..core.backward import as_dtype
from ..core.context import CONTEXT
from ..core.outputs import in_container_of
from ..core.rule import Mask, Rule
from ..core.tensor import Tensor
from .interpreter import Level, Traced
from .reverse import gradients_of
from .rule_tables import JVPS, LINEAR, push


class Dual(Traced):
    """A tensor of forward mode: a value and its tangent, the derivative of the value along a direction."""

    __slots__ = ("_tangent",)

    _tangent: Any

    def register_hook(self, hook: Callable[[Tensor], Any]) -> NoReturn:
        """Refused: in forward mode no gradient flows back."""
        self._belongs("register_hook() cannot be called in forward mode")


class ForwardLevel(Level):
    """A level whose tensors carry tangents: one pass, with no graph, gives the derivative along a direction."""

    def input(self, value: Any, tangent: Any) -> Dual:
        """A value with its tangent, the direction of the derivative."""
        dual = object.__new__(Dual)
        dual._value, dual._node, dual._name, dual._level, dual._tangent = value, None, None, self, tangent
        return dual

    def record(
        self, rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result with its tangent: the sum of the contributions of the arguments' tangents."""
        lowered, jvps = self.lower(values), JVPS.get(rule, {})
        total: Any = None
        by_transposition: list[tuple[int, tuple[int, ...] | None]] = []
        for position, members in mask:
            name = rule.parameters[position]
            if jvps.get(name) is LINEAR:
                tangent = self._linear(rule, position, members, args, kwargs)
            elif name in jvps or (rule.elementwise and members is None):
                tangent = push(rule, position, self._tangents(values[position], members), lowered, out, members)
            else:
                by_transposition.append((position, members))
                continue
            total = _plus(total, tangent)
        if by_transposition:
            total = _plus(total, self._transposed(rule, tuple(by_transposition), values, lowered, out))
        anomalies = CONTEXT.get().anomalies
        if anomalies is not None:
            tangents = [self._tangents(values[position], members) for position, members in mask]
            anomalies.look_at_tangent(rule.function, (*lowered, *tangents), total)
        if isinstance(out, tuple):
            pairs = zip(out, (None,) * len(out) if total is None else total, strict=True)
            return in_container_of(out, [self.input(part, _like(tangent, part)) for part, tangent in pairs])
        return self.input(out, _like(total, out))

    def tangent(self, value: Any) -> Any:
        """The tangent of a value; zeros for a constant of this level."""
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
        """The function itself, called with the tangent in place of the argument."""
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
        """The tangent of the result by transposing the function that pulls cotangents back, which is linear in them.

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


def _plus(total: Any, tangent: Any) -> Any:
    """The sum of two tangents, where None is zero; for several results, the tuple of their sums."""
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
