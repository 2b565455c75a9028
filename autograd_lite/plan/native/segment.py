"""A stretch of a plan that the machine code runs in one go: its table, and the statements that start it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import operations as op
from .groups import grouped
from .lowering import Address, Row
from .machine import Machine

if TYPE_CHECKING:
    from ..code import Code

CACHE_BYTES = 2**18
"""What operations in a group read and write between them for the rows that run together: half of a usual L2 cache."""


class Segment:
    """Rows of one table.

    Parameters
    ----------
    machine : Machine
    rows : sequence of Row
    """

    def __init__(self, machine: Machine, rows: Sequence[Row]) -> None:
        words = list(grouped(rows, CACHE_BYTES))
        self.rows = len(words)
        self._machine = machine
        self._kept = [array for row in rows for array in row.kept]
        self._result = ctypes.c_int64()
        self._picks = any(row[op.OPERATION] == op.PICK for row in words)
        self._table = (ctypes.c_int64 * (self.rows * op.WORDS))()
        self._changing: list[tuple[int, Address]] = []
        for i, word in enumerate(word for row in words for word in row):
            if isinstance(word, Address):
                self._changing.append((i, word))
            else:
                self._table[i] = word

    def statements(self, code: Code) -> Iterator[str]:
        """What starts it: the addresses of this call's arguments are put in, and the table is walked through."""
        table = code.name(self._table, "table")
        for i, (position, offset) in self._changing:
            yield f"{table}[{i}] = {code.address(position)}{f' + {offset}' if offset else ''}"
        start, run = ctypes.addressof(self._table), code.name(self._machine.run, "run")
        code.keep(self)
        yield f"{run}({ctypes.addressof(self._result)}, 0, {start}, {self.rows})"
        if self._picks:
            yield f"if {code.name(self._result, 'result')}.value: {code.name(_refuse_index, 'f')}()"


def update_row(kernel: str, arrays: Sequence[np.ndarray[Any, Any]], numbers: np.ndarray[Any, Any]) -> Row:
    """The row of an optimizer's update: weights, gradient and at most two arrays of state, and its numbers."""
    addresses = [int(array.ctypes.data) for array in arrays]
    words = [op.UPDATES[kernel], 1, arrays[0].size, *addresses, *[0] * (4 - len(addresses)), 0, 0, 0, 0]
    words.append(int(numbers.ctypes.data))
    return Row(words + [0] * (op.WORDS - len(words)), [*arrays, numbers], sum(array.nbytes for array in arrays))


def _refuse_index() -> NoReturn:
    raise IndexError("an index is out of bounds for the array that is indexed, in a compiled function")
