"""Initialisers: the initial values of weights.

An initialiser is a function ``(shape, rng, dtype) -> array``; the functions here that have options return one. Weights
have the shape ``(fan_in, fan_out)``, as in ``x @ W``.
"""

from __future__ import annotations

import math
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from autograd_lite.extend import on_demand

from . import habits

Random: TypeAlias = "np.random.Generator | int | None"


class Initializer(Protocol):
    """A function that returns an array of a shape, drawn by a generator or from a seed."""

    def __call__(  # noqa: D102
        self, shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32
    ) -> np.ndarray[Any, Any]: ...


def glorot_uniform(
    shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32
) -> np.ndarray[Any, Any]:
    """Uniform on ``[-a, a]`` with ``a = sqrt(6 / (fan_in + fan_out))``.

    This keeps the variance of activations and of gradients the same from layer to layer if the activation is close to
    the identity (Glorot and Bengio 2010, equation 16).

    Parameters
    ----------
    shape : tuple of int
        ``(fan_in, fan_out)``; the lengths of axes in front of these are factors of both.
    rng : Generator, int or None
        The generator of the numbers, or its seed. The same seed gives the same bits.
    dtype : dtype, default float32
        The dtype of the array.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes, or a negative length.
    TypeError
        If the dtype is not floating-point.

    Examples
    --------
    >>> glorot_uniform((2, 4), rng=0).round(3)
    array([[ 0.274, -0.46 , -0.918, -0.967],
           [ 0.627,  0.826,  0.213,  0.459]], dtype=float32)
    """
    fan_in, fan_out = _fans(shape, "glorot_uniform")
    limit = math.sqrt(6 / (fan_in + fan_out))
    return _cast(np.random.default_rng(rng).uniform(-limit, limit, shape), dtype)


def glorot_normal(
    shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32
) -> np.ndarray[Any, Any]:
    """Normal with mean 0 and variance ``2 / (fan_in + fan_out)`` (Glorot and Bengio 2010, equation 12).

    Parameters, errors and seeds are those of `glorot_uniform`.

    Examples
    --------
    >>> glorot_normal((2, 4), rng=0).shape
    (2, 4)
    """
    fan_in, fan_out = _fans(shape, "glorot_normal")
    return _cast(np.random.default_rng(rng).normal(0.0, math.sqrt(2 / (fan_in + fan_out)), shape), dtype)


def he_uniform(
    shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32
) -> np.ndarray[Any, Any]:
    """Uniform on ``[-a, a]`` with ``a = sqrt(6 / fan_in)``, which has the variance of `he_normal`.

    Parameters, errors and seeds are those of `glorot_uniform`.

    Examples
    --------
    >>> bool(abs(he_uniform((6, 4), rng=0)).max() <= 1)
    True
    """
    fan_in, _ = _fans(shape, "he_uniform")
    limit = math.sqrt(6 / fan_in)
    return _cast(np.random.default_rng(rng).uniform(-limit, limit, shape), dtype)


def he_normal(shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32) -> np.ndarray[Any, Any]:
    """Normal with mean 0 and variance ``2 / fan_in``.

    This keeps the variance of activations the same from layer to layer with ReLU, which halves it (He, Zhang, Ren and
    Sun 2015, equation 10). Parameters, errors and seeds are those of `glorot_uniform`.

    Examples
    --------
    >>> he_normal((3, 2), rng=0).dtype
    dtype('float32')
    """
    fan_in, _ = _fans(shape, "he_normal")
    return _cast(np.random.default_rng(rng).normal(0.0, math.sqrt(2 / fan_in), shape), dtype)


def uniform(low: float = -1.0, high: float = 1.0) -> Initializer:
    """An initialiser that draws uniformly between `low` and `high`.

    Raises
    ------
    ValueError
        If `low` is above `high`, or either is not finite.

    Examples
    --------
    >>> weights = uniform(-1, 1)((100, 3), rng=0)
    >>> bool(weights.min() >= -1), bool(weights.max() <= 1)
    (True, True)
    """
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"uniform: expected finite bounds with low <= high, got low={low!r}, high={high!r}")

    def initializer(
        shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32
    ) -> np.ndarray[Any, Any]:
        return _cast(np.random.default_rng(rng).uniform(low, high, shape), dtype)

    return initializer


def normal(mean: float = 0.0, std: float = 1.0) -> Initializer:
    """An initialiser that draws from the normal distribution with the given mean and standard deviation.

    Raises
    ------
    ValueError
        If `std` is negative, or either is not finite.

    Examples
    --------
    >>> normal(std=0.01)((2, 2), rng=0).round(4)
    array([[ 0.0013, -0.0013],
           [ 0.0064,  0.001 ]], dtype=float32)
    """
    if not (math.isfinite(mean) and math.isfinite(std) and std >= 0):
        raise ValueError(f"normal: expected a finite mean and std >= 0, got mean={mean!r}, std={std!r}")

    def initializer(
        shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32
    ) -> np.ndarray[Any, Any]:
        return _cast(np.random.default_rng(rng).normal(mean, std, shape), dtype)

    return initializer


def zeros(shape: tuple[int, ...], *, rng: Random = None, dtype: npt.DTypeLike = np.float32) -> np.ndarray[Any, Any]:
    """Zeros: suitable for biases, but not for weights, since all units of a layer would stay equal.

    Examples
    --------
    >>> zeros((2,))
    array([0., 0.], dtype=float32)
    """
    return np.zeros(shape, dtype)


INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "uniform": uniform(),
    "normal": normal(),
    "zeros": zeros,
}
"""The initialisers by the names that layers take; ``"uniform"`` is on [-1, 1], ``"normal"`` is standard normal."""


def get_initializer(init: str | Initializer) -> Initializer:
    """The initialiser with a name; an initialiser is returned itself.

    Raises
    ------
    ValueError
        If the name is unknown.
    TypeError
        If `init` is neither a name nor a function.

    Examples
    --------
    >>> get_initializer("zeros")((1,), rng=None)
    array([0.], dtype=float32)
    """
    if isinstance(init, str):
        if init not in INITIALIZERS:
            raise ValueError(f"the initialiser {init!r} is unknown; expected one of {', '.join(INITIALIZERS)}")
        return INITIALIZERS[init]
    if not callable(init):
        raise TypeError(f"an initialiser must be a name or a function of (shape, rng, dtype), got {init!r}")
    return init


def _fans(shape: tuple[int, ...], name: str) -> tuple[int, int]:
    if not isinstance(shape, tuple | list) or len(shape) < 2 or min(shape) < 0:
        raise ValueError(f"{name}: expected a shape (fan_in, fan_out), got {shape}")
    in_front = math.prod(shape[:-2])
    return max(in_front * shape[-2], 1), max(in_front * shape[-1], 1)


def _cast(drawn: np.ndarray[Any, Any], dtype: npt.DTypeLike) -> np.ndarray[Any, Any]:
    # Numbers are drawn in double precision, so that a seed gives the same weights, rounded, in every dtype.
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"random weights are floating-point numbers; got dtype={np.dtype(dtype)}")
    return drawn.astype(dtype)


__getattr__, __dir__ = on_demand(__name__, {}, answers=habits.INIT)
