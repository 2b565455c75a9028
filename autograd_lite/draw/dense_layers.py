"""Finds the dense layers in a recorded graph, of models and of those written by hand: products with a weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..core.graph import Node
from .graph_info import Contents
from .live import Array
from .repeats import ACTIVATIONS, short_name

_PRODUCTS = frozenset({"matmul", "dot", "matvec", "vecmat"})


@dataclass(frozen=True)
class DenseLayer:
    """A dense layer: a column of neurons, and the connections to it.

    Attributes
    ----------
    weight : array or None, shape (inputs, outputs)
        The weights; None if they are gone.
    weight_gradient : array or None, shape (inputs, outputs)
        Their gradient.
    shape : tuple of int
        The number of inputs and outputs.
    inputs, outputs : array or None, shape (examples, features)
        What comes in, and the activations.
    delta : array or None, shape (examples, outputs)
        The gradient of the sum that goes into the activation.
    activation : str or None
        Its name.
    """

    weight: Array | None
    weight_gradient: Array | None
    shape: tuple[int, int]
    inputs: Array | None
    outputs: Array | None
    delta: Array | None
    activation: str | None


def dense_layers(contents: Contents, gradients: Mapping[Node, Array]) -> list[DenseLayer]:
    """The dense layers of a graph, the first one first.

    Raises
    ------
    ValueError
        If there are none, or if they do not stand one behind the other.
    """
    products = [node for node in reversed(contents.order) if node.recipe and short_name(node) in _PRODUCTS]
    found = [(node, weight) for node in products if (weight := _weight_of(node, contents)) is not None]
    layers = [_layer(*pair, found[i + 1 :], contents, gradients) for i, pair in enumerate(found)]
    if not layers:
        raise ValueError(
            "draw_graph: style='network' draws dense layers, and the graph has no product of data with a matrix of "
            "weights that requires a gradient; style='circuit' draws any graph"
        )
    for before, after in pairwise(layers):
        if before.shape[1] != after.shape[0]:
            raise ValueError(
                "draw_graph: style='network' draws dense layers one behind the other, and here one with "
                f"{before.shape[1]} outputs is followed by one with {after.shape[0]} inputs; style='circuit' draws any "
                "graph"
            )
    return layers


@dataclass(frozen=True)
class _Weight:
    """Which operand of a product is the weight: its leaf, its argument's position, and whether it is transposed."""

    leaf: Node
    place: int
    transposed: bool


def _weight_of(node: Node, contents: Contents) -> _Weight | None:
    """The weight of a product; of two leaves a parameter, or the second."""
    assert node.recipe is not None
    found = []
    for argument, parent in zip(node.recipe.arguments, node.parents, strict=True):
        place = node.recipe.rule.positions[argument.partition("[")[0]]
        is_transposed = parent.recipe is not None and short_name(parent) == "transpose"
        leaf = parent.parents[0] if is_transposed else parent
        if leaf.recipe is None and len(leaf.shape) == 2:
            found.append(_Weight(leaf, place, is_transposed))
    parameters = contents.parameters
    known = [weight for weight in found if parameters is None or weight.leaf in parameters]
    return known[-1] if known else None


def _layer(
    node: Node, weight: _Weight, later: list[tuple[Node, _Weight]], contents: Contents, gradients: Mapping[Node, Array]
) -> DenseLayer:
    assert node.recipe is not None
    users: dict[Node, list[Node]] = {}
    for user in contents.order:
        for parent in user.parents:
            users.setdefault(parent, []).append(user)
    features_first = weight.place == 0

    def examples(array: Array | None) -> Array | None:
        if array is None or array.ndim > 2:
            return None
        return array.reshape(1, -1) if array.ndim < 2 else array.T if features_first else array

    def oriented(array: Array | None) -> Array | None:
        return array if array is None or features_first == weight.transposed else array.T

    z = node
    if (after := _only(users, z)) is not None and short_name(after) == "add" and after.shape == z.shape:
        z = after
    read_next = {parent for product, other in later for parent in product.parents if parent is not other.leaf}
    a, activation = _activation(z, users, read_next, contents)
    others = [parent for parent in node.parents if parent is not weight.leaf and weight.leaf not in parent.parents]
    data = [c.array for c in contents.constants.get(node, ()) if c.array.ndim]
    inputs = contents.values.get(others[0]) if others else data[0] if data else None
    rows, columns = weight.leaf.shape
    value, gradient = oriented(contents.values.get(weight.leaf)), oriented(gradients.get(weight.leaf))
    shape = (rows, columns) if features_first == weight.transposed else (columns, rows)
    delta = examples(gradients.get(z))
    return DenseLayer(value, gradient, shape, examples(inputs), examples(contents.values.get(a)), delta, activation)


def _activation(
    z: Node, users: Mapping[Node, list[Node]], read_next: set[Node], contents: Contents
) -> tuple[Node, str | None]:
    """The node of a layer's activations, and the activation's name: what the next layer reads, or a known function."""
    names: list[str] = []
    node = z
    while node not in read_next:
        after = _only(users, node) if node is z or names else None
        following = [after] if after is not None else users.get(node, [])
        following = [one for one in following if one.shape == z.shape]
        if len(following) != 1 or len(names) > 8:
            break
        node = following[0]
        names.append(short_name(node))
        if names[-1] in ACTIVATIONS or names == ["negative", "exp", "add", "divide"]:
            break
    if names and names[-1] in ACTIVATIONS:
        return node, names[-1].replace("_", " ").replace("maximum", "relu")
    if names == ["negative", "exp", "add", "divide"]:
        return node, "sigmoid"
    return (node, None) if node in read_next else (z, None)


def _only(users: Mapping[Node, list[Node]], node: Node) -> Node | None:
    """The only call that uses a result."""
    found: list[Any] = users.get(node, [])
    return found[0] if len(found) == 1 else None
