"""The backward pass: one loop over the graph, which knows no function.

Each node runs once, when every use of its result has handed in its cotangent, and hands cotangents to its parents
(Griewank and Walther, *Evaluating Derivatives*, 2nd ed., section 3.2). Nothing recurses, so the length of a chain is
bounded by memory alone. Nothing in a pass reads a number.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any, NoReturn, Protocol

import numpy as np

from .context import CONTEXT, unobserved
from .graph import Node, count_reuses, describe, freed_meanwhile, raise_if_unusable
from .outputs import filled


class Watcher(Protocol):
    """What looks on while a pass runs."""

    def take_turn(self, node: Node, g: Any) -> None:
        """A node has its whole cotangent, and is about to hand on."""

    def hand_on(self, parent: Node, given: Any, cotangent: Any, before: Any, total: Any) -> None:
        """It hands on to a parent: as the rule gave it, in the parent's shape, what was there before, and the sum."""


def backward_pass(
    root: Node,
    g: Any,
    *,
    retain_graph: bool = False,
    lift: Callable[[Node], tuple[Any, ...]] | None = None,
    watcher: Watcher | None = None,
    hooks: bool = True,
) -> dict[Node, Any]:
    """The gradients of ``<g, root>`` with respect to every node that keeps its gradient.

    Parameters
    ----------
    root : Node
        Where the pass starts.
    g : array or Tensor
        The cotangent of its result, with the root's shape and dtype.
    retain_graph : bool, default False
        Whether saved values are kept for another pass; otherwise each node drops its own as soon as it has run.
    lift : callable, optional
        Gives a node's saved values as tensors in the graph, for a pass that is recorded itself.
    watcher : Watcher, optional
        What looks on.
    hooks : bool, default True
        Whether the users' hooks are called.

    Returns
    -------
    dict
        From node to gradient. Each is an array of its own, shared with no other one, nor with ``g``.

    Raises
    ------
    FreedGraphError, ChangedTensorError
        Before any rule has run; or in the middle, with no gradient left anywhere, if another thread differentiates the
        same graph and drops its values.
    """
    awaited = count_reuses(root, raise_if_unusable)
    context = CONTEXT.get()
    if context.anomalies is not None and watcher is None:
        with unobserved():  # the calls within rules, of which the watcher sees what they lead to
            return backward_pass(
                root, g, retain_graph=retain_graph, lift=lift, watcher=context.anomalies.watcher(), hooks=hooks
            )
    tracer = context.tracer if lift is None else None
    sums: dict[Node, tuple[Any, bool]] = {}
    gradients: dict[Node, Any] = {}
    # With each cotangent goes whether nobody else holds it: then it is kept, or added to, without a copy.
    ready = [(root, g, False)]
    while ready:
        node, g, is_own = ready.pop()
        if node.slot is not None:
            if hooks:
                for hook in node.slot.hooks:
                    g, is_own = hook(g), False
            if node.slot.keeps:
                gradients[node] = g if is_own or lift is not None else g.copy()
        if watcher is not None:
            watcher.take_turn(node, g)
        recipe = node.recipe
        if recipe is None:
            if node.saved and not retain_graph:
                node.saved = ()  # a mark of what the leaf's array held, for graphs that are gone with this pass
            continue
        if tracer is None:
            if (saved := node.saved) is None:
                raise freed_meanwhile(node)
            cotangents = recipe.pull(g, saved if lift is None else lift(node))
        else:
            cotangents = tracer.attempt(pull_as_arrays, (node, filled(g), node.saved), {})
        for parent, given in zip(node.parents, cotangents):  # noqa: B905 - equally long, and strict costs time
            cotangent = given
            try:
                shape, dtype = cotangent.shape, cotangent.dtype
            except AttributeError:
                cotangent = as_cotangent(given, node, parent)
                shape, dtype = cotangent.shape, cotangent.dtype
            if shape != parent.shape:
                cotangent = sum_to_shape(cotangent, node, parent)
            if dtype is not parent.dtype and dtype != parent.dtype:
                cotangent = _in_dtype(cotangent, node, parent)
            before = None
            if parent in sums:
                before, own = sums.pop(parent)
                if own and watcher is None and type(before) is type(cotangent):
                    before += cotangent
                    total = before
                else:
                    total, own = before + cotangent, lift is None
            else:
                own = (
                    parent.slot is not None
                    and lift is None
                    and getrefcount(cotangent) <= _ALONE
                    and getattr(cotangent, "base", cotangent) is None
                )
                total = cotangent
            if watcher is not None:
                watcher.hand_on(parent, given, cotangent, before, total)
            left = awaited[parent]
            if left:
                awaited[parent] = left - 1
                sums[parent] = total, own
            else:
                ready.append((parent, total, own))
        if not retain_graph:
            node.saved = None
    return gradients


def pull_as_arrays(node: Node, g: Any, saved: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """What a node's rules give, all of it as arrays."""
    assert node.recipe is not None
    cotangents = node.recipe.pull(g, saved)
    return tuple(as_cotangent(given, node, parent) for given, parent in zip(cotangents, node.parents, strict=True))


def as_cotangent(given: Any, node: Node, parent: Node) -> Any:
    """What a rule returned as an array; None, which says that no gradient flows, as zeros."""
    if given is None:
        return np.zeros(parent.shape, parent.dtype)
    if not hasattr(given, "shape") or not hasattr(given, "dtype"):
        try:
            given = np.asarray(given)
        except (TypeError, ValueError):
            given = np.asarray(None)
    if given.dtype.kind not in "fiubc":
        _refuse_dtype(given, node, parent)
    return given


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


def _in_dtype(cotangent: Any, node: Node, parent: Node) -> Any:
    is_real = parent.dtype.kind == "f" and node.dtype.kind == "f"
    if cotangent.dtype.kind not in ("fiub" if is_real else "fiubc"):
        _refuse_dtype(cotangent, node, parent)
    return as_dtype(cotangent, parent.dtype)


def _refuse_dtype(cotangent: Any, node: Node, parent: Node) -> NoReturn:
    raise TypeError(
        f"the rule of {describe(node)} returned {cotangent.dtype} where the cotangent of an argument of shape "
        f"{parent.shape}, {parent.dtype}, was expected; return an array of numbers, or None for no gradient"
    )


def _references_alone() -> int:
    """How many references are counted for a cotangent that only the loop of a pass holds.

    Leaves keep such cotangents as they are; a copy of each takes 4 to 6 % of an eager step.
    """
    cotangents = (np.empty(0),)
    for _, given in zip((None,), cotangents, strict=True):
        cotangent = given
        count = getrefcount(cotangent)
    return count


_ALONE = _references_alone()
