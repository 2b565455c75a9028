"""``predict``, ``evaluate`` and ``plot``: the commands that use a trained network."""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .. import metrics
from ..report.plots import plot_curves
from .model import TableModel
from .tables import Row, Table, TableError

Array = np.ndarray[Any, Any]

_ROWS_AT_A_TIME = 4096


def predict(options: argparse.Namespace) -> None:
    """Predict for every row of a table, in its order, while reading it."""
    model = TableModel.load(options.model)
    table = Table(options.data, options.header, options.delimiter)
    places, _ = model.find(table, with_target=False)
    classes = model.target.classes
    with _output(options.out) as file:
        writer = csv.writer(file, lineterminator="\n")
        shown = [f"p({name})" for name in classes] if options.probabilities and classes else []
        writer.writerow([model.target.name, *shown])
        for rows in _chunks(iter(table)):
            for output in model.outputs(model.encode(rows, places, table.path, options.unseen)):
                if classes:
                    figures = [f"{p:.6g}" for p in output] if shown else []
                    writer.writerow([classes[int(np.argmax(output))], *figures])
                else:
                    writer.writerow([f"{output:.9g}"])


def evaluate(options: argparse.Namespace) -> None:
    """Compare predictions with the targets that a table has."""
    model = TableModel.load(options.model)
    table = Table(options.data, options.header, options.delimiter)
    places, target_place = model.find(table, with_target=True)
    assert target_place is not None
    inputs, targets = [], []
    for rows in _chunks(iter(table)):
        inputs.append(model.encode(rows, places, table.path, options.unseen))
        targets.append([model.target.encode(row, target_place, table.path) for row in rows])
    if not inputs:
        raise TableError(f"{table.path} has no rows to compare with")
    report(model, np.concatenate(inputs), np.concatenate(targets), sys.stdout)


def report(model: TableModel, X: Array, y: Array, file: TextIO) -> None:
    """Write statistics that compare predictions with targets."""
    outputs, target = model.outputs(X), model.target
    if not target.classes:
        errors = outputs - (y * target.scale + target.mean)
        root_mean_square, deviation = _root_mean_square(errors), float(np.std(y * target.scale))
        ratio = root_mean_square / deviation if deviation else math.nan
        print(f"rows                     {len(y)}", file=file)
        print(f"root mean squared error  {root_mean_square:.6g}", file=file)
        print(f"mean absolute error      {float(np.mean(np.abs(errors))):.6g}", file=file)
        print(f"share explained (R^2)    {1 - ratio * ratio:.4f}", file=file)
        return
    true = y.astype(np.int64)
    print(f"rows      {len(true)}", file=file)
    print(f"accuracy  {metrics.accuracy(true, outputs):.4f}", file=file)
    print(f"log loss  {metrics.log_loss(true, outputs):.4f}", file=file)
    if len(target.classes) == 2 and 0 < true.sum() < len(true):
        print(f"ROC AUC   {metrics.roc_auc(true, outputs[:, 1]):.4f}", file=file)
    counts = metrics.confusion_matrix(true, outputs, labels=np.arange(len(target.classes)))
    width = max(8, *(len(name) for name in target.classes))
    print(f"\n{'class':<{width}}  precision  recall      f1    rows", file=file)
    for i, name in enumerate(target.classes):
        hit, predicted, support = counts[i, i], counts[:, i].sum(), counts[i].sum()
        precision, recall = hit / max(predicted, 1), hit / max(support, 1)
        f1 = 2 * hit / max(predicted + support, 1)
        print(f"{name:<{width}}  {precision:9.4f}  {recall:6.4f}  {f1:6.4f}  {support:6}", file=file)


def _root_mean_square(errors: Array) -> float:
    largest = float(np.max(np.abs(errors)))
    if not largest or not math.isfinite(largest):
        return largest
    # Errors are scaled first, since the squares of finite errors may overflow.
    return largest * math.sqrt(float(np.mean(np.square(errors / largest))))


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _ROWS_AT_A_TIME:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears only when everything is written."""
    if path is None:
        yield sys.stdout
        return
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def plot(options: argparse.Namespace) -> None:
    """Plot the curves of one or several models in one picture."""
    histories = {}
    for path in options.models:
        name = path.stem if path.stem not in histories else str(path)
        histories[name] = TableModel.load(path).history
    try:
        plot_curves(histories, options.out)
    except (ImportError, ValueError) as error:
        raise TableError(str(error)) from None
    print(f"written to {options.out}")
