"""The rows of a comparison: a parameter's two gradients side by side, their statistics, and the table of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...core.graph import Node

Array = np.ndarray[Any, Any]

ROUNDINGS = 64
"""How many roundings of all terms the two ways of computing a gradient may be apart."""

AGREEMENT = {0: 1e-7, 1: 5e-5, 2: 2e-2}
"""The relative difference up to which gradients agree: in double precision, single precision, and below."""


def precision_of(dtype: np.dtype[Any]) -> int:
    """0 for double precision, integers and more, 1 for single precision, 2 for less."""
    resolution = float(np.finfo(dtype).eps) if dtype.kind in "fc" else 0.0
    return 2 if resolution > 1e-5 else 1 if resolution > 1e-10 else 0


@dataclass(frozen=True)
class ParameterComparison:
    """One parameter's two gradients, and measures of their difference.

    Attributes
    ----------
    name : str
        The parameter's name.
    hand, engine : ndarray
        The gradient derived by hand, and the engine's.
    terms : float
        The size of the terms that were summed in the engine's gradient, if its graph shows it: what differs by no more
        than their rounding is equal.
    given : ndarray of bool or None
        Which entries are given by hand; None for all. Only these are compared.
    """

    name: str
    hand: Array
    engine: Array
    terms: float = 0.0
    given: Array | None = None

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

        It is NaN where either gradient is NaN, or if the shapes differ; 0 where both are the same infinity, and in
        entries that are not given by hand.
        """
        if not self.same_shape:
            return np.full(self.shape, np.nan)
        hand, engine = (a.astype(np.result_type(a.dtype, np.float64)) for a in (self.hand, self.engine))
        with np.errstate(invalid="ignore"):
            apart = np.where(hand == engine, 0.0, hand - engine)
        return apart if self.given is None else np.where(self.given, apart, 0.0)

    @property
    def _compared(self) -> tuple[Array, Array]:
        """The two gradients, where both are given."""
        if self.given is None or not self.same_shape:
            return self.hand, self.engine
        return self.hand[self.given], self.engine[self.given]

    @property
    def absolute(self) -> float:
        """The largest absolute difference; NaN if any difference is NaN; 0 for an empty parameter."""
        if not self.same_shape:
            return float("nan")
        return float(np.max(np.abs(self.difference), initial=0.0))

    @property
    def rtol(self) -> float:
        """The relative difference up to which the two are the same numbers, in the lower of the two precisions."""
        return AGREEMENT[max(precision_of(self.hand.dtype), precision_of(self.engine.dtype))]

    @property
    def rounding(self) -> float:
        """The absolute difference that the rounding of the terms makes."""
        dtypes = [a.dtype for a in (self.hand, self.engine) if a.dtype.kind in "fc"]
        return ROUNDINGS * self.terms * max((float(np.finfo(dtype).eps) for dtype in dtypes), default=0.0)

    @property
    def relative(self) -> float:
        """The largest absolute difference, divided by the largest absolute value in either gradient.

        A difference that is no larger than the rounding of the terms is divided by them, if they are larger: a
        gradient whose terms cancel has no digits of its own.
        """
        scale = max(float(np.max(np.abs(a), initial=0.0)) for a in self._compared)
        if self.absolute <= self.rounding:
            scale = max(scale, self.terms)
        if self.absolute == 0 or not scale or not np.isfinite(scale):
            return self.absolute
        return self.absolute / scale

    @property
    def cosine(self) -> float:
        """The cosine of the angle between the two as vectors; 1 where both are zero, NaN where the shapes differ."""
        if not self.same_shape:
            return float("nan")
        hand, engine = (a.astype(np.result_type(a.dtype, np.float64)).ravel() for a in self._compared)
        lengths = [float(np.max(np.abs(a), initial=0.0)) for a in (hand, engine)]
        if max(lengths) <= self.rounding:
            return 1.0
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
        apart = np.abs(self.difference)
        ranked = apart if self.given is None else np.where(self.given, apart, -1.0)
        return tuple(int(i) for i in np.unravel_index(np.argmax(ranked), self.shape))


@dataclass(frozen=True)
class Explanation:
    """A mistake that the numbers prove.

    Attributes
    ----------
    kind : str
        Of what the gradients show alone one of "factor", "sign", "transpose", "reversal", "permutation", "shape",
        "batch sum", "L2"; of what the graph shows one of these, or "activation derivative", "derivative", "softmax",
        "operand", "scale", "reduction", "mask", "normalisation", "indexing", "truncation", "sharing", "path",
        "parametrisation", "conjugate", "delta of another place", "stepped weights", "delta"; of what is no derivation
        yet "zeros", "not finite", "integers"; of values in the forward program "value"; of matrices of second
        derivatives "part of a matrix"; of rules "rule" if no mistake is known, and "diagonal".
    parameters : tuple of str
        The parameters whose difference it explains.
    text : str
        A description of the mistake, and of the numbers that prove it.
    edges : tuple of (Node, int, Node or None), optional
        The steps of the backward pass that the mistake is in: recorded calls, the positions of their operands, and the
        nodes that the steps lead to, if they are not the operands.
    details : tuple of str, optional
        Where these steps are in the program, what else the numbers prove, and the right formulas.
    """

    kind: str
    parameters: tuple[str, ...]
    text: str
    edges: tuple[tuple[Node, int, Node | None], ...] = field(default=(), repr=False)
    details: tuple[str, ...] = ()

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


def table(rows: list[ParameterComparison], not_given: Sequence[str] = ()) -> str:
    """The rows under a header, in columns, and the parameters that are not given by hand."""
    lines = [HEADER, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = (0, 1, 5)
    aligned = [
        "  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    ]
    last = [f"not given by hand: {', '.join(not_given)}"] if not_given else []
    return "\n".join([aligned[0].rstrip(), "-" * len(aligned[0]), *(line.rstrip() for line in aligned[1:]), *last])
