"""Which rows of a table run together, some rows of their matrices at a time, so that the matrices stay in the cache."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from . import opcodes as op
from .lower import Address, Row

CACHE_BYTES = 2**18
"""The bytes that all rows of a group read and write in the part that runs together: half of a usual L2 cache."""

SHARED_BYTES = 2**21
"""The number of bytes from which on the work of a group is shared among threads; with less, waking them costs more."""


class _Extent(NamedTuple):
    """The memory that an operand covers: its start and end, its first row, and the distance between rows."""

    start: int
    stop: int
    first: int
    stride: int

    def is_in_step_with(self, other: _Extent) -> bool:
        """Whether each row shares memory at most with the same row of the other operand."""
        if self.stop <= other.start or other.stop <= self.start:
            return True
        return self.first == other.first and self.stride == other.stride != 0


def grouped(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """The rows in their order, those that can run together in one list."""
    together: list[Row] = []
    for row in rows:
        if together and not _joins(row, together):
            yield together
            together = []
        together.append(row)
    if together:
        yield together


def words_of(group: Sequence[Row]) -> Iterator[list[Any]]:
    """The words of rows that can run together, after a header if they do not fit into the cache at once."""
    total = sum(row.nbytes for row in group)
    if len(group) > 1 and total > CACHE_BYTES:
        length = group[0].words[op.ROWS]
        yield [op.GROUP, length, len(group), max(1, length * CACHE_BYTES // total)] + [0] * (op.WORDS - 4)
    for row in group:
        yield row.words


def parts_of(group: Sequence[Row], count: int) -> list[list[Row]] | None:
    """The rows cut into parts that can run at the same time; None if that is impossible or not worth it.

    Sums over rows are cut by columns, all others by rows; each number is computed in the same way as without cutting.
    """
    if count < 2 or sum(row.nbytes for row in group) < SHARED_BYTES:
        return None
    if group[0].words[op.OPERATION] > op.LOCAL_TO_ROWS:
        return _parts_of_fused(group[0], count) if group[0].words[op.OPERATION] == op.FUSED else None
    if not _is_local(group[0]):
        return None
    codes = {row.words[op.OPERATION] for row in group}
    by_columns, by_rows = op.SUM_OF_ROWS in codes, bool(codes & op.WHOLE_ROWS)
    if by_columns and by_rows:
        return None
    length = min(row.words[op.COLUMNS] for row in group) if by_columns else group[0].words[op.ROWS]
    if by_columns and any(row.words[op.COLUMNS] != length for row in group):
        return None
    if length < 2 * count:
        return None
    cut = _columns if by_columns else _rows
    ends = [length * i // count for i in range(count + 1)]
    return [[cut(row, start, end) for row in group] for start, end in itertools.pairwise(ends)]


def _rows(row: Row, start: int, end: int) -> Row:
    words = list(row.words)
    words[op.ROWS] = end - start
    for i in range(4):
        words[op.ADDRESSES + i] = _moved(words[op.ADDRESSES + i], start * words[op.STRIDES + i])
    share = (end - start) / max(1, row.words[op.ROWS])
    return row._replace(words=words, nbytes=int(row.nbytes * share))


def _columns(row: Row, start: int, end: int) -> Row:
    words = list(row.words)
    words[op.COLUMNS] = end - start
    for i in range(4):
        moved = start * words[op.STEPS + i] * words[op.ITEMS + i]
        words[op.ADDRESSES + i] = _moved(words[op.ADDRESSES + i], moved)
    share = (end - start) / max(1, row.words[op.COLUMNS])
    return row._replace(words=words, nbytes=int(row.nbytes * share))


def _parts_of_fused(row: Row, count: int) -> list[list[Row]]:
    length, size = row.words[op.COLUMNS], row.words[op.ITEM]
    ends = [length * i // count for i in range(count + 1)]
    parts = []
    for start, end in itertools.pairwise(ends):
        words = list(row.words)
        words[op.COLUMNS] = end - start
        for i in range(op.ADDRESSES, op.COEFFICIENTS):
            words[i] = words[i] and _moved(words[i], start * size)
        parts.append([row._replace(words=words)])
    return parts


def _moved(address: Any, nbytes: int) -> Any:
    return address._replace(offset=address.offset + nbytes) if isinstance(address, Address) else address + nbytes


def _joins(row: Row, together: Sequence[Row]) -> bool:
    """Whether a row of the table can run together with others, for some rows of the matrices at a time."""
    if not _is_local(row) or not _is_local(together[0]) or row.words[op.ROWS] != together[0].words[op.ROWS]:
        return False
    written, *read = _extents(row)
    for member in together:
        other_written, *other_read = _extents(member)
        # A sum over rows is complete only after the last row.
        if member.words[op.OPERATION] == op.SUM_OF_ROWS and not all(_are_apart(other_written, one) for one in read):
            return False
        if not all(written.is_in_step_with(one) for one in (other_written, *other_read)):
            return False
        if not all(one.is_in_step_with(other_written) for one in read):
            return False
    return True


def _are_apart(one: _Extent, other: _Extent) -> bool:
    return one.stop <= other.start or other.stop <= one.start


def _is_local(row: Row) -> bool:
    return bool(op.MATMUL < row.words[op.OPERATION] <= op.LOCAL_TO_ROWS)


def _extents(row: Row) -> list[_Extent]:
    """The memory of the result and the operands; arguments do not share memory with the plan."""
    rows, columns = row.words[op.ROWS], row.words[op.COLUMNS]
    found = []
    for i in range(4):
        start, stride = row.words[op.ADDRESSES + i], row.words[op.STRIDES + i]
        if isinstance(start, int) and (start or not i):
            last = start + stride * (rows - 1)  # before the first if rows are read backwards
            end = max(start, last) + columns * row.words[op.ITEMS + i]
            found.append(_Extent(min(start, last), end, start, stride))
    return found
