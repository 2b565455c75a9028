"""The network of the textbooks: columns of neurons, of models and of networks that are written by hand."""

import re

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.draw import draw_graph
from autograd_lite.draw.dense_layers import dense_layers
from autograd_lite.draw.graph_info import Contents

ALIVE = []


def leaf(data):
    """A leaf that is alive to the end of the tests, as a program's parameters are."""
    ALIVE.append(Tensor(data, requires_grad=True))
    return ALIVE[-1]


RNG = np.random.default_rng(0)
W1, B1, W2, B2 = RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=(4, 2)), RNG.normal(size=2)
ONE, FIVE = RNG.normal(size=3), RNG.normal(size=(5, 3))


def rows(x):
    """Examples in rows, as most write it."""
    w1, b1, w2, b2 = map(leaf, (W1, B1, W2, B2))
    return np.mean((nn.sigmoid(np.tanh(x @ w1 + b1) @ w2 + b2) - 1) ** 2)


def columns(x):
    """Weights from the left and examples in columns, as Nielsen writes it."""
    w1, b1, w2, b2 = leaf(W1.T), leaf(B1[:, None]), leaf(W2.T), leaf(B2[:, None])
    a = np.tanh(w1 @ (x[:, None] if x.ndim == 1 else x.T) + b1)
    return np.mean((nn.sigmoid(w2 @ a + b2) - 1) ** 2)


def transposed(x):
    """Weights of shape (out, in), used transposed, as PyTorch has them; the sigmoid by hand."""
    w1, b1, w2, b2 = leaf(W1.T), leaf(B1), leaf(W2.T), leaf(B2)
    z = np.tanh(x @ w1.T + b1) @ w2.T + b2
    return np.mean((1 / (1 + np.exp(-z)) - 1) ** 2)


def of_model(x):
    model = nn.Sequential(nn.Dense(3, 4, rng=0, dtype="f8"), nn.Tanh(), nn.Dense(4, 2, rng=1, dtype="f8"), nn.Sigmoid())
    for layer, w, b in ((model.layers[0], W1, B1), (model.layers[2], W2, B2)):
        layer.weight.data, layer.bias.data = w, b
    ALIVE.append(model)
    return np.mean((model(x) - 1) ** 2)


@pytest.mark.parametrize("write", [rows, columns, transposed, of_model])
@pytest.mark.parametrize("x", [ONE, FIVE], ids=["one", "five"])
def test_layers_are_found_however_they_are_written(write, x):
    loss = write(x)
    loss.backward(retain_graph=True)
    contents = Contents(loss, None, complete=True)
    first, second = dense_layers(contents, contents.gradients())
    data = np.atleast_2d(x)
    h = np.tanh(data @ W1 + B1)
    y = 1 / (1 + np.exp(-(h @ W2 + B2)))
    delta2 = 2 * (y - 1) / y.size * y * (1 - y)
    delta1 = delta2 @ W2.T * (1 - h**2)
    expected = [(W1, data.T @ delta1, data, h, delta1), (W2, h.T @ delta2, h, y, delta2)]
    for layer, numbers in zip((first, second), expected, strict=True):
        found = (layer.weight, layer.weight_gradient, layer.inputs, layer.outputs, layer.delta)
        for one, other in zip(found, numbers, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)
    assert (first.activation, second.activation) == ("tanh", "sigmoid")


def drawn(graph):
    """The neurons as a dict from column to their numbers, and the connections."""
    neurons = re.findall(r"^\tu(\d+)_(\d+) \[label=(<.*?>|\"\") (?:color|fillcolor)", graph.source, re.MULTILINE)
    edges = re.findall(r"^\t(u\d+_\d+) -> (u\d+_\d+) \[(.*)\]", graph.source, re.MULTILINE)
    return neurons, edges


def test_every_neuron_and_every_weight_of_a_small_network_is_drawn():
    neurons, edges = drawn(draw_graph(rows(ONE), style="network"))
    assert [sum(column == str(i) for column, _, _ in neurons) for i in range(3)] == [3, 4, 2]
    assert len(edges) == 3 * 4 + 4 * 2


def test_connections_are_as_thick_as_their_weights_and_coloured_by_sign():
    _, edges = drawn(draw_graph(rows(ONE), style="network"))
    width = {(a, b): float(re.search(r"penwidth=([\d.]+)", look)[1]) for a, b, look in edges}
    sizes = {(f"u0_{i}", f"u1_{j}"): abs(W1[i, j]) for i in range(3) for j in range(4)}
    assert sorted(sizes, key=sizes.get) == sorted(sizes, key=width.get)
    for a, b, look in edges:
        if a.startswith("u0"):
            assert ("#0072B2" in look) == (W1[int(a[3:]), int(b[3:])] >= 0)


def test_with_heat_connections_show_the_gradients_of_the_weights():
    loss = rows(ONE)
    loss.backward(retain_graph=True)
    contents = Contents(loss, None, complete=True)
    gradient = dense_layers(contents, contents.gradients())[0].weight_gradient
    graph = draw_graph(loss, style="network", heat="grad")
    width = {(a, b): float(re.search(r"penwidth=([\d.]+)", look)[1]) for a, b, look in drawn(graph)[1]}
    sizes = {(f"u0_{i}", f"u1_{j}"): abs(gradient[i, j]) for i in range(3) for j in range(4)}
    largest, smallest = max(sizes, key=sizes.get), min(sizes, key=sizes.get)
    assert width[largest] > width[smallest]
    assert "lines: gradients" in graph.source


def test_neurons_show_activations_and_deltas():
    loss = rows(ONE)
    before = draw_graph(loss, style="network").source
    loss.backward(retain_graph=True)
    after = draw_graph(loss, style="network").source
    assert "δ" not in before
    assert "backward() has not run" in before
    assert after.count("δ ") == 4 + 2
    assert "δ" not in draw_graph(loss, style="network", values=False).source


def test_large_layers_are_abbreviated_with_dots_and_their_number():
    model = nn.MLP([784, 30, 8], "relu", rng=0)
    loss = nn.softmax_cross_entropy(model(np.ones((2, 784), np.float32)), np.array([1, 2]))
    graph = draw_graph(loss, style="network", module=model)
    neurons, edges = drawn(graph)
    assert [sum(column == str(i) for column, _, _ in neurons) for i in range(3)] == [6, 6, 8]
    assert ("0", "783") in {(column, neuron) for column, neuron, _ in neurons}
    assert len(edges) == 6 * 6 + 6 * 8
    assert graph.source.count("⋮") == 2
    for title in ("input\\n784", "hidden\\n30 relu", "output\\n8"):
        assert f'label="{title}"' in graph.source


def test_in_print_negative_weights_are_dashed():
    source = draw_graph(rows(ONE), style="network", palette="print").source
    assert source.count("style=dashed") == np.count_nonzero(W1 < 0) + np.count_nonzero(W2 < 0)
    assert "#" not in source.replace("&#", "")


def test_the_layout_is_kept_in_dot_text():
    assert re.search(r"^\tlayout=neato|layout=neato", draw_graph(rows(ONE), style="network").source)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda: np.sum(np.exp(leaf([1.0, 2.0]))), "no product of data with a matrix"),
        (
            lambda: np.sum(ONE @ leaf(W1)) + np.sum(FIVE[:, :2] @ leaf(W2.T)),
            "one with 4 outputs is followed by one with 2",
        ),
    ],
)
def test_what_is_no_network_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        draw_graph(loss(), style="network")
