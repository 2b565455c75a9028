"""Dropout, penalties, label smoothing and class weights: what they compute, and what they leave alone."""

import numpy as np
import pytest
import scipy.special

import nn
from autograd_lite import GradientError, Tensor
from autograd_lite.checks import check_gradients
from autograd_lite.transforms import checkpoint, grad, vmap

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4))
LABELS = np.array([0, 3, 1, 1, 2, 0])


# ---- dropout ----


def test_dropout_keeps_the_mean_and_zeroes_the_share():
    y = nn.Dropout(0.3, rng=0)(np.ones((1000, 100)))
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert y[y != 0] == pytest.approx(1 / 0.7)
    assert y.mean() == pytest.approx(1, abs=0.01)


def test_dropout_draws_anew_in_every_call_and_the_same_with_the_same_seed():
    first, second = nn.Dropout(0.5, rng=7), nn.Dropout(0.5, rng=7)
    x = np.ones(1000)
    a, b = first(x), first(x)
    assert (a != b).any()
    np.testing.assert_array_equal(a, second(x))
    np.testing.assert_array_equal(b, second(x))


def test_the_gradient_flows_where_dropout_lets_through():
    x = Tensor(np.ones(100), requires_grad=True)
    y = nn.Dropout(0.5, rng=0)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


def test_dropout_that_would_be_drawn_twice_is_refused_and_no_gradient_is_wrong():
    dropout, x = nn.Dropout(0.5, rng=0), Tensor(np.ones(100), requires_grad=True)
    y = checkpoint(lambda v: dropout(v) * 1.0)(x)
    with pytest.raises(GradientError, match="computed another result when it was run again"):
        y.sum().backward()
    assert x.grad is None


def test_dropout_in_use_is_the_identity():
    model = nn.Sequential(nn.Dense(3, 3, rng=0), nn.Dropout(0.9, rng=0)).eval()
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model(x).data, model[0](x).data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_the_dtype(dtype):
    assert nn.Dropout(0.5, rng=0)(np.ones(3, dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("p", "error"), [(1.0, ValueError), (-0.1, ValueError), (np.nan, ValueError), ("a", TypeError)]
)
def test_dropout_refuses_what_is_no_probability(p, error):
    with pytest.raises(error, match="Dropout: p"):
        nn.Dropout(p)


# ---- penalties ----


def test_penalties_are_on_weights_alone():
    model = nn.Sequential(nn.Dense(3, 4, rng=0, dtype=np.float64), nn.LayerNorm(4, dtype=np.float64))
    loss = nn.l1_penalty(model, 0.5) + nn.l2_penalty(model, 0.2)
    loss.backward()
    W = model[0].weight
    assert loss.item() == pytest.approx(0.5 * np.abs(W.data).sum() + 0.1 * np.square(W.data).sum())
    np.testing.assert_allclose(W.grad.data, 0.5 * np.sign(W.data) + 0.2 * W.data)
    assert [name for name, p in model.named_parameters() if p.grad is not None] == ["layers.0.weight"]


def test_an_l2_penalty_is_the_optimizers_weight_decay_on_the_weights():
    X, y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))
    by_loss, by_optimizer = (nn.MLP([3, 4, 2], "tanh", rng=0, dtype=np.float64) for _ in range(2))
    steps = [
        (by_loss, nn.SGD(by_loss.parameters(), lr=0.1), 0.3),
        (by_optimizer, nn.SGD(nn.weight_decay_groups(by_optimizer, 0.3), lr=0.1), 0.0),
    ]
    for model, optimizer, alpha in steps:
        for _ in range(5):
            optimizer.zero_grad()
            (nn.mean_squared_error(model(X), y) + nn.l2_penalty(model, alpha)).backward()
            optimizer.step()
    for a, b in zip(by_loss.parameters(), by_optimizer.parameters(), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)


def test_penalties_refuse_what_has_no_weights_and_negative_factors():
    with pytest.raises(ValueError, match="no weights to penalize"):
        nn.l2_penalty(nn.LayerNorm(3), 0.1)
    with pytest.raises(ValueError, match="alpha must be at least 0"):
        nn.l1_penalty(nn.Dense(2, 2), -0.1)


# ---- label smoothing and class weights ----


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
