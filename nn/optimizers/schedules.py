"""Learning-rate schedules: functions from the time, in epochs or steps from 0, to a factor of the learning rate.

A schedule is a plain function, so one's own is any ``lambda t: ...``; `nn.LearningRate` applies it while training.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..arguments import fraction, nonnegative, positive_int, real_number

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class StepDecay:
    """``gamma^floor(t / step_size)``: a drop after every so many epochs.

    Parameters
    ----------
    step_size : int
        The time between two drops.
    gamma : float, default 0.1
        The factor of a drop, above 0.

    Examples
    --------
    >>> [StepDecay(2, 0.5)(t) for t in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    step_size: int
    gamma: float = 0.1

    def __post_init__(self) -> None:
        positive_int(self.step_size, "StepDecay: step_size")
        _positive(self.gamma, "StepDecay: gamma")

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        return float(self.gamma ** (t // self.step_size))


@dataclass(frozen=True)
class ExponentialDecay:
    """``gamma^t``.

    Parameters
    ----------
    gamma : float
        The factor from one time to the next, above 0.

    Examples
    --------
    >>> [ExponentialDecay(0.5)(t) for t in range(3)]
    [1.0, 0.5, 0.25]
    """

    gamma: float

    def __post_init__(self) -> None:
        _positive(self.gamma, "ExponentialDecay: gamma")

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        return float(self.gamma**t)


@dataclass(frozen=True)
class CosineDecay:
    """Half a cosine from 1 down to `floor` at time `total`, and `floor` from then on (Loshchilov and Hutter 2017).

    Parameters
    ----------
    total : int
        When the floor is reached.
    floor : float, default 0
        The last factor, from 0 to 1.

    Examples
    --------
    >>> [round(CosineDecay(4, floor=0.2)(t), 3) for t in range(6)]
    [1.0, 0.883, 0.6, 0.317, 0.2, 0.2]
    """

    total: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        positive_int(self.total, "CosineDecay: total")
        fraction(self.floor, "CosineDecay: floor", closed=True)

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        passed = min(t / self.total, 1.0)
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * passed)) / 2


@dataclass(frozen=True)
class InverseTimeDecay:
    """``1 / (1 + rate t)``, with which the steps of stochastic gradient descent converge (Robbins and Monro 1951).

    Parameters
    ----------
    rate : float
        How fast it falls, at least 0.

    Examples
    --------
    >>> [InverseTimeDecay(1.0)(t) for t in range(4)]
    [1.0, 0.5, 0.3333333333333333, 0.25]
    """

    rate: float

    def __post_init__(self) -> None:
        nonnegative(self.rate, "InverseTimeDecay: rate")

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        return 1 / (1 + self.rate * t)


@dataclass(frozen=True)
class WarmUp:
    """A line from ``1 / steps`` up to 1, which is reached after so many times; from then on another schedule, from 0.

    Goyal et al. (2017), section 2.2.

    Parameters
    ----------
    steps : int
        How long it takes.
    then : callable, optional
        The schedule that follows; by default the factor stays 1.

    Examples
    --------
    >>> [WarmUp(4, then=ExponentialDecay(0.5))(t) for t in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    """

    steps: int
    then: Schedule | None = None

    def __post_init__(self) -> None:
        positive_int(self.steps, "WarmUp: steps")
        if self.then is not None and not callable(self.then):
            raise TypeError(f"WarmUp: then must be a schedule, not {type(self.then).__name__}")

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        if t < self.steps:
            return (t + 1) / self.steps
        return 1.0 if self.then is None else float(self.then(t - self.steps))


def _positive(value: float, name: str) -> None:
    if real_number(value, name) <= 0:
        raise ValueError(f"{name} must be above 0, got {value}")
