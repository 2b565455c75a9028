"""Dropout: what it computes, and what it leaves alone."""

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor
from autograd_lite.transforms import checkpoint


def test_dropout_keeps_the_mean_and_zeroes_the_share():
    y = nn.Dropout(0.3, rng=0)(np.ones((1000, 100)))
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert y[y != 0] == pytest.approx(1 / 0.7)
    assert y.mean() == pytest.approx(1, abs=0.01)


def test_dropout_draws_anew_in_every_call_and_the_same_with_the_same_seed():
    first, second = nn.Dropout(0.5, rng=7), nn.Dropout(0.5, rng=7)
    x = np.ones(1000)
    a, b = first(x), first(x)
    assert (a != b).any()
    np.testing.assert_array_equal(a, second(x))
    np.testing.assert_array_equal(b, second(x))


def test_the_gradient_flows_where_dropout_lets_through():
    x = Tensor(np.ones(100), requires_grad=True)
    y = nn.Dropout(0.5, rng=0)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


def test_dropout_that_would_be_drawn_twice_is_refused_and_no_gradient_is_wrong():
    dropout, x = nn.Dropout(0.5, rng=0), Tensor(np.ones(100), requires_grad=True)
    y = checkpoint(lambda v: dropout(v) * 1.0)(x)
    with pytest.raises(GradientError, match="computed something else when the backward pass ran it again"):
        y.sum().backward()
    assert x.grad is None


def test_dropout_in_use_is_the_identity():
    model = nn.Sequential(nn.Dense(3, 3, rng=0), nn.Dropout(0.9, rng=0)).eval()
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model(x).data, model[0](x).data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_the_dtype(dtype):
    assert nn.Dropout(0.5, rng=0)(np.ones(3, dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("p", "error"), [(1.0, ValueError), (-0.1, ValueError), (np.nan, ValueError), ("a", TypeError)]
)
def test_dropout_refuses_what_is_no_probability(p, error):
    with pytest.raises(error, match="Dropout: p"):
        nn.Dropout(p)
