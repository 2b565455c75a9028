"""`draw_graph`: the recorded graph of a result, as a picture of its backward pass, its forward computation, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ..compiler import CompiledFunction
from ..core.graph import Node
from ..core.tensor import Tensor
from ..formatting import with_unit
from .circuit import Circuit
from .clusters import Clusters
from .diagram import Diagram
from .graph_info import Contents, what_is_lacking
from .labels import Labels
from .live import Array
from .marks import recorded
from .network import draw_network
from .repeats import find_repeats
from .styles import PALETTES, HeatScale, Look, Palette
from .text import root_mean_square, values_of

if TYPE_CHECKING:
    from .digraph import Graph

Direction = Literal["backward", "forward", "both"]
Style = Literal["graph", "circuit", "network"]


def draw_graph(
    output: Any,
    direction: Direction = "backward",
    names: Mapping[Any, Any] | None = None,
    *,
    style: Style = "graph",
    values: bool | None = None,
    heat: Literal["grad"] | None = None,
    memory: bool = False,
    module: Any = None,
    depth: int | None = None,
    fold: bool = False,
    rankdir: Literal["TB", "LR", "BT", "RL"] | None = None,
    fontsize: float | None = None,
    palette: str = "colorblind",
) -> Graph:
    """Draw the graph that a result was computed by, as a graph, as a textbook's circuit, or as a network of neurons.

    In a graph, round nodes are recorded calls. Boxes are arrays: leaves have a bold frame, the output a double frame,
    and results that have a name or whose ``retain_grad()`` was called a dashed frame. Boxes with a folded corner are
    inputs: a constant that the graph keeps, such as the data, to which no cotangent flows; or, with a bold frame, a
    leaf that is not a parameter of the module.

    Parameters
    ----------
    output : Tensor, GradientComparison, CompiledFunction or Plan
        A result, usually the loss, before or after ``backward()``. For a report of `compare_gradients`, the graph of
        the loss is drawn, and the steps with mistakes are red, with the numbers of the report's explanations. For a
        compiled function, the plan that ran last is drawn, with the calls of a replay; no other argument is allowed
        then.
    direction : {"backward", "forward", "both"}, default "backward"
        Whether edges run from the output to the leaves, as cotangents flow, or from the leaves to the output, as data
        flow; or both pictures beside each other. Backward edges show the cotangent's shape, and if a result was used
        several times, the sum of its cotangents is drawn.
    names : dict, optional
        From name to tensor, such as ``dict(model.named_parameters())`` or ``locals()``, or from tensor to name; these
        names take precedence over the tensors' own names. What is neither a tensor nor a list or dict of tensors is
        ignored. Leaves, data and the output that have no name are called by the variable that holds them.
    style : {"graph", "circuit", "network"}, default "graph"
        ``"circuit"`` draws operations as signs in circles, with inputs and constants, values over the wires and
        gradients under them. ``"network"`` draws the neurons of dense layers in columns, with the activation and the
        delta in each, and connections as thick as their weights, or with ``heat="grad"`` as the weights' gradients;
        the activation is a mean over the batch and the delta a root mean square if there are several examples.
        In both the data flow from left to right; `direction`, `memory`, `depth` and `fold` are for graphs.
    values : bool, optional
        Whether to show numbers: the entries of a small array; mean, standard deviation, minimum and maximum of a large
        one; and all gradients. What the graph has not kept is taken from tensors that are alive, or computed again;
        what is left is marked as gone. By default graphs show none, and the other styles all.
    heat : {"grad"}, optional
        Colours every node by the root mean square of its gradient, on a logarithmic scale with a legend. Gradients that
        are exactly zero are white in a dotted frame, those with a NaN are black.
    memory : bool, default False
        Whether to show for each call which arrays its rule keeps, and their size. The total is always shown under the
        picture.
    module : Module, optional
        The model that the result was computed by. Its parameters are named after their paths, and its modules are drawn
        as clusters. A call belongs to the module whose parameters it uses, or to the module that contains the calls
        before and after it; the loss belongs to no module.
    depth : int, optional
        The number of levels of modules that are drawn open; each deeper module is folded into one node. 0 folds the
        model itself; None, the default, folds nothing.
    fold : bool, default False
        Whether units that are repeated three times or more, such as the layers of a deep network, are folded into one
        node with their number, and with the gradients of the first and the last.
    rankdir : {"TB", "LR", "BT", "RL"}, optional
        Graphviz's name for the direction of the layout, from top to bottom or from left to right. A graph is drawn from
        top to bottom by default, the other styles always from left to right.
    fontsize : float, optional
        The size of the text in points, which boxes follow; 11 by default, and 13 in a circuit.
    palette : {"colorblind", "print"}, default "colorblind"
        Colours that colour-blind readers can distinguish, or black on white.

    Returns
    -------
    Graph
        A `graphviz.Digraph` that a notebook shows as a picture, with its text in ``source``; ``save("graph.svg")``
        writes it to a file. The same graph gives the same text.

    Raises
    ------
    TypeError
        If the output is not a tensor, or requires no gradient, and so has no graph, or is a report without one; if
        `module` is not a module, or `depth` is given without a module; if an argument is given that the style, or a
        plan, does not have.
    ValueError
        If `direction`, `style`, `heat`, `rankdir` or `palette` is unknown, or `depth` is negative; if there is no dense
        layer to draw a network of.

    Notes
    -----
    Gradients are shown after ``backward()`` has run. Those of intermediate results are shown after
    ``backward(retain_graph=True)``, or if their ``retain_grad()`` was called; a note under the picture says what is
    missing. To compute them, the pass is run once more, without changing any gradient; it calls hooks. With ``values``
    or ``heat`` they are also shown after a plain ``backward()``, as far as the values of the graph that it has freed
    can be computed again.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    >>> graph = draw_graph(np.sum(np.exp(x)))
    >>> [line.strip().split(" [")[0] for line in graph.source.splitlines() if "->" in line]
    ['a0 -> n0', 'n0 -> n1', 'n1 -> n2']
    """
    from .digraph import blank

    if isinstance(output, CompiledFunction) or type(output).__name__ == "Plan":
        from .draw_plan import draw_plan, plan_of

        given = direction != "backward" or style != "graph" or palette != "colorblind" or values or memory or fold
        if given or any(argument is not None for argument in (names, heat, module, depth, rankdir, fontsize)):
            raise TypeError(
                "draw_graph: for a compiled function or a plan, no other argument is allowed; to write the picture to "
                'a file, call draw_graph(step).save("plan.svg")'
            )
        return draw_plan(plan_of(output))
    output, marks = recorded("draw_graph", output)
    check_recorded("draw_graph", output)
    _check_choices(direction=direction, style=style, heat=heat, rankdir=rankdir, palette=palette)
    check_module("draw_graph", module, depth)
    if fontsize is not None and not 1 <= fontsize <= 200:
        raise ValueError(f"draw_graph: fontsize={fontsize!r} is no size of text in points; expected 1 to 200")
    if style != "graph":
        foreign = {"direction": direction != "backward", "memory": memory, "depth": depth is not None, "fold": fold}
        foreign["rankdir"] = rankdir not in (None, "LR")
        foreign["heat"] = heat is not None and style == "circuit"
        for name in (name for name, is_given in foreign.items() if is_given):
            raise TypeError(f"draw_graph: {name}= is not for style={style!r}; leave it out, or draw a graph")
    values = style != "graph" if values is None else values
    contents = Contents(output, names, module, complete=values or heat is not None or style != "graph")
    gradients = contents.gradients()
    if style == "circuit":
        look = Look("LR", fontsize or 13.0, PALETTES[palette])
        graph = blank("\\n".join(what_is_lacking(contents, gradients)) if values else "", look)
        Circuit(contents, gradients, look, values).draw(graph)
        return graph
    if style == "network":
        return draw_network(contents, gradients, Look("LR", fontsize or 10.0, PALETTES[palette]), values, heat)
    look = Look(rankdir or "TB", fontsize or 11.0, PALETTES[palette])
    clusters = None if module is None else Clusters(contents, module, depth)
    sizes = {node: root_mean_square(gradient) for node, gradient in gradients.items()} if heat else {}
    scale = HeatScale(sizes.values()) if sizes else None
    graph = blank(_note(contents, gradients, values or heat is not None), look)
    labels = Labels(
        contents,
        gradients,
        values=values_of if values else None,
        everywhere=values or heat is not None,
        gone=values,
        memory=memory,
    )
    runs = find_repeats(contents) if fold else ()
    ways = {"f": False, "b": True} if direction == "both" else {"": direction == "backward"}
    if look.rankdir in ("LR", "RL"):
        ways = dict(reversed(ways.items()))  # Graphviz puts the first one at the bottom
    for prefix, backward in ways.items():
        diagram = Diagram(contents, labels, sizes, scale, backward, prefix, look, marks)
        if not prefix:
            diagram.draw(graph, clusters, runs)
            continue
        with graph.subgraph(name=f"cluster_{'backward' if backward else 'forward'}") as part:
            part.attr(label="backward" if backward else "forward", labelloc="t", style="rounded", fontsize="13")
            part.attr(color="black" if look.palette.is_print else "#AAAAAA")
            diagram.draw(part, clusters, runs)
    if scale is not None:
        _draw_legend(graph, scale, look.palette)
    return graph


def _check_choices(**given: str | None) -> None:
    """Refuse what is none of an argument's values."""
    for name, value in given.items():
        known = _CHOICES[name]
        if value not in known:
            *most, last = (repr(one) for one in known if one is not None)
            listed = f"{', '.join(most)} or {last}" if most else last
            none = ", or None for no colours" if name == "heat" else ""
            raise ValueError(f"draw_graph: {name}={value!r} is unknown; expected {listed}{none}")


_CHOICES: dict[str, tuple[str | None, ...]] = {
    "direction": ("backward", "forward", "both"),
    "style": ("graph", "circuit", "network"),
    "heat": ("grad", None),
    "rankdir": ("TB", "LR", "BT", "RL", None),
    "palette": tuple(PALETTES),
}


def check_recorded(caller: str, output: Any) -> None:
    """Refuse an output without a graph."""
    if not isinstance(output, Tensor):
        raise TypeError(f"{caller}: expected a Tensor, the result of a computation, not {type(output).__name__}")
    if output.node is None:
        raise TypeError(
            f"{caller}: the tensor requires no gradient, so no graph was recorded; compute it from tensors made with "
            "requires_grad=True, outside of no_grad()"
        )


def check_module(caller: str, module: Any, depth: int | None) -> None:
    """Refuse an object that is not a module, and a depth without a module."""
    if module is None:
        if depth is not None:
            raise TypeError(f"{caller}: depth= folds modules, but module= is missing; pass module=model as well")
    elif not hasattr(module, "named_modules"):
        raise TypeError(f"{caller}: module= must be a Module, not {type(module).__name__}")
    if depth is not None and depth < 0:
        raise ValueError(f"{caller}: depth={depth} is negative; expected 0 or more, or None to fold nothing")


def _draw_legend(graph: Any, scale: HeatScale, palette: Palette) -> None:
    with graph.subgraph(name="cluster_legend") as legend:
        legend.attr(label="root mean square of the gradient", labelloc="t", color="#AAAAAA", style="rounded")
        names = [f"l{i}" for i in range(len(scale.legend()))]
        for name, (label, look) in zip(names, scale.legend(), strict=True):
            colours = palette.of_heat(look)
            legend.node(name, label=label, shape="box", **{"style": "filled", "color": "#777777", **colours})
        for upper, lower in zip(names[::-1], names[-2::-1], strict=False):
            legend.edge(upper, lower, style="invis", minlen="0")


def _note(contents: Contents, gradients: Mapping[Node, Array], wanted: bool) -> str:
    """The note under the picture: why gradients are missing, and how much memory the graph keeps."""
    lines = what_is_lacking(contents, gradients) if wanted or not contents.backward_has_run else []
    if contents.kept:
        lines.append(f"the graph keeps {with_unit(contents.total_bytes, 'B')}")
    return "\\n".join(lines)
