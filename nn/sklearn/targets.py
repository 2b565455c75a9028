"""What an estimator's `y` is for its network: the number of outputs, targets, loss, score, and back to predictions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.preprocessing import one_hot
from ..layers.activations import sigmoid, softmax
from ..losses import softmax_cross_entropy
from .losses import (
    WeightedLoss,
    binary_cross_entropy,
    half_squared_error,
    poisson_loss,
    weighted_binary_cross_entropy,
    weighted_poisson_loss,
    weighted_quadratic_cost,
)

Array = NDArray[Any]
Loss = Callable[[Any, Any], Any]


class Targets:
    """One kind of targets.

    Parameters
    ----------
    outputs : int
        The number of outputs of the network.
    losses : tuple of callable
        The loss, and the one for targets with weights.
    activation : str
        The function from outputs to predictions, in scikit-learn's words.
    """

    def __init__(self, outputs: int, losses: tuple[Loss, Loss], activation: str) -> None:
        self.outputs, self.activation = outputs, activation
        self._losses = losses

    def loss(self, is_weighted: bool) -> Loss:
        """The loss of the network's outputs."""
        return self._losses[is_weighted]

    def with_weights(self, targets: Array, weights: Array, dtype: Any) -> Array:
        """Targets that the weighted loss takes."""
        return np.column_stack([targets, weights]).astype(dtype)

    def decoded(self, outputs: Array) -> Array:
        """Probabilities, or the predicted numbers, from the network's outputs."""
        raise NotImplementedError

    def score(self, targets: Array, weights: Array | None) -> Callable[[Any, Any], float]:
        """A metric of validation examples, which takes the network's outputs; see `nn.fit`."""
        return partial(_score_of, self.score_of, targets, weights)

    def score_of(self, targets: Array, outputs: Array, weights: Array | None) -> float:
        """The score of outputs: accuracy, or R2."""
        raise NotImplementedError


def _score_of(
    score: Callable[..., float], targets: Array, weights: Array | None, _: Any, outputs: Any
) -> float:  # the training's targets have weights in them
    array = np.asarray(getattr(outputs, "data", outputs))
    return score(targets, array, weights) if np.isfinite(array).all() else np.nan


def _mean(values: Array, weights: Array | None) -> float:
    return float(values.mean() if weights is None else np.average(values, weights=weights))


class ClassNumbers(Targets):
    """Class numbers, for a network with a logit for each class."""

    def __init__(self, classes: int, loss: Loss | None, owner: str) -> None:
        own = None if loss is None else (loss, WeightedLoss(loss, has_labels=True, owner=owner))
        super().__init__(classes, own or (softmax_cross_entropy, softmax_cross_entropy), "softmax")
        self._is_own = loss is not None

    def with_weights(self, targets: Array, weights: Array, dtype: Any) -> Array:
        """Distributions over the classes, times the weights."""
        if self._is_own:
            return super().with_weights(targets, weights, dtype)
        return np.asarray(one_hot(targets, self.outputs, dtype) * weights[:, None].astype(dtype))

    def score_of(self, targets: Array, outputs: Array, weights: Array | None) -> float:
        """The accuracy."""
        return _mean(outputs.argmax(axis=1) == targets, weights)

    def decoded(self, outputs: Array) -> Array:
        """The probability of each class."""
        return np.asarray(softmax(outputs))


class YesOrNo(Targets):
    """Truth values, for a network with a logit for each: two classes, or several labels of which any number holds."""

    def __init__(self, outputs: int, loss: Loss | None, owner: str) -> None:
        own = None if loss is None else (loss, WeightedLoss(loss, has_labels=False, owner=owner))
        super().__init__(outputs, own or (binary_cross_entropy, weighted_binary_cross_entropy), "logistic")

    def score_of(self, targets: Array, outputs: Array, weights: Array | None) -> float:
        """The share of examples that have all labels right."""
        return _mean(((outputs > 0) == (targets > 0)).all(axis=1), weights)

    def decoded(self, outputs: Array) -> Array:
        """The probability of each label."""
        return np.asarray(sigmoid(outputs))


class Numbers(Targets):
    """Numbers, for a network with an output for each."""

    def __init__(self, outputs: int, loss: str | Loss, owner: str) -> None:
        losses: tuple[Loss, Loss]
        if callable(loss):
            losses, activation = (loss, WeightedLoss(loss, has_labels=False, owner=owner)), "identity"
        elif loss == "poisson":
            losses, activation = (poisson_loss, weighted_poisson_loss), "exp"
        else:
            losses, activation = (half_squared_error, weighted_quadratic_cost), "identity"
        super().__init__(outputs, losses, activation)

    def decoded(self, outputs: Array) -> Array:
        """The predicted numbers."""
        return np.asarray(np.exp(outputs)) if self.activation == "exp" else outputs

    def score_of(self, targets: Array, outputs: Array, weights: Array | None) -> float:
        """The coefficient of determination R2, averaged over the outputs."""
        errors = np.square(targets - self.decoded(outputs))
        spread = np.square(targets - np.average(targets, axis=0, weights=weights))
        share = np.ones(len(targets)) if weights is None else weights
        left, all_of_it = share @ errors, share @ spread
        explained = 1 - left / np.where(all_of_it == 0, 1, all_of_it)
        return float(np.where(all_of_it == 0, left == 0, explained).mean())
