"""Which rows of a table run together, some rows of their matrices at a time, so that these stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from . import operations as op
from .lowering import Row


class _Extent(NamedTuple):
    """The memory that an operand covers: from where to where, and how far it is from row to row."""

    start: int
    stop: int
    stride: int

    def is_in_step_with(self, other: _Extent) -> bool:
        """Whether each of its rows touches no memory of the other's but that of the same row."""
        if self.stop <= other.start or other.stop <= self.start:
            return True
        return self.start == other.start and self.stride == other.stride != 0


def grouped(rows: Sequence[Row], cache_bytes: int) -> Iterator[list[Any]]:
    """The words of rows, those that can run together under the header of a group."""
    together: list[Row] = []
    for row in rows:
        if together and not _joins(row, together):
            yield from _group(together, cache_bytes)
            together = []
        together.append(row)
    yield from _group(together, cache_bytes)


def _joins(row: Row, together: Sequence[Row]) -> bool:
    """Whether a row can run with others, each time for some rows of the matrices."""
    if not _is_local(row) or not _is_local(together[0]) or row.words[op.ROWS] != together[0].words[op.ROWS]:
        return False
    written, *read = _extents(row)
    for member in together:
        other_written, *other_read = _extents(member)
        # What sums over rows is complete only after the last of them.
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
    """The memory of the result and the operands; an argument's is apart from the plan's."""
    rows, columns = row.words[op.ROWS], row.words[op.COLUMNS]
    found = []
    for i in range(4):
        start, stride = row.words[op.ADDRESSES + i], row.words[op.STRIDES + i]
        if isinstance(start, int) and (start or not i):
            found.append(_Extent(start, start + stride * (rows - 1) + columns * _WIDEST, stride))
    return found


_WIDEST = 8
"""The bytes of the widest elements: more than there are is safe."""


def _group(rows: Sequence[Row], cache_bytes: int) -> Iterator[list[Any]]:
    total = sum(row.nbytes for row in rows)
    if len(rows) > 1 and total > cache_bytes:
        length = rows[0].words[op.ROWS]
        chunk = max(1, length * cache_bytes // total)
        yield [op.GROUP, length, len(rows), chunk] + [0] * (op.WORDS - 4)
    for row in rows:
        yield row.words
