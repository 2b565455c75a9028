"""The formula itself, called parameter by parameter, against every faster way to take the step: to the bit."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor, compile
from autograd_lite.compiler.native import is_installed, loader
from autograd_lite.extend import commit

from .every import ALL, leaf

OPTIONS = ("lr", "weight_decay", "eps", "momentum", "alpha", "lr_decay", "nesterov")
WAYS = ["plan", "NumPy", *(["machine code", "compiled"] if is_installed() else [])]

changes = st.dictionaries(
    st.integers(0, 4), st.dictionaries(st.sampled_from(OPTIONS), st.floats(0, 0.9), max_size=3), max_size=3
)
shapes = st.lists(st.sampled_from([(), (0,), (1,), (3, 2), (5, 1, 2), (40, 30), (33_000,)]), min_size=1, max_size=4)


def run(make, way, shapes, dtype, changes, patch, steps=5, has_gradient=lambda i, j: True, layouts=()):
    """All that there is after some steps along drawn gradients, with changes of a group's options in between."""
    if way in ("machine code", "compiled"):
        loader.load(np.dtype(dtype))
    patch.setattr("autograd_lite.compiler.fused_update.MACHINE_CODE_BYTES", 0 if way == "machine code" else 2**60)
    rng = np.random.default_rng(0)
    parameters = [leaf(np.asarray(rng.standard_normal(shape), dtype)) for shape in shapes]
    groups = [{"params": parameters[::2]}]
    if len(parameters) > 1:
        groups.append({"params": parameters[1::2], "weight_decay": 0.1})
    optimizer = make(groups)
    if way == "plain":
        patch.setattr(optimizer, "_fused", _Plain(optimizer))
    gradients = [Tensor(np.zeros(shape, dtype)) for shape in shapes]

    def step():
        optimizer.step()

    step = compile(step, jit=way == "compiled") if way in ("plan", "compiled") else step
    for i in range(steps):
        for name, value in changes.get(i, {}).items():
            group = optimizer.groups[i % len(groups)]
            needs_momentum = name == "nesterov" or (name == "momentum" and group.get("nesterov"))
            if name in group and not (needs_momentum and 0 in (value, group["momentum"])):
                group[name] = value > 0.4 if name == "nesterov" else value
        for j, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
            drawn = np.asarray(rng.standard_normal(parameter.shape), dtype)
            gradient = Tensor(layouts[i](drawn) if i < len(layouts) else drawn)
            parameter.grad = gradient if has_gradient(i, j) else None
        if any(parameter.grad is not None for parameter in parameters):
            step()
    state = {name: value for name, value in optimizer.state_dict().items() if name.startswith("state.")}
    return {**state, **{f"w{i}": parameter.data.copy() for i, parameter in enumerate(parameters)}}


class _Plain:
    """What takes an optimizer's every step by its plain loop."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def __getattr__(self, name):
        self.has_gradient = [parameter.grad is not None for parameter in self.optimizer._states]
        return self.__dict__[name]

    def __call__(self, weights, gradients, before):
        changes = self.optimizer._plain_step(self.__dict__.pop("has_gradient"), weights, gradients)
        commit([*before, *changes])


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(list(ALL)),
    shapes=shapes,
    dtype=st.sampled_from(["f4", "f8", "f2"]),
    changes=changes,
    missing=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=3),
)
def test_every_way_takes_the_steps_of_the_plain_loop(way, name, shapes, dtype, changes, missing):
    def has_gradient(i, j):
        return (i, j) not in missing

    found = []
    for one in ("plain", way):
        with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
            found.append(run(ALL[name], one, shapes, dtype, changes, patch, has_gradient=has_gradient))
    assert_same(found[1], found[0])


class AdaptiveMomentum(nn.Optimizer):
    """An optimizer with all that can be traced: branches on numbers, state that is exchanged, a method of its own."""

    def __init__(self, params, lr=0.1, beta=0.9, mode="soft", eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr=lr, beta=beta, mode=mode, eps=eps, weight_decay=weight_decay)

    def update(self, w, g, state, t, options):
        old = state["last"]
        state["last"], state["before"] = g, old
        v = state["velocity"] = self.mixed(state["velocity"], np.abs(g) if options["mode"] == "soft" else g, options)
        rate = max(options["lr"], 0.01) if t > 3 else options["lr"] / (1 + t % 2)
        state["weights"] = w
        return w - rate * (v + old - state["before"]) / (1 + v**2) ** 0.5

    def mixed(self, v, g, options):
        return options["beta"] * v + (1 - options["beta"]) * np.negative(g)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_an_optimizer_of_ones_own_is_fused(way, dtype, monkeypatch):
    shapes = [(), (3,), (200, 300), (4, 5)]
    with monkeypatch.context() as patch:
        expected = run(AdaptiveMomentum, "plain", shapes, dtype, {2: {"lr": 0.5}}, patch)
    with monkeypatch.context() as patch:
        patch.setattr(nn.Optimizer, "_plain_step", None)
        assert_same(run(AdaptiveMomentum, way, shapes, dtype, {2: {"lr": 0.5}}, patch), expected)


class Normalized(nn.Optimizer):
    """By the norm of a parameter's gradient, which is no elementwise function."""

    def __init__(self, params, lr=0.1, weight_decay=0.0):
        super().__init__(params, lr=lr, weight_decay=weight_decay)

    def update(self, w, g, state, t, options):
        return w - options["lr"] * g / (1 + np.sqrt((g**2).sum()))


class InPlace(Normalized):
    def update(self, w, g, state, t, options):
        v = state["velocity"]
        v *= 0.5
        v += g
        w -= options["lr"] * v
        return w


class ByAttribute(Normalized):
    """By a number of the instance, which follows the steps."""

    rate = 1.0

    def update(self, w, g, state, t, options):
        self.rate = 0.5 * self.rate
        return w - self.rate * g


class FirstGradient(Normalized):
    def update(self, w, g, state, t, options):
        if "mean" not in state:
            state["mean"] = g
        m = state["mean"] = 0.5 * state["mean"] + 0.5 * g
        return w - options["lr"] * m


class ByRoot(Normalized):
    def update(self, w, g, state, t, options):
        return w - options["lr"] / math.sqrt(t) * g


class Noisy(Normalized):
    def update(self, w, g, state, t, options):
        return w - options["lr"] * random.random() * g


UNTRACEABLE = [Normalized, InPlace, ByAttribute, FirstGradient, ByRoot, Noisy]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", UNTRACEABLE)
def test_an_update_that_cannot_be_traced_is_taken_by_the_plain_loop(make, way, monkeypatch):
    found = []
    for one in ("plain", way):
        random.seed(0)
        with monkeypatch.context() as patch:
            found.append(run(make, one, [(), (3,), (200, 300)], "f4", {2: {"lr": 0.5}}, patch))
    assert_same(found[1], found[0])


@pytest.mark.parametrize("make", UNTRACEABLE)
def test_an_update_that_depends_on_more_than_its_arguments_has_no_formula(make):
    from nn.optimizers.fused import formula_of

    optimizer = make([leaf([1.0])])
    (state,) = optimizer._states.values()
    assert formula_of(optimizer, state) is None


@pytest.mark.parametrize("way", WAYS)
def test_momentum_that_is_switched_on_during_training_is_followed(way, monkeypatch):
    def make(params):
        return nn.SGD(params, lr=0.1)

    found = []
    for one in ("plain", way):
        with monkeypatch.context() as patch:
            found.append(run(make, one, [(3,), (2,)], "f4", {2: {"momentum": 0.5}, 3: {"momentum": 0.5}}, patch))
    assert_same(found[1], found[0])
    assert {"state.0.velocity", "state.1.velocity"} <= found[0].keys()


def fortran(array):
    return np.asfortranarray(array) if array.ndim else array


@pytest.mark.parametrize("way", WAYS)
def test_gradients_of_any_layout_are_followed(way, monkeypatch):
    layouts = [fortran, lambda a: np.repeat(a, 2, axis=0)[::2] if a.ndim else a, fortran]
    found = []
    for one in ("plain", way):
        with monkeypatch.context() as patch:
            found.append(run(ALL["Adam"], one, [(6, 4), (), (300, 40)], "f4", {}, patch, layouts=layouts))
    assert_same(found[1], found[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [5, 40_000])
@pytest.mark.parametrize("name", ["SGD momentum", "Adam"])
def test_gradients_that_lie_in_memory_of_the_weights_are_read_before_these_change(way, n, name, monkeypatch):
    if way in ("machine code", "compiled"):
        loader.load(np.dtype("f4"))
    monkeypatch.setattr("autograd_lite.compiler.fused_update.MACHINE_CODE_BYTES", 0 if way == "machine code" else 2**60)
    found = []
    for is_apart in (True, False):
        drawn = np.random.default_rng(0).standard_normal(n + 1).astype("f4")
        parameters = [leaf(np.zeros(n, "f4")), leaf(np.zeros(n, "f4"))]
        parameters[0].data = drawn[1:]
        optimizer = ALL[name](parameters)
        step = compile(optimizer.step, jit=way == "compiled") if way in ("plan", "compiled") else optimizer.step
        for _ in range(3):
            # That of the first is one element behind its weights, and that of the second lies within those.
            for parameter, view in zip(parameters, (drawn[:-1], drawn[1:]), strict=True):
                parameter.grad = Tensor(np.zeros(n, "f4"))
                parameter.grad.data = view.copy() if is_apart else view
            step()
        found.append([parameter.data.copy() for parameter in parameters])
    np.testing.assert_array_equal(found[1], found[0])


@pytest.mark.parametrize("jit", [False, *([True] if is_installed() else [])])
def test_a_compiled_step_reads_gradients_made_of_the_weights_before_these_change(jit):
    found = []
    for is_compiled in (False, True):
        w = leaf(np.arange(40_000, dtype="f4"))
        optimizer = ALL["SGD momentum"]([w])

        def step(w=w, optimizer=optimizer):
            w.grad = Tensor(w.data[::-1].copy())
            w.grad.data = w.data[::-1]
            optimizer.step()

        step = compile(step, jit=jit) if is_compiled else step
        for _ in range(3):
            step()
        found.append(w.data.copy())
    expected, v = np.arange(40_000, dtype="f4"), 0
    for _ in range(3):
        v = np.float32(0.9) * v + expected[::-1]
        expected = expected - np.float32(0.05) * v
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], expected)


@pytest.mark.parametrize("way", WAYS)
def test_an_update_of_one_optimizer_alone_is_the_one_that_is_taken(way, monkeypatch):
    def make(params):
        optimizer = nn.SGD(params, lr=0.1)
        optimizer.update = lambda w, g, state, t, options: w - 2 * options["lr"] * g
        return optimizer

    doubled = run(lambda params: nn.SGD(params, lr=0.2), "plain", [(3,), (200, 300)], "f8", {}, monkeypatch)
    found = run(make, way, [(3,), (200, 300)], "f8", {}, monkeypatch)
    for name in ("w0", "w1"):
        np.testing.assert_allclose(found[name], doubled[name], rtol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_an_update_that_is_exchanged_between_steps_is_followed(way, monkeypatch):
    if way in ("machine code", "compiled"):
        loader.load(np.dtype("f8"))
    monkeypatch.setattr("autograd_lite.compiler.fused_update.MACHINE_CODE_BYTES", 0 if way == "machine code" else 2**60)
    w = leaf(np.ones(5))
    w.grad = Tensor(np.ones(5))
    optimizer = nn.SGD([w], lr=0.25)
    step = compile(optimizer.step, jit=way == "compiled") if way in ("plan", "compiled") else optimizer.step
    for _ in range(2):
        step()
    optimizer.update = lambda w, g, state, t, options: w + g
    for _ in range(2):
        step()
    assert w.data.tolist() == [2.5] * 5


def test_an_update_must_not_write_to_the_gradient():
    class Writing(Normalized):
        def update(self, w, g, state, t, options):
            g *= 2
            return w - g

    w = leaf([1.0])
    w.grad = Tensor([1.0])
    with pytest.raises(ValueError, match="read-only"):
        Writing([w]).step()
    assert w.grad.tolist() == [1.0]


def test_state_of_another_shape_is_refused():
    class Wrong(Normalized):
        def update(self, w, g, state, t, options):
            state["norm"] = g.sum(keepdims=True)
            return w - g

    w = leaf([1.0, 2.0])
    w.grad = Tensor([1.0, 1.0])
    with pytest.raises(TypeError, match=r"leave state\['norm'\], an array of shape \(2,\); got shape \(1,\)"):
        Wrong([w]).step()
    assert w.tolist() == [1.0, 2.0]


def test_state_that_an_update_uses_now_and_then_is_saved_and_loaded():
    class Lookahead(Normalized):
        def update(self, w, g, state, t, options):
            w = w - options["lr"] * g
            if t % 2 == 0:
                w = state["slow"] = 0.5 * (state["slow"] + w)
            return w

    w, v = leaf([1.0]), leaf([1.0])
    optimizer, other = Lookahead([w]), Lookahead([v])
    for _ in range(3):
        w.grad = Tensor([1.0])
        optimizer.step()
    other.load_state_dict(optimizer.state_dict())
    np.testing.assert_equal(other.state_dict(), optimizer.state_dict())
    assert optimizer.state_dict()["state.0.slow"].any()
