"""Derivatives of a function of one number by differences, each with a bound on its error.

Central differences over a sequence of steps, each a quarter of the one before, are extrapolated to the step 0 (Ridders,
*Accurate computation of F'(x) and F'(x)F''(x)*, Adv. Eng. Software 4 (1982)). The bound has two parts. The truncation
error gets smaller with the step, and is estimated from the change that an extrapolation makes; the round-off error gets
larger, and is estimated from the size of the added terms. The estimate with the smallest sum of the two is used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

FIRST_STEP = 0.05
RATIO = 4.0
USUAL_STEPS = 7
MOST_STEPS = 16
LEVELS = 4
COMPLEX_STEP = 1e-30


class Value(NamedTuple):
    """A value of the function, and the size of the terms that were added to compute it, which determines rounding."""

    value: float
    size: float


Curve = Callable[[float], Value]


@dataclass
class Difference:
    """The central difference quotient of one step.

    Attributes
    ----------
    step : float
        The step to either side.
    left, right, central : float
        The difference quotients to the left, to the right, and over both sides.
    roundoff : float
        The possible error of the central quotient by rounding.
    """

    step: float
    left: float
    right: float
    central: float
    roundoff: float


@dataclass
class Estimate:
    """A derivative by differences.

    Attributes
    ----------
    value : float
        The derivative; NaN if the function is not finite near the point.
    truncation, roundoff : float
        The two parts of the bound on its error.
    tried : list of Difference
        The difference quotients of all steps, from the largest to the smallest.
    size : float
        The size of the function's terms at the point.
    """

    value: float
    truncation: float
    roundoff: float
    tried: list[Difference] = field(default_factory=list)
    size: float = 0.0

    @property
    def bound(self) -> float:
        """The largest possible distance of the derivative from the estimate."""
        return self.truncation + self.roundoff

    @property
    def dominant(self) -> str:
        """The larger part of the bound: "truncation" or "round-off"."""
        return "truncation" if self.truncation > self.roundoff else "round-off"


def derivative(f: Curve, epsilon: float) -> Estimate:
    """The derivative at 0.

    Parameters
    ----------
    f : callable
        The function; its argument is a number in units of the argument's own size.
    epsilon : float
        The relative precision with which the function is computed.

    Examples
    --------
    >>> import numpy as np
    >>> estimate = derivative(lambda t: Value(np.exp(t), np.exp(t)), 2.2e-16)
    >>> bool(abs(estimate.value - 1.0) <= estimate.bound < 1e-9)
    True
    """
    center = f(0.0)
    tried: list[Difference] = []
    best = Estimate(np.nan, np.inf, np.inf, size=center.size)
    while len(tried) < USUAL_STEPS or (len(tried) < MOST_STEPS and not _is_sharp(best)):
        tried.append(_difference(f, center, FIRST_STEP / RATIO ** len(tried), epsilon))
        if len(tried) >= USUAL_STEPS:
            best = _extrapolated(tried, center.size)
    return best


def _difference(f: Curve, center: Value, step: float, epsilon: float) -> Difference:
    above, below = f(step), f(-step)
    with np.errstate(invalid="ignore", over="ignore"):
        central = (above.value - below.value) / (2 * step)
        # Terms are rounded when they are added, and the argument is rounded when the step is added to it.
        rounded = epsilon * (max(above.size, below.size, center.size) + abs(central))
        left, right = (center.value - below.value) / step, (above.value - center.value) / step
    return Difference(step, left, right, central, rounded / step)


def _extrapolated(tried: list[Difference], size: float) -> Estimate:
    best = Estimate(np.nan, np.inf, np.inf, tried, size)
    noise = _noise(tried)
    table: list[list[float]] = []
    for k, difference in enumerate(tried):
        row = [difference.central]
        for level in range(min(len(table), LEVELS)):
            if level >= len(table[-1]) or not np.isfinite(row[-1]) or not np.isfinite(table[-1][level]):
                break
            previous = table[-1][level]
            row.append(row[level] + (row[level] - previous) / (RATIO ** (2 * (level + 1)) - 1))
            # The error is estimated by the differences from the coarser step and from the lower level.
            truncation = max(abs(row[-1] - row[-2]), abs(row[-1] - previous))
            roundoff = 2 * max(difference.roundoff, noise / difference.step)
            if truncation + roundoff < best.bound and _bears_out(row[-1], truncation + roundoff, tried[k:], noise):
                best = Estimate(row[-1], truncation, roundoff, tried, size)
        table.append(row)
    return best


def _bears_out(value: float, bound: float, finer: list[Difference], noise: float) -> bool:
    """Whether all smaller steps are consistent with an estimate; with large steps an oscillation can look smooth."""
    allowed = abs(finer[0].central - value) + 2 * bound
    return all(
        abs(d.central - value) <= allowed + 4 * max(d.roundoff, noise / d.step) or not np.isfinite(d.central)
        for d in finer
    )


def _noise(tried: list[Difference]) -> float:
    """The scatter of the values themselves, which rounding within the function may cause.

    At the smallest steps, extrapolated quotients change mainly by the noise divided by the step. Steps so small that
    both values are rounded to the same number give no information.
    """
    pairs = list(pairwise(tried))
    once = [finer.central + (finer.central - coarser.central) / (RATIO**2 - 1) for coarser, finer in pairs]
    changes = [abs(b - a) for a, b in pairwise(once)]
    scatter = [
        finer.step * change for (_, finer), change in zip(pairs[1:], changes, strict=True) if 0 < change < np.inf
    ]
    return max(scatter[-2:], default=0.0)


def _is_sharp(estimate: Estimate) -> bool:
    return estimate.bound <= 1e-7 * abs(estimate.value)


def complex_step(f: Callable[[complex], complex], expected: Estimate, center: Value, epsilon: float) -> Estimate | None:
    """The derivative at 0 as ``Im f(i h) / h``, to the last digits; None if the function does not allow it.

    The function must take complex numbers and be analytic (Squire and Trapp, SIAM Review 40 (1998)). To check this, the
    real part must not change, and the central differences must agree.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = complex(f(1j * COMPLEX_STEP))
    except Exception:  # a function that is not made for complex numbers may raise any exception
        return None
    value = found.imag / COMPLEX_STEP
    stays = abs(found.real - center.value) <= 100 * epsilon * center.size
    if not np.isfinite(value) or not stays or not abs(value - expected.value) <= 3 * expected.bound:
        return None
    bound = 100 * epsilon * max(abs(value), center.size)
    return Estimate(value, 0.0, bound, expected.tried, expected.size) if bound < expected.bound else None


@dataclass(frozen=True)
class Irregularity:
    """A point at which a function has no derivative.

    Attributes
    ----------
    kind : {"kink", "jump", "steps", "not finite"}
        The behaviour of the function at the point.
    left, right : float
        The derivatives to the left and to the right of a kink.
    """

    kind: str
    left: float = np.nan
    right: float = np.nan

    def __str__(self) -> str:
        if self.kind == "kink":
            return f"a kink: the slope is {self.left:.6g} from the left and {self.right:.6g} from the right"
        if self.kind == "steps":
            return "steps: its values do not change at all nearby, and jump farther away, as rounded numbers do"
        return "a jump" if self.kind == "jump" else "values that are not finite nearby"


def irregularity(estimate: Estimate) -> Irregularity | None:
    """The irregularity at the point, if any: without a derivative, one-sided differences disagree at every step."""
    if any(not np.isfinite(d.central) for d in estimate.tried):
        return Irregularity("not finite")
    if _is_in_steps(estimate.tried) and not _is_rounded(estimate):
        return Irregularity("steps")
    # These are the smallest steps at which the two sides differ by more than rounding.
    gaps = [(d, abs(d.right - d.left)) for d in estimate.tried]
    clear = [(d, gap) for d, gap in gaps if gap > 20 * d.roundoff]
    if len(clear) < len(gaps) - 2 or len(clear) < 4:
        return None
    (_, before), (last, gap) = clear[-4], clear[-1]
    # The sides of a jump differ by the jump, those of a kink by its slopes; with noise by other numbers at each step.
    if gap > 8 * before:
        jumps = [gap * d.step for d, gap in clear[-3:]]
        return Irregularity("jump") if max(jumps) < 1.05 * min(jumps) else None
    last_gaps = [gap for _, gap in clear[-3:]]
    if max(last_gaps) > 1.2 * min(last_gaps):
        return None
    if gap > 0.5 * before and gap > 1e-5 * max(abs(last.left), abs(last.right)):
        return Irregularity("kink", last.left, last.right)
    return None


def why_imprecise(estimate: Estimate) -> str:
    """Why differences tell little about a derivative, as the quotients of all steps show; empty if it is not seen."""
    tried = estimate.tried
    rounding = tried[-1].roundoff * tried[-1].step
    noise = _noise(tried)
    if _is_in_steps(tried):
        return "the values change in steps, as where they are rounded, or computed in a lower precision within"
    if (step := _step_of_a_kink(tried)) is not None:
        return f"a kink or a jump is near, within {step:.1g} of the argument's size"
    if noise > _NOISY * rounding > 0:
        return f"the values scatter by about {noise:.1g}, far more than by rounding: noise, or a lower precision within"
    if estimate.roundoff > estimate.truncation and estimate.size > _CANCELS * abs(estimate.value):
        return f"terms of size {estimate.size:.1g} cancel in the result, and their rounding is left"
    if estimate.truncation > estimate.roundoff:
        return "the function changes too fast for the steps: it is ill-conditioned here"
    return ""


_NOISY, _CANCELS = 1e3, 1e4


def _is_in_steps(tried: list[Difference]) -> bool:
    """Whether the values do not change at all at the smallest steps, where rounding would let them."""
    seen = [abs(d.central) for d in tried if d.left or d.right]
    still = [d for d in tried if not d.left and not d.right]
    # Without any change everywhere the function is constant.
    return bool(seen) and sum(max(seen) > 100 * d.roundoff for d in still) >= 3


def _is_rounded(estimate: Estimate) -> bool:
    """Whether the steps are as small as those of numbers in a lower precision."""
    changes = [abs(d.central) * 2 * d.step for d in estimate.tried if d.central]
    return min(changes, default=0.0) <= _ROUNDED * estimate.size


_ROUNDED = 1e-5


def _step_of_a_kink(tried: list[Difference]) -> float | None:
    """The smallest step whose two sides disagree as those of the largest steps do, if smaller ones agree."""
    gaps = [abs(d.right - d.left) for d in tried]
    apart = [gap > 0.05 * max(abs(d.left), abs(d.right)) for d, gap in zip(tried, gaps, strict=True)]
    if not all(apart[:4]) or all(apart) or gaps[3] < 0.5 * gaps[0]:
        return None
    last = apart.index(False)
    return tried[last - 1].step if not any(apart[last : last + 2]) else None
