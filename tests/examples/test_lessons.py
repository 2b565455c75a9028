"""The lessons, run as a user runs them: their figures, their comparisons with the engine, and what they refuse."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
LESSONS = ["sigmoid_mlp", "backprop_equations", "deep_softmax", "vanishing_gradients", "breast_cancer"]


def run(name, *arguments):
    # Products this small gain nothing from a second thread, which takes processor time while it waits for the first.
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Gives a function that runs a lesson, once for all tests, and returns what it printed and its folder."""
    done = {}

    def finish(name, *arguments):
        if (name, arguments) not in done:
            folder = tmp_path_factory.mktemp(name)
            process = run(name, "--out", folder, *arguments)
            assert process.returncode == 0, process.stderr
            done[name, arguments] = process.stdout, folder
        return done[name, arguments]

    return finish


def comparisons(text):
    """The rows of the tables of compare_gradients, as (parameter, largest difference, cosine)."""
    rows = re.findall(r"^(\w+) +\(.*?\) +(\S+e[+-]\d+|0.00e\+00) +\S+ +(\d\.\d{9})", text, re.MULTILINE)
    return [(name, float(difference), float(cosine)) for name, difference, cosine in rows]


# ---- the first: sigmoid, minibatches ----


def test_lesson_1_has_the_same_gradients_and_weights_by_hand_and_by_engine(finished):
    text, _ = finished("sigmoid_mlp")
    found = comparisons(text)
    assert [name for name, *_ in found] == ["W1", "W2", "b1", "b2"]
    assert all(difference < 1e-15 for _, difference, _ in found)
    assert float(re.search(r"after 100 steps: at most (\S+) apart", text)[1]) < 1e-12


def test_lesson_1_cuts_every_epoch_into_minibatches_with_the_last_for_validation(finished):
    text, _ = finished("sigmoid_mlp")
    assert "1437 examples in 90 minibatches, the last of them for validation" in text


def test_lesson_1_reads_the_digits(finished):
    text, folder = finished("sigmoid_mlp")
    assert float(re.search(r"test accuracy (\S+)% after 30 epochs", text)[1]) > 96
    assert (folder / "batch_and_minibatch.png").stat().st_size > 10_000


def test_lesson_1_gets_further_with_minibatches_than_with_batches(finished):
    batch, minibatch = (float(n) for n in re.findall(r"cost after \d+ examples: (\S+) by", finished("sigmoid_mlp")[0]))
    assert minibatch < batch / 3


def test_lesson_1_reads_mnist(finished, mnist_root):
    text, _ = finished("sigmoid_mlp", "--data", "mnist", "--mnist-root", mnist_root, "--epochs", "1")
    assert "784-128-10, 60000 examples in 469 minibatches" in text
    assert float(re.search(r"test accuracy (\S+)% after 1 epochs", text)[1]) > 80


# ---- the second: the equations, and L2 ----


def test_lesson_2_has_the_deltas_of_every_layer_by_hand_and_by_engine(finished):
    text, _ = finished("backprop_equations")
    deltas = re.findall(r"^delta_(\d) +(\w+) .* (\S+)$", text, re.MULTILINE)
    assert [(number, activation) for number, activation, _ in deltas] == [
        ("1", "tanh"),
        ("2", "tanh"),
        ("3", "identity"),
    ]
    assert all(float(apart) < 1e-15 for *_, apart in deltas)
    assert all(difference < 1e-14 for _, difference, _ in comparisons(text))


def test_lesson_2_shows_overfitting_and_what_the_penalty_does_to_it(finished):
    rows = [
        [float(n) for n in line.split()]
        for line in finished("backprop_equations")[0].splitlines()
        if re.match(r" +[\d.]+ +\d\.\d{4} ", line)
    ]
    alphas, train, test, gaps, sizes = map(np.array, zip(*rows, strict=True))
    assert alphas[0] == 0
    assert test[0] > 10 * train[0]
    assert test.min() < test[0] / 3
    assert 0 < test.argmin() < len(test) - 1
    assert (np.diff(sizes) < 0).all()
    assert (np.diff(train) > 0).all()
    assert gaps[test.argmin()] < gaps[0] / 4


def test_lesson_2_takes_any_layers(finished):
    layers = ["4:identity", "5:sigmoid", "6:tanh", "5:relu", "4:leaky_relu", "3:softplus"]
    text, _ = finished("backprop_equations", "--steps", "3", "--layers", *layers)
    found = comparisons(text)
    assert len(found) == 14
    assert all(difference < 1e-14 for _, difference, _ in found)


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_lesson_2_overfits_few_images_too(data, finished, request):
    root = ["--mnist-root", request.getfixturevalue("mnist_root")] if data == "mnist" else []
    text, _ = finished("backprop_equations", "--data", data, *root, "--steps", "400", "--alphas", "0", "0.1")
    assert all(difference < 1e-14 for _, difference, _ in comparisons(text))
    (_, train, test, gap, _), (_, _, _, smaller_gap, _) = (
        [float(n) for n in line.split()] for line in text.splitlines() if re.match(r" +[\d.]+ +\d\.\d{4} ", line)
    )
    assert test > 1.5 * train
    assert smaller_gap < gap


# ---- the third: deep, softmax, a shortcut ----


def test_lesson_3_shows_where_the_shortcut_holds(finished):
    rows = re.findall(
        r"^(\S+ outputs, .*?) {2,}(\d\.\d{4}) +(\d\.\d{4}) +(.*)$", finished("deep_softmax")[0], re.MULTILINE
    )
    assert [(name, verdict) for name, *_, verdict in rows] == [
        ("sigmoid outputs, both terms", "holds"),
        ("softmax outputs, the first term", "holds"),
        ("softmax outputs, both terms, 2 classes", "half of it"),
        ("softmax outputs, both terms, 10 classes", "does not hold"),
    ]
    assert [float(size) for *_, size, _ in rows[:3]] == [1, 1, 0.5]
    assert float(rows[3][1]) < 0.99


def test_lesson_3_has_the_exact_gradients_by_hand_and_names_what_the_shortcut_is(finished):
    text, _ = finished("deep_softmax")
    exact, shortcut = text.split("with the shortcut delta of the output:")
    found = comparisons(exact)
    assert len(found) == 14
    assert all(difference < 1e-14 for _, difference, _ in found)
    assert all(cosine < 0.999 for *_, cosine in comparisons(shortcut))
    assert "softmax's Jacobian is taken as diagonal" in shortcut


def test_lesson_3_trains_saves_and_loads(finished):
    text, folder = finished("deep_softmax")
    trained = [float(n) for n in re.findall(r"^test accuracy (\S+)%, best", text, re.MULTILINE)]
    again = [float(n) for n in re.findall(r"loaded again: test accuracy (\S+)%", text)]
    assert trained == again
    assert min(trained) > 92
    assert {path.name for path in folder.iterdir()} == {
        "deep_softmax.png", "exact.npz", "gradients.txt", "shortcut.npz",
    }  # fmt: skip


def test_lesson_3_lowers_the_learning_rate(finished):
    text, _ = finished("deep_softmax", "--epochs", "2", "--decay", "1")
    assert re.findall(r"learning rate (\S+)$", text, re.MULTILINE)[:2] == ["0.02000", "0.01000"]


def test_lesson_3_learns_mnist_with_its_own_settings(finished, mnist_root):
    text, _ = finished("deep_softmax", "--data", "mnist", "--mnist-root", mnist_root, "--epochs", "2")
    assert "784-50-50-50-50-50-50-10" in text
    accuracies = [float(n) for n in re.findall(r"test accuracy (\S+)%  learning rate 0.00200", text)]
    assert len(accuracies) == 4
    assert accuracies[1] > 40


# ---- the fourth: one weight ----


def test_lesson_4_derives_one_weight_of_a_layer_and_of_a_hidden_layer(finished):
    text, _ = finished("vanishing_gradients")
    by_hand = [float(n) for n in re.findall(r"\) = (-?\d\.\d{10})$", text, re.MULTILINE)]
    engine = [float(n) for n in re.findall(r"the engine: (-?\d\.\d{10})", text)]
    assert len(by_hand) == 2
    assert by_hand == engine
    assert [name for name, *_ in comparisons(text)] == ["w", "v"]
    assert all(difference < 1e-15 for _, difference, _ in comparisons(text))


def test_lesson_4_adds_up_the_paths_over_the_output_neurons(finished):
    parts = re.search(r"\[ \((\S+)\) \+ \((\S+)\) \] \* (\S+) \* \((\S+)\) = (\S+)", finished("vanishing_gradients")[0])
    first, second, slope, x, product = map(float, parts.groups())
    assert (first + second) * slope * x == pytest.approx(product, abs=1e-6)


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_lesson_4_shows_the_layers_of_a_network_for_images(data, finished, request):
    root = ["--mnist-root", request.getfixturevalue("mnist_root")] if data == "mnist" else []
    text, _ = finished("vanishing_gradients", "--depth", "2", "--data", data, *root)
    rows = [
        [float(n) for n in line.split()]
        for line in text.partition("root mean square of dC/dW")[2].splitlines()
        if re.match(r" +\d ", line)
    ]
    sigmoid, relu = ([row[i] for row in rows] for i in (1, 2))
    assert len(rows) == 9
    assert sigmoid[1] < sigmoid[-1] / 1000
    assert relu[1] > relu[-1] / 100
    assert float(re.search(r"by hand and by engine at most (\S+) of the largest entry apart", text)[1]) < 1e-10


# ---- the fifth: breast cancer ----


def test_lesson_5_walks_through_every_intermediate(finished):
    text, folder = finished("breast_cancer")
    for name in ("z1 = X W1 + b1", "a1 = sigmoid(z1)", "Y_pred = softmax(z2)", "delta_2 = (Y_pred - Y_true) / m"):
        assert f"\n{name}\n" in text
    assert [name for name, *_ in comparisons(text)] == ["W1", "b1", "W2", "b2"]
    assert all(difference < 1e-15 for _, difference, _ in comparisons(text))
    assert (folder / "walk_through.txt").read_text().strip() in text


def test_lesson_5_has_the_optimizers_by_hand_and_by_nn_optim_equal(finished):
    apart = re.findall(r"^(SGD|momentum|RMSprop|Adam) +\S+ +(\S+)$", finished("breast_cancer")[0], re.MULTILINE)
    assert [name for name, _ in apart] == ["SGD", "momentum", "RMSprop", "Adam"]
    assert all(float(difference) < 1e-12 for _, difference in apart)


def test_lesson_5_reads_at_least_97_in_100_over_ten_splits(finished):
    text, _ = finished("breast_cancer")
    rows = re.findall(r"^ +(\d+) +(\d+) +(\d+) +(\S+)%$", text, re.MULTILINE)
    assert len(rows) == 10
    assert all(int(epochs) == int(best) + 15 or int(epochs) == 300 for _, epochs, best, _ in rows)
    mean = float(re.search(r"mean test accuracy over 10 splits: (\S+)%", text)[1])
    assert mean == pytest.approx(np.mean([float(accuracy) for *_, accuracy in rows]), abs=0.01)
    assert mean >= 97


def original_file(folder, change=lambda lines: lines):
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    rows = zip(X, y, strict=True)
    lines = [f"{i},{'BM'[1 - label]},{','.join(map(repr, map(float, row)))}" for i, (row, label) in enumerate(rows)]
    path = folder / "wdbc.data"
    path.write_text("\n".join(change(lines)) + "\n")
    return path


def test_lesson_5_reads_the_original_file_to_the_same_result(finished, tmp_path):
    path = original_file(tmp_path)
    text, _ = finished("breast_cancer", "--csv", path, "--seeds", "2")
    bundled = [line for line in finished("breast_cancer")[0].splitlines() if re.match(r" +[01] +\d+ +\d+ ", line)]
    assert [line for line in text.splitlines() if re.match(r" +[01] +\d+ +\d+ ", line)] == bundled


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: [lines[0], "1,M,2"], "line 2: expected an id, M or B, and 30 numbers; got 3 fields"),
        (lambda lines: [lines[0].replace(",M,", ",X,").replace(",B,", ",X,")], "line 1: expected an id, M or B"),
        (lambda lines: [lines[0], lines[1].rpartition(",")[0] + ",much"], "line 2, field 32: 'much' is no number"),
        (lambda lines: lines[:1], "has 1 lines, and not both of M and B"),
    ],
)
def test_lesson_5_says_what_is_wrong_with_a_file_in_one_line(change, message, tmp_path):
    done = run("breast_cancer", "--csv", original_file(tmp_path, change), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


# ---- all of them ----


@pytest.mark.parametrize("name", LESSONS)
def test_a_wrong_option_gets_one_line(name, tmp_path):
    done = run(name, "--out", tmp_path, "--seed", "minus one")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"{name}.py: argument --seed: expected an integer of at least 0, got 'minus one'")


@pytest.mark.parametrize("name", LESSONS)
def test_help_shows_the_lesson_as_it_is_written(name):
    done = run(name, "--help")
    assert done.returncode == 0
    assert re.search(r"^    python examples/", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", ["sigmoid_mlp", "deep_softmax"])
def test_mnist_that_is_not_there_gets_one_line(name, tmp_path):
    done = run(name, "--data", "mnist", "--mnist-root", tmp_path / "nowhere", "--out", tmp_path)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_map_of_the_lessons_names_every_example():
    text = (EXAMPLES / "README.md").read_text()
    programs = {path.name for path in EXAMPLES.glob("*.py")} - {"command_line.py"}
    assert programs == {f"{name}.py" for name in [*LESSONS, "pictures", "train_mlp"]}
    assert all(f"`{program}`" in text for program in programs)
