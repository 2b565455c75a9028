"""`draw_graph`: the recorded graph of a result, as a picture of its backward pass, its forward computation, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from ..compiler import CompiledFunction
from ..core.graph import Node
from ..core.tensor import Tensor
from ..formatting import with_unit
from .clusters import Clusters
from .diagram import Diagram
from .graph_info import Array, Contents, has_several
from .labels import Labels
from .styles import HeatScale
from .text import root_mean_square, values_of

if TYPE_CHECKING:
    from .digraph import Graph

Direction = Literal["backward", "forward", "both"]


def draw_graph(
    output: Any,
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

    Round nodes are recorded calls. Boxes are arrays: leaves have a bold frame, the output a double frame, and results
    that have a name or whose ``retain_grad()`` was called a dashed frame. Boxes with a folded corner are inputs: a
    constant that the graph keeps, such as the data, to which no cotangent flows; or, with a bold frame, a leaf that is
    not a parameter of the module.

    Parameters
    ----------
    output : Tensor, CompiledFunction or Plan
        A result, usually the loss, before or after ``backward()``. For a compiled function, the plan that ran last is
        drawn, with the calls of a replay; no other argument is allowed then.
    direction : {"backward", "forward", "both"}, default "backward"
        Whether edges run from the output to the leaves, as cotangents flow, or from the leaves to the output, as data
        flow; or both pictures beside each other. Backward edges show the cotangent's shape, and if a result was used
        several times, the sum of its cotangents is drawn.
    names : dict, optional
        From name to tensor, such as ``dict(model.named_parameters())``, or from tensor to name; these names take
        precedence over the tensors' own names.
    values : bool, default False
        Whether to show the numbers that the graph and the named tensors hold: the entries of a small array; mean,
        standard deviation, minimum and maximum of a large one; and all gradients.
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

    Returns
    -------
    Graph
        A `graphviz.Digraph` that a notebook shows as a picture, with its text in ``source``; ``save("graph.svg")``
        writes it to a file. The same graph gives the same text.

    Raises
    ------
    TypeError
        If the output is not a tensor, or requires no gradient, and so has no graph; if `module` is not a module, or
        `depth` is given without a module; if another argument is given with a plan.
    ValueError
        If `direction` or `heat` is unknown, or `depth` is negative.

    Notes
    -----
    Gradients are shown after ``backward()`` has run. Those of intermediate results are shown after
    ``backward(retain_graph=True)``, or if their ``retain_grad()`` was called; a note under the picture says what is
    missing. To compute them, the pass is run once more, without changing any gradient; it calls hooks.

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

        given = direction != "backward" or values or memory
        if given or any(argument is not None for argument in (names, heat, module, depth)):
            raise TypeError(
                "draw_graph: for a compiled function or a plan, no other argument is allowed; to write the picture to "
                'a file, call draw_graph(step).save("plan.svg")'
            )
        return draw_plan(plan_of(output))
    check_recorded("draw_graph", output)
    if direction not in ("backward", "forward", "both"):
        raise ValueError(f"draw_graph: direction={direction!r} is unknown; expected 'backward', 'forward' or 'both'")
    if heat not in (None, "grad"):
        raise ValueError(f"draw_graph: heat={heat!r} is unknown; expected 'grad', or None for no colours")
    check_module("draw_graph", module, depth)
    contents = Contents(output, names, module, complete=values or heat is not None)
    clusters = None if module is None else Clusters(contents, module, depth)
    gradients = contents.gradients()
    sizes = {node: root_mean_square(gradient) for node, gradient in gradients.items()} if heat else {}
    scale = HeatScale(sizes.values()) if sizes else None
    graph = blank(_note(contents, gradients, values or heat is not None))
    labels = Labels(
        contents,
        gradients,
        values=values_of if values else None,
        everywhere=values or heat is not None,
        gone=values,
        memory=memory,
    )
    if direction == "both":
        for one in ("forward", "backward"):
            with graph.subgraph(name=f"cluster_{one}") as part:
                part.attr(label=one, labelloc="t", color="#AAAAAA", style="rounded", fontsize="13")
                Diagram(contents, labels, sizes, scale, one == "backward", one[0]).draw(part, clusters)
    else:
        Diagram(contents, labels, sizes, scale, direction == "backward", "").draw(graph, clusters)
    if scale is not None:
        _draw_legend(graph, scale)
    return graph


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


def _draw_legend(graph: Any, scale: HeatScale) -> None:
    with graph.subgraph(name="cluster_legend") as legend:
        legend.attr(label="root mean square of the gradient", labelloc="t", color="#AAAAAA", style="rounded")
        names = [f"l{i}" for i in range(len(scale.legend()))]
        for name, (label, look) in zip(names, scale.legend(), strict=True):
            legend.node(name, label=label, shape="box", **{"style": "filled", "color": "#777777", **look})
        for upper, lower in zip(names[::-1], names[-2::-1], strict=False):
            legend.edge(upper, lower, style="invis", minlen="0")


def _note(contents: Contents, gradients: Mapping[Node, Array], wanted: bool) -> str:
    """The note under the picture: why gradients are missing, and how much memory the graph keeps."""
    lines = []
    if not contents.backward_has_run:
        lines.append("gradients are not shown, because backward() has not run")
    elif wanted and any(node not in gradients for node in contents.order if not has_several(node)):
        lines.append("some gradients are missing, because the graph is freed; backward(retain_graph=True) keeps it")
    if contents.kept:
        lines.append(f"the graph keeps {with_unit(contents.total_bytes, 'B')}")
    return "\\n".join(lines)
