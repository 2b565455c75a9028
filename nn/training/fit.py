"""`fit`: trains a model; the function that users call, and its documentation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from contextvars import copy_context
from typing import Any, Literal

from autograd_lite.extend import answering

from .. import habits
from ..init import Random
from ..module import Module
from ..optimizers.base import Optimizer
from .checkpoint import resume_training
from .fit_arguments import Metrics
from .history import History
from .loop import Loop
from .progress import Style
from .training import Callback, Loss, Training


@answering(habits.FIT_KEYWORDS, "write nn.fit(model, loss, optimizer, (X, y))")
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
    detect_anomaly: bool = False,
) -> History:
    """Train a model.

    Each step takes a minibatch: ``loss(model(X), y).backward()`` and ``optimizer.step()``. The model is in training
    mode for the steps, and in ``eval()`` for the validation. These modes hold for the thread that calls `fit`, and end
    with it: other threads may call `nn.predict` with the same model meanwhile.

    Parameters
    ----------
    model : Module
        The model; it is called with the inputs of a batch.
    loss : callable
        ``loss(outputs, targets)``, which returns a scalar, such as `nn.softmax_cross_entropy`.
    optimizer : Optimizer
        The optimizer of the model's parameters, or of those that are to be trained.
    train : tuple of array_like, or Minibatches
        ``(X, y)``, or more inputs before the targets; they are shuffled again in each epoch. Targets that are text are
        numbered as classes, in alphabetical order; the history's ``classes`` are the labels. Or an iterable with a
        length that gives such batches in every ``iter()``.
    validation : tuple of array_like, optional
        The data for the figures ``val_...`` after each epoch, in the same form.
    epochs : int, default 10
        The number of passes over the training data.
    batch_size : int, default 32
        The number of examples in a minibatch, if arrays are given, and in a batch of the validation.
    metrics : mapping, optional
        From name to function, ``f(targets, outputs)``, such as ``{"accuracy": nn.metrics.accuracy}``. For the training
        data, the mean over the batches is reported, as they were trained; for the validation data, the value for all.
    validation_metrics : mapping, optional
        Further metrics, for the validation data only.
    penalty : callable, optional
        ``penalty(model)`` is added to the loss of each training step: ``lambda m: nn.l2_penalty(m, 1e-4)``.
    callbacks : iterable of Callback, optional
        The callbacks; they are called in their order.
    rng : Generator, int or None
        The generator of the orders of arrays, or its seed.
    resume : path, optional
        A file or folder that `nn.Checkpoint` wrote. Training continues from there, to the same weights to the bit, if
        all other arguments are the same; with a folder that has no checkpoint, training starts at the beginning. The
        optimizer's options are those of the checkpoint.
    progress : bool or {"auto", "bar", "lines"}, default True
        The form in which progress is shown; see `nn.progress`.
    compile : bool or "auto", default "auto"
        Whether the step is compiled, by `autograd_lite.compile`: up to several times as fast. With "auto" it is where
        the training stays the same to the bit: where model, loss, metrics, optimizer and callbacks are this library's
        own, as they come, no rule is yours, the batches are of arrays, there is no penalty, and 150 steps or more are
        to be taken. True compiles code of your own, too, which then runs once: it may read no value of an array into
        Python. The last digits of `exp` and `log` may then be others, see ``jit`` there.
    detect_anomaly : bool, default False
        Whether every step runs within `autograd_lite.detect_anomaly`, uncompiled: the first operation, forward or
        backward, that gives a number which is not finite raises an `autograd_lite.AnomalyError`.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; raised before the first step.
    CheckpointError
        If the checkpoint is damaged, or belongs to another training: to another model, loss or penalty, or to other
        data, batches, metrics or callbacks; model, optimizer and generators are as before then. If a callback
        `Checkpoint` has a folder with another run's checkpoints, or one in which a training runs.

    Notes
    -----
    Ctrl-C ends training after the step that runs; callbacks end as usual, and the history so far is returned. A second
    one interrupts at once. Where the loss is not a finite number, training stops with a `TrainingWarning` before the
    optimizer uses its gradients, and the warning names the operation, the input or the parameter that it comes from.

    Examples
    --------
    >>> import numpy as np
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
        validation_metrics=validation_metrics, penalty=penalty, callbacks=callbacks, rng=rng,
    )  # fmt: skip
    if not isinstance(detect_anomaly, bool):
        raise TypeError(f"fit: detect_anomaly must be True or False, got {detect_anomaly!r}")
    loop = Loop(training, compile, detect_anomaly)
    with ExitStack() as running:
        for callback in training.callbacks:
            running.enter_context(callback.running(training))
        if resume is not None:
            resume_training(training, resume)
        # In a context of its own, which ends at once where training is interrupted, and the model's mode with it.
        return copy_context().run(loop.run, progress)
