"""Ctrl-C and its like: real signals, at random moments, in the middle of everything that changes something."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import nn


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
        signal.setitimer(signal.ITIMER_REAL, after)
        function()
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


def attempts(function: Callable[[], Any], count: int, seed: int) -> Iterator[tuple[bool, random.Random]]:
    """Whether each of many calls was interrupted, by signals at moments that are drawn from twice a call's time."""
    rng, interruptions = random.Random(seed), 0
    times = []
    for _ in range(5):
        with timed() as taken:
            function()
        times.append(taken[0])
    for _ in range(count):
        was_interrupted = interrupted(function, max(1e-6, rng.uniform(0, 1.5 * min(times))))
        interruptions += was_interrupted
        yield was_interrupted, rng
    assert interruptions > count / 10, "too few calls were interrupted"


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
