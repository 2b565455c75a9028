"""The state of optimizers: saved, loaded, copied."""

import copy
import io
import pickle

import numpy as np
import pytest

import nn
from autograd_lite import Tensor

from .every import descend, every_optimizer, leaf


def saved_and_read_back(state):
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    return dict(np.load(file))


@every_optimizer
@pytest.mark.parametrize("travel", [dict, saved_and_read_back], ids=["at once", "through a file"])
def test_a_run_resumed_from_its_state_ends_in_the_same_bits(make, travel):
    whole, first = leaf([1.0, -3.0]), leaf([1.0, -3.0])
    through, half = make([whole], weight_decay=0.01), make([first], weight_decay=0.01)
    for optimizer in (through, half):
        optimizer.groups[0]["lr"] *= 0.7
    descend(through, whole, 10)
    descend(half, first, 5)
    second = leaf(first.data)
    resumed = make([second])
    resumed.load_state_dict(travel(half.state_dict()))
    descend(resumed, second, 5)
    np.testing.assert_array_equal(whole.data, second.data)
    assert resumed.groups[0].options == through.groups[0].options


@every_optimizer
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_a_copy_of_an_optimizer_goes_on_by_itself(make, copied):
    model = [leaf([1.0, -3.0]), leaf(2.0)]
    optimizer = make(model)
    descend(optimizer, model[0])
    for w in model:
        w.grad = Tensor(np.full(w.shape, 0.5))
    optimizer.step()
    twin, twins_optimizer = copied((model, optimizer))
    for one, group in ((optimizer, model), (twins_optimizer, twin)):
        for w in group:
            w.grad = Tensor(np.full(w.shape, 0.5))
        for _ in range(3):
            one.step()
    assert [w.tolist() for w in twin] == [w.tolist() for w in model]
    np.testing.assert_equal(twins_optimizer.state_dict(), optimizer.state_dict())
    assert twins_optimizer.groups[0]["params"][0] is twin[0]


def test_a_saved_state_does_not_change_with_the_optimizer():
    w = leaf([1.0])
    optimizer = nn.Adam([w])
    descend(optimizer, w)
    state, before = optimizer.state_dict(), copy.deepcopy(optimizer.state_dict())
    descend(optimizer, w)
    np.testing.assert_equal(state, before)


def test_a_loaded_state_does_not_change_with_the_optimizer():
    w = leaf([1.0])
    optimizer = nn.Adam([w])
    descend(optimizer, w)
    state, before = optimizer.state_dict(), copy.deepcopy(optimizer.state_dict())
    optimizer.load_state_dict(state)
    descend(optimizer, w)
    np.testing.assert_equal(state, before)


def test_a_state_goes_by_the_names_of_the_parameters():
    optimizer = nn.Adam(nn.MLP([2, 2], rng=0).named_parameters())
    assert [key for key in optimizer.state_dict() if "layers.0.bias" in key] == [
        "state.layers.0.bias.step",
        "state.layers.0.bias.mean",
        "state.layers.0.bias.mean_square",
    ]


def test_parameters_in_another_order_find_their_state_by_name():
    a, b = leaf([1.0]), leaf([2.0])
    one = nn.Adam([("a", a), ("b", b)])
    descend(one, a, 2)
    two = nn.Adam([("b", b), ("a", a)])
    two.load_state_dict(one.state_dict())
    assert [two.state_dict()[f"state.{name}.step"] for name in "ab"] == [2, 0]


def test_a_state_is_converted_to_the_width_of_the_parameters():
    wide, narrow = leaf([1.0]), leaf(np.ones(1, np.float32))
    one, two = nn.Adam([wide]), nn.Adam([narrow])
    descend(one, wide)
    two.load_state_dict(one.state_dict())
    assert two.state_dict()["state.0.mean"].dtype == np.float32


def without(key):
    return lambda state: {k: v for k, v in state.items() if k != key}


BAD_STATES = {
    "empty": (lambda s: {}, KeyError, "missing: groups.0.betas, .*unexpected: none"),
    "missing": (without("state.0.mean"), KeyError, "missing: state.0.mean; unexpected: none"),
    "another parameter": (lambda s: {**s, "state.5.step": 1}, KeyError, "missing: none; unexpected: state.5.step"),
    "other shape": (lambda s: {**s, "state.1.mean": np.ones(7)}, ValueError, r"1.mean has shape \(7,\)"),
    "no numbers": (lambda s: {**s, "state.1.mean": np.array(["a", "b"])}, TypeError, "1.mean is an array of <U1"),
    "ragged": (lambda s: {**s, "state.1.mean": [[1.0], 2.0]}, ValueError, "1.mean cannot be converted to an array"),
    "bad step": (lambda s: {**s, "state.1.step": 0.5}, TypeError, "1.step must be the number of steps, got 0.5"),
    "bad option": (lambda s: {**s, "groups.1.lr": -1.0}, ValueError, "lr must be"),
}


@pytest.mark.parametrize(("spoil", "error", "message"), BAD_STATES.values(), ids=BAD_STATES)
def test_a_state_that_does_not_fit_is_refused_whole(spoil, error, message):
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    saved, optimizer = (nn.Adam([{"params": [a]}, {"params": [b]}], lr=lr) for lr in (0.1, 0.2))
    descend(saved, a, 3)
    descend(optimizer, a)
    before = optimizer.state_dict()
    with pytest.raises(error, match=f"Adam.*{message}"):
        optimizer.load_state_dict(spoil(saved.state_dict()))
    np.testing.assert_equal(optimizer.state_dict(), before)


def test_a_state_must_be_a_mapping():
    with pytest.raises(TypeError, match=r"as state_dict\(\) gives it, not list"):
        nn.SGD([leaf([1.0])]).load_state_dict([])


def test_a_state_of_another_optimizer_is_refused():
    w = leaf([1.0])
    with pytest.raises(KeyError, match=r"of another optimizer or of other parameters \(missing: groups.0.betas"):
        nn.Adam([w]).load_state_dict(nn.SGD([w]).state_dict())
