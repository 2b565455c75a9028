"""`where` is `numpy.where`, whatever it is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import Tensor
from autograd_lite.speed.fast_where import FEW, where

NUMBERS = [0, 0.0, -0.0, 1, -2.5, np.inf, -np.inf, np.nan, 1e300, 10**9, True, np.float32(0.1), np.float64(0.1)]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, 3e38]


def _array(rng, shape, dtype):
    array = rng.standard_normal(shape).astype(dtype)
    array.reshape(-1)[: len(SPECIAL)] = SPECIAL[: array.size]
    return array


@np.errstate(all="ignore")
@settings(max_examples=150, deadline=None)
@given(
    dtypes=st.tuples(*[st.sampled_from(["f4", "f8", "f2", "c8"])] * 2),
    shape=st.sampled_from([(), (3,), (FEW + 1,), (40, 60), (3, FEW, 1), (0, 4)]),
    numbers=st.tuples(*[st.none() | st.sampled_from(NUMBERS)] * 2),
    seed=st.integers(0, 5),
)
def test_it_gives_what_numpy_gives(dtypes, shape, numbers, seed):
    rng = np.random.default_rng(seed)
    condition = np.asarray(rng.random(shape) < 0.5)
    x, y = (
        _array(rng, shape, dtype) if number is None else number for dtype, number in zip(dtypes, numbers, strict=True)
    )
    expected, found = np.where(condition, x, y), where(condition, x, y)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found.real), np.signbit(expected.real))


@pytest.mark.parametrize(
    ("condition", "x", "y"),
    [
        (np.ones((60, 60), bool), np.ones(60), np.zeros((60, 1))),
        (np.ones((60, 60), bool)[::2, ::-1], np.ones((30, 60)), 0),
        (np.ones((60, 60), bool), np.broadcast_to(np.float64(2), (60, 60)), 0),
        (np.arange(3600).reshape(60, 60), np.ones((60, 60)), 0),
        (np.ones((60, 60), bool).T, np.asfortranarray(np.ones((60, 60))), np.zeros((60, 60))),
    ],
)
def test_layouts_and_broadcasting_are_numpys(condition, x, y):
    np.testing.assert_array_equal(where(condition, x, y), np.where(condition, x, y))


def test_the_result_is_an_array_of_its_own():
    x = np.ones((60, 60))
    found = where(np.ones((60, 60), bool), x, 0)
    found[:] = 5
    np.testing.assert_array_equal(x, 1)


def test_an_infinite_number_that_is_not_chosen_leaves_no_nan():
    x = np.full((60, 60), np.inf)
    np.testing.assert_array_equal(where(np.zeros((60, 60), bool), x, 0), 0)


def test_tensors_keep_their_gradients():
    x = Tensor(np.ones((60, 60)), requires_grad=True)
    mask = np.arange(3600).reshape(60, 60) % 2 == 0
    where(mask, x, 0).sum().backward()
    np.testing.assert_array_equal(x.grad.data, mask)


@pytest.mark.parametrize("y", [0, 1.0, np.zeros(4000)])
def test_every_byte_but_zero_is_true(y):
    condition = np.tile(np.array([0, 255, 1, 2], np.uint8), 1000).view(bool)
    np.testing.assert_array_equal(
        where(condition, np.full(4000, 3.0), y),
        np.tile([0.0, 3.0, 3.0, 3.0], 1000) + (y * np.tile([1.0, 0.0, 0.0, 0.0], 1000)),
    )
