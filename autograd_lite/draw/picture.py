"""`draw_graph`: the recorded graph of a result, as a picture of its backward pass or of its forward computation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..graph import Node, ancestors
from ..tensor import Tensor

if TYPE_CHECKING:
    import graphviz

Direction = Literal["backward", "forward"]

# Colours from Okabe and Ito's palette, which colour-blind readers can tell apart, in tints that black text is read on.
# Forms differ as well, so that a grey print says the same: parameters are framed boldly, the output doubly,
# intermediate results in dashes.
LEAF = {"shape": "box", "style": "filled", "fillcolor": "#D6EAF8", "color": "#0072B2", "penwidth": "2"}
OUTPUT = {"shape": "box", "style": "filled", "fillcolor": "#FCE3D2", "color": "#D55E00", "peripheries": "2"}
RESULT = {"shape": "box", "style": "filled,dashed", "fillcolor": "#FFF6DB", "color": "#B07800"}
CALL = {"shape": "ellipse", "style": "filled", "fillcolor": "#F2F2F2", "color": "#555555", "margin": "0.06,0.02"}
SUM = {
    "shape": "circle", "style": "filled", "fillcolor": "#333333", "fontcolor": "white", "label": "+",
    "width": "0.24", "fixedsize": "true", "margin": "0", "fontsize": "13",
}  # fmt: skip
FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"


def draw_graph(
    output: Tensor, direction: Direction = "backward", names: Mapping[Any, Any] | None = None
) -> graphviz.Digraph:
    """Draw the graph that a result was computed by.

    Round nodes are recorded calls. Boxes are arrays: in a bold frame the leaves, in a double one the output, in a
    dashed one results that have a name or were told to ``retain_grad()``. Constants are not in the graph.

    Parameters
    ----------
    output : Tensor
        A result, usually the loss, before or after ``backward()``.
    direction : {"backward", "forward"}, default "backward"
        Whether edges run as the cotangents flow, from the output to the leaves, or as the data do. Backward edges carry
        the cotangent's shape, and where a result was used several times, the sum of its cotangents is drawn.
    names : dict, optional
        From name to tensor, such as ``dict(model.named_parameters())``, or from tensor to name; a name here goes before
        the tensor's own.

    Returns
    -------
    graphviz.Digraph
        Shows itself in a notebook; `save_graph` writes it to a file. The same graph gives the same text.

    Raises
    ------
    TypeError
        If the output is no tensor, or requires no gradient, and so has no graph.
    ValueError
        If the direction is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> graph = draw_graph(np.sum(np.exp(x)))
    >>> [line.strip() for line in graph.source.splitlines() if "->" in line]
    ['a0 -> n0 [label=" ()"]', 'n0 -> n1 [label=" (2,)"]', 'n1 -> n2 [label=" (2,)"]']
    """
    import graphviz

    if not isinstance(output, Tensor):
        raise TypeError(f"draw_graph: expected a Tensor, the result of a computation, not {type(output).__name__}")
    if output.node is None:
        raise TypeError(
            "draw_graph: the tensor requires no gradient, so no graph was recorded; compute it from tensors made with "
            "requires_grad=True, outside of no_grad()"
        )
    if direction not in ("backward", "forward"):
        raise ValueError(f"draw_graph: direction={direction!r} is unknown; expected 'backward' or 'forward'")
    picture = _Picture(output.node, direction, _names_of_nodes(names or {}))
    graph = graphviz.Digraph(
        graph_attr={
            "rankdir": "TB", "ranksep": "0.35", "nodesep": "0.3", "labelloc": "b", "label": picture.note,
            "fontname": FONT, "fontsize": "11", "fontcolor": "#444444",
        },
        node_attr={"fontname": FONT, "fontsize": "11", "margin": "0.12,0.06", "height": "0.3"},
        edge_attr={"fontname": FONT, "fontsize": "9", "color": "#555555", "fontcolor": "#444444", "arrowsize": "0.7"},
    )  # fmt: skip
    for name, attributes in picture.nodes:
        graph.node(name, **attributes)
    for tail, head, label in picture.edges:
        graph.edge(tail, head, **({"label": " " + label} if label else {}))
    return graph


class _Picture:
    """The nodes and edges of the picture, in the order of the backward pass.

    A recorded call is drawn as ``n<i>``, the array that it makes as ``a<i>``, the sum of its cotangents as ``s<i>``.
    """

    def __init__(self, root: Node, direction: Direction, names: Mapping[Node, str]) -> None:
        self.nodes: list[tuple[str, dict[str, str]]] = []
        self.edges: list[tuple[str, str, str]] = []
        self.names = names
        self.backward = direction == "backward"
        order = ancestors(root)
        index = {node: i for i, node in enumerate(order)}
        uses = Counter(parent for node in order for parent in node.parents)
        self.note = _note(order)
        entries: dict[Node, str] = {}
        for i, node in enumerate(order):
            entries[node] = self._draw(node, i, is_output=node is root, is_sum=self.backward and uses[node] > 1)
        for node in order:
            if node.recipe is None:
                continue
            several = len(node.recipe.rule.vjps) > 1 or len(node.parents) > 1
            for argument, parent in zip(node.recipe.arguments, node.parents, strict=True):
                shape = _shape(parent) or str(node.shape)
                label = f"{argument}: {shape}" if several else shape
                entry = entries[parent] if self.backward else self._exit(parent, index[parent])
                self._edge(f"n{index[node]}", entry, _literal(label))

    def _draw(self, node: Node, i: int, is_output: bool, is_sum: bool) -> str:
        """Draw a node with its array and its sum; gives the part where cotangents come in."""
        leaf = node.recipe is None
        boxed = is_output or self._name(node) is not None or _keeps(node)
        style = LEAF if leaf else OUTPUT if is_output else RESULT
        entry = f"n{i}"
        if leaf:
            self.nodes.append((entry, {"label": self._array_label(node), **style}))
        else:
            self.nodes.append((entry, {"label": _literal(_short_name(node)), **CALL}))
            if boxed:
                entry = f"a{i}"
                self.nodes.append((entry, {"label": self._array_label(node), **style}))
                self._edge(entry, f"n{i}", _shape(node))
        if is_sum:
            self.nodes.append((f"s{i}", dict(SUM)))
            self._edge(f"s{i}", entry, _shape(node))
            entry = f"s{i}"
        return entry

    def _exit(self, node: Node, i: int) -> str:
        """The part of a drawn node from which its value goes on, in the forward picture."""
        boxed = node.recipe is not None and (self._name(node) is not None or _keeps(node))
        return f"a{i}" if boxed else f"n{i}"

    def _edge(self, tail: str, head: str, label: str) -> None:
        self.edges.append((tail, head, label) if self.backward else (head, tail, label))

    def _name(self, node: Node) -> str | None:
        return self.names.get(node, node.name)

    def _array_label(self, node: Node) -> str:
        name = self._name(node)
        lines = [] if name is None else [name.replace("\n", "\\n")]
        lines.append(f"{node.shape} {node.dtype}")
        if node.slot is not None and node.slot.grad is not None and node.slot.grad.size:
            gradient = np.abs(node.slot.grad.detach().data).astype(np.float64)
            lines.append(f"gradient rms {np.sqrt(np.mean(gradient**2)):.2e}")
        return "\\n".join(_literal(line) for line in lines)


def _note(order: list[Node]) -> str:
    leaves = [node for node in order if node.recipe is None]
    if any(leaf.slot is not None and leaf.slot.grad is not None for leaf in leaves):
        return ""
    return "gradients not shown: backward() has not run"


def _shape(node: Node) -> str:
    """A node's shape; nothing for a call with several results, each of which is a node with a shape of its own."""
    return "" if any(isinstance(part, tuple) for part in node.shape) else str(node.shape)


def _short_name(node: Node) -> str:
    assert node.recipe is not None
    return node.recipe.rule.name.rpartition(".")[2].lstrip("_")


def _literal(text: str) -> str:
    """Text that Graphviz shows as it is, whatever is in it."""
    return text.replace("\\", "\\\\").replace("&", "&amp;")


def _names_of_nodes(names: Mapping[Any, Any]) -> dict[Node, str]:
    named: dict[Node, str] = {}
    for key, value in names.items():
        tensor, name = (key, value) if isinstance(key, Tensor) else (value, key)
        if not isinstance(tensor, Tensor):
            raise TypeError(f"draw_graph: names must map names to tensors, or tensors to names; got {key!r}: {value!r}")
        if tensor.node is not None:
            named[tensor.node] = str(name)
    return named


def _keeps(node: Node) -> bool:
    """Whether a pass leaves the node's gradient for the user."""
    return node.slot is not None and node.slot.keeps
