"""`fit`: the training loop, with validation, metrics, callbacks and checkpoints."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Literal

import numpy as np

import autograd_lite
from autograd_lite import GradientError, Tensor, callback, no_grad

from ..arguments import positive_int
from ..data.minibatches import Minibatches
from ..init import Random
from ..module import Module, in_mode
from ..optimizers.base import Optimizer
from ..optimizers.clipping import norm_of
from .automatic import is_worth_compiling
from .callbacks import Callback, overrides
from .fit_arguments import Metrics, as_arrays, as_batches, check_optimizer, checked_metrics, members_of
from .history import History
from .interruption import Interruption
from .progress import Progress, Style

Loss = Callable[[Any, Any], Any]


class _NotFiniteError(ArithmeticError):
    """The loss is no finite number."""


class TrainingWarning(UserWarning):
    """Something in a training that its user should look at."""


def fit(
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
    resume: str | os.PathLike[str] | None = None,
    progress: Style | bool = True,
    compile: bool | Literal["auto"] = "auto",
) -> History:
    """Train a model.

    Each step takes a minibatch: ``loss(model(X), y).backward()`` and ``optimizer.step()``. While it trains the model is
    in training mode, for the validation in ``eval()``; in the end it is as it was.

    Parameters
    ----------
    model : Module
        With a call for the inputs of a batch.
    loss : callable
        ``loss(outputs, targets)``, a scalar, such as `nn.softmax_cross_entropy`.
    optimizer : Optimizer
        Of the model's parameters, those that are trained.
    train : tuple of array_like, or Minibatches
        ``(X, y)``, or more inputs before the targets; shuffled anew in each epoch. Or what gives such batches in every
        ``iter()``, and has a length.
    validation : tuple of array_like, optional
        The same for the figures named ``val_...``, after each epoch.
    epochs : int, default 10
        Passes over the training data.
    batch_size : int, default 32
        Examples in a minibatch, where arrays are given; and in a validation pass.
    metrics : mapping, optional
        From name to function, ``f(targets, outputs)``, such as ``{"accuracy": nn.metrics.accuracy}``. Of the training
        data the mean over the batches, as they were trained; of the validation data that of all together.
    validation_metrics : mapping, optional
        More of them, for the validation data alone.
    penalty : callable, optional
        ``penalty(model)`` is added to the loss of each training step: ``lambda m: nn.l2_penalty(m, 1e-4)``.
    callbacks : iterable of Callback, optional
        Called in their order.
    rng : Generator, int or None
        Where the orders of arrays come from.
    resume : path, optional
        A file or folder that `nn.Checkpoint` wrote. Training goes on from there, to the same weights to the bit, if
        everything else is as it was; a folder without a checkpoint is no error, and training starts.
    progress : bool or {"auto", "bar", "lines"}, default True
        What is told of it; see `nn.progress`.
    compile : bool or "auto", default "auto"
        Whether the step is compiled, by `autograd_lite.compile`: up to several times as fast. With "auto" it is where
        the training stays the same to the bit: where model, loss, metrics, optimizer and callbacks are this library's
        own, as they come, no rule is yours, the batches are of arrays, there is no penalty, and 400 steps or more are
        to be taken. True compiles code of your own, too, which then runs once: it may read no value of an array into
        Python. The last digits of `exp` and `log` may then be others, see ``jit`` there.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these; before the first step.
    CheckpointError
        If the checkpoint is damaged, or of another training.

    Notes
    -----
    Ctrl-C ends training after the step that runs; callbacks end as usual, and the history so far is returned. A second
    one interrupts at once. Where the loss is no finite number, training stops with a `TrainingWarning` before the
    optimizer uses its gradients.

    Examples
    --------
    >>> import nn
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2)).astype(np.float32)
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> model = nn.MLP([2, 16, 2], rng=0)
    >>> optimizer = nn.Adam(model.parameters(), lr=0.02)
    >>> history = nn.fit(model, nn.softmax_cross_entropy, optimizer, (X[:150], y[:150]), (X[150:], y[150:]),
    ...                  epochs=20, metrics={"accuracy": nn.metrics.accuracy}, rng=0, progress=False)
    >>> history["val_accuracy"][-1] > 0.9
    True
    """
    training = Training(
        model, loss, optimizer, train, validation, epochs=epochs, batch_size=batch_size, metrics=metrics,
        validation_metrics=validation_metrics, penalty=penalty, callbacks=callbacks, rng=rng, compile=compile,
    )  # fmt: skip
    if resume is not None:
        from .checkpoint import resume_training

        resume_training(training, resume)
    return training.run(progress)


class Training:
    """A training as it runs, which callbacks are given.

    Attributes
    ----------
    model, optimizer, loss
        As given to `fit`.
    batches : Minibatches
        What the training steps are over.
    history : History
        So far.
    parameters : list of Tensor
        Those of the model.
    epoch : int
        The number of the epoch that runs, from 1.
    step : int
        How many steps have been finished, of all epochs.
    step_in_epoch : int
        How many of them in this epoch.
    last_loss : float
        Of the step that was taken last.
    resumed : bool
        Whether it goes on from a checkpoint.
    stop_reason : str or None
        Why it is to stop.
    is_compiled : bool
        Whether its step is.
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
        compile: bool | Literal["auto"] = "auto",
    ) -> None:
        if not isinstance(model, Module):
            raise TypeError(f"fit: model must be a Module, not {type(model).__name__}")
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"fit: optimizer must be an Optimizer, not {type(optimizer).__name__}")
        for name, function in (("loss", loss), ("penalty", penalty)):
            if not callable(function) and not (name == "penalty" and function is None):
                raise TypeError(f"fit: {name} must be a function, not {type(function).__name__}")
        self.model, self.loss, self.optimizer, self.penalty = model, loss, optimizer, penalty
        self.epochs = positive_int(epochs, "fit: epochs")
        self.batch_size = positive_int(batch_size, "fit: batch_size")
        self.batches = as_batches(train, self.batch_size, rng)
        self.validation = None if validation is None else as_arrays(validation)
        self.metrics = checked_metrics("metrics", metrics)
        self.validation_metrics = {**self.metrics, **checked_metrics("validation_metrics", validation_metrics)}
        if validation_metrics and validation is None:
            raise ValueError(
                "fit: validation_metrics are of validation data, and there are none; pass validation=(X, y)"
            )
        given = list(callbacks)
        for one in given:
            if not isinstance(one, Callback):
                what = one.__name__ if isinstance(one, type) else type(one).__name__
                raise TypeError(f"fit: callbacks must be Callback objects, and {what} is none")
        self.callbacks = sorted(given, key=lambda one: one.last)
        self.parameters = model.parameters()
        check_optimizer(model, optimizer)
        self.history = History()
        self.epoch, self.step, self.step_in_epoch = 0, 0, 0
        self.last_loss = math.nan
        self.resumed = False
        self.order: Any = None
        self.stop_reason: str | None = None
        if not isinstance(compile, bool) and compile != "auto":
            raise ValueError(f"fit: compile must be True, False or 'auto', got {compile!r}")
        self.is_compiled = is_worth_compiling(self) if compile == "auto" else compile
        self._step = self._move
        if compile is True:
            self._step = autograd_lite.compile(self._move)
        elif self.is_compiled:  # unasked, and so the library's code alone, which draws random numbers by callbacks
            self._step = autograd_lite.compile(self._move, jit="exact", watch_randomness=False)
        self._on_gradient: Sequence[Callable[[Training], None]] = ()
        self._figures_of_step: dict[str, float] = {}

    # ---- for callbacks ----

    def stop(self, reason: str) -> None:
        """Stop after the step or epoch that runs; the reason is kept in the history."""
        self.stop_reason = reason

    def figure(self, name: str, who: str) -> float:
        """The last entry of a column of the epochs, for the callback that asks."""
        if name not in self.history.epochs:
            advice = " (pass validation=)" if name.startswith("val_") and self.validation is None else ""
            raise KeyError(
                f"{who}: the history has no {name!r} to monitor{advice}; it has {', '.join(self.history.epochs)}"
            )
        return self.history.epochs[name][-1]

    # ---- the loop ----

    def run(self, progress: Style | bool = False) -> History:
        """Train; gives the history."""
        teller = Progress(progress, self.epochs, len(self.batches), self.step)
        events = {
            name: [getattr(callback, name) for callback in self.callbacks if overrides(callback, name)]
            for name in vars(Callback)
            if name.startswith("on_")
        }
        self.history.interrupted, self.history.stopped = False, None
        try:
            with in_mode(self.model, None), Interruption() as interruption:
                self._tell(events["on_train_begin"])
                while self.epoch - bool(self.step_in_epoch) < self.epochs and not self._ends(interruption):
                    self._run_epoch(events, interruption, teller)
                self.history.interrupted = interruption.happened
                self.history.stopped = self.stop_reason
                if interruption.happened:
                    self._tell(events["on_pause"])
                self._tell(events["on_train_end"])
        finally:
            teller.close()
        return self.history

    def _ends(self, interruption: Interruption) -> bool:
        return interruption.happened or self.stop_reason is not None

    def _tell(self, listeners: Sequence[Callable[[Training], None]]) -> None:
        for listener in listeners:
            listener(self)

    def _run_epoch(
        self, events: dict[str, list[Callable[[Training], None]]], interruption: Interruption, teller: Progress
    ) -> None:
        batches = self._begin_epoch(events["on_epoch_begin"])
        self.model.train()
        start = time.perf_counter()
        for batch in batches:
            self._take_step(batch, events)
            teller.step()
            if self._ends(interruption):
                break
        if self._ends(interruption) and self.step_in_epoch < len(self.batches):
            return
        if not self.step_in_epoch:
            raise ValueError(
                "fit: train gave no batches; an iterator can be used only once, so pass a list or Minibatches"
            )
        figures = self._figures(self.step_in_epoch, time.perf_counter() - start)
        self.step_in_epoch = 0
        self.history.add_epoch(figures)
        teller.epoch(figures)
        self._tell(events["on_epoch_end"])

    def _begin_epoch(self, listeners: Sequence[Callable[[Training], None]]) -> Iterator[Any]:
        """The batches of an epoch; of one that goes on, those that are left."""
        drawn_from = self.batches.rng.bit_generator if isinstance(self.batches, Minibatches) else None
        if not self.step_in_epoch:
            self.epoch += 1
            self.order = drawn_from.state if drawn_from is not None else None
            self._tell(listeners)
            return iter(self.batches)
        # The order is drawn again as it was; the generator may have been used for more since, and goes on from there.
        if drawn_from is None:
            return islice(iter(self.batches), self.step_in_epoch, None)
        now, drawn_from.state = drawn_from.state, self.order
        batches = iter(self.batches)
        drawn_from.state = now
        return islice(batches, self.step_in_epoch, None)

    def _take_step(self, batch: Any, events: dict[str, list[Callable[[Training], None]]]) -> None:
        start = time.perf_counter()
        members = members_of(batch)
        for listener in events["on_step_begin"]:
            listener(self)
        self._on_gradient = events["on_gradient"]
        self._figures_of_step = {"epoch": self.epoch, "examples": len(members[-1])}
        try:
            self._step(*members)
        except _NotFiniteError:
            self._stop_at_loss()
            return
        self.step += 1
        self.step_in_epoch += 1
        figures = self._figures_of_step
        figures["seconds"] = time.perf_counter() - start
        self.history.add_step(figures)
        for listener in events["on_step_end"]:
            listener(self)

    def _move(self, *batch: Any) -> None:
        """The step itself, which can be compiled."""
        *inputs, targets = batch
        self.optimizer.zero_grad()
        outputs = self.model(*inputs)
        loss = self.loss(outputs, targets)
        if self.penalty is not None:
            loss = loss + self.penalty(self.model)
        if not isinstance(loss, Tensor):
            raise TypeError(
                f"fit: the loss is {type(loss).__name__}, and no Tensor; compute it from the model's outputs"
            )
        callback(self._look_at_loss, loss.data)
        loss.backward()
        gradients = [gradient.data for parameter in self.parameters if (gradient := parameter.grad) is not None]
        shown = (targets, outputs.data) if self.metrics else ()
        callback(self._look_at_gradients, gradients, *shown, writes=tuple(gradients) if self._on_gradient else ())
        self.optimizer.step()

    def _look_at_loss(self, loss: Any) -> None:
        self.last_loss = float(loss.item())
        if not math.isfinite(self.last_loss):
            raise _NotFiniteError

    def _look_at_gradients(self, gradients: list[Any], *shown: Any) -> None:
        figures = self._figures_of_step
        figures["loss"] = self.last_loss
        if shown:
            targets, outputs = shown
            outputs = outputs.copy()  # a metric may keep them, and a compiled step writes over its own
            outputs.flags.writeable = False
            for name, metric in self.metrics.items():
                figures[name] = float(metric(targets, outputs))
        figures["lr"] = float(self.optimizer.groups[0]["lr"])
        figures["gradient_norm"] = norm_of(gradients)
        if self._on_gradient:
            self._tell_of_gradients(gradients)

    def _tell_of_gradients(self, arrays: list[Any]) -> None:
        """Call the listeners; the step goes on with the gradients as they leave them, in the same arrays."""
        before = [(parameter, gradient) for parameter in self.parameters if (gradient := parameter.grad) is not None]
        for (_, gradient), array in zip(before, arrays, strict=True):
            gradient.data = array
        self._tell(self._on_gradient)
        for (parameter, gradient), array in zip(before, arrays, strict=True):
            if parameter.grad is None:
                raise GradientError(
                    "fit: a callback has taken a gradient away in on_gradient; set it to zero, or freeze the parameter "
                    "with requires_grad=False before the step"
                )
            if parameter.grad.data is not array:
                array[...] = parameter.grad.data
                gradient.data = array
                parameter.grad = gradient

    def _stop_at_loss(self) -> None:
        where = f"in step {self.step_in_epoch + 1} of epoch {self.epoch}"
        self.stop(f"the loss is {self.last_loss} {where}")
        warnings.warn(
            f"the loss is {self.last_loss} {where}; training stops before the weights follow it. A smaller "
            "learning rate, gradient clipping or standardised inputs are the usual remedies",
            TrainingWarning,
            stacklevel=7,
        )

    # ---- figures of an epoch ----

    def _figures(self, count: int, seconds: float) -> dict[str, float]:
        """Of an epoch with so many steps."""
        steps = {name: column[-count:] for name, column in self.history.steps.items()}

        def mean(name: str, weighted: bool = True) -> float:
            return float(np.average(steps[name], weights=steps["examples"] if weighted else None))

        return {
            "epoch": self.epoch,
            "loss": mean("loss"),
            **{name: mean(name) for name in self.metrics},
            **self._validated(),
            "lr": float(self.optimizer.groups[0]["lr"]),
            "gradient_norm": mean("gradient_norm", weighted=False),
            "seconds": seconds,
        }

    def _validated(self) -> dict[str, float]:
        if self.validation is None:
            return {}
        *inputs, targets = self.validation
        outputs = predict(self.model, *inputs, batch_size=max(self.batch_size, 1024))
        with no_grad():
            loss = self.loss(outputs, targets)
        figures = {"val_loss": float(loss.item() if isinstance(loss, Tensor) else loss)}
        return figures | {f"val_{name}": float(f(targets, outputs)) for name, f in self.validation_metrics.items()}


def predict(model: Module, *inputs: Any, batch_size: int = 1024) -> Any:
    """The outputs of a model in use, batch by batch, as one array; the model's mode stays as it was.

    Parameters
    ----------
    model : Module
        Put into ``eval()`` for this.
    *inputs : array_like, shape (N, ...)
        Examples along the first axis.
    batch_size : int, default 1024
        How many examples are computed at a time.

    Examples
    --------
    >>> from nn import MLP
    >>> predict(MLP([3, 4, 2], rng=0), np.ones((5, 3), np.float32)).shape
    (5, 2)
    """
    batches = Minibatches(*inputs, batch_size=batch_size, shuffle=False)
    with in_mode(model, training=False), no_grad():
        outputs = [model(*members_of(batch)) for batch in batches]
    return np.concatenate([out.data if isinstance(out, Tensor) else np.asarray(out) for out in outputs])
