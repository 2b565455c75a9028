"""Penalties: what they compute, and what they leave alone."""

import numpy as np
import pytest

import nn

RNG = np.random.default_rng(0)


def test_penalties_are_on_weights_alone():
    model = nn.Sequential(nn.Dense(3, 4, rng=0, dtype=np.float64), nn.LayerNorm(4, dtype=np.float64))
    loss = nn.l1_penalty(model, 0.5) + nn.l2_penalty(model, 0.2)
    loss.backward()
    W = model[0].weight
    assert loss.item() == pytest.approx(0.5 * np.abs(W.data).sum() + 0.1 * np.square(W.data).sum())
    np.testing.assert_allclose(W.grad.data, 0.5 * np.sign(W.data) + 0.2 * W.data)
    assert [name for name, p in model.named_parameters() if p.grad is not None] == ["layers.0.weight"]


def test_an_l2_penalty_is_the_optimizers_weight_decay_on_the_weights():
    X, y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))
    by_loss, by_optimizer = (nn.MLP([3, 4, 2], "tanh", rng=0, dtype=np.float64) for _ in range(2))
    steps = [
        (by_loss, nn.SGD(by_loss.parameters(), lr=0.1), 0.3),
        (by_optimizer, nn.SGD(nn.weight_decay_groups(by_optimizer, 0.3), lr=0.1), 0.0),
    ]
    for model, optimizer, alpha in steps:
        for _ in range(5):
            optimizer.zero_grad()
            (nn.mean_squared_error(model(X), y) + nn.l2_penalty(model, alpha)).backward()
            optimizer.step()
    for a, b in zip(by_loss.parameters(), by_optimizer.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


def test_penalties_refuse_what_has_no_weights_and_negative_factors():
    with pytest.raises(ValueError, match="no weights to penalize"):
        nn.l2_penalty(nn.LayerNorm(3), 0.1)
    with pytest.raises(ValueError, match="alpha must be at least 0"):
        nn.l1_penalty(nn.Dense(2, 2), -0.1)
