"""Losses: their values, their gradients, their reductions, and what they refuse."""

import numpy as np
import pytest

import nn
from autograd_lite import FreedGraphError, Tensor
from autograd_lite.transforms import grad, jacobian

RNG = np.random.default_rng(0)
Z = RNG.standard_normal((5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
ONE_HOT = np.eye(4)[LABELS]
SOFT = RNG.dirichlet(np.ones(4), 5)
PROBABILITIES = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def leaf(data):
    return Tensor(data, requires_grad=True)


def gradient(loss, outputs, targets, **kwargs):
    x = leaf(outputs)
    loss(x, targets, **kwargs).sum().backward()
    return x.grad.data


# ---- softmax cross-entropy ----


def test_cross_entropy_of_labels_is_minus_the_log_probability():
    np.testing.assert_allclose(
        nn.softmax_cross_entropy(Z, LABELS, reduction="none"), -np.log(PROBABILITIES[np.arange(5), LABELS]), rtol=1e-13
    )


def test_labels_and_their_one_hot_form_agree():
    for labels in (ONE_HOT, ONE_HOT.astype(int), ONE_HOT.astype(bool)):
        np.testing.assert_allclose(nn.softmax_cross_entropy(Z, labels), nn.softmax_cross_entropy(Z, LABELS), rtol=1e-14)
        np.testing.assert_allclose(
            gradient(nn.softmax_cross_entropy, Z, labels), gradient(nn.softmax_cross_entropy, Z, LABELS), atol=1e-15
        )


def test_soft_targets_weigh_the_log_probabilities():
    np.testing.assert_allclose(
        nn.softmax_cross_entropy(Z, SOFT, reduction="none"), -(SOFT * np.log(PROBABILITIES)).sum(axis=1), rtol=1e-13
    )


@pytest.mark.parametrize("targets", [LABELS, ONE_HOT, SOFT], ids=["labels", "one-hot", "soft"])
def test_the_gradient_is_softmax_minus_target(targets):
    t = ONE_HOT if targets is LABELS else targets
    np.testing.assert_allclose(gradient(nn.softmax_cross_entropy, Z, targets), (PROBABILITIES - t) / 5, atol=1e-15)


def test_soft_targets_get_their_gradient():
    t = leaf(SOFT)
    nn.softmax_cross_entropy(Z, t, reduction="sum").backward()
    np.testing.assert_allclose(t.grad.data, -np.log(PROBABILITIES), rtol=1e-13)


def test_targets_that_do_not_sum_to_one_are_taken_as_they_are():
    t = 2 * SOFT
    np.testing.assert_allclose(
        gradient(nn.softmax_cross_entropy, Z, t, reduction="sum"), 2 * PROBABILITIES - t, atol=1e-14
    )


def test_the_hessian_is_the_softmax_jacobian():
    z = leaf(Z[0])
    nn.softmax_cross_entropy(z, 1).backward(create_graph=True)
    first, rows = z.grad, []
    for i in range(4):
        z.zero_grad()
        first[i].backward(retain_graph=True)
        rows.append(z.grad.data)
    p = PROBABILITIES[0]
    np.testing.assert_allclose(rows, np.diag(p) - np.outer(p, p), atol=1e-14)


def test_the_hessian_is_the_same_by_nested_transforms():
    rows = jacobian(grad(lambda z: nn.softmax_cross_entropy(z, LABELS, reduction="sum")))(Z)
    p = PROBABILITIES
    for i in range(5):
        np.testing.assert_allclose(rows[i, :, i], np.diag(p[i]) - np.outer(p[i], p[i]), atol=1e-14)


@pytest.mark.parametrize("shape", [(5,), (128, 10), (3, 4, 50)])
def test_the_softmax_that_the_rule_reads_is_that_of_the_function_to_the_bit(shape):
    logits = RNG.standard_normal(shape).astype(np.float32)
    labels = RNG.integers(0, shape[-1], shape[:-1])
    expected = nn.softmax(logits) - (labels[..., None] == np.arange(shape[-1]))
    assert (gradient(nn.softmax_cross_entropy, logits, labels, reduction="sum") == expected).all()


def test_a_graph_that_is_kept_can_be_differentiated_again():
    z = leaf(Z)
    loss = nn.softmax_cross_entropy(z, LABELS)
    loss.backward(retain_graph=True)
    first = z.grad.data.copy()
    loss.backward()
    np.testing.assert_array_equal(z.grad.data, 2 * first)


@pytest.mark.parametrize("shift", [1e4, -1e4])
def test_a_shift_of_all_logits_changes_nothing(shift):
    np.testing.assert_allclose(
        nn.softmax_cross_entropy(Z + shift, LABELS), nn.softmax_cross_entropy(Z, LABELS), rtol=1e-10
    )


def test_huge_float32_logits_give_finite_losses_and_exact_gradients():
    z = np.float32([[1e4, -1e4], [-1e4, 1e4]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses = nn.softmax_cross_entropy(z, [0, 0], reduction="none")
        g = gradient(nn.softmax_cross_entropy, z, [0, 0], reduction="sum")
    assert losses.tolist() == [0, 2e4]
    assert g.tolist() == [[0, 0], [-1, 1]]


def test_any_leading_axes_are_examples():
    z = RNG.standard_normal((2, 3, 4))
    labels = RNG.integers(0, 4, (2, 3))
    np.testing.assert_allclose(
        nn.softmax_cross_entropy(z, labels), nn.softmax_cross_entropy(z.reshape(6, 4), labels.ravel()), rtol=1e-15
    )


def test_labels_of_every_integer_kind_and_tensors_and_lists_are_taken():
    expected = nn.softmax_cross_entropy(Z, LABELS)
    strided = np.repeat(LABELS, 2)[::2]
    for labels in (
        *(LABELS.astype(dtype) for dtype in ("u1", "i2", "u8", ">i8")),
        LABELS.tolist(),
        Tensor(LABELS),
        strided,
    ):
        assert nn.softmax_cross_entropy(Z, labels) == expected


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 2, 3, 4], ValueError, r"labels\[4\] is 4, but the logits have 4 classes, 0 to 3"),
        ([0, -1, 2, 3, 1], ValueError, r"labels\[1\] is -1"),
        ([0.0, 1.0, 2.0, 3.0, 1.0], TypeError, r"astype\(int\)"),
        ([True] * 5, TypeError, "bool"),
        ([0, 1], ValueError, r"labels have shape \(2,\), but logits have \(5, 4\)"),
        (np.zeros((5, 1), int), ValueError, r"shape \(5, 1\)"),
        (np.zeros((4, 5)), ValueError, r"shape \(4, 5\)"),
        (["a"] * 5, TypeError, "expected numbers"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        nn.softmax_cross_entropy(leaf(Z), labels)


def test_logits_without_classes_are_refused():
    with pytest.raises(ValueError, match="logits have shape"):
        nn.softmax_cross_entropy(1.0, 0)


# ---- sigmoid cross-entropy ----


def test_sigmoid_cross_entropy_is_the_formula():
    t, a = RNG.uniform(size=(5, 4)), 1 / (1 + np.exp(-Z))
    np.testing.assert_allclose(
        nn.sigmoid_cross_entropy(Z, t, reduction="none"), -t * np.log(a) - (1 - t) * np.log(1 - a), rtol=1e-13
    )
    np.testing.assert_allclose(gradient(nn.sigmoid_cross_entropy, Z, t, reduction="sum"), a - t, atol=1e-15)


def test_sigmoid_cross_entropy_is_finite_for_huge_logits():
    z = np.float32([-1e4, 1e4, -1e4, 1e4])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses = nn.sigmoid_cross_entropy(z, [0, 1, 1, 0], reduction="none")
    assert losses.tolist() == [0, 0, 1e4, 1e4]
    assert losses.dtype == np.float32


def test_its_targets_get_their_gradient():
    t = leaf(np.full(3, 0.5))
    nn.sigmoid_cross_entropy(Z[0, :3], t, reduction="sum").backward()
    np.testing.assert_allclose(t.grad.data, -Z[0, :3])


@pytest.mark.parametrize("bad", [-1.0, 1.5, np.nan])
def test_targets_outside_of_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"targets\[1\] is .*\(targets \+ 1\) / 2"):
        nn.sigmoid_cross_entropy(leaf(np.zeros(3)), [0.0, bad, 1.0])


# ---- squared errors ----


def test_mean_squared_error_averages_over_all_elements():
    t = RNG.standard_normal((5, 4))
    assert nn.mean_squared_error(Z, t) == pytest.approx(((Z - t) ** 2).mean(), rel=1e-14)
    np.testing.assert_allclose(gradient(nn.mean_squared_error, Z, t), 2 * (Z - t) / 20, rtol=1e-13)


def test_quadratic_cost_sums_outputs_and_averages_the_batch():
    t = RNG.standard_normal((5, 4))
    assert nn.quadratic_cost(Z, t) == pytest.approx((0.5 * (Z - t) ** 2).sum(axis=1).mean(), rel=1e-14)
    np.testing.assert_allclose(gradient(nn.quadratic_cost, Z, t), (Z - t) / 5, rtol=1e-13)


def test_quadratic_cost_of_one_example_is_half_its_squared_distance():
    assert nn.quadratic_cost(np.array([3.0, 4.0]), np.zeros(2)) == 12.5


LOSSES = {
    "softmax_cross_entropy": (nn.softmax_cross_entropy, LABELS, (5,)),
    "sigmoid_cross_entropy": (nn.sigmoid_cross_entropy, SOFT, (5, 4)),
    "mean_squared_error": (nn.mean_squared_error, SOFT, (5, 4)),
    "quadratic_cost": (nn.quadratic_cost, SOFT, (5,)),
}


@pytest.mark.parametrize(("loss", "targets", "shape"), LOSSES.values(), ids=LOSSES)
def test_reductions_are_of_the_single_losses(loss, targets, shape):
    each = loss(Z, targets, reduction="none")
    assert each.shape == shape
    np.testing.assert_allclose(loss(Z, targets), each.mean(), rtol=1e-14)
    np.testing.assert_allclose(loss(Z, targets, reduction="sum"), each.sum(), rtol=1e-14)


@pytest.mark.parametrize(("loss", "targets", "shape"), LOSSES.values(), ids=LOSSES)
def test_an_unknown_reduction_is_refused(loss, targets, shape):
    with pytest.raises(ValueError, match="expected one of mean, sum, none"):
        loss(Z, targets, reduction="average")


@pytest.mark.parametrize(("loss", "targets", "shape"), LOSSES.values(), ids=LOSSES)
def test_float32_stays_float32_with_integer_targets(loss, targets, shape):
    z = leaf(Z.astype("f4"))
    value = loss(z, np.zeros(targets.shape, int))
    value.backward()
    assert value.dtype == z.grad.dtype == np.float32


@pytest.mark.parametrize("loss", [nn.mean_squared_error, nn.quadratic_cost])
def test_targets_that_would_broadcast_are_refused(loss):
    with pytest.raises(ValueError, match=r"shape \(5, 1\), but targets have \(5,\).*write y\[:, None\]"):
        loss(leaf(np.zeros((5, 1))), np.zeros(5))


def test_yes_or_no_targets_of_a_single_output_need_no_axis_of_their_own():
    z, t = leaf(np.linspace(-2.0, 2.0, 5)[:, None]), np.array([0, 1, 1, 0, 1])
    loss = nn.sigmoid_cross_entropy(z, t)
    loss.backward()
    assert loss.item() == nn.sigmoid_cross_entropy(z.data, t[:, None]).item()
    assert z.grad.shape == z.shape
    with pytest.raises(ValueError, match=r"shape \(5,\), but targets have \(5, 1\).*write y\[..., 0\]"):
        nn.sigmoid_cross_entropy(z[:, 0], t[:, None])


def test_probabilities_in_place_of_logits_are_warned_of():
    model = nn.MLP([2, 3], output_activation="softmax", rng=0)
    with pytest.warns(UserWarning, match="takes logits, and was given probabilities") as warned:
        nn.softmax_cross_entropy(model(np.ones((4, 2))), np.zeros(4, int))
    assert warned[0].filename == __file__


def test_a_second_backward_pass_names_the_loss_as_users_call_it():
    loss = nn.softmax_cross_entropy(leaf(Z), np.zeros(len(Z), int))
    loss.backward()
    with pytest.raises(FreedGraphError, match=r"the graph through softmax_cross_entropy \(shape \(\), float64\)"):
        loss.backward()


@pytest.mark.parametrize("options", [{}, {"class_weight": [1.0, 1.0, 1.0]}], ids=["plain", "weighted"])
def test_a_class_whose_logit_is_minus_infinity_has_no_part_in_the_loss_of_others(options):
    logits, labels = np.array([[1.0, 2.0, -np.inf]]), np.array([0])
    assert nn.softmax_cross_entropy(logits, labels, **options) == pytest.approx(np.log1p(np.exp(1.0)), rel=1e-12)
    gradient = grad(lambda z: nn.softmax_cross_entropy(z, labels, **options))(logits)
    np.testing.assert_allclose(gradient, [[-0.7310585786300049, 0.7310585786300049, 0]])


def test_an_infinite_logit_on_the_targets_side_costs_nothing():
    logits, targets = np.array([np.inf, -np.inf, 0.0]), np.array([1.0, 0.0, 1.0])
    losses = nn.sigmoid_cross_entropy(logits, targets, reduction="none")
    np.testing.assert_allclose(losses, [0, 0, np.log(2)])
    gradient = grad(lambda z: nn.sigmoid_cross_entropy(z, targets, reduction="sum"))(logits)
    np.testing.assert_allclose(gradient, [0, 0, -0.5])


def test_an_example_that_is_left_out_has_no_gradient_though_its_logits_are_no_numbers():
    logits = np.array([[1.0, 2.0], [np.nan, np.inf]])

    def loss(z):
        return np.sum(np.where([True, False], nn.softmax_cross_entropy(z, np.array([0, 1]), reduction="none"), 0.0))

    with np.errstate(invalid="ignore"):
        found = grad(loss)(logits)
    np.testing.assert_allclose(found, [[-0.7310585786300049, 0.7310585786300049], [0, 0]])
