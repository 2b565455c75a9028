"""Losses: functions of a model's outputs and the targets, which return a scalar by default.

All take ``reduction="mean"`` (the default), ``"sum"`` or ``"none"``, and refuse targets of another shape, because
broadcasting would give a wrong result without an error.
"""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any, Literal, NoReturn

import numpy as np

from autograd_lite import Tensor, callback, custom_vjp
from autograd_lite.extend import (
    DIAGONAL,
    IndexCheck,
    Memo,
    answering,
    constant,
    defbatching,
    defelementwise,
    defmistake,
    innermost_array,
    on_demand,
    strong_product,
    wrap,
)

from . import habits
from .arguments import as_array, as_array_or_tensor, fraction
from .layers.activations import log_softmax, sigmoid, softmax

Reduction = Literal["mean", "sum", "none"]

_np: Any = np


@answering(habits.LOSS_KEYWORDS)
def softmax_cross_entropy(
    logits: Any,
    labels: Any,
    reduction: Reduction = "mean",
    *,
    label_smoothing: float = 0.0,
    class_weight: Any = None,
) -> Any:
    """The cross-entropy between targets and the softmax of the logits: ``-sum(t log softmax(z))`` for each example.

    Its gradient is ``softmax(z) - t`` (Bishop, *Pattern Recognition and Machine Learning*, section 5.2).

    Parameters
    ----------
    logits : array or Tensor, shape (..., classes)
        The outputs before the softmax; they may be large.
    labels : array, shape (...) or (..., classes)
        Integers, the number of each example's class; or for each example a distribution over the classes, one-hot or
        soft, with the logits' shape. A distribution may be a Tensor, and then gets a gradient, too.
    reduction : {"mean", "sum", "none"}, default "mean"
        The reduction over the examples.
    label_smoothing : float, default 0
        The share of each example's distribution that is spread evenly over the classes (Szegedy et al. 2016, section
        7), at least 0 and at most 1.
    class_weight : array_like, shape (classes,), optional
        A factor for each class's part of the loss, at least 0. For integer labels, the mean is then weighted by the
        weights of the examples' classes, as in PyTorch.

    Raises
    ------
    ValueError
        If labels are out of range or have a wrong shape, or if an option is out of its range.
    TypeError
        If class numbers are not integers.

    Examples
    --------
    >>> logits = np.array([[2.0, 0.0], [0.0, 0.0]])
    >>> float(softmax_cross_entropy(logits, [0, 1], reduction="sum"))
    0.8200...
    >>> float(softmax_cross_entropy(logits, [[1.0, 0.0], [0.5, 0.5]], reduction="sum"))
    0.8200...
    """
    logits = _array("softmax_cross_entropy: logits", logits)
    if _is_result_of_softmax(logits):
        warnings.warn(
            "softmax_cross_entropy takes logits, and was given probabilities, the result of a softmax; leave the "
            "softmax out of the model, as in MLP(sizes) without output_activation",
            stacklevel=3,
        )
    labels = _array("softmax_cross_entropy: labels", labels)
    shape = logits.shape
    if not shape or not shape[-1]:
        raise ValueError(f"softmax_cross_entropy: logits have shape {shape}; expected (examples, classes)")
    _check(reduction)
    smoothing = fraction(label_smoothing, "softmax_cross_entropy: label_smoothing", closed=True)
    by_number = labels.shape != shape
    if by_number:
        labels = _valid_labels(labels, shape)
        if not smoothing and class_weight is None:
            return _softmax_cross_entropy(logits, labels, reduction, Memo(softmax))
    targets = _as_wide(_one_hot(labels, shape[-1]) if by_number else labels, logits)
    if smoothing:
        targets = (1 - smoothing) * targets + smoothing / shape[-1]
    if class_weight is None:
        return _softmax_cross_entropy_of_distributions(logits, targets, reduction)
    weights = _as_wide(_class_weights(class_weight, shape[-1]), logits)
    losses = _softmax_cross_entropy_of_distributions(logits, targets * weights, "none")
    if by_number and reduction == "mean":
        return losses.sum() / wrap(weights)[labels].sum()
    return _reduced(losses, reduction)


def _is_result_of_softmax(logits: Any) -> bool:
    node = logits.node if isinstance(logits, Tensor) else None
    return node is not None and node.recipe is not None and node.recipe.rule.name == "softmax"


def _cotangent_of_logits(g: Any, logits: Any, labels: Any, reduction: Reduction, probabilities: Memo) -> Any:
    """``_each(g, reduction, labels.size) * (softmax(logits) - _one_hot(labels, logits.shape[-1]))``."""
    slope = probabilities(logits) - _one_hot(labels, logits.shape[-1])
    return strong_product(_each(g, reduction, labels.size), slope)


@custom_vjp(logits=_cotangent_of_logits)
def _softmax_cross_entropy(logits: Any, labels: Any, reduction: Reduction, probabilities: Memo) -> Any:
    # This is written like `softmax`, so that a compiled step computes the exponentials of both only once.
    shifted = logits - np.maximum.reduce(logits, axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    partition = np.add.reduce(exponentials, axis=-1, keepdims=True)
    examples = constant(np.arange(labels.size))
    picked = shifted.reshape((-1, logits.shape[-1]))[examples, labels.ravel()].reshape(labels.shape)
    losses = np.log(partition[..., 0]) - picked
    if type(logits) is np.ndarray:
        probabilities.keep(logits, np.divide(exponentials, partition, out=exponentials))
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.sum() / losses.size


@custom_vjp(
    logits=lambda g, logits, targets, reduction: strong_product(
        _each(g, reduction, _examples(logits)), softmax(logits) * targets.sum(axis=-1, keepdims=True) - targets
    ),
    targets=lambda g, logits, reduction: strong_product(-_each(g, reduction, _examples(logits)), log_softmax(logits)),
)
def _softmax_cross_entropy_of_distributions(logits: Any, targets: Any, reduction: Reduction) -> Any:
    # No part of a loss has a target of 0, be the logit -inf.
    return _reduced(-strong_product(targets, log_softmax(logits)).sum(axis=-1), reduction)


defmistake(
    _softmax_cross_entropy,
    "softmax",
    DIAGONAL,
    logits=lambda g, logits, labels, reduction: (
        _each(g, reduction, labels.size) * (softmax(logits) - 1) * _one_hot(labels, logits.shape[-1])
    ),
)
defmistake(
    _softmax_cross_entropy_of_distributions,
    "softmax",
    DIAGONAL,
    logits=lambda g, logits, targets, reduction: (
        _each(g, reduction, _examples(logits)) * (softmax(logits) - 1) * targets
    ),
)


@defbatching(_softmax_cross_entropy, "logits", "labels")
def _of_labels_for_all(logits: Any, labels: Any, reduction: Reduction, probabilities: Memo) -> Any:
    return _reduced_for_all(_softmax_cross_entropy(logits, labels, "none", probabilities), reduction)


@defbatching(_softmax_cross_entropy_of_distributions, "logits", "targets")
def _of_distributions_for_all(logits: Any, targets: Any, reduction: Reduction) -> Any:
    return _reduced_for_all(_softmax_cross_entropy_of_distributions(logits, targets, "none"), reduction)


def _reduced_for_all(losses: Any, reduction: Reduction) -> Any:
    """Losses of many calls, which the first axis counts, each reduced over its own examples."""
    axes = tuple(range(1, losses.ndim))
    return losses if reduction == "none" else losses.sum(axes) if reduction == "sum" else losses.mean(axes)


def _each(g: Any, reduction: Reduction, examples: int) -> Any:
    """The cotangent of each example's loss, with a new axis for the classes."""
    return g[..., None] if reduction == "none" else g / examples if reduction == "mean" else g


def _examples(logits: Any) -> int:
    return math.prod(logits.shape[:-1])


@answering(habits.LOSS_KEYWORDS)
def sigmoid_cross_entropy(logits: Any, targets: Any, reduction: Reduction = "mean") -> Any:
    """The cross-entropy of independent yes-or-no targets: ``-t log a - (1 - t) log(1 - a)`` with ``a = sigmoid(z)``.

    Its gradient is ``sigmoid(z) - t``.

    Parameters
    ----------
    logits : array or Tensor, any shape
        The outputs before the sigmoid; they may be large.
    targets : array, the same shape
        0 or 1, or probabilities between them; may be a Tensor. For a single output, the shape of `logits` may also be
        that of the targets with a last axis of 1.
    reduction : {"mean", "sum", "none"}, default "mean"
        The reduction over all elements.

    Raises
    ------
    ValueError
        If the shapes differ, or a target is outside of [0, 1].

    Examples
    --------
    >>> sigmoid_cross_entropy(np.array([-10000.0, 0.0, 10000.0]), [0, 1, 1], reduction="none").round(4)
    array([0.    , 0.6931, 0.    ])
    """
    logits, targets = _array("sigmoid_cross_entropy: logits", logits), _array("sigmoid_cross_entropy: targets", targets)
    if logits.shape == (*targets.shape, 1):
        targets = targets[..., None]
    logits, targets = _same_shape("sigmoid_cross_entropy", "logits", logits, targets)
    callback(_check_probabilities, innermost_array(targets))
    return _reduced(_sigmoid_cross_entropy(logits, targets), reduction)


@custom_vjp(
    logits=lambda g, logits, targets: strong_product(g, sigmoid(logits) - targets),
    targets=lambda g, logits: strong_product(-g, logits),
)
def _sigmoid_cross_entropy(logits: Any, targets: Any) -> Any:
    size = np.abs(logits)
    # The logit counts as far as the target is on its other side, and not at all if it is not, be the logit infinite.
    return strong_product(np.where(logits >= 0, 1 - targets, targets), size) + np.log1p(np.exp(-size))


defelementwise(_sigmoid_cross_entropy)


def _check_probabilities(targets: Any) -> None:
    outside = ~((targets >= 0) & (targets <= 1))
    if outside.any():
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        raise ValueError(
            f"sigmoid_cross_entropy: targets must be between 0 and 1, but targets{list(where)} is {targets[where]}; "
            "for classes -1 and 1 pass (targets + 1) / 2"
        )


@answering(habits.LOSS_KEYWORDS)
def mean_squared_error(predictions: Any, targets: Any, reduction: Reduction = "mean") -> Any:
    """The squared error ``(a - y)^2``, by default its mean over all elements.

    Parameters
    ----------
    predictions, targets : array or Tensor
        Both must have the same shape.
    reduction : {"mean", "sum", "none"}, default "mean"
        The reduction over all elements.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> float(mean_squared_error([1.0, 2.0], [0.0, 4.0]))
    2.5
    """
    predictions, targets = _same_shape("mean_squared_error", "predictions", predictions, targets)
    return _reduced(np.square(predictions - targets), reduction)


@answering(habits.LOSS_KEYWORDS)
def quadratic_cost(outputs: Any, targets: Any, reduction: Reduction = "mean") -> Any:
    """Half of the squared error, ``||a - y||^2 / 2``: summed over outputs, averaged over the batch.

    Its gradient for one example is ``a - y`` (Nielsen, *Neural Networks and Deep Learning*, equation 6).

    Parameters
    ----------
    outputs, targets : array or Tensor, shape (..., outputs)
        Both must have the same shape; the last axis is summed over, the others are the batch.
    reduction : {"mean", "sum", "none"}, default "mean"
        The reduction over the batch.

    Raises
    ------
    ValueError
        If the shapes differ, or there is no axis of outputs.

    Examples
    --------
    >>> float(quadratic_cost([[1.0, 2.0], [0.0, 0.0]], [[0.0, 4.0], [0.0, 0.0]]))
    1.25
    """
    outputs, targets = _same_shape("quadratic_cost", "outputs", outputs, targets)
    if not outputs.ndim:
        raise ValueError("quadratic_cost: outputs have shape (); expected (examples, outputs)")
    return _reduced(0.5 * np.square(outputs - targets).sum(axis=-1), reduction)


def _reduced(losses: Any, reduction: Reduction) -> Any:
    _check(reduction)
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses


def _check(reduction: Reduction) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction={reduction!r} is unknown; expected one of mean, sum, none")


def _array(name: str, value: Any) -> Any:
    value = as_array_or_tensor(value, name)
    if value.dtype.kind in "USO" and name.endswith("labels"):
        raise TypeError(
            f"{name} have dtype {value.dtype}; expected numbers. Write classes, y = np.unique(labels, "
            "return_inverse=True), which numbers the classes in their order"
        )
    if value.dtype.kind not in "fiub":
        raise TypeError(f"{name} have dtype {value.dtype}; expected numbers")
    return value


def _same_shape(loss: str, name: str, outputs: Any, targets: Any) -> tuple[Any, Any]:
    outputs, targets = _array(f"{loss}: {name}", outputs), _array(f"{loss}: targets", targets)
    if outputs.shape != targets.shape:
        raise ValueError(
            f"{loss}: {name} have shape {outputs.shape}, but targets have {targets.shape}; the shapes must be "
            f"equal, since broadcasting would compare every output with every target{_advice(outputs, targets)}"
        )
    return outputs, _as_wide(targets, outputs)


def _advice(outputs: Any, targets: Any) -> str:
    """What to write where shapes differ by an axis of 1."""
    if outputs.shape == (*targets.shape, 1):
        return "; write y[:, None] for the targets" if targets.ndim == 1 else "; write y[..., None] for the targets"
    return "; write y[..., 0] for the targets" if targets.shape == (*outputs.shape, 1) else ""


def _as_wide(targets: Any, outputs: Any) -> Any:
    """Targets, converted to the outputs' dtype if they are integers or truth values, which would make it wider."""
    return targets.astype(outputs.dtype) if targets.dtype.kind in "iub" and outputs.dtype.kind == "f" else targets


def _valid_labels(labels: Any, shape: tuple[int, ...]) -> Any:
    """Labels as integers that index the classes; raises an error for other labels."""
    if labels.shape != shape[:-1]:
        raise ValueError(
            f"softmax_cross_entropy: labels have shape {labels.shape}, but logits have {shape}; expected integers of "
            f"shape {shape[:-1]}, or a distribution for each example, of shape {shape}"
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"softmax_cross_entropy: labels have dtype {labels.dtype}; class numbers must be integers, so pass "
            "labels.astype(int), or distributions of the logits' shape"
        )
    values = innermost_array(labels)
    callback(_class_numbers(shape[-1]), values)
    return values.astype(np.intp, copy=False) if values.shape == labels.shape else labels


class _ClassNumbers(IndexCheck):
    """The check that labels are numbers of classes."""

    __name__ = "check_labels"

    def refuse(self, values: Any, where: tuple[int, ...]) -> NoReturn:
        raise ValueError(
            f"softmax_cross_entropy: labels{list(where)} is {values[where]}, but the logits have {self.stop} classes, "
            f"0 to {self.stop - 1}"
        )


_class_numbers = cache(_ClassNumbers)


def _class_weights(class_weight: Any, classes: int) -> Any:
    weights = as_array(class_weight, "softmax_cross_entropy: class_weight")
    if weights.shape != (classes,) or weights.dtype.kind not in "fiu":
        raise ValueError(
            f"softmax_cross_entropy: class_weight has shape {weights.shape} and dtype {weights.dtype}; expected a "
            f"number for each of the {classes} classes"
        )
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"softmax_cross_entropy: class_weight must be finite and at least 0, got {weights}")
    return weights


def _one_hot(labels: Any, classes: int) -> Any:
    return labels[..., None] == constant(np.arange(classes))


__getattr__, __dir__ = on_demand(__name__, {}, answers=habits.WITHIN)
