"""A backward pass that leaves the graph and every gradient as they were, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .graph import Node, ancestors, as_dtype, checked, raise_if_unusable, sum_to_shape

Detour = Callable[[Any], list[tuple[Node, Any]]]
"""What a node does with its cotangent in place of its rule: the nodes that get a cotangent, and which."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a step adds to the cotangent of one of its node's parents.

    Attributes
    ----------
    parent : Node
        The parent.
    given : array
        What the rule gave; it may be wider than the parent, if that was broadcast.
    cotangent : array
        The same in the parent's shape and dtype.
    before : array or None
        What other steps had added before; None if this is the first.
    total : array
        Both together.
    """

    parent: Node
    given: Any
    cotangent: Any
    before: Any
    total: Any


@dataclass(frozen=True, slots=True)
class Step:
    """A node's turn in a backward pass.

    Attributes
    ----------
    node : Node
        The node, whose whole cotangent has come in; a leaf hands on nothing.
    cotangent : array
        That cotangent.
    contributions : tuple of Contribution
        What the node's rule hands on, in the order of the parents.
    """

    node: Node
    cotangent: Any
    contributions: tuple[Contribution, ...]


def steps(
    root: Node, seed: Any = None, detours: Mapping[Node, Detour] | None = None, *, hooks: bool = False
) -> Iterator[Step]:
    """Every node's step, in the order of the backward pass.

    Parameters
    ----------
    root : Node
        Of the result.
    seed : array, optional
        The cotangent of the result; 1 by default.
    detours : mapping, optional
        Other steps than the rules' at some nodes.
    hooks : bool, default False
        Whether the users' hooks are called, as they are in a pass that counts.

    Raises
    ------
    FreedGraphError, ChangedTensorError
        Before the first step, if saved values are gone, or are no longer those of their tensors.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> first, *_ = steps((x * 2).node)
    >>> first.node.recipe.rule.name, float(first.cotangent), float(first.contributions[0].total)
    ('np.multiply', 1.0, 2.0)
    """
    order = ancestors(root)
    for node in order:
        raise_if_unusable(node)
    detours = detours or {}
    cotangents: dict[Node, Any] = {root: np.ones(root.shape, root.dtype) if seed is None else seed}
    for node in order:
        if node not in cotangents:
            continue
        g = cotangents.pop(node)
        if hooks and node.slot is not None:
            for hook in node.slot.hooks:
                g = hook(g)
        contributions = []
        for target, given in detours[node](g) if node in detours else step(node, g):
            cotangent = sum_to_shape(given, node, target) if given.shape != target.shape else given
            cotangent = as_dtype(cotangent, target.dtype)
            before = cotangents.get(target)
            cotangents[target] = cotangent if before is None else before + cotangent
            contributions.append(Contribution(target, given, cotangent, before, cotangents[target]))
        yield Step(node, g, tuple(contributions))


def cotangents_of_all(
    root: Node, detours: Mapping[Node, Detour] | None = None, *, hooks: bool = False
) -> dict[Node, Any]:
    """The cotangent of every node that a result was computed from, and its own, which is 1; see `steps`.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> h = x * x
    >>> found = cotangents_of_all((2 * h).node)
    >>> float(found[h.node]), float(found[x.node])
    (2.0, 12.0)
    """
    return {one.node: one.cotangent for one in steps(root, None, detours, hooks=hooks)}


def step(node: Node, g: Any) -> list[tuple[Node, Any]]:
    """What a node's rule hands on: each parent, and its part of the cotangent; a leaf hands on nothing."""
    if node.recipe is None:
        return []
    cotangents = node.recipe.pull(g, node.saved)
    return list(zip(node.parents, cotangents if node.recipe.fresh else checked(cotangents, node), strict=True))
