"""Every rule on complex numbers, through every call in the table of specifications that NumPy takes them for."""

import numpy as np
import pytest

from autograd_lite.transforms import jvp, vjp
from tests.autograd_lite import numerical

from .complex_choices import choices, complex_arrays, cotangents_of, drawn
from .engine import gradients
from .specs import EXAMPLES, largest

every_choice = pytest.mark.parametrize(("example", "which"), choices(EXAMPLES))


def paired(arrays, others):
    """The pairing of cotangents and tangents."""
    return sum(np.sum(np.real(a * b)) for a, b in zip(arrays, others, strict=True))


@every_choice
def test_tangents_agree_with_differences_and_pair_with_cotangents_as_their_pullback_does(example, which):
    arrays = complex_arrays(example, which)
    rng = np.random.default_rng(11)
    along = [drawn(rng, a) for a in arrays]
    results, tangents = jvp(lambda *a: list(example.call(*a)), arrays, along)
    for value, plain, tangent in zip(results, example.call(*arrays), tangents, strict=True):
        np.testing.assert_allclose(value, plain, rtol=1e-13, atol=1e-13)
        assert (tangent.shape, tangent.dtype) == (plain.shape, plain.dtype)
    numbers = range(len(results))
    for i in numbers:
        expected = numerical.derivative_along(lambda *a, i=i: example.call(*a)[i], arrays, along)
        numerical.assert_close(tangents[i], np.asarray(expected))
    cotangents = cotangents_of(example.call(*arrays))
    pulled = gradients(example.call, arrays, cotangents)
    assert [p.dtype for p in pulled] == [a.dtype for a in arrays]
    numerical.assert_close(paired(tangents, cotangents), paired(pulled, along), rtol=1e-11)


@pytest.mark.parametrize(("example", "which"), choices(largest([e for e in EXAMPLES if not e.spec.complex_once])))
def test_second_derivatives_agree_in_all_four_orders_of_the_modes(example, which):
    arrays = complex_arrays(example, which)
    cotangents = cotangents_of(example.call(*arrays))
    rng = np.random.default_rng(12)
    first, second = ([drawn(rng, a) for a in arrays] for _ in range(2))

    def scalar(*points):
        return paired(cotangents, example.call(*points))

    def pushed(*points):
        return jvp(scalar, points, first)[1]

    def pulled(*points):
        return paired(vjp(scalar, *points)[1](1.0), first)

    expected = np.asarray(numerical.derivative_along(pulled, arrays, second))
    for found in (
        jvp(pulled, arrays, second)[1],
        jvp(pushed, arrays, second)[1],
        paired(vjp(pushed, *arrays)[1](1.0), second),
        paired(vjp(pulled, *arrays)[1](1.0), second),
    ):
        numerical.assert_close(np.asarray(found), expected, rtol=2e-6)
