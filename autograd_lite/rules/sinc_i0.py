"""How `sinc` and `i0` differentiate: each derivative is a function of the same family, one order higher."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.custom import primitive
from ..core.registry import defelementwise, defvjp
from ._common import strong_product


@primitive
def sinc_derivative(y: Any, order: int) -> Any:
    """The n-th derivative of ``sin(y) / y``: the integral of ``t^n cos(y t + n pi / 2)`` for t from 0 to 1.

    Far from 0 it is computed by the recurrence from integration by parts; near 0, where that cancels, by the power
    series.
    """
    near = np.abs(y) < order + 2
    safe = np.where(near | np.isinf(y), 1.0, y)
    far = np.sin(safe) / safe
    for n in range(1, order + 1):
        far = (np.sin(safe + n * np.pi / 2) - n * far) / safe
    small = np.where(near, y, 0.0)
    series = np.zeros_like(small)
    for k in range((order + 1) // 2, (order + 1) // 2 + 16 + 2 * order):
        power = 2 * k - order
        series = series + (-1) ** k / (math.factorial(power) * (2 * k + 1)) * small**power
    return np.where(near, series, np.where(np.isinf(y), 0, far)).astype(y.dtype)


defvjp(sinc_derivative, y=lambda g, y, order: strong_product(g, sinc_derivative(y, order + 1)))
defvjp(np.sinc, x=lambda g, x: strong_product(np.pi * g, sinc_derivative(np.pi * x, 1)))
defelementwise(sinc_derivative, np.sinc)


@primitive
def i0_derivative(x: Any, order: int) -> Any:
    """The n-th derivative of ``i0``: the mean of ``exp(x cos(t)) cos(t)^n`` over the circle.

    The trapezoidal rule is exact to rounding for such a smooth periodic function (Trefethen and Weideman, *The
    exponentially convergent trapezoidal rule*, 2014).
    """
    nodes = 512
    total = np.zeros_like(x)
    for j in range(nodes // 2):
        cosine = math.cos((j + 0.5) * math.pi / (nodes // 2))
        # The mean of an odd power of the cosine is 0; subtracting it keeps the digits of results for small x.
        rise = np.expm1(x * cosine) if order % 2 else np.exp(x * cosine)
        total = total + rise * cosine**order
    return total / (nodes // 2)


defvjp(i0_derivative, x=lambda g, x, order: strong_product(g, i0_derivative(x, order + 1)))
defvjp(np.i0, x=lambda g, x: strong_product(g, i0_derivative(x, 1)))
defelementwise(i0_derivative, np.i0)
