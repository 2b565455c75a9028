"""The machine code's looks at indices, and the choice of elements by them."""

# mypy: ignore-errors
# What Numba compiles is typed by Numba, by the arguments that it is compiled for.

from __future__ import annotations

from typing import Any

from numba import carray, njit, types

from . import operations as op
from .addresses import at


def picks_of(real: Any) -> Any:
    """The functions ``pick(t, o)`` and ``within(t, o)`` for a floating-point type."""
    kernel = njit(error_model="numpy", boundscheck=False)

    @kernel
    def pick(t, o):
        n, length = t[o + op.ROWS], t[o + op.STEPS + 1]
        for i in range(n):
            out = carray(at(t[o + op.ADDRESSES] + i * t[o + op.STRIDES], real), 1)
            row = carray(at(t[o + op.ADDRESSES + 2] + i * t[o + op.STRIDES + 2], types.int64), 1)[0]
            column = carray(at(t[o + op.ADDRESSES + 3] + i * t[o + op.STRIDES + 3], types.int64), 1)[0]
            row = row + length if row < 0 else row
            column = column + t[o + op.COLUMNS] if column < 0 else column
            if row < 0 or row >= length or column < 0 or column >= t[o + op.COLUMNS]:
                return 1
            x = carray(at(t[o + op.ADDRESSES + 1] + row * t[o + op.STRIDES + 1], real), t[o + op.COLUMNS])
            out[0] = x[column]
        return 0

    @kernel
    def within(t, o):
        stop, step = t[o + op.ADDRESSES], t[o + op.STEPS + 1]
        for i in range(t[o + op.ROWS]):
            x = carray(at(t[o + op.ADDRESSES + 1] + i * t[o + op.STRIDES + 1], types.int64), t[o + op.COLUMNS])
            for j in range(t[o + op.COLUMNS]):
                if x[j * step] < 0 or x[j * step] >= stop:
                    return False
        return True

    return pick, within
