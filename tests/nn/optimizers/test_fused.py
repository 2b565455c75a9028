"""Steps by machine code outside of compiled functions: the same bits as by NumPy, and nothing compiled for them."""

import copy
import weakref

import numpy as np
import pytest

import nn
from autograd_lite import Tensor, compile
from autograd_lite.compiler.elementwise.batch import PIECE_BYTES
from autograd_lite.compiler.native import fusion, is_installed, loader, threads
from autograd_lite.core.tensor import wrap

from .every import ALL, every_optimizer

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs Numba")


@pytest.fixture(autouse=True)
def _machine_code():
    for dtype in ("f4", "f8"):
        loader.load(np.dtype(dtype))


def _parameters(dtype):
    rng = np.random.default_rng(0)
    shapes = [(PIECE_BYTES // 256, 70), (), (5,), (127,), (129,), (300, 20)]
    return [Tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True) for shape in shapes]


def _run(make, dtype, changes=()):
    """Steps along drawn gradients, with a change of the options before some of them."""
    rng = np.random.default_rng(1)
    parameters = _parameters(dtype)
    optimizer = make(parameters)
    for i in range(6):
        for name, value in dict(changes).get(i, {}).items():
            optimizer.groups[0][name] = value
        for parameter in parameters:
            parameter.grad = Tensor(np.asarray(rng.standard_normal(parameter.shape), dtype))
        if i == 4:
            parameters[0].grad = Tensor(np.asfortranarray(parameters[0].grad.data))
        optimizer.step()
    return optimizer, {**optimizer.state_dict(), **{str(i): p.data for i, p in enumerate(parameters)}}


def _assert_same(mine, expected):
    assert mine.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(mine[name], value)


def _by_numpy(monkeypatch, *arguments):
    with monkeypatch.context() as patch:
        patch.setattr("autograd_lite.compiler.fused_update.MACHINE_CODE_BYTES", 2**40)
        return _run(*arguments)


def _runs_machine_code(optimizer):
    return "run" in optimizer._fused._changes.__code__.co_freevars


@every_optimizer
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_machine_code_moves_parameters_as_numpy_does(make, dtype, monkeypatch):
    changes = [(1, {"weight_decay": 0.01}), (3, {"lr": 0.03})]
    fast, mine = _run(make, dtype, changes)
    slow, expected = _by_numpy(monkeypatch, make, dtype, changes)
    assert _runs_machine_code(fast)
    assert not _runs_machine_code(slow)
    _assert_same(mine, expected)


@every_optimizer
def test_threads_that_share_a_step_take_the_same(make, monkeypatch):
    _, expected = _run(make, "f4")
    shared = []
    monkeypatch.setattr(fusion, "SHARED_BYTES", 0)
    monkeypatch.setattr(threads, "threads", lambda: 3)
    share = threads.share
    monkeypatch.setattr(threads, "share", lambda parts: shared.append(len(parts)) or share(parts))
    _, mine = _run(make, "f4")
    assert set(shared) == {3}
    _assert_same(mine, expected)


def test_a_method_that_becomes_another_one_is_followed(monkeypatch):
    changes = [(1, {"nesterov": True}), (2, {"nesterov": False}), (3, {"momentum": 0.0}), (5, {"momentum": 0.5})]
    _, mine = _run(ALL["SGD momentum"], "f4", changes)
    _, expected = _by_numpy(monkeypatch, ALL["SGD momentum"], "f4", changes)
    _assert_same(mine, expected)


def _after_zero_gradients(how):
    """Parameters and state after 70 steps that add nothing, from a state just above the subnormal numbers."""
    w = Tensor(np.ones((PIECE_BYTES // 4, 2), np.float32), requires_grad=True)
    optimizer = nn.Adam([w], lr=0.1)
    state = {name: np.full(w.shape, 1.3e-38, "f4") for name in ("state.0.mean", "state.0.mean_square")}
    optimizer.load_state_dict({**optimizer.state_dict(), **state})

    def step():
        w.grad = Tensor(np.zeros(w.shape, np.float32))
        optimizer.step()

    step = step if how == "eager" else compile(step, jit=how == "machine code")
    for _ in range(70):
        step()
    return optimizer.state_dict()


def test_state_that_has_decayed_becomes_zero_in_the_same_step_of_any_kind(monkeypatch):
    found = [_after_zero_gradients(how) for how in ("eager", "plan", "machine code")]
    monkeypatch.setattr("autograd_lite.compiler.fused_update.MACHINE_CODE_BYTES", 2**40)
    by_numpy = _after_zero_gradients("eager")
    assert not by_numpy["state.0.mean"].any()
    assert (by_numpy["state.0.mean_square"] > 0).all()
    for state in found:
        _assert_same(state, by_numpy)


def test_plans_of_other_shapes_follow_a_method_that_becomes_another_one():
    def run(compiled):
        w = Tensor(np.linspace(-1, 1, 6), requires_grad=True)
        optimizer = nn.SGD([w], lr=0.1, momentum=0.9)

        def step(x):
            optimizer.zero_grad()
            ((w * x) ** 2).sum().backward()
            optimizer.step()

        step = compile(step) if compiled else step
        for nesterov in (False, True, False):
            optimizer.groups[0]["nesterov"] = nesterov
            for rows in (2, 2, 3, 3):
                step(np.linspace(0, 1, 6 * rows).reshape(rows, 6))
        return w.data

    np.testing.assert_array_equal(run(True), run(False))


def test_nothing_is_compiled_for_a_step_outside_of_compiled_functions(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE_DIR", str(tmp_path))
    optimizer, mine = _run(ALL["Adam"], "f4")
    assert not _runs_machine_code(optimizer)
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    fast, expected = _run(ALL["Adam"], "f4")
    assert _runs_machine_code(fast)
    _assert_same(mine, expected)


class Bounded(nn.SGD):
    """Steps of one length, or of the largest that there was: with functions that no optimizer of `nn` needs."""

    def update(self, w, g, state, t, options):
        state["largest"] = np.maximum(state["largest"], np.minimum(np.abs(g), 1.0))
        return w - options["lr"] * np.sign(g) * state["largest"]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_method_of_ones_own_is_machine_code_too(dtype, monkeypatch):
    fast, mine = _run(Bounded, dtype)
    slow, expected = _by_numpy(monkeypatch, Bounded, dtype)
    assert _runs_machine_code(fast)
    assert not _runs_machine_code(slow)
    _assert_same(mine, expected)


def test_a_method_that_no_program_can_be_made_of_is_moved_by_the_plain_loop():
    class Squashed(nn.SGD):
        def update(self, w, g, state, t, options):
            return w - np.tanh(g)

    w = Tensor(np.zeros((PIECE_BYTES, 1), np.float32), requires_grad=True)
    optimizer = Squashed([w], lr=0.1)
    w.grad = Tensor(np.full(w.shape, 3.0, np.float32))
    optimizer.step()
    assert optimizer._fused._changes is None
    np.testing.assert_array_equal(w.data, -np.tanh(np.float32(3.0)))


def test_a_copy_of_an_optimizer_steps_on_its_own():
    parameters = _parameters("f4")
    optimizer = nn.Adam(parameters, lr=0.1)

    def step(parameters, optimizer):
        for parameter in parameters:
            parameter.grad = Tensor(np.ones_like(parameter.data))
        optimizer.step()

    step(parameters, optimizer)
    others, other = copy.deepcopy((parameters, optimizer))
    before = [parameter.data.copy() for parameter in parameters]
    step(others, other)
    for parameter, array in zip(parameters, before, strict=True):
        np.testing.assert_array_equal(parameter.data, array)
    step(parameters, optimizer)
    for parameter, twin in zip(parameters, others, strict=True):
        np.testing.assert_array_equal(parameter.data, twin.data)


def test_weights_that_are_exchanged_are_the_ones_that_move():
    w = Tensor(np.zeros(PIECE_BYTES, np.float32), requires_grad=True)
    optimizer = nn.SGD([w], lr=0.5)
    for _ in range(2):
        w.data = np.zeros(PIECE_BYTES, np.float32)
        w.grad = Tensor(np.ones(PIECE_BYTES, np.float32))
        optimizer.step()
        np.testing.assert_array_equal(w.data, -0.5)


def test_the_gradients_of_a_step_are_not_kept():
    w = Tensor(np.zeros(PIECE_BYTES, np.float32), requires_grad=True)
    optimizer = nn.SGD([w], lr=0.5)
    gradient = np.ones(PIECE_BYTES, np.float32)
    known = weakref.ref(gradient)
    w.grad = wrap(gradient)
    optimizer.step()
    assert _runs_machine_code(optimizer)
    w.grad = None
    del gradient
    assert known() is None
