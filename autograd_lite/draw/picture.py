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

    Round nodes are recorded calls. Boxes are arrays: in a bold frame the leaves, in a double one the output, in a
    dashed one results that have a name or were told to ``retain_grad()``. What has a folded corner is an input: a
    constant that the graph keeps, such as the data, to which no cotangent goes; or in a bold frame, where the module
    tells which leaves are parameters, another leaf.

    Parameters
    ----------
    output : Tensor, CompiledFunction or Plan
        A result, usually the loss, before or after ``backward()``. Of a compiled function the plan that ran last is
        drawn, with the calls of a replay, and takes no other argument.
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
        given without one; if another argument is given with a plan.
    ValueError
        If the direction or what the heat is of is unknown, or `depth` is negative.

    Notes
    -----
    Gradients are shown once ``backward()`` has run. Those of intermediate results are there if it was
    ``backward(retain_graph=True)``, or if they were told to ``retain_grad()``; a note under the picture says what is
    missing. To find them the pass is run once more, without effect on any gradient; hooks are called in it.

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
                "draw_graph: a plan is drawn as it is replayed, and takes no other argument; to write it to a file, "
                'draw_graph(step).save("plan.svg")'
            )
        return draw_plan(plan_of(output))
    check_recorded("draw_graph", output)
    if direction not in ("backward", "forward", "both"):
        raise ValueError(f"draw_graph: direction={direction!r} is unknown; expected 'backward', 'forward' or 'both'")
    if heat not in (None, "grad"):
        raise ValueError(f"draw_graph: heat={heat!r} is unknown; expected 'grad', or None for no colours")
    check_module("draw_graph", module, depth)
    contents = Contents(output, names, module)
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
    """Refuse what has no graph."""
    if not isinstance(output, Tensor):
        raise TypeError(f"{caller}: expected a Tensor, the result of a computation, not {type(output).__name__}")
    if output.node is None:
        raise TypeError(
            f"{caller}: the tensor requires no gradient, so no graph was recorded; compute it from tensors made with "
            "requires_grad=True, outside of no_grad()"
        )


def check_module(caller: str, module: Any, depth: int | None) -> None:
    """Refuse what is no module, and a depth without one."""
    if module is None:
        if depth is not None:
            raise TypeError(f"{caller}: depth= folds modules, and there are none; pass module=model as well")
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
    """What is under the picture: why gradients are not there, and how much the graph keeps."""
    lines = []
    if not contents.backward_has_run:
        lines.append("gradients not shown: backward() has not run")
    elif wanted and any(node not in gradients for node in contents.order if not has_several(node)):
        lines.append("gradients of results not shown where the graph is freed: backward(retain_graph=True) keeps it")
    if contents.kept:
        lines.append(f"the graph keeps {with_unit(contents.total_bytes, 'B')}")
    return "\\n".join(lines)
