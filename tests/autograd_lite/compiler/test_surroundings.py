"""What a compiled function finds in variables, attributes and containers is looked at in every call."""

import collections
import dataclasses
import functools
import types

import numpy as np
import pytest

import nn
from autograd_lite import Tensor, callback, compile

X = np.ones(3)
GLOBALS = {"factor": 2.0, "unread": 0}
FACTOR = 2.0
FUNCTION = np.tanh


def _factor():
    return FACTOR


class _Slotted:
    __slots__ = ("w",)

    def __init__(self):
        self.w = X * 2


@dataclasses.dataclass
class _Pair:
    w: object
    k: float = 1.0


class _Model:
    scale = 1.0

    def __init__(self):
        self.w, self.k, self.layers = Tensor(X.copy(), requires_grad=True), 2.0, [lambda x: x + 1, lambda x: x * 3]
        self._hidden = 2.0

    @property
    def hidden(self):
        return self._hidden

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return (x * self.w).data * self.k * self.scale * self.hidden


def _set_global(name, value):
    globals()[name] = value


def _holders():
    """For each kind of place a function that looks there, and a change of what is there."""
    model, pair, slotted, space = _Model(), _Pair(X * 2), _Slotted(), types.SimpleNamespace(k=2.0)
    listed, keyed, queue, numbers = [2.0, 3.0], {"a": 2.0}, collections.deque([2.0, 3.0]), {2.0}
    ordered, dynamic, by_tuple = collections.OrderedDict(a=X * 2), {"a": 1.0, "b": 2.0}, {(0, 1): 2.0}
    nested, parts, empty, holder = {"a": {"b": [2.0]}}, [X * 1, X * 2], {}, types.SimpleNamespace()

    def with_default(x, factor=listed):
        return x * factor[1]

    return {
        "a global": (lambda x: x * _factor(), lambda: _set_global("FACTOR", 5.0)),
        "a function": (lambda x: FUNCTION(x), lambda: _set_global("FUNCTION", np.exp)),
        "a dict": (lambda x: x * GLOBALS["factor"], lambda: GLOBALS.update(factor=7.0)),
        "a list": (lambda x: x * listed[0], lambda: listed.__setitem__(0, 7.0)),
        "a list that grows": (lambda x: sum((x * part for part in parts), 0 * x), lambda: parts.append(X * 3)),
        "a default": (with_default, lambda: listed.__setitem__(1, 9.0)),
        "a partial": (functools.partial(lambda x, d: x * d["a"], d=keyed), lambda: keyed.update(a=5.0)),
        "a deque": (lambda x: x * queue[0], lambda: queue.rotate(1)),
        "a set": (lambda x: x * sum(numbers), lambda: numbers.add(8.0)),
        "an ordered dict": (lambda x: x * ordered["a"], lambda: ordered.update(a=X * 5)),
        "keys that are computed": (
            lambda x: sum((x * v for v in dynamic.values()), 0 * x),
            lambda: dynamic.update(b=9.0),
        ),
        "a key of several": (lambda x: x * by_tuple[0, 1], lambda: by_tuple.update({(0, 1): 5.0})),
        "dicts in dicts": (lambda x: x * nested["a"]["b"][0], lambda: nested["a"]["b"].__setitem__(0, 5.0)),
        "a key that was missing": (lambda x: x * empty.get("k", 1.0), lambda: empty.update(k=5.0)),
        "an attribute that was missing": (
            lambda x: x * (5.0 if hasattr(holder, "k") else 1.0),
            lambda: setattr(holder, "k", 1),
        ),
        "an attribute by its name": (lambda x: x * getattr(space, "k"), lambda: setattr(space, "k", 9.0)),  # noqa: B009
        "a slot": (lambda x: x * slotted.w, lambda: setattr(slotted, "w", X * 5)),
        "an array of a dataclass": (lambda x: x * pair.w, lambda: setattr(pair, "w", X * 5)),
        "a number of a dataclass": (lambda x: x * pair.k, lambda: setattr(pair, "k", 6.0)),
        "a tensor": (model, lambda: setattr(model, "w", Tensor(X * 5, requires_grad=True))),
        "a number": (model, lambda: setattr(model, "k", 5.0)),
        "a number of the class": (model, lambda: setattr(_Model, "scale", _Model.scale + 1)),
        "behind a property": (model, lambda: setattr(model, "_hidden", 7.0)),
        "an element of a list": (model, lambda: model.layers.__setitem__(0, lambda x: x + 5)),
    }


@pytest.mark.parametrize("kind", _holders())
def test_another_thing_in_the_place_of_what_was_found_is_noticed(kind):
    function, change = _holders()[kind]
    compiled = compile(function, jit=False)
    before = function(X)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), before)
    change()
    assert not np.array_equal(function(X), before)
    for _ in range(3):
        np.testing.assert_array_equal(compiled(X), function(X))
    assert len(compiled.plans) == 2


def test_variables_around_the_function_are_looked_at():
    factor, mode = 2.0, "double"
    compiled = compile(lambda x: x * factor if mode == "double" else x)
    assert compiled(X).tolist() == [2.0] * 3
    factor = 3.0
    assert compiled(X).tolist() == [3.0] * 3
    mode = "none"
    assert compiled(X).tolist() == [1.0] * 3


def test_objects_among_the_arguments_are_looked_at():
    compiled, pair = compile(lambda x, p: x * p.w * p.k), _Pair(X * 2)
    assert compiled(X, pair).tolist() == [2.0] * 3
    pair.w = X * 3
    assert compiled(X, pair).tolist() == [3.0] * 3
    pair.k = 2.0
    assert compiled(X, pair).tolist() == [6.0] * 3


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model.layers[0], "bias", Tensor(np.ones(4, np.float32), requires_grad=True)),
        lambda model: setattr(model.layers[2], "bias", None),
        lambda model: model.layers.__setitem__(0, nn.Dense(3, 4, rng=5)),
        lambda model: model.layers.append(nn.Tanh()),
    ],
    ids=["a weight", "none", "a layer", "one more layer"],
)
def test_what_is_exchanged_in_a_model_is_noticed(change):
    model, x = nn.MLP([3, 4, 2], rng=0), np.ones((1, 3), np.float32)
    compiled = compile(lambda x: model(x).data, jit=False)
    compiled(x)
    change(model)
    np.testing.assert_array_equal(compiled(x), model(x).data)


def test_what_the_function_does_not_read_is_not_looked_at():
    model, seen = nn.MLP([3, 4, 2], rng=0), {"losses": [], "count": 0, "factor": 2.0}
    optimizer = nn.Adam(model.parameters())

    @compile
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(x), y) * seen["factor"]
        loss.backward()
        optimizer.step()
        return loss

    for i in range(6):
        seen["losses"].append(step(np.ones((2, 3), np.float32), np.array([0, 1])).item())
        seen["count"] = i
        model.note = i
    assert len(step.plans) == 1


def test_what_callbacks_change_is_not_looked_at():
    model, losses, seen = nn.MLP([3, 4, 2], rng=0), [], {"sum": 0.0}

    def look(loss):
        seen["sum"] += loss.item()

    @compile
    def step(x):
        loss = (model(x) ** 2).sum().data
        callback(losses.append, loss)
        callback(lambda loss: losses.append(loss), loss)
        callback(look, loss)
        return loss

    for _ in range(5):
        step(np.ones((2, 3), np.float32))
    assert len(step.plans) == 1
    assert len(losses) == 10


def test_variables_that_callbacks_alone_use_are_not_looked_at():
    count = 0

    def step(x):
        def look(loss):
            nonlocal count
            count += 1

        callback(look, x)
        return x * 2

    compiled = compile(step)
    for _ in range(5):
        compiled(X)
    assert len(compiled.plans) == 1
    assert count == 5


def test_numbers_that_are_equal_but_of_another_type_are_others():
    held = {"n": 2}
    compiled = compile(lambda x: x * held["n"])
    assert compiled(np.array([1])).dtype == np.int64
    held["n"] = 2.0
    assert compiled(np.array([1])).dtype == np.float64
    held["n"] = 0.0
    compiled(X)
    held["n"] = -0.0
    assert np.signbit(compiled(X)).all()


def test_places_that_are_gone_are_noticed():
    held = {"n": 2.0}
    compiled = compile(lambda x: x * held["n"])
    compiled(X)
    del held["n"]
    with pytest.raises(KeyError):
        compiled(X)
