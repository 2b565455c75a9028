"""Pictures as they are seen: in a real browser no text lies on another or leaves its box, and all can be read."""

import numpy as np
import pytest

import nn
from autograd_lite.draw import draw_graph, save_graph

from .networks import leaf, reused_scalars, shared_weights, sigmoid_chain, small_mlp, wide_mlp

pytestmark = pytest.mark.usefixtures("dot")


class Block(nn.Module):
    """A residual block with modules within modules."""

    def __init__(self, seed):
        super().__init__()
        self.attention_projection = nn.Dense(4, 4, rng=seed, dtype=np.float64)
        self.mlp = nn.Sequential(nn.Dense(4, 4, rng=seed + 1, dtype=np.float64), nn.ReLU())

    def __call__(self, x):
        return x + self.mlp(nn.tanh(self.attention_projection(x)))


def nested_blocks():
    model = nn.Sequential(Block(0), Block(2))
    return np.mean(model(np.random.default_rng(0).normal(size=(5, 4))) ** 2), model


def deep_mlp():
    """20 layers, with gradients that vanish."""
    model = nn.MLP([16] * 21 + [10], "sigmoid", rng=0)
    X = np.random.default_rng(0).random((8, 16), dtype=np.float32)
    loss = nn.softmax_cross_entropy(model(X), np.arange(8))
    loss.name = "loss"
    return loss, model


def sick_gradients():
    """Zeros, NaN and infinity in one graph."""
    dead, x = leaf([-1.0, -2.0], "dead"), leaf([0.0, 1.0], "x")
    with np.errstate(all="ignore"):
        loss = np.sum(nn.relu(dead)) + np.sum(np.sqrt(x) * 0 * np.log(x)) + np.sum(np.log(leaf([0.0], "w")))
        loss.backward(retain_graph=True)
    return loss, None


def textbook_neuron():
    """The neuron of the CS231n notes."""
    w0, x0, w1, x1, w2 = (leaf(v, n) for v, n in ((2.0, "w0"), (-1.0, "x0"), (-3.0, "w1"), (-2.0, "x1"), (-3.0, "w2")))
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2))), None


PICTURES = {
    "chain": (sigmoid_chain, {"values": True, "heat": "grad"}),
    "small": (small_mlp, {"direction": "both", "values": True, "heat": "grad", "memory": True}),
    "wide": (wide_mlp, {"direction": "both", "values": True, "memory": True}),
    "shared": (shared_weights, {"heat": "grad", "memory": True}),
    "nested": (nested_blocks, {"heat": "grad"}),
    "nested forward": (nested_blocks, {"direction": "forward", "memory": True}),
    "nested folded": (nested_blocks, {"depth": 2}),
    "deep": (deep_mlp, {"heat": "grad"}),
    "deep folded": (deep_mlp, {"depth": 1, "heat": "grad", "direction": "both"}),
    "sick": (sick_gradients, {"heat": "grad", "values": True}),
    "sideways": (small_mlp, {"direction": "both", "values": True, "heat": "grad", "rankdir": "LR"}),
    "large text": (small_mlp, {"values": True, "fontsize": 22}),
    "print": (small_mlp, {"direction": "both", "values": True, "heat": "grad", "palette": "print"}),
    "deep in one node": (deep_mlp, {"fold": True, "heat": "grad", "values": True}),
    "circuit": (textbook_neuron, {"style": "circuit"}),
    "circuit with sums": (reused_scalars, {"style": "circuit", "fontsize": 20}),
    "circuit in print": (small_mlp, {"style": "circuit", "palette": "print"}),
    "circuit of arrays": (shared_weights, {"style": "circuit"}),
    "network": (small_mlp, {"style": "network"}),
    "network by gradients": (small_mlp, {"style": "network", "heat": "grad", "fontsize": 16}),
    "wide network": (wide_mlp, {"style": "network"}),
    "deep network in print": (deep_mlp, {"style": "network", "heat": "grad", "palette": "print"}),
}

LOOK = """() => {
  const svg = document.documentElement;
  const box = (e) => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
  const texts = [...svg.querySelectorAll('text')].map((t) => ({
    text: t.textContent.trim(), box: box(t), kind: t.closest('.cluster, .edge, .node, .graph').getAttribute('class'),
    fill: getComputedStyle(t).fill,
  }));
  const nodes = [...svg.querySelectorAll('.node')].map((n) => {
    const bare = n.matches('.wire, .title');  // text on the ground of the picture, with no box around it
    const shape = n.querySelector(bare ? 'text' : 'polygon, ellipse, path');
    return {
      box: box(bare ? n : n.querySelector('polygon:last-of-type, ellipse, path')),
      fill: bare ? 'rgb(255, 255, 255)' : getComputedStyle(shape).fill,
      texts: [...n.querySelectorAll('text')].map((t) => ({
        text: t.textContent, box: box(t), fill: getComputedStyle(t).fill,
      })),
    };
  });
  const screen = svg.querySelector('.graph').getScreenCTM();
  const edges = [...svg.querySelectorAll('.edge path')].map((path) => {
    const length = path.getTotalLength();
    return [...Array(200).keys()].map((i) => {
      const p = path.getPointAtLength(length * i / 199).matrixTransform(screen);
      return [p.x, p.y];
    });
  });
  return { texts, nodes, edges, page: box(svg) };
}"""


@pytest.fixture(scope="module")
def seen(browser, tmp_path_factory):
    """Gives a function that draws a picture and returns where everything in it is."""
    found = {}

    def look(name):
        if name not in found:
            network, options = PICTURES[name]
            loss, model = network()
            if {"heat", "style"} & {*options} and network is not sick_gradients:
                loss.backward(retain_graph=True)
            path = save_graph(draw_graph(loss, module=model, **options), tmp_path_factory.mktemp("seen") / "graph.svg")
            page = browser.new_page()
            page.goto(path.as_uri())
            found[name] = page.evaluate(LOOK)
            page.close()
        return found[name]

    return look


def overlap(a, b, tolerance):
    return min(a[2], b[2]) - max(a[0], b[0]) > tolerance and min(a[3], b[3]) - max(a[1], b[1]) > tolerance


def without_trailing_room(text):
    """The box of a title, whose text ends in spaces that keep room free."""
    left, top, right, bottom = text["box"]
    return [left, top, left + (right - left) * 0.55, bottom] if text["kind"] == "cluster" else text["box"]


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_lies_on_another(name, seen):
    texts = [text for text in seen(name)["texts"] if text["text"]]
    for i, one in enumerate(texts):
        for other in texts[:i]:
            boxes = without_trailing_room(one), without_trailing_room(other)
            assert not overlap(*boxes, tolerance=2.5), (one["text"], other["text"])


@pytest.mark.parametrize("name", PICTURES)
def test_no_label_leaves_its_box(name, seen):
    for node in seen(name)["nodes"]:
        for text in node["texts"]:
            assert text["box"][0] >= node["box"][0] - 1, text["text"]
            assert text["box"][2] <= node["box"][2] + 1, text["text"]
            assert text["box"][1] >= node["box"][1] - 2, text["text"]
            assert text["box"][3] <= node["box"][3] + 2, text["text"]


@pytest.mark.parametrize("name", PICTURES)
def test_no_text_is_clipped_at_the_edge_of_the_picture(name, seen):
    left, top, right, bottom = seen(name)["page"]
    for text in seen(name)["texts"]:
        box = without_trailing_room(text)
        assert left <= box[0], text["text"]
        assert top <= box[1], text["text"]
        assert box[2] <= right, text["text"]
        assert box[3] <= bottom, text["text"]


@pytest.mark.parametrize("name", PICTURES)
def test_no_edge_crosses_the_title_of_a_module(name, seen):
    titles = [text for text in seen(name)["texts"] if text["kind"] == "cluster" and text["text"]]
    for title in titles:
        left, top, right, bottom = without_trailing_room(title)
        for edge in seen(name)["edges"]:
            assert not any(left < x < right and top + 2 < y < bottom - 2 for x, y in edge), title["text"]


@pytest.mark.parametrize("name", PICTURES)
def test_every_label_has_the_contrast_that_wcag_asks_for(name, seen):
    for node in seen(name)["nodes"]:
        for text in node["texts"]:
            assert contrast(text["fill"], node["fill"]) >= 4.5, (text["text"], text["fill"], node["fill"])


def contrast(first, second):
    """The ratio of two colours' luminances, as WCAG 2 defines it."""
    lights = []
    for colour in (first, second):
        channels = np.array([int(c) for c in colour[4:-1].split(",")]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        lights.append(float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)
    return max(lights) / min(lights)
