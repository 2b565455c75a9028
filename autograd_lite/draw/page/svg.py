"""A picture as SVG within a page: each of its elements has the numbers of the graph nodes that it shows."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from ...core.graph import Node
from ..digraph import Graph
from ..files import rendered

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_PIXELS_IN_A_POINT = 4 / 3


def inline_svg(graph: Graph, parts: dict[str, list[Node]], numbers: dict[Node, int], description: str) -> str:
    """The picture as an ``<svg>`` element for a page.

    Elements of class ``node`` have the numbers of their nodes in ``data-nodes``, those of class ``edge`` in
    ``data-tails`` and ``data-heads``. Lines with a gradient have the class ``gradient``.

    Parameters
    ----------
    graph : Graph
        The picture.
    parts : dict
        From the picture's identifiers to nodes, as in `Diagram`.
    numbers : dict
        The number of each node.
    description : str
        A description of the picture, for readers who cannot see it.

    Raises
    ------
    GraphvizNotFoundError
        If ``dot`` is not installed.
    """
    svg = ElementTree.fromstring(rendered(graph, "svg"))
    told = {name: " ".join(str(numbers[node]) for node in nodes) for name, nodes in parts.items()}
    for group in svg.iter(f"{{{_SVG}}}g"):
        title = group.find(f"{{{_SVG}}}title")
        if title is not None:
            group.remove(title)
        name = (title.text if title is not None else None) or ""
        group.attrib.pop("id", None)
        match group.get("class"):
            case "graph":
                background = group.find(f"{{{_SVG}}}polygon")
                if background is not None:
                    group.remove(background)
            case "node":
                group.set("data-nodes", told.get(name, ""))
                for line in group.findall(f"{{{_SVG}}}text"):
                    if (line.text or "").startswith("gradient "):
                        line.set("class", "gradient")
            case "edge":
                tail, _, head = name.partition("->")
                group.set("data-tails", told.get(tail, ""))
                group.set("data-heads", told.get(head, ""))
    for side in ("width", "height"):
        svg.set(side, str(round(float((svg.get(side) or "0pt").removesuffix("pt")) * _PIXELS_IN_A_POINT)))
    svg.set("role", "img")
    svg.set("aria-label", description)
    for prefix, uri in (("", _SVG), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, uri)
    return re.sub(r"\n\s*", "\n", ElementTree.tostring(svg, encoding="unicode"))
