"""Every optimizer with options under which it finds the minimum of a quadratic, and how tests take its steps."""

import pytest

import nn
from autograd_lite import Tensor

ALL = {
    "SGD": lambda params, **kw: nn.SGD(params, **{"lr": 0.1, **kw}),
    "SGD momentum": lambda params, **kw: nn.SGD(params, **{"lr": 0.05, "momentum": 0.9, **kw}),
    "SGD nesterov": lambda params, **kw: nn.SGD(params, **{"lr": 0.05, "momentum": 0.9, "nesterov": True, **kw}),
    "RMSprop": lambda params, **kw: nn.RMSprop(params, **{"lr": 0.01, **kw}),
    "RMSprop momentum": lambda params, **kw: nn.RMSprop(params, **{"lr": 0.005, "momentum": 0.5, **kw}),
    "Adagrad": lambda params, **kw: nn.Adagrad(params, **{"lr": 0.5, "lr_decay": 1e-3, **kw}),
    "Adam": lambda params, **kw: nn.Adam(params, **{"lr": 0.1, **kw}),
    "AdamW": lambda params, **kw: nn.AdamW(params, **{"lr": 0.1, "weight_decay": 0.0, **kw}),
}
every_optimizer = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def descend(optimizer, w, steps=1):
    for _ in range(steps):
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()
