"""Dense layers."""

import numpy as np
import pytest

import nn


def test_dense_is_the_affine_map():
    layer = nn.Dense(3, 2, rng=0)
    layer.bias.data = np.float32([1, 2])
    x = np.random.default_rng(0).standard_normal((5, 3)).astype("f4")
    np.testing.assert_array_equal(layer(x).data, x @ layer.weight.data + np.float32([1, 2]))


@pytest.mark.parametrize("shape", [(3,), (1, 3), (0, 3), (4, 5, 3)])
def test_dense_takes_any_leading_axes(shape):
    layer = nn.Dense(3, 2, rng=0)
    y = layer(np.ones(shape, "f4"))
    assert y.shape == (*shape[:-1], 2)
    y.sum().backward()
    assert layer.weight.grad.shape == (3, 2)
    np.testing.assert_array_equal(layer.bias.grad.data, np.full(2, np.prod(shape[:-1])))


def test_dense_without_a_bias_has_none():
    layer = nn.Dense(3, 2, bias=False, rng=0)
    assert layer.bias is None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


@pytest.mark.parametrize("x", [np.ones((5, 4)), np.ones(()), [[1.0, 2.0]]])
def test_dense_names_itself_when_the_input_does_not_fit(x):
    with pytest.raises(ValueError, match=r"Dense\(3, 2\): the input has shape .*expected \(\.\.\., 3\)"):
        nn.Dense(3, 2, rng=0)(x)


@pytest.mark.parametrize("features", [0, -1, 2.5, "3", True, None])
def test_dense_refuses_what_is_no_number_of_features(features):
    with pytest.raises(ValueError, match="positive integer"):
        nn.Dense(features, 2)
