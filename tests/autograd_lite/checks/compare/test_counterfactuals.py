"""Each mistake that shows where the engine makes it too, and what the comparison says of it."""

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.checks import compare_gradients
from autograd_lite.checks.compare.mistakes import MISTAKES, defmistake

from .network import ACTIVATIONS, Network, explained, only, right

# ---- activation derivatives ----


@pytest.mark.parametrize("cost", ["quadratic", "cross-entropy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_missing_activation_derivative_is_found_in_its_layer(activation, cost, layer):
    network = Network(sizes=(5, 7, 6, 5, 4), activation=activation, cost=cost)
    explanation = only(explained(network.by_hand(network.parameters, no_derivative={layer}), network))
    assert explanation.kind == "activation derivative"
    assert f"missing in layer {layer} (W{layer}, b{layer})" in explanation.text
    assert set(explanation.parameters) == {f"{kind}{i}" for kind in "Wb" for i in range(1, layer + 1)}


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_missing_derivative_of_the_output_activation_is_found(activation):
    network = Network(activation=activation)
    explanation = only(explained(network.by_hand(network.parameters, no_derivative={3}), network))
    assert "missing in layer 3" in explanation.text
    assert explanation.parameters == tuple(network.parameters)


def test_derivatives_missing_in_all_hidden_layers_are_found():
    network = Network(sizes=(5, 7, 6, 5, 4), activation="tanh", cost="cross-entropy")
    explanation = only(explained(network.by_hand(network.parameters, no_derivative={1, 2, 3}), network))
    assert "missing in each of layer 1 (W1, b1), layer 2 (W2, b2), layer 3 (W3, b3)" in explanation.text


def test_a_missing_derivative_is_found_beside_a_missing_average():
    network = Network(activation="tanh")
    hand = network.by_hand(network.parameters, no_derivative={2}, summed=True)
    explanation = only(explained(hand, network))
    assert explanation.kind == "activation derivative"
    assert "missing in layer 2" in explanation.text
    assert "multiplied by 12 (the batch has 12 rows: you summed where the engine averages)" in explanation.text


def test_a_missing_derivative_is_found_beside_gradients_in_another_form():
    network = Network(activation="tanh", l2=0.03)
    hand = network.by_hand(network.parameters, no_derivative={1})
    hand["W2"], hand["b3"] = hand["W2"].T, hand["b3"][::-1]
    hand["W3"] = hand["W3"] - 0.03 * network.parameters["W3"]
    found = explained(hand, network)
    assert [(e.kind, e.parameters) for e in found] == [
        ("transpose", ("W2",)),
        ("L2", ("W3",)),
        ("reversal", ("b3",)),
        ("activation derivative", ("W1", "b1")),
    ]


# ---- softmax ----


def test_softmax_with_a_diagonal_jacobian_is_explained_where_it_is_written_out():
    network = Network(cost="cross-entropy")
    explanation = only(explained(network.by_hand(network.parameters, diagonal=True), network))
    assert (explanation.kind, explanation.parameters) == ("softmax", tuple(network.parameters))
    assert "softmax's Jacobian is taken as diagonal" in explanation.text


@pytest.mark.parametrize("one_hot", [True, False])
def test_softmax_with_a_diagonal_jacobian_is_explained_in_the_fused_loss(one_hot):
    network = Network(cost="cross-entropy")
    targets = network.Y if one_hot else network.Y.argmax(axis=1)

    def loss(p):
        a = network.X
        for layer in (1, 2, 3):
            a = a @ p[f"W{layer}"] + p[f"b{layer}"]
            a = nn.sigmoid(a) if layer < 3 else a
        return nn.softmax_cross_entropy(a, targets)

    hand = network.by_hand(network.parameters, diagonal=True)
    assert only(compare_gradients(hand, loss, network.parameters).explanations).kind == "softmax"


@pytest.mark.parametrize("last", [nn.softmax, lambda z: np.exp(nn.log_softmax(z))])
def test_softmax_with_a_diagonal_jacobian_is_explained_under_a_squared_error(last):
    rng = np.random.default_rng(1)
    X, Y, W = rng.normal(size=(9, 4)), rng.dirichlet(np.ones(3), 9), rng.normal(size=(4, 3))
    a = nn.softmax(X @ W)
    delta = 2 * (a - Y) / a.size * a * (1 - a)
    report = compare_gradients({"W": X.T @ delta}, lambda p: nn.mean_squared_error(last(X @ p["W"]), Y), {"W": W})
    assert only(report.explanations).kind == "softmax"


# ---- a delta that goes wrong somewhere ----


@pytest.mark.parametrize("layer", [1, 2])
def test_the_first_layer_that_goes_wrong_is_named(layer):
    network = Network()
    explanation = only(explained(network.by_hand(network.parameters, wrong_delta=layer), network))
    assert explanation.kind == "delta"
    assert f"delta goes wrong in layer {layer} (W{layer}, b{layer})" in explanation.text
    assert "W3, b3) agree" in explanation.text


def test_the_first_layer_that_goes_wrong_is_named_beside_gradients_in_another_form():
    network = Network()
    hand = network.by_hand(network.parameters, wrong_delta=1)
    hand["W3"] = hand["W3"].T
    first, second = explained(hand, network)
    assert (first.kind, second.kind) == ("transpose", "delta")
    assert "delta goes wrong in layer 1" in second.text


def test_a_factor_from_one_layer_down_is_said_to_come_in_there():
    network = Network()
    hand = right(network)
    hand = {name: -g if name[1] in "12" else g for name, g in hand.items()}
    explanation = only(explained(hand, network))
    assert explanation.kind == "sign"
    assert explanation.text.endswith(
        "the layers above do not have this factor, so it comes in with the delta of layer 2"
    )


def test_a_network_that_is_wrong_from_its_output_on_has_no_first_layer():
    network = Network()
    assert explained(network.by_hand(network.parameters, wrong_delta=3), network) == []


# ---- examples as columns ----


class Columns:
    """Two sigmoid layers ``W a + b`` with the quadratic cost, as Nielsen's lessons write them."""

    def __init__(self):
        rng = np.random.default_rng(5)
        self.X, self.Y = rng.normal(size=(3, 11)), rng.random((2, 11))
        self.parameters = {
            "W1": rng.normal(size=(4, 3)), "b1": rng.normal(size=(4, 1)),
            "W2": rng.normal(size=(2, 4)), "b2": rng.normal(size=(2, 1)),
        }  # fmt: skip

    def outputs(self, p):
        a1 = 1 / (1 + np.exp(-(p["W1"] @ self.X + p["b1"])))
        return a1, 1 / (1 + np.exp(-(p["W2"] @ a1 + p["b2"])))

    def loss(self, p):
        return np.sum((self.outputs(p)[1] - self.Y) ** 2) / 2 / 11

    def deltas(self, p, derivative=True):
        a1, a2 = self.outputs(p)
        delta2 = (a2 - self.Y) / 11 * a2 * (1 - a2)
        return p["W2"].T @ delta2 * (a1 * (1 - a1) if derivative else 1), delta2

    def by_hand(self, derivative=True):
        delta1, delta2 = self.deltas(self.parameters, derivative)
        a1, _ = self.outputs(self.parameters)
        return {
            "W1": delta1 @ self.X.T, "b1": delta1.sum(axis=1, keepdims=True),
            "W2": delta2 @ a1.T, "b2": delta2.sum(axis=1, keepdims=True),
        }  # fmt: skip


def test_right_gradients_agree_where_examples_are_columns():
    network = Columns()
    report = compare_gradients(network.by_hand(), network.loss, network.parameters)
    report.assert_close(1e-12)


def test_averages_are_explained_by_the_columns_of_the_batch():
    network = Columns()
    hand = {name: 11 * g for name, g in network.by_hand().items()}
    assert "the batch has 11 columns: you summed where the engine averages" in only(explained(hand, network)).text
    hand = {name: g / 2 for name, g in network.by_hand().items()}
    assert "there are 2 outputs" in only(explained(hand, network)).text


def test_a_missing_derivative_is_found_where_examples_are_columns():
    network = Columns()
    explanation = only(explained(network.by_hand(derivative=False), network))
    assert "missing in layer 1 (W1, b1)" in explanation.text


def test_biases_that_are_not_summed_over_columns_are_explained():
    network = Columns()
    delta1, delta2 = network.deltas(network.parameters)
    hand = {**network.by_hand(), "b1": delta1, "b2": delta2[:, [4]]}
    first, second = explained(hand, network)
    assert (first.kind, first.parameters) == (second.kind, ("b1",)) == ("batch sum", ("b1",))
    assert "the sum of yours over its 11 columns is the engine's" in first.text
    assert "b2 is not summed over the batch: yours is the delta of column 4 alone, out of 11" in second.text


def test_the_outputs_of_a_single_example_are_no_batch():
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(4, 3)), rng.normal(size=3)
    hand = {"W": 4 * 2 * np.outer(W @ x, x)}
    report = compare_gradients(hand, lambda p: np.sum((p["W"] @ x) ** 2), {"W": W})
    assert only(report.explanations).text == "W: yours is 4 times the engine's"


# ---- modules ----


def module_and_loss(retain_graph):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(10, 4)), rng.integers(0, 3, 10)
    model = nn.MLP([4, 6, 3], "tanh", dtype=np.float64, rng=0)
    loss = nn.softmax_cross_entropy(model(X), y)
    loss.backward(retain_graph=retain_graph)
    (W1, b1), (W2, b2) = ((layer.weight.data, layer.bias.data) for layer in (model.layers[0], model.layers[2]))
    a1 = np.tanh(X @ W1 + b1)
    delta2 = (nn.softmax(a1 @ W2 + b2) - np.eye(3)[y]) / 10
    delta1 = delta2 @ W2.T  # without 1 - a1**2
    hand = {
        "layers.0.weight": X.T @ delta1,
        "layers.0.bias": delta1.sum(axis=0),
        "layers.2.weight": a1.T @ delta2,
        "layers.2.bias": delta2.sum(axis=0),
    }
    return model, loss, hand, lambda: nn.softmax_cross_entropy(model(X), y)


def test_a_modules_loss_shows_what_is_wrong_inside():
    model, loss, hand, again = module_and_loss(retain_graph=True)
    for given in (loss, again):
        explanation = only(compare_gradients(hand, model, loss=given).explanations)
        assert explanation.kind == "activation derivative"
        assert "layer 1 (layers.0.weight, layers.0.bias)" in explanation.text


def test_without_the_loss_only_the_gradients_speak():
    model, _, hand, _ = module_and_loss(retain_graph=False)
    assert compare_gradients(hand, model).explanations == []
    model, _, hand, _ = module_and_loss(retain_graph=False)
    hand = {name: -p.grad.data for name, p in model.named_parameters()}
    assert only(compare_gradients(hand, model).explanations).kind == "sign"


def test_single_precision_is_explained_as_well():
    network = Network()
    parameters = {name: Tensor(p, requires_grad=True, dtype=np.float32) for name, p in network.parameters.items()}
    network.loss(parameters).backward()
    explanation = only(compare_gradients(network.by_hand(network.parameters, summed=True), parameters).explanations)
    assert explanation.text.endswith("yours is 12 times the engine's")


# ---- mistakes of one's own ----


def test_a_function_may_be_derived_wrongly_in_several_ways(monkeypatch):
    monkeypatch.setitem(MISTAKES, np.arctan, [])
    defmistake(np.arctan, "activation derivative", "arctan's derivative without the square", x=lambda g, x: g / (1 + x))
    defmistake(
        np.arctan, "activation derivative", "arctan's derivative is taken as tan's", x=lambda g, x: g * (1 + x * x)
    )
    x, y = np.array([0.3, 2.0, -0.4]), np.array([1.0, 2.0, 3.0])
    for wrong, word in ((1 / (1 + x), "without the square"), (1 + x * x, "as tan's")):
        report = compare_gradients({"x": y * wrong}, lambda p: np.sum(y * np.arctan(p["x"])), {"x": x})
        assert word in only(report.explanations).text


def test_a_mistake_that_is_said_again_takes_the_place_of_the_first(monkeypatch):
    monkeypatch.setitem(MISTAKES, np.arctan, [])
    for wrong in (lambda g: g, lambda g: 2 * g):
        defmistake(np.arctan, "softmax", "the same words", x=wrong)
    assert [mistake.vjp(1) for mistake in MISTAKES[np.arctan]] == [2]
