"""Every rule on complex numbers, through every call in the table of specifications that NumPy takes them for."""

import warnings

import numpy as np
import pytest

from autograd_lite.transforms import jvp, vjp
from tests.autograd_lite import numerical

from .engine import gradients
from .specs import EXAMPLES
from .specs.spec import as_list


def complex_arrays(example, which=None):
    """The example's arrays, those of the positions with an imaginary part (all if not said)."""
    arrays = example.arrays()
    rng = np.random.default_rng(5)
    which = range(len(arrays)) if which is None else which
    return [a + 1j * rng.uniform(0.2, 0.6, a.shape) if i in which else a for i, a in enumerate(arrays)]


def choices():
    """Each example with the arguments that are complex: all, and of several the first or the last alone."""
    for example in EXAMPLES:
        if example.spec.real_only:
            continue
        for which in dict.fromkeys([tuple(range(len(example.shapes))), (0,), (len(example.shapes) - 1,)]):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                try:
                    results = as_list(example.call(*complex_arrays(example, which)))
                except (TypeError, np.exceptions.ComplexWarning):
                    continue  # not a function of complex numbers
            if all(result.dtype.kind in "fc" for result in results):
                yield pytest.param(example, which, id=f"{example}-{which}")


every_choice = pytest.mark.parametrize(("example", "which"), list(choices()))


def cotangents_of(results):
    rng = np.random.default_rng(7)
    return [drawn(rng, result) for result in results]


def drawn(rng, like):
    """A direction for an array, complex where that is."""
    real = np.asarray(rng.uniform(-1.5, 1.5, like.shape))
    return real + 1j * rng.uniform(-1.5, 1.5, like.shape) if like.dtype.kind == "c" else real


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


@every_choice
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
