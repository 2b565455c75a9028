"""`Step`: one step of a training: forward, backward, the callbacks for gradients, and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import autograd_lite
from autograd_lite import GradientError, Tensor, callback
from autograd_lite.extend import wrap

from ..optimizers.clipping import norm_of
from .automatic import is_worth_compiling
from .fit_arguments import measured
from .training import Training

Listener = Callable[[Training], None]


class NotFiniteError(ArithmeticError):
    """The loss is not a finite number."""


class Step:
    """The step of a training, compiled if `compile` says so.

    Parameters
    ----------
    training : Training
    compile : bool or "auto"
        As in `fit`.
    on_gradient : sequence of callable
        Functions that are called with the training after the gradients are computed, before the optimizer uses them.

    Raises
    ------
    NotFiniteError
        On a call, if the loss is not a finite number; the weights are not changed then.
    """

    def __init__(self, training: Training, compile: bool | Literal["auto"], on_gradient: Sequence[Listener]) -> None:
        if not isinstance(compile, bool) and compile != "auto":
            raise ValueError(f"fit: compile must be True, False or 'auto', got {compile!r}")
        self.training = training
        self.on_gradient = on_gradient
        self.figures: dict[str, float] = {}
        training.is_compiled = is_worth_compiling(training) if compile == "auto" else compile
        self._run: Callable[..., Any] | None = None
        if compile is True:
            self._run = autograd_lite.compile(self._move)
        elif training.is_compiled:  # with "auto", all code is the library's, which draws random numbers by callbacks
            self._run = autograd_lite.compile(self._move, jit="exact", watch_randomness=False)

    def __call__(self, members: Sequence[Any]) -> dict[str, float]:
        """Take the step with the arrays of a batch, the targets last; returns its figures for the history."""
        self.figures = {"epoch": self.training.epoch, "examples": len(members[-1])}
        (self._run or self._move)(*members)
        return self.figures

    def forget(self) -> None:
        """Let go of the compiled step, which holds this one, so that both are freed with the last reference."""
        self._run = None

    def _move(self, *batch: Any) -> None:
        """Compute the step; this function can be compiled."""
        training = self.training
        *inputs, targets = batch
        training.optimizer.zero_grad()
        outputs = training.model(*inputs)
        loss = training.loss(outputs, targets)
        if training.penalty is not None:
            loss = loss + training.penalty(training.model)
        if not isinstance(loss, Tensor):
            raise TypeError(
                f"fit: the loss must return a Tensor, got {type(loss).__name__}; compute it from the model's outputs"
            )
        callback(self._look_at_loss, loss.data)
        loss.backward()
        gradients = [gradient.data for parameter in training.parameters if (gradient := parameter.grad) is not None]
        shown = (targets, outputs.data) if training.metrics else ()
        callback(self._look_at_gradients, gradients, *shown, writes=tuple(gradients) if self.on_gradient else ())
        training.optimizer.step()

    def _look_at_loss(self, loss: Any) -> None:
        self.training.last_loss = float(loss.item())
        if not math.isfinite(self.training.last_loss):
            raise NotFiniteError

    def _look_at_gradients(self, gradients: list[Any], *shown: Any) -> None:
        training, figures = self.training, self.figures
        figures["loss"] = training.last_loss
        if shown:
            targets, outputs = shown
            outputs = outputs.copy()  # a metric may keep them, but a compiled step overwrites its arrays
            outputs.flags.writeable = False
            for name, metric in training.metrics.items():
                figures[name] = measured(metric, training.loss, targets, outputs)
        figures["lr"] = float(training.optimizer.groups[0]["lr"])
        figures["gradient_norm"] = norm_of(gradients)
        if self.on_gradient:
            self._show_gradients(gradients)

    def _show_gradients(self, arrays: list[Any]) -> None:
        """Call the listeners; if they change the gradients, the step continues with these, in the same arrays."""
        parameters = self.training.parameters
        before = [(parameter, gradient) for parameter in parameters if (gradient := parameter.grad) is not None]
        for (parameter, _), array in zip(before, arrays, strict=True):
            parameter.grad = wrap(array)
        for listener in self.on_gradient:
            listener(self.training)
        for (parameter, gradient), array in zip(before, arrays, strict=True):
            if parameter.grad is None:
                raise GradientError(
                    "fit: a callback set a gradient to None in on_gradient; set it to zero, or freeze the parameter "
                    "with requires_grad=False before the step"
                )
            if parameter.grad.data is not array:
                array[...] = parameter.grad.data
            parameter.grad = gradient
