"""The optimizers' updates in the machine code, each in one pass over its arrays."""

# mypy: ignore-errors
# What Numba compiles is typed by Numba, by the arguments that it is compiled for.

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit, types

from ....speed.aligned import CACHE_LINE_BYTES
from .. import opcodes as op
from .intrinsics import at, fetch_to_read, fetch_to_write

SPAN = 256
"""How many elements are updated at a time, while the next ones are on their way into the cache."""

LARGE_BYTES = 2**17
"""From how many bytes on the next ones are asked for ahead: products with smaller weights are seldom shared."""


def update_of(real: Any) -> Any:
    """The function ``update(t, o)`` for a floating-point type: the row at word ``o`` of a table."""
    F = np.float32 if real == types.float32 else np.float64
    item_bytes = np.dtype(F).itemsize
    kernel = njit(error_model="numpy", boundscheck=False)
    zero, one = F(0), F(1)

    @kernel
    def fetch(t, o, first, last):
        # Other threads have read the weights in their products, and a store has to wait until they give them up.
        for start in range(first * item_bytes, last * item_bytes, CACHE_LINE_BYTES):
            fetch_to_write(t[o + op.ADDRESSES] + start)
            fetch_to_read(t[o + op.ADDRESSES + 1] + start)
            if t[o + op.ADDRESSES + 2]:
                fetch_to_write(t[o + op.ADDRESSES + 2] + start)
            if t[o + op.ADDRESSES + 3]:
                fetch_to_write(t[o + op.ADDRESSES + 3] + start)

    @kernel
    def move(t, o, first, last):
        n = last - first
        code = t[o]
        offset = first * item_bytes
        w = carray(at(t[o + op.ADDRESSES] + offset, real), n)
        g = carray(at(t[o + op.ADDRESSES + 1] + offset, real), n)
        s = carray(at(t[o + op.ADDRESSES + 2] + offset, real), n)
        v = carray(at(t[o + op.ADDRESSES + 3] + offset, real), n)
        numbers = carray(at(t[o + op.STEPS], types.float64), 8)
        decay, shrink = F(numbers[0]), F(numbers[1])
        c0, c1, c2, c3, c4, c5 = (
            F(numbers[2]), F(numbers[3]), F(numbers[4]), F(numbers[5]), F(numbers[6]), F(numbers[7]),
        )  # fmt: skip
        if shrink != one:
            for j in range(n):
                w[j] *= shrink
        if code == 100:
            if decay == zero:
                for j in range(n):
                    w[j] -= g[j] * c0
            else:
                for j in range(n):
                    w[j] -= (w[j] * decay + g[j]) * c0
        elif code == 101:
            for j in range(n):
                d = w[j] * decay + g[j] if decay != zero else g[j]
                s[j] = s[j] * c1 + d
                w[j] -= s[j] * c0
        elif code == 102:
            for j in range(n):
                d = w[j] * decay + g[j] if decay != zero else g[j]
                s[j] = s[j] * c1 + d
                w[j] -= (s[j] * c1 + d) * c0
        elif code == 103:
            for j in range(n):
                d = w[j] * decay + g[j] if decay != zero else g[j]
                s[j] = s[j] * c1 + (d * d) * c2
                w[j] -= d / (math.sqrt(s[j]) + c3) * c0
        elif code == 104:
            for j in range(n):
                d = w[j] * decay + g[j] if decay != zero else g[j]
                s[j] = s[j] * c1 + (d * d) * c2
                v[j] = v[j] * c4 + d / (math.sqrt(s[j]) + c3)
                w[j] -= v[j] * c0
        elif code == 105:
            for j in range(n):
                d = w[j] * decay + g[j] if decay != zero else g[j]
                s[j] += d * d
                w[j] -= d / (math.sqrt(s[j]) + c3) * c0
        elif code == 106:
            for j in range(n):
                d = w[j] * decay + g[j] if decay != zero else g[j]
                s[j] = s[j] * c1 + d * c2
                v[j] = v[j] * c4 + (d * d) * c5
                w[j] -= s[j] / (math.sqrt(v[j]) + c3) * c0

    @kernel
    def update(t, o):
        n = t[o + op.COLUMNS]
        is_large = n * item_bytes >= LARGE_BYTES
        first = 0
        while first < n:
            last = min(first + SPAN, n)
            if is_large:
                fetch(t, o, last, min(last + SPAN, n))
            move(t, o, first, last)
            first = last

    return update
