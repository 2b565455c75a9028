"""The circuit of the textbooks: signs in circles, values over the wires, gradients under them."""

import re
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor
from autograd_lite.core.graph import ancestors
from autograd_lite.core.stepper import cotangents_of_all
from autograd_lite.draw import draw_graph
from autograd_lite.draw.text import values_of

ALIVE = []


def leaf(data, name=None):
    """A leaf that is alive to the end of the tests, as a program's parameters are."""
    ALIVE.append(Tensor(data, requires_grad=True, name=name))
    return ALIVE[-1]


def text_of(html):
    return unescape(re.sub(r"<[^>]*>", " ", html)).replace("\xa0", " ").strip()


def wires(graph):
    """From each wire's id to its text before or over the line, and under it."""
    found = {}
    for name, label in re.findall(r"^\t([wc]\d+) \[label=<(.*)> class=wire shape=plain\]$", graph.source, re.MULTILINE):
        found[name] = tuple(" ".join(text_of(part).split()) for part in label.split("<hr/>"))
    return found


def signs(graph):
    found = re.findall(r'^\tn(\d+) \[label="?(.*?)"? color=', graph.source, re.MULTILINE)
    return [sign for _, sign in sorted(found, key=lambda pair: int(pair[0]))]


def textbook():
    x, y, z = leaf(-2.0, "x"), leaf(5.0, "y"), leaf(-4.0, "z")
    f = (x + y) * z
    f.name = "f"
    f.backward()
    return f


def test_the_circuit_of_the_textbooks_has_every_value_and_every_gradient():
    graph = draw_graph(textbook(), style="circuit")
    assert sorted(wires(graph).values()) == [
        ("-12", "1 f"), ("3", "-4"), ("x -2", "-4"), ("y 5", "-4"), ("z -4", "3"),
    ]  # fmt: skip
    assert signs(graph) == ["×", "+"]
    assert "rankdir=LR" in graph.source


def test_before_backward_the_circuit_has_the_values_alone():
    x = leaf(2.0, "x")
    graph = draw_graph(x * x, style="circuit")
    assert {under for _, under in wires(graph).values()} <= {"", "f"}
    assert "backward() has not run" in graph.source


SIGNS = {
    "+": lambda a, b: a + b, "−": lambda a, b: a - b, "×": lambda a, b: a * b, "÷": lambda a, b: a / (b * b + 1),
    "× (−1)": lambda a, b: -a, "exp": lambda a, b: np.exp(a / 9), "x²": lambda a, b: a**2, "x³": lambda a, b: a**3,
    "1/x": lambda a, b: 1 / (a * a + 1), "σ": lambda a, b: nn.sigmoid(a), "max": lambda a, b: np.maximum(a, b),
    "tanh": lambda a, b: np.tanh(a), "√": lambda a, b: np.sqrt(a * a + 2), "ReLU": lambda a, b: nn.relu(a),
}  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(sorted(SIGNS)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=6)
)
def test_every_program_of_scalars_is_drawn_with_the_engines_numbers(program):
    known = [leaf(0.5), leaf(-1.25)]
    for sign, i, j in program:
        known.append(SIGNS[sign](known[i % len(known)], known[j % len(known)]))
    out = known[-1]
    gradients = cotangents_of_all(out.node)
    out.backward(retain_graph=True)
    graph = draw_graph(out, style="circuit")
    drawn = wires(graph)
    values = {tensor.node: tensor.data for tensor in known}
    assert program[-1][0] in signs(graph)
    for i, node in enumerate(ancestors(out.node)):
        over, under = drawn[f"w{i}"]
        assert values_of(np.asarray(gradients[node]))[0] in under.split()
        if node in values:
            assert values_of(values[node])[0] in over.split()
        assert "?" not in over
    assert not re.search(r"float|\d B\b|\(\)", graph.source)


@pytest.mark.parametrize(
    ("compute", "number", "sign"),
    [
        (lambda x: x + 1.5, "1.5", "+"), (lambda x: 1.5 + x, "1.5", "+"), (lambda x: x - 0.25, "0.25", "−"),
        (lambda x: 0.25 - x, "0.25", "−"), (lambda x: x * 3, "3", "×"), (lambda x: x / 4, "4", "÷"),
        (lambda x: 5 / x, "5", "÷"), (lambda x: np.maximum(x, 0), "0", "max"),
    ],
)  # fmt: skip
def test_a_constant_has_a_wire_with_its_number_and_no_gradient(compute, number, sign):
    out = np.exp(compute(leaf(2.0, "x")))
    out.backward(retain_graph=True)
    graph = draw_graph(out, style="circuit")
    assert [wire for name, wire in wires(graph).items() if name.startswith("c")] == [(number, "")]
    assert signs(graph)[1] == sign


def test_a_constant_that_rounding_has_swallowed_is_not_made_up():
    out = np.exp(leaf(1e17, "x") * 1e-17) + 1e-17
    assert not any(name.startswith("c1") for name in wires(draw_graph(out, style="circuit")))


def test_exponents_and_the_one_of_a_reciprocal_are_part_of_the_sign():
    x = leaf(2.0, "x")
    assert signs(draw_graph(x**12, style="circuit")) == ["x¹²"]
    assert signs(draw_graph(x**-1, style="circuit")) == ["x⁻¹"]
    assert signs(draw_graph(x**0.5, style="circuit")) == ["√"]
    assert signs(draw_graph(1 / x, style="circuit")) == ["1/x"]


def test_operands_come_in_from_top_to_bottom_in_their_order():
    x = leaf(2.0, "x")
    source = draw_graph(np.exp(3.0 - x), style="circuit").source
    assert re.findall(r"^\t([wc]\d+):w:e -> n1 ", source, re.MULTILINE) == ["c0", "w2"]


def test_arrays_show_their_numbers_or_their_shape():
    X, W = np.arange(4.0).reshape(2, 2), leaf(np.ones((2, 20)), "W")
    out = np.sum(X @ W)
    out.backward(retain_graph=True)
    drawn = wires(draw_graph(out, style="circuit"))
    assert ("X [0, 1] [2, 3]", "") in drawn.values()
    assert ("W 2×20", "rms 3.2") in drawn.values()


def test_a_result_of_the_program_has_its_name_over_the_wire():
    x = leaf(2.0, "x")
    q = x * 3
    assert ("q = 6", "") in wires(draw_graph(q + x, style="circuit")).values()


def test_what_is_gone_is_marked_and_a_note_says_why():
    x = leaf(2.0, "x")
    out = np.exp(x * 3 + 1)
    out.backward()
    graph = draw_graph(out, style="circuit")
    assert ("?", "") in wires(graph).values()
    assert "backward(retain_graph=True) keeps it" in graph.source


def test_without_values_the_circuit_is_bare():
    graph = draw_graph(textbook(), style="circuit", values=False)
    assert {text for pair in wires(graph).values() for text in pair} == {"x", "y", "z", "f", ""}


def test_in_print_everything_is_black_on_white():
    colours = {
        *re.findall(r'color="([^"]*)"|color=(\w+)', draw_graph(textbook(), style="circuit", palette="print").source)
    }
    assert {a or b for a, b in colours} == {"black", "white"}


def test_the_size_of_the_text_is_that_of_all_numbers():
    assert 'point-size="20"' in draw_graph(textbook(), style="circuit", fontsize=20).source


@pytest.mark.parametrize("name", ["<b>&</b>", 'say "x"', "back\\slash", "\\N", "a\nb", "ℒ_θ"])
def test_a_name_in_a_circuit_draws_as_its_text(name, dot):
    import xml.etree.ElementTree as ElementTree

    svg = draw_graph(np.exp(leaf(1.0, name)), style="circuit").pipe(format="svg", encoding="utf-8")
    texts = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert name.replace("\n", "\\n") in [text.replace("\u2060", "").replace("\xa0", " ").strip() for text in texts]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"style": "cake"}, ValueError, "style='cake' is unknown; expected 'graph', 'circuit' or 'network'"),
        ({"rankdir": "up"}, ValueError, "rankdir='up' is unknown; expected 'TB', 'LR', 'BT' or 'RL'"),
        ({"palette": "neon"}, ValueError, "palette='neon' is unknown; expected 'colorblind' or 'print'"),
        ({"fontsize": 0}, ValueError, "fontsize=0 is no size of text in points"),
        ({"style": "circuit", "direction": "both"}, TypeError, "direction= is not for style='circuit'"),
        ({"style": "circuit", "memory": True}, TypeError, "memory= is not for style='circuit'"),
        ({"style": "circuit", "heat": "grad"}, TypeError, "heat= is not for style='circuit'"),
        ({"style": "circuit", "rankdir": "TB"}, TypeError, "rankdir= is not for style='circuit'"),
        ({"style": "network", "fold": True}, TypeError, "fold= is not for style='network'"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        draw_graph(textbook(), **options)
