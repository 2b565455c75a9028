"""The pictures for slides, drawn as a user draws them."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "pictures.py"


def run(*arguments):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1]), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    done = run("--out", folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, folder


def texts(path):
    found = [element.text for element in ElementTree.parse(path).getroot().iter("{http://www.w3.org/2000/svg}text")]
    return [text.strip() for text in found if text.strip("\xa0 ")]


def test_the_neurons_gradients_are_those_of_the_notes(finished):
    assert "w0 -0.1966, x0 0.3932, w1 -0.3932, x1 -0.5898, w2 0.1966" in finished[0]


def test_the_circuit_has_the_numbers_of_the_notes(finished, dot):
    found = texts(finished[1] / "neuron.svg")
    for text in ("w0", "x0", "w1", "x1", "w2", "0.3679", "1.368", "-0.5344", "0.7311", "exp", "1/x"):
        assert text in found
    assert not any("float64" in text for text in found)


def test_the_gradients_of_a_number_that_is_used_twice_are_added(finished, dot):
    assert {"x", "y", "2", "3", "max"} <= {*texts(finished[1] / "used_twice.svg")}


def test_the_network_is_drawn_in_both_ways(finished, dot):
    for name in ("network_weights", "network_gradients"):
        found = texts(finished[1] / f"{name}.svg")
        assert sum(text.startswith("δ") for text in found if not text.startswith("δ is")) == 6
        assert "4 sigmoid" in found


def test_animation_steps_and_page_are_written(finished, dot):
    names = {path.name for path in finished[1].iterdir()}
    assert {"neuron.gif", "neuron.html", "neuron_step-0.svg"} <= names
    assert sum(bool(re.fullmatch(r"neuron_step-\d+\.svg", name)) for name in names) == 2 + 8


def test_in_print_there_is_no_colour(tmp_path, dot):
    done = run("--print", "--font-size", 20, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("neuron", "network_weights"):
        svg = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', svg)) <= {"black", "white", "none", "transparent"}


def test_a_size_that_is_none_is_one_line_and_status_2(tmp_path):
    done = run("--font-size", "huge", "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr == "pictures.py: argument --font-size: expected a number of at least 4, got 'huge'\n"
