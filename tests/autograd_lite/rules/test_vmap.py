"""Every rule for many examples at once, against a loop over them, through every call in the table of specifications."""

import numpy as np
import pytest

from autograd_lite.transforms import jvp, vjp, vmap
from tests.autograd_lite import numerical

from .engine import seeds
from .specs import EXAMPLES

SEEDS = (20, 21, 22)

every_example = pytest.mark.parametrize("example", [e for e in EXAMPLES if not e.spec.ragged], ids=str)


def stacked(results):
    """Results of the examples, each a list of arrays, as one list of arrays."""
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def choices(example):
    """For all arguments, and of several for each alone, whether it differs from example to example."""
    count = len(example.shapes)
    return dict.fromkeys([(0,) * count, *(tuple(0 if i == j else None for j in range(count)) for i in range(count))])


def each(arguments, in_axes):
    """The arguments of every example in turn."""
    first = arguments[0]
    return [[a if axis == 0 else b for a, b, axis in zip(own, first, in_axes, strict=True)] for own in arguments]


def together(arguments, in_axes):
    """The arguments of all examples: those that differ stacked."""
    return [np.stack([own[k] for own in arguments]) if axis == 0 else arguments[0][k] for k, axis in enumerate(in_axes)]


def agree(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        numerical.assert_close(a, b, rtol=1e-11)


def listed(example):
    return lambda *arrays: list(example.call(*arrays))


@every_example
def test_all_examples_at_once_give_what_a_loop_gives(example):
    arguments = [example.arrays(seed=seed) for seed in SEEDS]
    for in_axes in choices(example):
        expected = stacked([example.call(*own) for own in each(arguments, in_axes)])
        agree(vmap(listed(example), in_axes)(*together(arguments, in_axes)), expected)


@every_example
def test_so_do_their_cotangents_and_tangents(example):
    arguments = [example.arrays(seed=seed) for seed in SEEDS]
    cotangents = seeds(example.call(*arguments[0]))
    rng = np.random.default_rng(9)
    along = [np.asarray(rng.uniform(-1.5, 1.5, a.shape)) for a in arguments[0]]

    def pulled(*arrays):
        return list(vjp(listed(example), *arrays)[1](cotangents))

    def pushed(*arrays):
        return jvp(listed(example), arrays, along)[1]

    for in_axes in choices(example):
        for derivative in (pulled, pushed):
            expected = stacked([derivative(*own) for own in each(arguments, in_axes)])
            agree(vmap(derivative, in_axes)(*together(arguments, in_axes)), expected)


@every_example
def test_derivatives_go_through_it(example):
    arguments = [example.arrays(seed=seed) for seed in SEEDS]
    all_at_once = together(arguments, (0,) * len(example.shapes))
    cotangents = seeds(example.call(*arguments[0]))
    found = vjp(vmap(listed(example)), *all_at_once)[1]([np.stack([c] * len(SEEDS)) for c in cotangents])
    agree(found, stacked([vjp(listed(example), *own)[1](cotangents) for own in arguments]))
