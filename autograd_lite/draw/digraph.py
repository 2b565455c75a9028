"""The picture that `draw_graph` returns: a `graphviz.Digraph` that can save itself in several formats."""

from __future__ import annotations

import os
from typing import Any

import graphviz

from .files import GraphvizNotFoundError, rendered, save_graph
from .styles import FONT, USUAL, Look


class Graph(graphviz.Digraph):  # type: ignore[misc]
    """A picture as DOT text in `source`; Graphviz's ``dot`` lays it out when it is shown or saved as an image."""

    def save(self, filename: str | os.PathLike[str] | None = None, directory: Any = None, **options: Any) -> Any:
        """Write the picture as ``.svg``, ``.png``, ``.pdf``, ``.dot`` or ``.gv`` by its ending; see `save_graph`.

        Without a name, or with options, it does the same as `graphviz.Digraph.save`: it writes the DOT text.
        """
        if filename is None or directory is not None or options:
            return super().save(filename, directory=directory, **options)
        return save_graph(self, filename)

    def _repr_svg_(self) -> str:
        return rendered(self, "svg").decode()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self._repr_svg_()}
        except GraphvizNotFoundError as error:
            return {"text/plain": f"{error}\n\n{self.source}"}


def blank(note: str, look: Look = USUAL) -> Graph:
    """An empty picture with a note at the bottom."""
    size, small = f"{look.fontsize:g}", f"{look.fontsize * 9 / 11:.3g}"
    faint, line = ("black", "black") if look.palette.is_print else ("#444444", "#555555")
    return Graph(
        graph_attr={
            "rankdir": look.rankdir, "ranksep": "0.35", "nodesep": "0.3", "labelloc": "b", "label": note,
            "fontname": FONT, "fontsize": size, "fontcolor": faint,
        },
        node_attr={"fontname": FONT, "fontsize": size, "margin": "0.12,0.06", "height": "0.3"},
        edge_attr={"fontname": FONT, "fontsize": small, "color": line, "fontcolor": faint, "arrowsize": "0.7"},
    )  # fmt: skip
