"""Threads that use one model, one graph or one compiled function at the same time."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest

import nn
from autograd_lite import FreedGraphError, Tensor, callback, compile, no_grad


@pytest.fixture(autouse=True)
def switching_often(frequent_switches):
    """Threads take turns after 10 microseconds."""


def at_the_same_time(*functions: Callable[[], Any]) -> list[Any]:
    """What functions give that begin together, each in a thread of its own; an exception is raised here."""
    barrier = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)
    errors: list[BaseException] = []

    def run(i: int) -> None:
        barrier.wait()
        try:
            results[i] = functions[i]()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    for error in errors:
        raise error
    return results


def dropping(**options: Any) -> nn.Module:
    return nn.Sequential(nn.Dense(6, 16, rng=0), nn.Dropout(0.5, rng=1), nn.Dense(16, 3, rng=2), **options)


X = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
Y = np.arange(64) % 3


def test_predictions_of_eight_threads_are_those_of_a_model_in_use_and_leave_its_mode(rounds):
    model = dropping()
    expected = nn.predict(model, X)
    for _ in range(rounds(10)):
        found = at_the_same_time(*[lambda: [nn.predict(model, X, batch_size=8) for _ in range(8)]] * 8)
        assert all(np.array_equal(one, expected) for some in found for one in some)
        assert all(module.training for _, module in model.named_modules())


def test_fit_beside_predictions_drops_the_same_units_as_alone(rounds):
    def fitted(model: nn.Module) -> dict[str, Any]:
        optimizer = nn.SGD(model.parameters(), lr=0.1)
        nn.fit(model, nn.softmax_cross_entropy, optimizer, (X, Y), (X, Y), epochs=3, batch_size=8, rng=0,
               progress=False, compile=False)  # fmt: skip
        return model.state_dict()

    expected = fitted(dropping())
    for _ in range(rounds(5)):
        model, is_over = dropping(), threading.Event()

        def train(model=model, is_over=is_over):
            try:
                return fitted(model)
            finally:
                is_over.set()

        def look(model=model, is_over=is_over):
            while not is_over.is_set():
                nn.predict(model, X)
                model.state_dict()

        found, *_ = at_the_same_time(train, look, look)
        assert all(np.array_equal(found[name], expected[name]) for name in expected)


@contextmanager
def every_call(model: nn.Module, calls: list[bool]):
    own = model.forward

    def forward(x):
        calls.append(model.training)
        return own(x)

    model.forward = forward
    yield
    del model.forward


def test_fit_and_predict_leave_the_modes_of_the_modules_as_other_threads_see_them():
    model = dropping().eval()
    optimizer, seen = nn.SGD(model.parameters(), lr=0.1), []

    class Look(nn.Callback):
        def on_step_end(self, training):
            seen.extend(at_the_same_time(lambda: model.layers[1].training))

    calls: list[bool] = []
    with every_call(model, calls):
        nn.fit(model, nn.softmax_cross_entropy, optimizer, (X, Y), (X, Y), epochs=1, callbacks=[Look()], progress=False)
    assert set(seen) == {False}
    assert calls == [True, True, False]
    assert not model.training


def test_a_mode_set_within_a_prediction_is_the_predictions_own():
    class Noisy(nn.Module):
        def __init__(self):
            self.dropout = nn.Dropout(0.5, rng=0)

        def forward(self, x):
            self.dropout.train()
            return self.dropout(x)

    model = Noisy().eval()
    assert (nn.predict(model, np.ones((4, 50))) == 0).any()
    assert not model.dropout.training


def test_copies_with_other_parameters_have_the_mode_of_the_prediction():
    class Copying(nn.Module):
        def __init__(self):
            self.inner = dropping()

        def forward(self, x):
            return self.inner.with_parameters({})(x)

    model = Copying()
    assert np.array_equal(nn.predict(model, X), nn.predict(model.inner, X))


def test_a_summary_beside_predictions_lists_its_own_calls_alone(rounds):
    model = dropping()
    expected = str(nn.summary(model, (6,)))
    for _ in range(rounds(10)):
        texts, _ = at_the_same_time(
            lambda: {str(nn.summary(model, (6,))) for _ in range(10)},
            lambda: [nn.predict(model, X, batch_size=8) for _ in range(20)],
        )
        assert texts == {expected}


def test_backward_on_one_graph_from_several_threads_gives_whole_gradients_or_says_why_not(rounds):
    w = Tensor(np.linspace(0.1, 1, 50), requires_grad=True)

    def loss():
        x = w
        for _ in range(30):
            x = np.tanh(x * w) + np.exp(-x)
        return x.sum()

    loss().backward()
    once = w.grad.data
    lost = 0
    for create_graph in [False, True] * rounds(20):
        w.zero_grad()
        shared = loss()

        def differentiate(shared=shared, **options):
            try:
                shared.backward(**options)
            except FreedGraphError:
                return 0
            return 1

        again = partial(differentiate, create_graph=create_graph)
        passed = sum(at_the_same_time(differentiate, again, again))
        lost += 3 - passed
        assert passed >= 1
        np.testing.assert_allclose(w.grad.data, passed * once, rtol=1e-12)
    assert lost > 0


def test_a_callback_may_wait_for_a_thread_that_calls_the_same_compiled_function():
    step, barrier = None, threading.Barrier(3)

    def meet(x):
        barrier.wait(20)
        return np.asarray(x)

    step = compile(lambda x: callback(meet, x) * 2)
    for _ in range(3):
        found = at_the_same_time(*[lambda i=i: step(np.full(4, float(i))) for i in range(3)])
        assert all((one == 2.0 * i).all() for i, one in enumerate(found))


def test_a_call_waits_beside_any_number_of_short_callbacks():
    def short(x):
        time.sleep(0.0005)
        return np.asarray(x)

    @compile
    def step(x):
        for _ in range(sys.getrecursionlimit()):
            x = callback(short, x)
        return x * 2

    step(np.ones(2))
    found = at_the_same_time(*[lambda i=i: step(np.full(2, float(i))) for i in range(2)])
    assert [one.tolist() for one in found] == [[0, 0], [2, 2]]


def test_a_recording_shows_nothing_to_other_threads(rounds):
    for _ in range(rounds(10)):
        model = nn.MLP([6, 8, 3], rng=0)
        optimizer = nn.SGD(model.parameters(), lr=0.01)
        forward = compile(no_grad()(lambda x, model=model: model(x).data))

        @compile
        def step(x, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = nn.softmax_cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        def eagerly(model=model):
            for _ in range(20):
                assert np.isfinite(nn.predict(model, X)).all()
                assert all(isinstance(array, np.ndarray) for array in model.state_dict().values())
                assert all(type(p.grad.data) is np.ndarray for p in model.parameters() if p.grad is not None)

        at_the_same_time(lambda f=forward: f(X), lambda f=step: f(X, Y), eagerly, eagerly, lambda f=forward: f(X[:5]))


def test_an_array_that_is_assigned_while_a_function_is_recorded_is_read_afterwards(rounds):
    for _ in range(rounds(10)):
        w = Tensor(np.zeros(3), requires_grad=True)

        @compile
        def read(x, w=w):
            for _ in range(20):
                x = x + w.detach()
            return x.data

        def assign(w=w):
            for i in range(30):
                w.data = np.full(3, float(i))

        at_the_same_time(lambda read=read: read(np.zeros(3)), assign)
        w.data = np.full(3, 7.0)
        assert (read(np.zeros(3)) == 140.0).all()
        assert (read(np.zeros(3)) == 140.0).all()
        assert (w.data == 7.0).all()
