"""Metrics, held against scikit-learn's."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor
from nn import metrics

labels = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=60)
)


def split(pairs):
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


@given(labels)
def test_accuracy_and_confusion_matrix_are_scikit_learns(pairs):
    true, predicted = split(pairs)
    assert metrics.accuracy(true, predicted) == pytest.approx(sklearn.metrics.accuracy_score(true, predicted))
    if len(set(true) | set(predicted)) > 1:
        np.testing.assert_array_equal(
            metrics.confusion_matrix(true, predicted), sklearn.metrics.confusion_matrix(true, predicted)
        )


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
@given(labels)
def test_precision_recall_and_f1_are_scikit_learns(average, pairs):
    true, predicted = split(pairs)
    p, r, f, support = sklearn.metrics.precision_recall_fscore_support(
        true, predicted, average=average, zero_division=0
    )
    found = metrics.precision_recall(true, predicted, average)
    np.testing.assert_allclose(found[:3], (p, r, f), rtol=1e-12, atol=1e-15)
    if average is None:
        np.testing.assert_array_equal(found.support, support)
    assert metrics.precision(true, predicted, average) == pytest.approx(p)
    assert metrics.recall(true, predicted, average) == pytest.approx(r)
    assert metrics.f1_score(true, predicted, average) == pytest.approx(f)


@given(st.lists(st.tuples(st.sampled_from("BM"), st.sampled_from("BM")), min_size=2, max_size=40))
def test_binary_figures_are_those_of_the_positive_label(pairs):
    true, predicted = split(pairs)
    if len({*true, *predicted}) < 2:
        return
    expected = sklearn.metrics.precision_recall_fscore_support(
        true, predicted, average="binary", pos_label="M", zero_division=0
    )
    np.testing.assert_allclose(metrics.precision_recall(true, predicted, pos_label="M")[:3], expected[:3], rtol=1e-12)


def test_the_labels_of_a_confusion_matrix_can_be_chosen():
    true, predicted = np.array(list("abcab")), np.array(list("acbab"))
    for names in (["c", "a", "b"], ["a", "b"], ["b", "z", "a"]):
        np.testing.assert_array_equal(
            metrics.confusion_matrix(true, predicted, names),
            sklearn.metrics.confusion_matrix(true, predicted, labels=names),
        )


@given(st.integers(0, 2**32 - 1), st.integers(3, 6))
def test_scores_of_several_classes_are_measured_as_scikit_learn_does(seed, classes):
    rng = np.random.default_rng(seed)
    true = np.concatenate([np.arange(classes), rng.integers(0, classes, 30)])
    scores = rng.dirichlet(np.ones(classes), len(true))
    assert metrics.accuracy(true, scores) == np.mean(true == scores.argmax(axis=1))
    for k in range(1, classes):
        assert metrics.top_k_accuracy(true, scores, k) == pytest.approx(
            sklearn.metrics.top_k_accuracy_score(true, scores, k=k)
        )
    assert metrics.roc_auc(true, scores) == pytest.approx(
        sklearn.metrics.roc_auc_score(true, scores, multi_class="ovr"), rel=1e-12
    )
    assert metrics.log_loss(true, scores) == pytest.approx(sklearn.metrics.log_loss(true, scores), rel=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=60))
def test_the_area_under_the_roc_curve_is_scikit_learns_with_equal_scores_too(pairs):
    true, scores = split(pairs)
    if true.all() or not true.any():
        return
    expected = sklearn.metrics.roc_auc_score(true, scores)
    assert metrics.roc_auc(true, scores) == pytest.approx(expected, abs=1e-12)
    both = np.stack([-scores, scores], axis=1)
    assert metrics.roc_auc(true.astype(int), both) == pytest.approx(expected, abs=1e-12)


def test_the_log_loss_of_certain_mistakes_is_clipped_as_scikit_learn_does():
    for dtype in (np.float32, np.float64):
        p = np.array([0.0, 1.0, 0.5], dtype)
        expected = sklearn.metrics.log_loss([1, 0, 1], p)
        assert metrics.log_loss([1, 0, 1], p) == pytest.approx(expected, rel=1e-6)


def test_tensors_are_measured_as_their_numbers():
    logits = nn.MLP([3, 4], rng=0)(np.ones((2, 3), np.float32))
    assert metrics.accuracy([0, 1], logits) == metrics.accuracy([0, 1], logits.data)
    assert metrics.log_loss([0], Tensor([[0.25, 0.75]])) == pytest.approx(np.log(4))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.accuracy([0, 1], [0]), r"2 labels, but predictions of shape \(1,\)"),
        (lambda: metrics.accuracy([], []), "there are no examples"),
        (lambda: metrics.accuracy([0, 1], [0.2, 0.7]), "compare scores with a threshold"),
        (lambda: metrics.accuracy([[0, 1]], [0]), "expected a label for each example"),
        (lambda: metrics.accuracy([0, 1], [[0.2], [0.7]]), "write logits > 0, or probabilities > 0.5"),
        (lambda: metrics.precision([0, 1, 2], [0, 1, 2]), "average='binary' is for two labels, but 3 occur"),
        (lambda: metrics.precision([0, 1], [0, 1], pos_label=7), "pos_label=7 does not occur"),
        (lambda: metrics.precision([0, 1], [0, 1], average="mean"), "average='mean' is unknown"),
        (lambda: metrics.roc_auc([1, 1], [0.1, 0.2]), "for two labels, but 1 occur"),
        (lambda: metrics.roc_auc([0, 1], np.ones((2, 3))), "no example has the class 2"),
        (lambda: metrics.top_k_accuracy([0, 3], np.ones((2, 3))), "the class 3; expected 0 to 2"),
        (lambda: metrics.log_loss([0], [[2.0, -1.0]]), "between 0 and 1"),
        (lambda: metrics.log_loss([0], [[0.2, 0.2]]), "add up to 0.4 instead of 1"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
