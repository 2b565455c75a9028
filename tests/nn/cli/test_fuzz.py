"""The tool on files that hypothesis makes, and on good ones with bytes changed: results or one line, no traceback."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nn.cli.commands import main

QUICK = ["--epochs", "2", "--quiet", "--hidden", "3"]

cells = st.one_of(
    st.sampled_from(
        ["", "1", "2.5", "-3e4", "NA", "x", "yes", "no", "inf", "nan", '"', "a,b", "1_000", "١", " 7 ", "1e400"]
    ),
    st.text(max_size=6),
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.integers(-3, 3).map(str),
)


def good_table():
    rng = np.random.default_rng(0)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["size", "kind", "y"])
    for _ in range(30):
        x = rng.normal()
        writer.writerow([f"{x:.3f}", rng.choice(["a", "b, c", ""]), "yes" if x > 0 else "no"])
    return text.getvalue().encode()


GOOD = {
    "csv": ("y", lambda path: path.write_bytes(good_table())),
    "npy": ("3", lambda path: np.save(path, np.random.default_rng(0).normal(size=(20, 3)))),
    "npz": ("y", lambda path: np.savez(path, X=np.arange(40.0).reshape(20, 2), y=np.arange(20) % 2)),
}
"""From a file's ending to the target column of a good table, and what writes that."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a good table and a model of it."""
    before = Path.cwd()
    folder = tmp_path_factory.mktemp("fuzz")
    os.chdir(folder)
    for ending, (_, write) in GOOD.items():
        write(Path(f"good.{ending}"))
    assert main(["train", "good.csv", "--target", "y", "--out", "good.safetensors", *QUICK]) == 0
    yield folder
    os.chdir(before)


def runs(capsys, *arguments):
    """A result, or one line and the status 2; anything else raised fails the test."""
    capsys.readouterr()
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    assert status in (0, 2)
    lines = [line for line in captured.err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == (status == 2), captured.err
    return status


everything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@everything
@given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=14), st.sampled_from(["1", "2", "y", "column 1"]))
def test_any_rows_of_any_cells(folder, capsys, rows, target):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    Path("t.csv").write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    if runs(capsys, "train", "t.csv", "--target", target, "--out", "t.safetensors", *QUICK) == 0:
        assert runs(capsys, "predict", "t.safetensors", "t.csv", "--unseen", "ignore") in (0, 2)
    runs(capsys, "predict", "good.safetensors", "t.csv")


@everything
@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=4, max_size=14))
def test_any_cells_in_a_table_of_the_right_shape(folder, capsys, rows):
    text = io.StringIO()
    csv.writer(text).writerows([["size", "kind", "y"], *rows])
    Path("t.csv").write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    for task in ("auto", "classification", "regression"):
        runs(capsys, "train", "t.csv", "--target", "y", "--out", "t.safetensors", "--task", task, *QUICK)
    runs(capsys, "evaluate", "good.safetensors", "t.csv", "--unseen", "ignore")


@everything
@given(st.binary(max_size=200), st.sampled_from([*GOOD]))
def test_any_bytes(folder, capsys, contents, ending):
    Path(f"t.{ending}").write_bytes(contents)
    runs(capsys, "train", f"t.{ending}", "--target", "1", "--out", "t.safetensors", *QUICK)


def mutated(contents, data):
    """Good contents with some bytes changed, left out or put in."""
    contents = bytearray(contents)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, max(len(contents) - 1, 0)))
        match data.draw(st.sampled_from(["change", "cut", "insert", "truncate"])):
            case "change" if contents:
                contents[place] = data.draw(st.integers(0, 255))
            case "cut":
                del contents[place : place + data.draw(st.integers(1, 20))]
            case "insert":
                contents[place:place] = data.draw(st.binary(min_size=1, max_size=8))
            case "truncate":
                del contents[place:]
    return bytes(contents)


@everything
@given(st.data(), st.sampled_from([*GOOD]))
def test_good_tables_with_bytes_changed(folder, capsys, data, ending):
    Path(f"t.{ending}").write_bytes(mutated(Path(f"good.{ending}").read_bytes(), data))
    runs(capsys, "train", f"t.{ending}", "--target", GOOD[ending][0], "--out", "t.safetensors", *QUICK)
    runs(capsys, "predict", "good.safetensors", f"t.{ending}")
    runs(capsys, "evaluate", "good.safetensors", f"t.{ending}")


@everything
@given(st.data())
def test_good_models_with_bytes_changed(folder, capsys, data):
    Path("t.safetensors").write_bytes(mutated(Path("good.safetensors").read_bytes(), data))
    runs(capsys, "predict", "t.safetensors", "good.csv")
    runs(capsys, "plot", "t.safetensors", "--out", "t.svg")
