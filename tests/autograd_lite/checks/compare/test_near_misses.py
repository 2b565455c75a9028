"""What looks like a mistake that is known, and is none: the comparison says nothing that the numbers do not prove."""

import numpy as np
import pytest

from autograd_lite.checks import compare_gradients

from .network import Network


def kinds(hand, engine, **options):
    return [e.kind for e in compare_gradients({"W": hand}, {"W": engine}, **options).explanations]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def g(rng):
    return rng.normal(size=(6, 5))


@pytest.mark.parametrize("noise", [1e-2, 1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize(
    "mistake",
    [
        lambda g: 128 * g,
        lambda g: -g,
        lambda g: g.T,
        lambda g: g[::-1],
        lambda g: g[[1, 0, 2, 3, 4]],
        lambda g: g[:, [4, 0, 2, 3, 1]],
    ],
)
def test_a_mistake_that_fits_nearly_is_not_claimed(rng, mistake, noise):
    g = rng.normal(size=(5, 5))
    assert kinds(mistake(g) * (1 + noise * rng.normal(size=(5, 5))), g, batch_size=128) == []


def test_a_factor_that_fits_all_but_one_entry_is_not_claimed(g):
    hand = 3 * g
    hand[2, 2] = g[2, 2]
    assert kinds(hand, g) == []


def test_a_single_number_has_no_factor_and_no_sign():
    assert kinds(np.array([3.0]), np.array([1.0])) == []
    assert kinds(np.array(-1.0), np.array(1.0)) == []


def test_one_number_among_zeros_has_no_factor():
    assert kinds(np.array([0.0, 5.0, 0.0]), np.array([0.0, 1.0, 0.0])) == []


def test_a_symmetric_matrix_is_no_transpose(g):
    symmetric = g[:5] + g[:5].T
    assert "transpose" not in kinds(2 * symmetric, symmetric)
    assert kinds(2 * symmetric, symmetric) == ["factor"]


def test_a_gradient_of_zeros_is_only_said_to_be_one(g):
    assert kinds(np.zeros_like(g), g) == ["zeros"]
    assert kinds(g, np.zeros_like(g)) == []


def test_equal_rows_are_not_permuted():
    engine = np.tile([[1.0, 2.0, 3.0]], (4, 1))
    hand = engine.copy()
    hand[0] = [3.0, 2.0, 1.5]
    assert kinds(hand, engine) == []


def test_rows_that_are_nearly_equal_are_not_permuted(rng):
    engine = 1 + 1e-8 * rng.normal(size=(5, 4))
    assert kinds(engine[[1, 0, 2, 4, 3]], engine) == []


def test_entries_that_are_sorted_into_other_places_row_by_row_are_not_permuted_rows(rng):
    engine = rng.normal(size=(6, 5))
    assert kinds(np.sort(engine, axis=1), engine) == []


def test_the_factor_of_one_parameter_is_not_given_to_a_number_that_it_does_not_fit():
    g = np.array([1.0, 2.0])
    report = compare_gradients({"w": 7 * g, "b": 6.9}, {"w": g, "b": 1.0})
    assert [e.parameters for e in report.explanations] == [("w",)]


def test_a_factor_near_the_batch_size_has_not_its_reason(g):
    (explanation,) = compare_gradients({"W": 128.2 * g}, {"W": g}, batch_size=128).explanations
    assert "rows" not in explanation.text


def test_something_like_a_multiple_of_the_weights_is_no_l2():
    network = Network()
    hand = network.by_hand(network.parameters)
    W = network.parameters["W2"]
    for like in (np.sign(W), W * (1 + 1e-2 * np.cos(W)), W**3, np.abs(W), W.mean(axis=0) * np.ones_like(W)):
        wrong = dict(hand, W2=hand["W2"] + 0.03 * like)
        assert compare_gradients(wrong, network.loss, network.parameters).explanations == []


def test_a_bias_with_rows_that_do_not_add_up_is_only_of_another_shape():
    network = Network()
    hand = network.by_hand(network.parameters)
    hand["b3"] = np.random.default_rng(0).normal(size=(12, 4))
    report = compare_gradients(hand, network.loss, network.parameters)
    assert report.explanations == []
    assert not report.agrees(1.0)


def test_a_wrong_derivative_is_no_missing_one():
    network = Network(activation="tanh")
    right = network.f1
    network.f1 = lambda z, a: 1 - 0.3 * a
    assert [e.kind for e in compare_gradients(network.by_hand, network.loss, network.parameters).explanations] == []
    network.f1 = lambda z, a: right(z, a) * (z > 0)
    assert [e.kind for e in compare_gradients(network.by_hand, network.loss, network.parameters).explanations] == []


def test_a_derivative_of_one_everywhere_cannot_be_missing():
    network = Network(activation="relu")
    network.X = np.abs(network.X)
    network.parameters = {name: np.abs(p) for name, p in network.parameters.items()}
    hand = network.by_hand(network.parameters)
    hand["W1"] = 2 * hand["W1"]
    report = compare_gradients(hand, network.loss, network.parameters)
    assert [(e.kind, e.parameters) for e in report.explanations] == [("factor", ("W1",))]


def test_a_wrong_softmax_is_not_the_diagonal_one():
    network = Network(cost="cross-entropy")
    hand = network.by_hand(network.parameters, diagonal=True)
    noise = np.random.default_rng(0)
    hand = {name: g * (1 + 1e-4 * noise.normal(size=g.shape)) for name, g in hand.items()}
    assert compare_gradients(hand, network.loss, network.parameters).explanations == []


def test_a_layer_that_is_wrong_between_right_ones_is_no_delta():
    network = Network()
    hand = network.by_hand(network.parameters)
    hand["W2"], hand["b2"] = np.cos(hand["W2"]), np.cos(hand["b2"])
    assert compare_gradients(hand, network.loss, network.parameters).explanations == []


def test_a_weight_that_is_wrong_above_a_right_bias_is_no_delta():
    network = Network()
    hand = network.by_hand(network.parameters)
    hand["W1"] = np.cos(hand["W1"])
    assert compare_gradients(hand, network.loss, network.parameters).explanations == []


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_prove_nothing(g, bad):
    hand = 2 * g
    hand[0, 0] = bad
    assert kinds(hand, g) == ["not finite"]


@pytest.mark.parametrize("seed", range(30))
def test_unrelated_numbers_are_explained_by_nothing(seed):
    rng = np.random.default_rng(seed)
    network = Network(seed=seed, cost=["quadratic", "cross-entropy"][seed % 2])
    hand = {name: rng.normal(size=p.shape) for name, p in network.parameters.items()}
    assert compare_gradients(hand, network.loss, network.parameters).explanations == []
