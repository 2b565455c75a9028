"""Each mistake that the numbers of single parameters show, and what the comparison says of it."""

import numpy as np
import pytest

from autograd_lite.checks import compare_gradients

from .network import ACTIVATIONS, Network, explained, only, right

NETWORKS = [
    Network(activation=activation, cost=cost, sizes=sizes)
    for activation in ACTIVATIONS
    for cost in ("quadratic", "cross-entropy")
    for sizes in ((5, 4), (5, 7, 4), (5, 7, 6, 4), (5, 7, 6, 3, 4))
]


@pytest.mark.parametrize("network", NETWORKS)
def test_right_gradients_agree_and_nothing_is_explained(network):
    report = compare_gradients(network.by_hand, network.loss, network.parameters)
    report.assert_close(1e-12)
    assert report.explanations == []


# ---- factors and signs ----


def test_a_sum_in_place_of_an_average_is_explained_by_the_rows_of_the_batch():
    network = Network()
    explanation = only(explained(network.by_hand(network.parameters, summed=True), network))
    assert explanation.kind == "factor"
    assert explanation.parameters == tuple(network.parameters)
    assert explanation.text == (
        "W1, b1, W2, b2, W3, b3: yours is 12 times the engine's, and the batch has 12 rows: "
        "you summed where the engine averages"
    )


def test_an_average_in_place_of_a_sum_is_explained():
    network = Network()
    hand = right(network)
    hand["b2"] = hand["b2"] / 12
    explanation = only(explained(hand, network))
    assert explanation.parameters == ("b2",)
    assert "by 12, and the batch has 12 rows: you averaged where the engine sums" in explanation.text


def test_an_average_over_rows_and_outputs_is_explained():
    network = Network()
    hand = {name: g / 4 for name, g in right(network).items()}
    assert "there are 4 outputs: you averaged where the engine sums" in only(explained(hand, network)).text
    hand = {name: g * 48 for name, g in right(network).items()}
    assert "the outputs of the batch are 12 x 4 = 48 numbers" in only(explained(hand, network)).text


def test_a_forgotten_two_of_the_square_is_explained():
    network = Network()
    hand = {name: 2 * g for name, g in right(network).items()}
    assert "yours is 2 times the engine's, and so only one side has a factor 2" in only(explained(hand, network)).text


def test_a_factor_without_a_known_reason_is_named_alone():
    network = Network()
    hand = {name: 0.37 * g for name, g in right(network).items()}
    assert only(explained(hand, network)).text.endswith("yours is the engine's divided by 2.7027")


def test_factors_that_differ_are_explained_one_by_one():
    network = Network()
    hand = right(network)
    hand["W1"], hand["W3"] = 3 * hand["W1"], 5 * hand["W3"]
    assert [(e.kind, e.parameters) for e in explained(hand, network)] == [("factor", ("W1",)), ("factor", ("W3",))]


def test_a_flipped_sign_is_explained():
    network = Network()
    explanation = only(explained({name: -g for name, g in right(network).items()}, network))
    assert (explanation.kind, explanation.parameters) == ("sign", tuple(network.parameters))
    assert "the sign is flipped" in explanation.text


def test_a_flipped_sign_with_a_factor_is_explained():
    network = Network()
    explanation = only(explained({name: -12 * g for name, g in right(network).items()}, network))
    assert "12 times the engine's, with the sign flipped, and the batch has 12 rows" in explanation.text


def test_the_batch_size_can_be_said_where_no_graph_shows_it():
    g = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert "the batch has 32 rows" in only(compare_gradients({"W": 32 * g}, {"W": g}, batch_size=32).explanations).text


def test_a_single_number_joins_the_others_factor():
    g = np.array([1.0, 2.0])
    report = compare_gradients({"w": 7 * g, "b": 7 * 0.3}, {"w": g, "b": 0.3})
    assert only(report.explanations).parameters == ("w", "b")


# ---- transposes and orders ----


@pytest.mark.parametrize("sizes", [(5, 7, 4), (5, 5, 5)])
def test_a_transpose_is_explained_of_any_shape(sizes):
    network = Network(sizes=sizes)
    hand = right(network)
    hand["W1"] = hand["W1"].T
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("transpose", ("W1",))


def test_a_transpose_that_is_summed_over_the_batch_is_explained_in_both_parts():
    network = Network()
    hand = network.by_hand(network.parameters, summed=True)
    hand["W2"] = hand["W2"].T
    found = {e.parameters: e.text for e in explained(hand, network)}
    assert "transpose of the engine's; besides, yours is 12 times" in found["W2",]
    assert set(found) == {("W2",), ("W1", "b1", "b2", "W3", "b3")}


@pytest.mark.parametrize(
    ("axis", "text"), [(0, "its rows are reversed"), (1, "its columns are reversed"), ((0, 1), "its rows and its")]
)
def test_reversed_rows_and_columns_are_explained(axis, text):
    network = Network()
    hand = right(network)
    hand["W2"] = np.flip(hand["W2"], axis)
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("reversal", ("W2",))
    assert text in explanation.text


@pytest.mark.parametrize(("axis", "name"), [(0, "rows"), (1, "columns")])
def test_permuted_rows_and_columns_are_explained(axis, name):
    network = Network()
    hand = right(network)
    order = [1, 0, 3, 2, 5, 4] if axis else [2, 0, 1, 3, 4, 6, 5]
    hand["W2"] = np.take(hand["W2"], order, axis)
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("permutation", ("W2",))
    assert f"the {name} are in another order: yours are the engine's {order}" in explanation.text


def test_permuted_classes_are_explained_in_weights_and_biases():
    network = Network(cost="cross-entropy")
    hand = right(network)
    order = [2, 0, 3, 1]
    hand["W3"], hand["b3"] = hand["W3"][:, order], hand["b3"][order]
    assert [(e.kind, e.parameters) for e in explained(hand, network)] == [
        ("permutation", ("W3",)),
        ("permutation", ("b3",)),
    ]


def test_long_permutations_are_counted():
    g = np.random.default_rng(0).normal(size=(100, 3))
    hand = g[np.r_[1, 0, 2:98, 99, 98]]
    explanation = only(compare_gradients({"W": hand}, {"W": g}).explanations)
    assert "the rows are in another order (4 of 100 have moved)" in explanation.text


def test_rows_of_zeros_stay_where_they_are():
    g = np.zeros((6, 3))
    g[1], g[3] = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    hand = g[[0, 3, 2, 1, 4, 5]]
    text = only(compare_gradients({"W": hand}, {"W": g}).explanations).text
    assert text.endswith("the rows are in another order: yours are the engine's [0, 3, 2, 1, 4, 5]")


# ---- biases ----


def test_a_bias_gradient_with_a_row_for_each_example_is_explained():
    network = Network()
    hand = right(network)
    delta = np.random.default_rng(0).normal(size=(12, 4))
    hand["b3"] = delta - delta.mean(axis=0) + hand["b3"] / 12
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("batch sum", ("b3",))
    assert "the sum of yours over its 12 rows" in explanation.text


def test_a_bias_gradient_of_one_example_alone_is_explained():
    network = Network(sizes=(5, 7, 4))
    hand = right(network)
    p, X = network.parameters, network.X
    a1 = network.f(X @ p["W1"] + p["b1"])
    a2 = network.f(a1 @ p["W2"] + p["b2"])
    hand["b2"] = ((a2 - network.Y) / 12 * a2 * (1 - a2))[3]
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("batch sum", ("b2",))
    assert "the delta of row 3 alone, out of 12" in explanation.text


def test_an_axis_that_was_kept_is_explained():
    network = Network()
    hand = right(network)
    hand["b1"] = hand["b1"][None]
    explanation = only(explained(hand, network))
    assert explanation.kind == "shape"
    assert "(1, 7), not (7,)" in explanation.text


# ---- L2 ----


def test_a_missing_l2_term_is_explained_with_its_strength():
    network = Network(l2=0.03)
    hand = right(network)
    for layer in (1, 2, 3):
        hand[f"W{layer}"] = hand[f"W{layer}"] - 0.03 * network.parameters[f"W{layer}"]
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("L2", ("W1", "W2", "W3"))
    assert "without the L2 term 0.03 * parameter, which the engine's gradient has" in explanation.text


def test_an_l2_term_on_the_biases_too_is_explained():
    network = Network(l2=0.03)
    hand = right(network)
    for layer in (1, 2, 3):
        hand[f"b{layer}"] = hand[f"b{layer}"] + 0.03 * network.parameters[f"b{layer}"]
    explanation = only(explained(hand, network))
    assert (explanation.kind, explanation.parameters) == ("L2", ("b1", "b2", "b3"))
    assert "an L2 term 0.03 * parameter, which the engine's gradient of biases does not have" in explanation.text


def test_an_l2_term_of_the_double_strength_is_explained_by_both_strengths():
    network = Network(l2=0.03)
    hand = right(network)
    hand["W2"] = hand["W2"] + 0.03 * network.parameters["W2"]
    explanation = only(explained(hand, network))
    assert "W2: your L2 term is 0.06 * parameter, and the engine's is 0.03 * parameter" in explanation.text
