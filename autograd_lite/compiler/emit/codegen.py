"""How a plan's calls become code: NumPy calls, and segments that machine code runs in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..fused_update import FusedUpdate
from ..hints import looks_at_indices
from ..ir import Assignment, Call, EntryGradient
from ..native import Jit, loader
from ..native.lower import Lowering, Row
from ..native.segment import Segment, fused_row
from . import assignments
from .python_emitter import Code

Loader = Callable[[np.dtype[Any]], loader.Machine | None]
"""A function that gives the machine code for a floating-point type."""


def write(calls: Sequence[Call], code: Code, jit: Jit, before: Mapping[Call | None, Callable[[], None]]) -> None:
    """Write the statements of the calls; before some of them, or at the end for None, call what `before` has."""
    lowering = Lowering(code.arrays, code.pointer, jit == "exact")
    load = cache(loader.at_hand if jit == "exact" else loader.load)
    waiting = _Waiting(code, load)
    adds_up = any(isinstance(value.root.origin, EntryGradient) for call in calls for value in call.operands)
    for previous, call in zip((None, *calls), calls, strict=False):
        code.has_effects = code.has_effects or (previous is not None and _has_effects(previous, code, adds_up))
        if call in before:
            waiting.flush()
            before[call]()
            code.has_effects = True
        if call.is_view:
            code.add(call)
            continue
        found = lowering.row(call) if jit else None
        if found is not None and waiting.takes(call, *found):
            continue
        waiting.flush()
        if isinstance(call.function, Assignment):
            code.extend(assignments.statements(call, call.function.tensors, code))
        elif isinstance(call.function, FusedUpdate) and all(value in code.arrays for value in call.operands):
            _write_update(call, call.function, code, load if jit else None)
        else:
            code.add(call)
    waiting.flush()
    if None in before:
        before[None]()


def _has_effects(call: Call, code: Code, adds_up: bool) -> bool:
    """Whether a call changes what outlives the replay, so that another could not begin as if it had not been.

    Gradients that the plan leaves do, where they are added to the ones that were there.
    """
    if looks_at_indices(call.function):
        return False
    lasting = any(result in code.persistent for result in call.results)
    return not call.is_pure or any(value.root.origin is not None for value in call.writes) or (adds_up and lasting)


class _Waiting:
    """Rows for one floating-point type that are not yet in a segment."""

    def __init__(self, code: Code, load: Loader) -> None:
        self._code = code
        self._load = load
        self._rows: list[Row] = []
        self._calls: list[Call] = []
        self._dtype: np.dtype[Any] | None = None
        self._machine: loader.Machine | None = None

    def takes(self, call: Call, dtype: np.dtype[Any] | None, row: Row) -> bool:
        """Whether machine code can run this row, too; a row without a dtype goes together with rows of any dtype."""
        if dtype is not None and self._dtype is not None and dtype != self._dtype:
            self.flush()
        loaded = self._load(dtype or self._dtype or np.dtype(np.float32))
        if loaded is None:
            return False
        self._dtype, self._machine = dtype or self._dtype, loaded
        self._rows.append(row)
        self._calls.append(call)
        return True

    def flush(self) -> None:
        """Make a segment of the rows."""
        if self._rows and self._machine is not None:
            self._code.extend(Segment(self._machine, self._rows).statements(self._code))
            self._code.segments.append(self._calls)
            self._rows, self._calls, self._dtype = [], [], None


def _write_update(call: Call, update: FusedUpdate, code: Code, load: Loader | None) -> None:
    """A move of arrays, by machine code if there is some for these arrays.

    If the update has another form by now, this call still runs as it was recorded, and then the code is written again.
    """
    weights, gradients = ([code.arrays[value] for value in values] for values in call.args)
    machine = load(weights[0].dtype) if load else None
    kernels = update.kernels(weights, gradients) if machine else None
    if machine is None or kernels is None:
        move = update.bound(weights, gradients)
    else:
        segment = Segment(machine, [fused_row(kernel) for kernel in kernels])
        code.keep(segment)
        code.segments.append([call])
        move = update.bound_to(segment.runs())
    code.statements += [f"if not {code.name(move, 'f')}():", f"    {code.call(call)}", "    rebind()"]
