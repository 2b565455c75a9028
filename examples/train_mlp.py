"""Train a multilayer perceptron on handwritten digits, and look at everything on the way.

    python examples/train_mlp.py                     # scikit-learn's 8x8 digits: no download, a few seconds
    python examples/train_mlp.py --data mnist        # MNIST, downloaded once
    python examples/train_mlp.py --hidden 64 32 --activation tanh --optimizer sgd --lr 0.5

It prints the test accuracy, for each digit too, and writes a folder with the learning curves, the forward and backward
graph of the first minibatch, coloured by its gradients, a page that plays its backward pass step by step, the digits
that are misread, the weights, and the table that holds every parameter's gradient as the engine computes it against the
one derived by hand, in the function `gradients_by_hand` below.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from command_line import Parser, add_data, add_out, make_folder, number, save_page, save_picture
from tqdm import tqdm

import nn
from autograd_lite import no_grad
from autograd_lite.checks import GradientComparison, compare_gradients
from autograd_lite.draw import draw_graph

Array = np.ndarray[Any, Any]

# ---- backpropagation by hand ----

SIGMOID = nn.sigmoid

# Each activation's derivative, as a function of z and of a = f(z).
DERIVATIVES = {
    "relu": lambda z, a: (z > 0).astype(z.dtype),
    "leaky_relu": lambda z, a: np.where(z > 0, 1.0, 0.01),
    "elu": lambda z, a: np.where(z > 0, 1.0, a + 1),
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a**2,
    "softplus": lambda z, a: SIGMOID(z),
    "silu": lambda z, a: SIGMOID(z) * (1 + z * (1 - SIGMOID(z))),
}


def gradients_by_hand(
    weights: list[Array], biases: list[Array], X: Array, y: Array, activation: str
) -> dict[str, Array]:
    """The gradients of the mean cross-entropy, by the backpropagation equations, in plain NumPy.

    With examples as rows, ``z_l = a_(l-1) W_l + b_l`` and ``a_l = f(z_l)``, the deltas are
    ``delta_L = (softmax(z_L) - t) / n`` and ``delta_l = delta_(l+1) W_(l+1)^T * f'(z_l)``, and from them
    ``dW_l = a_(l-1)^T delta_l`` and ``db_l = sum over the rows of delta_l``.
    """
    f, derivative = getattr(nn, activation), DERIVATIVES[activation]
    z, a = [], [X]
    for W, b in zip(weights, biases, strict=True):
        z.append(a[-1] @ W + b)
        a.append(f(z[-1]))
    exponentials = np.exp(z[-1] - z[-1].max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    targets = np.eye(probabilities.shape[1])[y]
    delta = (probabilities - targets) / len(X)
    gradients = {}
    for layer in reversed(range(len(weights))):
        gradients[f"layers.{2 * layer}.weight"] = a[layer].T @ delta
        gradients[f"layers.{2 * layer}.bias"] = delta.sum(axis=0)
        if layer:
            delta = (delta @ weights[layer].T) * derivative(z[layer - 1], a[layer])
    return gradients


def compare_with_hand(model: nn.MLP, X: Array, y: Array, activation: str) -> GradientComparison:
    """The engine's gradients for a minibatch against those by hand, both in double precision."""
    state = model.state_dict()
    sizes = [X.shape[1], *(array.shape[0] for name, array in state.items() if name.endswith("bias"))]
    double = nn.MLP(sizes, activation, dtype=np.float64)
    double.load_state_dict(state)
    X = X.astype(np.float64)
    nn.softmax_cross_entropy(double(X), y).backward()
    arrays = double.state_dict()
    weights = [array for name, array in arrays.items() if name.endswith("weight")]
    biases = [array for name, array in arrays.items() if name.endswith("bias")]
    return compare_gradients(gradients_by_hand(weights, biases, X, y, activation), double)


# ---- training ----

OPTIMIZERS = {"sgd": nn.SGD, "rmsprop": nn.RMSprop, "adagrad": nn.Adagrad, "adam": nn.Adam, "adamw": nn.AdamW}


@dataclass
class History:
    """What training went through."""

    losses: list[float] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    interrupted: bool = False


@dataclass
class Digits:
    """Images as rows of numbers in [0, 1], and their labels."""

    X_train: Array
    y_train: Array
    X_test: Array
    y_test: Array
    side: int


def load_digits(data: str, root: str | None, seed: int) -> Digits:
    """The 8x8 digits bundled with scikit-learn, a fifth of them for the test; or MNIST with its own test set."""
    if data == "mnist":
        mnist = nn.data.load_mnist(root)
        return Digits(mnist.train_images, mnist.train_labels, mnist.test_images, mnist.test_labels, 28)
    from sklearn.datasets import load_digits as load_bundled

    X, y = load_bundled(return_X_y=True)
    X = (X / 16).astype(np.float32)
    X_train, X_test, y_train, y_test = nn.data.train_test_split(X, y, test_size=0.2, stratify=y, rng=seed)
    return Digits(X_train, y_train, X_test, y_test, 8)


def predict(model: nn.Module, X: Array, rows: int = 4096) -> Array:
    """The class with the largest output, for each row."""
    with no_grad():
        return np.concatenate([np.argmax(model(X[i : i + rows]), axis=1) for i in range(0, len(X), rows)])


def make_optimizer(model: nn.Module, name: str, lr: float, weight_decay: float) -> nn.Optimizer:
    """An optimizer whose weight decay is on the weights, and not on the biases."""
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
    biases = [p for name, p in model.named_parameters() if not name.endswith("weight")]
    groups = [{"params": weights, "weight_decay": weight_decay}, {"params": biases, "weight_decay": 0.0}]
    return OPTIMIZERS[name](groups, lr=lr)


def train(model: nn.MLP, digits: Digits, options: argparse.Namespace) -> History:
    """Minibatch training with a progress bar; Ctrl-C ends it with the history so far."""
    optimizer = make_optimizer(model, options.optimizer, options.lr, options.weight_decay)
    batches = nn.data.Minibatches(digits.X_train, digits.y_train, batch_size=options.batch_size, rng=options.seed)
    history = History()
    try:
        with tqdm(total=options.epochs * len(batches), unit="step", desc="training") as bar:
            for epoch in range(options.epochs):
                for X, y in batches:
                    optimizer.zero_grad()
                    loss = nn.softmax_cross_entropy(model(X), y)
                    loss.backward()
                    optimizer.step()
                    history.losses.append(loss.item())
                    history.epochs.append(epoch + (len(history.losses) - epoch * len(batches)) / len(batches))
                    bar.update()
                history.train_accuracy.append(float(np.mean(predict(model, digits.X_train) == digits.y_train)))
                history.test_accuracy.append(float(np.mean(predict(model, digits.X_test) == digits.y_test)))
                bar.set_postfix(loss=f"{history.losses[-1]:.4f}", test=f"{history.test_accuracy[-1]:.2%}")
    except KeyboardInterrupt:
        history.interrupted = True
    return history


# ---- what is printed and written ----


def per_class_table(labels: Array, predicted: Array) -> str:
    """For each digit how often it was read right, and what it was most often taken for."""
    lines = ["digit  examples  right  accuracy  most often misread as"]
    for digit in range(10):
        of_digit = predicted[labels == digit]
        wrong = np.bincount(of_digit[of_digit != digit], minlength=10)
        misread = f"{wrong.argmax()} ({wrong.max()} of {wrong.sum()} misread)" if wrong.any() else "-"
        right = int(np.sum(of_digit == digit))
        share = f"{right / len(of_digit):.1%}" if len(of_digit) else "-"
        lines.append(f"{digit:5}  {len(of_digit):8}  {right:5}  {share:>8}  {misread}")
    return "\n".join(lines)


def plot_learning_curves(history: History, path: Path) -> None:
    """The loss of every minibatch with its running mean, and the accuracies after each epoch."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    losses = np.array(history.losses)
    window = max(1, len(losses) // 50)
    running = np.convolve(losses, np.ones(window) / window, mode="valid")
    left.plot(history.epochs, losses, color="#0072B2", alpha=0.25, linewidth=0.8, label="minibatch")
    left.plot(history.epochs[window - 1 :], running, color="#0072B2", linewidth=2, label=f"mean of {window}")
    left.set(title="Training loss", xlabel="epoch", ylabel="cross-entropy", yscale="log", xlim=(0, None))
    epochs = np.arange(1, len(history.test_accuracy) + 1)
    right.plot(epochs, history.train_accuracy, "o-", color="#0072B2", markersize=3, label="training")
    right.plot(epochs, history.test_accuracy, "s--", color="#D55E00", markersize=3, label="test")
    right.set(title="Accuracy", xlabel="epoch", ylabel="share read right")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_misread(digits: Digits, predicted: Array, path: Path, most: int = 40) -> None:
    """The test digits that were misread, each with its label and what it was taken for."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    wrong = np.flatnonzero(predicted != digits.y_test)
    shown = wrong[:most]
    columns = 10
    rows = max(1, math.ceil(len(shown) / columns))
    figure, axes = plt.subplots(rows, columns, figsize=(columns, 1.3 * rows + 0.5), layout="constrained", squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, i in zip(axes.flat, shown, strict=False):
        axis.imshow(digits.X_test[i].reshape(digits.side, digits.side), cmap="gray_r")
        axis.set_title(f"{digits.y_test[i]} as {predicted[i]}", fontsize=9)
    first = f", the first {len(shown)}" if len(shown) < len(wrong) else ""
    figure.suptitle(f"{len(wrong)} of {len(predicted)} test digits misread{first} (label as prediction)")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_first_minibatch(model: nn.MLP, X: Array, y: Array, folder: Path) -> list[str]:
    """Both graphs of a minibatch as a picture, and its backward pass as a page; says what was written."""
    model.zero_grad()
    loss = nn.softmax_cross_entropy(model(X), y)
    loss.name = "loss"
    loss.backward(retain_graph=True)
    graph = draw_graph(loss, "both", module=model, heat="grad", memory=True)
    model.zero_grad()
    return [save_picture(graph, folder, "backward_graph"), *save_page(loss, folder, "backward_pass", module=model)]


# ---- the command line ----


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, from the command line by default."""
    parser = Parser("train_mlp.py", __doc__)
    count, rate = number(int, 1), number(float, 0, above=True)
    add = parser.add_argument
    add_data(parser)
    add("--hidden", type=count, nargs="*", default=[128], metavar="N", help="units of each hidden layer (default: 128)")
    add("--activation", choices=list(DERIVATIVES), default="relu", help="of the hidden layers (default: %(default)s)")
    add("--epochs", type=count, metavar="N", help="passes over the training data (default: 30, for MNIST 10)")
    add("--batch-size", type=count, metavar="N", help="examples in a minibatch (default: 32, for MNIST 128)")
    add("--optimizer", choices=list(OPTIMIZERS), default="adam", help="(default: %(default)s)")
    add("--lr", type=rate, default=1e-3, metavar="RATE", help="learning rate (default: %(default)s)")
    add(
        "--weight-decay", type=number(float, 0), default=0.0, metavar="L2", help="on the weights (default: %(default)s)"
    )
    add_out(parser, "train_mlp")
    options = parser.parse_args(arguments)
    on_mnist = options.data == "mnist"
    options.epochs = options.epochs or (10 if on_mnist else 30)
    options.batch_size = options.batch_size or (128 if on_mnist else 32)
    if options.mnist_root and not on_mnist:
        parser.error("--mnist-root needs --data mnist")
    make_folder(parser, options.out)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Train, report, and return the exit status."""
    options = parse(arguments)
    try:
        digits = load_digits(options.data, options.mnist_root, options.seed)
    except (OSError, ValueError) as error:
        print(f"train_mlp.py: {error}", file=sys.stderr)
        return 2
    sizes = [digits.X_train.shape[1], *options.hidden, 10]
    model = nn.MLP(sizes, options.activation, rng=options.seed)
    print(model)

    X, y = digits.X_train[: options.batch_size], digits.y_train[: options.batch_size]
    pictures = draw_first_minibatch(model, X, y, options.out)
    comparison = compare_with_hand(model, X, y, options.activation)
    (options.out / "gradients.txt").write_text(f"{comparison}\n")

    start = time.perf_counter()
    history = train(model, digits, options)
    seconds = time.perf_counter() - start

    predicted = predict(model, digits.X_test)
    table = per_class_table(digits.y_test, predicted)
    (options.out / "per_class.txt").write_text(f"{table}\n")
    if history.losses:
        plot_learning_curves(history, options.out / "learning_curves.png")
    plot_misread(digits, predicted, options.out / "misread.png")
    np.savez(options.out / "weights.npz", **model.state_dict())

    steps = f"{len(history.losses)} steps in {seconds:.1f} s"
    print(f"\n{'stopped by Ctrl-C after' if history.interrupted else 'trained'} {steps}")
    print(f"test accuracy: {np.mean(predicted == digits.y_test):.2%}\n\n{table}\n")
    print(f"gradients by the engine and by hand, on the first minibatch:\n{comparison}\n")
    written = (*pictures, "gradients.txt", "learning_curves.png", "misread.png", "per_class.txt", "weights.npz")
    print(f"written to {options.out}: {', '.join(written)}")
    return 130 if history.interrupted else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ntrain_mlp.py: stopped by Ctrl-C with nothing to save", file=sys.stderr)
        sys.exit(130)
