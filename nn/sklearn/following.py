"""What follows a training of an estimator from epoch to epoch: when it has converged, and its learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.extend import arrays_of

from ..optimizers.schedules import Schedule
from ..penalties import weights_of
from ..training.training import Callback, Training


class Convergence(Callback):
    """Ends a training when a figure has not improved by `tol` for more than some epochs, by scikit-learn's rule.

    An epoch is without improvement if its figure is not better than the best by `tol`; the best moves with every
    smaller improvement too, so a training that creeps ends as well. (`EarlyStopping` compares with the last that was
    better by its `min_delta`.)

    Parameters
    ----------
    monitor : {"loss", "val_loss", "val_score"}
        The figure: a column of the history.
    tol : float
        The smallest improvement.
    patience : float
        The number of epochs without improvement that are allowed in a row.
    restores_best : bool
        Whether the weights of the best epoch are restored at the end.
    is_adaptive : bool
        Whether the learning rate is first divided by 5, until it is 1e-6, as in scikit-learn.
    decay : float
        The factor of the penalty on the weights, which is a part of what is minimised.

    Attributes
    ----------
    objectives : list of float
        For each epoch of the last training, the loss with the penalty.
    """

    def __init__(
        self, monitor: str, tol: float, patience: float, restores_best: bool, is_adaptive: bool, decay: float
    ) -> None:
        self.monitor, self.tol, self.patience = monitor, tol, patience
        self.restores_best, self.is_adaptive, self.decay = restores_best, is_adaptive, decay
        self.sign = -1.0 if monitor == "val_score" else 1.0
        self.best, self.waited = math.inf, 0
        self.weights: dict[str, Any] = {}
        self.objectives: list[float] = []
        self._penalized: list[Any] = []

    def on_train_begin(self, training: Training) -> None:
        """Begin a new list; the best stays, for a training that goes on."""
        self.objectives = []
        self._penalized = weights_of(training.model) if self.decay else []

    def on_epoch_end(self, training: Training) -> None:
        """Compare the figure with the best; stop, or lower the rate, if it was the last that is allowed."""
        squares = [float(np.vdot(weights, weights)) for weights in arrays_of(self._penalized)]
        self.objectives.append(training.history.epochs["loss"][-1] + self.decay / 2 * sum(squares))
        is_objective = self.monitor == "loss"
        value = self.sign * (self.objectives[-1] if is_objective else training.figure(self.monitor, "Convergence"))
        self.waited = 0 if value <= self.best - self.tol else self.waited + 1
        if value < self.best:
            self.best = value
            if self.restores_best:
                self.weights = training.model.state_dict()
        if self.waited > self.patience:
            self._end(training)

    def _end(self, training: Training) -> None:
        groups = training.optimizer.groups
        if self.is_adaptive and any(group["lr"] > 1e-6 for group in groups):
            self.waited = 0
            for group in groups:
                group["lr"] /= 5
            return
        training.stop(f"{self.monitor} did not improve by more than tol={self.tol:g} for {self.patience} epochs")

    def on_train_end(self, training: Training) -> None:
        """Restore the best weights."""
        self._penalized = []
        if self.weights:
            training.model.load_state_dict(self.weights)
            self.weights = {}


@dataclass(frozen=True)
class InverseScaling:
    """``1 / (t examples + 1)^power`` after `t` epochs: the learning rate of scikit-learn's "invscaling".

    Parameters
    ----------
    examples : int
        The number of examples of an epoch.
    power : float
        The power, at least 0.

    Examples
    --------
    >>> [InverseScaling(3, 0.5)(t) for t in range(2)]
    [1.0, 0.5]
    """

    examples: int
    power: float

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        return float((t * self.examples + 1) ** -self.power)


@dataclass(frozen=True)
class Later:
    """A schedule that goes on from an epoch, for a training that is continued.

    Parameters
    ----------
    schedule : callable
    epochs : int
        The number of epochs before.

    Examples
    --------
    >>> Later(InverseScaling(3, 0.5), 1)(0)
    0.5
    """

    schedule: Schedule
    epochs: int

    def __call__(self, t: int) -> float:
        """The factor at a time."""
        return self.schedule(t + self.epochs)
