"""Work that threads share gives the same numbers, to the bit, whoever computes them."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nn
from autograd_lite import callback, compile
from autograd_lite.compiler import IndexCheck, constant
from autograd_lite.compiler.native import fusion, is_installed, threads

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs Numba")


@pytest.fixture(autouse=True)
def _everything_is_shared(monkeypatch):
    monkeypatch.setattr(fusion, "SHARED_BYTES", 0)
    monkeypatch.setattr(threads, "threads", lambda: 3)


PROGRAMS = {
    "a layer": lambda x: np.maximum(x * 2 + x[0], 0),
    "a backward step": lambda x: (np.where(x > 0, x * 3, 0), np.add.reduce(np.where(x > 0, x * 3, 0), axis=0)),
    "a softmax": lambda x: np.exp(x - np.maximum.reduce(x, axis=1, keepdims=True)),
    "sums both ways": lambda x: np.add.reduce(x, axis=0) + np.add.reduce(x * 2, axis=1)[: x.shape[1]].sum(),
    "one-hot": lambda x: x - np.equal(np.arange(len(x))[:, None], np.arange(x.shape[1])),
}


@pytest.mark.parametrize("shape", [(6, 6), (7, 9), (301, 203)])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_give_the_same_numbers(monkeypatch, program, shape):
    shared = compile(program, jit=True)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    shared(x)
    monkeypatch.setattr(threads, "threads", lambda: 1)
    alone = compile(program, jit=True)
    alone(x)
    for seed in range(3):
        x = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        found, expected = shared(x), alone(x)
        for one, other in zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]:
            np.testing.assert_array_equal(one, other)
    assert ("share" in shared.plans[0].source) == (program is not PROGRAMS["sums both ways"])
    assert "share" not in alone.plans[0].source


@pytest.mark.parametrize("with_sum", [True, False])
def test_one_hot_vectors_are_subtracted_from_the_same_rows(with_sum):
    x = np.random.default_rng(0).standard_normal((40, 12))
    labels = np.random.default_rng(1).integers(0, 12, 80)[::2]

    def gradients(x, labels):
        callback(IndexCheck(12), labels)
        rows = x * 2 - (labels[..., None] == constant(np.arange(12)))
        return rows * 3, np.add.reduce(rows, axis=0) if with_sum else rows

    compiled = compile(gradients, jit=True)
    for _ in range(2):
        for found, expected in zip(compiled(x, labels), gradients(x, labels), strict=True):
            np.testing.assert_array_equal(found, expected)
    # A one-hot vector needs its whole row, and a sum over rows all of them.
    assert ("share" in compiled.plans[0].source) == (not with_sum)


def test_an_optimizer_takes_the_same_steps():
    states = []
    for is_shared in (True, False):
        fusion.SHARED_BYTES = 0 if is_shared else 2**60
        model = nn.MLP([6, 50, 3], rng=0)
        optimizer = nn.AdamW(model.named_parameters(), lr=0.01)

        @compile(jit=True)
        def step(X, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            nn.softmax_cross_entropy(model(X), y).backward()
            optimizer.step()

        rng = np.random.default_rng(0)
        for _ in range(5):
            step(rng.standard_normal((9, 6), np.float32), rng.integers(0, 3, 9))
        assert ("share" in step.plans[0].source) == is_shared
        states.append({**model.state_dict(), **optimizer.state_dict()})
    for name, value in states[0].items():
        np.testing.assert_array_equal(states[1][name], value, err_msg=name)


def test_several_threads_can_have_their_work_shared():
    def f(x):
        return np.maximum(x * 2 + 1, 0)

    functions = [compile(lambda x: f(x), jit=True) for _ in range(4)]
    x = np.random.default_rng(0).standard_normal((200, 100))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: functions[i % 4](x), range(200)))
    for one in found:
        np.testing.assert_array_equal(one, f(x))


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_helpers_of_its_own():
    shared = compile(lambda x: np.maximum(x * 2 + 1, 0), jit=True)
    x = np.ones((50, 50))
    shared(x)
    shared(x)
    child = os.fork()
    if not child:
        os._exit(0 if (shared(x) == 3).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_an_error_in_a_helper_reaches_the_caller():
    def fail():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        threads.share([lambda: None, fail])
    done = []
    threads.share([lambda: done.append(1), lambda: done.append(2)])
    assert sorted(done) == [1, 2]
