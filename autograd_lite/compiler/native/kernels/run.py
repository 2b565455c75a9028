"""The machine code of plans, written in Python for Numba: a walk through a table of rows; see `opcodes`.

It does the same arithmetic in the same order as NumPy, so results agree to the bit. Only `exp` and `log` differ: they
are the C library's, or a polynomial for the `exp` of float32, and are within 1 unit in the last place.
"""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

from typing import Any

from numba import carray, njit, types

from .. import opcodes as op
from .elementwise import elementwise_of
from .gather import picks_of
from .intrinsics import at, call_kernel, gemm_of
from .reductions import sums_of


def compile_run(real: Any) -> Any:
    """The function ``run(table, rows)`` for arrays of one floating-point type, compiled.

    It returns 0, or the number of a row that found an index out of range; the rows after that one are not run.
    """
    gemm, elementwise = gemm_of(real), elementwise_of(real)
    total, along = sums_of(real)
    pick, within, minus_one_hot = picks_of(real)

    @njit(error_model="numpy", boundscheck=False)
    def local(t, o, first, last):
        if t[o] >= op.SUM_OF_ROWS:
            along(t, o, first, last)
        elif t[o] == op.MINUS_ONE_HOT:
            minus_one_hot(t, o, first, last)
        else:
            elementwise(t, o, first, last)

    def run(table, rows):
        t = carray(at(table, types.int64), rows * op.WORDS)
        i = 0
        while i < rows:
            o = i * op.WORDS
            code = t[o]
            if code == op.GROUP:
                members, chunk, length = t[o + op.MEMBERS], t[o + op.CHUNK], t[o + op.ROWS]
                first = 0
                while first < length:
                    last = min(first + chunk, length)
                    for k in range(1, members + 1):
                        local(t, o + k * op.WORDS, first, last)
                    first = last
                i += members
            elif code == op.MATMUL:
                gemm(
                    t[o + op.FUNCTION], t[o + op.TRANSPOSED], t[o + op.TRANSPOSED + 1],
                    t[o + op.ROWS], t[o + op.COLUMNS], t[o + op.COMMON],
                    t[o + op.ADDRESSES + 1], t[o + op.LEADING + 1],
                    t[o + op.ADDRESSES + 2], t[o + op.LEADING + 2],
                    t[o + op.ADDRESSES], t[o + op.LEADING],
                )  # fmt: skip
            elif code == op.SUM_OF_ALL:
                out = carray(at(t[o + op.ADDRESSES], real), 1)
                out[0] = total(t[o + op.ADDRESSES + 1], t[o + op.COLUMNS])
            elif code <= op.LOCAL_TO_ROWS:
                local(t, o, 0, t[o + op.ROWS])
            elif code == op.FETCH:
                where = carray(at(t[o + op.ADDRESSES], types.int64), 1)[0]
                t[t[o + op.ROWS]] = carray(at(where, types.int64), 1)[0] + t[o + op.COLUMNS]
            elif code == op.PICK:
                if pick(t, o):
                    return i + 1
            elif code == op.CHECK:
                if not within(t, o):
                    return i + 1
            elif code == op.FUSED:
                call_kernel(t[o + op.KERNEL], t[o + op.COLUMNS], table + 8 * (o + op.ADDRESSES), t[o + op.COEFFICIENTS])
            else:
                return i + 1
            i += 1
        return 0

    options = {"error_model": "numpy", "boundscheck": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(types.int64(types.int64, types.int64), **options)(run)
