"""Losses whose backward passes are drawn, each with the module it comes from, if there is one."""

import numpy as np

import nn
from autograd_lite import Tensor
from autograd_lite.core.graph import GradientSlot, ancestors


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def sigmoid_chain(depth=3):
    """Single units one after the other, as the lesson on vanishing gradients has them."""
    a = 1.0
    for layer in range(1, depth + 1):
        a = nn.sigmoid(leaf(1.5, f"w{layer}") * a + leaf(-0.5, f"b{layer}"))
        a.name = f"a{layer}"
    cost = 0.5 * (a - 2.0) ** 2
    cost.name = "C"
    return cost, None


def reused_scalars():
    """Scalars that are used several times, on six paths."""
    x = leaf(2.0, "x")
    h = x * x
    h.name = "h"
    return h * x + np.sin(h) / (1 + h), None


def small_mlp():
    """Two layers on five examples in two dimensions: every array is written out."""
    model = nn.MLP([2, 3, 2], "tanh", rng=0, dtype=np.float64)
    X = np.random.default_rng(0).normal(size=(5, 2))
    loss = nn.softmax_cross_entropy(model(X), np.array([0, 1, 0, 1, 1]))
    loss.name = "loss"
    return loss, model


def wide_mlp():
    """An MLP for images of 28 by 28 pixels on a batch of 8: arrays are shown as heat maps."""
    model = nn.MLP([784, 128, 10], "relu", rng=0)
    X = np.random.default_rng(0).random((8, 784), dtype=np.float32)
    loss = nn.softmax_cross_entropy(model(X), np.arange(8))
    loss.name = "loss"
    return loss, model


def shared_weights():
    """A weight in two places with an L2 term, a skip connection, and a function with several results."""
    rng = np.random.default_rng(1)
    W, b = leaf(rng.normal(size=(3, 3)), "W"), leaf(np.zeros(3), "b")
    x = rng.normal(size=(4, 3))
    h = np.maximum(x @ W + b, 0)
    h = h + np.maximum(h @ W + b, 0)
    eigenvalues, vectors = np.linalg.eigh(h.T @ h)
    loss = np.mean((h - 1) ** 2) + 0.1 * np.sum(W**2) + np.sum(np.log1p(eigenvalues)) + np.sum(vectors[0] ** 4)
    loss.name = "J"
    return loss, None


NETWORKS = [sigmoid_chain, reused_scalars, small_mlp, wide_mlp, shared_weights]


def engine_gradients(loss):
    """The gradient of every node as ``backward()`` leaves it, in the order of the pass; None for a call's results."""
    order = ancestors(loss.node)
    for node in order:
        if node.slot is None and not any(isinstance(n, tuple) for n in node.shape):
            node.slot = GradientSlot()
    loss.backward(retain_graph=True)
    return [None if node.slot is None else node.slot.grad.data for node in order]
