"""Arrays in HTML: small ones as matrices in MathML, large ones as heat maps with statistics."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Any

import numpy as np

from ...formatting import short
from ...notation.mathml import matrix, number
from ..text import root_mean_square
from .heatmap import heat_map

Array = np.ndarray[Any, Any]

_MOST_ROWS, _MOST_COLUMNS = 12, 6
"""The largest size of an array whose entries are written out; a single row may be longer by half."""

_WIDTH, _HEIGHT, _LARGEST_CELL = 384, 240, 14
"""The largest width and height of a heat map, and the largest size of its cells, in CSS pixels."""


def is_small(array: Array, columns: int = _MOST_COLUMNS) -> bool:
    """Whether an array's entries can be written out, with at most this number of columns."""
    last = array.shape[-1] if array.ndim else 1
    rows = array.size // max(last, 1)
    return 0 < rows <= _MOST_ROWS and last <= (columns if rows > 1 else 3 * columns // 2)


def in_numbers(array: Array) -> str:
    """A small array as MathML: a number, or a matrix with the last axis across."""
    if not array.ndim:
        return number(array.item())
    return matrix(array.reshape(-1, array.shape[-1]).tolist())


class Gallery:
    """Makes figures of arrays for a page; an image that is shown several times is stored once."""

    def __init__(self) -> None:
        self.images: dict[tuple[bytes, int, int], str] = {}

    def figure(self, array: Array, caption: str) -> str:
        """An array as a figure with a caption, which is HTML."""
        caption = f"<figcaption>{caption} <span class='kind'>{array.shape} {array.dtype}</span></figcaption>"
        if not array.size:
            return f"<figure class='array'>{caption}<p>empty</p></figure>"
        if is_small(array):
            return f"<figure class='array'>{caption}<math display='block'>{in_numbers(array)}</math></figure>"
        return f"<figure class='array'>{caption}{self._map(array)}</figure>"

    def definitions(self) -> str:
        """All images, as an invisible element of the page."""
        images = "".join(
            f"<image id='{name}' width='{columns}' height='{rows}' preserveAspectRatio='none' "
            f"style='image-rendering:pixelated' "
            f"href='data:image/png;base64,{b64encode(png).decode()}'/>"
            for (png, rows, columns), name in self.images.items()
        )
        return f"<svg width='0' height='0' aria-hidden='true' class='images'><defs>{images}</defs></svg>"

    def _map(self, array: Array) -> str:
        image = heat_map(array)
        name = self.images.setdefault((image.png, image.rows, image.columns), f"image{len(self.images)}")
        cell = max(2, min(_LARGEST_CELL, _WIDTH // image.columns, _HEIGHT // image.rows))
        width, height = cell * image.columns, max(_LARGEST_CELL, cell * image.rows)
        figures = statistics(array)
        limit = f"<math>{number(image.limit, 3)}</math>"
        legend = f"<p class='scale'><math>{number(-image.limit, 3)}</math><span class='bar'></span>{limit}</p>"
        told = "absolute values; " if array.dtype.kind == "c" else ""
        rows, columns = image.block
        if rows * columns > 1:
            told += f"each cell has the largest of {rows} × {columns} entries; "
        return (
            f"<svg class='map' role='img' aria-label='heat map: {escape(', '.join(figures))}' "
            f"viewBox='0 0 {image.columns} {image.rows}' preserveAspectRatio='none' "
            f"style='image-rendering:pixelated' "
            f"width='{width}' height='{height}'><use href='#{name}'/></svg>{legend}"
            f"<p class='statistics'>{told}{', '.join(f'<span>{figure}</span>' for figure in figures)}</p>"
        )


def statistics(array: Array) -> list[str]:
    """The statistics of a large array, each as text with its name."""
    shown = array.astype(np.result_type(array.dtype, np.float64))
    finite = np.isfinite(shown)
    with np.errstate(all="ignore"):
        figures = [f"mean {_figure(np.mean(shown))}", f"standard deviation {_figure(np.std(shown))}"]
        if shown.dtype.kind != "c":
            figures += [f"smallest {_figure(np.min(shown))}", f"largest {_figure(np.max(shown))}"]
        figures.append(f"root mean square {_figure(root_mean_square(shown))}")
    zeros = np.count_nonzero(shown == 0) / shown.size
    if zeros:
        figures.append(f"{zeros:.0%} exactly 0")
    if not finite.all():
        figures.append(f"{np.count_nonzero(~finite)} not finite")
    return figures


def _figure(value: Any) -> str:
    return short(value).replace("-", "−")
