"""Processes that are forked while other threads are in the middle of something."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import Tensor, callback
from autograd_lite.compiler.native import threads
from autograd_lite.core import tensor as tensors

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]
fork = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


def in_child(function: Callable[[], Any], within: float = 30) -> Any:
    """What a function gives in a forked process, which has to end in time."""
    assert fork is not None
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=lambda: sender.send(function()))
    child.start()
    found = receiver.recv() if receiver.poll(within) else "hangs"
    child.kill()
    child.join()
    return found


class Busy:
    """Calls a function in another thread again and again, while the block runs."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function, self._is_over = function, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._function()

    def __enter__(self) -> None:
        self._thread.start()
        time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(30)


X = np.linspace(-1, 1, 40).reshape(8, 5)


def test_a_compiled_function_that_another_thread_is_in_works_in_a_forked_process():
    entered, leave = threading.Event(), threading.Event()

    def wait(x):
        entered.set()
        if threading.current_thread() is not threading.main_thread():
            leave.wait(30)
        return np.asarray(x)

    step = autograd_lite.compile(lambda x: np.tanh(callback(wait, x)) * 2)
    with Busy(lambda: step(X)):
        assert entered.wait(30)
        assert np.array_equal(in_child(lambda: step(X + 1)), np.tanh(X + 1) * 2)
        leave.set()


def test_a_compiled_function_that_another_thread_replays_works_in_a_forked_process():
    entered, leave = threading.Event(), threading.Event()
    step = autograd_lite.compile(lambda x: np.tanh(x) * 2)
    step(X)
    (plan,) = step.plans
    replay = plan.replay

    def slowly(*arrays):
        entered.set()
        leave.wait(30)
        return replay(*arrays)

    plan.replay = slowly
    with Busy(lambda: step(X)):
        assert entered.wait(30)
        assert np.array_equal(in_child(lambda: step(X)), np.tanh(X) * 2)
        leave.set()


def test_a_forked_process_goes_on_beside_compiled_steps_and_backward_passes(rounds, frequent_switches):
    model = nn.MLP([5, 8, 3], rng=0, dtype=np.float64)
    optimizer = nn.SGD(model.parameters(), lr=0.0)

    def differentiate():
        model.zero_grad()
        nn.softmax_cross_entropy(model(X), np.arange(8) % 3).backward()
        return [parameter.grad.data for parameter in model.parameters()]

    def step():
        differentiate()
        optimizer.step()

    expected = differentiate()
    compiled = autograd_lite.compile(lambda x: np.exp(x).sum())
    with Busy(step), Busy(lambda: compiled(X)):
        for _ in range(rounds(20)):
            gradients, total = in_child(lambda: (differentiate(), compiled(X)))
            assert all(map(np.array_equal, gradients, expected))
            assert total == np.exp(X).sum()


def test_a_fork_waits_for_the_lock_of_gradients():
    held, begun = threading.Event(), threading.Event()

    def hold():
        with tensors._DEPOSITING:
            held.set()
            begun.wait(30)
            time.sleep(0.05)

    def differentiate():
        w = Tensor([1.0, 2.0], requires_grad=True)
        (w * w).sum().backward()
        return w.grad.data

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    begun.set()
    assert np.array_equal(in_child(differentiate), [2.0, 4.0])
    thread.join()


def test_helpers_of_machine_code_work_in_a_forked_process():
    done: list[int] = []
    threads.share([lambda: done.append(0), lambda: done.append(1)])
    with Busy(lambda: threads.share([lambda: time.sleep(0.001), lambda: time.sleep(0.001)])):

        def share():
            found: list[int] = []
            threads.share([lambda: found.append(0), lambda: found.append(1), lambda: found.append(2)])
            return sorted(found)

        assert [in_child(share) for _ in range(3)] == [[0, 1, 2]] * 3


def test_batches_that_are_gathered_ahead_are_the_same_in_a_forked_process():
    batches = iter(nn.data.Minibatches(np.arange(40), batch_size=4, rng=0, prefetch=3))
    expected = list(nn.data.Minibatches(np.arange(40), batch_size=4, rng=0))
    found = [next(batches), next(batches)]
    rest = in_child(lambda: list(batches))
    assert all(map(np.array_equal, [*found, *rest], expected))
    assert all(map(np.array_equal, [*found, *batches], expected))
