"""Finds a softmax that is written out in a graph."""

from __future__ import annotations

import numpy as np

from ...core.graph import Node
from .network import calls


def logits_of_softmax(quotient: Node) -> Node | None:
    """The logits ``z`` of a softmax that is written out as ``exp(z) / sum(exp(z))``; None for any other quotient."""
    if len(quotient.parents) != 2:
        return None
    exponentials, total = quotient.parents
    if not calls(exponentials, np.exp) or not calls(total, np.sum) or not _alike(total.parents[0], exponentials):
        return None
    (logits,) = exponentials.parents
    if calls(logits, np.subtract) and len(logits.parents) == 2 and calls(logits.parents[1], np.max):
        return logits.parents[0]  # the maximum is subtracted first
    return logits


def summed_axis(quotient: Node) -> int:
    """The axis along which such a softmax sums."""
    total = quotient.parents[1]
    for axis, (kept, whole) in enumerate(zip(total.shape, quotient.shape, strict=False)):
        if kept != whole and len(total.shape) == len(quotient.shape):
            return axis
    return -1


def _alike(one: Node, other: Node) -> bool:
    """Whether two nodes are the same, or the same calls of the same nodes."""
    if one is other:
        return True
    if one.recipe is None or one.recipe is not other.recipe or len(one.parents) > 2:
        return False
    return all(_alike(a, b) for a, b in zip(one.parents, other.parents, strict=True))
