"""`backprop_page`: a page that shows a backward pass step by step."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from html import escape
from itertools import count
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from ...checks.compare.report import GradientComparison
from ...core.graph import Node
from ...core.stepper import steps
from ...core.tensor import Tensor
from ...formatting import short
from ...notation.mathml import variable
from ..clusters import Clusters
from ..diagram import Diagram
from ..graph_info import Contents
from ..labels import Labels
from ..marks import recorded
from ..picture import check_module, check_recorded
from .chain_rule import chain_data
from .html_arrays import Array, Gallery
from .inline import Page, checked
from .sections import Sections

_WEB = Path(__file__).with_name("web")
"""The folder with the page's frame, style and script."""


def backprop_page(
    output: Tensor | GradientComparison,
    path: str | os.PathLike[str] | None = None,
    names: Mapping[Any, Any] | None = None,
    *,
    grad: Any = None,
    module: Any = None,
    depth: int | None = None,
) -> Path | Page:
    """Write a page that shows the backward pass of a result step by step; returns its path, or without one the page.

    The page is one HTML file that needs only a browser, and no network. Beside the graph it shows for each step the
    incoming cotangent, the rule as a formula and with its numbers, the outgoing cotangents, and how the contributions
    of several uses add up. A click on a tensor highlights the chain from the output to it, and for scalars shows the
    product of the local derivatives along each path. When printed, the page has all steps one below the other.

    Parameters
    ----------
    output : Tensor or GradientComparison
        A result, usually the loss, before ``backward()``, or after ``backward(retain_graph=True)``, so that it still
        has its graph. The pass for the page changes no gradient. For a report of `compare_gradients`, the pass of its
        loss, with the mistakes marked in the picture, and told in their steps.
    path : path, optional
        The path of the page, which ends in ``.html`` or ``.htm``. Without it nothing is written, and a `Page` is
        returned, which a notebook shows, and which can be saved.
    names, module, depth
        As in `draw_graph`. Results without a name are numbered in the order of their computation: v1, v2.
    grad : array_like, optional
        The cotangent of the output, as in ``backward(grad)``; not needed for an output with a single element.

    Raises
    ------
    TypeError
        If the output is not a tensor, or requires no gradient, and so has no graph; if `module` is not a module, or
        `depth` is given without a module.
    ValueError
        If the path has another ending, if the output has several elements and `grad` is missing, or if `grad` has
        another shape.
    FreedGraphError, ChangedTensorError
        As in ``backward()``.
    GraphvizNotFoundError
        If Graphviz's ``dot`` is not installed.
    OSError
        If the file cannot be written; an older file is kept.

    Notes
    -----
    Hooks are called, as in every pass, so the numbers are the same as those of ``backward()``.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w, x = Tensor(3.0, requires_grad=True, name="w"), 2.0
    >>> backprop_page((w * x - 1) ** 2, "square.html").name
    'square.html'
    """
    from ..digraph import blank
    from .svg import inline_svg

    if path is not None:
        path = checked(path)
    loss, marks = recorded("backprop_page", output)
    check_recorded("backprop_page", loss)
    check_module("backprop_page", module, depth)
    assert loss.node is not None
    contents = Contents(loss, names, module, complete=True)
    with np.errstate(all="ignore"):  # the page shows infinite numbers and NaN
        played = list(steps(loss.node, loss._seed(grad).data, hooks=True))
    names_of_all = _names_of_all(contents)
    gradients = {step.node: step.cotangent for step in played if hasattr(step.cotangent, "ndim")}
    unnamed = {node: name for node, name in names_of_all.items() if node not in contents.names}
    labels = Labels(contents, gradients, values=_single_number, everywhere=True, numbers=unnamed)
    diagram = Diagram(contents, labels, {}, None, True, "", marks=marks)
    graph = blank("")
    diagram.draw(graph, None if module is None else Clusters(contents, module, depth))
    gallery = Gallery()
    sections = Sections(played, names_of_all, gallery, marks).all()
    name = names_of_all[loss.node]
    described = f"the backward graph of {name}, a picture of the computation that the steps below describe"
    numbers = {step.node: i for i, step in enumerate(played)}
    text = Template((_WEB / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(name),
        output=variable(name),
        last=len(sections) - 1,
        style=(_WEB / "page.css").read_text(encoding="utf-8"),
        script=(_WEB / "page.js").read_text(encoding="utf-8"),
        images=gallery.definitions(),
        picture=inline_svg(graph, diagram.parts, numbers, described),
        steps="\n".join(sections),
        tensors=_options(contents, names_of_all, numbers),
        data=json.dumps(chain_data(played, names_of_all)).replace("<", "\\u003c"),
    )
    page = Page(text, name)
    return page if path is None else page.save(path)


def _names_of_all(contents: Contents) -> dict[Node, str]:
    """A name for every node: the user's, or v1, v2 in the order of computation; for the output, L."""
    taken = {*contents.names.values()}
    free = (f"v{i}" for i in count(1) if f"v{i}" not in taken)
    found = {node: contents.names.get(node) or next(free) for node in reversed(contents.order[1:])}
    return {**found, contents.root: contents.names.get(contents.root) or ("L" if "L" not in taken else next(free))}


def _options(contents: Contents, names: Mapping[Node, str], numbers: Mapping[Node, int]) -> str:
    """The options of the menu of tensors, in the order of their computation."""
    groups = []
    for title, wanted in (("leaves", True), ("results", False)):
        options = "".join(
            f"<option value='{numbers[node]}'>{escape(names[node])}, {node.shape}</option>"
            for node in reversed(contents.order)
            if (node.recipe is None) is wanted
        )
        groups.append(f"<optgroup label='{title}'>{options}</optgroup>")
    return "".join(groups)


def _single_number(array: Array) -> list[str]:
    return [short(array.item())] if array.size == 1 else []
