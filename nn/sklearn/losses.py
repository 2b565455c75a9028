"""The losses of the estimators: for a batch, with a weight for each example if there are weights.

Weighted losses take targets with one more column, the examples' weights. They are divided by the number of examples and
not by the sum of the weights, whose mean over all training examples is 1: so a batch counts as much as its examples do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..losses import Reduction, mean_squared_error, quadratic_cost, sigmoid_cross_entropy

_np: Any = np


def binary_cross_entropy(outputs: Any, targets: Any) -> Any:
    """The cross-entropy of yes-or-no targets, summed over the outputs and averaged over the examples.

    Examples
    --------
    >>> float(binary_cross_entropy(np.zeros((3, 2)), np.ones((3, 2))) / np.log(2))
    2.0
    """
    return sigmoid_cross_entropy(outputs, targets, "sum") / len(targets)


def weighted_binary_cross_entropy(outputs: Any, weighted: Any) -> Any:
    """`binary_cross_entropy`, with weights in the last column of the targets."""
    losses = sigmoid_cross_entropy(outputs, weighted[:, :-1], "none")
    return (losses * weighted[:, -1:]).sum() / len(weighted)


def half_squared_error(outputs: Any, targets: Any) -> Any:
    """`nn.quadratic_cost` with one sum in the place of a sum and a mean, which gains a tenth of a small step.

    Examples
    --------
    >>> float(half_squared_error(np.zeros((2, 2)), np.ones((2, 2))))
    1.0
    """
    return mean_squared_error(outputs, targets, "sum") * (0.5 / len(targets))


def weighted_quadratic_cost(outputs: Any, weighted: Any) -> Any:
    """`nn.quadratic_cost`, with weights in the last column of the targets."""
    return (quadratic_cost(outputs, weighted[:, :-1], "none") * weighted[:, -1]).sum() / len(weighted)


def poisson_loss(outputs: Any, targets: Any, reduction: Reduction = "mean") -> Any:
    """Half of the Poisson deviance ``y log(y / a) - y + a`` with ``a = exp(z)``, summed over the outputs.

    Its gradient is ``a - y``.

    Parameters
    ----------
    outputs : array or Tensor, shape (examples, outputs)
        The logarithms of the predictions.
    targets : array, the same shape
        Counts, or other numbers of at least 0.
    reduction : {"mean", "none"}, default "mean"
        The reduction over the examples.

    Examples
    --------
    >>> round(float(poisson_loss(np.log([[2.0]]), np.array([[2.0]]))), 9)
    0.0
    """
    at_best = targets * _np.log(_np.where(targets > 0, targets, 1)) - targets
    losses = (_np.exp(outputs) - targets * outputs + at_best).sum(axis=-1)
    return losses if reduction == "none" else losses.mean()


def weighted_poisson_loss(outputs: Any, weighted: Any) -> Any:
    """`poisson_loss`, with weights in the last column of the targets."""
    return (poisson_loss(outputs, weighted[:, :-1], "none") * weighted[:, -1]).sum() / len(weighted)


class WeightedLoss:
    """A loss of the user's, which can give the loss of each example, with weights in the last column of the targets.

    Parameters
    ----------
    loss : callable
        ``loss(outputs, targets, reduction="none")``.
    has_labels : bool
        Whether the targets are class numbers.
    owner : str
        The estimator, for messages.
    """

    def __init__(self, loss: Callable[..., Any], has_labels: bool, owner: str) -> None:
        self.loss, self.has_labels, self.owner = loss, has_labels, owner

    def __call__(self, outputs: Any, weighted: Any) -> Any:
        """The mean of the weighted losses."""
        targets = weighted[:, 0].astype(np.intp) if self.has_labels else weighted[:, :-1]
        try:
            losses = self.loss(outputs, targets, reduction="none")
        except TypeError as error:
            if "reduction" not in str(error):
                raise
            raise TypeError(
                f"{self.owner}: with sample_weight or class_weight, a loss of your own must take reduction='none' and "
                f"return the loss of each example, as nn's losses do; got {error}"
            ) from error
        count = len(weighted)
        if not losses.ndim or losses.shape[0] != count:
            raise ValueError(
                f"{self.owner}: with reduction='none' the loss must return one number for each of the {count} examples "
                f"of a batch, but its result has shape {losses.shape}"
            )
        return (losses.reshape(count, -1).sum(axis=-1) * weighted[:, -1]).sum() / count
