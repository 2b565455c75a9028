"""`History`: the figures of a training by step and by epoch, as a table, a plot, or a file."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autograd_lite.extend import html_table, write_atomically

from ..report.plots import plot_history

Rows = dict[str, list[float]]


class History:
    """The figures of every step and of every epoch.

    Attributes
    ----------
    steps : dict of list
        For each step: ``epoch``, from 1, the number of ``examples``, ``loss``, ``lr`` (of the first parameter group),
        ``gradient_norm`` (before clipping), ``seconds``, and the metrics of its batch.
    epochs : dict of list
        For each finished epoch: ``epoch``, ``loss`` (the mean over its examples), the metrics, the loss and metrics of
        the validation data as ``val_loss`` and ``val_<metric>``, ``lr``, ``gradient_norm`` (the mean over its steps)
        and ``seconds``.
    interrupted : bool
        Whether Ctrl-C ended the training.
    stopped : str or None
        The reason why training ended before its last epoch.
    classes : array or None
        The labels of the classes, in the order of their numbers, if targets were given as text.

    Examples
    --------
    >>> history = History()
    >>> history.add_epoch({"epoch": 1, "loss": 0.5, "val_loss": 0.75, "seconds": 0.1})
    >>> history.add_epoch({"epoch": 2, "loss": 0.25, "val_loss": 0.5, "seconds": 0.1})
    >>> print(history)
    epoch    loss  val_loss  seconds
        1  0.5000    0.7500      0.1
        2  0.2500    0.5000      0.1
    >>> history["val_loss"]
    [0.75, 0.5]
    """

    def __init__(self) -> None:
        self.steps: Rows = {}
        self.epochs: Rows = {}
        self.interrupted = False
        self.stopped: str | None = None
        self.classes: np.ndarray[Any, Any] | None = None

    def __getitem__(self, name: str) -> list[float]:
        """A column of the epochs."""
        if name not in self.epochs:
            raise KeyError(
                f"the history has no column {name!r} by epoch; it has {', '.join(self.epochs) or 'nothing yet'}"
            )
        return self.epochs[name]

    def __len__(self) -> int:
        """The number of finished epochs."""
        return len(self.epochs.get("epoch", ()))

    def add_step(self, figures: Mapping[str, float]) -> None:
        """Add a step."""
        _add(self.steps, figures)

    def add_epoch(self, figures: Mapping[str, float]) -> None:
        """Add an epoch."""
        _add(self.epochs, figures)

    def best(self, name: str = "val_loss", mode: Literal["auto", "min", "max"] = "auto") -> dict[str, float]:
        """The figures of the epoch in which one figure was best.

        Parameters
        ----------
        name : str, default "val_loss"
            The name of that figure.
        mode : {"auto", "min", "max"}, default "auto"
            Whether the smallest or the largest value is best; with "auto", it is the smallest for losses and errors.

        Raises
        ------
        KeyError
            If the history has no such figure.
        """
        column = self[name]
        smaller = smaller_is_better(name, mode)
        ranked = [(value if smaller else -value) if not math.isnan(value) else math.inf for value in column]
        row = ranked.index(min(ranked))
        return {key: values[row] for key, values in self.epochs.items()}

    # ---- as text ----

    def __str__(self) -> str:
        lines = [table(self.epochs)] if len(self) else ["no epoch was finished"]
        if self.interrupted:
            lines.append("interrupted by Ctrl-C")
        if self.stopped:
            lines.append(f"stopped: {self.stopped}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """What notebooks show: the epochs as a table, without the middle of many, and how training ended."""
        notes = ["interrupted by Ctrl-C"] if self.interrupted else []
        notes += [f"stopped: {self.stopped}"] if self.stopped else []
        title = "; ".join([f"{len(self)} epoch{'' if len(self) == 1 else 's'}", *notes])
        columns = [[_cell(name, value) for value in values] for name, values in self.epochs.items()]
        rows = [list(row) for row in zip(*columns, strict=True)]
        if len(rows) > _MOST_ROWS:
            rows = [*rows[: _MOST_ROWS // 2], ["…"] * len(columns), *rows[-_MOST_ROWS // 2 :]]
        return html_table([*self.epochs], rows, left=(), title=title)

    def __repr__(self) -> str:
        return f"History({len(self)} epochs, {len(self.steps.get('loss', ()))} steps)"

    # ---- as a plot ----

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Plot loss, metrics, and the sizes of gradients and learning rate over the epochs; a Matplotlib figure.

        Parameters
        ----------
        path : path, optional
            A file in which the plot is also saved, as ``.png``, ``.svg`` or ``.pdf``.

        Raises
        ------
        ImportError
            If Matplotlib is not installed.
        ValueError
            If there is nothing to plot.
        """
        return plot_history(self, path)

    # ---- as a file ----

    def to_csv(self, path: str | os.PathLike[str], by: Literal["epoch", "step"] = "epoch") -> None:
        """Write the epochs, or the steps, as a table with a header; figures are written with all digits."""
        if by not in ("epoch", "step"):
            raise ValueError(f"to_csv: by={by!r} is unknown; expected 'epoch' or 'step'")
        rows = self.epochs if by == "epoch" else self.steps
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(rows)
        writer.writerows(zip(*rows.values(), strict=True))
        write_atomically(Path(path), text.getvalue().encode())

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write everything, for `from_json`."""
        write_atomically(Path(path), json.dumps(self.state_dict(), indent=1).encode())

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> History:
        """Read a history that `to_json` wrote.

        Raises
        ------
        ValueError
            If the file is not a history.
        """
        try:
            state = json.loads(Path(path).read_text(encoding="utf-8"))
        except (ValueError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not a history file: {error}") from None
        history = cls()
        try:
            history.load_state_dict(state)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a history file: {error}") from None
        return history

    def state_dict(self) -> dict[str, Any]:
        """Everything in a form for JSON; figures that are not finite are text."""
        return {
            "steps": {name: [_as_json(value) for value in column] for name, column in self.steps.items()},
            "epochs": {name: [_as_json(value) for value in column] for name, column in self.epochs.items()},
            "interrupted": self.interrupted,
            "stopped": self.stopped,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state from `state_dict`; on an error, nothing is changed."""
        if not isinstance(state, Mapping) or not {"steps", "epochs"} <= state.keys():
            raise ValueError("expected the steps and epochs of a history")
        steps, epochs = _rows(state["steps"]), _rows(state["epochs"])
        self.steps, self.epochs = steps, epochs
        self.interrupted, self.stopped = bool(state.get("interrupted")), state.get("stopped")


def smaller_is_better(name: str, mode: Literal["auto", "min", "max"] = "auto") -> bool:
    """Whether smaller values of a figure are better: they are for losses and errors, but not for metrics."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"mode={mode!r} is unknown; expected 'auto', 'min' or 'max'")
    return mode == "min" or (mode == "auto" and any(word in name for word in ("loss", "error", "norm", "seconds")))


_MOST_ROWS = 20
"""Epochs of which a notebook shows each."""


def table(rows: Mapping[str, Iterable[float]]) -> str:
    """Columns of figures with their names, as text."""
    columns = []
    for name, values in rows.items():
        cells = [name, *(_cell(name, value) for value in values)]
        width = max(map(len, cells))
        columns.append([cell.rjust(width) for cell in cells])
    return "\n".join("  ".join(line) for line in zip(*columns, strict=True))


def _cell(name: str, value: float) -> str:
    if name in ("epoch", "examples"):
        return f"{value:.0f}"
    if name == "seconds":
        return f"{value:.1f}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"


def _add(rows: Rows, figures: Mapping[str, float]) -> None:
    if rows and rows.keys() != figures.keys():
        raise ValueError(f"figures {', '.join(figures)} do not continue {', '.join(rows)}")
    for name, value in figures.items():
        rows.setdefault(name, []).append(value)


def _as_json(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def _rows(columns: Any) -> Rows:
    rows = {str(name): [_number(value) for value in column] for name, column in columns.items()}
    if len({len(column) for column in rows.values()}) > 1:
        raise ValueError("columns differ in length")
    return rows


def _number(value: Any) -> float:
    number = value if isinstance(value, int | float) else float(value)
    return number if isinstance(number, int) else float(number)
