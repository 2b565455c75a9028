"""The elementwise operations of the machine code, each over some rows of a matrix."""

# mypy: ignore-errors
# What Numba compiles is typed by Numba, by the arguments that it is compiled for.

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit, types

from . import operations as op
from .addresses import at, float_of_bits


def elementwise_of(real: Any) -> Any:
    """The function ``elementwise(t, o, first, last)`` for a floating-point type: the row at word ``o`` of a table."""
    F = np.float32 if real == types.float32 else np.float64
    kernel = njit(error_model="numpy", boundscheck=False)
    inline = njit(inline="always", error_model="numpy")
    zero = F(0)

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
                    chosen, otherwise = x[j], y[j]
                    out[j] = chosen if condition[j] else otherwise
            elif step0 == 1 and step1 == 1:
                same = y[0]
                for j in range(n):
                    out[j] = x[j] if condition[j] else same
            else:
                for j in range(n):
                    out[j] = x[j * step1] if condition[j * step0] else y[j * step2]

    exp = _exp_of(real)
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

    return elementwise


def _exp_of(real: Any) -> Callable[[Any], Any]:
    """The exponential: for float32 a polynomial that runs on many numbers at once, else that of the C library."""
    if real != types.float32:
        return lambda x: math.exp(x)
    F = np.float32

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
        p = p * (r * r) + r + F(1)
        # In two steps, so that results below the smallest normal number are right too.
        exponent = np.int32(n)
        half = np.int32(exponent >> 1)
        low = float_of_bits(np.int32((half + 127) << 23))
        high = float_of_bits(np.int32((exponent - half + 127) << 23))
        return p * low * high if x == x else x

    return exp
