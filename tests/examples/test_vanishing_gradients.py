"""The lesson on vanishing gradients, run as a user runs it."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "vanishing_gradients.py"


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


def rows(text):
    return [[float(number) for number in line.split()] for line in text.splitlines() if re.match(r" +\d+ +-?\d", line)]


def test_the_engine_and_the_product_of_weights_and_slopes_agree(finished):
    found = rows(finished[0])
    assert [row[0] for row in found] == list(range(1, 21))
    assert all(row[-1] < 1e-12 for row in found)


def test_the_sigmoids_gradient_shrinks_at_least_fourfold_with_every_layer(finished):
    sizes = [abs(row[1]) for row in rows(finished[0])]
    assert all(after < before / 4 for before, after in pairwise(sizes))


def test_the_relus_gradients_stay(finished):
    assert {(row[2], row[3]) for row in rows(finished[0])} == {(-1.0, -1.0)}


def test_a_dead_relu_has_exactly_zero_and_a_leaky_one_has_not(finished):
    dead, leaky = re.findall(r"as a (?:leaky )?ReLU: dC/dw1 = (\S+)", finished[0])
    assert float(dead) == 0
    assert float(leaky) != 0


def test_the_pictures_are_written(finished, dot):
    names = {"two_hidden_sigmoid", "two_hidden_relu", "dead_relu", "dead_relu_made_leaky", "deep_sigmoid"}
    assert {path.stem for path in finished[1].glob("*.svg")} == names
    texts = {name: "".join(ElementTree.parse(finished[1] / f"{name}.svg").getroot().itertext()) for name in names}
    assert "gradient exactly 0" in texts["dead_relu"]
    assert "gradient exactly 0" not in texts["dead_relu_made_leaky"]
    assert "sigmoid layer × 20" in texts["deep_sigmoid"]
    assert (finished[1] / "gradients_over_depth.png").stat().st_size > 1000


def test_the_chain_rule_of_the_first_weight_is_a_page(finished, dot, browser):
    page = browser.new_page()
    page.goto((finished[1] / "two_hidden_sigmoid.html").as_uri())
    page.select_option("#tensor", label="w1, ()")
    product = page.locator("#paths .product").inner_text().replace("−", "-")
    page.close()
    assert float(product) == pytest.approx(rows(finished[0])[2][1], rel=1e-3)


def test_other_numbers_agree_as_well(tmp_path):
    done = run("--weight", "-1.7", "--bias", 0.3, "--input", 0.4, "--target", -1, "--depth", 5, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(row[-1] < 1e-12 for row in rows(done.stdout))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weight", "heavy"], "argument --weight: expected a number, got 'heavy'"),
        (["--depth", "0"], "argument --depth: expected an integer of at least 1, got '0'"),
        (["--layers", "3"], "unrecognized arguments: --layers 3"),
    ],
)
def test_bad_values_are_one_line_and_status_2(arguments, message, tmp_path):
    done = run(*arguments, "--out", tmp_path)
    assert (done.returncode, done.stderr) == (2, f"vanishing_gradients.py: {message}\n")
