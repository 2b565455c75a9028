"""Calls of differences, interpolation, convolution, polynomials, statistics, and of the elementwise rest."""

import warnings

import numpy

from .spec import Spec, above_one, between, distinct, nonzero, off_steps, positive, reals, staggered

POINTS = numpy.array([[0.1, 0.2], [0.5, 1.7], [2.5, 0.4], [2.9, 2.9]])
COORDINATES = numpy.array([0.0, 0.5, 1.5, 3.0, 3.5])


def ascending(rng, shape):
    return numpy.cumsum(rng.uniform(0.5, 1.5, shape))


def of(function, call, domains, *shapes, variant="", **options):
    domains = domains if isinstance(domains, tuple) else (domains,)
    shapes = tuple(shape if shape and isinstance(shape[0], tuple) else (shape,) for shape in shapes)
    return Spec(function, call, domains, shapes, variant, exact=False, **options)


DIFFERENCES = [
    of(numpy.diff, lambda np, a: np.diff(a), reals, (4,), (2, 3), (1,)),
    of(numpy.diff, lambda np, a: np.diff(a, 2, axis=0), reals, (4, 2), variant="n=2"),
    of(numpy.diff, lambda np, a: np.diff(a, prepend=0.0, append=a), reals, (3,), (2, 3), variant="prepend"),
    of(numpy.ediff1d, lambda np, a: np.ediff1d(a), reals, (4,), (2, 3)),
    of(numpy.ediff1d, lambda np, a: np.ediff1d(a, to_begin=a[0], to_end=[1.0, 2.0]), reals, (3,), variant="ends"),
    of(numpy.gradient, lambda np, f: np.gradient(f), reals, (5,), (3, 4)),
    of(numpy.gradient, lambda np, f: np.gradient(f, 0.5, edge_order=2), reals, (4,), (3, 4), variant="edge_order=2"),
    of(numpy.gradient, lambda np, f: np.gradient(f, COORDINATES, axis=1), reals, (2, 5), variant="coordinates"),
    of(
        numpy.gradient,
        lambda np, f, x: np.gradient(f, x, edge_order=2),
        (reals, ascending),
        ((5,), (5,)),
        variant="by coordinates",
    ),
    of(numpy.trapezoid, lambda np, y: np.trapezoid(y, dx=0.5), reals, (4,), (2, 3)),
    of(numpy.trapezoid, lambda np, y, x: np.trapezoid(y, x), (reals, ascending), ((4,), (4,)), variant="x"),
    of(
        numpy.trapezoid,
        lambda np, y, x: np.trapezoid(y, x, axis=0),
        (reals, ascending),
        ((3, 2), (3,)),
        variant="axis=0",
    ),
    of(numpy.unwrap, lambda np, p: np.unwrap(p), between(-9.0, 9.0), (6,), (2, 4)),
    of(numpy.unwrap, lambda np, p: np.unwrap(p, axis=0, period=4.0), between(-9.0, 9.0), (4, 2), variant="period"),
]

INTERPOLATION = [
    of(
        numpy.interp,
        lambda np, x, xp, fp: np.interp(x, xp, fp),
        (between(0.0, 6.0), ascending, reals),
        ((5,), (5,), (5,)),
        ((2, 3), (4,), (4,)),
    ),
    of(
        numpy.interp,
        lambda np, x, fp: np.interp(x, COORDINATES, fp, left=-1.0, right=fp[0]),
        (between(-2.0, 5.0), reals),
        ((6,), (5,)),
        variant="left and right",
    ),
    of(
        numpy.interp,
        lambda np, x, fp: np.interp(x, COORDINATES, fp, period=4.0),
        (between(-8.0, 8.0), reals),
        ((6,), (5,)),
        variant="period",
    ),
]

CONVOLUTIONS = [
    of(
        function,
        lambda np, a, v, name=function.__name__, mode=mode: getattr(np, name)(a, v, mode),
        (reals, reals),
        ((5,), (3,)),
        ((2,), (4,)),
        ((4,), (2,)),
        ((3,), (3,)),
        variant=mode,
    )
    for function in (numpy.convolve, numpy.correlate)
    for mode in ("full", "same", "valid")
]

POLYNOMIALS = [
    of(numpy.polyval, lambda np, p, x: np.polyval(p, x), (reals, reals), ((4,), (3,)), ((3,), ()), ((2,), (2, 2))),
    of(numpy.polyadd, lambda np, a, b: np.polyadd(a, b), (reals, reals), ((4,), (2,)), ((3,), (3,))),
    of(numpy.polysub, lambda np, a, b: np.polysub(a, b), (reals, reals), ((2,), (4,))),
    of(numpy.polymul, lambda np, a, b: np.polymul(a, b), (reals, reals), ((3,), (2,))),
    of(
        numpy.polymul,
        lambda np, a, b: np.polymul(np.concatenate([np.zeros(2), a]), np.concatenate([[0.0], b])),
        (reals, reals),
        ((3,), (2,)),
        variant="leading zeros",
    ),
    of(numpy.polydiv, lambda np, a, b: np.polydiv(a, b), (nonzero, nonzero), ((4,), (2,)), ((3,), (3,)), ragged=True),
    of(numpy.polyder, lambda np, p: np.polyder(p, 2), reals, (4,)),
    of(numpy.polyint, lambda np, p: np.polyint(p, 2, k=[1.0, p[0]]), reals, (3,)),
    of(numpy.poly, lambda np, zeros: np.poly(zeros), reals, (3,)),
    of(numpy.roots, lambda np, p: np.sort(np.roots(np.polymul([1.0, -0.5], np.poly(p)))), distinct, (3,), ragged=True),
    of(numpy.polyfit, lambda np, x, y: np.polyfit(x, y, 2), (ascending, reals), ((5,), (5,)), ((4,), (4, 2))),
    of(
        numpy.polyfit,
        lambda np, x, y, w: np.polyfit(x, y, 1, w=w),
        (ascending, reals, positive),
        ((4,), (4,), (4,)),
        variant="w",
    ),
]

STATISTICS = [
    of(numpy.average, lambda np, a: np.average(a, axis=0), reals, (3,), (2, 3)),
    of(
        numpy.average,
        lambda np, a, w: np.average(a, weights=w, returned=True),
        (reals, positive),
        ((3,), (3,)),
        ((2, 3), (2, 3)),
        variant="weights",
    ),
    of(
        numpy.average,
        lambda np, a, w: np.average(a, axis=1, weights=w, keepdims=True),
        (reals, positive),
        ((2, 3), (3,)),
        variant="weights of an axis",
    ),
    of(
        numpy.average,
        lambda np, a, w: np.average(a, axis=(2, 0), weights=w),
        (reals, positive),
        ((2, 3, 4), (4, 2)),
        variant="weights of two axes",
    ),
    of(numpy.cov, lambda np, m: np.cov(m), reals, (4,), (2, 4)),
    of(numpy.cov, lambda np, m, y: np.cov(m, y, rowvar=False, ddof=0), (reals, reals), ((4, 2), (4, 2)), variant="y"),
    of(
        numpy.cov,
        lambda np, m, w: np.cov(m, aweights=w, fweights=numpy.array([1, 2, 1, 3])),
        (reals, positive),
        ((2, 4), (4,)),
        variant="weights",
    ),
    of(numpy.corrcoef, lambda np, x: np.corrcoef(x), reals, (3, 5)),
    of(numpy.corrcoef, lambda np, x, y: np.corrcoef(x, y), (reals, reals), ((4,), (4,)), variant="y"),
    of(
        numpy.histogram,
        lambda np, w: np.histogram(numpy.array([0.1, 0.5, 0.6, 2.5, 1.0]), [0.0, 0.5, 1.0, 2.0], weights=w)[0],
        positive,
        (5,),
        variant="weights",
    ),
    of(numpy.histogram, lambda np, a: np.histogram(a, 3)[1], distinct, (5,), variant="edges", ragged=True),
    of(
        numpy.histogram,
        lambda np, a: np.histogram(a, 3, density=True)[0],
        distinct,
        (5,),
        variant="density",
        ragged=True,
    ),
    of(
        numpy.histogramdd,
        lambda np, w: np.histogramdd(POINTS, (2, 3), weights=w)[0],
        reals,
        (4,),
        variant="weights",
    ),
    of(
        numpy.histogram2d,
        lambda np, w: np.histogram2d(POINTS[:, 0], POINTS[:, 1], [0.0, 1.0, 3.0], density=True, weights=w)[0],
        positive,
        (4,),
        variant="density",
    ),
    of(numpy.histogram_bin_edges, lambda np, a: np.histogram_bin_edges(a, "sturges"), distinct, (5,), ragged=True),
]


def deprecated_fix(np, a):
    """NumPy 2.5 advises `trunc`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.fix(a)


ELEMENTWISE = [
    of(numpy.fmax, lambda np, a, b: np.fmax(a, b), (staggered(0.0), staggered(0.4)), ((2, 3), (3,))),
    of(numpy.fmin, lambda np, a, b: np.fmin(a, b), (staggered(0.0), staggered(0.4)), ((2, 3), (3,))),
    of(
        numpy.fmax,
        lambda np, a: np.fmax(a, numpy.array([numpy.nan, 0.0, numpy.nan])),
        nonzero,
        (3,),
        variant="with NaN",
        real_only=True,
    ),
    of(numpy.nextafter, lambda np, a: np.nextafter(a, 9.0), nonzero, (3,)),
    of(numpy.nan_to_num, lambda np, a: np.nan_to_num(np.where(a > 0, a, numpy.nan), nan=2.0), nonzero, (2, 3)),
    of(numpy.fix, deprecated_fix, off_steps, (3,)),
    of(numpy.around, lambda np, a: np.around(a, 1), off_steps, (3,)),
    of(numpy.modf, lambda np, a: np.modf(a), off_steps, (2, 3), ()),
    of(numpy.divmod, lambda np, a, b: np.divmod(a, b), (off_steps, above_one), ((3,), (3,))),
    of(numpy.frexp, lambda np, a: np.frexp(a)[0], nonzero, (2, 3)),
    of(numpy.sinc, lambda np, x: np.sinc(x), between(-4.0, 4.0), (7,), ()),
    of(numpy.sinc, lambda np, x: np.sinc(1e-3 * x), reals, (3,), variant="near 0"),
    of(numpy.i0, lambda np, x: np.i0(x), reals, (5,)),
    of(numpy.real_if_close, lambda np, x: np.real_if_close(x), reals, (3,), ragged=True),
    *(
        [of(numpy.astype, lambda np, x: np.astype(x, x.dtype), reals, (3,))] if hasattr(numpy, "astype") else []
    ),
]  # fmt: skip

CUMULATIVE = (
    [
        of(numpy.cumulative_sum, lambda np, x: np.cumulative_sum(x), reals, (4,)),
        of(
            numpy.cumulative_sum,
            lambda np, x: np.cumulative_sum(x, axis=1, include_initial=True),
            reals,
            (2, 3),
            variant="initial",
        ),
        of(numpy.cumulative_prod, lambda np, x: np.cumulative_prod(x, axis=0, include_initial=True), nonzero, (3, 2)),
    ]
    if hasattr(numpy, "cumulative_sum")
    else []
)

SPECS = [*CUMULATIVE, *DIFFERENCES, *INTERPOLATION, *CONVOLUTIONS, *POLYNOMIALS, *STATISTICS, *ELEMENTWISE]
