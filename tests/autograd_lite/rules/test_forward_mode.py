"""Every rule in forward mode, and in the two modes together, through every call in the table of specifications."""

import numpy as np
import pytest

from autograd_lite.core.graph import Node
from autograd_lite.transforms import jvp, vjp
from tests.autograd_lite import numerical

from .engine import gradients, inner, seeds
from .specs import EXAMPLES, largest

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)
largest_of_every_call = pytest.mark.parametrize("example", largest(EXAMPLES), ids=str)


def directions(arrays, seed=11):
    """A direction for each array; the same ones each time."""
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.uniform(-1.5, 1.5, np.shape(a)), a.dtype) for a in arrays]


def listed(example):
    """The call with its results in a list, whatever container they come in."""
    return lambda *arrays: list(example.call(*arrays))


@every_example
def test_the_tangent_pairs_with_a_cotangent_as_its_pullback_does(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    along = directions(arrays)
    out, tangents = jvp(listed(example), arrays, along)
    for plain, value, tangent in zip(example.call(*arrays), out, tangents, strict=True):
        np.testing.assert_allclose(value, plain, rtol=1e-14, atol=1e-14)
        assert (tangent.shape, tangent.dtype) == (plain.shape, plain.dtype)
    pulled = gradients(example.call, arrays, cotangents)
    numerical.assert_close(inner(tangents, cotangents), inner(pulled, along), rtol=1e-11)


@largest_of_every_call
def test_forward_mode_makes_no_graph(example, monkeypatch):
    arrays = example.arrays()
    made = []
    original = Node.__init__

    def counted(self, *args):
        made.append(self)
        original(self, *args)

    monkeypatch.setattr(Node, "__init__", counted)
    jvp(listed(example), arrays, directions(arrays))
    assert made == []


@largest_of_every_call
def test_second_derivatives_agree_in_all_four_orders_of_the_modes(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    first, second = directions(arrays), directions(arrays, seed=12)

    def scalar(*points):
        return sum(np.sum(c * r) for c, r in zip(cotangents, example.call(*points), strict=True))

    def pushed(*points):
        return jvp(scalar, points, first)[1]

    def pulled(*points):
        return inner(vjp(scalar, *points)[1](1.0), first)

    expected = inner(vjp(pulled, *arrays)[1](1.0), second)  # which test_table.py holds against differences
    assert np.isfinite(expected)
    for found in (
        jvp(pulled, arrays, second)[1],
        jvp(pushed, arrays, second)[1],
        inner(vjp(pushed, *arrays)[1](1.0), second),
    ):
        numerical.assert_close(np.asarray(found), np.asarray(expected), rtol=1e-10)
