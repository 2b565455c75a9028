"""Modules in pictures: clusters, and modules folded into one node."""

import re
import time

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.draw import draw_graph


def blocks(count, width=4):
    def dense(seed):
        return nn.Dense(width, width, rng=seed, dtype=np.float64)

    return nn.Sequential(
        *[nn.Sequential(dense(2 * i), nn.Tanh(), dense(2 * i + 1), nn.ReLU()) for i in range(count)],
        nn.Dense(width, 2, rng=99, dtype=np.float64),
    )


def loss_of(model):
    X = np.random.default_rng(0).normal(size=(5, 4))
    return nn.softmax_cross_entropy(model(X), np.array([0, 1, 0, 1, 1]))


def tree(graph):
    """From each node's id to the titles of the clusters that it stands in, outermost first."""
    found, titles = {}, []
    for line in graph.source.splitlines():
        line = line.strip()
        if line.startswith("subgraph"):
            titles.append(None)
        elif titles and titles[-1] is None and (title := re.search(r'label="?([^"]*?)"?(?: \w+=|\])', line)):
            titles[-1] = title.group(1).rstrip()
        elif line == "}" and titles:
            titles.pop()
        elif (node := re.match(r'"?([nasmc][\w.]*)"? \[label=("(?:[^"\\]|\\.)*"|\S+)', line)) and "->" not in line:
            found[node.group(1)] = (tuple(titles), node.group(2).strip('"').split("\\n")[0])
    return found


def where(graph, label):
    """The clusters of the only node with a label."""
    (found,) = {titles for titles, text in tree(graph).values() if text == label}
    return found


def test_a_parameter_stands_in_the_clusters_of_its_modules():
    model = blocks(2)
    graph = draw_graph(loss_of(model), module=model)
    assert where(graph, "layers.1.layers.2.weight") == (
        "Sequential", "layers.1: Sequential", "layers.1.layers.2: Dense",
    )  # fmt: skip
    assert where(graph, "layers.2.bias") == ("Sequential", "layers.2: Dense")


def test_every_call_of_a_layer_stands_in_its_cluster():
    model = nn.MLP([4, 3, 2], "tanh", rng=0, dtype=np.float64)
    graph = draw_graph(loss_of(model), module=model)
    found = sorted((text, titles[-1]) for titles, text in tree(graph).values() if titles and "layers" not in text)
    assert found == [
        ("add", "layers.0: Dense"), ("add", "layers.2: Dense"), ("matmul", "layers.0: Dense"),
        ("matmul", "layers.2: Dense"), ("tanh", "layers.0: Dense"),
    ]  # fmt: skip


def test_an_activation_is_in_the_cluster_of_its_layer_and_the_loss_in_none():
    model = blocks(2)
    graph = draw_graph(loss_of(model), module=model)
    assert {titles[1:] for titles, text in tree(graph).values() if text == "tanh"} == {
        (f"layers.{i}: Sequential", f"layers.{i}.layers.0: Dense") for i in (0, 1)
    }  # fmt: skip
    assert where(graph, "softmax_cross_entropy") == ()


def test_the_activation_of_the_output_is_in_the_cluster_of_the_last_layer():
    model = nn.MLP([4, 3, 2], "tanh", rng=0, dtype=np.float64)
    cost = np.mean((nn.sigmoid(model(np.ones((5, 4)))) - 1) ** 2)
    assert where(draw_graph(cost, module=model), "sigmoid") == ("MLP", "layers.2: Dense")
    assert where(draw_graph(cost, module=model), "square") == ()


def test_a_call_between_two_layers_of_a_block_is_in_the_block():
    model = nn.Sequential(nn.Dense(4, 4, rng=0), nn.Dense(4, 4, rng=1))
    first, second = model.layers
    graph = draw_graph(np.sum(second(np.sin(first(np.ones((5, 4), np.float32))))), module=model)
    assert where(graph, "sin") == ("Sequential",)


def test_clusters_leave_no_node_and_no_edge_out():
    model = blocks(3)
    loss = loss_of(model)
    plain, clustered = draw_graph(loss, names=dict(model.named_parameters())), draw_graph(loss, module=model)
    assert tree(plain).keys() == tree(clustered).keys()
    assert plain.source.count("->") == clustered.source.count("->")


@pytest.mark.parametrize(
    ("depth", "folded"),
    [
        (0, {"Sequential"}),
        (1, {"layers.0: Sequential", "layers.1: Sequential", "layers.2: Dense"}),
        (2, {f"layers.{i}.layers.{j}: Dense" for i in (0, 1) for j in (0, 2)}),
        (3, set()),
    ],
)
def test_modules_further_in_than_the_depth_are_one_node_each(depth, folded):
    model = blocks(2)
    graph = draw_graph(loss_of(model), module=model, depth=depth)
    assert {text for name, (_, text) in tree(graph).items() if name.startswith("m")} == folded
    drawn = tree(graph).keys()
    ends = {end for edge in re.findall(r'^\t*"?([\w.]+)"? -> "?([\w.]+)"?', graph.source, re.MULTILINE) for end in edge}
    assert ends <= drawn


def test_a_folded_network_is_a_chain():
    model = blocks(20)
    graph = draw_graph(loss_of(model), module=model, depth=1)
    assert len(tree(graph)) == 21 + 2 + 2  # blocks with their activations, the loss, the data and the labels
    assert graph.source.count("->") == 20 + 1 + 1 + 2


def test_a_folded_module_tells_its_parameters_and_their_gradients():
    model = nn.MLP([4, 3, 2], "tanh", rng=0, dtype=np.float64)
    loss = loss_of(model)
    assert "layers.0: Dense\\n15 parameters" in draw_graph(loss, module=model, depth=1).source
    loss.backward()
    together = np.concatenate([p.grad.data.ravel() for p in model.layers[0].parameters()])
    rms = np.sqrt(np.mean(together**2))
    assert f"15 parameters\\ngradient rms {rms:.2e}" in draw_graph(loss, module=model, depth=1).source


def test_each_layer_of_a_network_is_a_picture_of_its_own():
    model = nn.MLP([4, 3, 2], "tanh", rng=0, dtype=np.float64)
    h = model.layers[0](np.ones((5, 4)))
    assert where(draw_graph(h, module=model.layers[0]), "weight") == ("Dense",)


def test_a_weight_that_is_used_transposed_belongs_to_its_module():
    layer = nn.Dense(3, 2, rng=0, dtype=np.float64)
    graph = draw_graph(np.sum(layer.weight.T @ np.ones((3, 5))), module=layer)
    assert where(graph, "transpose") == where(graph, "matmul") == ("Dense",)


def test_both_pictures_have_clusters_of_their_own():
    model = nn.MLP([4, 3, 2], rng=0, dtype=np.float64)
    source = draw_graph(loss_of(model), "both", module=model).source
    assert source.count("subgraph") == 2 * (1 + 3)
    names = re.findall(r"subgraph (\S+)", source)
    assert len(set(names)) == len(names)


def test_ten_thousand_nodes_are_folded_quickly():
    model = nn.Sequential(*[nn.Dense(1, 1, rng=i, dtype=np.float64) for i in range(2500)])
    loss = np.sum(model(np.ones((1, 1))))
    start = time.perf_counter()
    graph = draw_graph(loss, module=model, depth=0)
    assert time.perf_counter() - start < 5
    assert "5,000 parameters" in graph.source
    assert len(tree(graph)) == 4  # the model, the sum, its result and the data


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"depth": 1}, TypeError, "pass module=model as well"),
        ({"module": "model"}, TypeError, "must be a Module, not str"),
        ({"module": nn.Dense(1, 1), "depth": -1}, ValueError, "depth=-1 is negative"),
    ],
)
def test_modules_and_depths_that_do_not_fit_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        draw_graph(np.exp(Tensor(1.0, requires_grad=True)), **options)
