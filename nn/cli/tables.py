"""Tables as rows of cells: CSV, read line by line, and NumPy's .npy and .npz; errors name file, row and column."""

from __future__ import annotations

import csv
import math
import os
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Cell = str | float

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
"""The texts that mean a missing value, in small or capital letters."""

DELIMITERS = (",", ";", "\t", "|")


class TableError(ValueError):
    """A file cannot be read as a table; the message is one line that says where and why."""


class Row(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    number : int
        Its number, counted as in a spreadsheet: from 1, including the header.
    cells : list
        The cells: texts, or the numbers of an array.
    """

    number: int
    cells: list[Cell]


class Table:
    """A table that is read while iterating over it.

    Parameters
    ----------
    path : Path
        The file; it ends in ``.npy`` or ``.npz``, or is CSV.
    header : bool, optional
        Whether the first row has the names of columns. The default is True if none of its cells is a number.
    delimiter : str, optional
        The character between cells; by default the most frequent one of comma, semicolon, tab and bar in the first row.

    Attributes
    ----------
    names : list of str
        The names of the columns: those of the header, or "column 1" and so on.
    places : dict
        From each name to the place of its column.
    has_header : bool

    Raises
    ------
    TableError
        If the file is empty, or not a text or a table; during the iteration, if a row has another number of cells.
    OSError
        If the file cannot be read.
    """

    def __init__(self, path: Path, header: bool | None = None, delimiter: str | None = None) -> None:
        self.path = path
        self.delimiter = delimiter
        self._copy = _copy_of(path)
        self._source = path if self._copy is None else Path(self._copy.name)
        records = self._records()
        first = next(records, None)
        if first is None:
            raise TableError(f"{path} is empty")
        # Arrays bring their own names.
        self.has_header = not self.is_csv or (_looks_like_header(first.cells) if header is None else header)
        if self.has_header:
            self.names = self._checked_names(first.cells)
        else:
            self.names = [f"column {i}" for i in range(1, len(first.cells) + 1)]
        self.places = {name: place for place, name in enumerate(self.names)}

    @property
    def is_csv(self) -> bool:
        """Whether the cells are texts."""
        return self.path.suffix.lower() not in (".npy", ".npz")

    def __iter__(self) -> Iterator[Row]:
        records = self._records()
        if self.has_header:
            next(records, None)
        for row in records:
            if len(row.cells) != len(self.names):
                raise TableError(
                    f"{self.path}, row {row.number}: it has {len(row.cells)} cells, but the first row has "
                    f"{len(self.names)}"
                )
            yield row

    def index(self, column: str) -> int:
        """The place of a column, by its name or its number from 1."""
        if column in self.places:
            return self.places[column]
        if column.isdecimal() and len(column) < 10 and 1 <= int(column) <= len(self.names):
            return int(column) - 1
        shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        raise TableError(f"{self.path} has no column {column[:80]!r}; it has {shown}")

    # ---- records, including the header ----

    def _records(self) -> Iterator[Row]:
        if self.is_csv:
            yield from self._csv_records()
        else:
            yield from self._array_records()

    def _csv_records(self) -> Iterator[Row]:
        number = 0
        try:
            with self._source.open(encoding="utf-8-sig", newline=None) as file:
                if self.delimiter is None:
                    start = file.readline()
                    while start and not start.strip():
                        start = file.readline()
                    self.delimiter = max(DELIMITERS, key=re.sub(r'"[^"]*"', "", start).count)
                    file.seek(0)
                for cells in csv.reader(file, delimiter=self.delimiter, strict=True):
                    number += 1
                    if any(cell.strip() for cell in cells):
                        yield Row(number, [cell.strip() for cell in cells])
        except csv.Error as error:
            raise TableError(f"{self.path}, row {number + 1}: {error}") from None
        except UnicodeDecodeError:
            raise TableError(f"{self.path}{self._what_is_no_text()}; save it as UTF-8") from None

    def _what_is_no_text(self) -> str:
        with self._source.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    return f", row {number}: the byte {line[error.start]:#04x} is not UTF-8 text"
        return " is not UTF-8 text"

    def _array_records(self) -> Iterator[Row]:
        columns = self._columns()
        lengths = {len(values) for values in columns.values()}
        if len(lengths) != 1:
            told = ", ".join(f"{name} has {len(values)}" for name, values in columns.items())
            raise TableError(f"{self.path}: its arrays have different numbers of rows: {told}")
        if lengths == {0}:
            raise TableError(f"{self.path} is empty")
        yield Row(0, list(columns))
        arrays = list(columns.values())
        for i in range(lengths.pop()):
            yield Row(i + 1, [_cell(array[i]) for array in arrays])

    def _columns(self) -> dict[str, np.ndarray[Any, Any]]:
        arrays: dict[str, np.ndarray[Any, Any]]
        try:
            if self.path.suffix.lower() == ".npy":
                arrays = {"": np.lib.format.open_memmap(self._source, mode="r")}
            else:
                with self._source.open("rb") as file, zipfile.ZipFile(file) as members:
                    self._check_sizes(members)
                    file.seek(0)
                    with np.load(file, allow_pickle=False) as archive:
                        arrays = {name: archive[name] for name in archive.files}
        except (OSError, TableError, MemoryError):
            raise
        except Exception as error:
            # NumPy and zipfile raise various exceptions for files that are not theirs.
            raise TableError(f"{self.path} is not a file of arrays: {_one_line(error)}") from None
        columns: dict[str, np.ndarray[Any, Any]] = {}
        for name, array in arrays.items():
            if array.dtype.names:
                columns |= {field: array[field] for field in array.dtype.names}
            elif array.ndim == 2:
                prefix = f"{name} " if name else "column "
                columns |= {f"{prefix}{i + 1}": array[:, i] for i in range(array.shape[1])}
            elif array.ndim == 1 and name:
                columns[name] = array
            else:
                what = f"its array {name!r}" if name else "its array"
                raise TableError(f"{self.path}: {what} has shape {array.shape}; expected rows and columns")
        for name, array in columns.items():
            if array.ndim != 1 or array.dtype.kind not in "fiubU":
                raise TableError(f"{self.path}, column {name!r}: it holds {array.dtype}; expected numbers or texts")
        if not columns:
            raise TableError(f"{self.path} holds no arrays")
        return columns

    def _check_sizes(self, members: zipfile.ZipFile) -> None:
        """Refuse an archive that is unpacked to more than the memory that there is, before it is unpacked."""
        size = sum(member.file_size for member in members.infolist())
        for member in members.infolist():
            with suppress(ValueError, OSError), members.open(member) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
                size = max(size, math.prod(shape) * dtype.itemsize)
        check_memory(size, f"{self.path}: its arrays")

    def _checked_names(self, cells: Sequence[Cell]) -> list[str]:
        names = [str(cell) for cell in cells]
        places: dict[str, int] = {}
        for place, name in enumerate(names, 1):
            if not name:
                raise TableError(
                    f"{self.path}, row 1: column {place} has no name; pass --no-header if it has no header"
                )
            if places.setdefault(name, place) != place:
                raise TableError(f"{self.path}, row 1: columns {places[name]} and {place} are both named {name!r}")
        return names


def check_memory(size: int, what: str) -> None:
    """Refuse what would take more than half of the memory that this process may have.

    Raises
    ------
    TableError
        If it would.
    """
    available = _memory()
    if size > available / 2:
        raise TableError(f"{what} would take {size / 1e9:,.1f} GB, and this machine has {available / 1e9:,.1f} GB")


def _memory() -> float:
    """The bytes of memory of the machine, or of the container or the process if these have a limit."""
    limits = [math.inf]
    with suppress(ValueError, OSError, AttributeError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(ValueError, OSError):
            limits.append(int(Path(path).read_text()))
    with suppress(ImportError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limits)


def _copy_of(path: Path) -> Any:
    """A temporary file with what a pipe gives, since a table is read several times; None for a file."""
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise TableError(f"{path} is a device; expected a file or a pipe")
    if not stat.S_ISFIFO(mode):
        return None
    copy = tempfile.NamedTemporaryFile(suffix=path.suffix)  # noqa: SIM115 - it is deleted with the table
    with path.open("rb") as pipe:
        shutil.copyfileobj(pipe, copy)
    copy.flush()
    return copy


def is_missing(cell: Cell) -> bool:
    """Whether a cell means a missing value."""
    return cell.lower() in MISSING if isinstance(cell, str) else math.isnan(cell)


def as_number(cell: Cell) -> float | None:
    """A cell's number; None if the cell is not a number, or not finite."""
    if isinstance(cell, str):
        # Python also accepts 1_000 and digits other than 0 to 9, but these are not numbers in a table.
        if not _NUMBER.fullmatch(cell):
            return None
        cell = float(cell)
    return cell if math.isfinite(cell) else None


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def _looks_like_header(cells: Sequence[Cell]) -> bool:
    return all(isinstance(cell, str) and as_number(cell) is None for cell in cells)


def _cell(value: Any) -> Cell:
    return str(value) if isinstance(value, np.str_) else float(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
