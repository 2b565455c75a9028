"""Calls of products of vectors, matrices and tensors."""

import numpy

from .spec import Spec, reals


def product(function, *shapes, variant="", exact=True, **arguments):
    return Spec(
        function,
        lambda np, a, b: getattr(np, function.__name__)(a, b, **arguments),
        (reals, reals),
        shapes,
        variant or ", ".join(f"{name}={value}" for name, value in arguments.items()),
        exact,
    )


def einsum(subscripts, *shapes, variant=""):
    operands = subscripts.partition("->")[0].count(",") + 1
    return Spec(
        numpy.einsum,
        lambda np, *operands: np.einsum(subscripts, *operands),
        (reals,) * operands,
        shapes,
        f"{subscripts} {variant}".strip(),
    )


MATMUL = [
    product(
        numpy.matmul,
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((3,), (2, 3, 2)),
        ((2, 2, 3), (3,)),
        ((2, 2, 3), (3, 2)),
        ((2, 3), (2, 3, 2)),
        ((2, 2, 3), (2, 3, 2)),
        ((2, 1, 2, 3), (1, 3, 3, 2)),
        ((1, 2, 3), (2, 3, 1)),
        ((2, 2, 2), (1, 2, 2)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((0, 2, 3), (3, 2)),
        ((2, 3, 0), (0, 2)),
        ((0,), (2, 0, 3)),
        ((0, 2, 3), (1, 3, 2)),
    ),
    Spec(numpy.matmul, lambda np, a, b: a @ b, (reals, reals), (((2, 3), (3, 2)),), "operator"),
    Spec(numpy.matmul, lambda np, a: a @ a, (reals,), (((3, 3),), ((2, 2, 2),), ((3,),)), "with itself"),
    Spec(numpy.matmul, lambda np, a: a @ a.T, (reals,), (((2, 3),),), "with its transpose"),
]

DOT = [
    product(
        numpy.dot, ((), ()), ((), (2, 3)), ((3,), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 2)),
        ((0,), (0,)), ((2, 0), (0, 3)),
    ),
    product(
        numpy.dot,
        ((2, 2, 3), (3,)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)),
        variant="of many axes", exact=False,
    ),
    Spec(numpy.dot, lambda np, a: a.dot(a.T), (reals,), (((2, 3),),), "method"),
    product(numpy.inner, ((), (3,)), ((2, 2), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((0,), (0,))),
    product(
        numpy.inner, ((2, 2, 3), (3,)), ((2, 2, 3), (2, 3)), ((3,), (2, 2, 3)), variant="of many axes", exact=False
    ),
    product(numpy.outer, ((), ()), ((3,), (2,)), ((2, 2), (1, 3)), ((0,), (2,)), ((), (3,))),
    product(numpy.vdot, ((), ()), ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (3, 2)), ((0,), (0,))),
]  # fmt: skip

TENSORDOT = [
    product(numpy.tensordot, ((2, 3), (2, 3)), ((4, 2, 3), (2, 3, 2)), ((0, 2), (0, 2))),
    product(numpy.tensordot, ((3,), (2,)), ((2, 1), (2,)), ((), (2, 3)), axes=0),
    product(numpy.tensordot, ((2, 3), (3, 2)), ((2, 2, 3), (3,)), ((2, 0), (0, 3)), axes=1),
    product(numpy.tensordot, ((2, 3, 4), (4, 2, 2)), axes=((0, 2), (1, 0))),
    product(numpy.tensordot, ((2, 3, 4), (4, 2, 2)), axes=([-1, 0], [0, -1])),
    product(numpy.tensordot, ((2, 3), (4, 3)), axes=(1, -1)),
]

TRACE = [
    Spec(
        numpy.trace,
        lambda np, a: np.trace(a),
        (reals,),
        (((3, 3),), ((2, 4),), ((4, 2),), ((2, 3, 2),), ((0, 0),), ((2, 2, 0),)),
    ),
    *(
        Spec(
            numpy.trace,
            lambda np, a, offset=offset: np.trace(a, offset=offset),
            (reals,),
            (((3, 4),), ((4, 3),)),
            f"offset={offset}",
        )
        for offset in (1, -2, 3, -4, 9)
    ),
    Spec(numpy.trace, lambda np, a: np.trace(a, 1, 2, 0), (reals,), (((3, 2, 3),),), "axes 2 and 0"),
    Spec(numpy.trace, lambda np, a: np.trace(a, axis1=-1, axis2=-3), (reals,), (((3, 2, 3),),), "axes -1 and -3"),
]

EINSUM = [
    einsum("ij,jk->ik", ((2, 3), (3, 4)), ((2, 0), (0, 3)), ((0, 2), (2, 3))),
    einsum("ij,jk", ((2, 3), (3, 4)), variant="implicit"),
    einsum("ji,jk", ((2, 3), (2, 4)), variant="implicit"),
    einsum("ba", ((2, 3),), variant="implicit transpose"),
    einsum("bA", ((2, 3),), variant="implicit, upper case first"),
    einsum("i,i", ((3,), (3,)), ((0,), (0,))),
    einsum("i,j->ij", ((2,), (3,))),
    einsum("i,j->ji", ((2,), (3,))),
    einsum("i,j->", ((2,), (3,)), ((0,), (3,))),
    einsum("i,j->j", ((2,), (3,))),
    einsum("ij->", ((2, 3),), ((0, 3),)),
    einsum("ij->j", ((2, 3),), ((2, 0),)),
    einsum("i->i", ((3,),)),
    einsum(",i->i", ((), (3,))),
    einsum(",->", ((), ())),
    einsum("->", ((),)),
    einsum(" i j , j k -> i k ", ((2, 3), (3, 2)), variant="with spaces"),
    einsum("ii", ((3, 3),), ((0, 0),)),
    einsum("ii->i", ((3, 3),), ((1, 1),)),
    einsum("iij->ij", ((2, 2, 3),)),
    einsum("iji->j", ((2, 3, 2),)),
    einsum("ijij->ij", ((2, 3, 2, 3),)),
    einsum("iii->i", ((3, 3, 3),)),
    einsum("iii", ((2, 2, 2),)),
    einsum("ii,i->i", ((3, 3), (3,))),
    einsum("ii,jj->ij", ((2, 2), (3, 3))),
    einsum("ii,ik->k", ((3, 3), (3, 2))),
    einsum("ij,ij->ij", ((2, 3), (2, 3)), ((1, 3), (2, 3)), ((2, 1), (2, 3)), ((2, 1), (1, 3))),
    einsum("ij,ij->i", ((2, 1), (2, 3)), ((2, 3), (1, 1)), ((2, 3), (2, 1)), ((2, 0), (2, 1))),
    einsum("i,i->", ((3,), (1,)), ((1,), (3,)), ((0,), (1,)), ((1,), (0,))),
    einsum("i,i,i->", ((3,), (1,), (3,)), ((1,), (1,), (3,)), ((1,), (1,), (1,))),
    einsum("i,i->i", ((0,), (1,)), ((1,), (0,))),
    einsum("ii,i->i", ((1, 1), (3,)), ((3, 3), (1,))),
    einsum("...i->...", ((2, 3),), ((2, 2, 3),), ((3,),)),
    einsum("...ij,...jk->...ik", ((2, 2, 3), (2, 3, 2)), ((2, 3), (2, 3, 2)), ((2, 3), (3, 2))),
    einsum("...ij,...jk->...ik", ((2, 1, 2, 3), (3, 3, 2)), ((1, 2, 3), (2, 3, 1)), variant="broadcast"),
    einsum("...ij,...jk", ((2, 2, 3), (3, 2)), variant="implicit"),
    einsum("i...->i...", ((2, 3, 2),)),
    einsum("i...j,j->...i", ((2, 2, 3), (3,)), ((2, 1, 2, 3), (3,))),
    einsum("...,...->...", ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3))),
    einsum("...,...", ((2, 3), (3,)), variant="implicit"),
    einsum("...ii->...i", ((2, 3, 3),), ((3, 3),)),
    einsum("...,i->...i", ((2, 2), (3,)), ((), (3,))),
    einsum("ij,jk,kl->il", ((2, 3), (3, 2), (2, 3))),
    einsum("i,ij,j", ((2,), (2, 3), (3,))),
    einsum("bi,ijk,bj->bk", ((2, 2), (2, 3, 2), (2, 3))),
    einsum("ij,ik,il->jkl", ((2, 1), (2, 3), (2, 2))),
    einsum("ij,jk,ki,ij->", ((2, 3), (3, 2), (2, 2), (2, 3))),
    Spec(numpy.einsum, lambda np, a: np.einsum("ij,jk,ki", a, a, a), (reals,), (((2, 2),),), "one array three times"),
    Spec(
        numpy.einsum,
        lambda np, a, b, c: np.einsum("ij,jk,kl->il", a, b, c, optimize=True),
        (reals,) * 3,
        (((2, 3), (3, 2), (2, 2)),),
        "optimize",
        exact=False,
    ),
]  # fmt: skip

SPECS = [*MATMUL, *DOT, *TENSORDOT, *TRACE, *EINSUM]
