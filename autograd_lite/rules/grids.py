"""How evenly spaced numbers, grids and powers differentiate, by their ends and coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import derive
from ._common import as_floats


def _spread(start: Any, stop: Any, num: int, endpoint: bool) -> tuple[Any, Any, Any]:
    """The two ends with a new first axis, and the position of each number between them as a fraction."""
    if num < 0:
        raise ValueError(f"num must not be negative, got {num}")
    start, stop = np.broadcast_arrays(as_floats(start), as_floats(stop))
    shares = (np.arange(num) / max(num - 1 if endpoint else num, 1)).astype(np.finfo(np.result_type(start, stop)).dtype)
    return start[None], stop[None], np.reshape(shares, (num, *(1,) * start.ndim))


@derive(np.linspace)
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0, *, device: None = None,
) -> Any:  # fmt: skip
    """`numpy.linspace`."""
    first, last, shares = _spread(start, stop, num, endpoint)
    numbers = first * (1 - shares) + last * shares
    numbers = np.moveaxis(numbers if dtype is None else numbers.astype(dtype), 0, axis)
    return (numbers, (last[0] - first[0]) / (num - 1 if endpoint else num)) if retstep else numbers


@derive(np.logspace)
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`numpy.logspace`: the base raised to the powers of `numpy.linspace`."""
    if np.ndim(base):
        raise TypeError("np.logspace: for tensors the base must be a single number")
    numbers = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return numbers if dtype is None else numbers.astype(dtype)


@derive(np.geomspace)
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`numpy.geomspace`: each number is the previous one multiplied by the same ratio."""
    first, last, shares = _spread(start, stop, num, endpoint)
    numbers = np.moveaxis(first * (last / first) ** shares, 0, axis)
    # NumPy computes logarithms in double precision.
    return numbers.astype(np.result_type(numbers.dtype, np.float64) if dtype is None else dtype)


@derive(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """`numpy.meshgrid`."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"np.meshgrid: indexing={indexing!r}; expected 'xy' or 'ij'")
    places = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        places[:2] = 1, 0
    along = [
        np.reshape(x, tuple(-1 if k == place else 1 for k in range(len(xi))))
        for x, place in zip(xi, places, strict=True)
    ]
    return tuple(along) if sparse else tuple(np.broadcast_arrays(*along))


@derive(np.vander)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """`numpy.vander`: the powers of every number."""
    powers = np.arange(x.shape[0] if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])
