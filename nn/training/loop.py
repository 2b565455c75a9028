"""`Loop`: runs the epochs of a training, with steps, validation, figures, and the events of callbacks."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import mul
from typing import Any, Literal

import autograd_lite
from autograd_lite import Tensor, no_grad

from ..data.minibatches import Minibatches
from ..mode import in_mode
from ..module import Module
from .diagnosis import cause_of
from .fit_arguments import measured, members_of
from .history import History
from .interruption import Interruption
from .predict import predict
from .progress import Progress, Style
from .step import Listener, NotFiniteError, Step
from .training import Callback, Training, TrainingWarning


class Loop:
    """The loop over the epochs of a training and their steps.

    Parameters
    ----------
    training : Training
    compile : bool or "auto"
        As for `fit`.
    detect_anomaly : bool, default False
        As for `fit`.
    """

    def __init__(
        self, training: Training, compile: bool | Literal["auto"] = "auto", detect_anomaly: bool = False
    ) -> None:
        self.training = training
        self._events = _listeners(training.callbacks)
        step = Step(training, compile, self._events["on_gradient"])
        self._forget = step.forget
        self._modules: list[Module] = []
        self._step = autograd_lite.detect_anomaly()(step) if detect_anomaly else step

    def run(self, progress: Style | bool = False) -> History:
        """Train to the last epoch, or until something stops the training; returns the history."""
        training, history = self.training, self.training.history
        display = Progress(progress, training.epochs, len(training.batches), training.step)
        history.interrupted, history.stopped = False, None
        try:
            with in_mode(training.model, None), Interruption() as interruption:
                self._modules = [module for _, module in training.model.named_modules()]
                self._call("on_train_begin")
                while training.epoch - bool(training.step_in_epoch) < training.epochs and not self._ends(interruption):
                    self._run_epoch(interruption, display)
                history.interrupted, history.stopped = interruption.happened, training.stop_reason
                if interruption.happened:
                    self._call("on_pause")
                self._call("on_train_end")
        finally:
            display.close()
            self._forget()
        return history

    def _call(self, event: str) -> None:
        for listener in self._events[event]:
            listener(self.training)

    def _ends(self, interruption: Interruption) -> bool:
        return interruption.happened or self.training.stop_reason is not None

    def _run_epoch(self, interruption: Interruption, display: Progress) -> None:
        training = self.training
        batches = self._begin_epoch()
        for module in self._modules:  # those that are new since are in training by default
            module.training = True
        start = time.perf_counter()
        for batch in batches:
            self._take_step(batch)
            display.step()
            if self._ends(interruption):
                break
        if self._ends(interruption) and training.step_in_epoch < len(training.batches):
            return
        if not training.step_in_epoch:
            raise ValueError(
                "fit: train gave no batches; an iterator can be used only once, so pass a list or Minibatches"
            )
        figures = self._figures(training.step_in_epoch, time.perf_counter() - start)
        training.step_in_epoch = 0
        training.history.add_epoch(figures)
        display.epoch(figures)
        self._call("on_epoch_end")

    def _begin_epoch(self) -> Iterator[Any]:
        """The batches of an epoch; the remaining ones if the epoch began before a checkpoint."""
        training = self.training
        batches = training.batches
        drawn_from = batches.rng.bit_generator if isinstance(batches, Minibatches) else None
        if not training.step_in_epoch:
            training.epoch += 1
            training.order = drawn_from.state if drawn_from is not None else None
            self._call("on_epoch_begin")
            return iter(batches)
        if drawn_from is None:
            return islice(iter(batches), training.step_in_epoch, None)
        # The same order is drawn again; then the generator continues from its current state, since it may be shared.
        now, drawn_from.state = drawn_from.state, training.order
        again = iter(batches)
        drawn_from.state = now
        return islice(again, training.step_in_epoch, None)

    def _take_step(self, batch: Any) -> None:
        training = self.training
        start = time.perf_counter()
        members = members_of(batch)
        self._call("on_step_begin")
        try:
            figures = self._step(members)
        except NotFiniteError:
            self._stop_at_loss(members)
            return
        training.step += 1
        training.step_in_epoch += 1
        figures["seconds"] = time.perf_counter() - start
        training.history.add_step(figures)
        self._call("on_step_end")

    def _stop_at_loss(self, members: Sequence[Any]) -> None:
        training = self.training
        cause = cause_of(training, members)
        advice = (
            f"The cause: {cause}"
            if cause
            else ("A smaller learning rate, gradient clipping or standardised inputs are the usual remedies")
        )
        reason = f"the loss is {training.last_loss} in step {training.step_in_epoch + 1} of epoch {training.epoch}"
        training.stop(reason)
        warnings.warn(
            f"{reason}; training stops before the weights follow it. {advice}",
            TrainingWarning,
            stacklevel=7,
        )

    def _figures(self, count: int, seconds: float) -> dict[str, float]:
        """The figures of an epoch that had `count` steps."""
        training = self.training
        steps = {name: column[-count:] for name, column in training.history.steps.items()}

        def mean(name: str, weighted: bool = True) -> float:
            if not weighted:
                return math.fsum(steps[name]) / count
            return math.fsum(map(mul, steps[name], steps["examples"])) / sum(steps["examples"])

        return {
            "epoch": training.epoch,
            "loss": mean("loss"),
            **{name: mean(name) for name in training.metrics},
            **_validated(training),
            "lr": float(training.optimizer.groups[0]["lr"]),
            "gradient_norm": mean("gradient_norm", weighted=False),
            "seconds": seconds,
        }


def _listeners(callbacks: Iterable[Callback]) -> dict[str, list[Listener]]:
    """For each event, the callbacks' methods that are not empty."""
    events = [name for name in vars(Callback) if name.startswith("on_")]
    return {
        event: [
            getattr(callback, event)
            for callback in callbacks
            if getattr(type(callback), event, None) is not getattr(Callback, event)
        ]
        for event in events
    }


def _validated(training: Training) -> dict[str, float]:
    """The loss and the metrics of the validation data, if it was given."""
    if training.validation is None:
        return {}
    *inputs, targets = training.validation
    outputs = predict(training.model, *inputs, batch_size=max(training.batch_size, 1024))
    with no_grad():
        loss = training.loss(outputs, targets)
    figures = {"val_loss": float(loss.item() if isinstance(loss, Tensor) else loss)}
    return figures | {
        f"val_{name}": measured(f, training.loss, targets, outputs) for name, f in training.validation_metrics.items()
    }
