"""What the chain rule is made of: for each node its parents, and for scalar ones the derivative by each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.graph import Node
from ...core.stepper import Step
from ..text import gradient_of
from .mathml import variable


def chain_data(played: Sequence[Step], names: Mapping[Node, str]) -> list[dict[str, Any]]:
    """For each step of a pass its node, as a page's script wants it.

    ``name`` and ``mathml`` say what the node is called; ``call`` is the number of the step in which its rule runs, or
    None for a leaf; ``complete`` that in which the last of its cotangent comes in; ``parents`` has for each argument
    the parent's number and the local derivative, None where hooks are or a result is no single real number;
    ``gradient`` and ``value`` are the cotangent in words and, if it is a single real number, itself.
    """
    numbers = {one.node: i for i, one in enumerate(played)}
    calls = {one.node: i for i, one in enumerate((one for one in played if one.node.recipe is not None), 1)}
    complete = {played[0].node: 0}
    complete |= {c.parent: calls[one.node] for one in played for c in one.contributions}
    # Where hooks change cotangents on the way, their product is not that of the local derivatives.
    hooked = any(one.node.slot is not None and one.node.slot.hooks for one in played)
    return [
        {
            "name": names[one.node],
            "mathml": variable(names[one.node]),
            "call": calls.get(one.node),
            "complete": complete[one.node],
            "shape": str(one.node.shape),
            "gradient": gradient_of(np.asarray(one.cotangent)) if _is_array(one.cotangent) else "",
            "value": _as_json(one.cotangent.item()) if _is_scalar(one.node) else None,
            "parents": [
                [numbers[parent], derivative]
                for parent, derivative in zip(one.node.parents, _local_derivatives(one.node, hooked), strict=True)
            ],
        }
        for one in played
    ]


def _local_derivatives(node: Node, hooked: bool) -> list[float | str | None]:
    """The derivative of a node's result by each parent's; None where either is no single real number."""
    if hooked or not _is_scalar(node):
        return [None] * len(node.parents)
    with np.errstate(all="ignore"):
        slopes = pull_as_arrays(node, np.ones(node.shape, node.dtype), node.saved) if node.parents else ()
    return [
        _as_json(float(np.sum(slope))) if _is_scalar(parent) else None
        for parent, slope in zip(node.parents, slopes, strict=True)
    ]


def _is_scalar(node: Node) -> bool:
    """Whether a result is one real number, in whatever shape."""
    shape: Any = node.shape
    return not any(isinstance(n, tuple) or n != 1 for n in shape) and node.dtype.kind == "f"


def _is_array(cotangent: Any) -> bool:
    return hasattr(cotangent, "ndim")


def _as_json(value: float) -> float | str:
    """JSON has no infinity and no NaN; JavaScript makes numbers of these words."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
