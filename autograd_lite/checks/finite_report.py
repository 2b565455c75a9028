"""The result of `check_gradients`: what was compared, and the text of the error if a derivative is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from .compare.rows import Explanation
from .differences import Estimate, irregularity, why_imprecise


class GradientCheckError(AssertionError):
    """A derivative by the engine differs from the one by differences.

    Attributes
    ----------
    explanations : list of Explanation
        The rules that are wrong by themselves, and the mistakes in them, with `kind`, `parameters` and `text`.
    """

    explanations: Sequence[Explanation] = ()


@dataclasses.dataclass
class Comparison:
    """One derivative by the engine, and by differences.

    Attributes
    ----------
    what : str
        The order and the mode of the derivative.
    where : str
        The argument, and the entry if it is the derivative by a single entry.
    engine : float
        The engine's derivative.
    estimate : Estimate
        The derivative by differences, with its bound and all steps.
    """

    what: str
    where: str
    engine: float
    estimate: Estimate

    @property
    def error(self) -> float:
        """The difference between the two."""
        return abs(self.engine - self.estimate.value)


@dataclasses.dataclass(repr=False)
class GradientReport:
    """The result of `check_gradients` if no derivative is wrong.

    Attributes
    ----------
    compared : list of Comparison
        Every derivative that was compared.
    notes : list of str
        Points at which the function has no derivative, and derivatives that differences cannot check precisely.
    """

    compared: list[Comparison] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        worst = max((c.error / c.estimate.bound for c in self.compared if c.estimate.bound > 0), default=0.0)
        lines = [
            f"{len(self.compared)} derivatives agree with differences; the worst error is {worst:.2g} of its bound"
        ]
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)])

    def __repr__(self) -> str:
        return f"<GradientReport: {self}>"


def per_unit(comparison: Comparison, unit: float) -> Comparison:
    """A comparison in units of an entry's scale, converted to the derivative by the entry."""
    estimate = comparison.estimate
    tried = [
        dataclasses.replace(
            d, step=d.step * unit, left=d.left / unit, right=d.right / unit, central=d.central / unit,
            roundoff=d.roundoff / unit,
        )
        for d in estimate.tried
    ]  # fmt: skip
    scaled = dataclasses.replace(
        estimate,
        value=estimate.value / unit,
        truncation=estimate.truncation / unit,
        roundoff=estimate.roundoff / unit,
        tried=tried,
    )
    return Comparison(comparison.what, comparison.where, comparison.engine / unit, scaled)


def described(comparison: Comparison, failures: int) -> str:
    """The text of the error for a comparison, the worst of so many."""
    estimate = comparison.estimate
    lines = [
        f"check_gradients: {comparison.what} with respect to {comparison.where} is {comparison.engine:.12g} by the "
        f"engine, but {estimate.value:.12g} by differences, whose error is at most {estimate.bound:.2g} "
        f"({estimate.dominant}); {'1 entry' if failures == 1 else f'{failures} entries'} of this argument disagree.",
        "   step       difference quotient    round-off",
        *(f"   {d.step:<10.3g} {d.central:< 22.15g} {d.roundoff:.1e}" for d in estimate.tried),
    ]
    odd = irregularity(estimate)
    if odd is not None and odd.kind == "not finite":
        lines.append(f"   The function has {odd}: the point is at the end of its domain, where it has no derivative.")
    elif odd is not None:
        lines.append(f"   The function has {odd}, and the engine's derivative does not lie between both sides.")
    elif why := why_imprecise(estimate):
        lines.append(f"   Differences are not precise here: {why}.")
    return "\n".join(lines)
