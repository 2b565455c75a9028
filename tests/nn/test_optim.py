"""Optimizers: their updates, their groups, their state, and what they refuse."""

import numpy as np
import pytest

import nn
from autograd_lite import ChangedTensorError, GradientError, Tensor
from nn.optimizer import PIECE

ALL = {
    "SGD": lambda params, **kw: nn.SGD(params, **{"lr": 0.1, **kw}),
    "SGD momentum": lambda params, **kw: nn.SGD(params, **{"lr": 0.05, "momentum": 0.9, **kw}),
    "SGD nesterov": lambda params, **kw: nn.SGD(params, **{"lr": 0.05, "momentum": 0.9, "nesterov": True, **kw}),
    "RMSprop": lambda params, **kw: nn.RMSprop(params, **{"lr": 0.01, **kw}),
    "RMSprop momentum": lambda params, **kw: nn.RMSprop(params, **{"lr": 0.005, "momentum": 0.5, **kw}),
    "Adagrad": lambda params, **kw: nn.Adagrad(params, **{"lr": 0.5, **kw}),
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


@every_optimizer
def test_every_optimizer_finds_the_minimum_of_a_quadratic(make):
    w = leaf([1.0, -1.0])
    descend(make([w]), w, 400)
    assert np.abs(w.data).max() < 0.05


@every_optimizer
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_parameters_and_buffers_keep_their_dtype(make, dtype):
    w = leaf(np.ones(3, dtype))
    optimizer = make([w], weight_decay=0.1)
    descend(optimizer, w, 3)
    buffers = [a for a in optimizer.state_dict()["state"][0].values() if isinstance(a, np.ndarray)]
    assert {w.dtype, *(b.dtype for b in buffers)} == {np.dtype(dtype)}


@every_optimizer
def test_large_arrays_in_pieces_get_the_update_of_small_ones(make):
    values = np.random.default_rng(0).standard_normal(2 * PIECE + 5)
    whole, parts = leaf(values), [leaf(part) for part in np.array_split(values, 7)]
    one, many = make([whole], weight_decay=0.01), make(parts, weight_decay=0.01)
    for _ in range(3):
        descend(one, whole)
        many.zero_grad()
        sum((p * p).sum() for p in parts).backward()
        many.step()
    np.testing.assert_array_equal(whole.data, np.concatenate([p.data for p in parts]))


@every_optimizer
def test_arrays_of_any_memory_layout_get_the_same_update(make):
    values = np.random.default_rng(0).standard_normal((4, 3))
    plain, fortran = leaf(values), leaf(np.asfortranarray(values))
    a, b = make([plain], weight_decay=0.1), make([fortran], weight_decay=0.1)
    descend(a, plain, 3)
    descend(b, fortran, 3)
    np.testing.assert_allclose(plain.data, fortran.data, rtol=1e-15)


def test_a_gradient_in_another_layout_is_used_as_it_is():
    w = leaf(np.zeros((2, 3)))
    w.grad = Tensor(np.arange(6.0).reshape(3, 2).T)
    nn.SGD([w], lr=1.0).step()
    np.testing.assert_array_equal(w.data, -np.arange(6.0).reshape(3, 2).T)


def test_the_update_is_in_place():
    w = leaf(np.ones(3))
    array = w.data
    descend(nn.SGD([w], lr=0.1), w)
    assert w.data is array
    assert array[0] == pytest.approx(0.8)


@every_optimizer
def test_a_step_makes_graphs_recorded_before_refuse(make):
    w = leaf([1.0])
    loss = (w * w).sum()
    descend(make([w]), w)
    with pytest.raises(ChangedTensorError):
        loss.backward()


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


def test_a_parameter_without_a_gradient_stays():
    a, b = leaf([1.0]), leaf([1.0])
    optimizer = nn.Adam([a, b])
    (a * a).sum().backward()
    optimizer.step()
    assert (a.item() != 1, b.item()) == (True, 1)


def test_a_step_before_any_backward_is_refused():
    with pytest.raises(GradientError, match=r"call backward\(\) before step\(\)"):
        nn.SGD([leaf([1.0])]).step()


def test_zero_grad_forgets_the_gradients():
    w = leaf([1.0])
    (w * w).sum().backward()
    nn.SGD([w]).zero_grad()
    assert w.grad is None


def test_buffers_follow_a_parameter_whose_array_is_replaced():
    a, b = leaf([1.0]), leaf([1.0])
    one, two = nn.Adam([a], lr=0.1), nn.Adam([b], lr=0.1)
    for _ in range(3):
        descend(one, a)
        b.data = b.data.copy()
        descend(two, b)
    assert a.item() == b.item()


@every_optimizer
def test_a_run_resumed_from_its_state_ends_in_the_same_bits(make):
    whole, first = leaf([1.0, -3.0]), leaf([1.0, -3.0])
    through, half = make([whole]), make([first])
    descend(through, whole, 10)
    descend(half, first, 5)
    second = leaf(first.data)
    resumed = make([second])
    resumed.load_state_dict(half.state_dict())
    descend(resumed, second, 5)
    np.testing.assert_array_equal(whole.data, second.data)


BAD_STATES = {
    "no state": lambda s: {},
    "other options": lambda s: {**s, "groups": [{"lr": 0.1}]},
    "more groups": lambda s: {**s, "groups": s["groups"] * 2},
    "other buffers": lambda s: {**s, "state": {0: {"step": 1}}},
    "other shape": lambda s: {**s, "state": {0: {**s["state"][0], "mean": np.ones(7)}}},
    "another parameter": lambda s: {**s, "state": {5: s["state"][0]}},
    "bad option": lambda s: {**s, "groups": [{**s["groups"][0], "lr": -1.0}]},
}


@pytest.mark.parametrize("spoil", BAD_STATES.values(), ids=BAD_STATES)
def test_a_state_that_does_not_fit_is_refused_whole(spoil):
    w = leaf([1.0, 2.0])
    optimizer = nn.Adam([w])
    descend(optimizer, w)
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match="Adam"):
        optimizer.load_state_dict(spoil(before))
    after = optimizer.state_dict()
    assert after["groups"] == before["groups"]
    np.testing.assert_array_equal(after["state"][0]["mean"], before["state"][0]["mean"])


W = leaf([1.0])
BAD_ARGUMENTS = {
    "nothing": (lambda: nn.SGD([]), ValueError, "no parameters"),
    "a tensor": (lambda: nn.SGD(W), TypeError, "iterable of tensors"),
    "an array": (lambda: nn.SGD([np.ones(1)]), TypeError, "must be a Tensor, not ndarray"),
    "no gradient": (lambda: nn.SGD([Tensor([1.0])]), TypeError, "requires no gradient"),
    "a result": (lambda: nn.SGD([W * 2]), TypeError, "result of a call"),
    "twice": (lambda: nn.SGD([W, W]), ValueError, "stands twice"),
    "twice in groups": (lambda: nn.SGD([{"params": [W]}, {"params": [W]}]), ValueError, "stands twice"),
    "negative lr": (lambda: nn.SGD([W], lr=-0.1), ValueError, "lr must be finite and at least 0, got -0.1"),
    "nan lr": (lambda: nn.Adam([W], lr=float("nan")), ValueError, "lr must be"),
    "text lr": (lambda: nn.Adam([W], lr="fast"), TypeError, "lr must be a number, got 'fast'"),
    "beta": (lambda: nn.Adam([W], betas=(0.9, 1.0)), ValueError, r"betas\[1\] must be at least 0 and less than 1"),
    "betas": (lambda: nn.Adam([W], betas=0.9), ValueError, "two numbers"),
    "momentum": (lambda: nn.SGD([W], momentum=1.5), ValueError, "momentum must be"),
    "nesterov": (lambda: nn.SGD([W], nesterov=True), ValueError, "needs a momentum"),
    "decay": (lambda: nn.AdamW([W], weight_decay=-1), ValueError, "weight_decay must be"),
    "unknown option": (lambda: nn.SGD([{"params": [W], "rate": 1}]), TypeError, r"unknown options \['rate'\]"),
    "no params": (lambda: nn.SGD([{"lr": 1}]), TypeError, "needs its 'params'"),
}


@pytest.mark.parametrize(("make", "error", "message"), BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_bad_learning_rate_is_refused_when_assigned():
    optimizer = nn.SGD([leaf([1.0])])
    with pytest.raises(ValueError, match="lr must be"):
        optimizer.lr = -1.0


def test_repr_shows_options_and_counts():
    assert repr(nn.SGD(nn.MLP([3, 2], rng=0).parameters(), lr=0.5)) == (
        "SGD(lr=0.5, momentum=0.0, nesterov=False, weight_decay=0.0)  # 2 tensors, 8 parameters"
    )


def test_an_optimizer_of_ones_own_writes_only_its_update():
    class SignDescent(nn.Optimizer):
        def update(self, w, t, u, g, step, group):
            w -= group["lr"] * np.sign(g)

    w = leaf([1.0, -1.0])
    descend(SignDescent([w], lr=0.25), w)
    assert w.tolist() == [0.75, -0.75]
