"""Parameter groups and options, and what is refused."""

import numpy as np
import pytest

import nn
from autograd_lite import Tensor

from .every import descend, leaf

# Groups and options


def test_weight_decay_by_groups_leaves_the_biases_alone():
    model = nn.Dense(2, 2, dtype=np.float64, rng=0)
    model.bias.data = np.ones(2)
    before = model.weight.data.copy()
    optimizer = nn.SGD([{"params": [model.weight], "weight_decay": 0.5}, {"params": [model.bias]}], lr=0.1)
    (model(np.zeros((1, 2))) * 0).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(model.weight.data, 0.95 * before)
    assert model.bias.tolist() == [1, 1]


def test_named_parameters_are_parameters():
    model = nn.MLP([2, 2], rng=0)
    assert nn.Adam(model.named_parameters()).groups[0]["params"] == nn.Adam(model.parameters()).groups[0]["params"]


def test_a_group_can_have_named_parameters_or_a_single_tensor():
    model, w = nn.MLP([2, 2], rng=0), leaf(1.0)
    optimizer = nn.SGD([{"params": model.named_parameters()}, {"params": w}])
    assert [len(group["params"]) for group in optimizer.groups] == [2, 1]


def test_the_learning_rate_can_be_changed_at_any_time():
    w = leaf([1.0])
    optimizer = nn.SGD([w], lr=0.1)
    descend(optimizer, w)
    optimizer.lr = 0.25
    descend(optimizer, w)
    assert (optimizer.lr, w.item()) == (0.25, pytest.approx(0.4))


def test_groups_with_different_rates_have_no_single_one():
    a, b = leaf([1.0]), leaf([1.0])
    optimizer = nn.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.2}])
    with pytest.raises(ValueError, match=r"different learning rates, \[0\.1, 0\.2\]"):
        _ = optimizer.lr
    optimizer.lr = 0.3
    assert [group["lr"] for group in optimizer.groups] == [0.3, 0.3]


def test_an_option_of_a_group_holds_from_the_next_step():
    w = leaf([1.0])
    optimizer = nn.SGD([w], lr=0.1)
    descend(optimizer, w)
    optimizer.groups[0]["lr"] = 0.25
    descend(optimizer, w)
    assert w.item() == pytest.approx(0.4)


def test_momentum_can_be_switched_on_later():
    a, b = leaf([1.0]), leaf([1.0])
    late, fresh = nn.SGD([a], lr=0.1), nn.SGD([b], lr=0.1, momentum=0.5)
    descend(late, a)
    b.data = a.data.copy()
    late.groups[0]["momentum"] = 0.5
    descend(late, a, 3)
    descend(fresh, b, 3)
    assert a.item() == b.item()


def test_repr_shows_options_and_counts():
    assert repr(nn.SGD(nn.MLP([3, 2], rng=0).parameters(), lr=0.5)) == (
        "SGD(lr=0.5, momentum=0.0, nesterov=False, weight_decay=0.0)  # 2 tensors, 8 parameters"
    )


# What is refused


W = leaf([1.0])
BAD_ARGUMENTS = {
    "nothing": (lambda: nn.SGD([]), ValueError, "no parameters to optimize"),
    "a tensor": (lambda: nn.SGD(W), TypeError, "iterable of tensors .* not Tensor; put it in a list"),
    "a model": (lambda: nn.SGD(nn.MLP([2, 2])), TypeError, r"not MLP.*; pass model\.parameters\(\)"),
    "a group": (lambda: nn.SGD({"params": [W]}), TypeError, "not dict; put it in a list"),
    "an array": (lambda: nn.SGD([W, np.ones(1)]), TypeError, "'1' must be a Tensor, not ndarray"),
    "no gradient": (lambda: nn.SGD([("w", Tensor([1.0]))]), TypeError, "'w' requires no gradient"),
    "complex": (lambda: nn.SGD([Tensor([1j], requires_grad=True)]), TypeError, "is complex; optimize its real"),
    "a result": (lambda: nn.SGD([W * 2]), TypeError, "result of a call"),
    "twice": (lambda: nn.SGD([W, W]), ValueError, "'1' was given before, as '0'"),
    "twice in groups": (lambda: nn.SGD([{"params": [W]}, {"params": [W]}]), ValueError, "was given before"),
    "one name": (lambda: nn.SGD([("w", W), ("w", leaf(1.0))]), ValueError, "two parameters have the name 'w'"),
    "negative lr": (lambda: nn.SGD([W], lr=-0.1), ValueError, "lr must be finite and at least 0, got -0.1"),
    "nan lr": (lambda: nn.Adam([W], lr=float("nan")), ValueError, "lr must be"),
    "text lr": (lambda: nn.Adam([W], lr="fast"), TypeError, "lr must be a number, got 'fast'"),
    "bool lr": (lambda: nn.Adam([W], lr=True), TypeError, "lr must be a number, got True"),
    "beta": (lambda: nn.Adam([W], betas=(0.9, 1.0)), ValueError, r"betas\[1\] must be at least 0 and less than 1"),
    "betas": (lambda: nn.Adam([W], betas=0.9), ValueError, "two numbers"),
    "momentum": (lambda: nn.SGD([W], momentum=1.5), ValueError, "momentum must be"),
    "nesterov": (lambda: nn.SGD([W], nesterov=True), ValueError, "needs a momentum"),
    "nesterov type": (lambda: nn.SGD([W], momentum=0.9, nesterov=0.9), TypeError, "must be True or False, got 0.9"),
    "decay": (lambda: nn.AdamW([W], weight_decay=-1), ValueError, "weight_decay must be"),
    "unknown option": (lambda: nn.SGD([{"params": [W], "rate": 1}]), TypeError, r"unknown options \['rate'\]"),
    "bad in a group": (lambda: nn.SGD([{"params": [W], "lr": -1}]), ValueError, "lr must be"),
    "no params": (lambda: nn.SGD([{"lr": 1}]), TypeError, r"a group is a dict that has 'params'.* \['lr'\]"),
    "groups and tensors": (lambda: nn.SGD([{"params": [W]}, leaf(1.0)]), TypeError, "got Tensor"),
}


@pytest.mark.parametrize(("make", "error", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


BAD_ASSIGNMENTS = {
    "lr": ("lr", -1.0, ValueError, "lr must be"),
    "nesterov": ("nesterov", True, ValueError, "needs a momentum"),
    "unknown": ("rate", 1.0, KeyError, "no option 'rate'; expected one of lr, momentum"),
    "params": ("params", [], TypeError, "make a new optimizer"),
}


@pytest.mark.parametrize(("key", "value", "error", "message"), BAD_ASSIGNMENTS.values(), ids=BAD_ASSIGNMENTS)
def test_a_bad_assignment_to_a_group_is_refused(key, value, error, message):
    optimizer = nn.SGD([leaf([1.0])])
    before = dict(optimizer.groups[0])
    with pytest.raises(error, match=message):
        optimizer.groups[0][key] = value
    assert dict(optimizer.groups[0]) == before


def test_a_bad_learning_rate_is_refused_when_assigned():
    optimizer = nn.SGD([leaf([1.0])])
    with pytest.raises(ValueError, match="lr must be"):
        optimizer.lr = -1.0


def test_no_option_can_be_deleted():
    with pytest.raises(TypeError, match="every step reads it"):
        del nn.SGD([leaf([1.0])]).groups[0]["lr"]
