"""Pictures as files, with Graphviz and without."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from autograd_lite import Tensor
from autograd_lite.draw import draw_graph, save_graph

GRAPH = draw_graph(np.exp(Tensor(1.0, requires_grad=True, name="x")))


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("SVG", b"<?xml")])
def test_the_ending_chooses_the_format(ending, start, tmp_path, dot):
    path = save_graph(GRAPH, tmp_path / f"graph.{ending}")
    assert path.read_bytes().startswith(start)


def test_svg_is_well_formed_and_has_the_nodes(tmp_path, dot):
    root = ElementTree.parse(save_graph(GRAPH, tmp_path / "graph.svg")).getroot()
    classes = [element.get("class") for element in root.iter()]
    assert (classes.count("node"), classes.count("edge")) == (3, 2)


@pytest.mark.parametrize("ending", ["dot", "gv"])
def test_dot_text_is_the_graphs_source(ending, tmp_path):
    assert save_graph(GRAPH, tmp_path / f"graph.{ending}").read_text() == GRAPH.source


@pytest.mark.parametrize("name", ["graph.jpg", "graph"])
def test_another_ending_is_refused_with_those_known(name, tmp_path):
    with pytest.raises(ValueError, match=r"expected \.svg, \.png, \.pdf, \.dot, \.gv"):
        save_graph(GRAPH, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_other(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_graph(GRAPH, tmp_path / "no folder" / "graph.dot")
    assert not list(tmp_path.iterdir())


def test_without_dot_the_text_is_saved_and_the_rest_says_how_to_get_it(tmp_path):
    program = f"""
from autograd_lite import Tensor
from autograd_lite.draw import GraphvizNotFoundError, draw_graph, save_graph
graph = draw_graph(Tensor(1.0, requires_grad=True) * 2)
save_graph(graph, {str(tmp_path / "graph.dot")!r})
try:
    save_graph(graph, {str(tmp_path / "graph.svg")!r})
except GraphvizNotFoundError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], env={"PATH": ""}, capture_output=True, text=True, check=True)
    for advice in ("apt-get install graphviz", "brew install graphviz", "winget install graphviz"):
        assert advice in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["graph.dot"]


def test_a_graph_saves_itself_by_the_ending(tmp_path, dot):
    assert GRAPH.save(tmp_path / "graph.svg").read_text().startswith("<?xml")
    assert GRAPH.save(tmp_path / "graph.dot").read_text() == GRAPH.source


def test_graphviz_can_still_render_it(tmp_path, dot):
    written = GRAPH.render(filename="graph", directory=tmp_path, format="svg")
    assert ElementTree.parse(written).getroot().tag.endswith("svg")


def test_a_notebook_shows_it_as_svg(dot):
    assert "<svg" in GRAPH._repr_svg_()
    assert "<svg" in GRAPH._repr_mimebundle_()["image/svg+xml"]


def test_a_notebook_without_dot_shows_the_text_and_the_advice(monkeypatch):
    monkeypatch.setenv("PATH", "")
    text = GRAPH._repr_mimebundle_()["text/plain"]
    assert "apt-get install graphviz" in text
    assert GRAPH.source in text
