"""The data for the chain rule: for each node its parents, and for scalar nodes the derivative by each of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.graph import Node
from ...core.stepper import Step
from ...notation.mathml import variable
from ..text import gradient_of


def chain_data(played: Sequence[Step], names: Mapping[Node, str]) -> list[dict[str, Any]]:
    """The data of each step's node, in the form for the page's script.

    ``name`` and ``mathml`` are the node's name; ``call`` is the number of the step in which its rule runs, or None for
    a leaf; ``complete`` is the step in which its cotangent gets the last contribution; ``parents`` has for each
    argument the parent's number and the local derivative, or None if there are hooks or a result is not a single real
    number; ``gradient`` and ``value`` are the cotangent as text and, if it is a single real number, as a number.
    """
    numbers = {one.node: i for i, one in enumerate(played)}
    calls = {one.node: i for i, one in enumerate((one for one in played if one.node.recipe is not None), 1)}
    complete = {played[0].node: 0}
    complete |= {c.parent: calls[one.node] for one in played for c in one.contributions}
    # If hooks change cotangents on the way, the gradient is not the product of the local derivatives.
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
    """The derivative of a node's result by each parent's; None if one of them is not a single real number."""
    if hooked or not _is_scalar(node):
        return [None] * len(node.parents)
    with np.errstate(all="ignore"):
        slopes = pull_as_arrays(node, np.ones(node.shape, node.dtype), node.saved) if node.parents else ()
    return [
        _as_json(float(np.sum(slope))) if _is_scalar(parent) else None
        for parent, slope in zip(node.parents, slopes, strict=True)
    ]


def _is_scalar(node: Node) -> bool:
    """Whether a result is one real number, in any shape."""
    shape: Any = node.shape
    return not any(isinstance(n, tuple) or n != 1 for n in shape) and node.dtype.kind == "f"


def _is_array(cotangent: Any) -> bool:
    return hasattr(cotangent, "ndim")


def _as_json(value: float) -> float | str:
    """A number for JSON, which has no infinity and no NaN; JavaScript converts the text for these to numbers."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
