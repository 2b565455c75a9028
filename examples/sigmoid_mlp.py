"""Lesson 1: a multilayer perceptron with sigmoid units, trained by minibatch gradient descent, by hand and by engine.

    python examples/sigmoid_mlp.py                     # scikit-learn's 8x8 digits: no download, a few seconds
    python examples/sigmoid_mlp.py --data mnist        # MNIST: 784-128-10, minibatches of 128, 10 epochs

With examples as rows the network is ``z_l = a_(l-1) W_l + b_l`` and ``a_l = sigmoid(z_l)``, and its cost the quadratic
one, ``C = 1/(2m) sum ||a_L - y||^2`` over a minibatch of m. Its gradients follow from the deltas ``dC/dz_l``:

    delta_L = (a_L - y) / m * a_L (1 - a_L)
    delta_l = (delta_(l+1) W_(l+1)^T) * a_l (1 - a_l)
    dC/dW_l = a_(l-1)^T delta_l        dC/db_l = sum of delta_l over the minibatch

In each epoch the examples are shuffled anew and cut into ceil(N/m) minibatches; all but the last train the network, and
the last is the running validation. The folder of results has the gradients by hand and by engine as a table, and a plot
of batch against minibatch gradient descent: the cost over the examples seen, and the path over a cost surface.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from command_line import Parser, add_data, add_out, load_images, make_folder, number, panels, save_panels

import nn
from autograd_lite import Tensor
from autograd_lite.checks import compare_gradients

Array = np.ndarray[Any, Any]


def sigmoid(z: Array) -> Array:
    """``1 / (1 + exp(-z))``."""
    return 1 / (1 + np.exp(-z))


# ---- by hand ----


class MLP:
    """A multilayer perceptron from a list of layer sizes, with small random weights, in plain NumPy."""

    def __init__(self, sizes: list[int], rng: np.random.Generator, scale: float = 0.1) -> None:
        self.weights = [scale * rng.normal(size=(n, m)) for n, m in pairwise(sizes)]
        self.biases = [np.zeros(m) for m in sizes[1:]]

    def activations(self, X: Array) -> list[Array]:
        """The input and every layer's output."""
        a = [X]
        for W, b in zip(self.weights, self.biases, strict=True):
            a.append(sigmoid(a[-1] @ W + b))
        return a

    def cost(self, X: Array, Y: Array) -> float:
        """``1/(2m) sum ||a_L - y||^2``."""
        return float(np.sum((self.activations(X)[-1] - Y) ** 2) / 2 / len(X))

    def gradients(self, X: Array, Y: Array) -> tuple[list[Array], list[Array]]:
        """Those of the weights and of the biases, by backpropagation."""
        a = self.activations(X)
        delta = (a[-1] - Y) / len(X) * a[-1] * (1 - a[-1])
        of_weights, of_biases = [], []
        for layer in reversed(range(len(self.weights))):
            of_weights.insert(0, a[layer].T @ delta)
            of_biases.insert(0, delta.sum(axis=0))
            delta = delta @ self.weights[layer].T * a[layer] * (1 - a[layer])
        return of_weights, of_biases

    def step(self, X: Array, Y: Array, lr: float) -> None:
        """A step of gradient descent on a minibatch."""
        for parameters, gradients in zip((self.weights, self.biases), self.gradients(X, Y), strict=True):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= lr * gradient

    def accuracy(self, X: Array, labels: Array) -> float:
        """The share of examples whose largest output is that of their class."""
        return float(np.mean(self.activations(X)[-1].argmax(axis=1) == labels))


def minibatches(X: Array, Y: Array, size: int, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """All examples in a new order, cut into ceil(N / size) minibatches."""
    order = rng.permutation(len(X))
    return [(X[rows], Y[rows]) for rows in np.array_split(order, range(size, len(X), size))]


def train(
    mlp: MLP, X: Array, Y: Array, test: tuple[Array, Array], options: argparse.Namespace
) -> list[dict[str, float]]:
    """Minibatch gradient descent: all but the last minibatch of an epoch train, the last is the running validation."""
    rng = np.random.default_rng(options.seed)
    history = []
    for epoch in range(1, options.epochs + 1):
        *training, (X_val, Y_val) = minibatches(X, Y, options.batch_size, rng)
        for X_batch, Y_batch in training:
            mlp.step(X_batch, Y_batch, options.lr)
        history.append(
            {
                "epoch": epoch,
                "cost": float(np.mean([mlp.cost(*batch) for batch in training])),
                "validation": mlp.accuracy(X_val, Y_val.argmax(axis=1)),
                "test": mlp.accuracy(*test),
            }
        )
        print("  ".join([f"epoch {epoch:2}", *(f"{k} {v:.4f}" for k, v in history[-1].items() if k != "epoch")]))
    return history


# ---- by engine ----


def engine_cost(weights: list[Tensor], biases: list[Tensor], X: Array, Y: Array) -> Tensor:
    """The same cost as a NumPy expression on tensors."""
    a: Any = X
    for W, b in zip(weights, biases, strict=True):
        a = nn.sigmoid(a @ W + b)
    return np.sum((a - Y) ** 2) / 2 / len(X)


def as_tensors(mlp: MLP) -> tuple[list[Tensor], list[Tensor]]:
    """Copies of the network's parameters that record what is computed with them."""
    weights = [Tensor(W.copy(), requires_grad=True, name=f"W{i}") for i, W in enumerate(mlp.weights, 1)]
    biases = [Tensor(b.copy(), requires_grad=True, name=f"b{i}") for i, b in enumerate(mlp.biases, 1)]
    return weights, biases


def compare(mlp: MLP, X: Array, Y: Array) -> Any:
    """The gradients by hand against the engine's."""
    weights, biases = as_tensors(mlp)
    engine_cost(weights, biases, X, Y).backward()
    by_hand = {}
    for kind, gradients in zip("Wb", mlp.gradients(X, Y), strict=True):
        by_hand |= {f"{kind}{i}": gradient for i, gradient in enumerate(gradients, 1)}
    return compare_gradients(by_hand, {tensor.name: tensor for tensor in (*weights, *biases)})


def difference_after_training(mlp: MLP, X: Array, Y: Array, steps: int, options: argparse.Namespace) -> float:
    """How far the weights by hand and by engine are apart after some steps from the same start."""
    weights, biases = as_tensors(mlp)
    optimizer = nn.SGD([*weights, *biases], lr=options.lr)
    rng = np.random.default_rng(options.seed)
    for X_batch, Y_batch in minibatches(X, Y, options.batch_size, rng)[:steps]:
        mlp.step(X_batch, Y_batch, options.lr)
        optimizer.zero_grad()
        engine_cost(weights, biases, X_batch, Y_batch).backward()
        optimizer.step()
    pairs = zip((*mlp.weights, *mlp.biases), (*weights, *biases), strict=True)
    return max(float(np.abs(by_hand - tensor.data).max()) for by_hand, tensor in pairs)


# ---- batch against minibatch ----


def descend(
    sizes: list[int], X: Array, Y: Array, batch_size: int, seen: int, lr: float, seed: int
) -> list[tuple[int, float]]:
    """The cost on all examples over the number of examples that the gradients were of."""
    rng = np.random.default_rng(seed)
    mlp, count, curve = MLP(sizes, np.random.default_rng(seed)), 0, []
    while count < seen:
        for X_batch, Y_batch in minibatches(X, Y, batch_size, rng):
            if not curve or count - curve[-1][0] >= len(X) // 10:
                curve.append((count, mlp.cost(X, Y)))
            mlp.step(X_batch, Y_batch, lr)
            count += len(X_batch)
    return [*curve, (count, mlp.cost(X, Y))]


def surface() -> dict[str, Any]:
    """A single sigmoid unit on points of a line: the cost over its weight and bias, and two paths down."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 1))
    y = (x + 0.6 * rng.normal(size=x.shape) > 0.3).astype(float)
    w, b = np.meshgrid(np.linspace(-3, 6, 80), np.linspace(-4, 4, 80))
    cost = np.mean((sigmoid(w[..., None] * x[:, 0] + b[..., None]) - y[:, 0]) ** 2, axis=-1) / 2
    paths = {}
    for name, size, epochs in (("batch", 64, 60), ("minibatch of 4", 4, 20)):
        unit = MLP([1, 1], rng)
        unit.weights[0][:], unit.biases[0][:] = -2.0, 3.0
        path = [(-2.0, 3.0)]
        for _ in range(epochs):
            for X_batch, Y_batch in minibatches(x, y, size, rng):
                unit.step(X_batch, Y_batch, 6.0)
                path.append((unit.weights[0].item(), unit.biases[0].item()))
        paths[name] = np.array(path)
    return {"w": w, "b": b, "cost": cost, "paths": paths}


def plot(history: list[dict[str, float]], curves: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """The epochs, batch against minibatch over the examples seen, and over a cost surface."""
    figure, (left, middle, right) = panels(3, width=13)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["validation"] for row in history], "o-", color="#0072B2", markersize=3, label="validation")
    left.plot(epochs, [row["test"] for row in history], "s--", color="#D55E00", markersize=3, label="test")
    left.set(title="Accuracy", xlabel="epoch", ylabel="share read right")
    for (name, curve), colour, line in zip(curves.items(), ("#D55E00", "#0072B2"), ("--", "-"), strict=True):
        middle.plot(*zip(*curve, strict=True), line, color=colour, label=name)
    middle.set(title="Cost over the examples seen", xlabel="examples", ylabel="quadratic cost")
    found = surface()
    right.contour(found["w"], found["b"], found["cost"], levels=16, colors="#999999", linewidths=0.7)
    for (name, steps), colour, line in zip(found["paths"].items(), ("#D55E00", "#0072B2"), ("o--", "-"), strict=True):
        right.plot(steps[:, 0], steps[:, 1], line, color=colour, markersize=2.5, linewidth=1, label=name)
    right.set(title="Paths over the cost of one unit", xlabel="weight", ylabel="bias")
    save_panels(figure, path)


# ---- the command line ----


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, from the command line by default."""
    parser = Parser("sigmoid_mlp.py", __doc__)
    count = number(int, 1)
    add = parser.add_argument
    add_data(parser)
    add("--hidden", type=count, nargs="*", metavar="N", help="units of each hidden layer (default: 32, for MNIST 128)")
    add("--epochs", type=count, metavar="N", help="passes over the training data (default: 30, for MNIST 10)")
    add("--batch-size", type=count, metavar="N", help="examples in a minibatch (default: 16, for MNIST 128)")
    add("--lr", type=number(float, 0, above=True), metavar="RATE", help="learning rate (default: 3, for MNIST 1)")
    add_out(parser, "sigmoid_mlp")
    options = parser.parse_args(arguments)
    on_mnist = options.data == "mnist"
    options.hidden = [128 if on_mnist else 32] if options.hidden is None else options.hidden
    options.epochs = options.epochs or (10 if on_mnist else 30)
    options.lr = options.lr or (1.0 if on_mnist else 3.0)
    options.batch_size = options.batch_size or (128 if on_mnist else 16)
    make_folder(parser, options.out)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Train, compare, plot, report, and return the exit status."""
    options = parse(arguments)
    X, labels, X_test, labels_test = load_images(options)
    Y = np.eye(10)[labels]
    sizes = [X.shape[1], *options.hidden, 10]
    mlp = MLP(sizes, np.random.default_rng(options.seed))
    count = math.ceil(len(X) / options.batch_size)
    print(f"{'-'.join(map(str, sizes))}, {len(X)} examples in {count} minibatches, the last of them for validation\n")

    comparison = compare(mlp, X[: options.batch_size], Y[: options.batch_size])
    (options.out / "gradients.txt").write_text(f"{comparison}\n")
    print(f"the gradients of the first minibatch, by hand and by engine:\n{comparison}\n")
    apart = difference_after_training(MLP(sizes, np.random.default_rng(options.seed)), X, Y, 100, options)
    print(f"weights by hand and by engine after 100 steps: at most {apart:.1e} apart\n")

    start = time.perf_counter()
    history = train(mlp, X, Y, (X_test, labels_test), options)
    print(
        f"\ntest accuracy {history[-1]['test']:.2%} after {options.epochs} epochs, {time.perf_counter() - start:.1f} s"
    )

    some = slice(None, 2000)
    seen = 5 * len(X[some])
    curves = {
        f"batch, all {len(X[some])} examples a step": descend(
            sizes, X[some], Y[some], len(X[some]), seen, options.lr, 0
        ),
        f"minibatches of {options.batch_size}": descend(
            sizes, X[some], Y[some], options.batch_size, seen, options.lr, 0
        ),
    }
    for name, curve in curves.items():
        print(f"cost after {curve[-1][0]} examples: {curve[-1][1]:.4f} by {name}")
    plot(history, curves, options.out / "batch_and_minibatch.png")
    print(f"\nwritten to {options.out}: batch_and_minibatch.png, gradients.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
