"""Callbacks that act during training: early stopping, learning-rate schedules and gradient clipping.

To write your own callback, subclass `Callback` and define the methods that it needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from ..arguments import fraction, nonnegative, positive_int, real_number
from ..optimizers.clipping import clip_gradient_norm, clip_gradient_value
from ..optimizers.schedules import Schedule
from .history import smaller_is_better
from .training import Callback, Training

Mode = Literal["auto", "min", "max"]


class EarlyStopping(Callback):
    """Stops when a figure has not improved for some epochs, and restores the weights of the best epoch.

    Prechelt (1998).

    Parameters
    ----------
    monitor : str, default "val_loss"
        The figure: a column of the history's epochs.
    patience : int, default 5
        The number of epochs without an improvement after which training stops.
    min_delta : float, default 0
        The smallest change that counts as an improvement, at least 0.
    restore_best : bool, default True
        Whether the weights of the best epoch are restored at the end, even if training ended for another reason.
    mode : {"auto", "min", "max"}, default "auto"
        Whether a smaller or a larger figure is better; with "auto", smaller losses and errors are better, and larger
        values of everything else.

    Attributes
    ----------
    best : float
        The best figure so far.
    best_epoch : int
        The epoch of the best figure, from 1; 0 before the first epoch.

    Raises
    ------
    KeyError
        In training, if the history has no such column; without validation data, it has no ``val_loss``.

    Examples
    --------
    >>> EarlyStopping("val_accuracy", patience=3)
    EarlyStopping('val_accuracy', patience=3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: Mode = "auto",
    ) -> None:
        self.monitor = monitor
        self.patience = positive_int(patience, "EarlyStopping: patience")
        self.min_delta = nonnegative(min_delta, "EarlyStopping: min_delta")
        self.restore_best = restore_best
        self.sign = 1.0 if smaller_is_better(monitor, mode) else -1.0
        self._forget()

    def _forget(self) -> None:
        self.best = self.sign * math.inf
        self.best_epoch = 0
        self.weights: dict[str, Any] = {}

    def on_train_begin(self, training: Training) -> None:
        """Start again, unless training continues from a checkpoint."""
        if not training.resumed:
            self._forget()

    def on_epoch_end(self, training: Training) -> None:
        """Compare the figure; keep the weights if it is the best, or stop."""
        value = training.figure(self.monitor, "EarlyStopping")
        if self.sign * value < self.sign * self.best - self.min_delta:
            self.best, self.best_epoch = value, training.epoch
            if self.restore_best:
                self.weights = training.model.state_dict()
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop(f"{self.monitor} was best in epoch {self.best_epoch}, at {self.best:.4g}")

    def on_train_end(self, training: Training) -> None:
        """Restore the best weights."""
        if self.weights:
            training.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """The best figure, its epoch, and its weights."""
        weights = {f"weights.{name}": array for name, array in self.weights.items()}
        return {"best": self.best, "best_epoch": self.best_epoch, **weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state."""
        self.best, self.best_epoch = float(state["best"]), int(state["best_epoch"])
        self.weights = {name.removeprefix("weights."): state[name] for name in state if name.startswith("weights.")}

    def __repr__(self) -> str:
        return f"EarlyStopping({self.monitor!r}, patience={self.patience})"


class LearningRate(Callback):
    """Sets the learning rate of every parameter group to its initial rate, multiplied by a schedule.

    Parameters
    ----------
    schedule : callable
        A function from the time, an integer from 0, to the factor; see `nn.schedules`.
    every : {"epoch", "step"}, default "epoch"
        The unit of the time.

    Raises
    ------
    TypeError
        If the schedule is not a function.
    ValueError
        In training, if the schedule returns a factor that is negative or not finite.

    Examples
    --------
    >>> from nn import schedules
    >>> LearningRate(schedules.CosineDecay(10))
    LearningRate(CosineDecay(total=10, floor=0.0), every='epoch')
    """

    def __init__(self, schedule: Schedule, every: Literal["epoch", "step"] = "epoch") -> None:
        if not callable(schedule):
            raise TypeError(f"LearningRate: the schedule must be a function of the time, not {type(schedule).__name__}")
        if every not in ("epoch", "step"):
            raise ValueError(f"LearningRate: every={every!r} is unknown; expected 'epoch' or 'step'")
        self.schedule = schedule
        self.every = every
        self.base: list[float] = []

    def on_train_begin(self, training: Training) -> None:
        """Keep the initial rates."""
        if not training.resumed or not self.base:
            self.base = [float(group["lr"]) for group in training.optimizer.groups]

    def on_epoch_begin(self, training: Training) -> None:
        """Set the rates of an epoch."""
        if self.every == "epoch":
            self._set(training, training.epoch - 1)

    def on_step_begin(self, training: Training) -> None:
        """Set the rates of a step."""
        if self.every == "step":
            self._set(training, training.step)

    def _set(self, training: Training, t: int) -> None:
        factor = nonnegative(float(self.schedule(t)), f"LearningRate: the factor of {self.schedule!r} at {t}")
        for group, rate in zip(training.optimizer.groups, self.base, strict=True):
            group["lr"] = rate * factor

    def state_dict(self) -> dict[str, Any]:
        """The initial rates."""
        return {"base": list(self.base)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state."""
        self.base = [float(rate) for rate in state["base"]]

    def __repr__(self) -> str:
        return f"LearningRate({self.schedule!r}, every={self.every!r})"


class ReduceOnPlateau(Callback):
    """Lowers the learning rate when a figure has not improved for some epochs.

    Parameters
    ----------
    monitor : str, default "val_loss"
        The figure: a column of the history's epochs.
    factor : float, default 0.1
        The factor for the learning rate, from 0 to below 1.
    patience : int, default 5
        The number of epochs without an improvement after which the rate is lowered.
    min_delta : float, default 0
        The smallest change that counts as an improvement.
    min_lr : float, default 0
        The smallest learning rate.
    mode : {"auto", "min", "max"}, default "auto"
        As in `EarlyStopping`.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 5,
        min_delta: float = 0.0,
        min_lr: float = 0.0,
        mode: Mode = "auto",
    ) -> None:
        self.monitor = monitor
        self.factor = fraction(factor, "ReduceOnPlateau: factor")
        self.patience = positive_int(patience, "ReduceOnPlateau: patience")
        self.min_delta = nonnegative(min_delta, "ReduceOnPlateau: min_delta")
        self.min_lr = nonnegative(min_lr, "ReduceOnPlateau: min_lr")
        self.sign = 1.0 if smaller_is_better(monitor, mode) else -1.0
        self.best, self.waited = self.sign * math.inf, 0

    def on_train_begin(self, training: Training) -> None:
        """Start again, unless training continues from a checkpoint."""
        if not training.resumed:
            self.best, self.waited = self.sign * math.inf, 0

    def on_epoch_end(self, training: Training) -> None:
        """Compare, and lower the rate."""
        value = training.figure(self.monitor, "ReduceOnPlateau")
        if self.sign * value < self.sign * self.best - self.min_delta:
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.waited = 0
            for group in training.optimizer.groups:
                group["lr"] = max(group["lr"] * self.factor, min(self.min_lr, group["lr"]))

    def state_dict(self) -> dict[str, Any]:
        """The best figure, and the number of epochs since then."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state."""
        self.best, self.waited = float(state["best"]), int(state["waited"])

    def __repr__(self) -> str:
        return f"ReduceOnPlateau({self.monitor!r}, factor={self.factor}, patience={self.patience})"


class ClipGradientNorm(Callback):
    """Scales the gradients of each step so that their norm, over all of them, is limited; see `clip_gradient_norm`.

    Parameters
    ----------
    max_norm : float
        The largest norm, above 0.
    """

    def __init__(self, max_norm: float) -> None:
        if real_number(max_norm, "ClipGradientNorm: max_norm") <= 0:
            raise ValueError(f"ClipGradientNorm: max_norm must be above 0, got {max_norm}")
        self.max_norm = float(max_norm)

    def on_gradient(self, training: Training) -> None:
        """Clip the gradients."""
        clip_gradient_norm(training.parameters, self.max_norm)


class ClipGradientValue(Callback):
    """Clips every entry of the gradients of each step to ``[-limit, limit]``.

    Parameters
    ----------
    limit : float
        The largest absolute value, above 0.
    """

    def __init__(self, limit: float) -> None:
        if real_number(limit, "ClipGradientValue: limit") <= 0:
            raise ValueError(f"ClipGradientValue: limit must be above 0, got {limit}")
        self.limit = float(limit)

    def on_gradient(self, training: Training) -> None:
        """Clip the gradients."""
        clip_gradient_value(training.parameters, self.limit)
