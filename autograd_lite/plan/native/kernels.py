"""The machine code of plans, written in Python for Numba: a walk through a table of rows; see `operations`.

It is the same arithmetic in the same order as NumPy's, so that results agree to the bit, but for `exp`, which is
within 2 units in the last place for float32, and the C library's for float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

from . import operations as op

_OPTIONS = {"error_model": "numpy", "boundscheck": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@intrinsic
def at(typingctx: Any, address: Any, kind: Any) -> Any:
    """The array that begins at an address, as a pointer."""
    pointer = types.CPointer(kind.instance_type)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(pointer))

    return pointer(types.int64, kind), generate


@intrinsic
def float_of_bits(typingctx: Any, bits: Any) -> Any:
    """The float32 that has these 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


def _gemm(real: Any, llvm_real: Any) -> Any:
    """BLAS's product of matrices, by the address of its C function for integers of 64 bits."""

    @intrinsic
    def call(
        typingctx: Any, function: Any, left: Any, right: Any, m: Any, n: Any, k: Any,
        a: Any, lda: Any, b: Any, ldb: Any, c: Any, ldc: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            enum, integer, array = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
            kinds = [enum] * 3 + [integer] * 3 + [llvm_real] + [array, integer] * 2 + [llvm_real, array, integer]
            function = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer())
            left, right = (builder.add(enum(111), builder.trunc(flag, enum)) for flag in args[1:3])
            one, zero = ir.Constant(llvm_real, 1.0), ir.Constant(llvm_real, 0.0)
            a, b, c = (builder.inttoptr(address, array) for address in (args[6], args[8], args[10]))
            values = [enum(101), left, right, *args[3:6], one, a, args[7], b, args[9], zero, c, args[11]]
            builder.call(function, values)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 12), generate

    return call


def compile_run(real: Any) -> Any:
    """The function ``run(table, rows)`` for arrays of one floating-point type, compiled.

    It gives 0, or the number of a row whose index is out of range.
    """
    is_single = real == types.float32
    F = np.float32 if is_single else np.float64
    zero, one, item = F(0), F(1), F().itemsize
    gemm = _gemm(real, ir.FloatType() if is_single else ir.DoubleType())
    inline = njit(inline="always", error_model="numpy")
    kernel = njit(error_model="numpy", boundscheck=False)

    # ---- elementwise ----

    def unary(f: Callable[..., Any]) -> Any:
        f = inline(f)

        @kernel
        def run_unary(t, o, first, last):
            n = t[o + op.COLUMNS]
            step = t[o + op.STEPS + 1]
            for r in range(first, last):
                out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], real), n)
                x = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], real), n)
                if step == 1:
                    for j in range(n):
                        out[j] = f(x[j])
                else:
                    for j in range(n):
                        out[j] = f(x[0])

        return run_unary

    def binary(f: Callable[..., Any], result: Any = real, left: Any = real, right: Any = real) -> Any:
        f = inline(f)

        @kernel
        def run_binary(t, o, first, last):
            n = t[o + op.COLUMNS]
            step1, step2 = t[o + op.STEPS + 1], t[o + op.STEPS + 2]
            for r in range(first, last):
                out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], result), n)
                x = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], left), n)
                y = carray(at(t[o + op.ADDRESSES + 2] + r * t[o + op.STRIDES + 2], right), n)
                if step1 == 1 and step2 == 1:
                    for j in range(n):
                        out[j] = f(x[j], y[j])
                elif step1 == 1:
                    same = y[0]
                    for j in range(n):
                        out[j] = f(x[j], same)
                elif step2 == 1:
                    alike = x[0]
                    for j in range(n):
                        out[j] = f(alike, y[j])
                else:
                    for j in range(n):
                        out[j] = f(x[0], y[0])

        return run_binary

    @kernel
    def where(t, o, first, last):
        n = t[o + op.COLUMNS]
        step0, step1, step2 = t[o + op.STEPS + 1], t[o + op.STEPS + 2], t[o + op.STEPS + 3]
        for r in range(first, last):
            out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], real), n)
            condition = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], types.uint8), n)
            x = carray(at(t[o + op.ADDRESSES + 2] + r * t[o + op.STRIDES + 2], real), n)
            y = carray(at(t[o + op.ADDRESSES + 3] + r * t[o + op.STRIDES + 3], real), n)
            if step0 == 1 and step1 == 1 and step2 == 1:
                for j in range(n):
                    out[j] = x[j] if condition[j] else y[j]
            elif step0 == 1 and step1 == 1:
                same = y[0]
                for j in range(n):
                    out[j] = x[j] if condition[j] else same
            else:
                for j in range(n):
                    out[j] = x[j * step1] if condition[j * step0] else y[j * step2]

    # ---- exp ----

    if is_single:

        def exp(x):
            # After Cephes: exp(x) = 2^n exp(r), with r = x - n log 2 in two parts, and a polynomial for exp(r).
            clipped = min(max(x, F(-104)), F(89))
            n = np.floor(clipped * F(1.44269504088896341) + F(0.5))
            r = clipped - n * F(0.693359375) - n * F(-2.12194440e-4)
            p = F(1.9875691500e-4)
            p = p * r + F(1.3981999507e-3)
            p = p * r + F(8.3334519073e-3)
            p = p * r + F(4.1665795894e-2)
            p = p * r + F(1.6666665459e-1)
            p = p * r + F(5.0000001201e-1)
            p = p * (r * r) + r + one
            # In two steps, so that results below the smallest normal number are right too.
            exponent = np.int32(n)
            half = np.int32(exponent >> 1)
            low = float_of_bits(np.int32((half + 127) << 23))
            high = float_of_bits(np.int32((exponent - half + 127) << 23))
            return p * low * high if x == x else x

    else:

        def exp(x):
            return math.exp(x)

    # ---- along and across rows ----

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

    # NumPy's order of summation: eight sums side by side up to 128 numbers, and two halves of more.
    pairwise = sum_of_few
    for _ in range(op.HALVINGS):
        pairwise = halving(pairwise)

    @kernel
    def sum_of_rows(t, o, first, last):
        n = t[o + op.COLUMNS]
        out = carray(at(t[o + op.ADDRESSES], real), n)
        for r in range(first, last):
            x = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], real), n)
            if r == 0:
                for j in range(n):
                    out[j] = x[j]
            else:
                for j in range(n):
                    out[j] += x[j]

    @kernel
    def sum_along_rows(t, o, first, last):
        n = t[o + op.COLUMNS]
        for r in range(first, last):
            out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], real), 1)
            out[0] = pairwise(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], n)

    @kernel
    def max_along_rows(t, o, first, last):
        n = t[o + op.COLUMNS]
        for r in range(first, last):
            out = carray(at(t[o + op.ADDRESSES] + r * t[o + op.STRIDES], real), 1)
            x = carray(at(t[o + op.ADDRESSES + 1] + r * t[o + op.STRIDES + 1], real), n)
            largest = x[0]
            for j in range(1, n):
                if not (x[j] <= largest) and largest == largest:
                    largest = x[j]
            out[0] = largest

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

    negative, absolute = unary(lambda x: -x), unary(lambda x: abs(x))
    exponential, logarithm = unary(exp), unary(lambda x: math.log(x))
    root, square, positive = unary(lambda x: math.sqrt(x)), unary(lambda x: x * x), unary(lambda x: x)
    add, subtract = binary(lambda x, y: x + y), binary(lambda x, y: x - y)
    multiply, divide = binary(lambda x, y: x * y), binary(lambda x, y: x / y)
    maximum = binary(lambda x, y: x if (x >= y or x != x) else y)
    minimum = binary(lambda x, y: x if (x <= y or x != x) else y)
    greater = binary(lambda x, y: np.uint8(x > y), types.uint8)
    greater_equal = binary(lambda x, y: np.uint8(x >= y), types.uint8)
    less = binary(lambda x, y: np.uint8(x < y), types.uint8)
    less_equal = binary(lambda x, y: np.uint8(x <= y), types.uint8)
    equal_integers = binary(lambda x, y: np.uint8(x == y), types.uint8, types.int64, types.int64)
    subtract_truth = binary(lambda x, y: x - F(y), real, real, types.uint8)
    multiply_truth = binary(lambda x, y: x * F(y), real, real, types.uint8)
    where_positive = binary(lambda x, g: g if x > zero else zero)

    @kernel
    def elementwise(t, o, first, last):
        code = t[o]
        if code == 10:
            negative(t, o, first, last)
        elif code == 11:
            absolute(t, o, first, last)
        elif code == 12:
            exponential(t, o, first, last)
        elif code == 13:
            logarithm(t, o, first, last)
        elif code == 14:
            root(t, o, first, last)
        elif code == 15:
            square(t, o, first, last)
        elif code == 16:
            positive(t, o, first, last)
        elif code == 30:
            add(t, o, first, last)
        elif code == 31:
            subtract(t, o, first, last)
        elif code == 32:
            multiply(t, o, first, last)
        elif code == 33:
            divide(t, o, first, last)
        elif code == 34:
            maximum(t, o, first, last)
        elif code == 35:
            minimum(t, o, first, last)
        elif code == 50:
            greater(t, o, first, last)
        elif code == 51:
            greater_equal(t, o, first, last)
        elif code == 52:
            less(t, o, first, last)
        elif code == 53:
            less_equal(t, o, first, last)
        elif code == 60:
            equal_integers(t, o, first, last)
        elif code == 61:
            subtract_truth(t, o, first, last)
        elif code == 62:
            multiply_truth(t, o, first, last)
        elif code == 70:
            where(t, o, first, last)
        elif code == 71:
            where_positive(t, o, first, last)
        elif code == 80:
            sum_of_rows(t, o, first, last)
        elif code == 81:
            sum_along_rows(t, o, first, last)
        elif code == 82:
            max_along_rows(t, o, first, last)

    # ---- optimizers ----

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

    # ---- the walk ----

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
                        elementwise(t, o + k * op.WORDS, first, last)
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
                out[0] = pairwise(t[o + op.ADDRESSES + 1], t[o + op.COLUMNS])
            elif code <= op.LOCAL_TO_ROWS:
                elementwise(t, o, 0, t[o + op.ROWS])
            elif code == op.PICK:
                if pick(t, o):
                    return i + 1
            else:
                update(t, o)
            i += 1
        return 0

    return njit(types.int64(types.int64, types.int64), **_OPTIONS)(run)
