"""Label smoothing and class weights: what they compute."""

import numpy as np
import pytest
import scipy.special

import nn
from autograd_lite.checks import check_gradients
from autograd_lite.transforms import grad, vmap

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])


def cross_entropies(targets):
    return -(targets * scipy.special.log_softmax(LOGITS, axis=1)).sum(axis=1)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_label_smoothing_mixes_in_the_even_distribution(smoothing, reduction):
    expected = cross_entropies((1 - smoothing) * np.eye(4)[LABELS] + smoothing / 4)
    expected = {"mean": expected.mean(), "sum": expected.sum(), "none": expected}[reduction]
    for labels in (LABELS, np.eye(4)[LABELS]):
        got = nn.softmax_cross_entropy(LOGITS, labels, reduction, label_smoothing=smoothing)
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_class_weights_give_the_weighted_mean_of_the_examples():
    weights = np.array([1.0, 0.5, 2.0, 0.0])
    each = weights[LABELS] * cross_entropies(np.eye(4)[LABELS])
    mean, total, none = (
        nn.softmax_cross_entropy(LOGITS, LABELS, reduction, class_weight=weights)
        for reduction in ("mean", "sum", "none")
    )
    np.testing.assert_allclose(mean, each.sum() / weights[LABELS].sum())
    np.testing.assert_allclose(total, each.sum())
    np.testing.assert_allclose(none, each)


def test_equal_class_weights_change_nothing():
    plain = nn.softmax_cross_entropy(LOGITS, LABELS)
    np.testing.assert_allclose(nn.softmax_cross_entropy(LOGITS, LABELS, class_weight=np.full(4, 3.0)), plain)


@pytest.mark.parametrize("options", [{"label_smoothing": 0.2}, {"class_weight": [1.0, 2.0, 0.5, 1.5]}])
def test_the_gradients_of_weighted_and_smoothed_losses(options):
    check_gradients(lambda z: nn.softmax_cross_entropy(z, LABELS, **options), LOGITS)
    check_gradients(lambda z: nn.softmax_cross_entropy(z, np.eye(4)[LABELS], **options), LOGITS)


def test_weighted_losses_of_single_examples_are_vmapped():
    options = {"label_smoothing": 0.1, "class_weight": [1.0, 2.0, 0.5, 1.5]}
    one = lambda z, label: nn.softmax_cross_entropy(z[None], label[None], "sum", **options)  # noqa: E731
    together = vmap(grad(one))(LOGITS, LABELS)
    for z, label, found in zip(LOGITS, LABELS, together, strict=True):
        np.testing.assert_allclose(found, grad(one)(z, np.array(label)), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_smoothing": 1.5}, "label_smoothing must be at least 0 and at most 1"),
        ({"class_weight": [1.0, 2.0]}, r"shape \(2,\).*each of the 4 classes"),
        ({"class_weight": [1.0, 2.0, -1.0, 0.0]}, "finite and at least 0"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        nn.softmax_cross_entropy(LOGITS, LABELS, **options)
