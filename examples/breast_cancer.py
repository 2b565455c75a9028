"""Lesson 5: the Wisconsin breast-cancer data, with early stopping, and four optimizers written by hand.

    python examples/breast_cancer.py                    # scikit-learn's copy of the data, under 30 seconds
    python examples/breast_cancer.py --csv wdbc.data    # the original file: an id, M or B, and 30 numbers in each line

First a network of 4-3-2 units is walked through with every intermediate printed. With softmax outputs and the
cross-entropy the output's delta is the whole derivation in one line, ``delta_2 = (Y_pred - Y_true) / m``, and then

    dW2 = a1^T delta_2,  db2 = sum of delta_2,  delta_1 = delta_2 W2^T * a1 (1 - a1),  dW1 = X^T delta_1,  ...

Then SGD, momentum, RMSprop and Adam, each in five lines of NumPy, are compared with those of `nn`; and ten
networks, each with its own stratified split, are trained until the validation loss has not fallen for some epochs, and
take back the weights that they were best with.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from command_line import Parser, add_out, make_folder, number, panels, save_panels

import nn
from autograd_lite.checks import compare_gradients

Array = np.ndarray[Any, Any]


# ---- the data ----


def load_bundled() -> tuple[Array, Array]:
    """scikit-learn's copy: 30 figures of a nucleus, and 1 for malignant, 0 for benign."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return X, 1 - y


def load_csv(path: Path) -> tuple[Array, Array]:
    """The original file, without a header; a line that is none ends with its number and what is wrong."""
    X, y = [], []
    with path.open(newline="", encoding="utf-8-sig") as file:
        for line, row in enumerate(csv.reader(file), 1):
            if not row:
                continue
            if len(row) != 32 or row[1].strip() not in ("M", "B"):
                raise ValueError(f"{path}, line {line}: expected an id, M or B, and 30 numbers; got {len(row)} fields")
            figures = [_number(text) for text in row[2:]]
            if not all(map(math.isfinite, figures)):
                field = 3 + next(i for i, figure in enumerate(figures) if not math.isfinite(figure))
                raise ValueError(f"{path}, line {line}, field {field}: {row[field - 1]!r} is no number")
            X.append(figures)
            y.append(int(row[1].strip() == "M"))
    if len(set(y)) < 2:
        raise ValueError(f"{path} has {len(y)} lines, and not both of M and B")
    return np.array(X), np.array(y)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


# ---- a walk through 4-3-2 ----


def softmax(z: Array) -> Array:
    """Along the rows."""
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def walk_through(X: Array, y: Array) -> tuple[str, Any]:
    """Every intermediate of a forward and a backward pass by hand, and the gradients against the engine's."""
    rng = np.random.default_rng(0)
    W1, b1 = rng.normal(size=(4, 3)) * 0.5, np.zeros(3)
    W2, b2 = rng.normal(size=(3, 2)) * 0.5, np.zeros(2)
    Y_true = np.eye(2)[y]
    # Forwards.
    z1 = X @ W1 + b1
    a1 = 1 / (1 + np.exp(-z1))
    z2 = a1 @ W2 + b2
    Y_pred = softmax(z2)
    loss = -np.mean(np.sum(Y_true * np.log(Y_pred), axis=1))
    # And backwards.
    delta_2 = (Y_pred - Y_true) / len(X)
    dW2, db2 = a1.T @ delta_2, delta_2.sum(axis=0)
    delta_1 = delta_2 @ W2.T * a1 * (1 - a1)
    dW1, db1 = X.T @ delta_1, delta_1.sum(axis=0)

    shown = {
        "X": X, "W1": W1, "z1 = X W1 + b1": z1, "a1 = sigmoid(z1)": a1, "W2": W2, "z2 = a1 W2 + b2": z2,
        "Y_pred = softmax(z2)": Y_pred, "Y_true": Y_true, "loss": np.array(loss),
        "delta_2 = (Y_pred - Y_true) / m": delta_2, "dW2 = a1^T delta_2": dW2, "db2": db2,
        "delta_1 = delta_2 W2^T * a1 (1 - a1)": delta_1, "dW1 = X^T delta_1": dW1, "db1": db1,
    }  # fmt: skip
    with np.printoptions(precision=4, suppress=True):
        text = "\n".join(f"{name}\n{np.array2string(np.asarray(array))}" for name, array in shown.items())

    def engine_loss(p: dict[str, Any]) -> Any:
        return nn.softmax_cross_entropy(nn.sigmoid(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], y)

    by_hand = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    return text, compare_gradients(by_hand, engine_loss, {"W1": W1, "b1": b1, "W2": W2, "b2": b2})


# ---- optimizers by hand, five lines each ----


def sgd(w: Array, g: Array, state: dict[str, Any], lr: float) -> None:
    """``w = w - lr g``."""
    w -= lr * g


def momentum(w: Array, g: Array, state: dict[str, Any], lr: float) -> None:
    """``v = 0.9 v + g``, ``w = w - lr v``."""
    state["v"] = 0.9 * state.get("v", 0.0) + g
    w -= lr * state["v"]


def rmsprop(w: Array, g: Array, state: dict[str, Any], lr: float) -> None:
    """``s = 0.99 s + 0.01 g^2``, ``w = w - lr g / (sqrt(s) + eps)``."""
    state["s"] = 0.99 * state.get("s", 0.0) + 0.01 * g**2
    w -= lr * g / (np.sqrt(state["s"]) + 1e-8)


def adam(w: Array, g: Array, state: dict[str, Any], lr: float) -> None:
    """Running means of g and g^2, corrected for their start at zero; ``w = w - lr m / (sqrt(v) + eps)``."""
    t = state["t"] = state.get("t", 0) + 1
    state["m"] = 0.9 * state.get("m", 0.0) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0.0) + 0.001 * g**2
    w -= lr * state["m"] / (1 - 0.9**t) / (np.sqrt(state["v"] / (1 - 0.999**t)) + 1e-8)


Update = Callable[[Array, Array, dict[str, Any], float], None]

OPTIMIZERS: dict[str, tuple[Update, Callable[..., nn.Optimizer], float]] = {
    "SGD": (sgd, nn.SGD, 0.1),
    "momentum": (momentum, lambda params, lr: nn.SGD(params, lr=lr, momentum=0.9), 0.1),
    "RMSprop": (rmsprop, nn.RMSprop, 0.005),
    "Adam": (adam, nn.Adam, 0.01),
}


def make_model(seed: int) -> nn.MLP:
    """30-16-2, with tanh units."""
    return nn.MLP([30, 16, 2], "tanh", rng=seed, dtype=np.float64)


def race(X: Array, y: Array, epochs: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """The loss of each optimizer over the steps, and how far the weights by hand and by `nn` are apart."""
    curves, apart = {}, {}
    for name, (update, make, lr) in OPTIMIZERS.items():
        by_hand, by_library = make_model(0), make_model(0)
        optimizer = make(by_library.named_parameters(), lr=lr)
        states: list[dict[str, Any]] = [{} for _ in by_hand.parameters()]
        curves[name] = []
        batches = nn.data.Minibatches(X, y, batch_size=32, rng=0)
        for _ in range(epochs):
            for X_batch, y_batch in batches:
                by_hand.zero_grad()
                loss = nn.softmax_cross_entropy(by_hand(X_batch), y_batch)
                loss.backward()
                for w, state in zip(by_hand.parameters(), states, strict=True):
                    assert w.grad is not None
                    array = w.data.copy()
                    update(array, w.grad.data, state, lr)
                    w.data = array
                optimizer.zero_grad()
                nn.softmax_cross_entropy(by_library(X_batch), y_batch).backward()
                optimizer.step()
                curves[name].append(loss.item())
        pairs = zip(by_hand.parameters(), by_library.parameters(), strict=True)
        apart[name] = max(float(np.abs(a.data - b.data).max()) for a, b in pairs)
    return curves, apart


# ---- early stopping over ten splits ----


def train_once(X: Array, y: Array, seed: int, epochs: int) -> tuple[float, nn.History, nn.EarlyStopping]:
    """A network with its own stratified split: 20 % for the test, and a fifth of the rest to stop by."""
    split = nn.data.train_test_split
    X_train, X_test, y_train, y_test = split(X, y, test_size=0.2, stratify=y, rng=seed)
    X_train, X_val, y_train, y_val = split(X_train, y_train, test_size=0.2, stratify=y_train, rng=seed)
    X_train, X_val, X_test = nn.data.standardize(X_train, X_val, X_test)
    model, stopping = make_model(seed), nn.EarlyStopping("val_loss", patience=15)
    history = nn.fit(
        model, nn.softmax_cross_entropy, nn.Adam(nn.weight_decay_groups(model, 1e-3), lr=0.003), (X_train, y_train),
        (X_val, y_val), epochs=epochs, metrics={"accuracy": nn.metrics.accuracy}, callbacks=[stopping], rng=seed,
        progress=False,
    )  # fmt: skip
    return nn.metrics.accuracy(y_test, nn.predict(model, X_test)), history, stopping


def plot(curves: dict[str, list[float]], history: nn.History, stopping: nn.EarlyStopping, path: Path) -> None:
    """The four optimizers, and the training that was stopped."""
    figure, (left, right) = panels(2)
    styles = zip(("#777777", "#0072B2", "#009E73", "#D55E00"), (":", "-", "--", "-."), strict=True)
    for (name, losses), (colour, style) in zip(curves.items(), styles, strict=True):
        smooth = np.convolve(losses, np.ones(10) / 10, mode="valid")
        left.plot(np.arange(len(smooth)), smooth, style, color=colour, label=name)
    left.set(title="Four optimizers", xlabel="steps", ylabel="loss, mean of 10", yscale="log")
    right.plot(history["epoch"], history["loss"], color="#0072B2", label="training")
    right.plot(history["epoch"], history["val_loss"], "--", color="#D55E00", label="validation")
    right.axvline(stopping.best_epoch, color="#777777", linestyle=":", label="weights that are taken back")
    right.set(title="Early stopping", xlabel="epoch", ylabel="loss", yscale="log")
    save_panels(figure, path)


# ---- the command line ----


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options, from the command line by default."""
    parser = Parser("breast_cancer.py", __doc__)
    add = parser.add_argument
    add("--csv", type=Path, metavar="FILE", help="the original file, in place of scikit-learn's copy")
    add("--seeds", type=number(int, 1), default=10, metavar="N", help="splits to train on (default: %(default)s)")
    add("--epochs", type=number(int, 1), default=300, metavar="N", help="at most (default: %(default)s)")
    add_out(parser, "breast_cancer")
    options = parser.parse_args(arguments)
    make_folder(parser, options.out)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Walk through, race, train, report, and return the exit status."""
    options = parse(arguments)
    try:
        X, y = load_bundled() if options.csv is None else load_csv(options.csv)
    except (OSError, ValueError) as error:
        print(f"breast_cancer.py: {error}", file=sys.stderr)
        return 2
    standardized = nn.data.standardize(X)
    text, comparison = walk_through(standardized[:5, :4], y[:5])
    print(f"a 4-3-2 network on four figures of five patients, step by step\n\n{text}\n\n{comparison}\n")
    (options.out / "walk_through.txt").write_text(f"{text}\n\n{comparison}\n")

    curves, apart = race(standardized, y, epochs=5)
    print("optimizer   last loss   by hand and by nn apart")
    for name, losses in curves.items():
        print(f"{name:<10}{np.mean(losses[-10:]):11.4f}{apart[name]:18.1e}")

    print("\n seed  epochs  best epoch  test accuracy")
    accuracies = []
    for seed in range(options.seed, options.seed + options.seeds):
        accuracy, history, stopping = train_once(X, y, seed, options.epochs)
        accuracies.append(accuracy)
        print(f"{seed:5}{len(history):8}{stopping.best_epoch:12}{accuracy:15.2%}")
    print(f"\nmean test accuracy over {len(accuracies)} splits: {np.mean(accuracies):.2%}")
    plot(curves, history, stopping, options.out / "breast_cancer.png")
    print(f"written to {options.out}: breast_cancer.png, walk_through.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
