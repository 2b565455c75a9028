"""What the examples' command lines share: complaints in one line, numbers with bounds, pictures and pages as files."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, NoReturn

from autograd_lite import Tensor
from autograd_lite.draw import GraphvizNotFoundError, backprop_page, save_graph


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

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


def make_folder(parser: argparse.ArgumentParser, folder: Path) -> None:
    """Make the folder for the results, or end with a line that says why not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --out: cannot make the folder {folder}: {error.strerror}")


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
