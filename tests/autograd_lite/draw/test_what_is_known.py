"""Values and gradients in pictures, wherever they are: kept, held by a tensor that is alive, or computed again."""

import gc
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor
from autograd_lite.core.graph import ancestors
from autograd_lite.core.stepper import cotangents_of_all
from autograd_lite.draw import draw_graph
from autograd_lite.draw.graph_info import Contents
from autograd_lite.draw.live import Variables, live_values


def leaf(data, name=None):
    return Tensor(data, requires_grad=True, name=name)


def labels(graph):
    return [text.split("\\n") for text in re.findall(r'label=("?)(.*?)\1 color', graph.source) for text in text[1:]]


# ---- values ----


@pytest.mark.parametrize("number", [float, np.float64, np.float32, np.array])
def test_every_number_of_a_circuit_of_scalars_is_shown(number):
    x, y, z = leaf(number(-2.0)), leaf(number(5.0)), leaf(number(-4.0))
    f = (x + y) * z
    f.backward()
    shown = {text[0]: text[1:] for text in labels(draw_graph(f, values=True))}
    assert shown["x"] == ["value -2", "gradient -4"]
    assert shown["y"] == ["value 5", "gradient -4"]
    assert shown["z"] == ["value -4", "gradient 3"]
    assert shown["add"] == ["value 3", "gradient -4"]
    assert shown["f"] == ["value -12", "gradient 1"]


def test_a_tensor_that_is_alive_shows_its_value_where_the_graph_keeps_none():
    x = leaf([1.0, 2.0, 3.0])
    shift = x + np.array([10.0, 20.0, 30.0])
    y = np.sum(shift * 2)
    assert ["add", "value [11, 22, 33]"] in labels(draw_graph(y, values=True))
    del shift
    assert ["add", "value gone"] in labels(draw_graph(y, values=True))


def test_tensors_are_found_without_a_reference_in_the_graph():
    y = leaf(3.0) * 2
    node = y.node
    assert float(live_values([node])[node]) == 6.0
    del y
    gc.collect()
    assert live_values([node]) == {}


def assign(w):
    w.data = np.array([7.0, 8.0])


HELD = []


def write(w):
    w.data[0] = 7.0


def write_and_hold(w):
    HELD.append(w.data)
    HELD[-1][0] = 7.0


def train(w):
    w.grad = Tensor([1.0, 1.0])
    nn.SGD([w], lr=0.1).step()


OTHER = leaf([3.0, 4.0])


@pytest.mark.parametrize(
    ("change", "other"),
    [
        (assign, OTHER),
        (write, OTHER),
        (write_and_hold, OTHER),
        (train, OTHER),
        (assign, OTHER.data),
        (train, OTHER.data),
    ],
)
def test_a_leaf_that_was_changed_afterwards_shows_no_value_that_the_graph_did_not_read(change, other):
    w = leaf([1.0, 2.0], "w")
    y = np.sum(w * other)
    change(w)
    (of_leaf,) = [text for text in labels(draw_graph(y, values=True)) if text[0] == "w"]
    assert of_leaf[:3] == ["w", "(2,) float64", "value gone"]


def test_numpys_numbers_that_the_graph_keeps_are_shown():
    y = np.sin(leaf(0.5) + leaf(3.0))  # the leaves are gone, and the sine keeps what it took, which is no array
    assert ["add", "value 3.5"] in labels(draw_graph(y, values=True))


OPERATIONS = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "exp": lambda a, b: np.exp(a / 4), "tanh": lambda a, b: np.tanh(a), "sigmoid": lambda a, b: nn.sigmoid(a),
    "maximum": lambda a, b: np.maximum(a, b), "divide": lambda a, b: a / (2 + b * b), "negative": lambda a, b: -a,
}  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_what_is_computed_again_is_what_the_program_had(program):
    known = [leaf(0.5), leaf(-1.5), leaf(2.0)]
    for name, i, j in program:
        known.append(OPERATIONS[name](known[i % len(known)], known[j % len(known)]))
    out = known[-1] + known[0]
    values = {tensor.node: tensor.item() for tensor in [*known, out]}
    expected = cotangents_of_all(out.node)
    out.backward()
    del known[3:]
    contents = Contents(out, None, complete=True)
    for node, value in contents.values.items():
        if node in values:
            assert value == pytest.approx(values[node], rel=1e-9)
    for node, gradient in contents.gradients().items():
        np.testing.assert_allclose(gradient, expected[node], rtol=1e-12)
    steps = {name for name, _, _ in program} - {"divide", "exp"}
    if steps == {name for name, _, _ in program}:  # without constants, nothing is gone with the graph
        assert contents.gradients().keys() == {*ancestors(out.node)}


def test_gradients_of_a_freed_graph_are_computed_again_as_far_as_that_is_possible():
    x = leaf(2.0, "x")
    a = x * 5.0  # the 5 is gone with the graph
    b = np.sin(a)
    y = b * b
    y.backward()
    contents = Contents(y, None, complete=True)
    found = contents.gradients()
    assert found[b.node] == 2 * np.sin(10.0)
    assert found[a.node] == pytest.approx(2 * np.sin(10.0) * np.cos(10.0))
    assert found[x.node] == x.grad.data


def test_functions_of_the_users_own_are_not_called_again():
    from autograd_lite import custom_vjp

    calls = []

    @custom_vjp(x=lambda g, x: g * 2 * x)
    def square(x):
        calls.append(1)
        return x * x

    y = np.sum(square(leaf([3.0, 4.0])))
    assert ["square", "value gone"] in labels(draw_graph(y, values=True))
    assert len(calls) == 1


# ---- names ----


def test_data_and_leaves_are_called_by_the_names_of_the_programs_variables():
    X = np.arange(6.0).reshape(3, 2)
    W = leaf(np.ones((2, 2)))
    titles = [text[0] for text in labels(draw_graph(np.sum(X @ W)))]
    assert "X" in titles
    assert "W" in titles


def test_data_are_called_by_the_name_of_the_argument_where_the_variable_is_out_of_sight():
    def draw(batch):
        w = leaf(np.ones(2))
        return draw_graph(np.sum(batch @ w))

    assert "batch" in [text[0] for text in labels(draw(np.arange(6.0).reshape(3, 2)))]


def test_equal_data_in_two_variables_are_called_by_neither():
    variables = Variables([{"a": np.arange(3), "b": np.arange(3), "c": np.arange(4), "d": np.zeros(5)}])
    assert variables.of_array(np.arange(3)) is None
    assert variables.of_array(np.arange(4)) == "c"
    assert variables.of_array(np.zeros(5)) is None  # any array of zeros


def test_of_two_variables_with_the_same_array_the_first_names_it():
    x = np.ones(3)
    assert Variables([{"_": x, "x": x, "y": x}]).of_array(x) == "x"


def test_names_of_all_local_variables_name_the_tensors_among_them():
    x, count, text, module = leaf(2.0), 3, "text", np
    weights = [leaf(1.0), leaf(4.0)]
    hidden = x * weights[0]
    y = hidden * weights[1] + count
    shown = [label[0] for label in labels(draw_graph(y, names=locals()))]
    assert {"x", "weights[0]", "weights[1]", "hidden", "y"} <= {*shown}
    assert text
    assert module


# ---- labels without noise ----


def edges_of(graph):
    return [a or b for a, b in re.findall(r'-> \w+(?: \[label=(?:"\s*([^"]*)"|(\S+?)))?', graph.source)]


def test_edges_of_numbers_have_no_text():
    assert {*edges_of(draw_graph(leaf(1.0) * leaf(2.0) + 1))} == {""}


def test_arguments_are_named_only_where_it_matters_which_is_which():
    A, B = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    assert "x1: (2, 2)" in edges_of(draw_graph(A @ B))
    assert not any("x1" in text for text in edges_of(draw_graph(A + B)))
    assert not any("x" in text for text in edges_of(draw_graph(np.exp(A))))
