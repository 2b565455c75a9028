"""Copies of a recorded graph in which some nodes do not pass on their cotangents by their rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, NamedTuple

from ...core.graph import Node, ancestors


class Detour(NamedTuple):
    """A replacement for the rule that passes on a node's cotangent.

    Attributes
    ----------
    parents : tuple of Node
        The nodes that get a cotangent: the node's own parents, or any other nodes before it.
    pull : callable
        Takes the node's cotangent, and returns theirs as a tuple.
    """

    parents: tuple[Node, ...]
    pull: Callable[[Any], tuple[Any, ...]]


def rewired(root: Node, detours: Mapping[Node, Detour]) -> Node:
    """The root of a copy of the graph with these detours; the copy shares the graph's leaves.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> from autograd_lite.core.stepper import cotangents_of_all
    >>> x = Tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> without_the_2 = rewired(y.node, {y.node: Detour((x.node,), lambda g: (3.0 * g,))})
    >>> float(cotangents_of_all(without_the_2)[x.node])
    3.0
    """
    copies: dict[Node, Node] = {}
    for node in reversed(ancestors(root)):
        copies[node] = node
        if node.recipe is None:
            continue
        twin = copies[node] = copy(node)
        parents = node.parents
        if node in detours:
            parents, pull = detours[node]
            twin.recipe = copy(node.recipe)
            twin.recipe.pull = _without_saved(pull)
        twin.parents = tuple(copies[parent] for parent in parents)
    return copies[root]


def _without_saved(pull: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, Any], tuple[Any, ...]]:
    return lambda g, saved: pull(g)
