"""Arrays that begin where a line of the processor's cache does."""

import copy
import pickle

import numpy as np
import pytest

from autograd_lite import Tensor
from autograd_lite.speed.aligned import CACHE_LINE_BYTES, empty, moved_to_cache_line


def _off_line(values):
    """The values in memory that begins 16 bytes behind a cache line."""
    memory = empty((values.nbytes + 16,), np.uint8)
    array = memory[16:].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def _begins_at_a_line(array):
    return array.ctypes.data % CACHE_LINE_BYTES == 0


@pytest.mark.parametrize("shape", [(), (0,), (5,), (3, 0, 2), (40, 30)])
@pytest.mark.parametrize("dtype", ["f4", "f8", "c16", "?"])
def test_an_array_begins_at_a_line(shape, dtype):
    array = empty(shape, dtype)
    assert (array.shape, array.dtype, array.flags.c_contiguous) == (shape, np.dtype(dtype), True)
    assert _begins_at_a_line(array) or not array.size


@pytest.mark.parametrize("shape", [(3,), (40, 30), (0,)])
def test_what_is_moved_is_what_was_there(shape):
    values = np.random.default_rng(0).standard_normal(shape)
    np.testing.assert_array_equal(moved_to_cache_line(_off_line(values)), values, strict=True)


def test_an_array_in_another_order_keeps_it():
    array = np.asfortranarray(np.ones((40, 30)))
    assert moved_to_cache_line(array) is array


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["copy", "pickle"])
def test_a_copy_of_a_parameter_has_memory_of_its_own(copied):
    w = Tensor(np.ones((70, 50)), requires_grad=True)
    other = copied(w)
    other.data[...] = 2
    assert (w.data == 1).all()
    assert other.data.nbytes == w.data.nbytes
