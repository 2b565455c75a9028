"""The optimizers' updates in the machine code, each in one pass over its arrays."""

# mypy: ignore-errors
# What Numba compiles is typed by Numba, by the arguments that it is compiled for.

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit, types

from . import operations as op
from .addresses import at


def update_of(real: Any) -> Any:
    """The function ``update(t, o)`` for a floating-point type: the row at word ``o`` of a table."""
    F = np.float32 if real == types.float32 else np.float64
    kernel = njit(error_model="numpy", boundscheck=False)
    zero, one = F(0), F(1)

    @kernel
    def update(t, o):
        n = t[o + op.COLUMNS]
        code = t[o]
        w = carray(at(t[o + op.ADDRESSES], real), n)
        g = carray(at(t[o + op.ADDRESSES + 1], real), n)
        s = carray(at(t[o + op.ADDRESSES + 2], real), n)
        v = carray(at(t[o + op.ADDRESSES + 3], real), n)
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

    return update
