"""Arrays from outside that share memory with what a replay writes to, which it would change while others are read.

One that lies where the plan leaves its gradients is copied: a gradient that is passed to the next call, or read in it
(a difference of gradients). Where two from outside overlap and one is written to, the function is recorded anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ..array_layout import Array, OtherLayout
from ..ir import Call, Constant, EntryGradient, Value
from ..layout.buffers import is_elementwise
from ..layout.planned import PlannedProgram
from ..overlap import overlap, owner
from .python_emitter import Code


def statements(
    plan: PlannedProgram, arguments: int, moving: Sequence[tuple[Value, Tensor]], code: Code
) -> Iterator[str]:
    """What takes arrays apart that change from call to call, or raises `OtherLayout`.

    Parameters
    ----------
    plan : PlannedProgram
    arguments : int
        How many there are.
    moving : sequence of tuple
        The tensors whose arrays are looked up in every call, each after the value of its array.
    code : Code
    """
    looks, changed = dict(_looks_at_overlap(plan, code)), {code.operand(value) for value in written(plan)}
    arguments_and_moving = [
        *((f"x{i}", "") for i in range(arguments)),
        *((code.operand(value), f"{code.name(tensor, 't')}._value = ") for value, tensor in moving),
    ]
    for name, also in arguments_and_moving:
        if name in changed:
            yield f"if not {name}.flags.writeable: raise OtherLayout"
        by_itself, by_its_base = looks.pop(name, ("", ""))
        is_aligned = f"if not {name}.flags.aligned: raise OtherLayout"
        yield from _by_base(name, by_itself, [is_aligned, *_taken_apart(plan, code, name, also), by_its_base])
    for entry, result in _entries(plan):
        name = code.operand(entry)
        unless = "" if result is None else f" and {name} is not {code.operand(result)}"
        by_itself, by_its_base = looks.pop(name, ("", ""))
        yield from _by_base(name, by_itself, [*_taken_apart(plan, code, name, "", unless), by_its_base])


def _by_base(name: str, by_itself: str, based: Sequence[str]) -> Iterator[str]:
    """A statement for an array with memory of its own, and those for one that has it from another."""
    if by_itself:
        yield f"if {name}.base is None:"
        yield f"    {by_itself}"
        yield "else:"
    else:
        yield f"if {name}.base is not None:"
    yield from (f"    {statement}" for statement in [*filter(None, based)] or ["pass"])


def overlapping(plan: PlannedProgram) -> set[frozenset[Value]]:
    """Which of the arrays that stay where they are share memory with one that is written to."""
    changed, used = written(plan), _from_outside(plan)
    bound = [value for value in used if value in plan.arrays]
    return {
        frozenset((one, other))
        for one in bound
        if one in changed
        for other in bound
        if other is not one and overlap(plan.arrays[one], plan.arrays[other])
    }


def own_memory(plan: PlannedProgram) -> list[Any]:
    """The memory where the plan leaves its gradients."""
    return [arena.base for arena in plan.memory.arenas.values() if arena.size]


def apart(array: Array, blocks: Sequence[Array]) -> Array:
    """A copy of the array if it lies in one of the blocks of memory, else the array itself.

    The copy has the same strides, because sums depend on the order of their terms.
    """
    owner: Any = array
    while owner is not None and not any(owner is block for block in blocks):
        owner = getattr(owner, "base", None)
    if owner is None:
        return array
    start = array.ctypes.data - owner.ctypes.data
    return np.ndarray(array.shape, array.dtype, owner.copy().data, start, array.strides)


def written(plan: PlannedProgram) -> set[Value]:
    """The arrays from outside that the plan writes to."""
    return {value.root for call in plan.calls for value in call.writes if value.root.origin is not None}


def _from_outside(plan: PlannedProgram) -> list[Value]:
    roots = dict.fromkeys(value.root for value in plan.values())
    return [root for root in roots if root.origin is not None and not isinstance(root.origin, Constant)]


def _looks_at_overlap(plan: PlannedProgram, code: Code) -> Iterator[tuple[str, tuple[str, str]]]:
    """What looks whether an array that changes from call to call shares memory with one that is written to, or is.

    For each name a statement for an array with memory of its own, and one for an array that has it from another. Told
    by whose memory it is, in less than a tenth of a microsecond; only arrays of one owner are looked at in full.
    """
    changed, used = written(plan), _from_outside(plan)
    if not changed:
        return
    bound = [value for value in used if value in plan.arrays]
    changing = [value for value in used if value not in plan.arrays]
    for i, value in enumerate(changing):
        of_plan = [plan.arrays[one] for one in bound if value in changed or one in changed]
        others = [code.operand(one) for one in changing[:i] if value in changed or one in changed]
        if not of_plan and not others:
            continue
        name, owners = code.operand(value), [owner(array) for array in of_plan]
        look = f"{code.name(partial(_refuse_overlap, of_plan), 'f')}({', '.join([name, *others])})"
        if others or not all(type(one) is np.ndarray for one in owners):
            yield name, (look, look)
            continue
        known, base = code.name(frozenset(map(id, owners)), "owners"), f"{name}.base"
        # Memory of another library's, and a base that has a base itself, say nothing about who else has it.
        is_doubtful = f"{base}.__class__ is not ndarray or {base}.base is not None or id({base}) in {known}"
        yield name, (f"if id({name}) in {known}: {look}", f"if {is_doubtful}: {look}")


def _refuse_overlap(bound: Sequence[Array], array: Array, *others: Array) -> None:
    if any(overlap(array, other) for other in (*bound, *others)):
        raise OtherLayout


def _taken_apart(plan: PlannedProgram, code: Code, name: str, also: str, unless: str = "") -> Iterator[str]:
    """What takes a copy of an array that has its memory from the plan's own."""
    own = [code.name(block, "block") for block in own_memory(plan)]
    if not own:
        return
    is_in = " or ".join(f"{name}.base is {block}" for block in own)
    # The base of a `sliding_window_view` has a base itself.
    is_window = f"getattr({name}.base, 'base', None) is not None"
    yield f"if ({is_in} or {is_window}){unless}: {also}{name} = {code.name(apart, 'f')}({name}, [{', '.join(own)}])"


def _entries(plan: PlannedProgram) -> Iterator[tuple[Value, Value | None]]:
    """The gradients that were there before; each with the sum of it and another one that may overwrite it, if any."""
    entries = dict.fromkeys(value.root for value in plan.values() if isinstance(value.root.origin, EntryGradient))
    returned = {value.root for value in plan.returned()}
    for entry in entries:
        uses = [call for call in plan.calls if any(value.root is entry for value in (*call.operands, *call.writes))]
        yield entry, None if entry in returned or len(uses) > 1 else _written_over(plan, uses[0], entry)


def _written_over(plan: PlannedProgram, call: Call, entry: Value) -> Value | None:
    result = call.results[0].root if call.results else entry
    return result if result in plan.persistent and is_elementwise(call) and result.layout == entry.layout else None
