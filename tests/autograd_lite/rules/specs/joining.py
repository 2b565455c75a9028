"""Calls of functions that put arrays together, take them apart and pick from several."""

import numpy

from .spec import Spec, nonzero, positive, reals


def of(function, call, *shapes, variant="", domain=reals, **options):
    shapes = tuple(shape if shape and isinstance(shape[0], tuple) else (shape,) for shape in shapes)
    return Spec(function, call, (domain,) * len(shapes[0]), shapes, variant, exact=False, **options)


def two(function, call, *shapes, variant="", domain=reals, **options):
    return Spec(function, call, (domain, domain), shapes, variant, exact=False, **options)


DIAGONALS = [
    *[
        of(
            function,
            lambda np, m, name=function.__name__, k=k: getattr(np, name)(m, k),
            (3,),
            (3, 3),
            (2, 2, 3),
            variant=f"k={k}",
        )
        for function in (numpy.tril, numpy.triu)
        for k in (0, 1, -1)
    ],
    *[of(numpy.diag, lambda np, v, k=k: np.diag(v, k), (3,), (3, 4), variant=f"k={k}") for k in (0, 1, -2)],
    of(numpy.diagflat, lambda np, v: np.diagflat(v, 1), (2, 2)),
    of(numpy.diagonal, lambda np, a: np.diagonal(a), (3, 3), (2, 3, 2)),
    of(numpy.diagonal, lambda np, a: np.diagonal(a, -1, 2, 0), (3, 2, 3), variant="axes"),
]

TURNED = [
    of(numpy.fliplr, lambda np, m: np.fliplr(m), (2, 3)),
    of(numpy.flipud, lambda np, m: np.flipud(m), (2, 3), (3,)),
    of(numpy.matrix_transpose, lambda np, x: np.matrix_transpose(x), (2, 3), (2, 3, 4)),
    *[of(numpy.rot90, lambda np, m, k=k: np.rot90(m, k), (2, 3), variant=f"k={k}") for k in (0, 1, 2, 3, -1)],
    of(numpy.rot90, lambda np, m: np.rot90(m, axes=(2, 0)), (2, 3, 2), variant="axes"),
    *[
        of(
            numpy.rollaxis,
            lambda np, a, axis=axis, start=start: np.rollaxis(a, axis, start),
            (2, 3, 4),
            variant=f"{axis}, {start}",
        )
        for axis, start in ((2, 0), (0, 3), (1, -1), (-1, 1))
    ],
]

JOINED = [
    two(numpy.append, lambda np, a, b: np.append(a, b), ((2, 2), (3,))),
    two(numpy.append, lambda np, a, b: np.append(a, b, axis=1), ((2, 2), (2, 1)), variant="axis=1"),
    two(numpy.block, lambda np, a, b: np.block([[a, b], [b, a]]), ((2, 2), (2, 2)), ((2,), (2,))),
    two(numpy.block, lambda np, a, b: np.block([a, b, 1.0]), ((2,), (3,)), variant="of vectors"),
    of(numpy.delete, lambda np, a: np.delete(a, [0, 2]), (4,), (2, 3)),
    of(numpy.delete, lambda np, a: np.delete(a, -1, axis=1), (2, 3), variant="axis=1"),
    of(numpy.delete, lambda np, a: np.delete(a, slice(0, 2), axis=0), (3, 2), variant="slice"),
    two(numpy.insert, lambda np, a, b: np.insert(a, 1, b), ((4,), (2,)), ((2, 2), ()), ((3,), ())),
    two(numpy.insert, lambda np, a, b: np.insert(a, [0, 2, 2], b), ((4,), (3,)), ((4,), ()), variant="several"),
    two(numpy.insert, lambda np, a, b: np.insert(a, 1, b, axis=1), ((2, 3), (2,)), variant="axis=1"),
    two(numpy.insert, lambda np, a, b: np.insert(a, [1, 2], b, axis=0), ((3, 2), (2, 2)), variant="rows"),
    of(numpy.resize, lambda np, a: np.resize(a, (3, 3)), (4,), (2, 2)),
    of(numpy.resize, lambda np, a: np.resize(a, 2), (4,), variant="shorter"),
]

PRODUCTS = [
    two(numpy.kron, lambda np, a, b: np.kron(a, b), ((2,), (3,)), ((2, 2), (1, 3)), ((2,), (2, 2)), ((), (2,))),
    two(numpy.cross, lambda np, a, b: np.cross(a, b), ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (3,))),
    two(numpy.cross, lambda np, a, b: np.cross(a, b, axis=0), ((3, 2), (3, 2)), variant="axis=0"),
    two(numpy.cross, lambda np, a, b: np.cross(a, b, axisa=0, axisc=0), ((3, 2), (2, 3)), variant="axes"),
    two(numpy.vecdot, lambda np, a, b: np.vecdot(a, b), ((2, 3), (3,)), ((3,), (3,))),
    two(numpy.vecdot, lambda np, a, b: np.vecdot(a, b, axis=0), ((3, 2), (3, 2)), variant="axis=0"),
    *(
        [
            two(numpy.matvec, lambda np, a, b: np.matvec(a, b), ((2, 3), (3,)), ((2, 2, 3), (2, 3))),
            two(numpy.vecmat, lambda np, a, b: np.vecmat(a, b), ((2,), (2, 3)), ((2, 2), (2, 2, 3))),
        ]
        if hasattr(numpy, "matvec")
        else []
    ),
    two(numpy.multiply, lambda np, a, b: np.multiply.outer(a, b), ((2,), (3,)), ((2, 2), (3,)), variant="outer"),
    two(numpy.subtract, lambda np, a, b: np.subtract.outer(a, b), ((2,), (2, 2)), ((), (2,)), variant="outer"),
]

NUMBERS = numpy.array([0, 1, 1, 2])

PICKED = [
    two(numpy.select, lambda np, a, b: np.select([a > 0, b > 0], [a * b, b], a), ((2, 3), (2, 3)), domain=nonzero),
    two(numpy.select, lambda np, a, b: np.select([a > 0], [b]), ((3,), ()), variant="default", domain=nonzero),
    two(numpy.choose, lambda np, a, b: np.choose(NUMBERS, [a, b, 2 * a]), ((4,), (4,)), ((), (4,))),
    two(numpy.choose, lambda np, a, b: np.choose(NUMBERS, [a, b], mode="clip"), ((4,), (4,)), variant="clip"),
    two(numpy.choose, lambda np, a, b: np.choose(NUMBERS, [a, b], mode="wrap"), ((4,), (4,)), variant="wrap"),
    of(numpy.compress, lambda np, a: np.compress([True, False, True], a), (3,), (2, 2)),
    of(numpy.compress, lambda np, a: np.compress([False, True], a, axis=0), (2, 3), variant="axis=0"),
    of(numpy.extract, lambda np, a: np.extract(numpy.array([[True, False, True]] * 2), a), (2, 3)),
    of(
        numpy.piecewise,
        lambda np, x: np.piecewise(x, [x < -1, x > 1], [lambda v: v * v, lambda v: np.log(v), 0.5]),
        (5,),
        (2, 3),
        ragged=True,
    ),
    of(
        numpy.piecewise,
        lambda np, x: np.piecewise(x, [x > 0], [lambda v: np.sqrt(v), lambda v: -v]),
        (5,),
        variant="otherwise",
        domain=nonzero,
        ragged=True,
    ),
    of(numpy.apply_along_axis, lambda np, a: np.apply_along_axis(lambda v: v[::-1] * v[0], 1, a), (2, 3), (2, 3, 2)),
    of(numpy.apply_along_axis, lambda np, a: np.apply_along_axis(np.sum, 0, a), (2, 3), variant="a number each"),
    of(numpy.apply_over_axes, lambda np, a: np.apply_over_axes(np.sum, a, (0, 2)), (2, 3, 2)),
]

RANGES = [
    two(numpy.linspace, lambda np, a, b: np.linspace(a, b, 4), ((), ()), ((2,), ()), ((2,), (2,))),
    two(numpy.linspace, lambda np, a, b: np.linspace(a, b, 3, False, axis=-1), ((2,), (2,)), variant="no endpoint"),
    two(numpy.linspace, lambda np, a, b: np.linspace(a, b, 3, retstep=True), ((), ()), variant="retstep"),
    two(numpy.logspace, lambda np, a, b: np.logspace(a, b, 4, base=2.0), ((), ()), ((2,), ())),
    two(numpy.geomspace, lambda np, a, b: np.geomspace(a, b, 4), ((), ()), ((2,), ()), domain=positive),
    *[
        two(
            numpy.meshgrid,
            lambda np, a, b, options=options: np.meshgrid(a, b, **options),
            ((2,), (3,)),
            variant=", ".join(f"{k}={v}" for k, v in options.items()),
        )
        for options in ({}, {"indexing": "ij"}, {"sparse": True})
    ],
    of(numpy.vander, lambda np, x: np.vander(x), (3,)),
    of(numpy.vander, lambda np, x: np.vander(x, 2, increasing=True), (3,), variant="increasing"),
]

SPECS = [*DIAGONALS, *TURNED, *JOINED, *PRODUCTS, *PICKED, *RANGES]
