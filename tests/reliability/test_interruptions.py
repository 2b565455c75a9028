"""Ctrl-C and its like: real signals, at random moments, in the middle of everything that changes something."""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import no_grad
from autograd_lite.compiler.native import threads
from autograd_lite.core.context import CONTEXT, RUNNING
from autograd_lite.transforms import grad, vmap
from autograd_lite.transforms.interpreter import Level

# What comes while a generator is closed is not raised, but printed by Python.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Interrupted(BaseException):
    """What the signal raises."""


def _raise(*_: Any) -> None:
    raise Interrupted


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, _raise)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def interrupted(function: Callable[[], Any], after: float) -> bool:
    """Whether a call was interrupted by a signal that comes after so many seconds."""
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, after)
            function()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Interrupted:
        return True
    return False


@contextmanager
def timed() -> Iterator[list[float]]:
    """How many seconds the block takes, once it is over."""
    taken, start = [0.0], time.perf_counter()
    yield taken
    taken[0] = time.perf_counter() - start


class Ended(BaseException):
    """Ctrl-C, where `at_every_place` has it."""


def at_every_place(function: Callable[[], Any], but: Any = None, step: int = 1) -> Iterator[int]:
    """Call a function again and again, interrupted at one place after the other, until it runs to its end.

    The places are those where the interpreter looks for signals: the beginning of a Python function and the end of a
    call of one written in C. `but` is the code of a function at whose beginning nothing comes.
    """
    place = 1
    while True:
        left = [place]

        def look(frame: Any, event: str, argument: Any, left: list[int] = left) -> None:
            if event == "c_return" or (event == "call" and frame.f_code is not but):
                left[0] -= 1
                if not left[0]:
                    sys.setprofile(None)
                    raise Ended

        try:
            sys.setprofile(look)
            function()
        except Ended:
            pass
        finally:
            sys.setprofile(None)
        if left[0] > 0:
            assert place > 1
            return
        yield place
        place += step


X = np.random.default_rng(0).normal(size=(20, 5))
Y = np.arange(20) % 3
OPTIMIZERS = {
    "SGD": lambda p: nn.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda p: nn.Adam(p, lr=0.01),
    "a formula that is not elementwise": lambda p: Normalized(p, lr=0.01),
}


class Normalized(nn.Optimizer):
    def update(self, w, g, state, t, options):
        mean = state["mean"] = 0.9 * state["mean"] + 0.1 * g
        return w - options["lr"] * mean / (np.sqrt(np.sum(mean * mean)) + 1)


def _everything(model: nn.Module, optimizer: nn.Optimizer) -> dict[str, Any]:
    found = {**model.state_dict(), **optimizer.state_dict()}
    return {name: np.asarray(value).copy() for name, value in found.items()}


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_a_step_that_is_interrupted_is_made_or_is_not(make, rounds):
    def fresh():
        model = nn.MLP([5, 8, 8, 3], activation="tanh", rng=0, dtype=np.float64)
        return model, make(model.named_parameters())

    def differentiate(model):
        model.zero_grad()
        nn.softmax_cross_entropy(model(X), Y).backward()

    model, optimizer = fresh()
    twin, steady = fresh()
    for one, steps in ((model, optimizer), (twin, steady)):
        for _ in range(3):
            differentiate(one)
            steps.step()
    rng, interruptions, times = random.Random(1), 0, []
    for _ in range(10):
        with timed() as taken:
            optimizer.step()
        steady.step()
        times += taken
    for _ in range(rounds(300)):
        differentiate(model)
        differentiate(twin)
        before = _everything(model, optimizer)
        steady.step()
        after = _everything(twin, steady)
        happened = interrupted(optimizer.step, max(1e-6, rng.uniform(0, 1.2 * min(times))))
        interruptions += happened
        now = _everything(model, optimizer)
        is_made = _same(now, after)
        assert is_made or (happened and _same(now, before))
        differentiate(model)  # a leaf that is left half changed would refuse
        if not is_made:
            differentiate(model)
            optimizer.step()
        assert _same(_everything(model, optimizer), after)
    assert interruptions > rounds(300) / 10


def test_a_block_that_is_interrupted_where_it_begins_or_ends_is_closed():
    block = no_grad()

    def enter():
        with block, block:
            assert not CONTEXT.get().recording

    for _ in at_every_place(enter, but=no_grad.__exit__.__code__):
        assert CONTEXT.get().recording
        assert not CONTEXT.get().blocks


def test_a_transform_that_is_interrupted_is_over():
    def work():
        return grad(lambda x: np.sum(vmap(np.tanh)(x) * x))(np.ones(3))

    for _ in at_every_place(work, but=Level.__exit__.__code__):
        assert CONTEXT.get().interpreter is None
        assert not RUNNING


def test_a_prediction_that_is_interrupted_leaves_modes_and_recording_as_they_were():
    model = nn.Sequential(nn.Dense(5, 4, rng=0), nn.Dropout(0.5, rng=0))
    for _ in at_every_place(lambda: nn.predict(model, X), step=3):
        assert model.training
        assert CONTEXT.get().recording


def _training_step() -> tuple[nn.Module, nn.Optimizer, Callable[[], Any]]:
    model = nn.Sequential(nn.Dense(5, 6, rng=0), nn.BatchNorm(6), nn.Tanh(), nn.Dense(6, 3, rng=1))
    optimizer = nn.Adam(model.named_parameters(), lr=0.01)

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


@pytest.mark.parametrize("recorded", [True, False], ids=["while it is replayed", "while it is recorded"])
def test_a_compiled_step_that_is_interrupted_leaves_no_trace_and_a_whole_optimizer(recorded, rounds):
    model, optimizer, step = _training_step()
    start = model.state_dict(), optimizer.state_dict()
    compiled = autograd_lite.compile(step, jit=False)
    compiled(X, Y)
    after = model.state_dict(), optimizer.state_dict()

    def begin():
        model.load_state_dict(start[0])
        optimizer.load_state_dict(start[1])

    def attempt():
        compiled(X, Y)

    begin()
    attempt()
    begin()
    for _ in at_every_place(attempt, step=1 if recorded else 301 // rounds(1)):
        assert CONTEXT.get().tracer is None
        assert CONTEXT.get().recording
        assert sys.getprofile() is None
        assert all(type(tensor._value) is np.ndarray for tensor in model.parameters())
        found, state = model.state_dict(), optimizer.state_dict()
        is_after = state["state.layers.0.weight.step"] == 1
        for name, value in (after if is_after else start)[1].items():
            np.testing.assert_array_equal(state[name], value)
        for name, _ in model.named_parameters():
            np.testing.assert_array_equal(found[name], (after if is_after else start)[0][name])
        nn.softmax_cross_entropy(model(X), Y).backward()
        begin()
        if not recorded:
            compiled = autograd_lite.compile(step, jit=False)
    begin()
    attempt()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, after[0][name])


def test_an_interrupted_wait_for_helpers_ends_when_their_work_is_done(rounds):
    rng = random.Random(2)
    for _ in range(rounds(100)):
        done: list[int] = []

        def part(i: int, done: list[int] = done) -> None:
            time.sleep(0.0005)
            done.append(i)

        happened = interrupted(
            lambda part=part: threads.share([partial(part, i) for i in range(4)]), rng.uniform(0, 8e-4)
        )
        assert not threads._UNFINISHED
        assert happened or sorted(done) == [0, 1, 2, 3]
        found: list[int] = []
        threads.share([partial(found.append, i) for i in range(4)])
        assert sorted(found) == [0, 1, 2, 3]


def test_a_compiled_function_works_on_in_every_thread_after_interruptions():
    compiled = autograd_lite.compile(lambda x: np.tanh(x) * 2)
    compiled(X)
    for _ in at_every_place(lambda: compiled(X)):
        found: list[Any] = []
        thread = threading.Thread(target=lambda found=found: found.append(compiled(X)), daemon=True)
        thread.start()
        thread.join(20)
        assert np.array_equal(found[0], np.tanh(X) * 2)
