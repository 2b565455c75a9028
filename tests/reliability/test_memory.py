"""Memory: what is freed at once without the garbage collector, and what stays flat however long a program runs."""

import gc
import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite
import nn
from autograd_lite import Tensor, custom_vjp, defjvp
from autograd_lite.core.registry import RULES, rule_of
from autograd_lite.core.rule import MOST_RECIPES
from autograd_lite.transforms import checkpoint, grad, hvp, jacobian, jvp, vjp, vmap


@pytest.fixture(autouse=True)
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Watched(np.ndarray[Any, Any]):
    """An array that a weak reference can lead to."""


def watched(shape: Any, dtype: Any = np.float64) -> Any:
    return np.zeros(shape, dtype).view(Watched)


def test_a_function_with_a_rule_of_its_own_is_freed_with_what_it_holds():
    def define() -> weakref.ref[Any]:
        held = watched(1000)

        @custom_vjp(x=lambda g: g * held[0])
        def scaled(x):
            return np.asarray(x * held[0])

        defjvp(scaled, x=lambda t: t * held[0])
        w = Tensor([1.0, 2.0], requires_grad=True)
        scaled(w).sum().backward()
        jvp(scaled, (np.ones(2),), (np.ones(2),))
        vmap(scaled)(np.ones((2, 2)))
        checkpoint(scaled)(w).sum().backward()
        return weakref.ref(held)

    before = len(RULES)
    assert all(define()() is None for _ in range(5))
    assert len(RULES) == before


def test_a_function_of_a_module_that_is_defined_again_takes_the_place_of_the_first():
    def define() -> Any:
        def named(x):
            return x * 2

        named.__qualname__ = "named"
        return custom_vjp(named, x=lambda g: g * 2)

    functions = [define() for _ in range(3)]
    assert sum(function in RULES for function in functions) == 1
    for function in functions:
        w = Tensor([1.0], requires_grad=True)
        function(w).backward()
        assert w.grad.item() == 2.0


def test_recipes_of_a_rule_are_bounded():
    w, constant = Tensor(np.ones(2), requires_grad=True), np.ones(2)
    for mask in range(1, 3 * MOST_RECIPES):
        members = [w if mask >> i & 1 else constant for i in range(10)]
        np.concatenate(members).sum().backward()
    assert len(rule_of(np.concatenate).recipes) <= MOST_RECIPES


@pytest.mark.parametrize("compile", [False, True], ids=["eager", "compiled"])
def test_fit_frees_its_data_model_and_optimizer_without_the_collector(compile):
    def run() -> list[weakref.ref[Any]]:
        X, y = watched((64, 5), np.float32), np.zeros(64, int)
        model = nn.Sequential(nn.Dense(5, 4, rng=0), nn.Dropout(0.5, rng=0), nn.Dense(4, 2, rng=0))
        optimizer = nn.Adam(model.parameters())
        nn.fit(model, nn.softmax_cross_entropy, optimizer, (X, y), (X, y), epochs=2, progress=False, compile=compile,
               metrics={"accuracy": nn.metrics.accuracy}, callbacks=[nn.EarlyStopping("val_loss")])  # fmt: skip
        return [weakref.ref(X), weakref.ref(model), weakref.ref(optimizer)]

    assert [reference() for reference in run()] == [None] * 3


def test_a_compiled_function_is_freed_with_its_memory_without_the_collector():
    def run() -> list[weakref.ref[Any]]:
        model = nn.MLP([5, 4, 3], rng=0)
        optimizer = nn.SGD(model.parameters())

        def step(x, y):
            optimizer.zero_grad()
            loss = nn.softmax_cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            return loss

        compiled = autograd_lite.compile(step)
        x = np.zeros((8, 5), np.float32)
        for _ in range(3):
            compiled(x, np.zeros(8, int))
        model.load_state_dict(model.state_dict())
        for _ in range(2):
            compiled(x, np.zeros(8, int))
        return [weakref.ref(compiled), weakref.ref(compiled.plans[0]), weakref.ref(model)]

    assert [reference() for reference in run()] == [None] * 3


def resident() -> float:
    """Bytes of the process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _steps_of_changing_shapes() -> Callable[[int], Any]:
    compiled = autograd_lite.compile(lambda x: np.tanh(x) * 2, max_plans=4)
    return lambda i: compiled(np.zeros(1 + i % 50))


def _fits() -> Callable[[int], Any]:
    X, y = np.zeros((16, 3), np.float32), np.zeros(16, int)

    def run(i: int) -> None:
        model = nn.MLP([3, 2], rng=0)
        nn.fit(model, nn.softmax_cross_entropy, nn.SGD(model.parameters()), (X, y), epochs=1, progress=False)

    return run


def _definitions() -> Callable[[int], Any]:
    def run(i: int) -> None:
        cube = custom_vjp(lambda x: x**3, x=lambda g, x: g * x * x * 3)
        cube(Tensor(1.0, requires_grad=True)).backward()

    return run


REPEATED: dict[str, Callable[[], Callable[[int], Any]]] = {
    "grad": lambda: lambda i: grad(lambda x: (x * x).sum())(np.ones(3)),
    "vjp": lambda: lambda i: vjp(np.tanh, np.ones(3))[1](np.ones(3)),
    "jvp": lambda: lambda i: jvp(np.tanh, (np.ones(3),), (np.ones(3),)),
    "jacobian": lambda: lambda i: jacobian(np.tanh)(np.ones(3)),
    "hvp": lambda: lambda i: hvp(lambda x: (x**3).sum())(np.ones(3), np.ones(3)),
    "vmap": lambda: lambda i: vmap(np.tanh)(np.ones((2, 3))),
    "checkpoint": lambda: lambda i: checkpoint(np.tanh)(Tensor(np.ones(3), requires_grad=True)).sum().backward(),
    "changing shapes in a compiled function": _steps_of_changing_shapes,
    "fits": _fits,
    "definitions of rules": _definitions,
}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
@pytest.mark.parametrize("make", REPEATED.values(), ids=list(REPEATED))
def test_resident_memory_is_flat_over_many_rounds(make, request):
    count = 100_000 if request.config.getoption("--long") else 150
    run = make()
    for i in range(count // 3):
        run(i)
    before = resident()
    for i in range(count):
        run(i)
    assert resident() - before < 4e6 + 20 * count
