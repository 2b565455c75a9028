"""Batch and layer normalisation: their figures, their gradients, and their difference between training and use."""

import numpy as np
import pytest

import nn
from autograd_lite.checks import check_gradients

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, size=(20, 5))


def test_batch_norm_gives_every_feature_mean_0_and_variance_1():
    y = nn.BatchNorm(5, eps=0, dtype=np.float64)(X).data
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=0), 1, rtol=1e-12)


def test_layer_norm_gives_every_example_mean_0_and_variance_1():
    y = nn.LayerNorm(5, eps=0, dtype=np.float64)(X).data
    np.testing.assert_allclose(y.mean(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("kind", [nn.BatchNorm, nn.LayerNorm])
def test_scale_and_shift_are_learned(kind):
    layer = kind(5, dtype=np.float64)
    plain = layer(X).data
    layer.weight.data, layer.bias.data = np.full(5, 2.0), np.full(5, 3.0)
    np.testing.assert_allclose(layer(X).data, 2 * plain + 3)


@pytest.mark.parametrize("kind", [nn.BatchNorm, nn.LayerNorm])
def test_gradients_flow_through_mean_and_variance(kind):
    layer = kind(5, dtype=np.float64)
    weights = RNG.normal(size=X.shape)
    check_gradients(lambda x: np.sum(weights * layer(x)), X)


def test_running_figures_move_towards_those_of_the_batches():
    layer = nn.BatchNorm(5, momentum=0.25, dtype=np.float64)
    layer(X)
    np.testing.assert_allclose(layer.running_mean.data, 0.25 * X.mean(axis=0))
    np.testing.assert_allclose(layer.running_var.data, 0.75 + 0.25 * X.var(axis=0, ddof=1))
    for _ in range(200):
        layer(X)
    np.testing.assert_allclose(layer.running_mean.data, X.mean(axis=0))


def test_in_use_the_running_figures_are_taken_and_stay():
    layer = nn.BatchNorm(5, dtype=np.float64)
    layer(X)
    layer.eval()
    before = layer.running_mean.data.copy()
    one = layer(X[:1])
    np.testing.assert_allclose(
        one.data, (X[:1] - layer.running_mean.data) / np.sqrt(layer.running_var.data + layer.eps), rtol=1e-12
    )
    np.testing.assert_array_equal(layer.running_mean.data, before)


def test_running_figures_are_saved_and_are_no_parameters():
    layer = nn.BatchNorm(5)
    assert set(layer.state_dict()) == {"weight", "bias", "running_mean", "running_var"}
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert layer.running_mean.data.dtype == np.float32


def test_leading_axes_are_all_the_batch():
    images = RNG.normal(size=(4, 6, 6, 3))
    layer = nn.BatchNorm(3, dtype=np.float64)
    np.testing.assert_allclose(
        layer(images).data.reshape(-1, 3), nn.BatchNorm(3, dtype=np.float64)(images.reshape(-1, 3)).data
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.BatchNorm(3)(np.ones((4, 2))), r"shape \(4, 2\); expected \(batch, ..., 3\)"),
        (lambda: nn.BatchNorm(3)(np.ones((1, 3))), "at least two examples, but this one has 1"),
        (lambda: nn.BatchNorm(3)(np.ones(3)), r"expected \(batch"),
        (lambda: nn.LayerNorm(3)(np.ones((4, 2))), r"expected \(\.\.\., 3\)"),
        (lambda: nn.BatchNorm(0), "features must be at least 1"),
        (lambda: nn.BatchNorm(3, momentum=2), "momentum must be at least 0 and at most 1"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
