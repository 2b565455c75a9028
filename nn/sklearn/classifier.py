"""`MLPClassifier`: the classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from ..layers.activations import log_softmax
from .base import BaseMLP, _is_stochastic
from .targets import ClassNumbers, Targets, YesOrNo

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A classifier."""

    def __init__(
        self,
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
        loss: Any = "log_loss",
        class_weight: Any = None,
        dropout: Any = 0.0,
        normalization: Any = None,
        callbacks: Any = (),
        dtype: Any = None,
        compile: Any = "auto",
    ) -> None:
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
        self.loss = loss
        self.class_weight = class_weight
        self.dropout = dropout
        self.normalization = normalization
        self.callbacks = callbacks
        self.dtype = dtype
        self.compile = compile

    # ---- classes ----

    def _make_targets(self, y: Array, classes: Any) -> Targets:
        owner = "MLPClassifier"
        if not callable(self.loss) and self.loss != "log_loss":
            raise ValueError(f"{owner}: loss must be 'log_loss' or a function of logits and targets, got {self.loss!r}")
        loss = self.loss if callable(self.loss) else None
        self._is_multilabel = self._kind(y) == "multilabel-indicator"
        if self._is_multilabel:
            self.classes_ = np.arange(y.shape[1])
            return YesOrNo(y.shape[1], loss, owner)
        self.classes_ = np.unique(self._labels(y) if classes is None else classes)
        if len(self.classes_) == 2 and loss is None:
            return YesOrNo(1, None, owner)
        return ClassNumbers(len(self.classes_), loss, owner)

    def _kind(self, y: Array) -> str:
        kind = str(type_of_target(y, input_name="y"))
        if kind.startswith("multiclass-multioutput"):
            raise ValueError(
                "MLPClassifier: y has several columns of classes; fit sklearn.multioutput.MultiOutputClassifier("
                "MLPClassifier()), or give truth values, one column for each label"
            )
        return kind

    def _labels(self, y: Array) -> Array:
        return np.asarray(column_or_1d(y, warn=True))

    def _encoded(self, y: Array) -> Array:
        if (self._kind(y) == "multilabel-indicator") != self._is_multilabel:
            was = "truth values of several labels" if self._is_multilabel else "classes"
            raise ValueError(f"MLPClassifier: y is of another kind than before, which was {was}")
        if self._is_multilabel:
            if y.shape[1] != len(self.classes_):
                raise ValueError(f"MLPClassifier: y has {y.shape[1]} labels, but before it had {len(self.classes_)}")
            return np.asarray(y, float)
        labels = self._labels(y)
        if unknown := sorted(set(np.unique(labels).tolist()) - set(self.classes_.tolist())):
            raise ValueError(
                f"MLPClassifier: y has classes that are not in classes_: {unknown[:5]}; classes_ is {self.classes_}"
            )
        numbers = np.searchsorted(self.classes_, labels)
        return numbers[:, None].astype(float) if isinstance(self._targets, YesOrNo) else numbers

    def _weights(self, y: Array, sample_weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return sample_weight
        weights = compute_sample_weight(self.class_weight, y)
        if not weights.any():
            raise ValueError("MLPClassifier: class_weight is zero for every class in y; give one a positive weight")
        return np.asarray(weights if sample_weight is None else weights * sample_weight)

    def _strata(self, y: Array) -> Array | None:
        return None if self._is_multilabel else self._labels(y)

    # ---- fitting, with classes ----

    @available_if(_is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch, from where the last call ended.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array_like, shape (n_classes,), optional
            All classes, of which `y` may lack some; needed in the first call.

        Returns
        -------
        self
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "MLPClassifier: class_weight='balanced' needs all examples, and partial_fit sees some; give a dict, as "
                "from sklearn.utils.class_weight.compute_class_weight('balanced', classes=classes, y=y)"
            )
        if not hasattr(self, "model_"):
            if classes is None and type_of_target(y) != "multilabel-indicator":
                raise ValueError("MLPClassifier: the first call of partial_fit needs classes, the array of all classes")
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"MLPClassifier: classes={classes} are not those of the first call of partial_fit, {self.classes_}"
            )
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    # ---- use ----

    def _logits(self, X: Any) -> Array:
        """A logit for each class; for two classes that of the first is 0."""
        outputs = self._outputs(X)
        if isinstance(self._targets, YesOrNo) and not self._is_multilabel:
            return np.column_stack([np.zeros_like(outputs), outputs])
        return outputs

    def predict(self, X: Any) -> Array:
        """The most probable class of each example; for labels, those with a probability above one half.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_labels)
        """
        logits = self._logits(X)
        if self._is_multilabel:
            return (logits > 0).astype(int)
        return np.asarray(self.classes_[logits.argmax(axis=1)])

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, in the order of `classes_`; for labels, of each label.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples, n_classes)
        """
        logits = self._logits(X)
        if self._is_multilabel:
            return self._targets.probabilities(logits)
        return ClassNumbers.probabilities(self._targets, logits)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of `predict_proba`, which is finite for small probabilities too.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples, n_classes)
        """
        logits = self._logits(X)
        return np.asarray(-np.logaddexp(0, -logits) if self._is_multilabel else log_softmax(logits))

    def decision_function(self, X: Any) -> Array:
        """The logits: what `predict_proba` is the softmax or the sigmoid of.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        ndarray, shape (n_samples,) for two classes, else (n_samples, n_classes)
        """
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 and not self._is_multilabel else logits

    def __sklearn_tags__(self) -> Any:
        """What the classifier takes, for scikit-learn."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
