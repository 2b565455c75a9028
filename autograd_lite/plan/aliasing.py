"""Arrays from outside that lie where a plan leaves its gradients, and that a replay would write over while it reads.

A gradient that is passed to the next call, or read in it (a difference of gradients), is such an array.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .memory import is_elementwise
from .program import Array, Call, EntryGradient, Value

if TYPE_CHECKING:
    from .code import Code
    from .plan import Plan


def statements(plan: Plan, arguments: int, code: Code) -> Iterator[str]:
    """What takes copies of arguments and of gradients that were there, where they lie in the plan's own memory."""
    blocks = [code.name(arena.base, "block") for arena in plan.memory.arenas.values() if arena.size]
    if not blocks:
        return
    copy = code.name(apart, "f")
    for name in (f"x{i}" for i in range(arguments)):
        yield f"if {_is_in(name, blocks)}: {name} = {copy}({name})"
    for entry, result in _entries(plan):
        name = code.operand(entry)
        where = f" and {name} is not {code.operand(result)}" if result is not None else ""
        yield f"if ({_is_in(name, blocks)}){where}: {name} = {copy}({name})"


def is_own(plan: Plan, array: Any) -> bool:
    """Whether an array lies where the plan leaves its gradients."""
    return any(arena.size and array.base is arena.base for arena in plan.memory.arenas.values())


def apart(array: Array) -> Array:
    """A copy of an array in a plan's own memory, with the same strides: sums depend on the order of their terms."""
    block: Any = array.base
    start = array.ctypes.data - block.ctypes.data
    return np.ndarray(array.shape, array.dtype, block.copy().data, start, array.strides)


def _is_in(name: str, blocks: list[str]) -> str:
    return " or ".join(f"{name}.base is {block}" for block in blocks)


def _entries(plan: Plan) -> Iterator[tuple[Value, Value | None]]:
    """The gradients that were there; each with the gradient that may be written over it, where one is added to it."""
    entries = dict.fromkeys(value.root for value in plan.values() if isinstance(value.root.origin, EntryGradient))
    returned = {value.root for value in plan.returned()}
    for entry in entries:
        uses = [call for call in plan.calls if any(value.root is entry for value in (*call.operands, *call.writes))]
        yield entry, None if entry in returned or len(uses) > 1 else _written_over(plan, uses[0], entry)


def _written_over(plan: Plan, call: Call, entry: Value) -> Value | None:
    result = call.results[0].root if call.results else entry
    return result if result in plan.persistent and is_elementwise(call) and result.layout == entry.layout else None
