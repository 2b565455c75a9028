"""The rows of a comparison: a parameter's two gradients side by side, their statistics, and the table of these."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ParameterComparison:
    """One parameter's two gradients, and measures of their difference.

    Attributes
    ----------
    name : str
        The parameter's name.
    hand, engine : ndarray
        The gradient derived by hand, and the engine's.
    """

    name: str
    hand: Array
    engine: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the engine's gradient, which is the parameter's shape."""
        return tuple(self.engine.shape)

    @property
    def same_shape(self) -> bool:
        """Whether the gradient by hand has the parameter's shape; otherwise the two cannot be subtracted."""
        return bool(self.hand.shape == self.engine.shape)

    @cached_property
    def difference(self) -> Array:
        """``hand - engine``, in double precision at least.

        It is NaN where either gradient is NaN, or if the shapes differ; 0 where both are the same infinity.
        """
        if not self.same_shape:
            return np.full(self.shape, np.nan)
        hand, engine = (a.astype(np.result_type(a.dtype, np.float64)) for a in (self.hand, self.engine))
        with np.errstate(invalid="ignore"):
            return np.where(hand == engine, 0.0, hand - engine)

    @property
    def absolute(self) -> float:
        """The largest absolute difference; NaN if any difference is NaN; 0 for an empty parameter."""
        if not self.same_shape:
            return float("nan")
        return float(np.max(np.abs(self.difference), initial=0.0))

    @property
    def relative(self) -> float:
        """The largest absolute difference, divided by the largest absolute value in either gradient."""
        scale = max(float(np.max(np.abs(a), initial=0.0)) for a in (self.hand, self.engine))
        if self.absolute == 0 or not scale or not np.isfinite(scale):
            return self.absolute
        return self.absolute / scale

    @property
    def cosine(self) -> float:
        """The cosine of the angle between the two as vectors; 1 where both are zero, NaN where the shapes differ."""
        if not self.same_shape:
            return float("nan")
        hand, engine = (a.astype(np.result_type(a.dtype, np.float64)).ravel() for a in (self.hand, self.engine))
        lengths = [float(np.max(np.abs(a), initial=0.0)) for a in (hand, engine)]
        if 0.0 in lengths:
            return 1.0 if lengths[0] == lengths[1] else 0.0
        if not np.all(np.isfinite(lengths)):
            return float("nan")
        # Both are scaled first, so that the squares of tiny and huge gradients neither underflow nor overflow.
        hand, engine = hand / lengths[0], engine / lengths[1]
        return float(np.vdot(hand, engine).real / (np.linalg.norm(hand) * np.linalg.norm(engine)))

    @property
    def worst(self) -> tuple[int, ...] | None:
        """The index of the largest difference, or of the first NaN; None if there is no such entry."""
        if not self.engine.size or not self.same_shape:
            return None
        return tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(self.difference)), self.shape))


@dataclass(frozen=True)
class Explanation:
    """A mistake that the numbers prove.

    Attributes
    ----------
    kind : str
        One of "factor", "sign", "transpose", "reversal", "permutation", "shape", "batch sum", "L2",
        "activation derivative", "softmax", "delta".
    parameters : tuple of str
        The parameters whose difference it explains.
    text : str
        A description of the mistake, and of the numbers that prove it.
    """

    kind: str
    parameters: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return self.text


HEADER = ("parameter", "shape", "max abs diff", "max rel diff", "cosine", "worst entry", "by hand", "engine")


def cells(row: ParameterComparison) -> tuple[str, ...]:
    """A row's entries as text, in the order of `HEADER`."""
    if not row.same_shape:
        return (row.name, str(row.shape), "-", "-", "-", "-", f"shape {row.hand.shape}", "-")
    at = row.worst
    values = ("-", "-") if at is None else (f"{row.hand[at]:.6g}", f"{row.engine[at]:.6g}")
    where = "-" if at is None else str(list(at))
    return (row.name, str(row.shape), f"{row.absolute:.2e}", f"{row.relative:.2e}", f"{row.cosine:.9f}", where, *values)


def table(rows: list[ParameterComparison]) -> str:
    """The rows under a header, in columns."""
    lines = [HEADER, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = (0, 1, 5)
    aligned = [
        "  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    return "\n".join([aligned[0].rstrip(), "-" * len(aligned[0]), *(line.rstrip() for line in aligned[1:])])
