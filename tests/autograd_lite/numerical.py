"""Derivatives by central differences, to hold the engine's against."""

import numpy as np

STEP = 2e-3
WEIGHTS = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}
"""Of ``f(k h) - f(-k h)``: the error is ``h^6 f'''''''/140`` (Fornberg, Math. Comp. 51 (1988), table 1)."""

REACH = max(WEIGHTS) * STEP
"""How far from its argument a function is evaluated: kinks have to be farther away."""


def central_difference(function, step=STEP):
    """The derivative at 0 of a function of one number; it may return an array."""
    return sum(weight * (function(k * step) - function(-k * step)) for k, weight in WEIGHTS.items()) / step


def derivative_along(function, arrays, directions):
    """The derivative of ``function(*arrays)`` when each array moves in its direction."""
    return central_difference(
        lambda t: function(*(array + t * direction for array, direction in zip(arrays, directions, strict=True)))
    )


def gradient(function, arrays, which):
    """The gradient of a function with one number as its result, entry by entry, with respect to one of the arrays."""
    result = np.zeros_like(arrays[which])
    for index in np.ndindex(result.shape):
        directions = [np.zeros_like(array) for array in arrays]
        directions[which][index] = 1.0
        result[index] = derivative_along(function, arrays, directions)
    return result


def assert_close(actual, expected, rtol=1e-6):
    """Entries agree to `rtol` of the largest one; differences cannot tell a tiny entry beside a large one."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1e-3)
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * scale)
