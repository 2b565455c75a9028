"""Calls of numpy.linalg: inverses, determinants, decompositions, norms."""

import numpy

from autograd_lite.rules.linalg.cofactors import change_of_cofactors

from .spec import Spec, distinct, nonzero, reals


def invertible(rng, shape):
    """Well conditioned, with no symmetry."""
    return rng.uniform(-1.0, 1.0, shape) + 2.0 * numpy.eye(*shape[-2:])


def gapped(rng, shape):
    """Eigenvalues and singular values that lie apart."""
    return 0.3 * rng.uniform(-1.0, 1.0, shape) + numpy.eye(*shape[-2:]) * (1.0 + 1.5 * numpy.arange(shape[-1]))


def rotating(rng, shape):
    """A pair of complex eigenvalues, and others far from it."""
    return gapped(rng, shape) + 4.0 * (numpy.eye(*shape, k=1) - numpy.eye(*shape, k=-1)) * (numpy.arange(shape[0]) < 2)


def hermitian(np, a):
    return a + np.conjugate(a).mT


def definite(np, a):
    return a @ np.conjugate(a).mT


def squared(np, x):
    return np.real(x * np.conjugate(x))


SQUARES = (((3, 3),), ((1, 1),), ((2, 3, 3),))
TALL_AND_WIDE = (((4, 2),), ((2, 4),), ((2, 3, 2),))


def of(function, call, domain, shapes, variant="", **options):
    domains = domain if isinstance(domain, tuple) else (domain,)
    return Spec(function, call, domains, shapes, variant, exact=False, **options)


INVERSES = [
    of(numpy.linalg.inv, lambda np, a: np.linalg.inv(a), invertible, (*SQUARES, ((0, 0),))),
    of(
        numpy.linalg.solve,
        lambda np, a, b: np.linalg.solve(a, b),
        (invertible, reals),
        (((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 1)), ((2, 3, 3), (3,)), ((3, 3), (2, 3, 2))),
    ),
    of(numpy.linalg.pinv, lambda np, a: np.linalg.pinv(a), gapped, (*SQUARES, *TALL_AND_WIDE)),
    of(numpy.linalg.pinv, lambda np, a: np.linalg.pinv(a, rtol=1e-6), gapped, TALL_AND_WIDE, "rtol"),
    of(
        numpy.linalg.lstsq,
        lambda np, a, b: np.linalg.lstsq(a, b)[0],
        (gapped, reals),
        (((4, 2), (4,)), ((2, 4), (2,)), ((4, 2), (4, 3))),
    ),
    of(
        numpy.linalg.lstsq,
        lambda np, a, b: [np.linalg.lstsq(a, b, rcond=1e-9)[i] for i in (1, 3)],
        (gapped, reals),
        (((4, 2), (4,)), ((4, 2), (4, 3))),
        "residuals",
    ),
    of(
        numpy.linalg.tensorsolve,
        lambda np, a, b: np.linalg.tensorsolve(np.reshape(a, (2, 3, 6)), b),
        (invertible, reals),
        (((6, 6), (2, 3)),),
    ),
    of(
        numpy.linalg.tensorsolve,
        lambda np, a, b: np.linalg.tensorsolve(np.transpose(np.reshape(a, (2, 3, 6)), (2, 0, 1)), b, axes=(0,)),
        (invertible, reals),
        (((6, 6), (2, 3)),),
        "axes",
    ),
    of(
        numpy.linalg.tensorinv,
        lambda np, a: np.linalg.tensorinv(np.reshape(a, (2, 3, 6))),
        invertible,
        (((6, 6),),),
    ),
    of(
        numpy.linalg.tensorinv,
        lambda np, a: np.linalg.tensorinv(np.reshape(a, (6, 2, 3)), ind=1),
        invertible,
        (((6, 6),),),
        "ind=1",
    ),
]

DETERMINANTS = [
    of(numpy.linalg.det, lambda np, a: np.linalg.det(a), invertible, SQUARES),
    Spec(
        change_of_cofactors,
        lambda np, a, t: change_of_cofactors(a, t),
        (invertible, reals),
        (((3, 3), (3, 3)), ((2, 3, 3), (2, 3, 3))),
    ),
    of(numpy.linalg.slogdet, lambda np, a: np.linalg.slogdet(a), invertible, SQUARES),
    of(numpy.linalg.slogdet, lambda np, a: np.linalg.slogdet(a).logabsdet, invertible, SQUARES, "logabsdet alone"),
]

PRODUCTS = [
    *[
        of(numpy.linalg.matrix_power, lambda np, a, n=n: np.linalg.matrix_power(a, n), invertible, SQUARES, f"n={n}")
        for n in (-2, -1, 0, 1, 2, 3, 5, 6)
    ],
    of(
        numpy.linalg.multi_dot,
        lambda np, a, b: np.linalg.multi_dot([a, b]),
        (reals, reals),
        (((2, 3), (3, 4)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (3,))),
    ),
    of(
        numpy.linalg.multi_dot,
        lambda np, a, b, c, d: np.linalg.multi_dot([a, b, c, d]),
        (reals,) * 4,
        (((2, 3), (3, 1), (1, 4), (4, 2)), ((3,), (3, 4), (4, 2), (2,))),
        "of four",
    ),
    of(numpy.linalg.matmul, lambda np, a, b: np.linalg.matmul(a, b), (reals, reals), (((2, 3), (3, 2)),)),
    of(numpy.linalg.outer, lambda np, a, b: np.linalg.outer(a, b), (reals, reals), (((2,), (3,)),)),
    of(
        numpy.linalg.vecdot, lambda np, a, b: np.linalg.vecdot(a, b), (reals, reals), (((2, 3), (2, 3)), ((3,), (2, 3)))
    ),
    of(
        numpy.linalg.vecdot,
        lambda np, a, b: np.linalg.vecdot(a, b, axis=0),
        (reals, reals),
        (((3, 2), (3, 2)),),
        "of linalg, axis=0",
    ),
    of(
        numpy.linalg.tensordot,
        lambda np, a, b: np.linalg.tensordot(a, b, axes=1),
        (reals, reals),
        (((2, 3), (3, 2)),),
    ),
    of(numpy.linalg.trace, lambda np, a: np.linalg.trace(a, offset=1), reals, (((2, 3, 3),),)),
    of(numpy.linalg.diagonal, lambda np, a: np.linalg.diagonal(a, offset=-1), reals, (((2, 3, 3),),)),
    of(numpy.linalg.matrix_transpose, lambda np, a: np.linalg.matrix_transpose(a), reals, (((2, 3, 4),),), "of linalg"),
    of(numpy.linalg.cross, lambda np, a, b: np.linalg.cross(a, b), (reals, reals), (((2, 3), (2, 3)),), "of linalg"),
]

DECOMPOSITIONS = [
    of(numpy.linalg.cholesky, lambda np, a: np.linalg.cholesky(definite(np, a)), invertible, SQUARES),
    of(
        numpy.linalg.cholesky,
        lambda np, a: np.linalg.cholesky(definite(np, a), upper=True),
        invertible,
        SQUARES,
        "upper",
    ),
    of(numpy.linalg.eigh, lambda np, a: np.linalg.eigh(hermitian(np, a)), gapped, SQUARES, real_only=True),
    of(
        numpy.linalg.eigh,
        lambda np, a: [squared(np, r) for r in np.linalg.eigh(hermitian(np, a), UPLO="U")],
        gapped,
        SQUARES,
        "without phases",
    ),
    of(numpy.linalg.eigvalsh, lambda np, a: np.linalg.eigvalsh(hermitian(np, a)), gapped, SQUARES),
    of(numpy.linalg.eigvalsh, lambda np, a: np.linalg.eigvalsh(hermitian(np, a), "U"), gapped, SQUARES, "UPLO=U"),
    # From NumPy 2.5 on these are complex numbers always.
    of(numpy.linalg.eig, lambda np, a: [np.real(r) for r in np.linalg.eig(a)], gapped, SQUARES, real_only=True),
    of(
        numpy.linalg.eig,
        lambda np, a: [f(np.linalg.eig(a)[i]) for i, f in ((0, np.real), (0, np.imag), (1, lambda v: squared(np, v)))],
        rotating,
        (((3, 3),), ((2, 2),)),
        "rotating",
    ),
    of(
        numpy.linalg.eigvals,
        lambda np, a: [f(np.linalg.eigvals(a)) for f in (np.real, np.imag)],
        rotating,
        (((3, 3),),),
        "rotating",
    ),
    of(numpy.linalg.eigvals, lambda np, a: np.real(np.linalg.eigvals(a)), gapped, SQUARES),
    of(
        numpy.linalg.svd,
        lambda np, a: np.linalg.svd(a, full_matrices=False),
        gapped,
        (*SQUARES, *TALL_AND_WIDE),
        "thin",
        real_only=True,
    ),
    of(
        numpy.linalg.svd,
        lambda np, a: [squared(np, r) for r in np.linalg.svd(a, full_matrices=False)],
        gapped,
        (*SQUARES, *TALL_AND_WIDE),
        "without phases",
    ),
    of(numpy.linalg.svd, lambda np, a: np.linalg.svd(a), gapped, SQUARES, real_only=True),
    of(
        numpy.linalg.svd,
        lambda np, a: [np.linalg.svd(a).S, squared(np, np.linalg.svd(a).U[..., :, :2])],
        gapped,
        TALL_AND_WIDE,
        "full, with the null space unused",
    ),
    of(
        numpy.linalg.svd,
        lambda np, a: np.linalg.svd(a, compute_uv=False),
        gapped,
        (*SQUARES, *TALL_AND_WIDE),
        "values alone",
    ),
    of(numpy.linalg.svdvals, lambda np, a: np.linalg.svdvals(a), gapped, TALL_AND_WIDE),
    of(numpy.linalg.qr, lambda np, a: np.linalg.qr(a), invertible, (*SQUARES, *TALL_AND_WIDE)),
    of(numpy.linalg.qr, lambda np, a: np.linalg.qr(a, mode="r"), invertible, TALL_AND_WIDE, "mode=r"),
    of(numpy.linalg.qr, lambda np, a: np.linalg.qr(a, mode="complete"), invertible, (((2, 4),),), "mode=complete"),
]

VECTOR_ORDERS = (None, 1, 2, 3, 0.5, -1, -2, numpy.inf, -numpy.inf, 0)
MATRIX_ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, numpy.inf, -numpy.inf)

NORMS = [
    of(numpy.linalg.norm, lambda np, x: np.linalg.norm(x), nonzero, (((3,),), ((2, 3),), ((2, 2, 2),), ((),))),
    of(numpy.linalg.norm, lambda np, x: np.linalg.norm(x, keepdims=True), nonzero, (((2, 3),),), "keepdims"),
    *[
        of(
            numpy.linalg.norm,
            lambda np, x, ord=ord: np.linalg.norm(x, ord, axis=0, keepdims=ord == 3),
            distinct,
            (((3,),), ((3, 2),)),
            f"ord={ord}, axis=0",
        )
        for ord in VECTOR_ORDERS
    ],
    *[
        of(
            numpy.linalg.norm,
            lambda np, x, ord=ord: np.linalg.norm(x, ord, axis=(-1, 0), keepdims=ord == 1),
            gapped,
            (((3, 2, 3),),),
            f"ord={ord}, axis=(-1, 0)",
        )
        for ord in MATRIX_ORDERS
    ],
    *[
        of(numpy.linalg.norm, lambda np, x, ord=ord: np.linalg.norm(x, ord), gapped, (((3, 3),),), f"ord={ord}")
        for ord in MATRIX_ORDERS
    ],
    of(numpy.linalg.norm, lambda np, x: np.linalg.norm(x, 3), nonzero, (((4,),),), "ord=3"),
    of(numpy.linalg.vector_norm, lambda np, x: np.linalg.vector_norm(x), nonzero, (((2, 3),),)),
    of(
        numpy.linalg.vector_norm,
        lambda np, x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=3),
        nonzero,
        (((2, 3, 2),),),
        "axis=(0, 2)",
    ),
    *[
        of(
            numpy.linalg.matrix_norm,
            lambda np, x, ord=ord: np.linalg.matrix_norm(x, ord=ord, keepdims=True),
            gapped,
            (((2, 3, 3),),),
            f"ord={ord}",
        )
        for ord in ("fro", "nuc", -2)
    ],
    *[
        of(
            numpy.linalg.cond,
            lambda np, x, p=p: np.real(np.linalg.cond(x, p)),
            invertible,
            (((3, 3),), ((2, 3, 3),)),
            f"p={p}",
        )
        for p in (None, -2, "fro", 1, numpy.inf)
    ],
]

SPECS = [*INVERSES, *DETERMINANTS, *PRODUCTS, *DECOMPOSITIONS, *NORMS]
