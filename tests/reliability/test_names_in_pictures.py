"""Names with control characters, halves of characters and 20,000 letters, in DOT, SVG and HTML."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_lite
import nn
from autograd_lite import Tensor
from autograd_lite.draw import backprop_page, draw_graph, save_graph

ODD = [
    "\0", "a\0b", "\x1b[31mred", "a\nb", "\r\n", "\t", "\x7f", "\x85", "\ud800", "\udfff\ud800", "\ufffe", "\uffff",
    "\u2028",
    "x" * 20_000, "\\", "\\N", 'a"b', "</script>", "<b>", "]]>", "&amp;", "&#0;", "a:b", "{x|y}", "", " ",
    "é\U0001f600", "%s$x",
]  # fmt: skip

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def network(name):
    """A loss of a module, with this name in every place that can have one."""
    module = nn.Module()
    inner = nn.Dense(2, 3, rng=0)
    setattr(module, name or "empty", inner)
    x = Tensor(np.ones((2, 2), np.float32), requires_grad=True, name=name)
    middle = np.tanh(inner(x))
    return module, x, np.sum(middle * middle), middle


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_pictures_and_pages_are_well_formed(name, dot, tmp_path):
    module, _, loss, middle = network(name)
    loss.backward(retain_graph=True)
    names = {middle: name, loss: name}
    for options in ({"names": names}, {"names": names, "module": module}, {"module": module, "depth": 1}):
        graph = draw_graph(loss, direction="both", values=True, **options)
        text = save_graph(graph, tmp_path / "g.dot").read_text(encoding="utf-8")
        assert not FORBIDDEN.search(text)
        svg = save_graph(graph, tmp_path / "g.svg").read_bytes()
        ElementTree.fromstring(svg)
        assert not FORBIDDEN.search(svg.decode())
    page = backprop_page(loss, tmp_path / "p.html", names, module=module).read_text(encoding="utf-8")
    assert not FORBIDDEN.search(page)
    assert len(page) < 500_000
    assert page.count("</script>") == page.count("<script")
    balanced(page)


@given(name=st.text(max_size=30).filter(lambda name: not hasattr(nn.Module, name)))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pictures_of_any_name_are_well_formed(name, dot, tmp_path):
    module, _, loss, middle = network(name)
    graph = draw_graph(loss, names={middle: name}, module=module)
    ElementTree.fromstring(save_graph(graph, tmp_path / "g.svg").read_bytes())


def test_plans_have_such_names_too(dot, tmp_path):
    for name in ODD:
        w = Tensor(np.ones(3), requires_grad=True, name=name)

        @autograd_lite.compile(jit=False)
        def step(x, w=w):
            return np.sum(w * x).detach()

        step(np.ones(3))
        ElementTree.fromstring(save_graph(draw_graph(step), tmp_path / "g.svg").read_bytes())


VOID = {"meta", "br", "input", "img", "link", "hr"}


def balanced(page):
    """Check that a page's elements are closed in the order in which they were opened."""
    stack = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in VOID:
                stack.append(tag)

        def handle_endtag(self, tag):
            if tag not in VOID:
                assert stack.pop() == tag

    Parser().feed(page)
    assert not stack or stack == ["html"]
