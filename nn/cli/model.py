"""A network for tables, with its columns, its target, the figures of its training data, and its history, as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..io.weights import CheckpointError, fill, model_of, read_file, save_weights
from ..layers.activations import softmax
from ..module import Module
from ..training.history import History
from ..training.predict import predict
from .columns import Column, Numbers, as_data, as_text, from_data
from .tables import Row, Table, TableError, as_number, check_memory, is_missing

Array = np.ndarray[Any, Any]


@dataclass
class Target:
    """The column that is predicted.

    Attributes
    ----------
    name : str
    classes : list of str
        The classes of a classification; empty for a regression.
    mean, scale : float
        The mean and standard deviation of a regression's training data.
    """

    name: str
    classes: list[str] = field(default_factory=list)
    mean: float = 0.0
    scale: float = 1.0

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.classes)}

    def encode(self, row: Row, place: int, path: Any) -> float:
        """The number of a row's class, or the standardised number of a row."""
        cell = row.cells[place]
        if is_missing(cell):
            raise TableError(f"{path}, row {row.number}, column {self.name!r}: the target is missing")
        if self.classes:
            text = as_text(cell)
            number_of_class = self._places.get(text)
            if number_of_class is None:
                known = ", ".join(map(repr, self.classes[:8]))
                raise TableError(
                    f"{path}, row {row.number}, column {self.name!r}: the class {text!r} was not in the training data, "
                    f"which had {known}"
                )
            return float(number_of_class)
        number = as_number(cell)
        if number is None:
            raise TableError(f"{path}, row {row.number}, column {self.name!r}: {cell!r} is not a finite number")
        return (number - self.mean) / self.scale


@dataclass
class TableModel:
    """A network, with everything that it needs to read tables like the one that it was trained on.

    Attributes
    ----------
    model : Module
    columns : list of Column
        The columns that are its inputs, in their order.
    places : list of int
        The places of these columns in the training table, for tables without a header.
    width : int
        The number of columns of the training table.
    has_header : bool
        Whether the training table had names of columns.
    target : Target
    target_place : int
    history : History
    """

    model: Module
    columns: list[Column]
    places: list[int]
    width: int
    has_header: bool
    target: Target
    target_place: int
    history: History

    # ---- as a file ----

    def save(self, path: Path) -> None:
        """Write the model to a file, completely or not at all."""
        table = {
            "columns": [as_data(column) for column in self.columns],
            "places": self.places,
            "width": self.width,
            "has_header": self.has_header,
            "target": asdict(self.target),
            "target_place": self.target_place,
            "history": self.history.state_dict(),
        }
        save_weights(self.model, path, {"table": json.dumps(table)})

    @classmethod
    def load(cls, path: Path) -> TableModel:
        """The model in a file.

        Raises
        ------
        CheckpointError
            If the file is not such a model.
        """
        tensors, texts = read_file(path, "weights")
        if "table" not in texts:
            raise CheckpointError(f"{path} has weights but no columns; expected a file written by python -m nn train")
        model = model_of(tensors, texts, path)
        fill(model, tensors, path)
        try:
            table = json.loads(texts["table"])
            history = History()
            history.load_state_dict(table["history"])
            return cls(
                model, [from_data(column) for column in table["columns"]], [int(i) for i in table["places"]],
                int(table["width"]), bool(table["has_header"]), Target(**table["target"]), int(table["target_place"]),
                history,
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{path}: its columns cannot be read: {error}") from None

    # ---- reading tables ----

    def find(self, table: Table, with_target: bool) -> tuple[list[int], int | None]:
        """The places of the inputs in a table, and that of the target, or None.

        Raises
        ------
        TableError
            If columns are missing.
        """
        if self.has_header and table.has_header:
            absent = [column.name for column in self.columns if column.name not in table.places]
            if absent:
                told = ", ".join(map(repr, absent[:8]))
                raise TableError(f"{table.path} has no column {told}; it has {', '.join(table.names[:12])}")
            target = table.places.get(self.target.name)
            places = [table.places[column.name] for column in self.columns]
        elif len(table.names) == self.width:
            places, target = self.places, self.target_place
        elif len(table.names) == self.width - 1:
            places, target = [place - (place > self.target_place) for place in self.places], None
        else:
            raise TableError(
                f"{table.path} has {len(table.names)} columns; the training data had {self.width}, and without the "
                f"target {self.width - 1}"
            )
        if with_target and target is None:
            raise TableError(f"{table.path} has no column {self.target.name!r}, the target to compare predictions with")
        return places, target

    def encode(self, rows: Sequence[Row], places: Sequence[int], path: Any, unseen: str = "refuse") -> Array:
        """Rows as inputs of the network, of shape (rows, inputs)."""
        width = sum(column.width for column in self.columns)
        check_memory(4 * len(rows) * width, f"{path}: {len(rows):,} rows of {width:,} inputs")
        inputs = np.empty((len(rows), width), np.float32)
        for i, row in enumerate(rows):
            values: list[float] = []
            for column, place in zip(self.columns, places, strict=True):
                if isinstance(column, Numbers):
                    values += column.encode(row.cells[place], row, path)
                else:
                    values += column.encode(row.cells[place], row, path, unseen)
            # Numbers very far from those of the training data are clipped to the range of float32.
            inputs[i] = np.clip(values, -1e30, 1e30)
        return inputs

    def outputs(self, inputs: Array, rows: Sequence[int], path: Any) -> Array:
        """The probabilities of the classes, or the numbers of a regression, for rows of a table with these numbers.

        Raises
        ------
        TableError
            If the network's numbers for a row are not finite.
        """
        with np.errstate(all="ignore"):
            raw = predict(self.model, inputs).astype(np.float64)
            found = softmax(raw) if self.target.classes else raw[:, 0] * self.target.scale + self.target.mean
        finite = np.isfinite(raw).all(axis=1)
        if not finite.all():
            raise TableError(
                f"{path}, row {rows[int(np.argmin(finite))]}: the network's result is not a finite number, and so in "
                f"{np.count_nonzero(~finite)} of {len(finite)} rows; the numbers of the row are too far from those of "
                "the training data, or the model's weights too large"
            )
        return np.asarray(found)
