"""A stretch of a plan that the machine code runs in one go: its tables, and the statements that start it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import helpers
from . import operations as op
from .groups import grouped, parts_of, words_of
from .lowering import Address, Row
from .machine import Machine

if TYPE_CHECKING:
    from ..code import Code


class Table:
    """Rows that the machine code walks through, at an address of their own."""

    def __init__(self, machine: Machine, words: Sequence[Sequence[Any]]) -> None:
        self.rows = len(words)
        self.picks = any(row[op.OPERATION] == op.PICK for row in words)
        self.changing: list[tuple[int, Address]] = []
        self.words = (ctypes.c_int64 * (self.rows * op.WORDS))()
        self.result = ctypes.c_int64()
        for i, word in enumerate(word for row in words for word in row):
            if isinstance(word, Address):
                self.changing.append((i, word))
            else:
                self.words[i] = word
        self.arguments = ctypes.addressof(self.result), 0, ctypes.addressof(self.words), self.rows
        self.run: Callable[[], object] = partial(machine.run, *self.arguments)


class Segment:
    """The tables of some rows: those whose work is shared have one for each thread.

    Parameters
    ----------
    machine : Machine
    rows : sequence of Row
    """

    def __init__(self, machine: Machine, rows: Sequence[Row]) -> None:
        self._machine = machine
        self._kept = [array for row in rows for array in row.kept]
        self._stages: list[list[Table]] = []
        waiting: list[list[Any]] = []
        for group in grouped(rows):
            parts = parts_of(group, helpers.threads())
            if parts is None:
                waiting += words_of(group)
                continue
            if waiting:
                self._stages.append([Table(machine, waiting)])
                waiting = []
            self._stages.append([Table(machine, list(words_of(part))) for part in parts])
        if waiting:
            self._stages.append([Table(machine, waiting)])

    def statements(self, code: Code) -> Iterator[str]:
        """What starts it: the addresses of this call's arguments are put in, and the tables are walked through."""
        code.keep(self)
        for stage in self._stages:
            for table in stage:
                for i, (position, offset) in table.changing:
                    moved = f" + {offset}" if offset else ""
                    yield f"{code.name(table.words, 'table')}[{i}] = {code.address(position)}{moved}"
            if len(stage) > 1:
                yield f"{code.name(helpers.share, 'share')}({code.name([table.run for table in stage])})"
                continue
            (table,) = stage
            yield f"{code.name(self._machine.run, 'run')}({', '.join(map(str, table.arguments))})"
            if table.picks:
                yield f"if {code.name(table.result, 'result')}.value: {code.name(_refuse_index, 'f')}()"


def update_row(kernel: str, arrays: Sequence[np.ndarray[Any, Any]], numbers: np.ndarray[Any, Any]) -> Row:
    """The row of an optimizer's update: weights, gradient and at most two arrays of state, and its numbers."""
    addresses = [int(array.ctypes.data) for array in arrays]
    words = [0] * op.WORDS
    words[op.OPERATION], words[op.ROWS], words[op.COLUMNS] = op.UPDATES[kernel], 1, arrays[0].size
    words[op.ADDRESSES : op.ADDRESSES + len(addresses)] = addresses
    words[op.STEPS], words[op.ITEMS] = int(numbers.ctypes.data), arrays[0].itemsize
    return Row(words, [*arrays, numbers], sum(array.nbytes for array in arrays))


def _refuse_index() -> NoReturn:
    raise IndexError("an index is out of bounds for the array that is indexed, in a compiled function")
