"""Pictures as files: written completely or not at all, and with advice if Graphviz is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import write_atomically

if TYPE_CHECKING:
    import graphviz

TEXT = (".dot", ".gv")
RENDERED = (".svg", ".png", ".pdf")


class GraphvizNotFoundError(RuntimeError):
    """Graphviz's program ``dot``, which renders pictures, is not on the PATH."""


def save_graph(graph: graphviz.Digraph, path: str | os.PathLike[str]) -> Path:
    """Write a graph as DOT text or as an image, by the path's ending; returns the path.

    Parameters
    ----------
    graph : graphviz.Digraph
        The graph from `draw_graph`.
    path : path
        A path that ends in ``.svg``, ``.png`` or ``.pdf``, which need Graphviz's ``dot``, or in ``.dot`` or ``.gv``.

    Raises
    ------
    ValueError
        If the path has another ending.
    GraphvizNotFoundError
        If ``dot`` is not installed; nothing is written then.
    OSError
        If the file cannot be written; an older file is kept.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> from autograd_lite.draw import draw_graph
    >>> y = Tensor(2.0, requires_grad=True, name="x") * 3
    >>> save_graph(draw_graph(y), "y.dot").read_text().startswith("digraph")
    True
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in TEXT:
        contents = graph.source.encode()
    elif suffix in RENDERED:
        contents = rendered(graph, suffix[1:])
    else:
        raise ValueError(f"save_graph: {path} ends in {suffix or 'nothing'!r}; expected {', '.join(RENDERED + TEXT)}")
    write_atomically(path, contents)
    return path


def rendered(graph: graphviz.Digraph, file_format: str) -> bytes:
    """The picture, rendered by Graphviz's ``dot``."""
    import graphviz

    try:
        return bytes(graph.pipe(format=file_format))
    except graphviz.ExecutableNotFound:
        raise GraphvizNotFoundError(
            "Graphviz's program dot is not on the PATH. Install it with 'apt-get install graphviz' (Debian, Ubuntu), "
            "'brew install graphviz' (macOS) or 'winget install graphviz' (Windows); saving as .dot works without it"
        ) from None
    except subprocess.CalledProcessError as error:
        complaint = (error.stderr or b"").decode(errors="replace").strip()
        raise RuntimeError(f"save_graph: dot could not render {file_format}: {complaint}") from None
