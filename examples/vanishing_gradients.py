"""Lesson 4: the derivative for one weight, layer by layer, and why the first layers of a deep network learn slowly.

    python examples/vanishing_gradients.py                 # 1 to 20 layers of sigmoid, ReLU and leaky ReLU units
    python examples/vanishing_gradients.py --weight 4      # weights that are large enough to make up for the slopes
    python examples/vanishing_gradients.py --data mnist    # and in every layer of a network for images, of MNIST's

A layer ``y_j = f(sum_i x_i w_ij)`` with weights from [-1, 1] and the squared error ``E = 1/2 sum_j (y_j - t_j)^2`` has

    dE/dw_ij = (y_j - t_j) f'(z_j) x_i

With a hidden layer ``h_k = f(sum_i x_i w_ik)`` in between, a first weight reaches every output neuron, and its
derivative is the sum over them:

    dE/dw_ik = [ sum_j (y_j - t_j) f'(z_j) v_kj ] f'(s_k) x_i

In a chain ``a_l = f(w_l a_(l-1) + b_l)`` of single units with the cost ``C = (a_L - y)^2 / 2`` there is one path, and
the gradient of the first weight is a product with a weight and a slope for every layer above it:

    dC/dw_1 = x f'(z_1) * w_2 f'(z_2) * ... * w_L f'(z_L) * (a_L - y)

The slope of a sigmoid is at most 1/4, so with ordinary weights the product shrinks with every layer; that of a ReLU is
1, or exactly 0 for good where its input is negative for all data; that of a leaky ReLU is never 0. The folder of
results has the chains as pictures, coloured by the size of their gradients, a page on which a click on w1 writes out
this product, a plot over the depth, and a table that holds the engine's gradients against the product.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from command_line import Parser, add_out, load_images, make_folder, number, panels, save_page, save_panels, save_picture

import nn
from autograd_lite import Tensor
from autograd_lite.checks import GradientComparison, compare_gradients
from autograd_lite.draw import draw_graph

Array = np.ndarray[Any, Any]

SLOPES = {
    "sigmoid": lambda z: math.exp(-abs(z)) / (1 + math.exp(-abs(z))) ** 2,
    "relu": lambda z: 1.0 if z > 0 else 0.0,
    "leaky_relu": lambda z: 1.0 if z > 0 else 0.01,
}
"""The derivative of each activation, at the preactivation."""

SLOPES_OF_ARRAYS = {
    "sigmoid": lambda z: nn.sigmoid(z) * (1 - nn.sigmoid(z)),
    "relu": lambda z: (z > 0).astype(float),
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
}
"""The same of arrays."""

COLOURS = {"sigmoid": ("#D55E00", "o-"), "relu": ("#0072B2", "s-"), "leaky_relu": ("#009E73", "^--")}


# ---- one weight of one layer, and of two ----


def one_layer(rng: np.random.Generator) -> str:
    """The derivative by one weight of a layer of two sigmoid units with three inputs."""
    x, t = np.array([0.5, -1.0, 0.8]), np.array([1.0, 0.0])
    w = Tensor(rng.uniform(-1, 1, size=(3, 2)), requires_grad=True, name="w")
    y = nn.sigmoid(x @ w)
    (0.5 * np.sum((y - t) ** 2)).backward()
    assert w.grad is not None
    z = x @ w.data
    outputs = 1 / (1 + np.exp(-z))
    error, slope = outputs[0] - t[0], outputs[0] * (1 - outputs[0])
    by_hand = error * slope * x[1]
    return (
        "one layer, the weight from input 2 to output 1\n"
        f"  dE/dw_21 = (y_1 - t_1) f'(z_1) x_2 = ({error:.6f}) * {slope:.6f} * ({x[1]}) = {by_hand:.10f}\n"
        f"  the engine: {w.grad.data[1, 0]:.10f}, apart by {abs(by_hand - w.grad.data[1, 0]):.1e}"
    )


def hidden_layer(rng: np.random.Generator) -> str:
    """The derivative by one weight of a hidden layer, a sum over the output neurons."""
    x, t = np.array([0.5, -1.0, 0.8]), np.array([1.0, 0.0])
    w = Tensor(rng.uniform(-1, 1, size=(3, 4)), requires_grad=True, name="w")
    v = Tensor(rng.uniform(-1, 1, size=(4, 2)), requires_grad=True, name="v")
    (0.5 * np.sum((nn.sigmoid(nn.sigmoid(x @ w) @ v) - t) ** 2)).backward()
    assert w.grad is not None
    h = 1 / (1 + np.exp(-(x @ w.data)))
    y = 1 / (1 + np.exp(-(h @ v.data)))
    i, k = 1, 2
    parts = [(y[j] - t[j]) * y[j] * (1 - y[j]) * v.data[k, j] for j in range(2)]
    by_hand = sum(parts) * h[k] * (1 - h[k]) * x[i]
    told = " + ".join(f"({part:.6f})" for part in parts)
    return (
        "a hidden layer, the weight from input 2 to hidden unit 3\n"
        f"  dE/dw_23 = [ sum over 2 outputs of (y_j - t_j) f'(z_j) v_3j ] f'(s_3) x_2\n"
        f"           = [ {told} ] * {h[k] * (1 - h[k]):.6f} * ({x[i]}) = {by_hand:.10f}\n"
        f"  the engine: {w.grad.data[i, k]:.10f}, apart by {abs(by_hand - w.grad.data[i, k]):.1e}"
    )


def all_of_both_layers(rng: np.random.Generator) -> GradientComparison:
    """The same two derivatives for every weight at once, as matrices, against the engine's."""
    x, t = np.array([0.5, -1.0, 0.8]), np.array([1.0, 0.0])
    w, v = rng.uniform(-1, 1, size=(3, 4)), rng.uniform(-1, 1, size=(4, 2))
    h = 1 / (1 + np.exp(-(x @ w)))
    y = 1 / (1 + np.exp(-(h @ v)))
    delta_y = (y - t) * y * (1 - y)
    delta_h = v @ delta_y * h * (1 - h)
    by_hand = {"w": np.outer(x, delta_h), "v": np.outer(h, delta_y)}

    def error(p: dict[str, Any]) -> Any:
        return 0.5 * np.sum((nn.sigmoid(nn.sigmoid(x @ p["w"]) @ p["v"]) - t) ** 2)

    return compare_gradients(by_hand, error, {"w": w, "v": v})


# ---- a chain of single units ----


@dataclass
class Chain:
    """Units one after the other, each with a weight and a bias."""

    activation: str
    weights: list[Tensor]
    biases: list[Tensor]
    x: float
    y: float

    def cost(self) -> Tensor:
        """``(a_L - y)^2 / 2``, recorded."""
        activation = getattr(nn, self.activation)
        a: Any = self.x
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True), 1):
            a = activation(w * a + b)
            a.name = f"a{layer}"
        cost = 0.5 * (a - self.y) ** 2
        cost.name = "C"
        return cost

    def tensors(self) -> dict[str | None, Tensor]:
        """The parameters by name."""
        return {parameter.name: parameter for parameter in (*self.weights, *self.biases)}

    def first_gradient_by_hand(self) -> float:
        """The product of the weights and slopes along the chain, in plain Python."""
        activation = getattr(nn, self.activation)
        a, product = self.x, self.x
        for layer, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = w.item() * a + b.item()
            product *= SLOPES[self.activation](z) * (w.item() if layer else 1.0)
            a = float(activation(np.array(z)))
        return product * (a - self.y)


def make_chain(activation: str, depth: int, options: argparse.Namespace, biases: list[float] | None = None) -> Chain:
    """A chain with the same weight everywhere."""
    biases = biases or [options.bias] * depth
    return Chain(
        activation,
        [Tensor(options.weight, requires_grad=True, name=f"w{layer}") for layer in range(1, depth + 1)],
        [Tensor(b, requires_grad=True, name=f"b{layer}") for layer, b in enumerate(biases, 1)],
        options.input,
        options.target,
    )


def draw(chain: Chain, folder: Path, name: str, fold: bool = False) -> str:
    """A chain's backward graph with all numbers, coloured by the gradients; says what was written."""
    cost = chain.cost()
    cost.backward(retain_graph=True)
    return save_picture(draw_graph(cost, names=chain.tensors(), values=True, heat="grad", fold=fold), folder, name)


def gradients_over_depth(options: argparse.Namespace) -> dict[str, list[tuple[float, float]]]:
    """For each activation and depth the first weight's gradient, by the engine and by hand."""
    found: dict[str, list[tuple[float, float]]] = {}
    for activation in SLOPES:
        found[activation] = []
        for depth in range(1, options.depth + 1):
            chain = make_chain(activation, depth, options)
            chain.cost().backward()
            engine = chain.weights[0].grad
            assert engine is not None
            found[activation].append((engine.item(), chain.first_gradient_by_hand()))
    return found


# ---- the layers of a network for images ----


def layers_on_images(X: Array, labels: Array, rng: np.random.Generator) -> str:
    """How large the gradients of eight hidden layers of 30 units are, by hand, on a minibatch, with each activation."""
    sizes, Y = [X.shape[1], *[30] * 8, 10], np.eye(10)[labels]
    start = [rng.normal(size=pair) / np.sqrt(pair[0]) for pair in pairwise(sizes)]
    sizes_of: dict[str, list[float]] = {}
    apart = 0.0
    for name, slope in SLOPES_OF_ARRAYS.items():
        f = getattr(nn, name)
        z, a = [], [X]
        for W in start:
            z.append(a[-1] @ W)
            a.append(f(z[-1]))
        delta, gradients = (a[-1] - Y) / len(X) * slope(z[-1]), {}
        for layer in reversed(range(len(start))):
            gradients[f"W{layer + 1}"] = a[layer].T @ delta
            if layer:
                delta = delta @ start[layer].T * slope(z[layer - 1])

        def cost(p: dict[str, Any], f: Any = f) -> Any:
            out: Any = X
            for layer in range(1, len(p) + 1):
                out = f(out @ p[f"W{layer}"])
            return 0.5 * np.sum((out - Y) ** 2) / len(X)

        report = compare_gradients(gradients, cost, {f"W{i}": W for i, W in enumerate(start, 1)})
        apart = max(apart, *(row.relative for row in report.rows))
        sizes_of[name] = [float(np.sqrt(np.mean(g**2))) for _, g in sorted(gradients.items())]
    lines = [
        f"the root mean square of dC/dW in every layer, on {len(X)} images",
        "layer" + "".join(f"{n:>14}" for n in sizes_of),
    ]
    for layer in range(len(start)):
        lines.append(f"{layer + 1:5}" + "".join(f"{values[layer]:14.4e}" for values in sizes_of.values()))
    return "\n".join([*lines, f"by hand and by engine at most {apart:.1e} of the largest entry apart"])


def table(found: dict[str, list[tuple[float, float]]]) -> str:
    """The gradients by the engine, and the largest relative difference from those by hand."""
    header = "depth" + "".join(f"{name:>14}" for name in found) + "   engine against product"
    lines = ["dC/dw1, the gradient of the first weight", header]
    for i in range(len(next(iter(found.values())))):
        pairs = [gradients[i] for gradients in found.values()]
        apart = max(relative_difference(*pair) for pair in pairs)
        lines.append(f"{i + 1:5}" + "".join(f"{engine:14.4e}" for engine, _ in pairs) + f"{apart:25.1e}")
    return "\n".join(lines)


def relative_difference(engine: float, by_hand: float) -> float:
    """Over the larger of the two; 0 if both are 0."""
    larger = max(abs(engine), abs(by_hand))
    return abs(engine - by_hand) / larger if larger else 0.0


def plot(found: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """The size of the first weight's gradient over the depth, on a logarithmic scale."""
    figure, (axes,) = panels(1, width=7, height=4.2)
    for activation, gradients in found.items():
        colour, style = COLOURS[activation]
        sizes = np.abs([engine for engine, _ in gradients])
        label = activation.replace("_", " ") + (" (exactly 0)" if not sizes.any() else "")
        axes.plot(np.arange(1, len(sizes) + 1), np.where(sizes, sizes, np.nan), style, color=colour, label=label)
    if any(engine for gradients in found.values() for engine, _ in gradients):
        axes.set_yscale("log")
    axes.set(title="What reaches the first weight of a chain", xlabel="layers", ylabel="|dC/dw1|")
    axes.xaxis.get_major_locator().set_params(integer=True)
    save_panels(figure, path)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, from the command line by default."""
    parser = Parser("vanishing_gradients.py", __doc__)
    add = parser.add_argument
    add("--depth", type=number(int, 1), default=20, metavar="N", help="the most layers (default: %(default)s)")
    add("--weight", type=number(float), default=1.0, metavar="W", help="of every unit (default: %(default)s)")
    add("--bias", type=number(float), default=0.0, metavar="B", help="of every unit (default: %(default)s)")
    add("--input", type=number(float), default=1.0, metavar="X", help="of the first unit (default: %(default)s)")
    add("--target", type=number(float), default=2.0, metavar="Y", help="for the last unit (default: %(default)s)")
    add(
        "--data",
        choices=["chain", "digits", "mnist"],
        default="chain",
        help="images as well (default: %(default)s alone)",
    )
    add("--mnist-root", metavar="FOLDER", help="MNIST's four files, to read instead of a download")
    add_out(parser, "vanishing_gradients")
    options = parser.parse_args(arguments)
    make_folder(parser, options.out)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Compute, draw, report, and return the exit status."""
    options = parse(arguments)
    rng = np.random.default_rng(options.seed)
    print(f"{one_layer(rng)}\n\n{hidden_layer(rng)}\n\n{all_of_both_layers(rng)}\n")
    found = gradients_over_depth(options)
    text = table(found)
    (options.out / "gradients.txt").write_text(f"{text}\n")
    plot(found, options.out / "gradients_over_depth.png")

    # The second unit's input is negative: as a ReLU it is dead, and nothing reaches the weights up to it.
    first = nn.relu(np.array(options.weight * options.input + options.bias)).item()
    dead = [options.bias, -abs(options.weight) * first - 1.0, 0.5]
    pictures = [
        draw(make_chain("sigmoid", 3, options), options.out, "two_hidden_sigmoid"),
        draw(make_chain("relu", 3, options), options.out, "two_hidden_relu"),
        draw(make_chain("relu", 3, options, dead), options.out, "dead_relu"),
        draw(make_chain("leaky_relu", 3, options, dead), options.out, "dead_relu_made_leaky"),
        draw(make_chain("sigmoid", options.depth, options), options.out, "deep_sigmoid", fold=True),
    ]
    chain = make_chain("sigmoid", 3, options)
    pages = save_page(chain.cost(), options.out, "two_hidden_sigmoid", names=chain.tensors())
    print(text)
    for activation, what in (("relu", "as a ReLU"), ("leaky_relu", "as a leaky ReLU")):
        chain = make_chain(activation, 3, options, dead)
        chain.cost().backward()
        assert chain.weights[0].grad is not None
        print(f"a unit whose input is negative, {what}: dC/dw1 = {chain.weights[0].grad.item():.4e}")
    if options.data != "chain":
        X, labels, *_ = load_images(options)
        print(f"\n{layers_on_images(X[:64], labels[:64], rng)}")
    written = (*pictures, *pages, "gradients.txt", "gradients_over_depth.png")
    print(f"\nwritten to {options.out}: {', '.join(written)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
