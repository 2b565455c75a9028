"""How weighted averages, covariances and histograms differentiate."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.registry import derive
from ..transforms.batching import concrete
from ..transforms.linearize import array_like
from ._common import as_floats, as_tuple
from .complex_numbers import conjugate
from .indexing import scatter_add


@derive(np.average)
def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    """`numpy.average`: the weighted sum divided by the sum of the weights."""
    keepdims = bool(keepdims and keepdims is not np._NoValue)
    a = array_like(a)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.full(mean.shape, a.size / max(mean.size, 1), mean.dtype)
        return (mean, total) if returned else mean
    weights = array_like(weights)
    if weights.shape != a.shape:
        axes = () if axis is None else as_tuple(axis)
        if not axes or weights.shape != tuple(a.shape[k] for k in axes):
            raise ValueError(
                f"np.average: weights of shape {weights.shape} for an array of shape {a.shape} along axis={axis}; "
                "expected the array's shape, or its lengths along the axes"
            )
        order = [k % a.ndim for k in axes]
        weights = np.transpose(weights, tuple(int(k) for k in np.argsort(order)))
        weights = np.reshape(weights, tuple(n if k in order else 1 for k, n in enumerate(a.shape)))
        weights = np.broadcast_to(weights, a.shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, np.broadcast_to(total, mean.shape).astype(mean.dtype)) if returned else mean


@derive(np.cov)
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """`numpy.cov`, with the weights of observations."""
    x = _variables(m, rowvar)
    if y is not None:
        x = np.concatenate([x, _variables(y, rowvar)], axis=0)
    x = x.astype(np.result_type(x.dtype, np.float64) if dtype is None else dtype)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = aweights if fweights is None else fweights if aweights is None else np.multiply(fweights, aweights)
    if weights is None:
        factor, total = x.shape[1] - ddof, None
    else:
        total = np.sum(weights)
        spread = total if aweights is None else np.sum(np.multiply(weights, aweights)) / total
        factor = total - ddof * (1 if aweights is None else spread)
    deviation = x - np.average(x, axis=1, weights=weights, keepdims=True)
    weighted = deviation if weights is None else deviation * weights
    return np.squeeze(weighted @ conjugate(deviation).T / factor)


def _variables(m: Any, rowvar: bool) -> Any:
    m = as_floats(m)
    if m.ndim > 2:
        raise ValueError(f"np.cov: expected one or two axes, got shape {m.shape}")
    m = np.atleast_2d(m)
    return m if rowvar or m.shape[0] == 1 else m.T


@derive(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None, **deprecated: Any) -> Any:
    """`numpy.corrcoef`: covariances divided by the standard deviations."""
    c = np.cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)))
    return c / deviation[:, None] / deviation[None, :]


# ---- histograms: piecewise constant in the data, linear in the weights ----
@derive(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """`numpy.histogram_bin_edges`: evenly spaced between the smallest and the largest element, if no range is given."""
    if not isinstance(bins, str) and np.ndim(bins):
        return bins
    plain = concrete(a, "np.histogram_bin_edges")
    edges = np.histogram_bin_edges(plain, bins, range, None if weights is None else concrete(weights, "np.histogram"))
    if range is not None or not plain.size or plain.min() == plain.max():
        return edges
    return np.linspace(np.min(a), np.max(a), len(edges)).astype(edges.dtype)


@derive(np.histogram)
def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """`numpy.histogram`: sums of the weights, linear in the weights."""
    edges = np.histogram_bin_edges(a, bins, range, weights)
    plain, places = concrete(a, "np.histogram"), concrete(edges, "np.histogram")
    if weights is None:
        counts = np.histogram(plain, places)[0]
    else:
        inside = np.ravel((plain >= places[0]) & (plain <= places[-1]))
        numbers = np.minimum(np.searchsorted(places, np.ravel(plain), side="right") - 1, len(places) - 2)
        counts = scatter_add(np.ravel(weights)[inside], numbers[inside], (len(places) - 1,))
    if density:
        return counts / np.diff(edges) / np.sum(counts), edges
    return counts, edges


@derive(np.histogramdd)
def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """`numpy.histogramdd`: sums of the weights, linear in the weights; the edges are treated as constant."""
    if isinstance(sample, list | tuple):
        sample = np.stack([concrete(x, "np.histogramdd") for x in sample], axis=-1)
    sample = concrete(sample, "np.histogramdd")
    if sample.ndim == 1:
        sample = sample[:, None]
    counts, edges = np.histogramdd(sample, bins, range)
    if weights is not None:
        inside = np.ones(len(sample), bool)
        places = []
        for x, along in zip(sample.T, edges, strict=True):
            inside &= (x >= along[0]) & (x <= along[-1])
            places.append(np.minimum(np.searchsorted(along, x, side="right") - 1, len(along) - 2))
        counts = scatter_add(weights[inside], tuple(place[inside] for place in places), counts.shape)
        counts = counts.astype(np.result_type(counts.dtype, np.float64))
    if density:
        total = np.sum(counts)
        for k, along in enumerate(edges):
            counts = counts / np.reshape(np.diff(along), [-1 if k == axis else 1 for axis in np.arange(len(edges))])
        counts = counts / total
    return counts, edges


@derive(np.histogram2d)
def histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """`numpy.histogram2d`, as the histogram of pairs."""
    edges = [bins, bins] if np.ndim(bins) == 1 and len(bins) > 2 else bins
    counts, (along_x, along_y) = np.histogramdd([x, y], edges, range, density, weights)
    return counts, along_x, along_y
