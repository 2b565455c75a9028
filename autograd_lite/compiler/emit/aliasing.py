"""Arrays from outside that share memory with what a replay writes to, which it would change while others are read.

One that lies where the plan leaves its gradients is copied: a gradient that is passed to the next call, or read in it (a
difference of gradients). Where two from outside overlap and one is written to, the function is recorded anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..ir import Array, Call, Constant, EntryGradient, OtherLayout, Value
from ..layout.buffers import is_elementwise
from ..layout.planned import PlannedProgram
from ..overlap import overlap, owner
from .python_emitter import Code


def statements(plan: PlannedProgram, arguments: int, moving: Sequence[Value], code: Code) -> Iterator[str]:
    """What takes arrays apart that change from call to call, or raises `OtherLayout`.

    Parameters
    ----------
    plan : PlannedProgram
    arguments : int
        How many there are.
    moving : sequence of Value
        Arrays of tensors that are looked up in every call.
    code : Code
    """
    if own_memory(plan):
        for i in range(arguments):
            yield _taken_apart(plan, code, f"x{i}", "")
        for value in moving:
            yield _taken_apart(plan, code, code.operand(value), "", f"{code.name(value.origin.holder, 't')}._data = ")
        for entry, result in _entries(plan):
            name = code.operand(entry)
            yield _taken_apart(plan, code, name, "" if result is None else f" and {name} is not {code.operand(result)}")
    yield from _overlaps_refused(plan, code)


def overlapping(plan: PlannedProgram) -> set[frozenset[Value]]:
    """Which of the arrays that stay where they are share memory with one that is written to."""
    written, used = _written(plan), _from_outside(plan)
    bound = [value for value in used if value in plan.arrays]
    return {
        frozenset((one, other))
        for one in bound
        if one in written
        for other in bound
        if other is not one and overlap(plan.arrays[one], plan.arrays[other])
    }


def own_memory(plan: PlannedProgram) -> list[Any]:
    """The memory where the plan leaves its gradients."""
    return [arena.base for arena in plan.memory.arenas.values() if arena.size]


def apart(array: Array, blocks: Sequence[Array]) -> Array:
    """A copy of an array that lies in one of some blocks of memory, and any other as it is.

    The copy has the same strides: sums depend on the order of their terms.
    """
    owner: Any = array
    while owner is not None and not any(owner is block for block in blocks):
        owner = getattr(owner, "base", None)
    if owner is None:
        return array
    start = array.ctypes.data - owner.ctypes.data
    return np.ndarray(array.shape, array.dtype, owner.copy().data, start, array.strides)


def _written(plan: PlannedProgram) -> set[Value]:
    """The arrays from outside that the plan writes to."""
    return {value.root for call in plan.calls for value in call.writes if value.root.origin is not None}


def _from_outside(plan: PlannedProgram) -> list[Value]:
    roots = dict.fromkeys(value.root for value in plan.values())
    return [root for root in roots if root.origin is not None and not isinstance(root.origin, Constant)]


def _overlaps_refused(plan: PlannedProgram, code: Code) -> Iterator[str]:
    """What looks whether an array that changes from call to call shares memory with one that is written to, or is.

    Told by whose memory it is, which takes a tenth of a microsecond; only of one owner's arrays it is looked at in full.
    """
    written, used = _written(plan), _from_outside(plan)
    if not written:
        return
    bound = [value for value in used if value in plan.arrays]
    seen: list[Value] = []
    for value in (value for value in used if value not in plan.arrays):
        of_plan = [plan.arrays[one] for one in bound if value in written or one in written]
        others = [one for one in seen if value in written or one in written]
        seen.append(value)
        name, own = code.operand(value), f"owner{len(seen)}"
        yield f"{own} = {name} if {name}.base is None else {name}.base"
        if not of_plan and not others:
            continue
        owners = [owner(array) for array in of_plan]
        looks = [f"{own}.__class__ is not ndarray", f"{own}.base is not None"]
        looks += [f"{own} is owner{seen.index(one) + 1}" for one in others]
        if all(type(one) is np.ndarray for one in owners):
            looks += [f"id({own}) in {code.name(frozenset(map(id, owners)), 'owners')}"] if owners else []
        else:
            looks = ["True"]
        look = code.name(partial(_refuse_overlap, of_plan), "f")
        yield f"if {' or '.join(looks)}: {look}({', '.join([name, *map(code.operand, others)])})"


def _refuse_overlap(bound: Sequence[Array], array: Array, *others: Array) -> None:
    if any(overlap(array, other) for other in (*bound, *others)):
        raise OtherLayout


def _taken_apart(plan: PlannedProgram, code: Code, name: str, unless: str, also: str = "") -> str:
    own = [code.name(block, "block") for block in own_memory(plan)]
    is_in = " or ".join(f"{name}.base is {block}" for block in own)
    # The base of a window that slides over an array has a base itself.
    is_window = f"getattr({name}.base, 'base', None) is not None"
    copied = f"{also}{name} = {code.name(apart, 'f')}({name}, [{', '.join(own)}])"
    return f"if {name}.base is not None and ({is_in} or {is_window}){unless}: {copied}"


def _entries(plan: PlannedProgram) -> Iterator[tuple[Value, Value | None]]:
    """The gradients that were there; each with the gradient that may be written over it, where one is added to it."""
    entries = dict.fromkeys(value.root for value in plan.values() if isinstance(value.root.origin, EntryGradient))
    returned = {value.root for value in plan.returned()}
    for entry in entries:
        uses = [call for call in plan.calls if any(value.root is entry for value in (*call.operands, *call.writes))]
        yield entry, None if entry in returned or len(uses) > 1 else _written_over(plan, uses[0], entry)


def _written_over(plan: PlannedProgram, call: Call, entry: Value) -> Value | None:
    result = call.results[0].root if call.results else entry
    return result if result in plan.persistent and is_elementwise(call) and result.layout == entry.layout else None
