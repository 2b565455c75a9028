"""`BaseMLP`: what the two estimators share: parameters, the course of a fit, and outputs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from ..layers.sequential import Sequential
from ..optimizers.base import Optimizer
from ..training.callbacks import LearningRate
from ..training.fit import fit
from ..training.history import History
from .batches import Batches, as_dense, outputs_of
from .following import Convergence, InverseScaling, Later
from .lbfgs import minimize_loss
from .network import build_network, dense_layers, hidden_sizes
from .parameters import check_parameters, make_optimizer, own_penalty
from .targets import Targets

Array = NDArray[Any]

FLOATS = (np.float64, np.float32)


def _is_stochastic(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only for solvers that take a step for each batch, and 'lbfgs' does not")
    return True


class BaseMLP(BaseEstimator):
    """What `MLPClassifier` and `MLPRegressor` share."""

    # ---- what a subclass defines ----

    def _make_targets(self, y: Array, classes: Any) -> Targets:
        """What `y` is, at the first fit; sets the attributes that describe it."""
        raise NotImplementedError

    def _encoded(self, y: Array) -> Array:
        """Targets for the network, from a `y` that is checked."""
        raise NotImplementedError

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        """The weights of the examples, those of their classes among them."""
        return sample_weight

    def _strata(self, y: Array) -> Array | None:
        """The classes by which validation examples are drawn."""
        return None

    # ---- fitting ----

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)
            The training examples.
        y : array_like, shape (n_samples,) or (n_samples, n_outputs)
            The targets.
        sample_weight : array_like, shape (n_samples,), optional
            The weight of each example in the loss.
        validation_data : tuple (X, y) or (X, y, sample_weight), optional
            Examples that are not trained on, for `validation_loss_curve_`, `validation_scores_` and early stopping,
            which then takes none of the training examples. They must be prepared as `X` is: a pipeline does not
            transform them.

        Returns
        -------
        self

        Notes
        -----
        Ctrl-C ends training after the step that runs, with a warning; the estimator is fitted, with early stopping
        to the best weights so far. A second one interrupts at once.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(_is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch, from where the last call ended.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        self
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation_data: Any = None,
        *,
        incremental: bool = False,
        classes: Any = None,
    ) -> Self:
        check_parameters(self)
        owner = type(self).__name__
        if incremental and self.early_stopping:
            raise ValueError(
                f"{owner}: partial_fit does not support early_stopping=True, since every call is one epoch; use fit"
            )
        first = not hasattr(self, "model_") or not (self.warm_start or incremental)
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=FLOATS, reset=first, **self._y_checks()
        )
        if first or not incremental:
            self._random_state = check_random_state(self.random_state)
        if first:
            dtype = X.dtype if self.dtype is None else np.dtype(self.dtype)
            targets = self._make_targets(y, classes)
            model = build_network(
                X.shape[1], hidden_sizes(self.hidden_layer_sizes, owner), targets.outputs, activation=self.activation,
                dropout=self.dropout, normalization=self.normalization, random_state=self._random_state, dtype=dtype,
                owner=owner,
            )  # fmt: skip
            self._begin(model, targets)
        else:
            self._check_sizes(hidden_sizes(self.hidden_layer_sizes, owner))
        dtype = dense_layers(self.model_)[0].weight.dtype
        X = X.astype(dtype, copy=False)
        encoded = self._encoded(y)
        weights = self._weights(y, checked_weights(sample_weight, X, owner))
        validation = None
        if validation_data is not None:
            validation = self._checked_validation(validation_data, dtype)
        elif self.early_stopping and self.solver != "lbfgs":
            X, encoded, weights, validation = self._split(X, encoded, weights, self._strata(y))
        scale = 1.0 if weights is None else float(weights.mean())
        target = encoded if weights is None else self._targets.with_weights(encoded, weights / scale, dtype)
        target = target.astype(dtype, copy=False) if target.dtype.kind == "f" else target
        if self.solver == "lbfgs":
            self._minimize(X, target, validation, weights is not None, scale)
        else:
            self._train(X, target, validation, weights is not None, scale, incremental)
        if not all(np.isfinite(parameter.data).all() for parameter in self.model_.parameters()):
            raise ValueError(
                f"{owner}: training gave weights that are not finite; standardise X, with "
                "sklearn.preprocessing.StandardScaler, or lower learning_rate_init"
            )
        return self

    def _y_checks(self) -> dict[str, Any]:
        return {}

    def _begin(self, model: Sequential, targets: Targets) -> None:
        self.model_, self._targets = model, targets
        self._optimizer: Optimizer | None = None
        self.n_outputs_, self.out_activation_ = targets.outputs, targets.activation
        self.n_layers_ = len(dense_layers(model)) + 1
        self.t_ = 0
        self._epochs = 0
        self.loss_curve_: list[float] = []
        self.validation_loss_curve_: list[float] = []
        self.validation_scores_: list[float] = []

    def _check_sizes(self, sizes: list[int]) -> None:
        """Refuse other hidden layers than those of the network that goes on."""
        own = [layer.out_features for layer in dense_layers(self.model_)[:-1]]
        if own != sizes:
            raise ValueError(
                f"{type(self).__name__}: hidden_layer_sizes is {sizes}, but the network that training goes on with has "
                f"{own}; set warm_start=False for a new one"
            )

    def _checked_validation(self, data: Any, dtype: Any) -> tuple[Any, Array, Array | None]:
        owner = type(self).__name__
        if not isinstance(data, tuple | list) or len(data) not in (2, 3):
            raise TypeError(f"{owner}: validation_data must be a tuple (X, y) or (X, y, sample_weight)")
        X, y = validate_data(
            self, data[0], data[1], accept_sparse="csr", multi_output=True, dtype=FLOATS, reset=False,
            **self._y_checks(),
        )  # fmt: skip
        X = X.astype(dtype, copy=False)
        weights = self._weights(y, checked_weights(data[2] if len(data) > 2 else None, X, owner))
        return X, self._encoded(y), weights

    def _split(self, X: Any, encoded: Array, weights: Array | None, strata: Array | None) -> Any:
        arrays = [X, encoded] if weights is None else [X, encoded, weights]
        if strata is not None:
            counts = np.unique(strata, return_counts=True)[1]
            if counts.min() < 2 or min(self.validation_fraction, 1 - self.validation_fraction) * len(strata) < len(
                counts
            ):
                strata = None  # proportions cannot be kept with so few examples
        parts = train_test_split(
            *arrays, random_state=self._random_state, test_size=self.validation_fraction, stratify=strata
        )
        if weights is not None and not (parts[-1].any() and parts[-2].any()):
            raise ValueError(
                f"{type(self).__name__}: sample_weight is zero for all examples on one side of the split for early "
                "stopping; leave out examples without weight, or give validation_data"
            )
        validation = tuple(parts[1::2])
        if validation[0].shape[0] < 2:
            raise ValueError(
                f"{type(self).__name__}: the validation set has {validation[0].shape[0]} examples, which are too few; "
                "increase validation_fraction, or give more data"
            )
        kept = parts[::2]
        none = () if weights is not None else (None,)
        return (*kept, *none, (*validation, *none))

    def _train(
        self, X: Any, target: Array, validation: Any, is_weighted: bool, scale: float, incremental: bool
    ) -> None:
        """Train by `nn.fit`; `scale` is the mean of the weights, which targets have no more."""
        owner = type(self).__name__
        count = X.shape[0]
        size = self._batch_size(count)
        decay = self.alpha / size / scale
        of_groups = 0.0 if callable(self.solver) or self.solver == "adamw" else decay
        if self._optimizer is None or not incremental:
            self._optimizer = make_optimizer(self, self.model_, decay)
            self._rates = [group["lr"] for group in self._optimizer.groups]
            monitor = {"loss": "val_loss", True: "val_score", False: "loss"}[self.early_stopping]
            self._convergence = Convergence(
                monitor, self.tol, self.n_iter_no_change, bool(self.early_stopping), self.learning_rate == "adaptive",
                of_groups,
            )  # fmt: skip
        elif of_groups:  # which changes with the size of the batches
            self._optimizer.groups[0]["weight_decay"] = self._convergence.decay = of_groups
        schedule = InverseScaling(count, self.power_t) if self.learning_rate == "invscaling" else self.learning_rate
        callbacks: list[Any] = [self._convergence, *self.callbacks]
        if callable(schedule):
            for group, rate in zip(self._optimizer.groups, self._rates, strict=True):
                group["lr"] = rate
            callbacks.insert(0, LearningRate(Later(schedule, self._epochs if incremental else 0)))
        batches = Batches(
            X, target, batch_size=size, random_state=self._random_state if self.shuffle else None,
            drop_last=count > size and count % size == 1 and _needs_two(self.model_),
        )  # fmt: skip
        held, metrics = self._held_out(validation, is_weighted)
        history = fit(
            self.model_, self._targets.loss(is_weighted), self._optimizer, batches, held,
            epochs=1 if incremental else self.max_iter, validation_metrics=metrics, callbacks=callbacks,
            penalty=own_penalty(self, decay), progress=bool(self.verbose),
            compile=False if incremental else self.compile,
        )  # fmt: skip
        self._remember(history, self._convergence.objectives, count)
        if history.stopped and "the loss is" in history.stopped:
            raise ValueError(
                f"{owner}: {history.stopped}; standardise X, with sklearn.preprocessing.StandardScaler, or lower "
                "learning_rate_init"
            )
        if history.interrupted:
            warnings.warn(
                f"{owner}: Ctrl-C ended training after {len(history)} epochs; the estimator keeps what it has learnt",
                UserWarning,
                stacklevel=4,
            )
        elif not incremental and history.stopped is None:
            self._warn_of_limit(f"max_iter={self.max_iter} epochs")

    def _warn_of_limit(self, limit: str) -> None:
        warnings.warn(
            f"{type(self).__name__}: training ended after {limit}, before it converged; increase the limit, or ignore "
            "this if the scores are good",
            ConvergenceWarning,
            stacklevel=5,
        )

    def _batch_size(self, count: int) -> int:
        if self.batch_size == "auto":
            return min(200, count)
        if self.batch_size > count:
            warnings.warn(
                f"{type(self).__name__}: batch_size={self.batch_size} is more than the {count} examples, so a batch is "
                "all of them",
                UserWarning,
                stacklevel=5,
            )
        return int(min(self.batch_size, count))

    def _held_out(self, validation: Any, is_weighted: bool) -> tuple[Any, dict[str, Any]]:
        """Validation data and metrics for `fit`."""
        if validation is None:
            return None, {}
        X, encoded, weights = validation
        dtype = dense_layers(self.model_)[0].weight.dtype
        target = encoded
        if is_weighted:
            even = np.ones(len(encoded)) if weights is None else weights / weights.mean()
            target = self._targets.with_weights(encoded, even, dtype)
        return (as_dense(X), target), {"score": self._targets.score(encoded, weights)}

    def _remember(self, history: History, losses: list[float], count: int) -> None:
        """Set the attributes that say how training went."""
        history.steps.clear()  # of many steps they would be most of a pickle
        self.model_.zero_grad()
        self.history_ = history
        figures = history.epochs
        self.n_iter_ = len(history)
        self._epochs += len(history)
        self.t_ += count * len(history)
        self.loss_curve_ += losses
        self.validation_loss_curve_ += figures.get("val_loss", [])
        self.validation_scores_ += figures.get("val_score", [])
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else math.nan
        self.best_loss_ = min(self.loss_curve_, default=math.nan)
        self.best_validation_score_ = max(self.validation_scores_, default=None)

    def _minimize(self, X: Any, target: Array, validation: Any, is_weighted: bool, scale: float) -> None:
        history = History()
        held, metrics = self._held_out(validation, is_weighted)
        loss = self._targets.loss(is_weighted)

        def after_iteration(value: float) -> None:
            figures: dict[str, float] = {"epoch": len(history) + 1, "loss": value}
            if held is not None:
                outputs = outputs_of(self.model_, held[0])
                figures |= {"val_loss": float(loss(outputs, held[1])), "val_score": metrics["score"](None, outputs)}
            history.add_epoch(figures)

        result = minimize_loss(
            self.model_.eval(), loss, as_dense(X), target, weight_decay=self.alpha / len(target) / scale,
            max_iter=self.max_iter, max_fun=self.max_fun, tol=self.tol, after_iteration=after_iteration,
        )  # fmt: skip
        self._remember(history, history.epochs.get("loss", []), len(target))
        self.n_iter_ = max(int(result.nit), 1)
        self.loss_ = float(result.fun)
        if result.status == 1:
            self._warn_of_limit(f"max_iter={self.max_iter} iterations or max_fun={self.max_fun} evaluations")

    # ---- use ----

    def _outputs(self, X: Any) -> Array:
        """The network's outputs for examples."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=FLOATS, reset=False)
        return outputs_of(self.model_, X.astype(dense_layers(self.model_)[0].weight.dtype, copy=False))

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each dense layer, of shape (inputs, outputs)."""
        return [layer.weight.data for layer in dense_layers(self._fitted_model("coefs_"))]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each dense layer."""
        layers = dense_layers(self._fitted_model("intercepts_"))
        return [layer.bias.data for layer in layers if layer.bias is not None]

    def _fitted_model(self, name: str) -> Sequential:
        if not hasattr(self, "model_"):
            raise AttributeError(f"this {type(self).__name__} has no {name} before it is fitted; call fit first")
        return self.model_

    def __sklearn_tags__(self) -> Any:
        """What the estimator takes, for scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _needs_two(model: Iterable[Any]) -> bool:
    """Whether a batch must have two examples, as `BatchNorm` needs them."""
    return any(type(layer).__name__ == "BatchNorm" for layer in model)


def checked_weights(given: Any, X: Any, owner: str) -> Array | None:
    """Weights of examples, as an array of one number of at least 0 for each."""
    if given is None:
        return None
    count = X.shape[0]
    weights = np.full(count, given) if isinstance(given, Real) else given
    weights = check_array(weights, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weights.ndim != 1:
        raise ValueError(
            f"{owner}: sample_weight has shape {weights.shape}; expected ({count},), a number each example"
        )
    check_consistent_length(X, weights)
    if (weights < 0).any():
        raise ValueError(f"{owner}: sample_weight must be at least 0, but sample_weight.min() is {weights.min()}")
    if not weights.any():
        raise ValueError(f"{owner}: all of sample_weight is zero, so there is nothing to learn; give positive weights")
    return np.asarray(weights)
