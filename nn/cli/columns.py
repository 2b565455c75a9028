"""Columns of a table as inputs of a network: standardised numbers, one-hot categories, marked missing values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .tables import Cell, Row, TableError, as_number, is_missing

Array = np.ndarray[Any, Any]

_MOSTLY_NUMBERS = 0.9
"""The share of numbers in a column from which on a text in it counts as a mistake."""

_MOST_CATEGORIES = 50
"""The number of different texts up to which a column is never taken for names or notes."""

MOST_INPUTS = 1000
"""The largest number of categories of a column, each of which is an input of the network, and of classes."""


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, standardised with the training data's mean and scale; a missing number becomes the mean.

    Attributes
    ----------
    name : str
    mean, scale : float
        The mean and standard deviation of the training data.
    has_missing : bool
        Whether values were missing in the training data; then another input says which values are missing.
    """

    name: str
    mean: float
    scale: float
    has_missing: bool

    @property
    def width(self) -> int:
        """The number of inputs for this column."""
        return 1 + self.has_missing

    def encode(self, cell: Cell, row: Row, path: Any) -> list[float]:
        """A cell as inputs."""
        if is_missing(cell):
            return [0.0, 1.0][: self.width]
        number = as_number(cell)
        if number is None:
            raise TableError(f"{path}, row {row.number}, column {self.name!r}: {_shown(cell)} is not a finite number")
        return [(number - self.mean) / self.scale, 0.0][: self.width]


@dataclass(frozen=True)
class Categories:
    """A column of categories, with an input for each, which is 1 for the category of the row.

    Attributes
    ----------
    name : str
    categories : list of str
        The categories of the training data.
    has_missing : bool
        Whether values were missing in the training data; then "missing" is another category.
    """

    name: str
    categories: list[str]
    has_missing: bool

    @property
    def width(self) -> int:
        """The number of inputs for this column."""
        return len(self.categories) + self.has_missing

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.categories)}

    def encode(self, cell: Cell, row: Row, path: Any, unseen: str = "refuse") -> list[float]:
        """A cell as inputs; all zeros for an unseen or missing category, if that is allowed."""
        inputs = [0.0] * self.width
        text = as_text(cell)
        if is_missing(cell):
            if self.has_missing:
                inputs[-1] = 1.0
        elif text in self._places:
            inputs[self._places[text]] = 1.0
        elif unseen == "refuse":
            known = ", ".join(map(repr, self.categories[:8])) + (", ..." if len(self.categories) > 8 else "")
            raise TableError(
                f"{path}, row {row.number}, column {self.name!r}: the category {_shown(cell)} was not in the training "
                f"data, which had {known}; pass --unseen ignore to predict without it"
            )
        return inputs


Column = Numbers | Categories


def recognised(
    name: str, cells: Sequence[Cell], rows: Sequence[Row], path: Any, as_categories: bool
) -> tuple[str, str | None]:
    """The kind of a column: "numbers", "categories", or "nothing" if a network cannot learn from it; and the reason."""
    present = [(cell, row) for cell, row in zip(cells, rows, strict=True) if not is_missing(cell)]
    if not present:
        return "nothing", "it has no values"
    texts = [(cell, row) for cell, row in present if as_number(cell) is None]
    if as_categories or texts:
        if texts and not as_categories and len(texts) <= (1 - _MOSTLY_NUMBERS) * len(present):
            cell, row = texts[0]
            raise TableError(
                f"{path}, row {row.number}, column {name!r}: {_shown(cell)} is not a finite number, but "
                f"{1 - len(texts) / len(present):.0%} of the column are; correct it, or pass --categories {name!r}"
            )
        kinds = {as_text(cell) for cell, _ in present}
        if not as_categories and len(kinds) > _MOST_CATEGORIES and len(kinds) > len(present) / 2:
            return "nothing", f"it has {len(kinds)} different texts in {len(present)} rows"
        if len(kinds) > MOST_INPUTS:
            raise TableError(
                f"{path}, column {name!r}: it has {len(kinds):,} categories, each of which would be an input; at most "
                f"{MOST_INPUTS:,} are taken. Group them, or pass --ignore {name!r}"
            )
        return (
            ("nothing", "it has a single value")
            if len(kinds) == 1 and len(present) == len(cells)
            else ("categories", None)
        )
    if len({as_number(cell) for cell, _ in present}) == 1 and len(present) == len(cells):
        return "nothing", "it has a single value"
    return "numbers", None


def fitted(name: str, kind: str, cells: Sequence[Cell]) -> Column:
    """A column, with mean and scale or categories from the training cells."""
    has_missing = any(is_missing(cell) for cell in cells)
    if kind == "categories":
        return Categories(name, sorted({as_text(cell) for cell in cells if not is_missing(cell)}), has_missing)
    numbers = np.array([as_number(cell) for cell in cells if not is_missing(cell)], np.float64)
    if not numbers.size:
        return Numbers(name, 0.0, 1.0, has_missing)
    # Numbers are divided by the largest first, so that no sum or square overflows.
    largest = float(np.abs(numbers).max()) or 1.0
    mean, scale = float(np.mean(numbers / largest)) * largest, float(np.std(numbers / largest)) * largest
    return Numbers(name, mean, scale if scale > 0 else 1.0, has_missing)


def as_text(cell: Cell) -> str:
    """A cell as the name of a category; 1.0 and 1 have the same name."""
    return cell if isinstance(cell, str) else f"{cell:g}"


def as_data(column: Column) -> dict[str, Any]:
    """A column in a form for JSON."""
    return {"kind": "numbers" if isinstance(column, Numbers) else "categories", **asdict(column)}


def from_data(data: Mapping[str, Any]) -> Column:
    """The column from the data of `as_data`.

    Raises
    ------
    ValueError, KeyError, TypeError
        If the data are not a column.
    """
    name, has_missing = str(data["name"]), bool(data["has_missing"])
    if data["kind"] == "numbers":
        return Numbers(name, float(data["mean"]), float(data["scale"]), has_missing)
    if data["kind"] != "categories":
        raise ValueError(f"the kind of column {data['kind']!r} is unknown")
    return Categories(name, [str(category) for category in data["categories"]], has_missing)


def _shown(cell: Cell) -> str:
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:37]}...'"
