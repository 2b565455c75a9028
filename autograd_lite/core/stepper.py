"""A backward pass to look at, step by step, which leaves the graph and every gradient as they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .backward import backward_pass
from .graph import Node


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


class _Log:
    """Writes down the steps of a pass."""

    def __init__(self) -> None:
        self.turns: list[tuple[Node, Any, list[Contribution]]] = []

    def take_turn(self, node: Node, g: Any) -> None:
        self.turns.append((node, g, []))

    def hand_on(self, parent: Node, given: Any, cotangent: Any, before: Any, total: Any) -> None:
        self.turns[-1][2].append(Contribution(parent, given, cotangent, before, total))


def steps(root: Node, seed: Any = None, *, hooks: bool = False) -> list[Step]:
    """Every node's step, in the order of the backward pass.

    Parameters
    ----------
    root : Node
        Of the result.
    seed : array, optional
        The cotangent of the result; 1 by default.
    hooks : bool, default False
        Whether the users' hooks are called, as they are in a pass that counts.

    Raises
    ------
    FreedGraphError, ChangedTensorError
        If saved values are gone, or are no longer those of their tensors.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> first, *_ = steps((x * 2).node)
    >>> first.node.recipe.rule.name, float(first.cotangent), float(first.contributions[0].total)
    ('np.multiply', 1.0, 2.0)
    """
    log = _Log()
    g = np.ones(root.shape, root.dtype) if seed is None else seed
    backward_pass(root, g, retain_graph=True, watcher=log, hooks=hooks)
    return [Step(node, g, tuple(contributions)) for node, g, contributions in log.turns]


def cotangents_of_all(root: Node, *, hooks: bool = False) -> dict[Node, Any]:
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
    return {step.node: step.cotangent for step in steps(root, hooks=hooks)}
