"""`MLPRegressor`: the regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from .base import BaseMLP
from .targets import Numbers, Targets

Array = NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):
    """A regressor."""

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: Any = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        normalization: Any = None,
        callbacks: Any = (),
        dtype: Any = None,
        compile: Any = "auto",
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.normalization = normalization
        self.callbacks = callbacks
        self.dtype = dtype
        self.compile = compile

    def _make_targets(self, y: Array, classes: Any) -> Targets:
        if not callable(self.loss) and self.loss not in ("squared_error", "poisson"):
            raise ValueError(
                "MLPRegressor: loss must be 'squared_error', 'poisson' or a function of outputs and targets, got "
                f"{self.loss!r}"
            )
        self._is_column = y.ndim == 1
        return Numbers(1 if y.ndim == 1 else y.shape[1], self.loss, "MLPRegressor")

    def _encoded(self, y: Array) -> Array:
        columns = y[:, None] if y.ndim == 1 else y
        if columns.shape[1] != self.n_outputs_:
            raise ValueError(
                f"MLPRegressor: y has {columns.shape[1]} columns, but the network has {self.n_outputs_} outputs"
            )
        if self.out_activation_ == "exp" and (columns < 0).any():
            raise ValueError(f"MLPRegressor: loss='poisson' needs y of at least 0, but y.min() is {columns.min()}")
        return columns

    def _y_checks(self) -> dict[str, Any]:
        return {"y_numeric": True}

    def predict(self, X: Any) -> Array:
        """The predicted numbers.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_outputs)
        """
        outputs = self._outputs(X)
        predictions = self._targets.predictions(outputs)
        return predictions[:, 0] if self._is_column else predictions

    def __sklearn_tags__(self) -> Any:
        """What the regressor takes, for scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
