"""What pictures tell in numbers and colours: values, gradients, memory."""

import re

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.draw import draw_graph
from autograd_lite.draw.styles import HeatScale
from autograd_lite.draw.text import gradient_of, root_mean_square, values_of


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def attributes(graph):
    """From each node's id to its attributes."""
    found = {}
    for name, text in re.findall(r"^\t*(\w+) \[(.*)\]$", graph.source, re.MULTILINE):
        found[name] = {k: v.strip('"') for k, v in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|[^ \]]+)', text)}
    return found


def lines(graph, node):
    return attributes(graph)[node]["label"].split("\\n")


# ---- numbers in words ----


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array(0.5), ["0.5"]),
        (np.array([1.0, -2.0]), ["[1, -2]"]),
        (np.array([[1.0, 0.25], [3.0, 4.0]]), ["[1, 0.25]", "[3, 4]"]),
        (np.zeros((0, 3)), ["empty"]),
        (np.arange(10.0), ["mean 4.5, std 2.87", "from 0 to 9"]),
        (np.r_[np.nan, np.zeros(9)], ["mean nan, std nan", "from nan to nan", "1 not finite"]),
    ],
)
def test_small_arrays_are_written_out_and_large_ones_summed_up(array, expected):
    assert values_of(array) == expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([3.0, 4.0]), "gradient rms 3.54e+00"),
        (np.array([3.0, 0.0]), "gradient rms 2.12e+00, 50% zeros"),
        (np.array(-0.25), "gradient -0.25"),
        (np.zeros(3), "gradient exactly 0"),
        (np.array([np.nan, 1.0]), "gradient has 1 NaN"),
        (np.zeros(0), "gradient empty"),
    ],
)
def test_gradients_tell_their_size_and_what_is_wrong_with_them(array, expected):
    assert gradient_of(array) == expected


def test_the_root_mean_square_stays_in_range():
    assert root_mean_square(np.array([3e-300, 4e-300])) == pytest.approx(3.5355e-300, rel=1e-4)
    assert root_mean_square(np.array([3e300, 4e300])) == pytest.approx(3.5355e300, rel=1e-4)


# ---- values and gradients in pictures ----


def network_loss(**options):
    rng = np.random.default_rng(0)
    model = nn.MLP([4, 3, 2], "tanh", rng=0, dtype=np.float64)
    hidden = []
    for layer in model:
        hidden.append(layer(hidden[-1] if hidden else rng.normal(size=(5, 4))))
    for h in hidden:
        h.retain_grad()
    loss = nn.softmax_cross_entropy(hidden[-1], np.array([0, 1, 0, 1, 1]))
    loss.backward(**options)
    return loss, hidden


def test_values_are_those_that_the_graph_holds():
    x = leaf([0.5, -1.0], "x")
    y = np.sum(np.tanh(x))
    source = draw_graph(y, values=True, names={"x": x})
    assert lines(source, "n2") == ["x", "(2,) float64", "value [0.5, -1]"]
    assert lines(source, "n1") == ["tanh", "value [0.4621, -0.7616]"]
    assert lines(source, "a0") == ["y", "value -0.2995"]


def test_gradients_of_results_are_those_of_the_pass():
    loss, hidden = network_loss(retain_graph=True)
    shown = draw_graph(loss, heat="grad").source
    for h in hidden:
        assert gradient_of(h.grad.data) in shown
        h.node.slot.keeps, h.node.slot.grad = False, None
    again = draw_graph(loss, heat="grad").source
    assert sorted(re.findall(r"gradient rms [\d.e+-]+", again)) == sorted(re.findall(r"gradient rms [\d.e+-]+", shown))


def test_drawing_changes_no_gradient():
    x = leaf([1.0, 2.0])
    y = np.sum(x**2)
    y.backward(retain_graph=True)
    draw_graph(y, "both", values=True, heat="grad", memory=True)
    assert x.grad.tolist() == [2.0, 4.0]
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_gradients_are_shown_as_hooks_leave_them():
    x = leaf(2.0, "x")
    h = x * x
    h.name = "h"
    h.register_hook(lambda g: g * 10)
    y = h * 3
    y.backward(retain_graph=True)
    assert lines(draw_graph(y, values=True), "a1") == ["h", "value 4", "gradient 30"]
    assert x.grad.item() == 120


def test_the_graph_of_a_gradient_is_drawn_like_any_other():
    x = leaf([1.0, 2.0], "x")
    np.sum(x**3).backward(create_graph=True)
    first = x.grad
    assert "gradient" not in lines(draw_graph(np.sum(first)), "a0")[-1]
    x.zero_grad()
    np.sum(first).backward(retain_graph=True)
    of_x = lines(draw_graph(np.sum(first), values=True), "n4")
    assert of_x == ["x", "(2,) float64", "value [1, 2]", "gradient [6, 12]"]


def test_a_view_counts_for_what_it_shows_of_its_owner():
    data = np.ones((10_000, 10))  # larger than what graphs copy
    w = leaf(np.ones(10))
    y = np.sum((data[:4] @ w) + (data[2:6] @ w))
    assert "the graph keeps 640 B" in draw_graph(y).source
    everything = np.sum(data[::2] @ w) + np.sum(data[1:] @ w) + np.sum(data @ w)
    assert "the graph keeps 800 kB" in draw_graph(everything).source


def test_nothing_is_said_to_be_missing_where_a_call_has_several_results():
    x = leaf(np.diag([1.0, 2.0]))
    y = np.sum(np.linalg.eigh(x)[0])
    y.backward(retain_graph=True)
    assert "not shown" not in draw_graph(y, heat="grad").source


def test_after_the_graph_is_freed_a_note_says_what_is_missing():
    x = leaf([1.0, 2.0])
    y = np.sum(np.exp(x * np.array([3.0, 4.0])))  # the constant is gone with the graph
    y.backward()
    graph = draw_graph(y, heat="grad")
    assert "backward(retain_graph=True) keeps it" in graph.source
    assert lines(graph, "n3")[-1] == gradient_of(x.grad.data)


@pytest.mark.parametrize("options", [{"heat": "grad"}, {"values": True}])
def test_before_backward_nothing_is_taken_for_a_gradient(options):
    graph = draw_graph(np.sum(np.exp(leaf([1.0, 2.0]))), **options)
    assert "gradient " not in graph.source
    assert "gradients are not shown, because backward() has not run" in graph.source
    assert "cluster_legend" not in graph.source


# ---- heat ----


def test_larger_gradients_are_darker():
    def lightness(look):
        colour = look["fillcolor"]
        return sum(int(colour[i : i + 2], 16) for i in (1, 3, 5))

    scale = HeatScale([1e-6, 1.0])
    looks = [scale.look(10.0**k) for k in range(-6, 1)]
    assert sorted(map(lightness, looks), reverse=True) == list(map(lightness, looks))
    assert (looks[0]["fontcolor"], looks[-1]["fontcolor"]) == ("black", "white")


def test_the_legend_spans_the_gradients_with_few_powers_of_ten():
    assert [label for label, _ in HeatScale([0.003, 0.2, 0.0]).legend()] == ["1e-3", "1e-2", "1e-1", "1e0"]
    labels = [label for label, _ in HeatScale([1e-40, 1e3]).legend()]
    assert (labels[0], labels[-1]) == ("1e-40", "1e3")
    assert len(labels) <= 8


def test_nodes_are_coloured_by_their_gradients():
    loss, _ = network_loss(retain_graph=True)
    graph = draw_graph(loss, heat="grad")
    found = attributes(graph)
    assert found["a0"]["fillcolor"] == HeatScale([1.0, 0.001]).look(1.0)["fillcolor"]
    assert len({look["fillcolor"] for look in found.values() if "gradient rms" in look.get("label", "")}) > 5
    assert "root mean square of the gradient" in graph.source


def test_gradients_that_are_exactly_zero_and_those_with_nan_stand_out():
    x, w = leaf([-1.0, -2.0], "dead"), leaf([1.0, np.nan], "lost")
    y = np.sum(nn.relu(x)) + np.sum(w * w)
    y.backward(retain_graph=True)
    found = {look.get("label", "").split("\\n")[0]: look for look in attributes(draw_graph(y, heat="grad")).values()}
    assert (found["dead"]["fillcolor"], found["dead"]["style"]) == ("white", "filled,dotted")
    assert found["dead"]["label"].endswith("gradient exactly 0")
    assert found["lost"]["fillcolor"] == "black"
    assert found["lost"]["label"].endswith("gradient has 1 NaN")


def test_what_the_heat_is_of_must_be_known():
    with pytest.raises(ValueError, match="heat='values' is unknown; expected 'grad'"):
        draw_graph(np.exp(leaf(1.0)), heat="values")


# ---- memory ----


def test_calls_tell_what_their_rules_keep():
    x = leaf(np.ones((10, 10)))
    graph = draw_graph(np.sum(np.exp(x) * x + 1.0), memory=True)
    kept = [
        text for look in attributes(graph).values() for text in look.get("label", "").split("\\n") if "keeps" in text
    ]
    assert sorted(kept) == ["keeps out: 800 B", "keeps x2, x1: 1.6 kB", "the graph keeps 1.6 kB"]


def test_what_a_function_computed_on_the_way_for_its_rule_counts_as_kept():
    logits = Tensor(np.zeros((100, 5)), requires_grad=True)
    graph = draw_graph(nn.softmax_cross_entropy(logits, np.zeros(100, np.int64)), memory=True)
    assert "keeps logits, labels, probabilities: 8.8 kB" in graph.source
    assert "the graph keeps 8.8 kB" in graph.source


def test_after_backward_a_freed_graph_keeps_nothing():
    y = np.sum(np.exp(leaf(np.ones(3))))
    assert "the graph keeps 24 B" in draw_graph(y).source
    y.backward()
    assert "the graph keeps" not in draw_graph(y).source


# ---- constants, and both pictures ----


def test_constants_are_in_a_picture_once_and_no_cotangent_goes_to_them():
    data = np.ones((4, 3))
    w, v = leaf(np.ones(3)), leaf(np.ones(3))
    y = np.sum(data @ w) + np.sum(data @ v)
    forward, backward = draw_graph(y, "forward"), draw_graph(y)
    notes = [name for name, look in attributes(forward).items() if look.get("shape") == "note"]
    assert notes == ["c0"]
    assert lines(forward, "c0") == ["data", "(4, 3) float64"]
    assert len(re.findall(r"^\tc0 -> n\d+ ", forward.source, re.MULTILINE)) == 2
    read = re.findall(r"^\tn\d+ -> c0 \[(.*)\]", backward.source, re.MULTILINE)
    assert len(read) == 2
    assert all("arrowhead=none" in look and "style=dotted" in look for look in read)


def test_both_pictures_stand_beside_each_other():
    x = leaf(2.0, "x")
    graph = draw_graph(x * x, "both")
    assert "subgraph cluster_forward" in graph.source
    assert "subgraph cluster_backward" in graph.source
    edges = set(re.findall(r"(\w+) -> (\w+)", graph.source))
    assert {("fn1", "fn0"), ("fn0", "fa0"), ("ba0", "bn0"), ("bn0", "bs1"), ("bs1", "bn1")} == edges
