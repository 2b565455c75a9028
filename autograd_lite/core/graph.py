"""The recorded graph: nodes, leaves, and the places where gradients are left.

A `Node` is one recorded call: the recipe for its cotangents, the nodes of the inputs that need a gradient, and
the values that the recipe reads. It holds no tensor, so an intermediate array dies as soon as neither the user
nor a recipe wants it. A node without parents is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ChangedTensorError, FreedGraphError
from .rule import Recipe
from .saved import Saved


class GradientSlot:
    """The place of a gradient: of a leaf's, or of a result's that the user has asked something of.

    Attributes
    ----------
    grad : Tensor or None
        The gradient that passes have left; a thread that has a tracer reads and writes it through that.
    keeps : bool
        Whether they leave it: for leaves, and for tensors told to ``retain_grad()``.
    hooks : tuple of callable
        What is called with the gradient, in their order; each returns the one to go on with.
    """

    __slots__ = ("grad", "hooks", "keeps")

    def __init__(self, keeps: bool = True) -> None:
        self.grad: Any = None
        self.keeps = keeps
        self.hooks: tuple[Callable[[Any], Any], ...] = ()


class Node:
    """One recorded call, or a leaf.

    Attributes
    ----------
    recipe : Recipe or None
        How cotangents are computed; None for a leaf.
    parents : tuple of Node
        The nodes of the inputs that need a gradient, in the order of the recipe's cotangents.
    saved : tuple or None
        The values that the recipe reads; None once a pass has dropped them, or a leaf's tensor has another array.
    shape, dtype
        Of the result, and so of its cotangent.
    slot : GradientSlot or None
        Where the gradient is kept, for leaves and retained tensors.
    name : str or None
        The user's name for the result.
    """

    __slots__ = ("dtype", "name", "parents", "recipe", "saved", "shape", "slot")

    def __init__(
        self,
        recipe: Recipe | None,
        parents: tuple[Node, ...],
        saved: tuple[Any, ...] | None,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self.recipe = recipe
        self.parents = parents
        self.saved = saved
        self.shape = shape
        self.dtype = dtype
        self.slot: GradientSlot | None = None
        self.name: str | None = None


class Leaf(Node):
    """A node that no call made: a tensor on which the user asked for a gradient.

    Attributes
    ----------
    changed : str or None
        How its array was changed since, which ends its validity.
    lent : weakref or None
        To the array that the tensor gave out while a graph had saved its own.
    """

    __slots__ = ("changed", "lent")

    slot: GradientSlot

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], slot: GradientSlot | None = None, name: str | None = None
    ) -> None:
        self.recipe, self.parents, self.saved = None, (), ()
        self.shape, self.dtype = shape, dtype
        self.slot, self.name = slot or GradientSlot(), name
        self.changed: str | None = None
        self.lent: Any = None

    def successor(self, changed: str) -> Leaf:
        """The leaf that the tensor has from now on, since its array was changed in this way."""
        new = Leaf(self.shape, self.dtype, self.slot, self.name)
        self.changed, self.saved = changed, None  # last, since a leaf that is marked and has no successor is of no use
        return new


def count_reuses(root: Node, check: Callable[[Node], None] | None = None) -> dict[Node, int]:
    """For each node that a result was computed from, how often it is used after the first time.

    Nodes whose saved values are gone, or may have changed, are checked, if a check is given.
    """
    reuses = {root: 0}
    stack = [root]
    while stack:
        node = stack.pop()
        if type(node.saved) is not tuple and check is not None:
            check(node)
        for parent in node.parents:
            if parent in reuses:
                reuses[parent] += 1
            else:
                reuses[parent] = 0
                stack.append(parent)
    return reuses


def ancestors(root: Node) -> list[Node]:
    """Every node that a result was computed from, its own included, each before its parents.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = x * x + x
    >>> [node.name or node.recipe.rule.name for node in ancestors(y.node)]
    ['np.add', 'np.multiply', 'x']
    """
    awaited = count_reuses(root)
    order, ready = [], [root]
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in node.parents:
            if awaited[parent]:
                awaited[parent] -= 1
            else:
                ready.append(parent)
    return order


def raise_if_unusable(node: Node) -> None:
    """Refuse a node whose saved values are gone, or are no longer what they were."""
    if isinstance(node.saved, Saved):
        changed = node.saved.changed()
        if changed is None:
            return
        if node.recipe is None:
            raise _changed_leaf(node, "by writing to its .data")
        what = f"an array of shape {changed.shape}, {changed.dtype},"
        raise ChangedTensorError(
            f"backward: {what} that {describe(node)} had saved was written to afterwards, so the gradient would be of "
            "a program that did not run. Call backward() before the array is changed, or write to a copy of it"
        )
    if node.saved is not None:
        return
    if isinstance(node, Leaf):
        raise _changed_leaf(node, str(node.changed))
    raise FreedGraphError(
        f"backward: the graph through {describe(node)} was differentiated before, and its saved values are gone. "
        "Pass retain_graph=True to the earlier backward(), or compute the result again"
    )


def freed_meanwhile(node: Node) -> FreedGraphError:
    """What to raise where another pass, which could use the graph at the same time, has dropped a node's values."""
    return FreedGraphError(
        f"backward: another thread differentiates the same graph, and has dropped what {describe(node)} had saved. No "
        "gradient of this pass was added. Pass retain_graph=True to both backward(), or compute a result in each thread"
    )


def _changed_leaf(node: Node, how: str) -> ChangedTensorError:
    return ChangedTensorError(
        f"backward: {describe(node)} was changed {how} after this graph had used it, so the saved values no longer "
        "belong to it. Call backward() before the change, or compute the result again after it"
    )


def describe(node: Node) -> str:
    """A node in a message: what made it, its name, shape and dtype."""
    made = "the leaf tensor" if node.recipe is None else node.recipe.rule.name.lstrip("_")
    name = f" {node.name!r}" if node.name else ""
    return f"{made}{name} (shape {node.shape}, {node.dtype})"
