"""`draw_graph`: the recorded graph of a result, as a picture of its backward pass, its forward computation, or both."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..graph import Node
from ..tensor import Tensor
from .clusters import Clusters
from .contents import Array, Contents
from .describe import bytes_of, gradient_of, root_mean_square, values_of
from .styles import CALL, CLUSTER, CONSTANT, FONT, LEAF, LONG_CALL, MODULE, OUTPUT, RESULT, SUM, HeatScale

if TYPE_CHECKING:
    from .graph import Graph

Direction = Literal["backward", "forward", "both"]


def draw_graph(
    output: Tensor,
    direction: Direction = "backward",
    names: Mapping[Any, Any] | None = None,
    *,
    values: bool = False,
    heat: Literal["grad"] | None = None,
    memory: bool = False,
    module: Any = None,
    depth: int | None = None,
) -> Graph:
    """Draw the graph that a result was computed by.

    Round nodes are recorded calls. Boxes are arrays: in a bold frame the leaves, in a double one the output, in a
    dashed one results that have a name or were told to ``retain_grad()``. Forward pictures also have the constants that
    the graph keeps, such as the data, with a folded corner; no cotangent goes to them.

    Parameters
    ----------
    output : Tensor
        A result, usually the loss, before or after ``backward()``.
    direction : {"backward", "forward", "both"}, default "backward"
        Whether edges run as the cotangents flow, from the output to the leaves, or as the data do; or both pictures
        beside each other. Backward edges carry the cotangent's shape, and where a result was used several times, the
        sum of its cotangents is drawn.
    names : dict, optional
        From name to tensor, such as ``dict(model.named_parameters())``, or from tensor to name; a name here goes before
        the tensor's own.
    values : bool, default False
        Whether to write out the numbers that the graph and the named tensors hold: of a small array its entries, of a
        large one mean, standard deviation, smallest and largest; and all gradients.
    heat : {"grad"}, optional
        Colours every node by the root mean square of its gradient, on a logarithmic scale with a legend. Gradients that
        are exactly zero are white in a dotted frame, those with a NaN are black.
    memory : bool, default False
        Whether to say for each call what its rule keeps, and how much. The total is under the picture in any case.
    module : Module, optional
        The model that the result was computed by. Its parameters have their paths for names, and its modules are drawn
        as clusters. A call belongs to the module whose parameters it uses, or to that around what comes before and
        after it; the loss belongs to none.
    depth : int, optional
        How many levels of modules are open; those further in are folded into one node each. 0 folds the model itself;
        None, the default, folds nothing.

    Returns
    -------
    Graph
        A `graphviz.Digraph` that shows itself in a notebook, with the text in ``source``; ``save("graph.svg")`` writes
        it to a file. The same graph gives the same text.

    Raises
    ------
    TypeError
        If the output is no tensor, or requires no gradient, and so has no graph; if `module` is none, or `depth` is
        given without one.
    ValueError
        If the direction or what the heat is of is unknown, or `depth` is negative.

    Notes
    -----
    Gradients are shown once ``backward()`` has run. Those of intermediate results are there if it was
    ``backward(retain_graph=True)``, or if they were told to ``retain_grad()``; a note under the picture says what is
    missing.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> graph = draw_graph(np.sum(np.exp(x)))
    >>> [line.strip().split(" [")[0] for line in graph.source.splitlines() if "->" in line]
    ['a0 -> n0', 'n0 -> n1', 'n1 -> n2']
    """
    from .graph import Graph

    if not isinstance(output, Tensor):
        raise TypeError(f"draw_graph: expected a Tensor, the result of a computation, not {type(output).__name__}")
    if output.node is None:
        raise TypeError(
            "draw_graph: the tensor requires no gradient, so no graph was recorded; compute it from tensors made with "
            "requires_grad=True, outside of no_grad()"
        )
    if direction not in ("backward", "forward", "both"):
        raise ValueError(f"draw_graph: direction={direction!r} is unknown; expected 'backward', 'forward' or 'both'")
    if heat not in (None, "grad"):
        raise ValueError(f"draw_graph: heat={heat!r} is unknown; expected 'grad', or None for no colours")
    _check_module(module, depth)
    own_names = {} if module is None else dict(module.named_parameters())
    contents = Contents(output, {**own_names, **(names or {})})
    clusters = None if module is None else Clusters(contents, module, depth)
    gradients = contents.gradients()
    sizes = {node: root_mean_square(gradient) for node, gradient in gradients.items()} if heat else {}
    scale = HeatScale(sizes.values()) if sizes else None
    graph = Graph(
        graph_attr={
            "rankdir": "TB", "ranksep": "0.35", "nodesep": "0.3", "labelloc": "b",
            "label": _note(contents, gradients, values or heat is not None),
            "fontname": FONT, "fontsize": "11", "fontcolor": "#444444",
        },
        node_attr={"fontname": FONT, "fontsize": "11", "margin": "0.12,0.06", "height": "0.3"},
        edge_attr={"fontname": FONT, "fontsize": "9", "color": "#555555", "fontcolor": "#444444", "arrowsize": "0.7"},
    )  # fmt: skip
    labels = _Labels(contents, gradients, values, heat is not None, memory)
    if direction == "both":
        for one in ("forward", "backward"):
            with graph.subgraph(name=f"cluster_{one}") as part:
                part.attr(label=one, labelloc="t", color="#AAAAAA", style="rounded", fontsize="13")
                _Picture(contents, labels, sizes, scale, one == "backward", one[0]).draw(part, clusters)
    else:
        _Picture(contents, labels, sizes, scale, direction == "backward", "").draw(graph, clusters)
    if scale is not None:
        _draw_legend(graph, scale)
    return graph


class _Labels:
    """What is written into the nodes."""

    def __init__(
        self, contents: Contents, gradients: Mapping[Node, Array], values: bool, everywhere: bool, memory: bool
    ) -> None:
        self.contents = contents
        self.gradients = gradients
        self.values = values
        self.everywhere = values or everywhere
        self.memory = memory

    def of_call(self, node: Node, boxed: bool) -> list[str]:
        """The lines of a call; of its result only if that has no box of its own."""
        lines = [_short_name(node)]
        if self.memory and node in self.contents.kept:
            names = ", ".join(self.contents.kept[node])
            lines.append(f"keeps {names}: {bytes_of(self.contents.bytes_kept(node))}")
        return lines if boxed else [*lines, *self._numbers(node, self.everywhere)]

    def of_module(self, title: str, nodes: list[Node]) -> list[str]:
        """The lines of a module that is folded: its parameters, and their gradients together."""
        count = sum(math.prod(leaf.shape) for leaf in _leaves(nodes))
        lines = [title, f"{count:,} parameter{'' if count == 1 else 's'}"]
        gradient = self.gradient_of_module(nodes)
        return lines if gradient is None else [*lines, gradient_of(gradient)]

    def gradient_of_module(self, nodes: list[Node]) -> Array | None:
        """The gradients of all parameters among some nodes, as one array; None where there are none."""
        found = [self.gradients[leaf].ravel() for leaf in _leaves(nodes) if leaf in self.gradients]
        return np.concatenate(found) if found else None

    def of_array(self, node: Node) -> list[str]:
        """The lines of the box for a leaf or a result."""
        name = self.contents.names.get(node)
        lines = [] if name is None else [name.replace("\n", "\\n")]
        # What a pass has left in a tensor is shown in any case.
        left = node.slot is not None and node.slot.grad is not None
        return [*lines, f"{node.shape} {node.dtype}", *self._numbers(node, left or self.everywhere)]

    def of_constant(self, array: Array) -> list[str]:
        """The lines of the box for a constant."""
        return [f"{array.shape} {array.dtype}", *(values_of(array) if self.values else [])]

    def _numbers(self, node: Node, gradient: bool) -> Iterator[str]:
        if self.values and node in self.contents.values:
            yield from values_of(self.contents.values[node])
        if gradient and node in self.gradients:
            yield gradient_of(self.gradients[node])
            if self.values and self.gradients[node].size > 1:
                yield from values_of(self.gradients[node])


class _Picture:
    """The nodes and edges of one picture, in the order of the backward pass.

    A recorded call is drawn as ``n<i>``, the array that it makes as ``a<i>``, the sum of its cotangents as ``s<i>``, a
    constant as ``c<i>``.
    """

    def __init__(
        self,
        contents: Contents,
        labels: _Labels,
        sizes: Mapping[Node, float],
        scale: HeatScale | None,
        backward: bool,
        prefix: str,
    ) -> None:
        self.nodes: list[tuple[str, dict[str, str]]] = []
        self.edges: list[tuple[str, str, str]] = []
        self.contents, self.labels = contents, labels
        self.sizes, self.scale = sizes, scale
        self.backward, self.prefix = backward, prefix
        order = contents.order
        self.index = {node: i for i, node in enumerate(order)}
        self.spine = {self._id(kind, node) for node in order if node.recipe is not None for kind in "nas"}
        uses = Counter(parent for node in order for parent in node.parents)
        entries = {node: self._draw(node, is_sum=backward and uses[node] > 1) for node in order}
        for node in order:
            if node.recipe is None:
                continue
            several = len(node.recipe.rule.vjps) > 1 or len(node.parents) > 1
            for argument, parent in zip(node.recipe.arguments, node.parents, strict=True):
                shape = _shape(parent) or str(node.shape)
                label = f"{argument}: {shape}" if several else shape
                self._edge(self._id("n", node), entries[parent] if backward else self._exit(parent), label)
        if not backward:
            self._draw_constants()

    def draw(self, graph: Any, clusters: Clusters | None) -> None:
        """Add them to a graph, within clusters if there are some."""
        folds: dict[str, str] = {}
        if clusters is None:
            for name, attributes in self.nodes:
                graph.node(name, **attributes)
        else:
            folds = self._draw_clustered(graph, clusters)
        drawn = set()
        for tail, head, label in self.edges:
            edge = folds.get(tail, tail), folds.get(head, head), label
            if edge[0] == edge[1] or (edge in drawn and edge != (tail, head, label)):
                continue
            drawn.add(edge)
            attributes = {"label": " " + _literal(label)} if label else {}
            if {tail, head} <= self.spine:
                attributes["weight"] = "8"  # a chain of calls is drawn straight, and its parameters beside it
            graph.edge(*edge[:2], **attributes)

    def _draw_clustered(self, graph: Any, clusters: Clusters) -> dict[str, str]:
        """Draw the nodes in their modules; gives, for those that are folded away, what stands in their place."""
        by_id = {self._id(kind, node): node for node in self.index for kind in "nas"}
        folds: dict[str, str] = {}
        members: dict[str | None, list[tuple[str, dict[str, str]]]] = {}
        folded: dict[str, list[Node]] = {}
        for name, attributes in self.nodes:
            node = by_id.get(name)
            path = None if node is None else clusters.fold_of(node)
            if node is not None and path is not None:
                folds[name] = f"{self.prefix}m{path}"
                folded.setdefault(path, []).append(node)
            else:
                members.setdefault(None if node is None else clusters.owners.get(node), []).append((name, attributes))
        for path, nodes in folded.items():
            around = clusters.around(path) if path else None
            gradient = self.labels.gradient_of_module(nodes)
            size = None if gradient is None else root_mean_square(gradient)
            self._node(f"{self.prefix}m{path}", self.labels.of_module(clusters.title(path), nodes), MODULE, size)
            members.setdefault(around, []).append(self.nodes.pop())

        for name, attributes in members.get(None, []):
            graph.node(name, **attributes)
        open_modules = {around for path in members if path is not None for around in clusters.ancestry(path)}

        def add(part: Any, path: str) -> None:
            with part.subgraph(name=f"cluster_{self.prefix}module_{path}") as inner:
                inner.attr(label=_literal(clusters.title(path)), labelloc="t", labeljust="l", **CLUSTER)
                for name, attributes in members.get(path, []):
                    inner.node(name, **attributes)
                for child in clusters.children.get(path, []):
                    if child in open_modules:
                        add(inner, child)

        if open_modules:
            add(graph, "")
        return folds

    def _draw(self, node: Node, is_sum: bool) -> str:
        """Draw a node with its array and its sum; gives the part where cotangents come in."""
        leaf, is_output = node.recipe is None, node is self.contents.root
        boxed = is_output or self._is_boxed(node)
        style = LEAF if leaf else OUTPUT if is_output else RESULT
        entry = self._id("n", node)
        if leaf:
            self._node(entry, self.labels.of_array(node), style, self.sizes.get(node))
        else:
            lines = self.labels.of_call(node, boxed)
            self._node(entry, lines, CALL if len(lines) == 1 else LONG_CALL, None if boxed else self.sizes.get(node))
            if boxed:
                box = self._id("a", node)
                self._node(box, self.labels.of_array(node), style, self.sizes.get(node))
                self._edge(box, entry, _shape(node))
                entry = box
        if is_sum:
            total = self._id("s", node)
            self.nodes.append((total, dict(SUM)))
            self._edge(total, entry, _shape(node))
            entry = total
        return entry

    def _draw_constants(self) -> None:
        drawn: dict[int, str] = {}
        for node, constants in self.contents.constants.items():
            for constant in constants:
                if not constant.array.ndim:
                    continue
                key = id(constant.array)
                if key not in drawn:
                    drawn[key] = f"{self.prefix}c{len(drawn)}"
                    self._node(drawn[key], self.labels.of_constant(constant.array), CONSTANT, None)
                self._edge(self._id("n", node), drawn[key], constant.argument)

    def _node(self, name: str, lines: list[str], style: dict[str, str], size: float | None) -> None:
        """A node with its lines, coloured by the size of its gradient where that is known."""
        look = dict(style)
        if self.scale is not None and size is not None:
            look |= self.scale.look(size)
        self.nodes.append((name, {"label": "\\n".join(map(_literal, lines)), **look}))

    def _is_boxed(self, node: Node) -> bool:
        return node in self.contents.names or (node.slot is not None and node.slot.keeps)

    def _exit(self, node: Node) -> str:
        """The part of a drawn node from which its value goes on, in the forward picture."""
        return self._id("a" if node.recipe is not None and self._is_boxed(node) else "n", node)

    def _id(self, kind: str, node: Node) -> str:
        return f"{self.prefix}{kind}{self.index[node]}"

    def _edge(self, tail: str, head: str, label: str) -> None:
        self.edges.append((tail, head, label) if self.backward else (head, tail, label))


def _check_module(module: Any, depth: int | None) -> None:
    if module is None:
        if depth is not None:
            raise TypeError("draw_graph: depth= folds modules, and there are none; pass module=model as well")
    elif not hasattr(module, "named_modules"):
        raise TypeError(f"draw_graph: module= must be a Module, not {type(module).__name__}")
    if depth is not None and depth < 0:
        raise ValueError(f"draw_graph: depth={depth} is negative; expected 0 or more, or None to fold nothing")


def _draw_legend(graph: Any, scale: HeatScale) -> None:
    with graph.subgraph(name="cluster_legend") as legend:
        legend.attr(label="root mean square of the gradient", labelloc="t", color="#AAAAAA", style="rounded")
        names = [f"l{i}" for i in range(len(scale.legend()))]
        for name, (label, look) in zip(names, scale.legend(), strict=True):
            legend.node(name, label=label, shape="box", **{"style": "filled", "color": "#777777", **look})
        for upper, lower in zip(names[::-1], names[-2::-1], strict=False):
            legend.edge(upper, lower, style="invis", minlen="0")


def _note(contents: Contents, gradients: Mapping[Node, Array], wanted: bool) -> str:
    """What is under the picture: why gradients are not there, and how much the graph keeps."""
    lines = []
    if not contents.backward_has_run:
        lines.append("gradients not shown: backward() has not run")
    elif wanted and len(gradients) < len(contents.order):
        lines.append("gradients of results not shown where the graph is freed: backward(retain_graph=True) keeps it")
    if contents.kept:
        lines.append(f"the graph keeps {bytes_of(contents.total_bytes)}")
    return "\\n".join(lines)


def _leaves(nodes: list[Node]) -> list[Node]:
    return [node for node in dict.fromkeys(nodes) if node.recipe is None]


def _shape(node: Node) -> str:
    """A node's shape; nothing for a call with several results, each of which is a node with a shape of its own."""
    return "" if any(isinstance(part, tuple) for part in node.shape) else str(node.shape)


def _short_name(node: Node) -> str:
    assert node.recipe is not None
    return node.recipe.rule.name.rpartition(".")[2].lstrip("_")


def _literal(text: str) -> str:
    """Text that Graphviz shows as it is, whatever is in it."""
    return text.replace("\\", "\\\\").replace("&", "&amp;")
