"""The machine code's sums and maxima, along and across rows."""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit, types

from .. import opcodes as op
from .intrinsics import at


def sums_of(real: Any) -> Any:
    """The functions ``total(address, n)`` and ``along(t, o, first, last)`` for a floating-point type."""
    F = np.float32 if real == types.float32 else np.float64
    kernel = njit(error_model="numpy", boundscheck=False)
    zero, item = F(0), F().itemsize

    @kernel
    def sum_of_few(address, n):
        x = carray(at(address, real), n)
        if n < 8:
            total = zero
            for j in range(n):
                total += x[j]
            return total
        s0, s1, s2, s3, s4, s5, s6, s7 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]
        j = 8
        while j + 8 <= n:
            s0 += x[j]
            s1 += x[j + 1]
            s2 += x[j + 2]
            s3 += x[j + 3]
            s4 += x[j + 4]
            s5 += x[j + 5]
            s6 += x[j + 6]
            s7 += x[j + 7]
            j += 8
        total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
        while j < n:
            total += x[j]
            j += 1
        return total

    def halving(inner):
        @kernel
        def sum_of_halves(address, n):
            if n <= 128:
                return sum_of_few(address, n)
            half = n // 2
            half -= half % 8
            return inner(address, half) + inner(address + half * item, n - half)

        return sum_of_halves

    # This is NumPy's order of summation: eight partial sums for up to 128 numbers, and two halves for more.
    pairwise = sum_of_few
    for _ in range(op.HALVINGS):
        pairwise = halving(pairwise)

    # NumPy adds to a zero, so a sum of negative zeros is not negative.
    @kernel
    def total(address, n):
        return zero + pairwise(address, n)

    @kernel
    def sum_of_rows(t, o, first, last):
        n = t[o + op.COLUMNS]
        out = carray(at(t[o + op.ADDRESSES], real), n)
        for r in range(first, last):
            x = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], real), n)
            if r == 0:
                for j in range(n):
                    out[j] = zero + x[j]
            else:
                for j in range(n):
                    out[j] += x[j]

    @kernel
    def sum_along_rows(t, o, first, last):
        n = t[o + op.COLUMNS]
        for r in range(first, last):
            out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], real), 1)
            out[0] = total(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], n)

    @kernel
    def max_along_rows(t, o, first, last):
        n = t[o + op.COLUMNS]
        for r in range(first, last):
            out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], real), 1)
            x = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], real), n)
            largest, unordered = x[0], 0
            for j in range(n):
                largest = x[j] if x[j] > largest else largest
                unordered += x[j] != x[j]
            out[0] = F(math.nan) if unordered else largest

    @kernel
    def along(t, o, first, last):
        code = t[o]
        if code == op.SUM_OF_ROWS:
            sum_of_rows(t, o, first, last)
        elif code == op.SUM_ALONG_ROWS:
            sum_along_rows(t, o, first, last)
        elif code == op.MAX_ALONG_ROWS:
            max_along_rows(t, o, first, last)

    return total, along
