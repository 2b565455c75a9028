"""How polynomials differentiate, by their coefficients, which begin with the highest power, and by their argument."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import derive
from ..transforms.batching import concrete
from ..transforms.interpreter import innermost_array
from ..transforms.linearize import array_like
from ._common import as_floats


def _coefficients(p: Any) -> Any:
    return np.atleast_1d(as_floats(p))


@derive(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """`numpy.polyval` by Horner's scheme."""
    x = array_like(x)
    value: Any = np.zeros_like(x)
    for coefficient in _coefficients(p):
        value = value * x + coefficient
    return value


def _of_equal_length(a1: Any, a2: Any) -> tuple[Any, Any]:
    a1, a2 = _coefficients(a1), _coefficients(a2)
    n = max(len(a1), len(a2))
    a1, a2 = (np.concatenate([np.zeros(n - len(a), a.dtype), a]) if len(a) < n else a for a in (a1, a2))
    return a1, a2


@derive(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    """`numpy.polyadd`."""
    a1, a2 = _of_equal_length(a1, a2)
    return a1 + a2


@derive(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    """`numpy.polysub`."""
    a1, a2 = _of_equal_length(a1, a2)
    return a1 - a2


@derive(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """`numpy.polymul`, which leaves out what the leading zeros of its arguments lead to."""
    a1, a2 = _coefficients(a1), _coefficients(a2)
    product = np.convolve(a1, a2)
    left_out = _leading_zeros(a1) + _leading_zeros(a2)
    return product[left_out:] if left_out else product


def _leading_zeros(p: Any) -> int:
    values = innermost_array(p)
    counts = np.where(np.any(values != 0, axis=-1), np.argmax(values != 0, axis=-1), values.shape[-1] - 1)
    if np.min(counts) != np.max(counts):
        raise ValueError(
            "np.polymul within vmap: the polynomials of the examples begin with different numbers of zeros, so their "
            "products would have different lengths; use np.convolve, which keeps the zeros"
        )
    return int(np.max(counts))


@derive(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """`numpy.polydiv` by long division, in its order of operations: the length of the remainder follows from that."""
    u, v = _coefficients(u), _coefficients(v)
    dtype, steps = np.result_type(u.dtype, v.dtype), len(u) - len(v) + 1
    quotient, remainder, scale = [], u.astype(dtype), 1.0 / v[0]
    for k in range(steps):
        quotient.append(scale * remainder[k])
        subtracted = remainder[k : k + len(v)] - quotient[-1] * v
        remainder = np.concatenate([remainder[:k], subtracted, remainder[k + len(v) :]])
    leading = concrete(remainder, "np.polydiv")[:-1]
    is_zero = np.isclose(leading, 0, rtol=1e-14)
    first = len(leading) if is_zero.all() else int(np.argmin(is_zero))
    return np.stack(quotient) if quotient else np.zeros(1, dtype), remainder[first:]


@derive(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    """`numpy.polyder`."""
    p = _coefficients(p)
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@derive(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """`numpy.polyint`, with a constant for each integration."""
    p = _coefficients(p)
    constants = list(k) if isinstance(k, list | tuple) else [0.0 if k is None else k] * m
    if len(constants) < m:
        raise ValueError(f"np.polyint: {len(constants)} constants for m={m}; expected {m}, or a single one")
    for constant in constants[:m]:
        last = np.reshape(constant, (1,)) if hasattr(constant, "ndim") else np.full(1, constant, p.dtype)
        p = np.concatenate([p / np.arange(len(p), 0, -1), last])
    return p


@derive(np.poly)
def poly(seq_of_zeros: Any) -> Any:
    """`numpy.poly`: the product of ``x - zero``; for a matrix, the zeros are its eigenvalues."""
    zeros = np.linalg.eigvals(seq_of_zeros) if seq_of_zeros.ndim == 2 else seq_of_zeros
    product: Any = np.ones(1, zeros.dtype)
    for zero in zeros:
        product = np.convolve(product, np.stack([np.ones((), zeros.dtype), -zero]))
    return np.real(product) if seq_of_zeros.dtype.kind == "f" else product


@derive(np.roots)
def roots(p: Any) -> Any:
    """`numpy.roots`: the eigenvalues of the companion matrix, and a 0 for each trailing coefficient that is 0."""
    p = _coefficients(p)
    given = np.flatnonzero(concrete(p, "np.roots"))
    if not given.size:
        return np.zeros(0, p.dtype)
    p, zeros = p[given[0] : given[-1] + 1], len(p) - 1 - given[-1]
    n = len(p) - 1
    if not n:
        return np.zeros(zeros, p.dtype)
    companion = np.concatenate([np.reshape(-p[1:] / p[0], (1, n)), np.eye(n, dtype=p.dtype)[:-1]])
    found = np.linalg.eigvals(companion)
    if p.dtype.kind == "f" and found.dtype.kind == "c" and not np.any(concrete(np.imag(found), "np.roots")):
        found = np.real(found)
    return np.concatenate([found, np.zeros(zeros, found.dtype)]) if zeros else found


@derive(np.polyfit)
def polyfit(x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    """`numpy.polyfit`: least squares over the powers of x, each scaled to length 1."""
    if full or cov:
        raise TypeError("np.polyfit: full= and cov= are not supported for tensors; use np.vander and np.linalg.lstsq")
    powers = np.vander(as_floats(x), int(deg) + 1)
    y = as_floats(y)
    if w is not None:
        powers, y = powers * w[:, None], y * (w[:, None] if y.ndim == 2 else w)
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    rcond = len(x) * float(np.finfo(powers.dtype).eps) if rcond is None else rcond
    found = np.linalg.lstsq(powers / scale, y, rcond)[0]
    return (found.T / scale).T
