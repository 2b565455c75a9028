"""The elementwise operations of the machine code, each over some rows of a matrix."""

# mypy: ignore-errors
# Numba infers the types of the functions that it compiles from their arguments.

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

from ....speed.strong_zero import strong_product, strong_quotient, symmetric_product
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
    of_functions = {
        np.negative: unary(lambda x: -x),
        np.absolute: unary(lambda x: abs(x)),
        np.exp: unary(exp),
        np.log: unary(lambda x: math.log(x)),
        np.sqrt: unary(lambda x: math.sqrt(x)),
        np.square: unary(lambda x: x * x),
        np.positive: unary(lambda x: x),
        np.add: binary(lambda x, y: x + y),
        np.subtract: binary(lambda x, y: x - y),
        np.multiply: binary(lambda x, y: x * y),
        np.divide: binary(lambda x, y: x / y),
        strong_product: binary(lambda x, y: zero if (x == zero and y - y != zero) else x * y),
        strong_quotient: binary(lambda x, y: zero if (x == zero and (y == zero or y != y)) else x / y),
        symmetric_product: binary(
            lambda x, y: zero if ((x == zero and y - y != zero) or (y == zero and x - x != zero)) else x * y
        ),
        np.maximum: binary(lambda x, y: x if (x >= y or x != x) else y),
        np.minimum: binary(lambda x, y: x if (x <= y or x != x) else y),
        np.greater: comparison(lambda x, y: np.uint8(x > y)),
        np.greater_equal: comparison(lambda x, y: np.uint8(x >= y)),
        np.less: comparison(lambda x, y: np.uint8(x < y)),
        np.less_equal: comparison(lambda x, y: np.uint8(x <= y)),
    }
    numbers = {**op.UNARY, **op.BINARY, **op.COMPARISONS}
    loops = {
        **{number: of_functions[function] for function, number in numbers.items()},
        op.EQUAL_INTEGERS: comparison(lambda x, y: np.uint8(x == y), types.int64),
        op.SUBTRACT_TRUTH: loop(lambda x, y: x - (one if y else zero), real, types.uint8),
        op.MULTIPLY_TRUTH: loop(lambda x, y: x * (one if y else zero), real, types.uint8),
        op.WHERE: loop(lambda condition, x, y: x if condition else y, types.uint8, real, real),
        op.WHERE_POSITIVE: binary(lambda x, g: g if x > zero else zero),
    }

    # One chain of branches, as Numba compiles it soonest.
    branches = (f"if code == {number}: loop{number}(out, x, y, z, n)" for number in loops)
    scope = {f"loop{number}": run for number, run in loops.items()}
    exec("def compute(code, out, x, y, z, n):\n    " + "\n    el".join(branches), scope)
    compute = kernel(scope["compute"])
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
