"""When numbers prove a mistake: how closely a gradient derived by hand must agree with a predicted one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .rows import Array, ParameterComparison

DOUBLE, SINGLE, HALF = 1e-9, 5e-5, 2e-2
"""The allowed difference between two ways of computing the same numbers, relative to the largest, by precision."""

FOLD = 100
"""The factor by which an explanation must make the difference smaller."""


@dataclass(frozen=True)
class Row:
    """A parameter's two gradients in the form in which the explanations use them.

    Attributes
    ----------
    name : str
        The parameter's name.
    hand, engine : ndarray
        The two gradients, in double precision at least.
    value : ndarray or None
        The parameter itself, if it is known.
    tolerance : float
        The allowed relative difference in the lower of the two precisions.
    """

    name: str
    hand: Array
    engine: Array
    value: Array | None
    tolerance: float

    @property
    def same_shape(self) -> bool:
        """Whether the two gradients have the same shape."""
        return bool(self.hand.shape == self.engine.shape)

    @property
    def finite(self) -> bool:
        """Whether all numbers are finite; otherwise nothing can be proven."""
        return bool(np.all(np.isfinite(self.hand)) and np.all(np.isfinite(self.engine)))

    @property
    def agrees(self) -> bool:
        """Whether the two gradients have the same numbers."""
        return self.is_close_to(self.engine)

    def is_close_to(self, expected: Array) -> bool:
        """Whether the gradient by hand has these numbers."""
        if self.hand.shape != expected.shape:
            return False
        return largest(self.hand - expected) <= self.tolerance * max(largest(self.hand), largest(expected))

    def is_proven_by(self, expected: Array) -> bool:
        """Whether the gradient by hand has these numbers, and they are far from the engine's."""
        if not self.is_close_to(expected) or not largest(self.hand):
            return False
        apart = largest(self.hand - self.engine) if self.same_shape else largest(self.hand)
        return FOLD * largest(self.hand - expected) <= apart


@dataclass(frozen=True)
class Sizes:
    """The numbers that gradients may be divided by, or not, by mistake.

    Attributes
    ----------
    batch : int or None
        The number of examples of the batch.
    outputs : int or None
        The number of outputs of the network.
    counted : str
        What an example is in the batch: "rows" or "columns".
    """

    batch: int | None = None
    outputs: int | None = None
    counted: str = "rows"

    reasons: dict[float, list[str]] = field(init=False, default_factory=dict)
    """From a factor to descriptions of the things whose number it is."""

    def __post_init__(self) -> None:
        known = [
            (self.batch, f"the batch has {self.batch} {self.counted}"),
            (self.outputs, f"there are {self.outputs} outputs"),
        ]
        if self.batch and self.outputs:
            count = self.batch * self.outputs
            known.append((count, f"the outputs of the batch are {self.batch} x {self.outputs} = {count} numbers"))
        for number, reason in known:
            if number and number > 1:
                self.reasons.setdefault(float(number), []).append(reason)

    def reason_for(self, factor: float) -> str | None:
        """Why a gradient may be this many times another; None if no known number explains it."""
        deeds = ((factor, "you summed where the engine averages"), (1 / factor, "you averaged where the engine sums"))
        for wanted, deed in deeds:
            if (reasons := self._named(wanted)) is not None:
                return f"{reasons}: {deed}"
            if _is(wanted, 2):
                return "so only one side has a factor 2 (from a square) or 1/2 (in front of a sum of squares)"
            for known, also in ((2 * wanted, "halved"), (wanted / 2, "doubled")):
                if wanted > 2 and (reasons := self._named(known)) is not None:
                    return f"{reasons}: {deed}, and {also if wanted == factor else _OPPOSITE[also]} as well"
        return None

    def _named(self, factor: float) -> str | None:
        found = [reasons for number, reasons in self.reasons.items() if _is(factor, number)]
        return " and ".join(found[0]) if found else None


_OPPOSITE = {"halved": "doubled", "doubled": "halved"}


def _is(factor: float, number: float) -> bool:
    return abs(factor / number - 1) < SINGLE


def row_of(comparison: ParameterComparison, value: Array | None) -> Row:
    """A row of the report in the form for explanations."""
    precisions = (_precision(comparison.hand.dtype), _precision(comparison.engine.dtype))
    hand, engine = (_wide(a) for a in (comparison.hand, comparison.engine))
    return Row(comparison.name, hand, engine, None if value is None else _wide(value), max(precisions))


def largest(array: Array) -> float:
    """The largest absolute value; 0 for an empty array."""
    return float(np.max(np.abs(array), initial=0.0))


def multiple(given: Array, of: Array) -> float:
    """The factor that brings the second array nearest to the first; the second must not be all zeros."""
    size, unit = largest(of), largest(given) or 1.0
    scaled = of / size
    return float(np.vdot(scaled, given / unit).real / np.vdot(scaled, scaled).real) * (unit / size)


def _precision(dtype: np.dtype[Any]) -> float:
    if dtype.kind not in "fc":
        return DOUBLE
    resolution = float(np.finfo(dtype).eps)
    return HALF if resolution > 1e-5 else SINGLE if resolution > 1e-10 else DOUBLE


def _wide(array: Array) -> Array:
    return array.astype(np.result_type(array.dtype, np.float64))
