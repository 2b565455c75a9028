"""A plan as text: its calls, where their results lie, how many bytes these have, and how much work the calls are."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..formatting import with_unit
from ..html_tables import html_table
from .ir import Argument, Call, Captured, Constant, Value
from .layout.planned import PlannedProgram


def report(plan: PlannedProgram) -> str:
    """The calls of a plan as a table, after a line of totals."""
    head, rows = _totals_and_rows(plan)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    return "\n".join([head, *("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)])


def html_report(plan: PlannedProgram) -> str:
    """The same table for a notebook."""
    head, rows = _totals_and_rows(plan)
    return html_table(["", "call", "result", "memory", "work"], rows, left=(1, 2), title=head)


def _totals_and_rows(plan: PlannedProgram) -> tuple[str, list[tuple[str, ...]]]:
    names = Names(plan)
    made = [call for call in plan.calls if not call.is_view]
    rows: list[tuple[str, ...]] = [(str(i + 1), *names.row(call)) for i, call in enumerate(made)]
    flops = sum(call.flops for call in made)
    buffers = sum(1 for call in made for result in call.results if result not in plan.persistent)
    gradients = sum(arena.nbytes for arena in plan.gradients.values())
    shared, separate = (with_unit(size, "B") for size in (plan.memory.shared_bytes, plan.memory.separate_bytes))
    head = (
        f"{plan.name}: {len(made)} calls of {plan.recorded_calls} recorded, {with_unit(flops, 'flop')}; {buffers} "
        f"buffers in {shared} of memory ({separate} if each had its own), gradients in {with_unit(gradients, 'B')}"
    )
    return head, rows


class Names:
    """The names of a plan's values in its text and its picture."""

    def __init__(self, plan: PlannedProgram) -> None:
        self._plan = plan
        self._names: dict[Value, str] = {}

    def of(self, value: Value) -> str:
        """The name of a value: ``x0`` for an argument, a tensor's own name, ``b0`` for a buffer."""
        if value not in self._names:
            self._names[value] = self._named(value)
        return self._names[value]

    def _named(self, value: Value) -> str:
        origin = value.origin
        if isinstance(origin, Argument):
            return f"x{origin.position}"
        if isinstance(origin, Constant):
            return f"{origin.array.item()!r}" if origin.array.size == 1 else self._new("k")
        if isinstance(origin, Captured):
            name = isinstance(origin.holder, Tensor) and self._plan.names.get(origin.holder)
            return self._new(name or "c") if not name or name in self._names.values() else name
        if origin is not None:
            return self._new("g")
        if value.base is not None:
            return self._view(value)
        return self._new("gradient" if value in self._plan.persistent else "b")

    def _new(self, prefix: str) -> str:
        return f"{prefix}{sum(name.startswith(prefix) for name in self._names.values())}"

    def _view(self, value: Value) -> str:
        call = next(call for call in self._plan.calls if value in call.results)
        if call.function is np.transpose and len(call.args) == 1:
            return f"{self.of(call.operands[0])}.T"
        return self.expression(call)

    def expression(self, call: Call) -> str:
        """A call as Python code."""
        if call.function is operator.getitem:
            return f"{self._argument(call.args[0])}[{self._index(call.args[1])}]"
        if call.function is operator.setitem:
            return f"{self._argument(call.args[0])}[{self._index(call.args[1])}] = {self._argument(call.args[2])}"
        arguments = [self._argument(member) for member in call.args]
        arguments += [
            f"{name}={self._argument(member)}"
            for name, member in call.kwargs.items()
            if name != "out" and member is not None and member is not False
        ]
        return f"{call.name}({', '.join(arguments)})"

    def _argument(self, member: Any) -> str:
        if isinstance(member, Value):
            return self.of(member)
        if isinstance(member, tuple | list):
            return f"({', '.join(map(self._argument, member))})"
        return repr(member)[:30] if isinstance(member, int | float | str | np.generic) or member is None else "..."

    def _index(self, index: Any) -> str:
        members = index if isinstance(index, tuple) else (index,)
        written = {None: "None", Ellipsis: "..."}
        return ", ".join(
            written[member] if member is None or member is Ellipsis else ":" if isinstance(member, slice)
            else self._argument(member)
            for member in members
        )  # fmt: skip

    def row(self, call: Call) -> tuple[str, str, str, str]:
        """A call as the columns of a table."""
        targets = call.results or call.writes
        target = ", ".join(map(self.of, targets))
        layouts = [target.layout for target in targets]
        described = ", ".join(f"{layout.shape} {layout.dtype}" for layout in layouts)
        size = with_unit(sum(layout.nbytes for layout in layouts), "B") if layouts else ""
        sign = " = " if call.results else " <- " if targets else ""
        work = with_unit(call.flops, "flop") if call.flops else ""
        return _shortened(f"{target}{sign}{self.expression(call)}", 90), _shortened(described, 40), size, work


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
