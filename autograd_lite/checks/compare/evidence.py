"""When numbers prove a mistake: how closely a gradient derived by hand must agree with a predicted one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .rows import Array, ParameterComparison, precision_of

DOUBLE, SINGLE, HALF = 1e-9, 5e-5, 2e-2
"""The allowed difference between two ways of computing the same numbers, relative to the largest, by precision."""

NEAR = {DOUBLE: 1e-4, SINGLE: 2e-3, HALF: 5e-2}
"""By precision the relative difference below which nobody is accused: values that cancel may have lost as much."""

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
    agrees : bool
        Whether the two gradients have the same numbers.
    rounding : float
        The absolute difference that the rounding of the terms makes.
    is_integer : bool
        Whether the gradient by hand was given in integers.
    given : ndarray of bool or None
        The entries that count; the others are zero on both sides. None for all.
    """

    name: str
    hand: Array
    engine: Array
    value: Array | None
    tolerance: float
    agrees: bool
    rounding: float = 0.0
    is_integer: bool = False
    given: Array | None = None

    @property
    def same_shape(self) -> bool:
        """Whether the two gradients have the same shape."""
        return bool(self.hand.shape == self.engine.shape)

    @property
    def finite(self) -> bool:
        """Whether all numbers are finite; otherwise nothing can be proven."""
        return bool(np.all(np.isfinite(self.hand)) and np.all(np.isfinite(self.engine)))

    def is_close_to(self, expected: Array) -> bool:
        """Whether the gradient by hand has these numbers."""
        if self.hand.shape != expected.shape:
            return False
        allowed = self.tolerance * max(largest(self.hand), largest(expected))
        if self.agrees:  # what counts as equal may not speak against a mistake elsewhere
            allowed = max(allowed, 2 * largest(self.hand - self.engine))
        return largest(self.hand - expected) <= max(allowed, self.rounding)

    @property
    def is_near(self) -> bool:
        """Whether the difference may come from single precision, from differences or from rounding."""
        return self.same_shape and largest(self.hand - self.engine) <= NEAR[self.tolerance] * max(
            largest(self.hand), largest(self.engine)
        )

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
    squared : bool
        Whether the program may have a square.
    others : sequence of (float, str)
        Other numbers in the program, and what they are.
    penalties : mapping
        From a parameter with an L2 penalty to the multiple of it in its gradient.
    """

    batch: int | None = None
    outputs: int | None = None
    counted: str = "rows"
    squared: bool = True
    others: Sequence[tuple[float, str]] = ()
    penalties: Mapping[str, float] = field(default_factory=dict)

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
        if not factor or not np.isfinite(1 / factor):
            return None
        deeds = ((factor, "you summed where the engine averages"), (1 / factor, "you averaged where the engine sums"))
        for wanted, deed in deeds:
            if (reasons := self._named(wanted)) is not None:
                square = f"; or {_SQUARE}" if _is(wanted, 2) and self.squared else ""
                return f"{reasons}: {deed}{square}"
            if _is(wanted, 2):
                if self.squared:
                    return f"so {_SQUARE}"
                continue
            for known, also in ((2 * wanted, "halved"), (wanted / 2, "doubled")):
                if wanted > 2 and (reasons := self._named(known)) is not None:
                    return f"{reasons}: {deed}, and {also if wanted == factor else _OPPOSITE[also]} as well"
        return None

    def is_a_count(self, factor: float) -> bool:
        """Whether a factor is the number of examples, of outputs, or of both, or one over it."""
        return self._named(factor) is not None or self._named(1 / factor) is not None

    def same_size(self, factor: float) -> str:
        """What in the program has the size of a factor that no known number explains; empty for nothing."""
        found = [
            name
            for number, name in self.others
            if number not in (0, 1) and (_is(factor, number) or _is(1 / factor, number))
        ]
        return ", ".join(found)

    def _named(self, factor: float) -> str | None:
        found = [reasons for number, reasons in self.reasons.items() if _is(factor, number)]
        return " and ".join(found[0]) if found else None


_SQUARE = "only one side has a factor 2 (from a square) or 1/2 (in front of a sum of squares)"

_OPPOSITE = {"halved": "doubled", "doubled": "halved"}


def _is(factor: float, number: float) -> bool:
    return abs(factor / number - 1) < SINGLE


def row_of(comparison: ParameterComparison, value: Array | None) -> Row:
    """A row of the report in the form for explanations."""
    precision = max(precision_of(comparison.hand.dtype), precision_of(comparison.engine.dtype))
    hand, engine = (_wide(a) for a in (comparison.hand, comparison.engine))
    agrees = comparison.relative <= comparison.rtol
    values = None if value is None else _wide(value)
    if (given := comparison.given) is not None and comparison.same_shape:
        hand, engine = (np.where(given, a, 0.0) for a in (hand, engine))
        values = None if values is None else np.where(given, values, 0.0)
    return Row(
        comparison.name,
        hand,
        engine,
        values,
        (DOUBLE, SINGLE, HALF)[precision],
        agrees,
        comparison.rounding,
        comparison.hand.dtype.kind in "iu",
        comparison.given if comparison.same_shape else None,
    )


def largest(array: Array) -> float:
    """The largest absolute value; 0 for an empty array."""
    return float(np.max(np.abs(array), initial=0.0))


def multiple(given: Array, of: Array) -> float:
    """The factor that brings the second array nearest to the first; the second must not be all zeros."""
    size, unit = largest(of), largest(given) or 1.0
    scaled = of / size
    return float(np.vdot(scaled, given / unit).real / np.vdot(scaled, scaled).real) * (unit / size)


def _wide(array: Array) -> Array:
    return array.astype(np.result_type(array.dtype, np.float64))
