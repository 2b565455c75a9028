"""What the examples' command lines share: complaints in one line, numbers with bounds, plots, pictures, pages."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import nn
from autograd_lite import Tensor
from autograd_lite.draw import GraphvizNotFoundError, backprop_page, save_graph

Array = np.ndarray[Any, Any]


class Parser(argparse.ArgumentParser):
    """A parser that shows a program's description as it stands, and whose complaints are one line."""

    def __init__(self, prog: str, description: str | None) -> None:
        formatter = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, formatter_class=formatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def number(kind: type, lowest: float = -math.inf, above: bool = False) -> Any:
    """An argument's type: a finite number of at least, or above, the lowest if there is one."""

    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and (value > lowest if above else value >= lowest)):
            expected = "an integer" if kind is int else "a number"
            bound = f" {'above' if above else 'of at least'} {lowest}" if math.isfinite(lowest) else ""
            raise argparse.ArgumentTypeError(f"expected {expected}{bound}, got {text!r}")
        return value

    return convert


def add_out(parser: argparse.ArgumentParser, name: str) -> None:
    """The options of every example: a seed, and the folder for the results."""
    seed, out = number(int, 0), Path("runs") / name
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of all that is random (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=out, metavar="FOLDER", help="results (default: %(default)s)")


def add_data(parser: argparse.ArgumentParser) -> None:
    """The options that choose between the bundled digits and MNIST."""
    add = parser.add_argument
    add("--data", choices=["digits", "mnist"], default="digits", help="which digits (default: %(default)s)")
    add("--mnist-root", metavar="FOLDER", help="MNIST's four files, to read instead of a download")


def load_images(options: argparse.Namespace) -> tuple[Array, Array, Array, Array]:
    """Images as rows of float64 numbers in [0, 1] with their labels: training, then test.

    scikit-learn's 8x8 digits, a fifth of them for the test; or MNIST with its own test set. What cannot be read ends
    the program with a line that says why.
    """
    if options.data == "mnist":
        try:
            mnist = nn.data.load_mnist(options.mnist_root)
        except (OSError, ValueError) as error:
            raise SystemExit(f"{error}") from None
        images = mnist.train_images, mnist.test_images
        X, X_test = (image.reshape(len(image), -1).astype(np.float64) for image in images)
        return X, mnist.train_labels, X_test, mnist.test_labels
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = nn.data.train_test_split(X / 16, y, test_size=0.2, stratify=y, rng=options.seed)
    return X_train, y_train, X_test, y_test


def make_folder(parser: argparse.ArgumentParser, folder: Path) -> None:
    """Make the folder for the results, or end with a line that says why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --out: cannot make the folder {folder}: {error.strerror}")


def panels(count: int, width: float = 10, height: float = 3.9) -> tuple[Any, Any]:
    """A figure of plots side by side, and these; without a window of its own."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False)[0]


def save_panels(figure: Any, path: Path) -> None:
    """Save them, each with a legend, a faint grid, and no frame at the top and at the right."""
    for axes in figure.axes:
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def save_picture(graph: Any, folder: Path, name: str) -> str:
    """A graph as SVG, or as DOT text where Graphviz is missing; says what was written."""
    try:
        save_graph(graph, folder / f"{name}.svg")
    except GraphvizNotFoundError as error:
        save_graph(graph, folder / f"{name}.dot")
        return f"{name}.dot ({error})"
    return f"{name}.svg"


def save_page(output: Tensor, folder: Path, name: str, **options: Any) -> list[str]:
    """A backward pass as a page, or nothing where Graphviz is missing; the names of what was written."""
    try:
        return [backprop_page(output, folder / f"{name}.html", **options).name]
    except GraphvizNotFoundError:
        return []
