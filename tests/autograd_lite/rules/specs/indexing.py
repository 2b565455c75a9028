"""Calls of indexing, and of functions that take elements by their positions."""

import numpy

from autograd_lite.core.dispatch import getitem

from .spec import Spec, nonzero, reals


def indexed(variant, call, *shapes, domain=reals, **options):
    return Spec(getitem, call, (domain,), tuple((shape,) for shape in shapes), variant, **options)


MASK = numpy.array([[True, False, True], [False, False, True]])

BASIC = [
    indexed("x[1]", lambda np, x: x[1], (3,), (2, 3), (2, 0)),
    indexed("x[-1]", lambda np, x: x[-1], (3,), (2, 3)),
    indexed("x[np.int64(1)]", lambda np, x: x[numpy.int64(1)], (2, 3)),
    indexed("x[1, -2]", lambda np, x: x[1, -2], (2, 3), (2, 3, 2)),
    indexed("x[1:]", lambda np, x: x[1:], (3,), (2, 3), (0,), (1, 2)),
    indexed("x[::-1]", lambda np, x: x[::-1], (3,), (2, 3)),
    indexed("x[5:0:-2]", lambda np, x: x[5:0:-2], (7,), (3, 2)),
    indexed("x[:, ::2]", lambda np, x: x[:, ::2], (2, 3), (2, 5)),
    indexed("x[2:1]", lambda np, x: x[2:1], (3,), (3, 2)),
    indexed("x[...]", lambda np, x: x[...], (), (2, 3)),
    indexed("x[()]", lambda np, x: x[()], (), (2, 3)),
    indexed("x[..., 0]", lambda np, x: x[..., 0], (3,), (2, 3), (2, 2, 2)),
    indexed("x[1, ..., ::-1]", lambda np, x: x[1, ..., ::-1], (2, 3), (2, 2, 3)),
    indexed("x[None]", lambda np, x: x[None], (), (3,)),
    indexed("x[:, np.newaxis, 1]", lambda np, x: x[:, numpy.newaxis, 1], (2, 3), (2, 3, 2)),
    indexed("x[0] * x[1] + x[0]", lambda np, x: x[0] * x[1] + x[0], (2, 3), (3,)),
    indexed("for row in x", lambda np, x: list(x), (3,), (2, 3)),
]

ADVANCED = [
    indexed("x[mask]", lambda np, x: x[MASK], (2, 3), (2, 3, 2)),
    indexed("x[mask of rows]", lambda np, x: x[numpy.array([True, False])], (2, 3), (2,)),
    indexed("x[list of bool]", lambda np, x: x[[False, True]], (2, 3)),
    indexed("x[:, mask]", lambda np, x: x[:, numpy.array([True, False, True])], (2, 3)),
    indexed("x[no mask]", lambda np, x: x[numpy.zeros((2, 3), dtype=bool)], (2, 3)),
    indexed("x[True]", lambda np, x: x[True], (), (2, 3)),
    indexed("x[np.False_]", lambda np, x: x[numpy.False_], (), (2, 3)),
    indexed("x[x > 0]", lambda np, x: x[x > 0], (2, 3), domain=nonzero, ragged=True),
    indexed("x[integers]", lambda np, x: x[numpy.array([0, 2, 1])], (3,), (3, 2)),
    indexed("x[recurring]", lambda np, x: x[[0, 2, 2, 0, -1]], (3,), (3, 2)),
    indexed("x[one of them]", lambda np, x: x[[1]], (3,), (3, 2)),
    indexed("x[none of them]", lambda np, x: x[[]], (3,), (3, 2)),
    indexed("x[unsigned]", lambda np, x: x[numpy.array([1, 1], dtype=numpy.uint8)], (3,)),
    indexed("x[0-d array]", lambda np, x: x[numpy.array(1)], (3,), (2, 3)),
    indexed("x[matrix of integers]", lambda np, x: x[numpy.array([[0, 1], [1, 1]])], (3,), (2, 3)),
    indexed("x[rows, columns]", lambda np, x: x[[0, 1, 1, 0], [2, 0, 0, 2]], (2, 3), (2, 3, 2)),
    indexed("x[rows broadcast]", lambda np, x: x[[[0], [1]], [0, 2, 2]], (2, 3)),
    indexed("x[negative recurring]", lambda np, x: x[[2, -1, 0]], (3,)),
    indexed("x[1, integers]", lambda np, x: x[1, [0, 0, 2]], (2, 3), (2, 3, 2)),
    indexed("x[integers, ::-1]", lambda np, x: x[[1, 1], ::-1], (2, 3)),
    indexed("x[integers, :, integers]", lambda np, x: x[[0, 0, 1], :, [1, 1, 0]], (2, 3, 2)),
    indexed("x[:, integers, None, 0]", lambda np, x: x[:, [1, 1, 0], None, 0], (2, 3, 2)),
    indexed("x[integers, mask]", lambda np, x: x[[0, 0], numpy.array([True, False, True])], (2, 3)),
    indexed("x[..., integers]", lambda np, x: x[..., [0, 0, -1]], (3,), (2, 3)),
    indexed("x[None, integers]", lambda np, x: x[None, [0, 0]], (2, 3)),
]

TAKEN = [
    Spec(numpy.take, lambda np, a: np.take(a, [0, 3, 3, -1]), (reals,), (((4,),), ((2, 3),)), "flattened"),
    Spec(numpy.take, lambda np, a: np.take(a, 2), (reals,), (((4,),), ((2, 3),)), "one"),
    Spec(numpy.take, lambda np, a: np.take(a, [0, 0]), (reals,), (((),),), "of a number"),
    Spec(numpy.take, lambda np, a: np.take(a, [2, 0, 2], axis=1), (reals,), (((2, 3),), ((2, 3, 2),)), "axis=1"),
    Spec(numpy.take, lambda np, a: np.take(a, 1, axis=-1), (reals,), (((2, 3),),), "axis=-1, one"),
    Spec(numpy.take, lambda np, a: np.take(a, [[0, 1], [1, 1]], axis=0), (reals,), (((2, 3),),), "matrix of indices"),
    Spec(numpy.take, lambda np, a: np.take(a, [-4, 1, 7], axis=0, mode="clip"), (reals,), (((3, 2),),), "clip"),
    Spec(numpy.take, lambda np, a: np.take(a, [-4, 1, 7], mode="wrap"), (reals,), (((3,),), ((2, 2),)), "wrap"),
    Spec(numpy.take, lambda np, a: np.take(a, numpy.array([], dtype=int), axis=0), (reals,), (((3, 2),),), "none"),
    Spec(numpy.take, lambda np, a: np.take(a, [True, False, True]), (reals,), (((3,),),), "bools as 1 and 0"),
    Spec(numpy.take, lambda np, a: a.take([1, 1], axis=0), (reals,), (((3, 2),),), "method"),
    Spec(
        numpy.take_along_axis,
        lambda np, arr: np.take_along_axis(arr, numpy.array([[0, 2, 2, 1], [1, 1, 1, -1]]), axis=1),
        (reals,),
        (((2, 3),),),
    ),
    Spec(
        numpy.take_along_axis,
        lambda np, arr: np.take_along_axis(arr, numpy.argsort(numpy.arange(6.0).reshape(2, 3) % 2, axis=0), axis=0),
        (reals,),
        (((2, 3),),),
        "axis=0",
    ),
    Spec(
        numpy.take_along_axis,
        lambda np, arr: np.take_along_axis(arr, numpy.array([[1, 0]]), axis=-1),
        (reals,),
        (((3, 2),), ((1, 3),)),
        "broadcast",
    ),
    Spec(
        numpy.take_along_axis,
        lambda np, arr: np.take_along_axis(arr, numpy.array([3, 3, 0]), axis=None),
        (reals,),
        (((2, 3),), ((4,),)),
        "flattened",
    ),
]

COUNTED = [
    Spec(
        numpy.bincount,
        lambda np, weights: np.bincount(numpy.array([3, 0, 3, 1]), weights),
        (reals,),
        (((4,),),),
        "weights",
    ),
    Spec(
        numpy.bincount,
        lambda np, weights: np.bincount([0, 2], weights=weights, minlength=5),
        (reals,),
        (((2,),),),
        "minlength",
    ),
]

SPECS = [*BASIC, *ADVANCED, *TAKEN, *COUNTED]
