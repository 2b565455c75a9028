"""The elementwise operations of the machine code, each over some rows of a matrix."""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

from .. import opcodes as op
from .blocks import by_blocks
from .intrinsics import element, float_of_bits, put


def elementwise_of(real: Any) -> Any:
    """The function ``elementwise(t, o, first, last)`` for a floating-point type: the row at word ``o`` of a table."""
    F = np.float32 if real == types.float32 else np.float64
    kernel = njit(error_model="numpy", boundscheck=False)
    inline = njit(inline="always", error_model="numpy")
    zero, one = F(0), F(1)

    def loop(f: Callable[..., Any], *kinds: Any, result: Any = real) -> Callable[..., Any]:
        """A function of one to three elements, as a loop over the elements of a block."""
        kind1, kind2, kind3 = (*kinds, *[real] * (3 - len(kinds)))
        f1 = f2 = f3 = inline(f)
        of_three = (lambda x, y, z: f1(x), lambda x, y, z: f2(x, y), lambda x, y, z: f3(x, y, z))
        chosen = inline(of_three[len(kinds) - 1])

        @kernel
        def run(out, x, y, z, n):
            for j in range(n):
                put(out, j, chosen(element(x, j, kind1), element(y, j, kind2), element(z, j, kind3)), result)

        return run

    def unary(f: Callable[[Any], Any]) -> Callable[..., Any]:
        return loop(f, real)

    def binary(f: Callable[[Any, Any], Any]) -> Callable[..., Any]:
        return loop(f, real, real)

    def comparison(f: Callable[[Any, Any], Any], kind: Any = real) -> Callable[..., Any]:
        return loop(f, kind, kind, result=types.uint8)

    exp = _exp_of(real)
    negative, absolute = unary(lambda x: -x), unary(lambda x: abs(x))
    exponential, logarithm = unary(exp), unary(lambda x: math.log(x))
    root, square, positive = unary(lambda x: math.sqrt(x)), unary(lambda x: x * x), unary(lambda x: x)
    add, subtract = binary(lambda x, y: x + y), binary(lambda x, y: x - y)
    multiply, divide = binary(lambda x, y: x * y), binary(lambda x, y: x / y)
    maximum = binary(lambda x, y: x if (x >= y or x != x) else y)
    minimum = binary(lambda x, y: x if (x <= y or x != x) else y)
    greater, greater_equal = comparison(lambda x, y: np.uint8(x > y)), comparison(lambda x, y: np.uint8(x >= y))
    less, less_equal = comparison(lambda x, y: np.uint8(x < y)), comparison(lambda x, y: np.uint8(x <= y))
    equal_integers = comparison(lambda x, y: np.uint8(x == y), types.int64)
    subtract_truth = loop(lambda x, y: x - (one if y else zero), real, types.uint8)
    multiply_truth = loop(lambda x, y: x * (one if y else zero), real, types.uint8)
    where = loop(lambda condition, x, y: x if condition else y, types.uint8, real, real)
    where_positive = binary(lambda x, g: g if x > zero else zero)

    @kernel
    def compute(code, out, x, y, z, n):
        if code == 10:
            negative(out, x, y, z, n)
        elif code == 11:
            absolute(out, x, y, z, n)
        elif code == 12:
            exponential(out, x, y, z, n)
        elif code == 13:
            logarithm(out, x, y, z, n)
        elif code == 14:
            root(out, x, y, z, n)
        elif code == 15:
            square(out, x, y, z, n)
        elif code == 16:
            positive(out, x, y, z, n)
        elif code == 30:
            add(out, x, y, z, n)
        elif code == 31:
            subtract(out, x, y, z, n)
        elif code == 32:
            multiply(out, x, y, z, n)
        elif code == 33:
            divide(out, x, y, z, n)
        elif code == 34:
            maximum(out, x, y, z, n)
        elif code == 35:
            minimum(out, x, y, z, n)
        elif code == 50:
            greater(out, x, y, z, n)
        elif code == 51:
            greater_equal(out, x, y, z, n)
        elif code == 52:
            less(out, x, y, z, n)
        elif code == 53:
            less_equal(out, x, y, z, n)
        elif code == op.EQUAL_INTEGERS:
            equal_integers(out, x, y, z, n)
        elif code == op.SUBTRACT_TRUTH:
            subtract_truth(out, x, y, z, n)
        elif code == op.MULTIPLY_TRUTH:
            multiply_truth(out, x, y, z, n)
        elif code == op.WHERE:
            where(out, x, y, z, n)
        elif code == op.WHERE_POSITIVE:
            where_positive(out, x, y, z, n)

    return by_blocks(compute)


def _exp_of(real: Any) -> Callable[[Any], Any]:
    """The exponential: for float32 a polynomial that LLVM vectorizes, else the function of the C library."""
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
