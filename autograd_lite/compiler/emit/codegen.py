"""How a plan's calls become code: NumPy calls, and segments that machine code runs in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..hints import FusedUpdate
from ..ir import Call
from ..native import Jit, loader
from ..native.lower import Lowering, Row
from ..native.segment import Segment, fused_row
from .python_emitter import Code
from .tiling import Chunks, run

Loader = Callable[[np.dtype[Any]], loader.Machine | None]
"""A function that gives the machine code for a floating-point type."""


def write(calls: Sequence[Call], code: Code, jit: Jit, before: Mapping[Call | None, Callable[[], None]]) -> None:
    """Write the statements of the calls; before some of them, or at the end for None, call what `before` has."""
    lowering = Lowering(code.arrays, code.pointer, jit == "exact")
    load = cache(loader.at_hand if jit == "exact" else loader.load)
    waiting = _Waiting(code, load)
    chunks = _Chunked(code)
    for call in calls:
        if call in before:
            waiting.flush()
            chunks.flush()
            before[call]()
        if call.is_view:
            code.add(call)
            continue
        found = lowering.row(call) if jit else None
        if found is not None and waiting.takes(call, *found):
            chunks.flush()
            continue
        waiting.flush()
        if chunks.takes(call):
            continue
        if isinstance(call.function, FusedUpdate) and all(value in code.arrays for value in call.operands):
            _write_update(call, call.function, code, load if jit else None)
        else:
            code.add(call)
    waiting.flush()
    chunks.flush()
    if None in before:
        before[None]()


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


class _Chunked:
    """NumPy calls that may run together, some rows at a time, and are not yet written."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._chunks = Chunks(code.arrays)

    def takes(self, call: Call) -> bool:
        """Whether the call can run in chunks; then it is added."""
        if not self._chunks.joins(call):
            self.flush()
            if not self._chunks.joins(call):
                return False
        self._chunks.calls.append(call)
        return True

    def flush(self) -> None:
        """Write the calls."""
        steps = self._chunks.steps()
        if steps is not None:
            self._code.statements.append(f"{self._code.name(run, 'f')}({self._code.name(steps)})")
        else:
            for call in self._chunks.calls:
                self._code.add(call)
        self._chunks = Chunks(self._code.arrays)


def _write_update(call: Call, update: FusedUpdate, code: Code, load: Loader | None) -> None:
    """Write an optimizer's update, by machine code if it has kernels for these arrays.

    If the update has another form by now, this call still runs as it was recorded, and then the code is written again.
    """
    weights, gradients = ([code.arrays[value] for value in values] for values in call.args)
    machine = load(weights[0].dtype) if load else None
    kernels = update.kernels(weights, gradients) if machine else None
    start = code.name(update.bound(weights, gradients) if kernels is None else update.advance, "f")
    code.statements += [f"if not {start}():", f"    {code.call(call)}", "    rebind()"]
    if machine is None or kernels is None:
        return
    code.statements.append("else:")
    segment = Segment(machine, [fused_row(kernel) for kernel in kernels])
    code.extend(f"    {statement}" for statement in segment.statements(code))
    code.segments.append([call])
