"""Calls of a plan that the machine code runs in one go: their tables, and the statements that run them."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from ..elementwise import KernelCall
from . import opcodes as op
from . import threads
from .fusion import grouped, parts_of, words_of
from .loader import Machine
from .lower import Address, Row

if TYPE_CHECKING:
    from ..emit.python_emitter import Code


class Table:
    """Rows in memory that the machine code walks through."""

    def __init__(self, machine: Machine, words: Sequence[Sequence[Any]]) -> None:
        self.refuses = any(row[op.OPERATION] in (op.PICK, op.CHECK) for row in words)
        fetched = [(i, word) for i, word in enumerate(itertools.chain(*words)) if isinstance(word, Address)]
        before = len(fetched) * op.WORDS
        fetches = [
            [op.FETCH, before + i, word.offset, ctypes.addressof(word.pointer)] + [0] * (op.WORDS - 4)
            for i, word in fetched
        ]
        settled = (0 if isinstance(word, Address) else word for word in itertools.chain(*fetches, *words))
        self.rows = len(fetches) + len(words)
        self.words = (ctypes.c_int64 * (self.rows * op.WORDS))(*settled)
        self.result = ctypes.c_int64()
        self.arguments = ctypes.addressof(self.result), 0, ctypes.addressof(self.words), self.rows
        self.run: Callable[[], object] = partial(machine.run, *self.arguments)


class Segment:
    """The tables of some rows; rows whose work is shared among threads have one table for each thread.

    Parameters
    ----------
    machine : Machine
    rows : sequence of Row
    """

    def __init__(self, machine: Machine, rows: Sequence[Row]) -> None:
        self._machine = machine
        self._kept = [array for row in rows for array in row.kept]
        self._checks = [row.check for row in rows if row.check is not None]
        self._stages: list[list[Table]] = []
        waiting: list[list[Any]] = []
        for group in grouped(rows):
            parts = parts_of(group, threads.threads())
            if parts is None:
                waiting += words_of(group)
                continue
            if waiting:
                self._stages.append([Table(machine, waiting)])
                waiting = []
            self._stages.append([Table(machine, list(words_of(part))) for part in parts])
        if waiting:
            self._stages.append([Table(machine, waiting)])

    def runs(self) -> list[Callable[[], object]]:
        """Functions that run the segment outside of a plan; call them one after the other."""
        runs = [[table.run for table in stage] for stage in self._stages]
        return [tables[0] if len(tables) == 1 else partial(threads.share, tables) for tables in runs]

    def statements(self, code: Code) -> Iterator[str]:
        """The statements that run the segment."""
        code.keep(self)
        for stage in self._stages:
            if len(stage) > 1:
                yield f"{code.name(threads.share, 'share')}({code.name([table.run for table in stage])})"
                continue
            (table,) = stage
            yield f"{code.name(self._machine.run, 'run')}({', '.join(map(str, table.arguments))})"
            if table.refuses:
                refusals = [*(code.call(check) for check in self._checks), f"{code.name(_refuse_index, 'f')}()"]
                yield f"if {code.name(table.result, 'result')}.value: {'; '.join(refusals)}"


def fused_row(call: KernelCall) -> Row:
    """The row that calls the kernel of an elementwise program."""
    words = [0] * op.WORDS
    words[op.OPERATION], words[op.KERNEL], words[op.COLUMNS] = op.FUSED, call.kernel.address, call.arrays[0].size
    words[op.ADDRESSES : op.ADDRESSES + len(call.arrays)] = [int(array.ctypes.data) for array in call.arrays]
    words[op.COEFFICIENTS], words[op.ITEM] = int(call.coefficients.ctypes.data), call.arrays[0].itemsize
    return Row(words, [*call.arrays, call.coefficients], sum(array.nbytes for array in call.arrays))


def _refuse_index() -> NoReturn:
    raise IndexError("an index is out of bounds for the array that is indexed, in a compiled function")
