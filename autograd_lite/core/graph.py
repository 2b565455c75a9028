"""The recorded graph, and the backward pass over it.

A `Node` is one recorded call: the recipe for its cotangents, the nodes of the inputs that need a gradient, and
the values that the recipe reads. It holds no tensor, so an intermediate array dies as soon as neither the user
nor a recipe wants it. A node without parents is a leaf.

The pass knows no function. Each node runs once, when every use of its result has handed in its cotangent, and
hands cotangents to its parents (Griewank and Walther, *Evaluating Derivatives*, 2nd ed., section 3.2). Nothing
recurses, so the length of a chain is bounded by memory alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ChangedTensorError, FreedGraphError

if TYPE_CHECKING:
    from .rule import Recipe
    from .tensor import Tensor


class GradientSlot:
    """What a pass does with the gradient of a leaf, or of a result that the user has asked something of.

    Attributes
    ----------
    grad : Tensor or None
        The gradient that passes have left.
    keeps : bool
        Whether they leave it: for leaves, and for tensors told to ``retain_grad()``.
    hooks : tuple of callable
        What is called with the gradient, in their order; each returns the one to go on with.
    """

    __slots__ = ("grad", "hooks", "keeps")

    def __init__(self, keeps: bool = True) -> None:
        self.grad: Tensor | None = None
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

    recipe: Recipe | None
    parents: tuple[Node, ...]
    saved: tuple[Any, ...] | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    slot: GradientSlot | None
    name: str | None


def new_node(
    recipe: Recipe | None,
    parents: tuple[Node, ...],
    saved: tuple[Any, ...] | None,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
) -> Node:
    """The node of a call."""
    # One is made in every operation, in half the time that a class with an __init__ takes.
    node = Node()
    node.recipe = recipe
    node.parents = parents
    node.saved = saved
    node.shape = shape
    node.dtype = dtype
    node.slot = None
    node.name = None
    return node


class Leaf(Node):
    """A node that no call made: a tensor on which the user asked for a gradient.

    Attributes
    ----------
    changed : str or None
        How its array was replaced since, which ends its validity.
    """

    __slots__ = ("changed",)

    slot: GradientSlot

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], slot: GradientSlot, name: str | None) -> None:
        self.recipe, self.parents, self.saved = None, (), ()
        self.shape, self.dtype = shape, dtype
        self.slot, self.name = slot, name
        self.changed: str | None = None

    def successor(self, changed: str) -> Leaf:
        """The leaf that the tensor has from now on, since its array was changed in this way."""
        self.changed, self.saved = changed, None
        return Leaf(self.shape, self.dtype, self.slot, self.name)


def backward_pass(
    root: Node, g: Any, *, retain_graph: bool = False, lift: Callable[[Node], tuple[Any, ...]] | None = None
) -> dict[Node, Any]:
    """The gradients of ``<g, root>`` with respect to every node that has a slot.

    Parameters
    ----------
    root : Node
        Where the pass starts.
    g : array or Tensor
        The cotangent of its result, with the root's shape and dtype.
    retain_graph : bool
        Whether saved values are kept for another pass; otherwise each node drops its own as soon as it has run.
    lift : callable, optional
        Gives a node's saved values as tensors in the graph, for a pass that is recorded itself.

    Returns
    -------
    dict
        From node to gradient. Each is an array of its own, shared with no other one, nor with ``g``.

    Raises
    ------
    FreedGraphError, ChangedTensorError
        Before any rule has run.
    """
    awaited = _count_reuses(root, raise_if_unusable)
    sums: dict[Node, tuple[Any, bool]] = {}
    gradients: dict[Node, Any] = {}
    # With each cotangent goes whether it is an array that nobody else holds, which may be written over. What is written
    # has to be of the same kind: a plan that is being recorded has plain arrays beside its own, and takes them for
    # constants.
    ready = [(root, g, False)]
    while ready:
        node, g, is_own = ready.pop()
        if node.slot is not None:
            for hook in node.slot.hooks:
                g, is_own = hook(g), False
            if node.slot.keeps:
                gradients[node] = g if is_own or lift is not None else g.copy()
                is_own = False
        recipe = node.recipe
        if recipe is None:
            continue
        saved = node.saved if lift is None else lift(node)
        if is_own and recipe.pull_in_place is not None and {*map(type, saved or ()), type(g)} == {np.ndarray}:
            cotangents, held = recipe.pull_in_place(g, saved), None
        else:
            cotangents, held = recipe.pull(g, saved), g
            if not recipe.fresh:
                cotangents = checked(cotangents, node)
        makes_own = recipe.fresh and lift is None
        for parent, cotangent in zip(node.parents, cotangents):  # noqa: B905 - equally long, and strict costs time
            if cotangent.shape != parent.shape:
                cotangent = sum_to_shape(cotangent, node, parent)
            if cotangent.dtype is not parent.dtype and cotangent.dtype != parent.dtype:
                cotangent = as_dtype(cotangent, parent.dtype)
            if parent in sums:
                total, own = sums.pop(parent)
                if own and type(total) is type(cotangent):
                    total += cotangent
                else:
                    total = total + cotangent
                cotangent, own = total, True
            else:
                own = makes_own and cotangent is not held and getattr(cotangent, "base", cotangent) is None
            left = awaited[parent]
            if left:
                awaited[parent] = left - 1
                sums[parent] = cotangent, own
            else:
                ready.append((parent, cotangent, own))
        if not retain_graph:
            node.saved = None
    return gradients


def ancestors(root: Node) -> list[Node]:
    """Every node that the root was computed from, itself included, each before its parents.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = x * x + x
    >>> [node.name or node.recipe.rule.name for node in ancestors(y.node)]
    ['np.add', 'np.multiply', 'x']
    """
    awaited = _count_reuses(root)
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


def _count_reuses(root: Node, check: Callable[[Node], None] | None = None) -> dict[Node, int]:
    """For each node on the way to the root, how often it is used after the first time."""
    reuses = {root: 0}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.saved is None and check is not None:
            check(node)
        for parent in node.parents:
            if parent in reuses:
                reuses[parent] += 1
            else:
                reuses[parent] = 0
                stack.append(parent)
    return reuses


def raise_if_unusable(node: Node) -> None:
    """Refuse a node whose saved values are gone, or are no longer those of its tensor."""
    if node.saved is not None:
        return
    if isinstance(node, Leaf):
        raise ChangedTensorError(
            f"backward: {describe(node)} was changed {node.changed} after this graph had used it, so the saved values "
            "no longer belong to it. Call backward() before the change, or compute the result anew after it"
        )
    raise FreedGraphError(
        f"backward: the graph through {describe(node)} was differentiated before, and its saved values are gone. "
        "Pass retain_graph=True to the earlier backward(), or compute the result anew"
    )


def checked(cotangents: tuple[Any, ...], node: Node) -> tuple[Any, ...]:
    """What a user's rules returned, as arrays; None, which says that no gradient flows, as zeros."""
    if len(cotangents) != len(node.parents):
        raise ValueError(
            f"the rule of {describe(node)} returned {len(cotangents)} cotangents where {len(node.parents)} were "
            "expected: one for each of the members"
        )
    return tuple(
        [
            c if type(c) is np.ndarray and c.dtype is parent.dtype else _as_cotangent(c, node, parent)
            for c, parent in zip(cotangents, node.parents, strict=True)
        ]
    )


def _as_cotangent(cotangent: Any, node: Node, parent: Node) -> Any:
    if cotangent is None:
        return np.zeros(parent.shape, parent.dtype)
    if not hasattr(cotangent, "shape") or not hasattr(cotangent, "dtype"):
        try:
            cotangent = np.asarray(cotangent)
        except (TypeError, ValueError):
            cotangent = np.asarray(None)
    if cotangent.dtype.kind not in ("fiub" if parent.dtype.kind == "f" and node.dtype.kind == "f" else "fiubc"):
        raise TypeError(
            f"the rule of {describe(node)} returned {cotangent.dtype} where the cotangent of an argument of shape "
            f"{parent.shape}, {parent.dtype}, was expected; return an array of numbers, or None for no gradient"
        )
    return cotangent


def sum_to_shape(cotangent: Any, node: Node, parent: Node) -> Any:
    """The cotangent of an array that was broadcast: the sum over the axes along which it was repeated."""
    shape, wide = parent.shape, cotangent.shape
    lead = len(wide) - len(shape)
    if lead == 1 and wide[1:] == shape:  # a bias under a batch
        return np.add.reduce(cotangent, axis=0)
    if lead < 0 or any(n not in (1, long) for n, long in zip(shape, wide[lead:], strict=True)):
        raise ValueError(
            f"the rule of {describe(node)} returned a cotangent of shape {wide} for an argument of shape {shape}; it "
            "must have the argument's shape, or one that this broadcasts to"
        )
    repeated = (lead + i for i, n in enumerate(shape) if n != wide[lead + i])
    return np.add.reduce(cotangent, axis=(*range(lead), *repeated)).reshape(shape)


def as_dtype(derivative: Any, dtype: np.dtype[Any]) -> Any:
    """A tangent or cotangent in the dtype of the value it belongs to: a real one pairs with the real part alone."""
    if derivative.dtype.kind == "c" and dtype.kind == "f":
        derivative = np.real(derivative)
    return derivative if derivative.dtype == dtype else derivative.astype(dtype)


def describe(node: Node) -> str:
    """A node in a message: what made it, its name, shape and dtype."""
    made = "the leaf tensor" if node.recipe is None else node.recipe.rule.name.lstrip("_")
    name = f" {node.name!r}" if node.name else ""
    return f"{made}{name} (shape {node.shape}, {node.dtype})"
