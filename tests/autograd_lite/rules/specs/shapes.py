"""Calls of functions that move, join, cut, repeat and pad."""

import numpy

from .spec import Spec, reals


def of_one(function, call, *shapes, variant=""):
    return Spec(function, call, (reals,), tuple((shape,) for shape in shapes), variant)


def joined(function, call, *shapes, variant=""):
    """A function of a list of arrays."""
    return Spec(function, call, (reals,) * len(shapes[0]), shapes, variant)


RESHAPED = [
    of_one(numpy.reshape, lambda np, a: np.reshape(a, (3, 2)), (2, 3), (6,), (1, 2, 3)),
    of_one(numpy.reshape, lambda np, a: np.reshape(a, -1), (2, 3), (), (0, 2), variant="-1"),
    of_one(numpy.reshape, lambda np, a: np.reshape(a, (3, -1), order="F"), (2, 3), (2, 3, 2), variant="order F"),
    of_one(numpy.reshape, lambda np, a: a.reshape(3, 2), (2, 3), variant="method"),
    of_one(numpy.reshape, lambda np, a: a.reshape((3, 2), order="F"), (2, 3), variant="method, order F"),
    of_one(numpy.reshape, lambda np, a: np.reshape(a, ()), (), (1, 1), variant="()"),
    of_one(numpy.ravel, lambda np, a: np.ravel(a), (2, 3), (), (0, 2)),
    of_one(numpy.ravel, lambda np, a: np.ravel(a, order="F"), (2, 3), (2, 3, 2), variant="order F"),
    of_one(numpy.ravel, lambda np, a: a.ravel(), (2, 3), variant="method"),
    of_one(numpy.ravel, lambda np, a: a.flatten(), (2, 3), variant="flatten"),
    of_one(numpy.expand_dims, lambda np, a: np.expand_dims(a, 0), (2, 3), ()),
    of_one(numpy.expand_dims, lambda np, a: np.expand_dims(a, -1), (2, 3), (0,), variant="-1"),
    of_one(numpy.expand_dims, lambda np, a: np.expand_dims(a, (0, -1)), (2, 3), (), variant="two"),
    of_one(numpy.squeeze, lambda np, a: np.squeeze(a), (1, 3, 1), (2, 3), (), (1, 1)),
    of_one(numpy.squeeze, lambda np, a: np.squeeze(a, axis=-1), (1, 3, 1), variant="axis"),
    of_one(numpy.squeeze, lambda np, a: a.squeeze((0, 2)), (1, 3, 1), variant="method"),
    of_one(numpy.broadcast_to, lambda np, a: np.broadcast_to(a, (2, 2, 3)), (2, 3), (3,), (), (2, 1, 1), (1, 2, 3)),
    of_one(numpy.broadcast_to, lambda np, a: np.broadcast_to(a, (0, 3)), (3,), (1, 3), (), variant="empty"),
    of_one(numpy.full_like, lambda np, a: np.full_like(a, a[0]), (3,), (2, 3), (2, 0)),
    of_one(numpy.full_like, lambda np, a: np.full_like(a, a[:1], shape=(2, 3)), (3,), variant="shape"),
    joined(
        numpy.broadcast_arrays, lambda np, *a: np.broadcast_arrays(*a), ((2, 1), (3,)), ((), (2, 2)), ((0, 1), (3,))
    ),
    joined(numpy.ix_, lambda np, *a: np.ix_(*a), ((2,), (3,)), ((1,), (4,)), ((0,), (3,))),
    of_one(numpy.atleast_1d, lambda np, a: np.atleast_1d(a), (), (3,), (2, 3)),
    of_one(numpy.atleast_2d, lambda np, a: np.atleast_2d(a), (), (3,), (2, 3)),
    of_one(numpy.atleast_3d, lambda np, a: np.atleast_3d(a), (), (3,), (2, 3), (2, 1, 3)),
    joined(numpy.atleast_2d, lambda np, *a: np.atleast_2d(*a), ((), (3,)), variant="two"),
]

MOVED = [
    of_one(numpy.transpose, lambda np, a: np.transpose(a), (2, 3), (3,), (), (2, 3, 2), (0, 2)),
    of_one(numpy.transpose, lambda np, a: np.transpose(a, (1, 2, 0)), (2, 3, 4), variant="axes"),
    of_one(numpy.transpose, lambda np, a: np.transpose(a, [-1, 0, -2]), (2, 3, 4), variant="negative axes"),
    of_one(numpy.transpose, lambda np, a: np.transpose(a, 0), (3,), variant="one axis"),
    of_one(numpy.transpose, lambda np, a: np.transpose(a, ()), (), variant="no axis"),
    of_one(numpy.transpose, lambda np, a: a.transpose(2, 0, 1), (2, 3, 4), variant="method"),
    of_one(numpy.transpose, lambda np, a: a.T, (2, 3), (2, 3, 4), variant="T"),
    of_one(numpy.swapaxes, lambda np, a: np.swapaxes(a, 0, -1), (2, 3), (2, 3, 4), (3,)),
    of_one(numpy.swapaxes, lambda np, a: a.mT, (2, 3), (2, 3, 4), variant="mT"),
    of_one(numpy.moveaxis, lambda np, a: np.moveaxis(a, 0, -1), (2, 3, 4), (3,)),
    of_one(numpy.moveaxis, lambda np, a: np.moveaxis(a, [0, 1], [-1, 0]), (2, 3, 4), variant="two"),
    of_one(numpy.flip, lambda np, m: np.flip(m), (2, 3), (), (0,)),
    of_one(numpy.flip, lambda np, m: np.flip(m, axis=(0, -1)), (2, 3, 2), variant="axes"),
    of_one(numpy.flip, lambda np, m: np.flip(m, 1), (2, 3), variant="axis"),
    of_one(numpy.roll, lambda np, a: np.roll(a, 2), (2, 3), (), (0,)),
    of_one(numpy.roll, lambda np, a: np.roll(a, -1, axis=0), (3, 2), variant="axis"),
    of_one(numpy.roll, lambda np, a: np.roll(a, (1, -2), axis=(0, 1)), (2, 3), variant="axes"),
    of_one(numpy.roll, lambda np, a: np.roll(a, (1, 1), axis=0), (3, 2), variant="one axis twice"),
    of_one(numpy.roll, lambda np, a: np.roll(a, numpy.array([1, 2]), axis=(1, 0)), (3, 3), variant="array of shifts"),
]

ROWS = (((3,), (3,)), ((3,), (3,), (3,)))

JOINED = [
    joined(numpy.concatenate, lambda np, a, b: np.concatenate([a, b]), ((2, 3), (1, 3)), ((2,), (3,)), ((0,), (2,))),
    joined(numpy.concatenate, lambda np, a, b: np.concatenate((a, b), axis=-1), ((2, 3), (2, 1)), variant="axis=-1"),
    joined(numpy.concatenate, lambda np, a, b: np.concatenate((a, b), None), ((2, 3), (2,)), variant="axis=None"),
    joined(numpy.concatenate, lambda np, a: np.concatenate([a, a, a * a]), ((2, 3),), variant="one array again"),
    joined(numpy.concatenate, lambda np, a: np.concatenate([numpy.ones(2), a]), ((3,),), variant="plain array"),
    joined(numpy.concatenate, lambda np, a: np.concatenate(a, axis=1), ((2, 3, 2),), variant="whole tensor"),
    joined(numpy.stack, lambda np, a, b: np.stack([a, b]), ((2, 3), (2, 3)), ((), ()), ((0,), (0,))),
    joined(numpy.stack, lambda np, a, b: np.stack((a, b), axis=-1), ((2, 3), (2, 3)), ((), ()), variant="axis=-1"),
    joined(numpy.stack, lambda np, a: np.stack([a, numpy.ones(3), a], axis=1), ((3,),), variant="plain array"),
    joined(numpy.stack, lambda np, a: np.stack(a, axis=1), ((2, 3),), variant="whole tensor"),
    joined(numpy.vstack, lambda np, a, b: np.vstack([a, b]), ((3,), (2, 3)), ((), ()), ((2,), (2,))),
    joined(numpy.hstack, lambda np, a, b: np.hstack([a, b]), ((3,), (2,)), ((2, 3), (2, 1)), ((), (2,))),
    joined(numpy.dstack, lambda np, a, b: np.dstack([a, b]), ((3,), (3,)), ((2, 3), (2, 3)), ((2, 3, 1), (2, 3))),
    joined(numpy.column_stack, lambda np, a, b: np.column_stack([a, b]), ((3,), (3,)), ((3,), (3, 2)), ((), ())),
    joined(numpy.vstack, lambda np, a: np.vstack([a, [1.0, 2.0, 3.0]]), ((3,),), ((2, 3),), variant="list"),
]  # fmt: skip

CUT = [
    of_one(numpy.split, lambda np, a: np.split(a, 2), (4,), (4, 3), (0, 3)),
    of_one(numpy.split, lambda np, a: np.split(a, [1, 3], axis=-1), (2, 4), (5,), variant="indices"),
    of_one(numpy.split, lambda np, a: np.split(a, numpy.array([2, 7])), (4,), variant="index beyond"),
    of_one(numpy.split, lambda np, a: np.split(a, [-1, 1]), (4,), variant="overlapping"),
    of_one(numpy.array_split, lambda np, a: np.array_split(a, 3), (4,), (5, 2), (2,)),
    of_one(numpy.array_split, lambda np, a: np.array_split(a, 2, axis=1), (2, 3), variant="axis"),
    of_one(numpy.vsplit, lambda np, a: np.vsplit(a, 2), (2, 3)),
    of_one(numpy.hsplit, lambda np, a: np.hsplit(a, [1]), (3,), (2, 3)),
    of_one(numpy.dsplit, lambda np, a: np.dsplit(a, 2), (2, 1, 4)),
    of_one(numpy.split, lambda np, a: np.split(a, 2)[1], (4,), variant="of which one is used"),
]
if hasattr(numpy, "unstack"):
    CUT += [
        of_one(numpy.unstack, lambda np, x: np.unstack(x), (2, 3), (3,)),
        of_one(numpy.unstack, lambda np, x: np.unstack(x, axis=-1), (2, 3), variant="axis"),
    ]

REPEATED = [
    of_one(numpy.tile, lambda np, A: np.tile(A, 2), (3,), (2, 3), (), (0,)),
    of_one(numpy.tile, lambda np, A: np.tile(A, (2, 3)), (2,), (1, 2), (), variant="two"),
    of_one(numpy.tile, lambda np, A: np.tile(A, (2, 1, 2)), (2, 3), variant="more than axes"),
    of_one(numpy.tile, lambda np, A: np.tile(A, [2]), (2, 3), variant="fewer than axes"),
    of_one(numpy.tile, lambda np, A: np.tile(A, (2, 0)), (2, 3), variant="none"),
    of_one(numpy.tile, lambda np, A: np.tile(A, ()), (2, 3), variant="()"),
    of_one(numpy.repeat, lambda np, a: np.repeat(a, 2), (2, 3), (), (0,)),
    of_one(numpy.repeat, lambda np, a: np.repeat(a, 3, axis=-1), (2, 3), variant="axis"),
    of_one(numpy.repeat, lambda np, a: np.repeat(a, [2, 0, 3], axis=0), (3, 2), variant="counts"),
    of_one(numpy.repeat, lambda np, a: np.repeat(a, [2, 1, 0, 3]), (4,), (2, 2), variant="counts of all"),
    of_one(numpy.repeat, lambda np, a: a.repeat(2, axis=0), (2, 3), variant="method"),
]

PADDED = [
    of_one(numpy.pad, lambda np, a: np.pad(a, 1), (3,), (2, 3), (), (0, 2), variant="constant"),
    of_one(numpy.pad, lambda np, a: np.pad(a, ((1, 2), (0, 3)), constant_values=5.0), (2, 3), variant="constant 5"),
    of_one(
        numpy.pad, lambda np, a: np.pad(a, (1, 2), "constant", constant_values=(1, 2)), (2, 3), variant="two constants"
    ),
    of_one(numpy.pad, lambda np, a: np.pad(a, ((2,), (1,))), (2, 3), variant="pairs of equals"),
    *(
        of_one(numpy.pad, lambda np, a, mode=mode: np.pad(a, ((1, 2), (0, 3)), mode=mode), (3, 3), (1, 2), variant=mode)
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ),
    *(
        of_one(numpy.pad, lambda np, a, mode=mode: np.pad(a, (5, 7), mode=mode), (3,), (1,), variant=f"{mode}, far")
        for mode in ("edge", "reflect", "symmetric", "wrap")
    ),
]  # fmt: skip

SPECS = [*RESHAPED, *MOVED, *JOINED, *CUT, *REPEATED, *PADDED]
