"""Ctrl-C while a model is trained."""

import signal
import threading

import pytest

import nn

from .quadrants import fit, make


class CtrlC(nn.Callback):
    """Ctrl-C in the middle of a step."""

    def __init__(self, at, times=1):
        self.at, self.times = at, times

    def on_gradient(self, training):
        if training.step + 1 == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


@pytest.fixture
def default_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_after_the_step_and_returns_the_history(default_handler):
    ended = []

    class Watch(nn.Callback):
        def on_train_end(self, training):
            ended.append(training.step)

    model, optimizer = make()
    history = fit(model, optimizer, callbacks=[CtrlC(at=6), Watch()])
    assert (history.interrupted, len(history.steps["loss"]), len(history), ended) == (True, 6, 1, [6])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert str(history).endswith("interrupted by Ctrl-C")


def test_a_second_ctrl_c_interrupts_at_once(default_handler):
    model, optimizer = make()
    with pytest.raises(KeyboardInterrupt):
        fit(model, optimizer, callbacks=[CtrlC(at=2, times=2)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_with_its_own_handler_keeps_it():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        model, optimizer = make()
        history = fit(model, optimizer, callbacks=[CtrlC(at=2)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert (heard, history.interrupted, len(history)) == ([1], False, 3)


def test_training_runs_in_another_thread():
    found = []
    model, optimizer = make()
    thread = threading.Thread(target=lambda: found.append(fit(model, optimizer)))
    thread.start()
    thread.join()
    assert len(found[0]) == 3
