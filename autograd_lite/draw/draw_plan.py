"""The picture of a plan: its calls in the order of a replay, the arrays that they read, and the memory of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..compiler import CompiledFunction
from ..compiler.ir import Argument, Call, Captured, Constant, Value
from ..compiler.report import Names
from ..core.tensor import Tensor
from ..formatting import with_unit
from .diagram import literal
from .styles import CALL, CLUSTER, CONSTANT, INPUT, LEAF, OUTPUT

if TYPE_CHECKING:
    from ..compiler.plan import Plan
    from .digraph import Graph


def plan_of(compiled: CompiledFunction | Plan) -> Plan:
    """The plan that is to be drawn."""
    if not isinstance(compiled, CompiledFunction):
        return compiled
    if not compiled.plans:
        raise ValueError("draw_graph: the compiled function has no plan yet; call it first")
    return compiled.plans[-1]


def draw_plan(plan: Plan) -> Graph:
    """Draw a plan: ellipses are calls, boxes are arguments, tensors and gradients, frames surround machine code.

    Dashed edges with two arrows lead to arrays that a call changes in place.
    """
    from .digraph import blank

    made = [call for call in plan.calls if not call.is_view]
    flops = sum(call.flops for call in made)
    note = (
        f"{len(made)} calls of {plan.recorded_calls} recorded, {with_unit(flops, 'flop')}\\n"
        f"buffers share {with_unit(plan.memory.shared_bytes, 'B')} of {with_unit(plan.memory.separate_bytes, 'B')}"
    )
    graph = blank(note)
    picture = _Picture(plan, graph)
    segments = {id(call): i for i, segment in enumerate(plan.segments) for call in segment}
    for i, segment in enumerate(plan.segments):
        with graph.subgraph(name=f"cluster_{i}") as cluster:
            cluster.attr(label="machine code", labelloc="t", labeljust="l", **CLUSTER)
            for call in segment:
                picture.call(call, cluster)
    for call in made:
        if id(call) not in segments:
            picture.call(call, graph)
    for call in made:
        picture.edges(call)
    return graph


class _Picture:
    """The nodes and edges of a plan in a graph."""

    def __init__(self, plan: Plan, graph: Graph) -> None:
        self._graph = graph
        self._plan = plan
        self._names = Names(plan)
        self._nodes: dict[int, str] = {}
        self._makers: dict[Value, str] = {}

    def call(self, call: Call, graph: Graph) -> None:
        """Draw a call, and the gradients that it leaves."""
        name = self._nodes[id(call)] = f"n{len(self._nodes)}"
        work = f"\\n{with_unit(call.flops, 'flop')}" if call.flops else ""
        graph.node(name, label=f"{literal(call.name)}{work}", **CALL)
        for result in call.results:
            self._makers[result.root] = name

    def edges(self, call: Call) -> None:
        """Draw the edges from the arrays that a call reads, and to those that it changes."""
        name = self._nodes[id(call)]
        changed = {value.root for value in call.writes}
        for operand in dict.fromkeys([*call.operands, *call.writes]):
            if isinstance(operand.origin, Constant):
                continue
            shape = "×".join(map(str, operand.layout.shape)) or "1"
            in_place = {"dir": "both", "style": "dashed"} if operand.root in changed else {}
            self._graph.edge(self._source(operand.root), name, label=shape, **in_place)
        for result in call.results:
            if result in self._plan.persistent:
                self._graph.edge(name, self._box(result, OUTPUT))

    def _source(self, root: Value) -> str:
        if root in self._makers:
            return self._makers[root]
        is_tensor = isinstance(root.origin, Captured) and isinstance(root.origin.holder, Tensor)
        return self._box(root, LEAF if is_tensor else INPUT if isinstance(root.origin, Argument) else CONSTANT)

    def _box(self, value: Value, look: dict[str, str]) -> str:
        key = id(value)
        if key not in self._nodes:
            self._nodes[key] = f"a{len(self._nodes)}"
            shape, dtype, _ = value.layout
            self._graph.node(self._nodes[key], label=f"{literal(self._names.of(value))}\\n{shape} {dtype}", **look)
        return self._nodes[key]
