"""``train``: trains a network on a table, after recognising its columns."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import metrics
from ..data.minibatches import train_test_split
from ..layers.sequential import MLP
from ..losses import mean_squared_error, softmax_cross_entropy
from ..optimizers.adam import Adam
from ..penalties import weight_decay_groups
from ..training.callbacks import EarlyStopping
from ..training.fit import fit
from ..training.history import History
from ..training.training import TrainingWarning
from .apply import check_output, report
from .columns import MOST_INPUTS, as_text, fitted, recognised
from .model import TableModel, Target
from .tables import Row, Table, TableError, as_number, check_memory, is_missing

Array = np.ndarray[Any, Any]

_MOST_CLASSES = 20
"""The largest number of different whole numbers for which a target counts as classes."""


def train(options: argparse.Namespace) -> int:
    """Train a network on a table, and write it to a file."""
    check_output(options.out, options.data)
    try:
        return _train(options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"nothing is written to {options.out}") from None


def _train(options: argparse.Namespace) -> int:
    table = Table(options.data, options.header, options.delimiter)
    target_place = table.index(options.target)
    rows, dropped = _rows_with_target(table, target_place)
    if dropped:
        _note(f"{dropped} rows without a target are left out")
    target, y = _as_target(table, rows, target_place, options.task)
    ignored = {target_place, *(table.index(name) for name in options.ignore)}
    as_categories = {table.index(name) for name in options.categories}
    kinds: dict[int, str] = {}
    for place, name in enumerate(table.names):
        if place in ignored:
            continue
        cells = [row.cells[place] for row in rows]
        kind, why = recognised(name, cells, rows, table.path, place in as_categories)
        if kind == "nothing":
            _note(f"column {name!r} is left out: {why}")
        else:
            kinds[place] = kind
    if not kinds:
        raise TableError(f"{table.path} has no column to predict {target.name!r} from")

    training, validation = _split(y, bool(target.classes), options)
    columns = [fitted(table.names[p], kind, [rows[i].cells[p] for i in training]) for p, kind in kinds.items()]
    if not target.classes:
        target.mean, target.scale = float(np.mean(y[training])), float(np.std(y[training])) or 1.0
        y = (y - target.mean) / target.scale
    rng = np.random.default_rng(options.seed)
    sizes = [sum(column.width for column in columns), *options.hidden, len(target.classes) or 1]
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
    # The weights, their gradients, the optimizer's two moments, and the best weights so far.
    check_memory(5 * 4 * parameters, f"a network of {parameters:,} parameters")
    model = MLP(sizes, options.activation, rng=rng)
    result = TableModel(
        model, columns, list(kinds), len(table.names), table.has_header, target, target_place, History()
    )
    # Categories that occur in validation rows only are encoded as zeros, like unseen categories in predictions.
    X = result.encode(rows, result.places, table.path, unseen="ignore")
    targets = y.astype(np.int64) if target.classes else np.clip(y, -1e30, 1e30).astype(np.float32)[:, None]
    with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", TrainingWarning)
        result.history = fit(
            model,
            softmax_cross_entropy if target.classes else mean_squared_error,
            Adam(weight_decay_groups(model, options.weight_decay), lr=options.lr),
            (X[training], targets[training]),
            (X[validation], targets[validation]),
            epochs=options.epochs,
            batch_size=options.batch_size,
            metrics={"accuracy": metrics.accuracy} if target.classes else {},
            callbacks=[EarlyStopping("val_loss", patience=options.patience)],
            rng=rng,
            progress=not options.quiet,
        )
    for warning in told:
        _note(str(warning.message))
    if not len(result.history):
        if result.history.interrupted:
            raise KeyboardInterrupt
        raise TableError(f"no epoch was finished ({result.history.stopped}); nothing is written")
    result.save(options.out)
    what = f"{len(target.classes)} classes" if target.classes else "a number"
    shape = "-".join(map(str, sizes))
    print(
        f"{shape} network, {what} from {len(columns)} columns, {len(training)} rows to train, {len(validation)} to "
        "validate"
    )
    print(f"{len(result.history)} epochs; on the validation rows, with the weights of the best epoch:")
    numbers = [rows[i].number for i in validation]
    report(result, result.outputs(X[validation], numbers, table.path), y[validation], sys.stdout)
    print(f"written to {options.out}")
    if not result.history.interrupted:
        return 0
    _note(f"stopped by Ctrl-C after {len(result.history)} epochs; the weights of the best one are in {options.out}")
    return 130


def _rows_with_target(table: Table, place: int) -> tuple[list[Row], int]:
    everything = list(table)
    rows = [row for row in everything if not is_missing(row.cells[place])]
    if not everything:
        raise TableError(f"{table.path} has a header and no rows")
    if not rows:
        raise TableError(f"{table.path}, column {table.names[place]!r}: the target is missing in every row")
    if len(rows) < 4:
        raise TableError(
            f"{table.path} has {len(rows)} rows with a target; at least 4 are needed to train and validate"
        )
    return rows, len(everything) - len(rows)


def _as_target(table: Table, rows: Sequence[Row], place: int, task: str) -> tuple[Target, Array]:
    """The target: classes for texts and for few whole numbers, otherwise a number."""
    name = table.names[place]
    numbers = [as_number(row.cells[place]) for row in rows]
    texts = [as_text(row.cells[place]) for row in rows]
    if task == "auto":
        whole = all(number is not None and number == int(number) for number in numbers)
        few = len(set(texts)) <= _MOST_CLASSES and len(set(texts)) < max(3, len(texts) / 2)
        task = "classification" if (whole and few) or None in numbers else "regression"
    if task == "regression":
        for row, number in zip(rows, numbers, strict=True):
            if number is None:
                cell = row.cells[place]
                raise TableError(f"{table.path}, row {row.number}, column {name!r}: {cell!r} is not a finite number")
        values = np.array(numbers, np.float64)
        if np.abs(values).max() > 1e150:
            raise TableError(f"{table.path}, column {name!r}: its numbers are too large to be squared")
        return Target(name), values
    classes = sorted(set(texts), key=lambda text: (as_number(text) is None, as_number(text) or 0.0, text))
    if len(classes) < 2:
        raise TableError(
            f"{table.path}, column {name!r}: every row has the class {classes[0]!r}, so there is nothing to learn"
        )
    if len(classes) > MOST_INPUTS:
        raise TableError(
            f"{table.path}, column {name!r}: it has {len(classes):,} classes; at most {MOST_INPUTS:,} are learned"
        )
    if len(classes) > len(texts) / 2:
        raise TableError(
            f"{table.path}, column {name!r}: {len(classes)} different classes in {len(texts)} rows are too many to "
            "learn; choose another target, or pass --task regression for numbers"
        )
    numbers_of = {text: number for number, text in enumerate(classes)}
    return Target(name, classes), np.array([numbers_of[text] for text in texts], np.float64)


def _split(y: Array, stratified: bool, options: argparse.Namespace) -> tuple[Array, Array]:
    """The numbers of the training and validation rows, with about the same share of each class that has enough rows."""
    rows = np.arange(len(y))
    try:
        training, validation = train_test_split(
            rows, test_size=options.validation, stratify=y if stratified else None, rng=options.seed
        )
    except ValueError:
        try:
            training, validation = train_test_split(rows, test_size=options.validation, rng=options.seed)
        except ValueError as error:
            raise TableError(f"--validation {options.validation}: {error}") from None
    return training, validation


def _note(message: str) -> None:
    print(f"note: {message}", file=sys.stderr)
