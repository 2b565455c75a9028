"""A comparison as HTML for notebooks: the table, coloured by the size of the differences, and the explanations."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .rows import HEADER, Explanation, ParameterComparison, cells

# The colours are translucent, to be readable on light and dark pages, and from Okabe and Ito's palette for colour-blind
# people.
_AGREES = "rgba(0, 158, 115, 0.22)"
_CLOSE = "rgba(230, 159, 0, 0.28)"
_DIFFERS = "rgba(213, 94, 0, 0.34)"

_TEXT_COLUMNS = (0, 1, 5)


def as_html(rows: list[ParameterComparison], explanations: list[Explanation], not_given: Sequence[str] = ()) -> str:
    """The table and a list of the explanations, as HTML that loads nothing from elsewhere."""
    header = "".join(f"<th style='text-align:{_align(i)}'>{escape(name)}</th>" for i, name in enumerate(HEADER))
    body = "".join(f"<tr style='background:{_colour(row)}'>{_row(row)}</tr>" for row in rows)
    items = "".join(f"<li>{escape(one.text)}{_details(one)}</li>" for one in explanations)
    absent = f"<p>not given by hand: {escape(', '.join(not_given))}</p>" if not_given else ""
    return (
        f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>{absent}"
        + (f"<ul>{items}</ul>" if items else "")
    )  # fmt: skip


def _details(explanation: Explanation) -> str:
    lines = "".join(f"<br><span>{escape(line)}</span>" for line in explanation.details)
    return f"<small>{lines}</small>" if lines else ""


def _row(row: ParameterComparison) -> str:
    return "".join(f"<td style='text-align:{_align(i)}'>{escape(cell)}</td>" for i, cell in enumerate(cells(row)))


def _align(column: int) -> str:
    return "left" if column in _TEXT_COLUMNS else "right"


def _colour(row: ParameterComparison) -> str:
    if row.relative <= row.rtol:
        return _AGREES
    return _CLOSE if row.relative <= 1e-3 else _DIFFERS
