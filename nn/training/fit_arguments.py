"""Checks of `fit`'s arguments: data as minibatches, metrics, and an optimizer of the model's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..data.minibatches import Minibatches
from ..init import Random
from ..losses import sigmoid_cross_entropy
from ..metrics import OF_LABELS
from ..module import Module
from ..optimizers.base import Optimizer

Metrics = Mapping[str, Callable[[Any, Any], float]]
"""A mapping from name to function of targets and outputs."""


def members_of(batch: Any) -> tuple[Any, ...]:
    """The arrays of a batch, which may be a single array."""
    return tuple(batch) if isinstance(batch, tuple | list) else (batch,)


def as_batches(train: Any, batch_size: int, rng: Random) -> Any:
    """The iterable that gives the batches of an epoch."""
    if isinstance(train, tuple):
        return Minibatches(*as_arrays(train), batch_size=batch_size, rng=rng)
    if not hasattr(train, "__iter__") or not hasattr(train, "__len__") or isinstance(train, np.ndarray | list):
        raise TypeError(
            "fit: train must be a tuple (X, y), nn.data.Minibatches, or an iterable of batches with a length; got "
            f"{type(train).__name__}. Write nn.fit(model, loss, optimizer, (X, y))"
        )
    if isinstance(train, Minibatches) and len(train.arrays) < 2:
        raise ValueError("fit: the minibatches hold one array but no targets; write Minibatches(X, y)")
    return train


def with_class_numbers(train: Any, validation: Any) -> tuple[Any, Any, Any]:
    """Training and validation data with numbers for targets that are text, and the classes' labels in their order.

    Raises
    ------
    ValueError
        If the validation has a label that the training data have not.
    """
    if not (isinstance(train, tuple) and len(train) > 1 and _is_text(labels := np.asarray(train[-1]))):
        return train, validation, None
    classes, numbers = np.unique(labels, return_inverse=True)
    if isinstance(validation, tuple | list) and len(validation) > 1:
        given = np.asarray(validation[-1])
        if unknown := sorted(set(given.ravel().tolist()) - set(classes.tolist()), key=str):
            raise ValueError(f"fit: the validation has the label {unknown[0]!r}, which the training data have not")
        validation = (*validation[:-1], np.searchsorted(classes, given))
    return (*train[:-1], numbers.reshape(labels.shape)), validation, classes


def _is_text(labels: np.ndarray[Any, Any]) -> bool:
    return labels.dtype.kind in "UST" or (labels.dtype.kind == "O" and all(isinstance(x, str) for x in labels.flat))


def as_arrays(data: Any) -> tuple[Any, ...]:
    """Inputs and targets as arrays of equal length."""
    if not isinstance(data, tuple | list) or len(data) < 2:
        raise TypeError("fit: data must be a tuple of inputs and targets, as in (X, y)")
    return Minibatches(*data, shuffle=False).arrays


def checked_metrics(name: str, metrics: Metrics | None) -> dict[str, Callable[[Any, Any], float]]:
    """The metrics, in a new dict."""
    metrics = {} if metrics is None else metrics
    if not isinstance(metrics, Mapping) or not all(callable(metric) for metric in metrics.values()):
        raise TypeError(f"fit: {name} must be a dict from name to function, as in {{'accuracy': nn.metrics.accuracy}}")
    return dict(metrics)


def measured(metric: Callable[[Any, Any], float], loss: Any, targets: Any, outputs: Any) -> float:
    """The value of a metric; one of labels gets those that the logits of `sigmoid_cross_entropy` stand for."""
    is_of_labels = any(metric is one for one in OF_LABELS)  # by identity, since a user's may not be hashable
    if loss is sigmoid_cross_entropy and is_of_labels and outputs.shape[1:] in ((), (1,)):
        outputs = outputs > 0
    return float(metric(targets, outputs))


def check_optimizer(model: Module, optimizer: Optimizer) -> None:
    """Check that the optimizer has parameters of the model."""
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(parameter) in own for group in optimizer.groups for parameter in group["params"]):
        raise ValueError(
            "fit: the optimizer has none of the model's parameters, so the model would not learn; make it with "
            "model.parameters()"
        )
