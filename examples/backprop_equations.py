"""Lesson 2: the backpropagation equations for any depth and any activation, with an L2 penalty, by hand and by engine.

    python examples/backprop_equations.py                              # 1-24-24-1, tanh, on noisy points of a sine
    python examples/backprop_equations.py --layers 16:relu 8:sigmoid   # other hidden layers, each with its activation
    python examples/backprop_equations.py --data mnist                 # on 300 images of MNIST, or of the 8x8 "digits"

For a network ``z_l = a_(l-1) W_l + b_l``, ``a_l = f_l(z_l)`` with examples as rows, the mean squared error
``J = 1/m sum ||a_L - y||^2`` and the penalty ``Omega = 1/2 sum over layers of ||W_l||^2``, which leaves the biases out:

    J^ = J + alpha Omega
    delta_L = 2/m (a_L - y) * f_L'(z_L)                      the output layer's delta, dJ/dz_L
    delta_l = (delta_(l+1) W_(l+1)^T) * f_l'(z_l)            from layer to layer, backwards
    dJ^/dW_l = a_(l-1)^T delta_l + alpha W_l                 the penalty shrinks the weights
    dJ^/db_l = sum of delta_l over the examples              and not the biases

It prints the deltas of every layer by hand against those that the engine leaves in ``z_l.grad``, and what the penalty
does to a network that has more weights than there are training points: the gap between its errors on them and others.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from command_line import Parser, add_out, load_images, make_folder, number, panels, save_panels

import nn
from autograd_lite import Tensor
from autograd_lite.checks import compare_gradients

Array = np.ndarray[Any, Any]

# Each activation with its derivative, as a function of z and of a = f(z).
ACTIVATIONS = {
    "identity": (lambda z: z, lambda z, a: np.ones_like(z)),
    "sigmoid": (nn.sigmoid, lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (nn.relu, lambda z, a: (z > 0).astype(z.dtype)),
    "leaky_relu": (nn.leaky_relu, lambda z, a: np.where(z > 0, 1.0, 0.01)),
    "softplus": (nn.softplus, lambda z, a: nn.sigmoid(z)),
}


@dataclass
class Network:
    """Layers of any number, each with its own activation."""

    weights: list[Array]
    biases: list[Array]
    activations: list[str]


def make_network(sizes: list[int], activations: list[str], rng: np.random.Generator) -> Network:
    """With weights that keep the variance from layer to layer."""
    weights = [rng.normal(size=(n, m)) / np.sqrt(n) for n, m in pairwise(sizes)]
    return Network(weights, [np.zeros(m) for m in sizes[1:]], activations)


# ---- by hand ----


def forward(net: Network, X: Array) -> tuple[list[Array], list[Array]]:
    """Every layer's z, and the input with every layer's a."""
    z, a = [], [X]
    for W, b, name in zip(net.weights, net.biases, net.activations, strict=True):
        f, _ = ACTIVATIONS[name]
        z.append(a[-1] @ W + b)
        a.append(f(z[-1]))
    return z, a


def backward(net: Network, X: Array, Y: Array, alpha: float) -> tuple[list[Array], dict[str, Array]]:
    """The deltas of every layer, and the gradients of J^."""
    z, a = forward(net, X)
    slopes = [ACTIVATIONS[name][1](*pair) for name, *pair in zip(net.activations, z, a[1:], strict=True)]
    deltas = [2 / len(X) * (a[-1] - Y) * slopes[-1]]
    for W, slope in zip(net.weights[:0:-1], slopes[-2::-1], strict=True):
        deltas.insert(0, deltas[0] @ W.T * slope)
    gradients = {}
    for layer, (W, delta) in enumerate(zip(net.weights, deltas, strict=True), 1):
        gradients[f"W{layer}"] = a[layer - 1].T @ delta + alpha * W
        gradients[f"b{layer}"] = delta.sum(axis=0)
    return deltas, gradients


def error(net: Network, X: Array, Y: Array) -> float:
    """J, the mean squared error."""
    return float(np.mean(np.sum((forward(net, X)[1][-1] - Y) ** 2, axis=1)))


def train(net: Network, X: Array, Y: Array, alpha: float, steps: int, lr: float) -> None:
    """Gradient descent with momentum on J^, by hand."""
    parameters = {f"W{i}": W for i, W in enumerate(net.weights, 1)} | {f"b{i}": b for i, b in enumerate(net.biases, 1)}
    velocity = {name: np.zeros_like(parameter) for name, parameter in parameters.items()}
    for _ in range(steps):
        _, gradients = backward(net, X, Y, alpha)
        for name, parameter in parameters.items():
            velocity[name] = 0.9 * velocity[name] + gradients[name]
            parameter -= lr * velocity[name]


# ---- by engine ----


def by_engine(net: Network, X: Array, Y: Array, alpha: float) -> tuple[list[Array], dict[str, Tensor]]:
    """The same deltas and gradients, from the network as NumPy expressions on tensors."""
    named = {f"W{i}": W for i, W in enumerate(net.weights, 1)} | {f"b{i}": b for i, b in enumerate(net.biases, 1)}
    p = {name: Tensor(array.copy(), requires_grad=True, name=name) for name, array in named.items()}
    a: Any = X
    z: list[Tensor] = []
    for layer, name in enumerate(net.activations, 1):
        z.append(a @ p[f"W{layer}"] + p[f"b{layer}"])
        z[-1].retain_grad()
        a = ACTIVATIONS[name][0](z[-1])
    omega = sum(np.sum(p[f"W{layer}"] ** 2) for layer in range(1, len(z) + 1)) / 2
    (np.sum((a - Y) ** 2) / len(X) + alpha * omega).backward()
    return [tensor.grad.data for tensor in z if tensor.grad is not None], p


def table_of_deltas(net: Network, deltas: list[Array], engine: list[Array]) -> str:
    """Each layer's deltas by hand and by engine."""
    lines = ["delta    activation   shape       root mean square   largest difference from z.grad"]
    for layer, (name, delta, found) in enumerate(zip(net.activations, deltas, engine, strict=True), 1):
        size, apart = np.sqrt(np.mean(delta**2)), np.abs(delta - found).max()
        lines.append(f"delta_{layer}  {name:<11}  {delta.shape!s:<10}  {size:16.3e}   {apart:.1e}")
    return "\n".join(lines)


# ---- overfitting, and what the penalty does to it ----


def noisy_sine(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points of a sine with noise."""
    X = rng.uniform(-3, 3, size=(count, 1))
    return X, np.sin(X) + 0.3 * rng.normal(size=X.shape)


def load(options: argparse.Namespace) -> tuple[Array, Array, Array, Array]:
    """A few points or images to train on with their targets, and 1000 others; of images, a 1 for the digit."""
    rng = np.random.default_rng(options.seed)
    if options.data == "sine":
        return *noisy_sine(options.points, rng), *noisy_sine(1000, rng)
    X, labels, X_test, labels_test = load_images(options)
    some = rng.permutation(len(X))[: options.points]
    return X[some], np.eye(10)[labels[some]], X_test[:1000], np.eye(10)[labels_test[:1000]]


def study(
    sizes: list[int], activations: list[str], data: tuple[Array, Array, Array, Array], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The same network trained with several alphas on few examples: its errors on them and on many others."""
    X, Y, X_test, Y_test = data
    found = []
    for alpha in options.alphas:
        net = make_network(sizes, activations, np.random.default_rng(options.seed + 1))
        train(net, X, Y, alpha, options.steps, options.lr)
        row = {"alpha": alpha, "train": error(net, X, Y), "test": error(net, X_test, Y_test)}
        row["size"] = float(np.sqrt(sum(np.sum(W**2) for W in net.weights)))
        found.append(row | {"net": net})
    return found


def accuracy(net: Network, X: Array, Y: Array) -> float:
    """The share of examples whose largest output is that of their class."""
    return float(np.mean(forward(net, X)[1][-1].argmax(axis=1) == Y.argmax(axis=1)))


def plot(found: list[dict[str, Any]], data: tuple[Array, Array, Array, Array], path: Path) -> None:
    """The fitted curves, or the accuracies of images, and both errors over alpha."""
    figure, (left, right) = panels(2)
    alphas = range(len(found))
    if data[1].shape[1] == 1:
        line = np.linspace(-3, 3, 400)[:, None]
        left.plot(*data[:2], "o", color="#333333", markersize=4, label="training points")
        left.plot(line, np.sin(line), ":", color="#777777", label="without noise")
        best = min(found, key=lambda row: row["test"])
        for row, colour, style in ((found[0], "#D55E00", "--"), (best, "#0072B2", "-")):
            left.plot(line, forward(row["net"], line)[1][-1], style, color=colour, label=f"alpha = {row['alpha']:g}")
        left.set(title="What the network has learned", xlabel="x", ylabel="y", ylim=(-2, 2))
    else:
        left.plot(alphas, [accuracy(row["net"], *data[:2]) for row in found], "o-", color="#0072B2", label="training")
        left.plot(alphas, [accuracy(row["net"], *data[2:]) for row in found], "s--", color="#D55E00", label="test")
        left.set(title="Share of images read right", xlabel="alpha")
        left.set_xticks(alphas, [f"{row['alpha']:g}" for row in found])
    right.plot(alphas, [row["train"] for row in found], "o-", color="#0072B2", label="training")
    right.plot(alphas, [row["test"] for row in found], "s--", color="#D55E00", label="test")
    right.set(title="Mean squared error", xlabel="alpha", yscale="log")
    right.set_xticks(alphas, [f"{row['alpha']:g}" for row in found])
    save_panels(figure, path)


# ---- the command line ----


def layer(text: str) -> tuple[int, str]:
    """A hidden layer, as ``units:activation``."""
    units, _, name = text.partition(":")
    name = name or "tanh"
    if name not in ACTIVATIONS or not units.isdigit() or int(units) < 1:
        expected = f"a number of units and one of {', '.join(ACTIVATIONS)}, as in 16:relu"
        raise argparse.ArgumentTypeError(f"expected {expected}; got {text!r}")
    return int(units), name


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, from the command line by default."""
    parser = Parser("backprop_equations.py", __doc__)
    add = parser.add_argument
    add("--layers", type=layer, nargs="+", default=[(24, "tanh"), (24, "tanh")], metavar="N:NAME", help="hidden layers")
    add("--data", choices=["sine", "digits", "mnist"], default="sine", help="what to learn (default: %(default)s)")
    add("--mnist-root", metavar="FOLDER", help="MNIST's four files, to read instead of a download")
    add("--points", type=number(int, 2), metavar="N", help="examples to train on (default: 16, of images 300)")
    add(
        "--alphas",
        type=number(float, 0),
        nargs="+",
        default=[0.0, 1e-4, 1e-3, 1e-2, 1e-1],
        metavar="A",
        help="penalties",
    )
    add("--steps", type=number(int, 1), metavar="N", help="of training (default: 6000, on images 1000)")
    add("--lr", type=number(float, 0, above=True), default=0.02, metavar="RATE", help="(default: %(default)s)")
    add_out(parser, "backprop_equations")
    options = parser.parse_args(arguments)
    options.points = options.points or (16 if options.data == "sine" else 300)
    options.steps = options.steps or (6000 if options.data == "sine" else 1000)
    make_folder(parser, options.out)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Compare, train, report, and return the exit status."""
    options = parse(arguments)
    data = load(options)
    X, Y = data[:2]
    sizes = [X.shape[1], *(units for units, _ in options.layers), Y.shape[1]]
    activations = [*(name for _, name in options.layers), "identity"]
    net = make_network(sizes, activations, np.random.default_rng(options.seed))
    alpha = max(options.alphas)
    deltas, gradients = backward(net, X, Y, alpha)
    engine_deltas, parameters = by_engine(net, X, Y, alpha)
    comparison = compare_gradients(gradients, parameters)
    text = f"{table_of_deltas(net, deltas, engine_deltas)}\n\n{comparison}"
    (options.out / "gradients.txt").write_text(f"{text}\n")
    print(f"{'-'.join(map(str, sizes))}: the deltas, and the gradients of J + {alpha:g} Omega\n\n{text}\n")

    found = study(sizes, activations, data, options)
    count = sum(W.size for W in net.weights) + sum(b.size for b in net.biases)
    print(f"{count} weights and biases, {len(X)} training examples, {len(data[2])} test examples")
    print("   alpha  training error  test error       gap  size of the weights")
    for row in found:
        gap = row["test"] - row["train"]
        print(f"{row['alpha']:8g}{row['train']:16.4f}{row['test']:12.4f}{gap:10.4f}{row['size']:21.2f}")
    plot(found, data, options.out / "regularization.png")
    print(f"\nwritten to {options.out}: gradients.txt, regularization.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
