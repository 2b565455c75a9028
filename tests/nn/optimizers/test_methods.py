"""Optimizers: each method's update, and one of one's own."""

import itertools
import tracemalloc

import numpy as np
import pytest

import nn
from autograd_lite import ChangedTensorError, Tensor
from autograd_lite.compiler.elementwise.batch import PIECE_BYTES

from .every import ALL, descend, every_optimizer, leaf

# The update


def momentum(w, gradient, lr=0.05, momentum=0.9):
    v = 0
    while True:
        v = momentum * v + gradient(w)
        yield (w := w - lr * v)


def nesterov(w, gradient, lr=0.05, momentum=0.9):
    v = 0
    while True:
        g = gradient(w)
        v = momentum * v + g
        yield (w := w - lr * (g + momentum * v))


def rmsprop(w, gradient, lr=0.01, alpha=0.99, eps=1e-8):
    s = 0
    while True:
        g = gradient(w)
        s = alpha * s + (1 - alpha) * g**2
        yield (w := w - lr * g / (np.sqrt(s) + eps))


def adagrad(w, gradient, lr=0.5, lr_decay=1e-3, eps=1e-10):
    s = 0
    for t in itertools.count(1):
        g = gradient(w)
        s = s + g**2
        yield (w := w - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps))


def adam(w, gradient, lr=0.1, betas=(0.9, 0.999), eps=1e-8):
    m = v = 0
    for t in itertools.count(1):
        g = gradient(w)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        yield (w := w - lr * m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps))


PAPERS = {
    "SGD momentum": (momentum, {}),
    "SGD nesterov": (nesterov, {}),
    "RMSprop": (rmsprop, {}),
    "RMSprop eps": (rmsprop, {"alpha": 0.7, "eps": 0.5}),
    "Adagrad": (adagrad, {}),
    "Adagrad eps": (adagrad, {"lr_decay": 0.3, "eps": 0.5}),
    "Adam": (adam, {}),
    "Adam eps": (adam, {"betas": (0.7, 0.8), "eps": 0.5}),
    "AdamW": (adam, {}),
}


@pytest.mark.parametrize("names", [ALL, PAPERS], ids=["ALL", "PAPERS"])
def test_every_optimizer_of_nn_is_in_the_tables(names):
    values = [getattr(nn, name) for name in dir(nn)]
    of_nn = {value for value in values if isinstance(value, type) and issubclass(value, nn.Optimizer)}
    found = {type(ALL[name.removesuffix(" eps")]([leaf([1.0])])) for name in names}
    assert found == of_nn - {nn.Optimizer}


@pytest.mark.parametrize("name", PAPERS)
def test_the_weights_are_those_of_the_equations_written_out(name):
    equations, options = PAPERS[name]
    w = leaf([1.0, -3.0, 0.01])
    optimizer = ALL[name.removesuffix(" eps")]([w], **options)
    for expected in itertools.islice(equations(w.data.copy(), lambda w: 2 * w, **options), 20):
        descend(optimizer, w)
        np.testing.assert_allclose(w.data, expected, rtol=1e-12)


def test_the_two_forms_of_weight_decay():
    penalized, decayed = leaf([1.0]), leaf([1.0])
    for w in (penalized, decayed):
        w.grad = Tensor([1.0])
    nn.SGD([penalized], lr=0.1, weight_decay=0.5).step()
    assert penalized.item() == pytest.approx(1 - 0.1 * (1 + 0.5 * 1))
    nn.AdamW([decayed], lr=0.1, weight_decay=0.5).step()
    assert decayed.item() == pytest.approx(1 * (1 - 0.1 * 0.5) - 0.1)


@every_optimizer
def test_every_optimizer_finds_the_minimum_of_a_quadratic(make):
    w = leaf([1.0, -1.0])
    descend(make([w]), w, 400)
    assert np.abs(w.data).max() < 0.05


@every_optimizer
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_parameters_and_buffers_keep_their_dtype(make, dtype):
    w = leaf(np.ones(3, dtype))
    optimizer = make([w], weight_decay=0.1)
    descend(optimizer, w, 3)
    buffers = [value for value in optimizer.state_dict().values() if isinstance(value, np.ndarray)]
    assert {w.dtype, *(b.dtype for b in buffers)} == {np.dtype(dtype)}


@every_optimizer
def test_numbers_of_numpy_do_not_widen_the_arithmetic(make):
    values = np.random.default_rng(0).standard_normal(100, dtype=np.float32)
    python, numpy = leaf(values), leaf(values)
    descend(make([python], lr=0.3, weight_decay=0.7), python, 3)
    descend(make([numpy], lr=np.float64(0.3), weight_decay=np.float64(0.7)), numpy, 3)
    np.testing.assert_array_equal(python.data, numpy.data)


@every_optimizer
def test_the_update_is_in_place(make):
    w = leaf(np.ones(3))
    array = w.data
    descend(make([w]), w)
    assert w.data is array
    assert array[0] < 1


@every_optimizer
def test_a_step_leaves_the_gradient_as_it_is(make):
    large, small = leaf(np.ones(PIECE_BYTES)), leaf(np.ones(3))
    for w in (large, small):
        w.grad = Tensor(np.full(w.shape, 0.5))
    make([large, small], weight_decay=0.1).step()
    assert {*large.grad.data, *small.grad.data} == {0.5}


@every_optimizer
def test_a_step_records_nothing(make):
    w = leaf([1.0])
    descend(make([w]), w)
    assert w.node.parents == ()
    assert w.grad.node is None


@every_optimizer
def test_a_step_makes_graphs_recorded_before_refuse(make):
    w = leaf([1.0])
    loss = (w * w).sum()
    descend(make([w]), w)
    with pytest.raises(ChangedTensorError, match="changed by an optimizer's step"):
        loss.backward()


@every_optimizer
def test_later_steps_allocate_next_to_nothing(make):
    large, small = leaf(np.ones((1000, 300), np.float32)), leaf(np.ones(10, np.float32))
    for w in (large, small):
        w.grad = Tensor(np.ones(w.shape, np.float32))
    optimizer = make([large, small], weight_decay=0.1)
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.02 * large.data.nbytes


# One's own


class Lion(nn.Optimizer):
    """An optimizer as a user would write one (Chen et al. 2023)."""

    def __init__(self, params, lr=1e-2, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, lr=lr, betas=betas, weight_decay=weight_decay)

    decoupled_weight_decay = True

    def update(self, w, g, state, t, options):
        beta1, beta2 = options["betas"]
        m = state["mean"]
        state["mean"] = beta2 * m + (1 - beta2) * g
        return w - options["lr"] * np.sign(beta1 * m + (1 - beta1) * g)


def test_an_optimizer_of_ones_own_has_one_method():
    w = leaf([1.0, -1.0])
    optimizer = Lion([w], lr=0.25, weight_decay=0.4)
    descend(optimizer, w)
    np.testing.assert_allclose(w.data, [0.65, -0.65])
    np.testing.assert_allclose(optimizer.state_dict()["state.0.mean"], [0.02, -0.02])


def test_an_optimizer_without_an_update_says_so():
    w = leaf([1.0])
    with pytest.raises(NotImplementedError, match=r"define update\(self, w, g, state, t, options\)"):
        descend(nn.Optimizer([w]), w)
