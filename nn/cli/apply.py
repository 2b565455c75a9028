"""``predict``, ``evaluate`` and ``plot``: the commands that use a trained network."""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from autograd_lite.extend import check_writable, replacing

from .. import metrics
from ..report.plots import plot_curves
from .model import TableModel
from .tables import Row, Table, TableError, as_number

Array = np.ndarray[Any, Any]

_ROWS_AT_A_TIME = 4096


def predict(options: argparse.Namespace) -> None:
    """Predict for every row of a table, in its order, while reading it."""
    check_output(options.out, options.data, options.model)
    model = TableModel.load(options.model)
    table = Table(options.data, options.header, options.delimiter)
    places, _ = model.find(table, with_target=False)
    classes = model.target.classes
    with _output(options.out) as file:
        writer = csv.writer(file, lineterminator="\n")
        named = _safe if options.safe_cells else str
        shown = [f"p({name})" for name in classes] if options.probabilities and classes else []
        writer.writerow([named(model.target.name), *shown])
        for rows in _chunks(iter(table)):
            numbers = [row.number for row in rows]
            for output in model.outputs(model.encode(rows, places, table.path, options.unseen), numbers, table.path):
                if classes:
                    figures = [f"{p:.6g}" for p in output] if shown else []
                    writer.writerow([named(classes[int(np.argmax(output))]), *figures])
                else:
                    writer.writerow([f"{output:.9g}"])


def evaluate(options: argparse.Namespace) -> None:
    """Compare predictions with the targets that a table has."""
    model = TableModel.load(options.model)
    table = Table(options.data, options.header, options.delimiter)
    places, target_place = model.find(table, with_target=True)
    assert target_place is not None
    inputs, targets, numbers = [], [], []
    for rows in _chunks(iter(table)):
        inputs.append(model.encode(rows, places, table.path, options.unseen))
        numbers += [row.number for row in rows]
        targets.append([model.target.encode(row, target_place, table.path) for row in rows])
    if not inputs:
        raise TableError(f"{table.path} has no rows to compare with")
    report(model, model.outputs(np.concatenate(inputs), numbers, table.path), np.concatenate(targets), sys.stdout)


def report(model: TableModel, outputs: Array, y: Array, file: TextIO) -> None:
    """Write statistics that compare a model's outputs with targets."""
    target = model.target
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


def check_output(out: Path | None, *inputs: Path) -> None:
    """Refuse an output that cannot be written, or that is one of the files to read, before anything is done.

    Raises
    ------
    TableError
        If the output is one of the inputs, by whatever name.
    OSError
        If it cannot be written.
    """
    if out is None:
        return
    for path in inputs:
        with suppress(OSError):
            if os.path.samefile(out, path) and path.is_file():
                raise TableError(f"--out {out} is the file {path}, which is to be read; choose another name")
    check_writable(out)


def _safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe in front where it would."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and as_number(text) is None else text


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears only when everything is written."""
    if path is None:
        yield sys.stdout
        return
    with replacing(path) as binary:
        file = io.TextIOWrapper(binary, encoding="utf-8", newline="", write_through=True)
        yield file
        file.detach()  # which is closed where it was opened


def plot(options: argparse.Namespace) -> None:
    """Plot the curves of one or several models in one picture."""
    check_output(options.out, *options.models)
    histories = {}
    for path in options.models:
        name = path.stem if path.stem not in histories else str(path)
        histories[name] = TableModel.load(path).history
    try:
        plot_curves(histories, options.out)
    except (ImportError, ValueError) as error:
        raise TableError(str(error)) from None
    print(f"written to {options.out}")
