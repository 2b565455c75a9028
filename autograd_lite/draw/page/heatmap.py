"""Large arrays as small images: positive entries orange, negative ones blue, zeros white, NaN black."""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]

ROWS, COLUMNS = 48, 96
"""The largest numbers of cells of an image, down and across."""

_LEVELS = 63
"""The number of tints on each side of zero."""

_POSITIVE, _NEGATIVE = (0xC4, 0x54, 0x00), (0x00, 0x5F, 0x9E)


class HeatMap(NamedTuple):
    """An image of an array.

    Attributes
    ----------
    png : bytes
        The image, one pixel for each cell.
    rows, columns : int
        The numbers of its cells.
    block : tuple of int
        The numbers of the array's rows and columns in a cell; the cell shows the largest of their entries.
    limit : float
        The absolute value that is shown in full colour.
    """

    png: bytes
    rows: int
    columns: int
    block: tuple[int, int]
    limit: float


def heat_map(array: Array) -> HeatMap:
    """An array as an image, with its last axis across and all others down; for complex numbers, the absolute values.

    Examples
    --------
    >>> import numpy as np
    >>> image = heat_map(np.linspace(-1.0, 2.0, 100 * 200).reshape(100, 200))
    >>> image.rows, image.columns, image.block, image.limit
    (34, 67, (3, 3), 2.0)
    """
    cells = np.abs(array) if array.dtype.kind == "c" else array.astype(np.float64)
    cells = cells.reshape(-1, cells.shape[-1])
    block = (-(-cells.shape[0] // ROWS), -(-cells.shape[1] // COLUMNS))
    cells = _largest_of_blocks(cells, block)
    limit = float(np.max(np.abs(cells), initial=0.0, where=np.isfinite(cells)))
    missing = np.isnan(cells)
    tints = np.clip(np.where(missing, 0, cells) / (limit or 1.0), -1, 1) * _LEVELS
    # Levels are rounded away from zero, so that only zero is white.
    levels = (np.copysign(np.ceil(np.abs(tints)), tints) + _LEVELS + 1).astype(np.uint8)
    levels[missing] = 0
    return HeatMap(_png(levels), cells.shape[0], cells.shape[1], block, limit)


def _largest_of_blocks(cells: Array, block: tuple[int, int]) -> Array:
    """For each block of rows and columns, the entry with the largest absolute value; NaN if the block has one."""
    for axis, size in enumerate(block):
        if size == 1:
            continue
        cells = np.moveaxis(cells, axis, -1)
        filled = -cells.shape[-1] % size
        cells = np.pad(cells, [(0, 0), (0, filled)]).reshape(cells.shape[0], -1, size)
        largest = np.argmax(np.abs(cells), axis=-1, keepdims=True)
        cells = np.moveaxis(np.take_along_axis(cells, largest, axis=-1)[..., 0], -1, axis)
    return cells


def _palette() -> bytes:
    """The palette: black for NaN, then the tints from the most negative to the most positive."""
    colours = [(0, 0, 0)]
    for level in range(-_LEVELS, _LEVELS + 1):
        full = _POSITIVE if level > 0 else _NEGATIVE
        share = (abs(level) / _LEVELS) ** 0.7
        colours.append(tuple(round(255 + (channel - 255) * share) for channel in full))
    return bytes(channel for colour in colours for channel in colour)


def _png(levels: Array) -> bytes:
    """Numbers of colours as a PNG (ISO/IEC 15948), with one byte for each pixel and no filter."""
    rows, columns = levels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    pixels = zlib.compress(np.pad(levels, [(0, 0), (1, 0)]).tobytes(), 9)
    chunks = (b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
