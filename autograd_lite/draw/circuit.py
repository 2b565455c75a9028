"""The circuit of the textbooks: operations in circles, values over the wires, and gradients under them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..core.graph import Node
from ..formatting import short, visible
from .graph_info import Constant, Contents, has_several
from .live import Array
from .styles import Look
from .symbols import inferred_constant, sign_of
from .text import SMALL, root_mean_square, values_of

_LONGEST_IN_A_CIRCLE = 5
"""Letters of a sign that stands in a circle; longer ones stand in a rounded box."""

_BLANK = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True)
class Wire:
    """What is told at a wire.

    Attributes
    ----------
    name : str or None
        The name of a leaf, of data, or of a result that has one.
    value, gradient : list of str
        The lines over it and under it.
    is_result : bool
        Whether a call comes before it and another behind it.
    is_fresh : bool
        Whether the gradient is emphasised.
    room : tuple of int
        The letters in a line, and the lines, that there is room for at least.
    """

    name: str | None
    value: list[str]
    gradient: list[str] = field(default_factory=list)
    is_result: bool = False
    is_fresh: bool = False
    room: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Frame:
    """What is told of a backward pass at one moment.

    Attributes
    ----------
    gradients : mapping
        From node to what has come in of its gradient so far.
    lit : Node or None
        The call whose turn it is.
    fresh : frozenset of Node
        The nodes whose gradients it has changed.
    rooms : mapping
        From node to the room for its gradient in every frame; see `Wire`.
    """

    gradients: Mapping[Node, Array]
    lit: Node | None = None
    fresh: frozenset[Node] = frozenset()
    rooms: Mapping[Node, tuple[int, int]] = field(default_factory=dict)


class Circuit:
    """The circuit of a graph.

    Parameters
    ----------
    contents : Contents
        The graph.
    gradients : mapping
        From node to gradient, if that is known.
    look : Look
        Colours and sizes.
    values : bool, default True
        Whether numbers are shown.
    """

    def __init__(self, contents: Contents, gradients: Mapping[Node, Array], look: Look, values: bool = True) -> None:
        self.contents, self.gradients, self.look, self.values = contents, gradients, look, values
        self.index = {node: i for i, node in enumerate(contents.order)}
        self._constants: dict[Any, str] = {}

    def draw(self, graph: Any, frame: Frame | None = None) -> None:
        """Draw the circuit into an empty picture: as it is, or in one frame of its backward pass."""
        frame = frame or Frame(self.gradients)
        self._constants = {}
        for node in reversed(self.contents.order):
            self._wire(graph, f"w{self.index[node]}", self._told(node, frame))
            if node.recipe is not None:
                self._operation(graph, node, frame.lit is node)

    def _operation(self, graph: Any, node: Node, is_lit: bool) -> None:
        """Draw a call, with the wires of its constants, and connect it."""
        assert node.recipe is not None
        constants = {c.argument: c for c in self.contents.constants.get(node, ())}
        if (found := inferred_constant(node, self.contents.values)) is not None:
            constants.setdefault(found[0], Constant(*found))
        sign, folded = sign_of(node, {argument: constant.array for argument, constant in constants.items()})
        inputs: dict[str, str] = {}
        for argument, parent in zip(node.recipe.arguments, node.parents, strict=True):
            inputs[argument] = f"w{self.index[parent]}"
        for argument, constant in constants.items():
            if argument not in folded:
                inputs[argument] = self._constant(graph, node, constant)
        name, size = f"n{self.index[node]}", self.look.fontsize
        width = f"{size / 26:.2f}"
        form = {"shape": "circle", "fixedsize": "true", "width": width, "fontsize": f"{size + 3:g}"}
        if 2 < len(sign) <= _LONGEST_IN_A_CIRCLE:
            form = {"shape": "circle", "margin": "0.01", "width": width, "fontsize": f"{size:g}"}
        elif len(sign) > _LONGEST_IN_A_CIRCLE:
            form = {"shape": "box", "style": "rounded,filled", "margin": "0.1,0.05", "fontsize": f"{size:g}"}
        colours = self.look.palette.lit if is_lit else self.look.palette.operation
        graph.node(name, label=escaped(sign), ordering="in", **{"style": "filled", **form, **colours})
        positions = node.recipe.rule.positions
        for argument in sorted(inputs, key=lambda name: positions.get(name.partition("[")[0], 0)):
            graph.edge(f"{inputs[argument]}:w:e", name, headport="w" if len(inputs) == 1 else "_")
        graph.edge(f"{name}:e", f"w{self.index[node]}:w:w", arrowhead="none")

    def _constant(self, graph: Any, node: Node, constant: Constant) -> str:
        """Draw the wire of a constant, an array once; returns its identifier."""
        key = id(constant.array) if constant.array.ndim else (node, constant.argument)
        if key not in self._constants:
            self._constants[key] = f"c{len(self._constants)}"
            self._wire(graph, self._constants[key], Wire(constant.name, self._lines(constant.array)))
        return self._constants[key]

    def _told(self, node: Node, frame: Frame) -> Wire:
        name = self.contents.name_of(node)
        is_result = node.recipe is not None and node is not self.contents.root
        if has_several(node):
            return Wire(name, [], [], is_result)
        value = self._lines(self.contents.values[node]) if node in self.contents.values else ["?"]
        gradient = self.lines_of_gradient(frame.gradients[node]) if node in frame.gradients else []
        if not self.values:
            value = gradient = []
        return Wire(name, value, gradient, is_result, node in frame.fresh, frame.rooms.get(node, (0, 0)))

    def _lines(self, array: Array) -> list[str]:
        """An array over its wire: its numbers, or the shape of a large one."""
        if not self.values:
            return []
        return values_of(array) if array.size <= SMALL else ["×".join(map(str, array.shape))]

    def lines_of_gradient(self, array: Array) -> list[str]:
        """An array under its wire: its numbers, or the size of a large one."""
        if array.size <= SMALL:
            return values_of(array)
        return [f"rms {short(root_mean_square(array), 2)}"]

    def _wire(self, graph: Any, identifier: str, wire: Wire) -> None:
        """Draw a wire as a table: the name before it, and a line between the value and the gradient."""
        palette, size = self.look.palette, self.look.fontsize
        over = [_font(line, palette.value, size) for line in wire.value]
        name = None if wire.name is None else _font(wire.name, palette.text, size + 1, bold=True)
        if name is not None and wire.is_result:  # over the wire, since one comes in here and another goes out
            over = [f"{name}{_BLANK}={_BLANK}{over[0]}"] if len(over) == 1 else [name, *over]
        colour = palette.fresh if wire.is_fresh else palette.gradient
        under = [_font(line, colour, size, wire.is_fresh or palette.is_print) for line in wire.gradient]
        letters, rows = wire.room
        rows = max(len(over), len(under), rows, 1)  # equally high, so that the line is in the middle
        empty = [_font(_BLANK * 3, palette.text, size)]
        bare = 'border="0" cellborder="0" cellspacing="0"'
        room = f' width="{(letters + 2) * size * 0.6:.0f}"' if letters else ""
        value, gradient = (
            "".join(f"<tr><td{room}>{line}</td></tr>" for line in half)
            for half in (empty * (rows - len(over)) + over, under + empty * (rows - len(under)))
        )
        inner = f'<table {bare} cellpadding="2" color="{palette.line}">{value}<hr/>{gradient}</table>'
        cells = [f'<td port="w">{inner}</td>']
        if name is not None and not wire.is_result:  # before the wire of a leaf, behind that of the output
            cells.insert(1 if identifier == "w0" else 0, f"<td>{_BLANK}{name}{_BLANK}</td>")
        table = f'<table {bare} cellpadding="0"><tr>{"".join(cells)}</tr></table>'
        graph.node(identifier, label=f"<{table}>", shape="plain", **{"class": "wire"})


def escaped(text: str) -> str:
    """Text that Graphviz shows unchanged."""
    return visible(text, 60).replace("\\", "\\\\").replace("&", "&amp;")


def _font(text: str, colour: str, size: float, bold: bool = False) -> str:
    told = escape(re.sub(r"\\(?=[NGETHL])", "\\\\\N{WORD JOINER}", visible(text, 60)))  # which Graphviz would replace
    return f'<font color="{colour}" point-size="{size:g}">{f"<b>{told}</b>" if bold else told}</font>'
