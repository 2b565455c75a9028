"""The page that plays a backward pass, as a file; `test_page_in_browser` drives it."""

import html.parser
import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import nn
from autograd_lite import FreedGraphError, Tensor
from autograd_lite.core.graph import ancestors
from autograd_lite.draw import GraphvizNotFoundError, backprop_page

from .networks import NETWORKS, leaf, sigmoid_chain, small_mlp, wide_mlp

pytestmark = pytest.mark.usefixtures("dot")


def written(loss, tmp_path, **options):
    return backprop_page(loss, tmp_path / "page.html", **options).read_text(encoding="utf-8")


def picture(page):
    return ElementTree.fromstring(page[page.index("<svg ") : page.index("</svg>") + 6])


def groups(page, kind):
    return [g for g in picture(page).iter("{http://www.w3.org/2000/svg}g") if g.get("class") == kind]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_node_and_edge_of_the_graph_is_in_the_picture(network, tmp_path):
    loss, model = network()
    page = written(loss, tmp_path, module=model)
    order = ancestors(loss.node)
    drawn = {int(g.get("data-nodes")) for g in groups(page, "node") if g.get("data-nodes")}
    assert drawn == set(range(len(order)))
    index = {node: i for i, node in enumerate(order)}
    edges = [(int(g.get("data-tails")), int(g.get("data-heads"))) for g in groups(page, "edge") if g.get("data-heads")]
    between = [edge for edge in edges if edge[0] != edge[1]]
    assert sorted(between) == sorted((index[n], index[parent]) for n in order for parent in n.parents)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_call_has_a_step(network, tmp_path):
    loss, model = network()
    titles = re.findall(r"<h2>(\w+)[^:]*?(?:: .*?<code>(.*?)</code>)?</h2>", written(loss, tmp_path, module=model))
    calls = [node.recipe.rule.name.lstrip("_") for node in ancestors(loss.node) if node.recipe is not None]
    expected = [("Start", ""), *(("Step", call) for call in calls), ("End", ""), ("The", "")]
    assert titles == expected


@pytest.mark.parametrize("network", NETWORKS)
def test_the_page_is_well_formed(network, tmp_path):
    loss, model = network()
    page = written(loss, tmp_path, module=model)
    open_tags = []

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in ("meta", "input"):
                open_tags.append(tag)

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Parser().feed(page)
    assert open_tags == []
    identifiers = re.findall(r"\bid=['\"](\w+)['\"]", page)
    assert len(identifiers) == len(set(identifiers))
    for formula in re.findall(r"<math.*?</math>", page[: page.index("<script>")], re.DOTALL):
        ElementTree.fromstring(formula)


def test_nothing_is_loaded_from_elsewhere(tmp_path):
    loss, model = small_mlp()
    page = written(loss, tmp_path, module=model)
    assert "default-src 'none'" in page
    links = set(re.findall(r"(?:src|href)=['\"]([^#'\"][^'\"]{0,20})", page))
    assert all(link.startswith("data:") for link in links)


def test_an_mlp_on_a_batch_of_eight_takes_less_than_a_megabyte(tmp_path):
    loss, model = wide_mlp()
    assert len(written(loss, tmp_path, module=model).encode()) < 1_000_000


def test_an_array_that_comes_up_again_is_held_once(tmp_path):
    loss, model = wide_mlp()
    page = written(loss, tmp_path, module=model)
    images = re.findall(r"href='(data:[^']*)'", page)
    assert len(images) == len(set(images))
    assert page.count("<use ") > len(images)


def test_the_pass_on_the_page_changes_no_gradient(tmp_path):
    x = leaf([1.0, 2.0])
    y = np.sum(x**2)
    y.backward(retain_graph=True)
    backprop_page(y, tmp_path / "page.html")
    assert x.grad.tolist() == [2.0, 4.0]
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_names_are_text_whatever_is_in_them(tmp_path):
    x = leaf([1.0, 2.0], '</script><b>"x"</b> $title & \\')
    y = np.sum(x * x)
    y.name = "</title>"
    page = written(y, tmp_path)
    assert page.count("</script>") == 2
    assert page.count("</title>") == 1
    assert "<b>" not in page
    assert '&lt;/script&gt;&lt;b&gt;"x"&lt;/b&gt; $title &amp; \\' in "".join(picture(page).itertext()).replace(
        "&", "&amp;"
    ).replace("<", "&lt;").replace(">", "&gt;")


def test_unnamed_results_have_numbers_that_no_name_has(tmp_path):
    x = leaf(2.0, "v1")
    page = written(np.sin(x) * x, tmp_path)
    options = re.findall(r"<option value='\d+'>(.*?), \(\)</option>", page)
    assert options == ["v1", "v2", "L"]


def test_a_cotangent_is_taken_for_an_output_of_several_elements(tmp_path):
    x = leaf([1.0, 2.0], "x")
    page = written(x * 3, tmp_path, grad=np.array([1.0, -1.0]))
    assert "with the cotangent that was given for it" in page
    with pytest.raises(ValueError, match=r"grad=, the cotangent"):
        backprop_page(x * 3, tmp_path / "other.html")


def test_hooks_are_called_and_said(tmp_path):
    x = leaf(2.0, "x")
    h = x * x
    h.register_hook(lambda g: g * 10)
    page = written(h * 3, tmp_path)
    assert "Its hooks have already been called" in page
    assert "before its hooks are called" in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])
    assert {derivative for node in data for _, derivative in node["parents"]} == {None}
    assert "<td>120</td>" in page  # 3 * 10 * 2 x


def test_folded_modules_are_one_box_that_all_their_steps_light(tmp_path):
    loss, model = small_mlp()
    boxes = [g.get("data-nodes") for g in groups(written(loss, tmp_path, module=model, depth=1), "node")]
    order = ancestors(loss.node)
    assert {int(i) for box in boxes for i in box.split()} == {*range(len(order))}
    assert sum(" " in box for box in boxes) == 2


def test_a_sum_is_told_where_an_argument_was_broadcast(tmp_path):
    x, b = leaf(np.ones((4, 3)), "x"), leaf(np.zeros(3), "b")
    page = written(np.sum(np.sin(x + b)), tmp_path)
    assert "was broadcast from (3,) to (4, 3), so its cotangent is the sum over axis 0" in page


def test_a_freed_graph_is_refused(tmp_path):
    loss, _ = sigmoid_chain()
    loss.backward()
    with pytest.raises(FreedGraphError, match="retain_graph=True"):
        backprop_page(loss, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["page", "page.svg", "page.htm.txt"])
def test_another_ending_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"expected \.html"):
        backprop_page(leaf(2.0) * 3, tmp_path / name)


def test_what_has_no_graph_is_refused(tmp_path):
    with pytest.raises(TypeError, match="expected a Tensor"):
        backprop_page(3.0, tmp_path / "page.html")
    with pytest.raises(TypeError, match="requires no gradient"):
        backprop_page(Tensor(3.0), tmp_path / "page.html")
    with pytest.raises(TypeError, match="pass module=model"):
        backprop_page(leaf(3.0) * 2, tmp_path / "page.html", depth=1)


def test_without_dot_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GraphvizNotFoundError, match="apt-get install graphviz"):
        backprop_page(leaf(2.0) * 3, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere/page\.html'$"):
        backprop_page(leaf(2.0) * 3, tmp_path / "nowhere" / "page.html")


def test_infinite_and_missing_numbers_are_shown(tmp_path):
    x = leaf([0.0, 1.0], "x")
    with np.errstate(divide="ignore"):
        y = np.sum(np.log(x) * np.array([1.0, 0.0]))
    page = written(y, tmp_path)
    assert "<mn>∞</mn>" in page


def test_a_recorded_pass_can_be_played_itself(tmp_path):
    x = leaf(2.0, "x")
    (x**3).backward(create_graph=True)
    page = written(x.grad, tmp_path)
    assert "<td>12</td>" in page  # d 3 x^2 / dx


def test_a_deep_graph_is_a_page_in_seconds(tmp_path):
    model = nn.MLP([2] + [3] * 20 + [2], "tanh", rng=0)
    loss = nn.softmax_cross_entropy(model(np.ones((4, 2), np.float32)), np.array([0, 1, 0, 1]))
    page = written(loss, tmp_path, module=model)
    assert len(re.findall("class='step'", page)) == len([n for n in ancestors(loss.node) if n.recipe]) + 2
