"""`Plan`: a recorded program with its own memory, which is replayed for other arrays of the same shapes."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from ..core.graph import GradientSlot, Leaf
from ..core.tensor import Tensor, wrap
from ..core.tree import mapped
from .array_layout import Array, Layout, OtherLayout
from .emit import aliasing
from .emit.codegen import write
from .emit.python_emitter import Code
from .fused_update import FusedUpdate
from .ir import Assignment, Call, Captured, Constant, EntryGradient, Output, Value
from .layout.buffers import Memory
from .layout.planned import PlannedProgram, values_of
from .native import Jit, loader
from .optimize.one_hot import with_chosen, with_minus_one_hot
from .optimize.rectifier import with_where_positive
from .optimize.simplify import Renaming, simplified
from .overlap import is_plain
from .report import html_report, report
from .trace.surroundings import same
from .trace.tracer import Tracer


class Plan(PlannedProgram):
    """The calls of a compiled function, with memory planned for them, and with code that replays them.

    `print` shows the calls, their memory and their work; `autograd_lite.draw.draw_graph` draws them.

    Attributes
    ----------
    jit : bool or "exact"
        Whether segments of the calls are run by machine code.
    segments : list of list of Call
        The calls that machine code runs; it runs each list in one go.
    source : str
        The Python code of a replay.
    replay : callable
        Runs the plan for arguments of the recorded shapes and dtypes; may raise `OtherLayout`.
    guards_hold : callable
        Says whether everything that the plan assumes is still true.
    """

    def __init__(self, tracer: Tracer, arguments: int, outputs: Any, jit: Jit) -> None:
        self.name = tracer.name
        self.jit: Jit = jit if jit != "exact" or _is_at_hand(tracer.calls) else False
        self.recorded_calls = len(tracer.calls)
        self._arguments = arguments
        self.names = {tensor: tensor.name for tensor in tracer.tensors if tensor.name}
        self._guards, self._renewed = tracer.guards, tracer.renewed
        # Those whose arrays are looked up in every call: others are bound in the code.
        self._moving = {tensor for call in tracer.calls for tensor in _assigned(call)}
        self._was_bound_before = False
        self._settling = _of(self, Plan._settled)
        calls, finals, owned = _with_own_memory(tracer.calls, tracer.final_gradients)
        kept = [*values_of(outputs), *(value for value in finals.values() if value is not None)]
        self.calls, renaming = simplified(calls, kept, owned)
        read_afterwards = {value.root for value in map(renaming.of, kept)}
        self.calls = with_minus_one_hot(self.calls, read_afterwards)
        self.calls = with_where_positive(self.calls, read_afterwards) if jit else with_chosen(self.calls)
        self.outputs = _renamed(outputs, renaming)
        self._finals: dict[GradientSlot, Value | None] = {slot: renaming.of(value) for slot, value in finals.items()}
        self.persistent = set(map(renaming.of, owned))
        self.memory = Memory(self.calls, map(renaming.of, kept), map(renaming.of, owned))
        self._bind()
        self._overlapping = aliasing.overlapping(self)

    def __str__(self) -> str:
        return report(self)

    def _repr_html_(self) -> str:
        return html_report(self)

    # ---- within ----

    def _bind(self) -> None:
        """Write the code for the arrays that the tensors have now."""
        self.arrays = arrays = self._arrays()
        code = Code(arrays, self.name, self.persistent)
        moving = self._moving_values()
        for value, _ in moving:
            code.statements.append(f"if {code.operand(value)}.strides != {value.layout.strides}: raise OtherLayout")
        code.extend(aliasing.statements(self, self._arguments, moving, code))
        for changed in self._renewed:  # before they change, in case the replay is interrupted
            name = code.name(changed, "t")
            code.statements.append(f"if getrefcount({name}._node) > references_alone: renew({name})")
        write(self.calls, code, self.jit, {self._first_look(): lambda: self._leave_gradients(code)})
        code.statements.append(f"return {_returned(code, self.outputs)}")
        moved = [
            f"{code.name(tensor, 't')}._value is not {code.operand(value)}"
            for value, tensor in self._captured_tensors()
        ]
        looks = [
            f"({expression.format(code.name(thing, 'g'), code.name(expected, 'g'))})"
            for expression, thing, expected in self._guards
        ]
        self.segments = code.segments
        parameters = ", ".join(f"x{i}" for i in range(self._arguments))
        check = [f"if {' or '.join(moved)}:", f"    return rebound({parameters})"] if moved else []
        body = "".join(f"    {statement}\n" for statement in check + code.statements)
        self.source = (
            f"def replay({parameters}):\n{body}\n"
            f"def guards_hold():\n    try:\n        return {' and '.join(looks) or True}\n"
            "    except (AttributeError, LookupError, ValueError):  # nothing is there any more\n        return False\n"
        )
        code.scope.update(
            OtherLayout=OtherLayout,
            ndarray=np.ndarray,
            wrap=wrap,
            is_=operator.is_,
            same=same,
            renew=_renew,
            rebound=_of(self, Plan._rebound),
            rebind=_of(self, Plan._rebind_later),
            getrefcount=sys.getrefcount,
            references_alone=_references_alone(),
        )
        made: dict[str, Any] = {}  # not in the scope, which they hold
        exec(compile(self.source, f"<plan of {self.name}>", "exec"), code.scope, made)
        self.replay: Callable[..., Any] = made["replay"]
        self.guards_hold: Callable[[], bool] = made["guards_hold"]

    def _first_look(self) -> Call | None:
        """The first callback that could read the gradients, before which they are put in place; None for the end."""
        found = None
        finals = {value.root for value in self._finals.values() if value is not None}
        for call in reversed(self.calls):
            reads_entry = any(isinstance(operand.root.origin, EntryGradient) for operand in call.operands)
            if reads_entry or not finals.isdisjoint(result.root for result in call.results):
                break
            if not call.is_pure and not isinstance(call.function, FusedUpdate | Assignment):
                found = call
        return found

    def _leave_gradients(self, code: Code) -> None:
        """Write the statements that put the gradients in their places."""
        for slot, value in self._finals.items():
            name = code.name(slot, "s")
            if value is None:
                code.statements.append(f"{name}.grad = None")
            else:
                array, tensor = code.operand(value), code.name(wrap(self.arrays[value]), "t")
                code.statements.append(f"{name}.grad = {tensor} if {tensor}._value is {array} else wrap({array})")

    def _rebound(self, *arrays: Array) -> Any:
        before, written = self.arrays, aliasing.written(self)
        for value, tensor in self._captured_tensors():
            tensor._value = aliasing.apart(tensor._value, aliasing.own_memory(self))
            # Sums depend on the order in which elements lie in memory, down to the last digits.
            is_alike = is_plain(tensor._value) and Layout.of(tensor._value) == value.layout
            if not is_alike or (value in written and not tensor._value.flags.writeable):
                raise OtherLayout
            if self._was_bound_before and tensor._value is not before[value]:
                self._moving.add(tensor)
        self.arrays = self._arrays()
        if aliasing.overlapping(self) != self._overlapping:
            self.arrays = before
            raise OtherLayout
        self._bind()
        replay, self.replay = self.replay, self._settling
        self._bound_replay, self._was_bound_before = replay, True
        return replay(*arrays)

    def _settled(self, *arrays: Array) -> Any:
        """The replay after one for which the code was written: whose tensors have other arrays again are moving."""
        self.replay = self._bound_replay
        try:
            return self.replay(*arrays)
        finally:
            self._was_bound_before = self.replay is self._settling

    def _rebind_later(self) -> None:
        """Write the code again in the next call; the current call finishes with the code that it has."""
        self.replay = _of(self, Plan._rebound)

    def _captured_tensors(self) -> list[tuple[Value, Tensor]]:
        return [
            (value, value.origin.holder)
            for value in self.arrays
            if isinstance(value.origin, Captured) and isinstance(value.origin.holder, Tensor)
        ]

    def _moving_values(self) -> list[tuple[Value, Tensor]]:
        roots = dict.fromkeys(value.root for value in self.values() if value.root not in self.arrays)
        captured = [(value, value.origin.holder) for value in roots if isinstance(value.origin, Captured)]
        return [(value, holder) for value, holder in captured if isinstance(holder, Tensor)]

    def _arrays(self) -> dict[Value, Array]:
        """The fixed arrays: those that are the same in every call."""
        found: dict[Value, Array] = dict(self.memory.arrays)
        for value in self.values():
            if isinstance(value.origin, Constant):
                found[value] = value.origin.array
            elif isinstance(value.origin, Captured):
                holder = value.origin.holder
                if not isinstance(holder, Tensor):
                    found[value] = holder
                elif holder not in self._moving:
                    found[value] = holder._value
        for call in self.calls:
            if call.is_view and all(operand in found for operand in call.operands):
                args, kwargs = mapped(lambda member: _array_of(member, found), (call.args, call.kwargs))
                views = call.function(*args, **kwargs)
                found.update(zip(call.results, views if call.gives_tuple else [views], strict=True))
        return found


def _of(plan: Plan, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a plan that does not keep the plan, so that its memory is freed with the last reference to it."""
    itself = ref(plan)
    return lambda *arrays: method(itself(), *arrays)


def _is_at_hand(calls: Sequence[Call]) -> bool:
    """Whether the machine code for all dtypes of the calls was compiled on this machine before."""
    dtypes = {result.layout.dtype for call in calls for result in call.results}
    return all(loader.at_hand(dtype) is not None for dtype in dtypes & loader.DTYPES)


def _with_own_memory(
    calls: Sequence[Call], finals: dict[GradientSlot, Value | None]
) -> tuple[list[Call], dict[GradientSlot, Value | None], list[Value]]:
    """The calls, with copies of gradients that share memory with others or that the function did not compute itself."""
    calls, finals, owned = list(calls), dict(finals), []
    for slot, value in finals.items():
        if value is None:
            continue
        if value.base is not None or value.origin is not None or not value.layout.is_contiguous or value in owned:
            shape, dtype, _ = value.layout
            copied = Value(Layout.of(np.empty(shape, dtype)))
            changes = [i for i, call in enumerate(calls) if value.root in _changed(call)]
            place = changes[-1] + 1 if changes else 0
            calls.insert(place, Call(np.copy, (value,), {}, (copied,), versions=(value.root.version,)))
            finals[slot] = value = copied
        owned.append(value)
    return calls, finals, owned


def _assigned(call: Call) -> tuple[Tensor, ...]:
    return call.function.tensors if isinstance(call.function, Assignment) else ()


def _changed(call: Call) -> list[Value]:
    return [value.root for value in (*call.results, *call.writes)]


def _array_of(member: Any, arrays: dict[Value, Array]) -> Any:
    return arrays[member] if isinstance(member, Value) else member


def _renamed(outputs: Any, renaming: Renaming) -> Any:
    def one(member: Any) -> Any:
        return Output(renaming.of(member.value), member.kind) if isinstance(member, Output) else member

    return mapped(one, outputs)


def _returned(code: Code, outputs: Any) -> str:
    """The results as an expression: copies, since the next replay writes over the plan's memory."""
    if isinstance(outputs, Output):
        array, order = code.operand(outputs.value), "" if outputs.value.layout.is_contiguous else "'K'"
        return {"tensor": f"wrap({array}.copy({order}))", "array": f"{array}.copy({order})", "number": f"{array}[()]"}[
            outputs.kind
        ]
    if isinstance(outputs, tuple):
        members = "".join(f"{_returned(code, member)}, " for member in outputs)
        return f"{code.name(outputs._make, 'f')}(({members}))" if hasattr(outputs, "_make") else f"({members})"
    if isinstance(outputs, list):
        return f"[{', '.join(_returned(code, member) for member in outputs)}]"
    if isinstance(outputs, dict):
        return f"{{{', '.join(f'{code.name(key)}: {_returned(code, member)}' for key, member in outputs.items())}}}"
    return code.expression(outputs)


def _renew(tensor: Tensor) -> None:
    """Invalidate the graphs that were recorded before the tensor's array was changed."""
    leaf = tensor._node
    if isinstance(leaf, Leaf):
        tensor._node = leaf.successor("by a compiled function")


def _references_alone() -> int:
    """The number of references that `sys.getrefcount` gives for a leaf that only its tensor holds, and no graph."""
    tensor = Tensor(0.0, requires_grad=True)
    return sys.getrefcount(tensor._node)
