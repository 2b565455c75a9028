"""`MLPClassifier`: the classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import column_or_1d

from ..layers.activations import log_softmax, softmax
from .base import BaseMLP, _is_stochastic
from .targets import ClassNumbers, Targets, YesOrNo

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, BaseMLP):
    """A multilayer perceptron that classifies, with the parameters of scikit-learn's `MLPClassifier` and more.

    With the same `random_state`, weights and the order of examples are drawn as there, so that results agree to
    rounding where both can do the same. Training is `nn.fit`.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        The numbers of units of the hidden layers; with ``()`` the classifier is logistic regression.
    activation : str, callable, Module or sequence of these, default "relu"
        The activation of the hidden layers, or a sequence with one for each: "identity", "logistic" or a name from
        `nn.activations.ACTIVATIONS`, such as "tanh" and "gelu"; or a function of arrays; or a module.
    solver : {"adam", "sgd", "adamw", "rmsprop", "adagrad", "lbfgs"} or callable, default "adam"
        The optimizer; or a function from parameters to an `nn.Optimizer`, such as ``partial(nn.SGD, lr=0.1)``, with its
        own options. "lbfgs" is SciPy's L-BFGS-B on all examples at once.
    alpha : float, default 1e-4
        The L2 penalty: ``alpha / 2 sum w^2``, divided by the number of examples in a batch, is added to the loss. For
        "adamw", its weight decay.
    batch_size : int or "auto", default "auto"
        The number of examples in a minibatch; "auto" is 200, or all if there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"} or callable, default "constant"
        How the rate changes, with every solver but "lbfgs": "invscaling" divides it by ``t^power_t`` after `t`
        examples; "adaptive" by 5 each time that training would have ended, until it is 1e-6; a function, such as
        ``nn.schedules.CosineDecay(200)``, gives the factor for each epoch, from 0.
    learning_rate_init : float, default 1e-3
        The initial learning rate.
    power_t : float, default 0.5
        The power of "invscaling".
    max_iter : int, default 200
        The most epochs; for "lbfgs", iterations.
    shuffle : bool, default True
        Whether the order of the examples is drawn anew in each epoch.
    random_state : int, RandomState or None, default None
        What draws weights, orders, validation examples and dropout. An integer gives the same results in each call.
    tol : float, default 1e-4
        Training ends when the loss has not fallen, or with early stopping the score has not risen, by `tol` for more
        than `n_iter_no_change` epochs in a row. For "lbfgs", the largest entry of the gradient at the end.
    verbose : bool, default False
        Whether the progress is shown.
    warm_start : bool, default False
        Whether `fit` goes on with the weights of the last one.
    momentum : float, default 0.9
        That of "sgd", below 1.
    nesterovs_momentum : bool, default True
        Whether it is Nesterov's.
    early_stopping : bool or "loss", default False
        Whether a share of the examples is kept for validation, and training ends when their score, or with "loss"
        their loss, does not improve. The weights of the best epoch are restored. "lbfgs" takes no notice of it.
    validation_fraction : float, default 0.1
        That share; it has the classes in the proportions of `y`. None is taken if `fit` is given `validation_data`.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        Those of "adam" and "adamw".
    n_iter_no_change : int or inf, default 10
        See `tol`.
    max_fun : int, default 15000
        The most evaluations of the loss by "lbfgs".
    loss : "log_loss" or callable, default "log_loss"
        The cross-entropy; or a function of logits, of shape (examples, classes), and class numbers, such as
        ``partial(nn.softmax_cross_entropy, label_smoothing=0.1)``. With labels of which any number holds, logits and
        targets have a column for each. If examples have weights, it must take ``reduction="none"``.
    class_weight : dict, "balanced" or None, default None
        A factor for the loss of each class's examples; "balanced" gives all classes the same total.
    dropout : float or sequence of float, default 0
        The share of each hidden layer's units that is set to zero in a step.
    normalization : {"batch", "layer"} or None, or a sequence of these, default None
        The normalisation of each hidden layer, before its activation.
    callbacks : sequence of nn.Callback, default ()
        Callbacks for `nn.fit`, such as ``[nn.ClipGradientNorm(1.0)]``.
    dtype : {"float32", "float64"} or None, default None
        The dtype of the weights and of all arithmetic; None is that of `X`, float64 for integers.
    compile : bool or "auto", default "auto"
        Whether steps are compiled, as in `nn.fit`.

    Attributes
    ----------
    classes_ : ndarray
        The classes, sorted; for labels of which any number holds, their columns.
    model_ : Sequential
        The network, for all that `nn` does with one: ``nn.save_weights(classifier.model_, path)``.
    history_ : History
        The figures of the last fit by epoch, which print and plot; its losses are without the penalty.
    coefs_, intercepts_ : list of ndarray
        The weights, of shape (inputs, outputs), and biases of the dense layers.
    n_iter_ : int
        The number of epochs of the last fit; for "lbfgs", iterations.
    loss_, best_loss_ : float
        The last and the smallest loss, with the penalty.
    loss_curve_ : list of float
        That loss for each epoch, of all fits since the weights were drawn.
    validation_loss_curve_, validation_scores_ : list of float
        The loss and the accuracy of the validation examples after each epoch; empty if there were none.
    best_validation_score_ : float or None
        The best of these scores.
    n_features_in_, feature_names_in_, n_layers_, n_outputs_, out_activation_, t_
        As in scikit-learn.

    Raises
    ------
    TypeError, ValueError
        In a fit, if a parameter, `X` or `y` is wrong, or training gives numbers that are not finite.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> classifier = MLPClassifier((16,), learning_rate_init=0.02, early_stopping=True, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), classifier).fit(X_train, y_train)
    >>> pipeline.score(X_test, y_test) > 0.93
    True
    >>> pipeline.predict_proba(X_test).shape
    (143, 2)
    """

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
        if kind not in ("binary", "multiclass", "multilabel-indicator"):
            raise ValueError(
                f"MLPClassifier: Unknown label type: y is {kind!r}, and classes are whole numbers, truth values or "
                "texts; for numbers to be predicted take MLPRegressor"
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
        return np.asarray(self._targets.decoded(logits) if self._is_multilabel else softmax(logits))

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
