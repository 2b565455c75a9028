"""Every gradient rule, through every call in the table of specifications."""

import numpy as np
import pytest

from autograd_lite import Tensor, no_grad
from tests.autograd_lite import numerical

from .engine import LAYOUTS, gradients, gradients_of_leaves, inner, laid_out, seeds
from .specs import EXAMPLES, largest

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=str)
largest_of_every_call = pytest.mark.parametrize("example", largest(EXAMPLES), ids=str)
of_several = pytest.mark.parametrize("example", largest([e for e in EXAMPLES if len(e.shapes) > 1]), ids=str)


@every_example
def test_the_values_are_numpys_own_recorded_or_not(example):
    arrays = example.arrays()
    expected = example.call(*arrays)
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    with no_grad():
        unrecorded = example.call(*leaves)
    assert all(not result.requires_grad or result in leaves for result in unrecorded)
    for results in (example.call(*leaves), example.call(*[Tensor(a) for a in arrays]), unrecorded):
        assert len(results) == len(expected)
        for result, plain in zip(results, expected, strict=True):
            assert isinstance(result, Tensor)
            assert (result.shape, result.dtype) == (plain.shape, plain.dtype)
            if example.spec.exact:
                assert np.array_equal(result.data, plain)
            else:
                np.testing.assert_allclose(result.data, plain, rtol=1e-14, atol=1e-14)


@every_example
def test_gradients_agree_with_differences_entry_by_entry(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    found = gradients(example.call, arrays, cotangents)
    for i, gradient in enumerate(found):
        expected = numerical.gradient(lambda *a: inner(example.call(*a), cotangents), arrays, i)
        assert gradient.dtype == arrays[i].dtype
        numerical.assert_close(gradient, expected)


@every_example
def test_gradients_of_gradients_agree_with_differences_of_the_first(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    rng = np.random.default_rng(3)
    # The cotangents are arguments of the first gradient as well, and its derivative with respect to them counts too.
    points = [*arrays, *cotangents]
    weights = [rng.normal(size=a.shape) for a in arrays]
    directions = [rng.normal(size=a.shape) for a in points]

    def weighted(*points):
        first = gradients(example.call, points[: len(arrays)], points[len(arrays) :])
        return inner(first, weights)

    leaves = [Tensor(point, requires_grad=True) for point in points]
    first = gradients_of_leaves(example.call, leaves[: len(arrays)], leaves[len(arrays) :], create_graph=True)
    numerical.assert_close(inner([f.data for f in first], weights), weighted(*points), rtol=1e-12)

    (second,) = [gradients_of_leaves(lambda *_: inner(first, weights), leaves, [1.0])]
    numerical.assert_close(inner(second, directions), numerical.derivative_along(weighted, points, directions))


@every_example
def test_float32_keeps_numpys_dtype_and_gets_a_float32_gradient(example):
    arrays = example.arrays(np.float32)
    results = example.call(*[Tensor(a, requires_grad=True) for a in arrays])
    assert [result.dtype for result in results] == [plain.dtype for plain in example.call(*arrays)]
    cotangents = seeds(results)
    precise = [[a.astype(np.float64) for a in group] for group in (arrays, cotangents)]
    for gradient, expected in zip(
        gradients(example.call, arrays, cotangents), gradients(example.call, *precise), strict=True
    ):
        assert gradient.dtype == np.float32
        numerical.assert_close(gradient, expected, rtol=2e-5)


@of_several
def test_an_argument_gets_the_same_gradient_when_the_others_are_plain_arrays(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    together = gradients(example.call, arrays, cotangents)
    for i, expected in enumerate(together):
        alone = gradients(example.call, arrays, cotangents, needed=[i])
        assert [a is not None for a in alone] == [j == i for j in range(len(arrays))]
        assert np.array_equal(alone[i], expected)


@largest_of_every_call
def test_gradients_do_not_depend_on_where_the_numbers_lie_in_memory(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))
    expected = gradients(example.call, arrays, cotangents)
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    for layout in LAYOUTS:
        for leaf, array in zip(leaves, arrays, strict=True):
            leaf.data = laid_out(array, layout)
        found = gradients_of_leaves(example.call, leaves, [laid_out(c, layout) for c in cotangents])
        for gradient, contiguous in zip(found, expected, strict=True):
            numerical.assert_close(gradient, contiguous, rtol=1e-13)


@largest_of_every_call
def test_gradients_are_arrays_of_their_own(example):
    arrays = example.arrays()
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    results = example.call(*leaves)
    cotangents = seeds([result.data for result in results])
    found = gradients_of_leaves(lambda *_: results, leaves, cotangents)
    held = [*cotangents, *(leaf.data for leaf in leaves), *(result.data for result in results)]
    for i, gradient in enumerate(found):
        assert gradient.flags.writeable
        assert not any(np.shares_memory(gradient, other) for other in [*held, *found[:i]])
