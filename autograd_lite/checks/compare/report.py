"""The report of a comparison: a row for each parameter, the explanations, and their display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .maps import difference_maps
from .notebook import as_html
from .recording import Recording
from .rows import Explanation, ParameterComparison, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class GradientComparison:
    """The report of `compare_gradients`. `print` shows it as a table, a notebook in colours.

    Attributes
    ----------
    rows : list of ParameterComparison
        One row for each parameter, in the engine's order; after them those of intermediates, and of values.
    explanations : list of Explanation
        The mistakes that the numbers prove; may be empty.
    not_given : tuple of str
        The parameters whose gradient was not given by hand, and of how many entries.
    places : list of Explanation
        For single parameters that nothing explains: what is right, and the step that is not.
    recording : Recording or None
        The recorded graph, if there is one; `draw_graph` and `backprop_page` show it, with the places of the mistakes.
    """

    def __init__(
        self,
        rows: list[ParameterComparison],
        explanations: list[Explanation] | None = None,
        not_given: tuple[str, ...] = (),
        recording: Recording | None = None,
        places: list[Explanation] | None = None,
    ) -> None:
        self.rows = rows
        self.explanations = explanations or []
        self.not_given = not_given
        self.recording = recording
        self.places = places or []

    def __getitem__(self, name: str) -> ParameterComparison:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(
            f"no parameter {name!r} was compared; expected one of {', '.join(row.name for row in self.rows)}"
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def largest_relative(self) -> float:
        """The largest of the rows' relative differences; NaN if one of them is NaN."""
        return float(np.max([row.relative for row in self.rows], initial=0.0))

    def agrees(self, rtol: float | None = None) -> bool:
        """Whether every parameter's relative difference is at most `rtol`; False if there is a NaN or a wrong shape.

        By default it is 1e-7 in double precision, and 5e-5 where either gradient is in single precision.
        """
        return not self._apart(rtol)

    def assert_close(self, rtol: float | None = None) -> None:
        """Raise an AssertionError with table and explanations unless every relative difference is at most `rtol`."""
        if apart := self._apart(rtol):
            bound = max(row.rtol for row in apart) if rtol is None else rtol
            names = ", ".join(row.name for row in apart)
            raise AssertionError(f"gradients by hand and by engine differ by more than {bound:g} in {names}\n{self}")

    def _apart(self, rtol: float | None) -> list[ParameterComparison]:
        return [row for row in self.rows if not row.relative <= (row.rtol if rtol is None else rtol)]

    def plot(self) -> Figure:
        """Maps of the differences, one for each parameter; needs matplotlib.

        The maps are blue where the gradient by hand is too small, and red where it is too large; the worst entry has a
        ring. A parameter with no axis or one axis is drawn as a strip, one with more than two axes as a matrix whose
        rows go along all axes except the last.

        Returns
        -------
        matplotlib.figure.Figure
            The figure, for a notebook, or to save with ``savefig``.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from autograd_lite.checks import compare_gradients
        >>> G = np.arange(6.0).reshape(2, 3)
        >>> figure = compare_gradients({"W": 2 * G}, {"W": G}).plot()
        >>> figure.axes[0].get_title()
        'W: up to 5, of 10'
        """
        return difference_maps(self.rows)

    def __str__(self) -> str:
        lines = [table(self.rows, self.not_given)]
        for one in (*self.explanations, *self.places):
            lines += [f"- {one}", *(f"    {detail}" for detail in one.details)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return as_html(self.rows, [*self.explanations, *self.places], self.not_given)

    def __repr__(self) -> str:
        return (
            f"<GradientComparison of {len(self)} parameters, largest relative difference {self.largest_relative:.2e}>"
        )
