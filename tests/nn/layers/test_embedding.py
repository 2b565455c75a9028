"""The embedding table: lookup, gradient, refusals."""

import numpy as np
import pytest

import nn
from autograd_lite import compile
from autograd_lite.transforms import vmap


def test_vectors_are_looked_up_by_number():
    table = nn.Embedding(5, 3, rng=0)
    np.testing.assert_array_equal(table([[0, 4], [4, 2]]).data, table.weight.data[[[0, 4], [4, 2]]])


def test_a_vectors_gradient_is_the_sum_over_its_uses():
    table = nn.Embedding(5, 3, rng=0, dtype=np.float64)
    g = np.arange(12.0).reshape(4, 3)
    np.sum(table([1, 4, 1, 1]) * g).backward()
    np.testing.assert_array_equal(table.weight.grad.data[1], g[0] + g[2] + g[3])
    np.testing.assert_array_equal(table.weight.grad.data[[0, 2, 3]], 0)


def test_vectors_start_standard_normal():
    table = nn.Embedding(200, 50, rng=0).weight.data
    assert table.mean() == pytest.approx(0, abs=0.03)
    assert table.std() == pytest.approx(1, abs=0.03)
    assert table.dtype == np.float32


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        ([0, 5], ValueError, r"indices\[1\] is 5; expected 0 to 4"),
        ([[-1]], ValueError, r"indices\[0, 0\] is -1"),
        ([0.5], TypeError, "float64; expected integers"),
    ],
)
def test_numbers_out_of_the_table_are_refused(indices, error, message):
    with pytest.raises(error, match=message):
        nn.Embedding(5, 3)(indices)


@pytest.mark.parametrize("jit", [False, None], ids=["NumPy", "as installed"])
def test_a_compiled_function_looks_vectors_up_and_refuses_numbers_out_of_the_table(jit):
    table = nn.Embedding(5, 3, rng=0, dtype=np.float64)
    looked_up = compile(lambda indices: table(indices).detach(), jit=jit)
    for indices in ([1, 2], [4, 0]):
        np.testing.assert_array_equal(looked_up(np.array(indices)).data, table.weight.data[indices])
    with pytest.raises(ValueError, match=r"indices\[1\] is 5; expected 0 to 4"):
        looked_up(np.array([0, 5]))


def test_vectors_of_many_examples_at_once_are_those_of_each():
    table = nn.Embedding(5, 3, rng=0)
    np.testing.assert_array_equal(vmap(table)(np.array([3, 1])).data, table.weight.data[[3, 1]])
