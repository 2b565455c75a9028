"""Metrics: how well predictions fit labels. Names, arguments and conventions are scikit-learn's.

All take the true labels first, and plain arrays or tensors; no gradient is recorded. In place of predicted labels, you
can pass scores of shape (examples, classes); the predicted label is then the class with the largest score. A single
score for each example is to be compared first, a logit with 0 and a probability with 0.5; `fit` compares the logits of
`sigmoid_cross_entropy` by itself.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograd_lite import Tensor
from autograd_lite.extend import on_demand

from . import habits
from .arguments import as_array, positive_int

Array = NDArray[Any]
Average = Literal["binary", "macro", "micro", "weighted"]


def accuracy(y_true: ArrayLike, y_pred: Any) -> float:
    """The share of examples that are predicted correctly.

    Parameters
    ----------
    y_true : array_like, shape (examples,)
        The true labels, numbers or strings.
    y_pred : array_like, shape (examples,) or (examples, classes)
        The predicted labels, or a score for each class.

    Raises
    ------
    ValueError
        If the lengths differ, or there are no examples.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    >>> accuracy([0, 1], [[2.0, -1.0], [0.5, 0.7]])
    1.0
    """
    true, predicted = _labels("accuracy", y_true, y_pred)
    return float(np.mean(true == predicted))


def top_k_accuracy(y_true: ArrayLike, y_score: Any, k: int = 2) -> float:
    """The share of examples whose class is among the `k` with the largest scores.

    Parameters
    ----------
    y_true : array_like of int, shape (examples,)
        The true classes, 0 to classes - 1.
    y_score : array_like, shape (examples, classes)
        The scores; for equal scores, classes with larger numbers come first, as in scikit-learn.
    k : int, default 2
        The number of classes that count as predicted.

    Raises
    ------
    ValueError
        If shapes do not fit, or a class is out of range.

    Examples
    --------
    >>> top_k_accuracy([0, 1, 2], [[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [0.6, 0.3, 0.1]], k=2)
    0.6666666666666666
    """
    k = positive_int(k, "top_k_accuracy: k")
    true, scores = _classes_and_scores("top_k_accuracy", y_true, y_score)
    best = np.argsort(scores, axis=1, kind="stable")[:, ::-1][:, :k]
    return float(np.mean((best == true[:, None]).any(axis=1)))


def confusion_matrix(y_true: ArrayLike, y_pred: Any, labels: ArrayLike | None = None) -> NDArray[np.int64]:
    """How often each label was predicted as each other: a row for each true label, a column for each predicted one.

    Parameters
    ----------
    y_true, y_pred : array_like
        As in `accuracy`.
    labels : array_like, optional
        The labels of rows and columns, in their order; examples with another label do not count. By default all labels
        that occur, sorted.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    true, predicted = _labels("confusion_matrix", y_true, y_pred)
    names = np.unique(np.concatenate([true, predicted])) if labels is None else as_array(labels, "labels").ravel()
    order = np.argsort(names, kind="stable")
    counts = np.zeros((len(names), len(names)), np.int64)
    places = []
    for given in (true, predicted):
        place = np.minimum(np.searchsorted(names, given, sorter=order), len(names) - 1)
        places.append((order[place], names[order[place]] == given))
    (rows, known_rows), (columns, known_columns) = places
    known = known_rows & known_columns
    np.add.at(counts, (rows[known], columns[known]), 1)
    return counts


class PrecisionRecall(NamedTuple):
    """Precision, recall and their harmonic mean, for each label or averaged.

    Attributes
    ----------
    precision : float or ndarray
        The share of the examples predicted as a label that have the label.
    recall : float or ndarray
        The share of the examples with a label that are predicted as it.
    f1 : float or ndarray
        ``2 precision recall / (precision + recall)``.
    support : int or ndarray
        The number of examples that have the label.
    """

    precision: Any
    recall: Any
    f1: Any
    support: Any


def precision_recall(
    y_true: ArrayLike, y_pred: Any, average: Average | None = "binary", pos_label: Any = 1
) -> PrecisionRecall:
    """Precision, recall and F1 score; a quotient is 0 if its denominator is 0.

    Parameters
    ----------
    y_true, y_pred : array_like
        As in `accuracy`.
    average : {"binary", "macro", "micro", "weighted"} or None, default "binary"
        "binary": for the label `pos_label` of two labels; None: an array with the values of all labels, sorted;
        "macro": the mean over labels; "weighted": the mean weighted by the support; "micro": from the total counts.
    pos_label : default 1
        The label for "binary".

    Raises
    ------
    ValueError
        If the average is unknown, or "binary" although there are more than two labels.

    Examples
    --------
    >>> precision_recall([0, 1, 1, 1], [0, 1, 0, 1])
    PrecisionRecall(precision=1.0, recall=0.6666666666666666, f1=0.8, support=3)
    """
    true, predicted = _labels("precision_recall", y_true, y_pred)
    names = np.unique(np.concatenate([true, predicted]))
    counts = confusion_matrix(true, predicted, names)
    hits, predicted_as, support = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    if average == "binary":
        if len(names) > 2:
            raise ValueError(
                f"precision_recall: average='binary' is for two labels, but {len(names)} occur; choose 'macro', "
                "'micro', 'weighted', or None for each label's own"
            )
        if len(names) == 2 and pos_label not in names:
            raise ValueError(
                f"precision_recall: pos_label={pos_label!r} does not occur; the labels are {names.tolist()}"
            )
        chosen = names == pos_label
        hits, predicted_as, support = (counts[chosen].sum() for counts in (hits, predicted_as, support))
    elif average == "micro":
        hits, predicted_as, support = hits.sum(), predicted_as.sum(), support.sum()
    elif average not in (None, "macro", "weighted"):
        raise ValueError(
            f"precision_recall: average={average!r} is unknown; expected 'binary', 'macro', 'micro', 'weighted' or None"
        )
    precision, recall = _ratio(hits, predicted_as), _ratio(hits, support)
    # 2 hits / (predicted + true) is the harmonic mean, but without a division by zero if both are 0.
    f1 = _ratio(2 * hits, predicted_as + support)
    if average in ("macro", "weighted"):
        weights = support if average == "weighted" else None
        means = [float(np.average(each, weights=weights)) for each in (precision, recall, f1)]
        return PrecisionRecall(means[0], means[1], means[2], int(support.sum()))
    if average is None:
        return PrecisionRecall(precision, recall, f1, support)
    return PrecisionRecall(float(precision), float(recall), float(f1), int(support))


def precision(y_true: ArrayLike, y_pred: Any, average: Average | None = "binary", pos_label: Any = 1) -> Any:
    """The precision, as in `precision_recall`.

    Examples
    --------
    >>> precision([0, 1, 1, 0], [0, 1, 1, 1])
    0.6666666666666666
    """
    return precision_recall(y_true, y_pred, average, pos_label).precision


def recall(y_true: ArrayLike, y_pred: Any, average: Average | None = "binary", pos_label: Any = 1) -> Any:
    """The recall, as in `precision_recall`.

    Examples
    --------
    >>> recall([0, 1, 1, 0], [0, 1, 0, 1])
    0.5
    """
    return precision_recall(y_true, y_pred, average, pos_label).recall


def f1_score(y_true: ArrayLike, y_pred: Any, average: Average | None = "binary", pos_label: Any = 1) -> Any:
    """The F1 score, as in `precision_recall`.

    Examples
    --------
    >>> f1_score([0, 1, 1, 0], [0, 1, 0, 1])
    0.5
    """
    return precision_recall(y_true, y_pred, average, pos_label).f1


def roc_auc(y_true: ArrayLike, y_score: Any) -> float:
    """The area under the ROC curve: how often an example with the larger label has the larger score.

    For several classes it is the mean over the classes, each against all others (scikit-learn's ``multi_class="ovr"``
    with the macro average). Equal scores count half (Hanley and McNeil 1982).

    Parameters
    ----------
    y_true : array_like, shape (examples,)
        Two labels; or, with a score for each class, classes from 0 on.
    y_score : array_like, shape (examples,) or (examples, classes)
        The scores; for two labels the score of the larger label, or two columns, of which the second is used.

    Raises
    ------
    ValueError
        If only one label occurs, or a class has no example.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    scores = _plain(y_score, "roc_auc: y_score")
    if scores.ndim == 1:
        true, _ = _equally_long("roc_auc", y_true, scores)
        names = np.unique(true)
        if len(names) != 2:
            raise ValueError(
                f"roc_auc: scores of shape {scores.shape} are for two labels, but {len(names)} occur: "
                f"{names.tolist()[:5]}"
            )
        return _area(true == names[1], scores)
    true, scores = _classes_and_scores("roc_auc", y_true, scores)
    counts = np.bincount(true, minlength=scores.shape[1])
    if not counts.all():
        raise ValueError(f"roc_auc: no example has the class {int(np.argmin(counts))}, so its area is undefined")
    if scores.shape[1] == 2:
        return _area(true == 1, scores[:, 1])
    return float(np.mean([_area(true == k, scores[:, k]) for k in range(scores.shape[1])]))


def log_loss(y_true: ArrayLike, y_prob: Any) -> float:
    """The mean of ``-log p`` of the true class; probabilities are clipped from below, as in scikit-learn.

    Parameters
    ----------
    y_true : array_like of int, shape (examples,)
        The true classes, from 0 on.
    y_prob : array_like, shape (examples,) or (examples, classes)
        The probability of class 1, or of every class; rows add up to 1.

    Raises
    ------
    ValueError
        If a probability is outside of [0, 1], or rows do not add up to 1.

    Examples
    --------
    >>> log_loss([0, 1], [[0.5, 0.5], [0.25, 0.75]])
    0.4904146265058631
    """
    probabilities = _plain(y_prob, "log_loss: y_prob")
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], axis=1)
    true, probabilities = _classes_and_scores("log_loss", y_true, probabilities)
    eps = float(np.finfo(probabilities.dtype if probabilities.dtype.kind == "f" else np.float64).eps)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("log_loss: probabilities must be between 0 and 1; take nn.softmax or nn.sigmoid of logits")
    sums = probabilities.sum(axis=1)
    if not np.allclose(sums, 1, atol=np.sqrt(eps)):
        worst = int(np.argmax(np.abs(sums - 1)))
        raise ValueError(f"log_loss: the probabilities of example {worst} add up to {sums[worst]:.6g} instead of 1")
    picked = probabilities[np.arange(len(true)), true].astype(np.float64)
    return float(-np.mean(np.log(np.clip(picked, eps, 1 - eps))))


# ---- within ----


def _area(positive: Array, scores: Array) -> float:
    """The Mann-Whitney statistic, from ranks; equal scores get their mean rank."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n = int(positive.sum())
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def _ratio(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) != 0)


def _plain(values: Any, name: str) -> Array:
    return as_array(values.data if isinstance(values, Tensor) else values, name)


def _equally_long(metric: str, y_true: Any, predictions: Array) -> tuple[Array, Array]:
    true = _plain(y_true, f"{metric}: y_true")
    if true.shape == (len(predictions), 1) and predictions.shape[1:] in ((), (1,)):
        true = true[:, 0]
    if true.ndim != 1:
        raise ValueError(f"{metric}: y_true has shape {true.shape}; expected a label for each example")
    if not predictions.ndim or len(true) != len(predictions):
        raise ValueError(f"{metric}: {len(true)} labels, but predictions of shape {predictions.shape}")
    if not len(true):
        raise ValueError(f"{metric}: there are no examples")
    return true, predictions


def _labels(metric: str, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    """True and predicted labels; for scores, the class with the largest score."""
    true, predicted = _equally_long(metric, y_true, _plain(y_pred, f"{metric}: y_pred"))
    if predicted.ndim == 2 and predicted.shape[1] > 1:
        return true, np.argmax(predicted, axis=1)
    if predicted.shape[1:] == (1,) and predicted.dtype.kind in "iub":
        predicted = predicted[:, 0]
    if predicted.ndim != 1:
        raise ValueError(
            f"{metric}: y_pred has shape {predicted.shape}; expected ({len(true)},) labels, or ({len(true)}, classes) "
            "scores with two classes or more; write logits > 0, or probabilities > 0.5, for one score each"
        )
    if predicted.dtype.kind == "f" and true.dtype.kind in "iub" and (predicted != np.round(predicted)).any():
        raise ValueError(
            f"{metric}: y_pred holds {predicted.dtype} numbers that are not labels; compare scores with a threshold "
            "first, as in logits > 0 or probabilities > 0.5"
        )
    return true, predicted


def _classes_and_scores(metric: str, y_true: Any, y_score: Any) -> tuple[NDArray[np.int64], Array]:
    true, scores = _equally_long(metric, y_true, _plain(y_score, f"{metric}: y_score"))
    if scores.ndim != 2:
        raise ValueError(f"{metric}: scores have shape {scores.shape}; expected ({len(true)}, classes)")
    if true.dtype.kind not in "iub":
        raise ValueError(f"{metric}: y_true holds {true.dtype}; expected classes, 0 to {scores.shape[1] - 1}")
    true = true.astype(np.int64)
    outside = (true < 0) | (true >= scores.shape[1])
    if outside.any():
        raise ValueError(f"{metric}: y_true has the class {true[outside][0]}; expected 0 to {scores.shape[1] - 1}")
    return true, scores


OF_LABELS = (accuracy, confusion_matrix, precision_recall, precision, recall, f1_score)
"""Metrics that compare labels, and know nothing of scores."""

__getattr__, __dir__ = on_demand(__name__, {}, answers=habits.METRICS)
