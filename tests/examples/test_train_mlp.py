"""The main job, run as a user runs it."""

import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn

SCRIPT = Path(__file__).parents[2] / "examples" / "train_mlp.py"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Products this small gain nothing from a second thread, which takes processor time while it waits for the first."""


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1]), **ONE_THREAD, **environment},
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    before = os.times()
    done = run("--out", folder)
    after = os.times()
    # Processor time, since a busy machine takes longer by the clock.
    return done, folder, after.children_user - before.children_user + after.children_system - before.children_system


def test_it_ends_well_within_twenty_seconds(finished):
    done, _, seconds = finished
    assert done.returncode == 0, done.stderr
    assert seconds < 20


def test_it_prints_an_accuracy_that_is_worth_printing(finished):
    accuracy = float(re.search(r"test accuracy: ([\d.]+)%", finished[0].stdout)[1])
    assert accuracy > 95


def test_it_prints_a_row_for_each_digit_and_their_sum_is_the_test_set(finished):
    rows = re.findall(r"^ +(\d) +(\d+) +(\d+) +[\d.]+%", finished[0].stdout, re.MULTILINE)
    assert [row[0] for row in rows] == list("0123456789")
    assert sum(int(row[1]) for row in rows) == 360


def test_it_writes_the_folder(finished, dot):
    assert sorted(path.name for path in finished[1].iterdir()) == [
        "backward_graph.svg", "backward_pass.html", "gradients.txt", "learning_curves.png", "misread.png",
        "per_class.txt", "weights.npz",
    ]  # fmt: skip
    assert all(path.stat().st_size > 100 for path in finished[1].iterdir())


def test_the_gradients_by_hand_are_the_engines(finished):
    rows = re.findall(
        r"^(layers\S+) .*?\) +(\S+) +(\S+) +(\S+)", (finished[1] / "gradients.txt").read_text(), re.MULTILINE
    )
    assert [row[0] for row in rows] == ["layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"]
    assert all(float(row[2]) < 1e-12 for row in rows)


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "sigmoid", "tanh", "softplus", "silu"])
def test_the_gradients_by_hand_are_the_engines_for_every_activation_and_depth(activation, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPT.parent)
    compare = runpy.run_path(str(SCRIPT))["compare_with_hand"]
    rng = np.random.default_rng(0)
    model = nn.MLP([20, 16, 12, 8, 10], activation, rng=0)
    found = compare(model, rng.random((30, 20), np.float32), rng.integers(0, 10, 30), activation)
    assert len(found.rows) == 8
    assert all(row.relative < 1e-12 for row in found.rows)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    # No PATH, and so no dot.
    return run("--epochs", 1, "--seed", 3, "--out", folder, PATH=""), folder


def test_the_same_seed_prints_the_same(short, tmp_path):
    again = run("--epochs", 1, "--seed", 3, "--out", tmp_path, PATH="")
    assert short[0].stdout.split("test accuracy")[1].split("written to")[0] in again.stdout


def test_mnist_runs_from_a_folder(mnist_root, tmp_path):
    done = run("--data", "mnist", "--mnist-root", mnist_root, "--epochs", 1, "--hidden", 32, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert float(re.search(r"test accuracy: ([\d.]+)%", done.stdout)[1]) > 85


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--lr", "-1"], "argument --lr: expected a number above 0, got '-1'"),
        (["--epochs", "0"], "argument --epochs: expected an integer of at least 1, got '0'"),
        (["--batch-size", "1.5"], "argument --batch-size: expected an integer of at least 1"),
        (["--hidden", "x"], "argument --hidden: expected an integer"),
        (["--weight-decay", "nan"], "argument --weight-decay: expected a number of at least 0"),
        (["--activation", "rely"], "argument --activation: invalid choice: 'rely'"),
        (["--optimiser", "sgd"], "unrecognized arguments: --optimiser sgd"),
        (["--mnist-root", "x"], "--mnist-root needs --data mnist"),
        (["--data", "mnist", "--mnist-root", "/no/such/folder"], "/no/such/folder"),
    ],
)
def test_a_bad_value_gives_one_line_and_status_2(arguments, complaint, tmp_path):
    done = run("--out", tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_output_folder_that_cannot_be_made_gives_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = run("--out", tmp_path / "file" / "folder")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_without_dot_the_graph_is_text_and_a_line_says_how_to_get_it(short):
    done, folder = short
    assert done.returncode == 0, done.stderr
    assert (folder / "backward_graph.dot").read_text().startswith("digraph")
    assert not (folder / "backward_pass.html").exists()
    assert "apt-get install graphviz" in done.stdout


def test_ctrl_c_saves_what_there_is_and_leaves_cleanly(tmp_path):
    process = subprocess.Popen(
        [sys.executable, SCRIPT, "--epochs", "100000", "--out", tmp_path],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    shown = ""
    while "test=" not in shown:  # the bar after the first epoch
        shown += process.stderr.read(1)
        assert process.poll() is None, shown
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped by Ctrl-C after" in out
    assert "Traceback" not in err
    assert (tmp_path / "learning_curves.png").exists()
    assert (tmp_path / "weights.npz").exists()
