"""Mutations of axes: sums over a wrong one, cotangents in reversed order, and only one of the summed terms counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.graph import Node
from .mutations import PATH, SPECIFIC
from .operands import Change
from .recording import Detour, Recording, has_one_output
from .roles import Roles

_LAYOUT = (np.concatenate, np.stack, np.reshape, np.transpose, np.swapaxes, np.moveaxis)

_STATISTICS = (np.mean, np.var, np.std)


def of_axes(recording: Recording, roles: Roles) -> Iterator[Change]:
    """All of them in one graph."""
    for node in recording.order:
        if node.recipe is None or not has_one_output(node):
            continue
        where = roles.place([node])
        yield from _over_another_axis(recording, node, where)
        if node.recipe.rule.call in _LAYOUT:
            yield from _reversed(recording, node, where)
        if node.recipe.rule.call in (np.transpose, np.swapaxes, np.moveaxis):
            parent = node.parents[0]
            if node.shape != parent.shape[::-1] or len(node.shape) > 2:
                text = f"the cotangent is reshaped where it must be transposed, in {where}"
                yield "transpose", text, SPECIFIC, {(node, 0): Detour(parent, _in_shape(parent.shape))}
        for slot, parent in enumerate(node.parents):
            if parent in recording.names:
                yield from _of_one_term(recording, node, slot, where)
    yield from _statistics(recording, roles)


def _over_another_axis(recording: Recording, node: Node, where: str) -> Iterator[Change]:
    """The cotangent of a parameter that was repeated, summed over another axis than the repeated one, or over all."""
    for slot, parent in enumerate(node.parents):
        given = recording.given.get((node, slot))
        if given is None or not hasattr(given, "shape") or given.shape == parent.shape or parent not in recording.names:
            continue
        for axis in range(given.ndim):
            rest = given.shape[:axis] + given.shape[axis + 1 :]
            if math.prod(rest) == math.prod(parent.shape) > 1:
                text = f"the cotangent is summed over axis {axis} and not over the axis that was repeated, in {where}"
                yield "reduction", text, SPECIFIC, {(node, slot): Detour(parent, _summed(node, slot, axis, parent))}
        text = f"the cotangent is summed over all axes, also over that of {recording.names[parent]}, in {where}"
        if math.prod(parent.shape) > 1:
            yield "reduction", text, SPECIFIC, {(node, slot): Detour(parent, _summed(node, slot, None, parent))}


def _summed(node: Node, slot: int, axis: int | None, parent: Node) -> Callable[[Any], Any]:
    def pull(g: Any) -> Any:
        total = np.sum(pull_as_arrays(node, g, node.saved)[slot], axis=axis)
        return np.full(parent.shape, total) if axis is None else total.reshape(parent.shape)

    return pull


def _reversed(recording: Recording, node: Node, where: str) -> Iterator[Change]:
    for axis, length in enumerate(node.shape):
        if length > 1:
            text = f"the cotangent is in reversed order along axis {axis}, in {where}"
            detour = Detour(None, _flipped(axis))
            yield "reversal", text, SPECIFIC, {(node, -1): detour}


def _flipped(axis: int) -> Callable[[Any], Any]:
    return lambda g: np.flip(g, axis)


def _in_shape(shape: tuple[int, ...]) -> Callable[[Any], Any]:
    return lambda g: np.reshape(g, shape)


def _of_one_term(recording: Recording, node: Node, slot: int, where: str) -> Iterator[Change]:
    """Only the first or the last term of the sum that a parameter's gradient is."""
    parent = node.parents[slot]
    for axis, length in enumerate(node.shape):
        if length < 2:
            continue
        for index, which in ((-1, "last"), (0, "first")):
            text = (
                f"only the {which} of {length} terms along axis {axis} is in {recording.names[parent]} (overwritten, "
                f"not added up), in {where}"
            )
            yield "reduction", text, PATH, {(node, slot): Detour(parent, _at(recording, node, slot, axis, index))}


def _at(recording: Recording, node: Node, slot: int, axis: int, index: int) -> Callable[[Any], Any]:
    def pull(g: Any) -> Any:
        alone = np.zeros_like(g)
        at = (slice(None),) * axis + (index,)
        alone[at] = g[at]
        return recording.local(node, alone, slot)

    return pull


# ---- statistics ----


def _statistics(recording: Recording, roles: Roles) -> Iterator[Change]:
    """Means and deviations whose cotangents are summed over another axis, alone and together."""
    found: dict[tuple[tuple[str, ...], int], dict[Any, Detour]] = {}
    for node in recording.order:
        if node.recipe is None or node.recipe.rule.call not in _STATISTICS or len(node.parents) != 1:
            continue
        (parent,) = node.parents
        if len(node.shape) != len(parent.shape) or node.shape == parent.shape:
            continue
        for axis, length in enumerate(parent.shape):
            if node.shape[axis] == 1 or length < 2:
                continue
            detours: dict[Any, Detour] = {}
            for user, slot in recording.users.get(node, ()):
                given = recording.given.get((user, slot))
                if given is not None and getattr(given, "shape", None) == parent.shape:
                    detours[user, slot] = Detour(parent, _spread_over(node, user, slot, axis))
            if detours:
                name = node.recipe.rule.name.split(".")[-1]
                text = f"the sum over axis {axis} stands where the engine sums over another one"
                text += f", in {roles.place([node])}"
                yield "reduction", f"{name}'s derivative: {text}", SPECIFIC, detours
                found.setdefault((roles.nearest[node], axis), {}).update(detours)
    for (names, axis), detours in found.items():
        if len(detours) > 1:
            text = f"the sums over axis {axis} stand where the engine sums over another one, in the statistics"
            yield "reduction", f"{text} ({', '.join(names)})", SPECIFIC, detours


def _spread_over(node: Node, user: Node, slot: int, axis: int) -> Callable[[Any], Any]:
    (parent,) = node.parents
    factor = pull_as_arrays(node, np.ones(node.shape, node.dtype), node.saved)[0]
    scale = math.prod(parent.shape) / math.prod(node.shape) / parent.shape[axis]

    def pull(g: Any) -> Any:
        wide = pull_as_arrays(user, g, user.saved)[slot]
        return np.sum(wide, axis=axis, keepdims=True) * factor * scale

    return pull
