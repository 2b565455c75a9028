"""Tables as HTML, for notebooks: of words, and of an array's numbers.

They have no colours of their own but translucent ones, so that text and ground are those of the page, light or dark,
and nothing is lost where styles are taken out, as on GitHub.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from .formatting import short


def _escaped(text: str) -> str:
    # As html.escape, whose module loads a table of thousands of entities with every import of the library.
    for sign, entity in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#x27")):
        text = text.replace(sign, f"&{entity};")
    return text


_ROWS, _COLUMNS = 10, 10
"""The largest table of numbers that is shown whole."""

_POSITIVE, _NEGATIVE = "0, 114, 178", "213, 94, 0"

_DARKEST = 0.3
"""The opacity of the largest number's colour; text on it keeps a contrast above 4.5 on white and on black."""


def html_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int] = (0,), title: str = ""
) -> str:
    """A table of texts.

    Parameters
    ----------
    header : sequence of str
        The columns' names.
    rows : sequence of sequence of str
        The cells.
    left : collection of int, default (0,)
        The columns that are set to the left; the others are numbers, to the right.
    title : str, optional
        What stands over the table.

    Examples
    --------
    >>> html_table(["layer", "units"], [["a<b", "3"]])[:75]
    "<table><thead><tr><th style='text-align:left'>layer</th><th style='text-ali"
    """

    def line(kind: str, cells: Sequence[str]) -> str:
        sides = ("left" if i in left else "right" for i in range(len(cells)))
        told = (
            f"<{kind} style='text-align:{side}'>{_escaped(c)}</{kind}>" for c, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{''.join(told)}</tr>"

    body = "".join(line("td", row) for row in rows)
    above = f"<div>{_escaped(title)}</div>" if title else ""
    return f"{above}<table><thead>{line('th', header)}</thead><tbody>{body}</tbody></table>"


def html_tensor(title: str, value: Any, gradient: Any) -> str:
    """The numbers of a tensor's array, and beside them those of its gradient, or of None."""
    parts = {"value": value} if gradient is None else {"value": value, "gradient": gradient}
    cells = "".join(
        f"<td style='vertical-align:top;text-align:left'><div>{name}</div>{html_array(np.asarray(array))}</td>"
        for name, array in parts.items()
    )
    return f"<div>Tensor: {_escaped(title)}</div><table><tbody><tr>{cells}</tr></tbody></table>"


def html_array(array: np.ndarray[Any, Any]) -> str:
    """The numbers of an array with up to two axes, tinted by sign and size; a large one without its middle.

    Examples
    --------
    >>> html_array(np.array([1.0, -2.0])).count("<td")
    2
    """
    grid = array.reshape(1, -1) if array.ndim < 2 else array
    rows, columns = _indices(grid.shape[0], _ROWS), _indices(grid.shape[1], _COLUMNS)
    numbers = grid[np.ix_([i for i in rows if i is not None], [j for j in columns if j is not None])]
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0))

    is_exact = grid.dtype.kind in "biu"

    def cell(i: int | None, j: int | None) -> str:
        if i is None or j is None:
            return "<td style='text-align:center'>…</td>"
        number = grid[i, j]
        text = str(number) if is_exact else short(number)
        return f"<td style='text-align:right{_tint(number, largest)}'>{_escaped(text)}</td>"

    body = "".join(f"<tr>{''.join(cell(i, j) for j in columns)}</tr>" for i in rows)
    return f"<table><tbody>{body}</tbody></table>"


def _indices(count: int, most: int) -> list[int | None]:
    """The rows or columns that are shown; None stands for those left out."""
    if count <= most:
        return [*range(count)]
    return [*range(most - 3), None, count - 2, count - 1]


def _tint(number: Any, largest: float) -> str:
    if np.iscomplexobj(number) or not np.isfinite(number) or not largest:
        return ""
    opacity = _DARKEST * min(1.0, abs(float(number)) / largest)
    return f";background:rgba({_POSITIVE if number >= 0 else _NEGATIVE}, {opacity:.2f})"
