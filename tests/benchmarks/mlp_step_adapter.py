"""Our side of the training-step benchmark: the same MLP, written as a user of the library would write it."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))  # the checkout itself, installed or not

import autograd_lite
import nn


def _training(sizes, weights, optimizer, lr):
    model = nn.MLP(sizes, activation="relu", rng=0)
    for layer, weight in zip((layer for layer in model if isinstance(layer, nn.Dense)), weights, strict=True):
        layer.weight.data = np.ascontiguousarray(weight)
    make_optimizer = {"sgd": nn.SGD, "adam": nn.Adam}[optimizer]
    optimizer = make_optimizer(model.parameters(), lr=lr)

    def train(X, y):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
        return loss

    return train


def eager(sizes, X, y, weights, optimizer, lr):
    train = _training(sizes, weights, optimizer, lr)
    return lambda: train(X, y).item()


def compiled(sizes, X, y, weights, optimizer, lr):
    train = autograd_lite.compile(_training(sizes, weights, optimizer, lr))
    return lambda: train(X, y).item()


def compiled_without_numba(sizes, X, y, weights, optimizer, lr):
    train = autograd_lite.compile(_training(sizes, weights, optimizer, lr), jit=False)
    return lambda: train(X, y).item()


CANDIDATES = {
    "autograd_lite_eager": eager,
    "autograd_lite_compiled": compiled,
    "autograd_lite_compiled_numpy": compiled_without_numba,
}
