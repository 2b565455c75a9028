"""A network on a table: the columns with the figures of its training data, the target, and the history, in one file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..io.weights import CheckpointError, fill, model_of, read_file, save_weights
from ..layers.activations import softmax
from ..module import Module
from ..training.history import History
from ..training.predict import predict
from .columns import Column, Numbers, as_data, as_text, from_data
from .tables import Row, Table, TableError, as_number, is_missing

Array = np.ndarray[Any, Any]


@dataclass
class Target:
    """What is predicted.

    Attributes
    ----------
    name : str
    classes : list of str
        Of a classification; none for a regression.
    mean, scale : float
        Of a regression's training data.
    """

    name: str
    classes: list[str] = field(default_factory=list)
    mean: float = 0.0
    scale: float = 1.0

    def encode(self, row: Row, place: int, path: Any) -> float:
        """The class's number, or the standardised number, of a row."""
        cell = row.cells[place]
        if is_missing(cell):
            raise TableError(f"{path}, row {row.number}, column {self.name!r}: the target is missing")
        if self.classes:
            text = as_text(cell)
            if text not in self.classes:
                known = ", ".join(map(repr, self.classes[:8]))
                raise TableError(
                    f"{path}, row {row.number}, column {self.name!r}: the class {text!r} was not in the training data, "
                    f"which had {known}"
                )
            return float(self.classes.index(text))
        number = as_number(cell)
        if number is None:
            raise TableError(f"{path}, row {row.number}, column {self.name!r}: {cell!r} is not a finite number")
        return (number - self.mean) / self.scale


@dataclass
class TableModel:
    """A network with all that it needs to read tables like that it was trained on.

    Attributes
    ----------
    model : Module
    columns : list of Column
        Its inputs, in their order.
    places : list of int
        Where these stood in the training table, for tables without a header.
    width : int
        How many columns that table had.
    has_header : bool
        Whether they have names.
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
        """Write it, whole or not at all."""
        table = {
            "columns": [as_data(column) for column in self.columns],
            "places": self.places,
            "width": self.width,
            "has_header": self.has_header,
            "target": vars(self.target),
            "target_place": self.target_place,
            "history": self.history.state_dict(),
        }
        save_weights(self.model, path, {"table": json.dumps(table)})

    @classmethod
    def load(cls, path: Path) -> TableModel:
        """The model that a file holds.

        Raises
        ------
        CheckpointError
            If the file is none.
        """
        tensors, texts = read_file(path, "weights")
        if "table" not in texts:
            raise CheckpointError(f"{path} has weights but no columns; expected a file written by python -m nn train")
        model = model_of(texts, path)
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

    # ---- a table like that it was trained on ----

    def find(self, table: Table, with_target: bool) -> tuple[list[int], int | None]:
        """Where the inputs stand in a table, and the target, if it is there.

        Raises
        ------
        TableError
            If columns are missing.
        """
        if self.has_header and table.has_header:
            absent = [column.name for column in self.columns if column.name not in table.names]
            if absent:
                told = ", ".join(map(repr, absent[:8]))
                raise TableError(f"{table.path} has no column {told}; it has {', '.join(table.names[:12])}")
            target = table.names.index(self.target.name) if self.target.name in table.names else None
            places = [table.names.index(column.name) for column in self.columns]
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
            raise TableError(f"{table.path} has no column {self.target.name!r}, the target that is to be compared with")
        return places, target

    def encode(self, rows: Sequence[Row], places: Sequence[int], path: Any, unseen: str = "refuse") -> Array:
        """Rows as inputs of the network, of shape (rows, inputs)."""
        inputs = []
        for row in rows:
            values: list[float] = []
            for column, place in zip(self.columns, places, strict=True):
                if isinstance(column, Numbers):
                    values += column.encode(row.cells[place], row, path)
                else:
                    values += column.encode(row.cells[place], row, path, unseen)
            inputs.append(values)
        encoded = np.array(inputs, np.float64).reshape(len(rows), sum(column.width for column in self.columns))
        # A number very far from those of the training is taken for the largest that a float32 has.
        return np.clip(encoded, -1e30, 1e30).astype(np.float32)

    def outputs(self, inputs: Array) -> Array:
        """Probabilities of the classes, or the numbers of a regression."""
        with np.errstate(all="ignore"):
            raw = predict(self.model, inputs).astype(np.float64)
            if self.target.classes:
                return np.asarray(softmax(raw))
            return np.asarray(raw[:, 0] * self.target.scale + self.target.mean)
