"""Finds the layers of a network in the recorded graph of its loss."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ...core.graph import Node, ancestors

PRODUCTS = (np.matmul, np.dot, np.einsum, np.tensordot, np.inner)
"""The functions by which a layer multiplies its inputs by its weights."""

_SHAPES = (np.transpose, np.reshape, np.swapaxes, np.moveaxis, np.broadcast_to, np.expand_dims)

_LONGEST_ACTIVATION = 12
"""The largest number of calls after the preactivation that are searched for the activation."""


@dataclass(frozen=True)
class Layer:
    """A dense layer.

    Attributes
    ----------
    number : int
        The number of the layer, counted from 1 at the inputs.
    parameters : tuple of str
        The names of its weights, and of its bias if it has one.
    preactivation : Node
        The node of ``z``, the product plus the bias.
    ends : tuple of Node
        The nodes that may be the activation: nodes of the same shape that are computed from the preactivation alone.
    axis : int or None
        The axis of the preactivation that counts the examples: 0 for all axes except the last, 1, or None if unknown.
    """

    number: int
    parameters: tuple[str, ...]
    preactivation: Node
    ends: tuple[Node, ...]
    axis: int | None

    @property
    def examples(self) -> int | None:
        """The number of examples."""
        shape = self.preactivation.shape
        if self.axis is None:
            return None
        return shape[1] if self.axis else math.prod(shape[:-1]) if len(shape) > 1 else shape[0]

    @property
    def units(self) -> int | None:
        """The number of outputs that the layer has for each example."""
        shape = self.preactivation.shape
        return None if self.axis is None or len(shape) < 2 else shape[0] if self.axis else shape[-1]

    def __str__(self) -> str:
        return f"layer {self.number} ({', '.join(self.parameters)})"


def layers_of(root: Node, parameters: Mapping[str, Node]) -> list[Layer]:
    """The layers, beginning at the inputs; an empty list if weights are used several times, or in another way."""
    order = ancestors(root)
    users: dict[Node, list[Node]] = {}
    for node in order:
        for parent in node.parents:
            users.setdefault(parent, []).append(node)
    position = {node: i for i, node in enumerate(order)}
    weights: dict[Node, tuple[str, int | None]] = {}
    for name, leaf in parameters.items():
        product, weight = _only_use(leaf, users, PRODUCTS)
        if product is not None:
            weights[product] = name, _axis_of_examples(product, weight)
    biases: dict[Node, tuple[Node, str]] = {}
    for name, leaf in parameters.items():
        total, _ = _only_use(leaf, users, (np.add, np.subtract))
        if total is not None:
            biases |= {parent: (total, name) for parent in total.parents if parent in weights}
    products = sorted(weights, key=lambda product: -position[product])
    if not _is_chain(products):
        return []
    layers: list[Layer] = []
    for number, product in enumerate(products, 1):
        name, axis = weights[product]
        total = product
        own: tuple[str, ...] = (name,)
        if product in biases:
            total, bias = biases[product]
            own = (name, bias)
        layers.append(Layer(number, own, total, elementwise_ends(total, users, products), axis))
    return layers


def _is_chain(products: list[Node]) -> bool:
    """Whether each product is computed from the one before: queries, keys and values are no layers of a network."""
    return all(before in set(ancestors(product)) for before, product in pairwise(products))


def _only_use(leaf: Node, users: Mapping[Node, list[Node]], functions: tuple[object, ...]) -> tuple[Node | None, Node]:
    """The only call of one of the functions on a leaf, which may be reshaped before, and the node that it takes.

    The call is None if there are several.
    """
    found, pending = [], [leaf]
    while pending:
        node = pending.pop()
        for user in users.get(node, []):
            function = _function_of(user)
            if function in functions:
                found.append((user, node))
            elif function in _SHAPES:
                pending.append(user)
    return found[0] if len(found) == 1 else (None, leaf)


def _axis_of_examples(product: Node, weight: Node) -> int | None:
    """The axis of a product that counts the examples: rows for ``x W``, columns for ``W x``; otherwise None."""
    recipe = product.recipe
    if recipe is None or recipe.rule.call is np.einsum or len(weight.shape) > 2:
        return None
    if len(weight.shape) < 2:
        return 0 if len(product.shape) == 1 else None
    argument = recipe.arguments[product.parents.index(weight)]
    if argument in ("x1", "a"):
        return 1 if len(product.shape) == 2 else None
    return 0 if len(product.shape) > 1 else None


def elementwise_ends(
    preactivation: Node, users: Mapping[Node, list[Node]], products: Collection[Node] = ()
) -> tuple[Node, ...]:
    """The nodes of a node's shape that are computed from it alone, up to the next product, the nearest first."""
    ends: list[Node] = []
    reached = {preactivation}
    frontier = [preactivation]
    for _ in range(_LONGEST_ACTIVATION):
        following: list[Node] = []
        for node in frontier:
            for user in users.get(node, []):
                if user in reached or user in products or user.shape != preactivation.shape:
                    continue
                if user.recipe is None or not (user.recipe.rule.elementwise or user.recipe.rule.name[:3] != "np."):
                    continue
                if all(parent in reached for parent in user.parents):
                    reached.add(user)
                    following.append(user)
        if not following:
            break
        ends += following
        frontier = [*frontier, *following]
    return tuple(ends)


def _function_of(node: Node) -> object:
    return None if node.recipe is None else node.recipe.rule.call


def calls(node: Node, function: object) -> bool:
    """Whether a node is a call of a function."""
    return node.recipe is not None and node.recipe.rule.call is function
