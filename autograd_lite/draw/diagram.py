"""The nodes and edges of one picture, and how they are drawn into a graph, with clusters and folded modules."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.graph import Node
from ..formatting import visible
from .clusters import Clusters
from .graph_info import Constant, Contents, has_several
from .labels import Labels
from .marks import NONE, Marks
from .repeats import Run
from .styles import (
    CALL,
    CLUSTER,
    CONSTANT,
    INPUT,
    LEAF,
    LONG_CALL,
    MODULE,
    OUTPUT,
    READ,
    RESULT,
    SUM,
    USUAL,
    WRONG,
    WRONG_EDGE,
    HeatScale,
    Look,
)
from .text import root_mean_square


class Diagram:
    """The nodes and edges of one picture, in the order of the backward pass.

    A recorded call has the identifier ``n<i>``, the array that it makes ``a<i>``, the sum of its cotangents ``s<i>``, a
    constant ``c<i>``, and a folded module ``m<path>``.

    Parameters
    ----------
    contents : Contents
        The graph.
    labels : Labels
        The text in the nodes.
    sizes, scale : mapping and HeatScale
        From node to the size of its gradient, and the colours for sizes; None for no colours.
    backward : bool
        Whether edges run in the direction in which cotangents flow.
    prefix : str
        A prefix of every identifier, to distinguish two diagrams in a graph.
    look : Look
        The colours, and the direction of the layout.
    marks : Marks
        The steps that are marked as wrong.

    Attributes
    ----------
    parts : dict
        From an identifier in the picture to the nodes of the recorded graph that it shows.
    """

    def __init__(
        self,
        contents: Contents,
        labels: Labels,
        sizes: Mapping[Node, float],
        scale: HeatScale | None,
        backward: bool,
        prefix: str,
        look: Look = USUAL,
        marks: Marks = NONE,
    ) -> None:
        self.nodes: list[tuple[str, dict[str, str]]] = []
        self.edges: list[tuple[str, str, str]] = []
        self.reads: set[tuple[str, str]] = set()
        self.contents, self.labels = contents, labels
        self.sizes, self.scale = sizes, scale
        self.backward, self.prefix, self.palette = backward, prefix, look.palette
        self.is_sideways = look.rankdir in ("LR", "RL")
        self.marks, self.marked = marks, set[tuple[str, str]]()
        order = contents.order
        self.index = {node: i for i, node in enumerate(order)}
        self.spine = {self._id(kind, node) for node in order if node.recipe is not None for kind in "nas"}
        uses = Counter(parent for node in order for parent in node.parents)
        entries = {node: self._draw(node, is_sum=backward and uses[node] > 1) for node in order}
        for node in order:
            if node.recipe is None:
                continue
            distinct = self._are_distinct(node)
            for slot, (argument, parent) in enumerate(zip(node.recipe.arguments, node.parents, strict=True)):
                shape = _shape(parent) or _shape(node)
                label = ": ".join(filter(None, (argument if distinct else "", shape)))
                end = entries[parent] if backward else self._exit(parent)
                self._edge(self._id("n", node), end, label)
                if (node, slot) in marks.edges:
                    self.marked |= {(self._id("n", node), end), (end, self._id("n", node))}
        self._draw_constants()
        by_id = {self._id(kind, node): node for node in order for kind in "nas"}
        self.parts = {name: [by_id[name]] for name, _ in self.nodes if name in by_id}

    def draw(self, graph: Any, clusters: Clusters | None, runs: Sequence[Run] = ()) -> None:
        """Draw the nodes and edges into a graph, within clusters if they are given, each run folded into a node."""
        folds = self._draw_nodes(graph, clusters, runs)
        drawn = set()
        for tail, head, label in self.edges:
            edge = folds.get(tail, tail), folds.get(head, head), label
            if edge[0] == edge[1] or (edge in drawn and edge != (tail, head, label)):
                continue
            drawn.add(edge)
            attributes = {"label": "  " + literal(label)} if label else {}
            if (tail, head) in self.reads:
                attributes |= READ
            if (tail, head) in self.marked:
                attributes |= WRONG_EDGE
            if {tail, head} <= self.spine:
                attributes["weight"] = "8"  # so a chain of calls is drawn straight, with its parameters beside it
            graph.edge(*edge[:2], **attributes)

    def _draw_nodes(self, graph: Any, clusters: Clusters | None, runs: Sequence[Run]) -> dict[str, str]:
        """Draw the nodes in their modules; returns for each folded part the identifier that replaces it."""
        into = {node: f"{self.prefix}r{number}" for number, run in enumerate(runs) for node in run.nodes}
        owners = {} if clusters is None else clusters.owners
        if clusters is not None:
            for node in self.index:
                if (path := clusters.fold_of(node)) is not None:
                    into.setdefault(node, f"{self.prefix}m{identifier(path)}")
        folds = self._folded_constants(into, runs)
        members: dict[str | None, list[tuple[str, dict[str, str]]]] = {}
        folded: dict[str, list[Node]] = {}
        for name, attributes in self.nodes:
            shown = self.parts[name][0] if name in self.parts else None
            if shown is not None and shown in into:
                folds[name] = into[shown]
                folded.setdefault(into[shown], []).append(shown)
            elif name not in folds:
                members.setdefault(None if shown is None else owners.get(shown), []).append((name, attributes))
        for name in folds:
            self.parts.pop(name, None)
        for number, run in enumerate(runs):
            name = f"{self.prefix}r{number}"
            around = None if clusters is None else clusters.module_of(run.nodes)
            members.setdefault(around, []).append(self._fold(name, self.labels.of_run(run), folded.pop(name)))
        for name, nodes in folded.items():
            assert clusters is not None
            path = str(clusters.fold_of(nodes[0]))
            lines = self.labels.of_module(clusters.title(path), nodes)
            members.setdefault(clusters.around(path) if path else None, []).append(self._fold(name, lines, nodes))

        for name, attributes in members.get(None, []):
            graph.node(name, **attributes)
        if clusters is not None:
            self._draw_clusters(graph, clusters, members)
        return folds

    def _folded_constants(self, into: Mapping[Node, str], runs: Sequence[Run]) -> dict[str, str]:
        """The constants that only the calls within one run read, with the node that the run is folded into."""
        by_id = {self._id("n", node): name for node, name in into.items()}
        readers: dict[str, set[str | None]] = {}
        for call, box in self.reads:
            readers.setdefault(box, set()).add(by_id.get(call))
        names = {f"{self.prefix}r{number}" for number in range(len(runs))}
        return {box: str(*found) for box, found in readers.items() if len(found) == 1 and found <= names}

    def _fold(self, name: str, lines: list[str], nodes: list[Node]) -> tuple[str, dict[str, str]]:
        """The node that stands for several."""
        self.parts[name] = [*dict.fromkeys(nodes)]
        gradient = self.labels.gradient_of_module(nodes)
        self._node(name, lines, MODULE, None if gradient is None else root_mean_square(gradient))
        return self.nodes.pop()

    def _draw_clusters(
        self, graph: Any, clusters: Clusters, members: Mapping[str | None, list[tuple[str, dict[str, str]]]]
    ) -> None:
        """Draw the modules that are open, with what stands in them."""
        open_modules = {around for path in members if path is not None for around in clusters.ancestry(path)}

        def add(part: Any, path: str) -> None:
            with part.subgraph(name=f"cluster_{self.prefix}module_{identifier(path)}") as inner:
                title = literal(clusters.title(path))
                # Spaces beside the title make room, so that no edge crosses it. What flows comes in from above; and
                # where cotangents leave, beside the parameters, is not the corner on the left at the bottom.
                title += "\N{NO-BREAK SPACE}" * (2 * len(title))
                place = "b" if self.backward and not self.is_sideways else "t"
                inner.attr(label=title, labelloc=place, labeljust="l", **self.palette.of(CLUSTER))
                for name, attributes in members.get(path, []):
                    inner.node(name, **attributes)
                for child in clusters.children.get(path, []):
                    if child in open_modules:
                        add(inner, child)

        if open_modules:
            add(graph, "")

    def _draw(self, node: Node, is_sum: bool) -> str:
        """Draw a node with its array and its sum; returns the part that cotangents flow into."""
        leaf, is_output = node.recipe is None, node is self.contents.root
        boxed = is_output or self._is_boxed(node)
        style = self._style_of_leaf(node) if leaf else OUTPUT if is_output else RESULT
        entry = self._id("n", node)
        if leaf:
            self._node(entry, self.labels.of_array(node), style, self.sizes.get(node))
        else:
            lines = self.labels.of_call(node, boxed)
            look = CALL if len(lines) == 1 else LONG_CALL
            if node in self.marks.sentences:
                lines, look = [*lines, self.marks.note(node)], {**LONG_CALL, **WRONG}
            self._node(entry, lines, look, None if boxed else self.sizes.get(node))
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
        """Draw constants with an edge to each call that reads them; no cotangent flows along these edges."""
        uses: dict[int, list[tuple[Node, Constant]]] = {}
        for node, constants in self.contents.constants.items():
            for constant in constants:
                if constant.array.ndim:
                    uses.setdefault(id(constant.array), []).append((node, constant))
        for number, users in enumerate(uses.values()):
            box = f"{self.prefix}c{number}"
            arguments = {constant.argument for _, constant in users}
            # If all calls use the same argument name for it, the box shows the name; otherwise the edges do.
            shared = len(arguments) == 1
            self._node(box, self.labels.of_constant(users[0][1], shared), CONSTANT, None)
            for node, constant in users:
                call = self._id("n", node)
                says = constant.argument if self._are_distinct(node) and (constant.name or not shared) else ""
                self._edge(call, box, says)
                self.reads.add((call, box))

    def _are_distinct(self, node: Node) -> bool:
        """Whether a call has several drawn operands, and it matters which is which."""
        assert node.recipe is not None
        drawn = sum(constant.array.ndim > 0 for constant in self.contents.constants.get(node, ()))
        return len(node.parents) + drawn > 1 and node.recipe.rule.function not in _COMMUTATIVE

    def _node(self, name: str, lines: list[str], style: dict[str, str], size: float | None) -> None:
        """Draw a node with its lines, coloured by the size of its gradient if that is known."""
        look = self.palette.of(style)
        if self.scale is not None and size is not None:
            look |= self.palette.of_heat(self.scale.look(size))
        self.nodes.append((name, {"label": "\\n".join(map(literal, lines)), **look}))

    def _style_of_leaf(self, node: Node) -> dict[str, str]:
        parameters = self.contents.parameters
        return LEAF if parameters is None or node in parameters else INPUT

    def _is_boxed(self, node: Node) -> bool:
        return node in self.contents.names or (node.slot is not None and node.slot.keeps)

    def _exit(self, node: Node) -> str:
        """The part of a drawn node from which its value flows on, in the forward picture."""
        return self._id("a" if node.recipe is not None and self._is_boxed(node) else "n", node)

    def _id(self, kind: str, node: Node) -> str:
        return f"{self.prefix}{kind}{self.index[node]}"

    def _edge(self, tail: str, head: str, label: str) -> None:
        self.edges.append((tail, head, label) if self.backward else (head, tail, label))


def _shape(node: Node) -> str:
    """A node's shape; empty for a number, and for a call with several results, whose nodes have their own shapes."""
    return "" if has_several(node) or not node.shape else str(node.shape)


_COMMUTATIVE = frozenset({np.add, np.multiply, np.maximum, np.minimum, np.logaddexp})


def identifier(path: str) -> str:
    """A module's path as a part of an identifier, in which Graphviz reads no ports or escapes, none too long."""
    if len(path) > 200:
        return f"{identifier(path[:100])}_{zlib.crc32(path.encode(errors='backslashreplace')):x}"
    return re.sub(r"[^\w.]", lambda found: f"_{ord(found[0]):x}_", path)


def literal(text: str) -> str:
    """Text escaped so that Graphviz shows it unchanged, as far as a picture can hold it."""
    return visible(text, 400).replace("\\", "\\\\").replace("&", "&amp;")
