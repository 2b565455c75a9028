"""A backward pass that leaves everything as it was, and gives the cotangent of every node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .graph import Node, ancestors, as_dtype, checked, raise_if_unusable, sum_to_shape

Detour = Callable[[Any], list[tuple[Node, Any]]]
"""What a node does with its cotangent in place of its rule: the nodes that get a cotangent, and which."""


def cotangents_of_all(root: Node, detours: Mapping[Node, Detour] | None = None) -> dict[Node, Any]:
    """The cotangent of every node that a result was computed from, and its own, which is 1.

    Parameters
    ----------
    root : Node
        Of the result, usually a scalar.
    detours : mapping, optional
        Other steps than the rules' at some nodes.

    Raises
    ------
    FreedGraphError, ChangedTensorError
        If saved values are gone, or are no longer those of their tensors.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(3.0, requires_grad=True)
    >>> h = x * x
    >>> found = cotangents_of_all((2 * h).node)
    >>> float(found[h.node]), float(found[x.node])
    (2.0, 12.0)
    """
    order = ancestors(root)
    for node in order:
        raise_if_unusable(node)
    detours = detours or {}
    cotangents: dict[Node, Any] = {root: np.ones(root.shape, root.dtype)}
    for node in order:
        if node not in cotangents or (node.recipe is None and node not in detours):
            continue
        g = cotangents[node]
        for target, cotangent in detours[node](g) if node in detours else step(node, g):
            if cotangent.shape != target.shape:
                cotangent = sum_to_shape(cotangent, node, target)
            cotangent = as_dtype(cotangent, target.dtype)
            cotangents[target] = cotangents[target] + cotangent if target in cotangents else cotangent
    return cotangents


def step(node: Node, g: Any) -> list[tuple[Node, Any]]:
    """What a node's rule hands on: each parent, and its part of the cotangent."""
    assert node.recipe is not None
    cotangents = node.recipe.pull(g, node.saved)
    return list(zip(node.parents, cotangents if node.recipe.fresh else checked(cotangents, node), strict=True))
