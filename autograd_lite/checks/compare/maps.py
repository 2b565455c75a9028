"""Pictures of a comparison, which show where in each parameter the gradient by hand is too large or too small."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ...figures import new_figure
from .rows import Array, ParameterComparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELLS = 400
"""The largest number of cells along a side of a map; a cell of several entries shows the largest difference."""

AGREEMENT = 1e-7
"""The relative difference up to which two gradients count as equal, and a map stays pale."""

MAP_HEIGHT, STRIP_HEIGHT, WIDTH = 2.6, 0.9, 4.6
"""The sizes of the panels in inches."""


def difference_maps(rows: list[ParameterComparison]) -> Figure:
    """A panel for each parameter, in two columns; each panel has its own symmetric scale."""
    columns = min(2, len(rows)) or 1
    lines = max(1, math.ceil(len(rows) / columns))
    maps = [_as_map(_shown(row)) for row in rows]
    heights = [
        max((STRIP_HEIGHT if len(m) == 1 else MAP_HEIGHT for m in maps[i * columns : (i + 1) * columns]), default=1.0)
        for i in range(lines)
    ]
    size = (WIDTH * columns, sum(heights) + 0.4 * lines)
    figure = new_figure("GradientComparison.plot", figsize=size, layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, height_ratios=heights).ravel()
    for panel, row, values in zip(panels, rows, maps, strict=False):
        _draw(figure, panel, row, values)
    for panel in panels[len(rows) :]:
        panel.set_axis_off()
    return figure


def _draw(figure: Figure, panel: Any, row: ParameterComparison, values: Array) -> None:
    from matplotlib import colormaps
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import MaxNLocator

    panel.set_title(_title(row), fontsize=10)
    panel.tick_params(labelsize=7)
    if not row.same_shape or not values.size:
        panel.set_xticks([])
        panel.set_yticks([])
        return
    finite = np.abs(values[np.isfinite(values)])
    limit = max(float(np.max(finite, initial=0.0)), AGREEMENT * _scale(row)) or 1.0
    image = panel.imshow(
        np.ma.masked_invalid(values),
        cmap=colormaps["RdBu_r"].with_extremes(bad="0.6"),
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
        extent=_extent(row.difference),
    )
    if len(values) == 1:
        panel.set_yticks([])
    else:
        panel.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if row.worst is not None and not row.relative <= AGREEMENT:
        across = row.worst[-1] if row.engine.ndim else 0
        down = int(np.ravel_multi_index(row.worst[:-1], row.shape[:-1])) if row.engine.ndim > 1 else 0
        halo = [withStroke(linewidth=3, foreground="white")]
        panel.plot(across, down, "o", mfc="none", mec="black", ms=9, path_effects=halo)
    bar = figure.colorbar(image, ax=panel, pad=0.02, format="%.2g")
    bar.set_label("by hand − engine", size=7)
    bar.ax.tick_params(labelsize=7)


def _title(row: ParameterComparison) -> str:
    if not row.same_shape:
        return f"{row.name}: shape {row.hand.shape} by hand, not {row.shape}"
    if row.absolute == 0:
        return f"{row.name}: equal"
    if row.relative <= AGREEMENT:
        return f"{row.name}: agree to {row.relative:.0e}"
    return f"{row.name}: up to {row.absolute:.2g}, of {_scale(row):.2g}"


def _shown(row: ParameterComparison) -> Array:
    """The differences, with NaN where nothing is given by hand."""
    if row.given is None or not row.same_shape:
        return row.difference
    return np.where(row.given, row.difference, np.nan)


def _scale(row: ParameterComparison) -> float:
    """The largest finite absolute value in either gradient."""
    return max(float(np.max(np.abs(a[np.isfinite(a)]), initial=0.0)) for a in (row.hand, row.engine))


def _plane(difference: Array) -> Array:
    """The entries as a matrix, with rows along all axes except the last; for complex numbers the absolute values."""
    flat = difference.reshape(-1, difference.shape[-1]) if difference.ndim > 1 else difference.reshape(1, -1)
    return np.abs(flat) if flat.dtype.kind == "c" else flat


def _extent(difference: Array) -> tuple[float, float, float, float]:
    height, width = _plane(difference).shape
    return (-0.5, width - 0.5, height - 0.5, -0.5)


def _as_map(difference: Array) -> Array:
    """At most `CELLS` by `CELLS` numbers: for each block of entries, the one with the largest absolute value."""
    plane = _plane(difference)
    if not plane.size:
        return plane
    for axis in (0, 1):
        size = -(-plane.shape[axis] // CELLS)
        starts = np.arange(0, plane.shape[axis], size)
        high, low = np.maximum.reduceat(plane, starts, axis=axis), np.minimum.reduceat(plane, starts, axis=axis)
        plane = np.where(np.abs(low) > high, low, high)
    return plane
