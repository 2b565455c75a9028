"""Matplotlib's figures, made without a window, that notebooks show by themselves."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(what: str, **options: Any) -> Figure:
    """A figure that has its picture for notebooks; without pyplot, Matplotlib's own is shown there as text alone.

    Parameters
    ----------
    what : str
        What needs the figure, for the error's text.
    **options
        As for `matplotlib.figure.Figure`.

    Raises
    ------
    ImportError
        If Matplotlib is not installed.

    Examples
    --------
    >>> figure = new_figure("a plot", figsize=(2, 1))
    >>> figure._repr_png_()[1:4]
    b'PNG'
    """
    try:
        made: Figure = _shown_figure()(**options)
    except ImportError:
        raise ImportError(f"{what} needs Matplotlib: pip install matplotlib") from None
    return made


@cache
def _shown_figure() -> Any:
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        """A figure with its picture in the form that notebooks ask for."""

        def _repr_png_(self) -> bytes:
            data = io.BytesIO()
            self.savefig(data, format="png")
            return data.getvalue()

    return ShownFigure
