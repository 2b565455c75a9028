"""`MLPRegressor`: the regressor."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from .base import BaseMLP
from .targets import Numbers, Targets

Array = NDArray[Any]


class MLPRegressor(RegressorMixin, BaseMLP):
    """A multilayer perceptron that predicts numbers, with the parameters of scikit-learn's `MLPRegressor` and more.

    Targets can have several columns. They are taken as they are: give those with large numbers to
    `sklearn.compose.TransformedTargetRegressor` with a scaler.

    Parameters
    ----------
    loss : {"squared_error", "poisson"} or callable, default "squared_error"
        Half of the squared error; or half of the Poisson deviance for counts, with the exponential of the network's
        output as the prediction; or a function of outputs and targets, both of shape (examples, outputs), such as
        ``nn.mean_squared_error``. If examples have weights, it must take ``reduction="none"``.
    hidden_layer_sizes, activation, solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter
        As in `MLPClassifier`.
    shuffle, random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction
        As in `MLPClassifier`; the score is R2.
    beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dropout, normalization, callbacks, dtype, compile
        As in `MLPClassifier`.

    Attributes
    ----------
    model_, history_, coefs_, intercepts_, n_iter_, loss_, best_loss_, loss_curve_, validation_loss_curve_
        As in `MLPClassifier`.
    validation_scores_ : list of float
        R2 of the validation examples after each epoch.
    best_validation_score_, n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_, t_
        As in `MLPClassifier`.

    Raises
    ------
    TypeError, ValueError
        As in `MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> y = np.abs(X[:, 0])
    >>> regressor = MLPRegressor(hidden_layer_sizes=(32,), learning_rate_init=0.01, max_iter=100, random_state=0)
    >>> regressor.fit(X, y).score(X, y) > 0.98
    True
    >>> regressor.predict([[-0.5], [0.5]]).round(1)
    array([0.5, 0.5])
    """

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
        predictions = self._targets.decoded(outputs)
        return predictions[:, 0] if self._is_column else predictions

    def __sklearn_tags__(self) -> Any:
        """What the regressor takes, for scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
