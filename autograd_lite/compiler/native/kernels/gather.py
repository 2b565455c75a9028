"""The machine code that checks indices, chooses elements by them, and subtracts one-hot vectors."""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, njit, types

from .. import opcodes as op
from .intrinsics import at


def picks_of(real: Any) -> Any:
    """The functions ``pick(t, o)``, ``within(t, o)``, ``minus_one_hot(t, o, first, last)`` of a floating-point type."""
    kernel = njit(error_model="numpy", boundscheck=False)
    one = (np.float32 if real == types.float32 else np.float64)(1)

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

    @kernel
    def minus_one_hot(t, o, first, last):
        n = t[o + op.COLUMNS]
        for i in range(first, last):
            target = t[o + op.ADDRESSES] + i * t[o + op.STRIDES]
            source = t[o + op.ADDRESSES + 1] + i * t[o + op.STRIDES + 1]
            column = carray(at(t[o + op.ADDRESSES + 2] + i * t[o + op.STRIDES + 2], types.int64), 1)[0]
            out, x = carray(at(target, real), n), carray(at(source, real), n)
            changed = x[column] - one
            if target != source:
                for j in range(n):
                    out[j] = x[j]
            out[column] = changed

    return pick, within, minus_one_hot
