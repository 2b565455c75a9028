"""Layers, losses, clipping and schedules against PyTorch's, values and gradients."""

import os

import numpy as np
import pytest

import nn
from autograd_lite import Tensor

try:
    import torch
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("PyTorch is not installed", allow_module_level=True)

RNG = np.random.default_rng(0)
X = RNG.normal(2, 3, size=(16, 5))
G = RNG.normal(size=(16, 5))


def both(layer, peer, x=X, g=G):
    """Outputs and gradients of a layer and of its peer, for the same input and cotangent."""
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, expected = layer(ours), peer(theirs)
    np.sum(out * g).backward()
    (expected * torch.tensor(g)).sum().backward()
    return (out.data, ours.grad.data), (expected.detach().numpy(), theirs.grad.numpy())


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("momentum", [0.1, 0.3])
def test_batch_normalisation_is_torchs_in_training_and_in_use(momentum):
    ours = nn.BatchNorm(5, momentum=momentum, dtype=np.float64)
    theirs = torch.nn.BatchNorm1d(5, momentum=momentum, dtype=torch.float64)
    scale, shift = RNG.normal(size=5), RNG.normal(size=5)
    ours.weight.data, ours.bias.data = scale, shift
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(scale))
        theirs.bias.copy_(torch.tensor(shift))
    for batch in (X, X[:7] + 1, 2 * X):
        assert_same(*both(ours, theirs, batch, G[: len(batch)]))
        np.testing.assert_allclose(ours.running_mean.data, theirs.running_mean.numpy(), rtol=1e-10)
        np.testing.assert_allclose(ours.running_var.data, theirs.running_var.numpy(), rtol=1e-10)
    ours.eval()
    theirs.eval()
    assert_same(*both(ours, theirs))


def test_layer_normalisation_is_torchs():
    assert_same(*both(nn.LayerNorm(5, dtype=np.float64), torch.nn.LayerNorm(5, dtype=torch.float64)))


def test_embeddings_gradients_are_torchs():
    ours, theirs = nn.Embedding(7, 3, rng=0, dtype=np.float64), torch.nn.Embedding(7, 3, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(ours.weight.data))
    indices, g = RNG.integers(7, size=(4, 5)), RNG.normal(size=(4, 5, 3))
    np.sum(ours(indices) * g).backward()
    (theirs(torch.tensor(indices)) * torch.tensor(g)).sum().backward()
    np.testing.assert_allclose(ours.weight.grad.data, theirs.weight.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, np.array([1.0, 0.5, 2.0, 3.0, 0.1])])
def test_the_cross_entropy_with_smoothing_and_weights_is_torchs(reduction, smoothing, weights):
    labels = RNG.integers(5, size=16)
    ours, theirs = Tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
    found = nn.softmax_cross_entropy(ours, labels, reduction, label_smoothing=smoothing, class_weight=weights)
    expected = torch.nn.functional.cross_entropy(
        theirs, torch.tensor(labels), reduction=reduction, label_smoothing=smoothing,
        weight=None if weights is None else torch.tensor(weights),
    )  # fmt: skip
    found.backward()
    expected.backward()
    assert_same((found.data, ours.grad.data), (expected.detach().numpy(), theirs.grad.numpy()))


def test_clipping_is_torchs():
    ours = [Tensor(np.zeros(shape), requires_grad=True) for shape in ((3, 4), (5,), ())]
    theirs = [torch.zeros(p.shape, dtype=torch.float64, requires_grad=True) for p in ours]
    for a, b in zip(ours, theirs, strict=True):
        g = RNG.normal(size=a.shape)
        (a * g).sum().backward()
        b.grad = torch.tensor(g)
    norm, expected = nn.clip_gradient_norm(ours, 0.5), torch.nn.utils.clip_grad_norm_(theirs, 0.5)
    assert norm == pytest.approx(float(expected))
    for a, b in zip(ours, theirs, strict=True):
        # PyTorch adds 1e-6 to the norm that it divides by.
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-5)
    nn.clip_gradient_value(ours, 0.05)
    torch.nn.utils.clip_grad_value_(theirs, 0.05)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("schedule", "peer"),
    [
        (nn.schedules.StepDecay(3, 0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
        (nn.schedules.ExponentialDecay(0.9), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9)),
        (nn.schedules.CosineDecay(10), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10)),
        (nn.schedules.WarmUp(4), lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.25, 1.0, 3)),
    ],
)
def test_schedules_are_torchs(schedule, peer):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = peer(optimizer)
    for t in range(10):
        assert schedule(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        scheduler.step()
