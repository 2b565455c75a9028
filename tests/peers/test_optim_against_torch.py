"""Every optimizer against PyTorch's of the same options, over 100 steps of a training problem."""

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
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-6, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.5}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3}),
]


@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name} {options}" for name, options in CASES])
@pytest.mark.parametrize(("dtype", "rtol"), [("f8", 1e-6), ("f4", 1e-3)])
def test_a_hundred_steps_agree_with_pytorch(name, options, dtype, rtol):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 5)).astype(dtype), rng.standard_normal((20, 1)).astype(dtype)
    W = [rng.standard_normal(shape).astype(dtype) for shape in ((5, 8), (8,), (8, 1))]
    ours = [Tensor(w, requires_grad=True) for w in W]
    theirs = [torch.tensor(w, requires_grad=True) for w in W]
    mine, peer = getattr(nn, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for _step in range(100):
        mine.zero_grad()
        nn.mean_squared_error(np.tanh(X @ ours[0] + ours[1]) @ ours[2], y).backward()
        mine.step()
        peer.zero_grad()
        output = torch.tanh(torch.from_numpy(X) @ theirs[0] + theirs[1]) @ theirs[2]
        torch.nn.functional.mse_loss(output, torch.from_numpy(y)).backward()
        peer.step()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=rtol, atol=rtol * 1e-2)
