"""Calls of sorting, quantiles, sets, and of the reductions that skip NaN."""

import numpy

from .spec import Spec, distinct, nonzero, reals, with_zeros


def of(function, call, domain, *shapes, variant="", **options):
    return Spec(function, call, (domain,), tuple((shape,) for shape in shapes), variant, exact=False, **options)


def missing(np, a):
    """With a NaN in every row of an array that is one, and at one place of a vector."""
    return np.where(numpy.arange(a.shape[-1]) == 1, numpy.nan, a)


SORTED = [
    of(numpy.sort, lambda np, a: np.sort(a), distinct, (4,), (2, 3), (0,)),
    of(numpy.sort, lambda np, a: np.sort(a, axis=0), distinct, (3, 2), variant="axis=0"),
    of(numpy.sort, lambda np, a: np.sort(a, axis=None), distinct, (3, 2), variant="axis=None"),
    of(numpy.sort_complex, lambda np, a: np.real(np.sort_complex(a)), distinct, (4,)),
    of(numpy.partition, lambda np, a: np.partition(a, 2), distinct, (5,), (2, 4)),
    of(numpy.partition, lambda np, a: np.partition(a, (0, 2), axis=0), distinct, (4, 2), variant="axis=0"),
    of(numpy.unique, lambda np, a: np.unique(a), distinct, (4,), (2, 2), ragged=True),
    of(numpy.unique, lambda np, a: np.unique(a, axis=0), distinct, (3, 2), variant="axis=0", ragged=True),
    *[
        of(
            getattr(numpy, name),
            lambda np, a, name=name: (lambda r: r if name == "unique_values" else r.values)(getattr(np, name)(a)),
            distinct,
            (4,),
            ragged=True,
            real_only=True,
        )
        for name in ("unique_values", "unique_counts", "unique_inverse", "unique_all")
    ],
    *[
        Spec(
            function,
            lambda np, a, b, name=function.__name__: getattr(np, name)(a, np.concatenate([b, a[:2]])),
            (distinct, lambda rng, shape: distinct(rng, shape) + 0.1),
            (((4,), (3,)),),
            exact=False,
            ragged=True,
        )
        for function in (numpy.union1d, numpy.intersect1d, numpy.setdiff1d, numpy.setxor1d)
    ],
    of(
        numpy.trim_zeros,
        lambda np, a: np.trim_zeros(np.concatenate([numpy.zeros(2), a, numpy.zeros(1)])),
        nonzero,
        (3,),
        ragged=True,
    ),
]

METHODS = ("linear", "lower", "higher", "nearest", "midpoint", "hazen", "weibull", "median_unbiased", "inverted_cdf")

QUANTILES = [
    *[
        of(
            getattr(numpy, prefix + name),
            lambda np, a, name=prefix + name, scale=scale: [
                getattr(np, name)(a, 0.3 * scale),
                getattr(np, name)(a, numpy.array([0.0, 0.55, 1.0]) * scale, axis=-1, keepdims=True),
            ],
            distinct,
            (5,),
            (2, 4),
        )
        for prefix in ("", "nan")
        for name, scale in (("quantile", 1.0), ("percentile", 100.0))
    ],
    *[
        of(
            numpy.quantile,
            lambda np, a, method=method: np.quantile(a, numpy.array([0.2, 0.7]), axis=(0, 2), method=method),
            distinct,
            (2, 2, 3),
            variant=f"method={method}",
        )
        for method in METHODS
    ],
    of(
        numpy.quantile,
        lambda np, a: np.quantile(a, numpy.array([[0.2, 0.7]]), axis=(0, 2)),
        distinct,
        (2, 2, 3),
        variant="array of q",
    ),
    *[
        of(
            getattr(numpy, name),
            lambda np, a, name=name: [getattr(np, name)(a), getattr(np, name)(a, axis=0, keepdims=True)],
            distinct,
            (5,),
            (4, 3),
        )
        for name in ("median", "nanmedian")
    ],
    of(numpy.nanmedian, lambda np, a: np.nanmedian(missing(np, a), axis=-1), distinct, (2, 5), variant="with NaN"),
    of(
        numpy.nanquantile,
        lambda np, a: np.nanquantile(missing(np, a), numpy.array([0.2, 0.9])),
        distinct,
        (2, 5),
        variant="with NaN",
    ),
]

SKIPPING = [
    of(
        getattr(numpy, name),
        lambda np, a, name=name, options=options: getattr(np, name)(missing(np, a), **options),
        with_zeros if name == "nansum" else distinct,
        (2, 4),
        (3,),
        variant=", ".join(f"{k}={v}" for k, v in options.items()),
    )
    for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin")
    for options in ({}, {"axis": -1, "keepdims": True})
] + [
    of(
        getattr(numpy, name),
        lambda np, a, name=name, options=options: getattr(np, name)(missing(np, a), **options),
        nonzero,
        (2, 3),
        variant=", ".join(f"{k}={v}" for k, v in options.items()),
    )
    for name in ("nancumsum", "nancumprod")
    for options in ({}, {"axis": 0})
]

SPECS = [
    *SORTED,
    *QUANTILES,
    *SKIPPING,
    of(numpy.nanvar, lambda np, a: np.nanvar(a, ddof=1), reals, (3,), variant="ddof=1"),
]
