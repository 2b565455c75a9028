"""The picture of a graph: its structure, held against the graph, and its text."""

import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.core.graph import Node, ancestors
from autograd_lite.draw import draw_graph


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def parts(graph):
    """The nodes as a dict from id to label, and the edges as (tail, head, label)."""
    label = r'label=("(?:[^"\\]|\\.)*"|\S+?)[ \]]'
    nodes = dict(re.findall(rf"^\t([nas]\d+) \[.*?{label}", graph.source, re.MULTILINE))
    edges = re.findall(rf"^\t([nas]\d+) -> ([nas]\d+)(?: \[{label})?", graph.source, re.MULTILINE)
    return {k: v.strip('"') for k, v in nodes.items()}, [(a, b, c.strip('" ')) for a, b, c in edges]


def mlp_loss():
    model = nn.MLP([784, 128, 10], rng=0)
    X = np.random.default_rng(0).standard_normal((32, 784)).astype("f4")
    loss = nn.softmax_cross_entropy(model(X), np.arange(32) % 10)
    loss.name = "loss"
    return model, loss


def test_every_recorded_call_and_leaf_is_a_node():
    _, loss = mlp_loss()
    nodes, _ = parts(draw_graph(loss))
    order = ancestors(loss.node)
    assert [name for name in nodes if name.startswith("n")] == [f"n{i}" for i in range(len(order))]
    for i, node in enumerate(order):
        if node.recipe is not None:
            assert nodes[f"n{i}"] == node.recipe.rule.name.removeprefix("np.").lstrip("_")


def test_every_parent_is_an_edge_in_the_cotangents_direction():
    _, loss = mlp_loss()
    _, edges = parts(draw_graph(loss))
    order = ancestors(loss.node)
    index = {node: i for i, node in enumerate(order)}
    expected = {(f"n{index[node]}", f"n{index[parent]}") for node in order for parent in node.parents}
    assert {(a, b) for a, b, _ in edges} == expected | {("a0", "n0")}


def test_edges_carry_the_cotangents_shape_and_the_argument():
    W = leaf(np.ones((3, 2)))
    _, edges = parts(draw_graph(np.ones((4, 3)) @ W))
    assert ("n0", "n1", "x2: (3, 2)") in edges


def test_the_forward_picture_is_the_other_way_round_without_sums():
    x = leaf(2.0)
    y = x * x + x
    _, edges = parts(draw_graph(y, direction="forward"))
    assert sorted((a, b) for a, b, _ in edges) == [("n0", "a0"), ("n1", "n0"), ("n2", "n0"), ("n2", "n1"), ("n2", "n1")]


def test_a_named_intermediate_stands_between_its_calls_in_both_directions():
    x = leaf(2.0)
    h = np.exp(x)
    h.name = "h"
    y = np.sin(h)
    _, backward = parts(draw_graph(y))
    _, forward = parts(draw_graph(y, direction="forward"))
    assert [(a, b) for a, b, _ in backward] == [("a0", "n0"), ("a1", "n1"), ("n0", "a1"), ("n1", "n2")]
    assert sorted((a, b) for a, b, _ in forward) == [("a1", "n0"), ("n0", "a0"), ("n1", "a1"), ("n2", "n1")]


def test_the_sum_is_drawn_where_several_cotangents_meet():
    x = leaf(2.0)
    nodes, edges = parts(draw_graph(x * x + x))
    assert nodes["s2"] == "+"
    assert sum(head == "s2" for _, head, _ in edges) == 3
    assert ("s2", "n2", "") in edges


def test_leaves_the_output_and_results_differ_in_form():
    x = leaf(2.0, name="x")
    h = (x * 3).retain_grad()
    source = draw_graph(np.exp(h)).source
    assert re.search(r"^\tn2 .*penwidth=2 .*shape=box", source, re.MULTILINE)
    assert re.search(r"^\ta0 .*peripheries=2 ", source, re.MULTILINE)
    assert re.search(r'^\ta1 .*style="filled,dashed"', source, re.MULTILINE)


def test_names_are_given_either_way_round_and_go_before_the_tensors_own():
    model, loss = mlp_loss()
    for names in (dict(model.named_parameters()), {p: n for n, p in model.named_parameters()}):
        nodes, _ = parts(draw_graph(loss, names=names))
        assert {label.split("\\n")[0] for name, label in nodes.items() if "float32" in label} == {
            "loss", "layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias",
        }  # fmt: skip


def test_before_backward_there_are_no_gradients_and_a_note_says_why():
    _, loss = mlp_loss()
    source = draw_graph(loss).source
    assert "gradient rms" not in source
    assert "gradients are not shown, because backward() has not run" in source


def test_after_backward_the_leaves_show_their_gradients_size():
    x = leaf([3.0, 4.0])
    y = np.sum(0.5 * x * x)
    y.backward()
    nodes, _ = parts(draw_graph(y))
    assert any(label.endswith("gradient rms 3.54e+00") for label in nodes.values())
    assert "not shown" not in draw_graph(y).source


def test_a_graph_of_second_derivatives_is_drawn():
    x = leaf(2.0, name="x")
    (x**3).backward(create_graph=True)
    nodes, _ = parts(draw_graph(x.grad))
    assert "multiply" in nodes.values()


def test_each_of_several_results_is_a_node_with_its_own_shape():
    matrix = Tensor(np.diag([1.0, 2.0]), requires_grad=True)
    w, v = np.linalg.eigh(matrix)
    source = draw_graph(np.sum(w) + np.sum(v)).source
    assert 'label="result 0"' in source
    assert 'label="result 1"' in source
    assert "((2,), (2, 2))" not in source


def test_a_complex_leaf_shows_its_gradients_size():
    z = Tensor([3.0 + 4.0j], requires_grad=True)
    y = np.sum(np.abs(z) ** 2)
    y.backward()
    assert "gradient 6-8j" in draw_graph(y).source


def test_the_same_graph_gives_the_same_text():
    _, loss = mlp_loss()
    assert draw_graph(loss).source == draw_graph(loss).source


def test_a_graph_of_ten_thousand_nodes_is_written_quickly():
    y = leaf(1.0)
    for _ in range(10_000):
        y = y + 1.0
    start = time.process_time()  # a busy machine takes longer by the clock
    source = draw_graph(y).source
    assert time.process_time() - start < 5
    assert source.count("->") == 10_001


@pytest.mark.parametrize(
    "name", ['<b>"x"</b>', "a\\nb", "back\\slash", "two\nlines", "{record|like}", "&amp; <", "\\N", "ℒ_θ"]
)
def test_a_name_draws_as_its_text(name, dot):
    x = leaf(1.0, name=name)
    svg = draw_graph(np.exp(x)).pipe(format="svg", encoding="utf-8")
    texts = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert name.replace("\n", "\\n") in [text.replace("\xa0", " ") for text in texts]


@pytest.mark.parametrize(
    ("output", "kwargs", "error", "message"),
    [
        (np.ones(2), {}, TypeError, "expected a Tensor.*not ndarray"),
        (Tensor(1.0), {}, TypeError, "requires no gradient, so no graph was recorded"),
        (leaf(1.0), {"direction": "up"}, ValueError, "'backward', 'forward' or 'both'"),
        (leaf(1.0), {"names": ["a"]}, TypeError, "names= must map"),
    ],
)
def test_what_cannot_be_drawn_is_refused(output, kwargs, error, message):
    with pytest.raises(error, match=message):
        draw_graph(output, **kwargs)


# ---- what drawing costs those who do not draw ----


def test_nothing_of_pictures_is_imported_until_one_is_drawn():
    program = "import sys, autograd_lite, nn; print([m for m in sys.modules if 'draw' in m or m == 'graphviz'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_node_keeps_no_more_than_differentiation_needs():
    assert sorted(Node.__slots__) == ["dtype", "name", "parents", "recipe", "saved", "shape", "slot"]
    x = leaf(np.ones(3))
    node = (np.exp(x) * 2).node
    assert not hasattr(node, "__dict__")
    assert node.name is None
    assert node.slot is None


def test_drawing_leaves_the_graph_as_it_was():
    _, loss = mlp_loss()
    before = [(node.saved, node.slot, node.name, node.parents) for node in ancestors(loss.node)]
    loss.backward(retain_graph=True)
    draw_graph(loss, "both", values=True, heat="grad", memory=True).source  # noqa: B018 - the text is made on demand
    after = [(node.saved, node.slot, node.name, node.parents) for node in ancestors(loss.node)]
    for old, new in zip(before, after, strict=True):
        assert all(a is b for a, b in zip(old, new, strict=True))
