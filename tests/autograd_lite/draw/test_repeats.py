"""Units that a graph repeats, folded into one node."""

import re

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.draw import draw_graph
from autograd_lite.draw.graph_info import Contents
from autograd_lite.draw.repeats import find_repeats


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def chain(depth, start=1.0):
    a = start
    for layer in range(1, depth + 1):
        a = nn.sigmoid(leaf(1.5, f"w{layer}") * a + leaf(-0.5, f"b{layer}"))
        a.name = f"a{layer}"
    return 0.5 * (a - 2.0) ** 2


def folded(graph):
    return [text.split("\\n") for text in re.findall(r'^\tr\d+ \[label="(.*?)"', graph.source, re.MULTILINE)]


def titles(loss):
    return [run.title for run in find_repeats(Contents(loss, None))]


@pytest.mark.parametrize("depth", [3, 7, 20])
@pytest.mark.parametrize("start", [1.0, leaf(1.0, "x")], ids=["constant", "leaf"])
def test_the_layers_of_a_deep_network_are_one_node_with_their_number(depth, start):
    loss = chain(depth, start)
    assert titles(loss) == [f"sigmoid layer × {depth}"]
    ends = re.findall(r"^\t(\w+) -> (\w+)", draw_graph(loss, fold=True).source, re.MULTILINE)
    assert ("n2", "r0") in ends
    assert len(ends) == 4 + isinstance(start, Tensor)


def test_two_layers_are_not_folded():
    assert titles(chain(2)) == []


def test_the_gradients_of_the_first_and_the_last_unit_are_told():
    loss = chain(20)
    loss.backward(retain_graph=True)
    (text,) = folded(draw_graph(loss, fold=True))
    assert text[:2] == ["sigmoid layer × 20", "40 parameters"]
    first, last = (float(line.split()[2]) for line in text[2:])
    assert first < 1e-8 < last
    assert [line.split()[-1] for line in text[2:]] == ["first", "last"]


def test_units_of_other_shapes_are_not_folded_with_them():
    model = nn.MLP([8, 8, 8, 8, 8, 5, 3], "tanh", rng=0)
    assert titles(np.sum(model(np.ones((2, 8), np.float32)))) == ["tanh layer × 4"]


def test_a_layer_ends_with_its_activation_where_the_run_leaves_the_choice():
    model = nn.MLP([5, 8, 8, 8, 8, 3], "tanh", rng=0)  # the first product differs, its addition and activation do not
    (run,) = find_repeats(Contents(np.sum(model(np.ones((2, 5), np.float32))), None))
    assert run.title == "tanh layer × 3"
    for unit in run.units:
        assert [node.recipe.rule.name for node in unit if node.recipe] == ["np.matmul", "np.add", "np.tanh"]


def test_weights_that_all_steps_share_stay_outside():
    W, U, h = leaf(np.eye(3), "W"), leaf(np.ones((2, 3)), "U"), leaf(np.zeros(3), "h0")
    for step in range(6):
        h = np.tanh(h @ W + np.array([step, 1.0]) @ U)
    graph = draw_graph(np.sum(h), fold=True)
    assert folded(graph) == [] or folded(graph)[0][0] == "tanh layer × 6"
    assert "tanh layer × 6" in graph.source
    for name in ("W", "U", "h0"):
        assert f'label="{name}\\n' in graph.source
    assert not re.search(r"^\tc\d", graph.source, re.MULTILINE)  # the data of the steps are in the fold


def test_other_repetitions_are_called_by_their_calls():
    y = leaf(2.0, "x")
    for _ in range(5):
        y = np.sin(np.exp(y))
    assert titles(y * 1.0) == ["exp, sin × 5"]


def test_modules_and_repetitions_fold_together():
    blocks = [nn.Sequential(nn.Dense(4, 4, rng=i), nn.Tanh()) for i in range(5)]
    model = nn.Sequential(*blocks, nn.Dense(4, 2, rng=9))
    graph = draw_graph(np.sum(model(np.ones((3, 4), np.float32))), fold=True, module=model)
    assert "tanh layer × 5\\n100 parameters" in graph.source
    assert "layers.5: Dense" in graph.source
    assert "layers.3" not in graph.source


def test_both_pictures_fold():
    assert draw_graph(chain(5), "both", fold=True).source.count("sigmoid layer × 5") == 2


def test_nothing_is_folded_unasked():
    assert "×" not in draw_graph(chain(5)).source
