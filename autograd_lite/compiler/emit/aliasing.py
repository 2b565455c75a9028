"""Copies of arrays from outside that lie where a plan leaves its gradients: a replay would overwrite them too early.

A gradient that is passed to the next call, or is read in it (a difference of gradients), is such an array.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..ir import Array, Call, EntryGradient, Value
from ..layout.buffers import is_elementwise
from ..layout.planned import PlannedProgram
from .python_emitter import Code


def statements(plan: PlannedProgram, arguments: int, code: Code) -> Iterator[str]:
    """Statements that copy those arguments and earlier gradients that lie in the plan's own memory."""
    if not own_memory(plan):
        return
    for i in range(arguments):
        yield _taken_apart(plan, code, f"x{i}", "")
    for entry, result in _entries(plan):
        name = code.operand(entry)
        yield _taken_apart(plan, code, name, "" if result is None else f" and {name} is not {code.operand(result)}")


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


def _taken_apart(plan: PlannedProgram, code: Code, name: str, unless: str) -> str:
    own = [code.name(block, "block") for block in own_memory(plan)]
    is_in = " or ".join(f"{name}.base is {block}" for block in own)
    # The base of a `sliding_window_view` has a base itself.
    is_window = f"getattr({name}.base, 'base', None) is not None"
    copied = f"{name} = {code.name(apart, 'f')}({name}, [{', '.join(own)}])"
    return f"if {name}.base is not None and ({is_in} or {is_window}){unless}: {copied}"


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
