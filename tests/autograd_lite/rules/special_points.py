"""The special points of elementwise functions, and their slopes there by mpmath: as limits of differences.

Where a function ends, or has a pole or an infinity, its slope is the limit from where the function is; where it has
none (an oscillation), there is nothing to compare with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf
from scipy import special

import nn

INFINITE = float("inf")
DIGITS = 420


@dataclass(frozen=True)
class Function:
    """A function of one number.

    Attributes
    ----------
    name : str
    call : callable
        On arrays and tensors.
    exact : callable
        The same of mpmath's numbers.
    ends : tuple
        Where it begins and ends.
    kinks : tuple
        Points inside at which it has no derivative, or a pole.
    absolute : float
        By how many units in the last place of 1 the slope may be wrong where it is nearly 0.
    """

    name: str
    call: Callable[..., Any]
    exact: Callable[[Any], Any]
    ends: tuple[float, float] = (-INFINITE, INFINITE)
    kinks: tuple[float, ...] = ()
    absolute: float = 0.0

    def points(self, dtype) -> list[float]:
        """The special points that it has in a floating-point type."""
        limits = np.finfo(dtype)
        sizes = [0.0, limits.smallest_subnormal, limits.tiny, limits.eps, 0.5, 1.0, 3.0, 19.5, 37.0, 1e4, limits.max]
        found = {float(sign * size) for size in sizes for sign in (1, -1)} | set(self.ends)
        return sorted(x for x in found if self.ends[0] <= x <= self.ends[1])

    def slope(self, x: float, order: int = 1) -> float | None:
        """The derivative at a point, or its limit; None where there is none."""
        with mp.workdps(DIGITS):
            if abs(x) == INFINITE:
                return self._limit(mpf(10) ** 12 * (1 if x > 0 else -1), mpf(10) ** 14 * (1 if x > 0 else -1), order)
            if x in (*self.ends, *self.kinks):
                if x in self.kinks:
                    return None
                inward = 1 if x == self.ends[0] else -1
                near = (mpf(x) + inward * mpf(10) ** -exponent for exponent in (30, 40))
                return self._limit(*near, order)
            return float(self._derivative(mpf(x), order))

    def _limit(self, first, second, order) -> float | None:
        first, second = (self._derivative(x, order) for x in (first, second))
        if abs(second) > 10 * abs(first):
            return INFINITE * (1 if second > 0 else -1)
        if abs(second) < mpf(10) ** -9 and abs(second) <= abs(first):
            return 0.0
        return float(second) if abs(first - second) < abs(second) * mpf(10) ** -6 else None

    def _derivative(self, x, order):
        distance = min((abs(x - mpf(e)) for e in (*self.ends, *self.kinks) if abs(e) != INFINITE), default=mpf(1))
        step = min(distance, mpf(1)) * mpf(10) ** -30
        if order == 1:
            return (self.exact(x + step) - self.exact(x - step)) / (2 * step)
        return (self.exact(x + step) - 2 * self.exact(x) + self.exact(x - step)) / step**2


def _sigmoid(x):
    return 1 / (1 + mpmath.exp(-x)) if x > 0 else mpmath.exp(x) / (1 + mpmath.exp(x))


def _log1pexp(x):
    return x + mpmath.log1p(mpmath.exp(-x)) if x > 0 else mpmath.log1p(mpmath.exp(x))


def _erfc(x):
    return mpmath.erfc(x) if abs(x) < 1e4 else mpf(0 if x > 0 else 2)


ZERO = (0.0,)
FUNCTIONS = [
    Function("np.absolute", np.absolute, abs, kinks=ZERO),
    Function("np.square", np.square, lambda x: x * x),
    Function("np.reciprocal", np.reciprocal, lambda x: 1 / x, kinks=ZERO),
    Function("np.sqrt", np.sqrt, mpmath.sqrt, ends=(0.0, INFINITE)),
    Function("np.cbrt", np.cbrt, lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), kinks=ZERO),
    Function("np.exp", np.exp, mpmath.exp),
    Function("np.exp2", np.exp2, lambda x: mpf(2) ** x),
    Function("np.expm1", np.expm1, mpmath.expm1),
    Function("np.log", np.log, mpmath.log, ends=(0.0, INFINITE)),
    Function("np.log2", np.log2, lambda x: mpmath.log(x, 2), ends=(0.0, INFINITE)),
    Function("np.log10", np.log10, mpmath.log10, ends=(0.0, INFINITE)),
    Function("np.log1p", np.log1p, lambda x: mpmath.log(1 + x), ends=(-1.0, INFINITE)),
    Function("np.sin", np.sin, mpmath.sin),
    Function("np.cos", np.cos, mpmath.cos),
    Function("np.tan", np.tan, mpmath.tan),
    Function("np.arcsin", np.arcsin, mpmath.asin, ends=(-1.0, 1.0)),
    Function("np.arccos", np.arccos, mpmath.acos, ends=(-1.0, 1.0)),
    Function("np.arctan", np.arctan, mpmath.atan),
    Function("np.sinh", np.sinh, mpmath.sinh),
    Function("np.cosh", np.cosh, mpmath.cosh),
    Function("np.tanh", np.tanh, mpmath.tanh, absolute=1.0),
    Function("np.arcsinh", np.arcsinh, mpmath.asinh),
    Function("np.arccosh", np.arccosh, mpmath.acosh, ends=(1.0, INFINITE)),
    Function("np.arctanh", np.arctanh, mpmath.atanh, ends=(-1.0, 1.0)),
    Function("np.sinc", np.sinc, lambda x: mpmath.sinc(mpmath.pi * x), absolute=10.0),
    Function("x ** 1.5", lambda x: x**1.5, lambda x: x**1.5, ends=(0.0, INFINITE)),
    Function("x ** -1.0", lambda x: x**-1.0, lambda x: 1 / x, ends=(0.0, INFINITE)),
    Function("np.logaddexp(x, 0)", lambda x: np.logaddexp(x, 0), _log1pexp),
    Function("np.hypot(x, 1)", lambda x: np.hypot(x, 1), lambda x: mpmath.sqrt(x * x + 1)),
    Function("np.arctan2(x, 1)", lambda x: np.arctan2(x, 1), mpmath.atan),
    Function("nn.sigmoid", nn.sigmoid, _sigmoid, absolute=1.0),
    Function("nn.softplus", nn.softplus, _log1pexp),
    Function("nn.silu", nn.silu, lambda x: x * _sigmoid(x), absolute=100.0),
    Function("nn.gelu", nn.gelu, lambda x: x * _erfc(-x / mpmath.sqrt(2)) / 2, absolute=1.0),
    Function("special.expit", special.expit, _sigmoid),
    Function("special.log_expit", special.log_expit, lambda x: -_log1pexp(-x)),
    Function("special.erf", special.erf, mpmath.erf),
    Function("special.erfc", special.erfc, _erfc),
    Function("special.entr", special.entr, lambda x: -x * mpmath.log(x), ends=(0.0, INFINITE)),
    Function("special.logit", special.logit, lambda x: mpmath.log(x / (1 - x)), ends=(0.0, 1.0)),
]
