"""Every optimizer against PyTorch's of the same options, over 100 steps."""

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

CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.5}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.5, "weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6}),
    ("Adam", {"lr": 0.05, "betas": (0.0, 0.0), "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.3}),
]
every_case = pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name} {options}" for name, options in CASES])

# A network's: a large array, which is updated in pieces, and small ones, which are gathered.
SHAPES = ((500, 100), (100,), (100, 10), (10,), ())


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """PyTorch's threads wait for each other longer than they work on arrays of this size."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def arrays(rng, dtype):
    return [rng.standard_normal(shape).astype(dtype) for shape in SHAPES]


def leaves(values):
    return [Tensor(v, requires_grad=True) for v in values], [torch.tensor(v, requires_grad=True) for v in values]


def pair(name, options, ours, theirs):
    return getattr(nn, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)


def take_gradients(ours, theirs, values):
    for a, b, value in zip(ours, theirs, values, strict=True):
        a.grad, b.grad = (None, None) if value is None else (Tensor(value), torch.tensor(value))


def assert_agreement(ours, theirs, rtol):
    """Differences are relative to the largest weight, since weights that passed through zero have lost digits."""
    scale = max(np.abs(a.data).max() for a in ours)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=0, atol=rtol * scale)


@every_case
@pytest.mark.parametrize(("dtype", "rtol"), [("f8", 1e-12), ("f4", 1e-6)])
def test_a_hundred_steps_along_the_same_gradients_agree(name, options, dtype, rtol):
    rng = np.random.default_rng(0)
    ours, theirs = leaves(arrays(rng, dtype))
    mine, peer = pair(name, options, ours, theirs)
    gradients = [arrays(rng, dtype) for _ in range(7)]
    for step in range(100):
        take_gradients(ours, theirs, gradients[step % 7])
        mine.step()
        peer.step()
    assert_agreement(ours, theirs, rtol)


@every_case
def test_a_hundred_steps_of_training_agree(name, options):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 5)), rng.standard_normal((20, 1))
    ours, theirs = leaves([rng.standard_normal(shape) for shape in ((5, 8), (8,), (8, 1))])
    mine, peer = pair(name, options, ours, theirs)
    for _step in range(100):
        mine.zero_grad()
        nn.mean_squared_error(np.tanh(X @ ours[0] + ours[1]) @ ours[2], y).backward()
        mine.step()
        peer.zero_grad()
        output = torch.tanh(torch.from_numpy(X) @ theirs[0] + theirs[1]) @ theirs[2]
        torch.nn.functional.mse_loss(output, torch.from_numpy(y)).backward()
        peer.step()
    assert_agreement(ours, theirs, 1e-6)


@every_case
def test_steps_in_which_some_have_no_gradient_agree(name, options):
    rng = np.random.default_rng(0)
    ours, theirs = leaves(arrays(rng, "f8"))
    mine, peer = pair(name, options, ours, theirs)
    for _step in range(20):
        has_gradient = rng.random(len(SHAPES)) < 0.5
        has_gradient[rng.integers(len(SHAPES))] = True
        values = arrays(rng, "f8")
        take_gradients(ours, theirs, [v if has else None for v, has in zip(values, has_gradient, strict=True)])
        mine.step()
        peer.step()
    assert_agreement(ours, theirs, 1e-12)


@every_case
def test_groups_and_changed_learning_rates_agree(name, options):
    rng = np.random.default_rng(0)
    ours, theirs = leaves(arrays(rng, "f8"))
    mine, peer = pair(
        name,
        options,
        *([{"params": half[::2]}, {"params": half[1::2], "weight_decay": 0.2, "lr": 0.003}] for half in (ours, theirs)),
    )
    for step in range(20):
        for mine_group, peer_group in zip(mine.groups, peer.param_groups, strict=True):
            mine_group["lr"] = peer_group["lr"] = 0.01 / (1 + step)
        take_gradients(ours, theirs, arrays(rng, "f8"))
        mine.step()
        peer.step()
    assert_agreement(ours, theirs, 1e-12)
