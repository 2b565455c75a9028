"""`Training`, the state of a running training, and `Callback`, the base class of callbacks.

They are in one file because they refer to each other: a training has callbacks, and a callback is given the training.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from autograd_lite.extend import Answering

from .. import habits
from ..arguments import positive_int
from ..init import Random
from ..module import Module
from ..optimizers.base import Optimizer
from .fit_arguments import Metrics, as_arrays, as_batches, check_optimizer, checked_metrics, with_class_numbers
from .history import History

Loss = Callable[[Any, Any], Any]


class TrainingWarning(UserWarning):
    """A training has a problem that the user should know about."""


class Training:
    """The state of a running training, which every callback is given; `nn.fit` describes the arguments.

    Attributes
    ----------
    model, optimizer, loss, penalty, metrics, validation_metrics
        The arguments of `fit`.
    batches : Minibatches
        The batches of an epoch; another iterable if `fit` was given one.
    callbacks : list of Callback
        The callbacks in the order in which they are called.
    history : History
        The figures of all steps and epochs so far.
    parameters : list of Tensor
        The parameters of the model.
    epoch : int
        The number of the current epoch, from 1.
    step : int
        The number of steps taken in all epochs.
    step_in_epoch : int
        The number of steps taken in this epoch.
    last_loss : float
        The loss of the last step.
    order : dict or None
        The state of the batches' random generator before it drew the order of this epoch.
    run : str
        The name of the run, which all its checkpoints have, and which it keeps when it is resumed.
    made_of : dict
        The parts of the training as texts, for checkpoints; empty until they are needed.
    resumed : bool
        Whether the training continues from a checkpoint.
    stop_reason : str or None
        Why the training is to stop; None if it is not.
    is_compiled : bool
        Whether the step is compiled.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        train: Any,
        validation: Any = None,
        *,
        epochs: int = 10,
        batch_size: int = 32,
        metrics: Metrics | None = None,
        validation_metrics: Metrics | None = None,
        penalty: Callable[[Module], Any] | None = None,
        callbacks: Iterable[Callback] = (),
        rng: Random = None,
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"fit: model must be a Module, not {type(model).__name__}")
        if not isinstance(optimizer, Optimizer):
            advice = "; write nn.Adam(model.parameters())" if isinstance(optimizer, str) else ""
            raise TypeError(f"fit: optimizer must be an Optimizer, not {type(optimizer).__name__}{advice}")
        for name, function in (("loss", loss), ("penalty", penalty)):
            if not callable(function) and not (name == "penalty" and function is None):
                advice = "; write nn.softmax_cross_entropy or its like" if isinstance(function, str) else ""
                raise TypeError(f"fit: {name} must be a function, not {type(function).__name__}{advice}")
        self.model, self.loss, self.optimizer, self.penalty = model, loss, optimizer, penalty
        self.epochs = positive_int(epochs, "fit: epochs")
        self.batch_size = positive_int(batch_size, "fit: batch_size")
        train, validation, classes = with_class_numbers(train, validation)
        self.batches = as_batches(train, self.batch_size, rng)
        self.validation = None if validation is None else as_arrays(validation)
        self.metrics = checked_metrics("metrics", metrics)
        self.validation_metrics = {**self.metrics, **checked_metrics("validation_metrics", validation_metrics)}
        if validation_metrics and validation is None:
            raise ValueError(
                "fit: validation_metrics need validation data, but validation is None; pass validation=(X, y)"
            )
        given = list(callbacks)
        for one in given:
            if not isinstance(one, Callback):
                given_class = isinstance(one, type) and issubclass(one, Callback)
                got = f"the class {one.__name__}; write {one.__name__}()" if given_class else repr(one)
                raise TypeError(f"fit: callbacks must be Callback objects, got {got}")
        self.callbacks = sorted(given, key=lambda one: one.last)
        self.parameters = model.parameters()
        check_optimizer(model, optimizer)
        self.history = History()
        self.history.classes = classes
        self.epoch, self.step, self.step_in_epoch = 0, 0, 0
        self.last_loss = math.nan
        self.made_of: dict[str, str] = {}
        self.run = secrets.token_hex(8)
        self.resumed = False
        self.order: Any = None
        self.stop_reason: str | None = None
        self.is_compiled = False

    def stop(self, reason: str) -> None:
        """Stop after the current step or epoch; the history keeps the reason."""
        self.stop_reason = reason

    def figure(self, name: str, who: str) -> float:
        """The last entry of a column of the history's epochs; an error names the callback `who`."""
        if name not in self.history.epochs:
            advice = " (pass validation=)" if name.startswith("val_") and self.validation is None else ""
            raise KeyError(
                f"{who}: the history has no column {name!r} to monitor{advice}; it has {', '.join(self.history.epochs)}"
            )
        return self.history.epochs[name][-1]


class Callback(Answering):
    """The base class of callbacks; every method does nothing until a subclass defines it.

    Examples
    --------
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, training):
    ...         if training.history["loss"][-1] < 0.1:
    ...             training.stop("the loss is below 0.1")
    """

    _keywords = habits.CALLBACK_KEYWORDS

    last: ClassVar[bool] = False
    """Whether it is called after the callbacks for which this is False, in whatever order they are given."""

    def running(self, training: Training) -> AbstractContextManager[None]:
        """What holds while a training runs: entered before a checkpoint is loaded, and left even after an error."""
        return nullcontext()

    def on_train_begin(self, training: Training) -> None:
        """Called before the first step, and after a checkpoint was loaded, if there is one."""

    def on_epoch_begin(self, training: Training) -> None:
        """Called before each epoch."""

    def on_step_begin(self, training: Training) -> None:
        """Called before each step."""

    def on_gradient(self, training: Training) -> None:
        """Called after the gradients of a step are computed, before the optimizer uses them."""

    def on_step_end(self, training: Training) -> None:
        """Called after each step, when it is already in the history."""

    def on_epoch_end(self, training: Training) -> None:
        """Called after each epoch, when it is already in the history."""

    def on_pause(self, training: Training) -> None:
        """Called when Ctrl-C has ended training, before `on_train_end`."""

    def on_train_end(self, training: Training) -> None:
        """Called after the last step, unless training ended by an error."""

    def state_dict(self) -> dict[str, Any]:
        """The state that the callback needs to continue training later: numbers, text, and arrays by name."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state from `state_dict`."""
