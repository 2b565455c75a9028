"""The tool as its users run it: tables in, models and predictions out, and one line for everything that is wrong."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.cli.apply import _root_mean_square
from nn.cli.commands import main

RNG = np.random.default_rng(0)
QUICK = ["--epochs", "30", "--quiet", "--hidden", "8"]


def people(count=200, seed=0):
    """Rows of a made-up table: numbers, categories, missing values, and a class that depends on them."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        age, colour, height = rng.integers(18, 90), rng.choice(["red", "green", "blue"]), rng.normal(170, 10)
        sick = age + (20 if colour == "red" else 0) + rng.normal(0, 5) > 60
        rows.append([f"p{i}", str(age), "" if rng.random() < 0.1 else f"{height:.1f}", colour, "yes" if sick else "no"])
    return [["name", "age", "height", "colour", "sick"], *rows]


def write(path, rows, delimiter=",", ending="\n", bom=False):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending).writerows(rows)
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.getvalue().encode())
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys, *arguments):
    """The exit status, and what was printed."""
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def complains(capsys, *arguments):
    """The one line of a command that cannot be done."""
    status, _, err = run(capsys, *arguments)
    lines = [line for line in err.splitlines() if not line.startswith("note: ")]
    assert status == 2
    assert len(lines) == 1
    return lines[0]


def trained(capsys, table="people.csv", *options, target="sick"):
    status, out, err = run(capsys, "train", table, "--target", target, *QUICK, *options)
    assert status == 0, err
    return out, err


# ---- from a table to predictions ----


def test_a_table_is_learned(folder, capsys):
    write(folder / "people.csv", people())
    out, err = trained(capsys)
    assert "classes from 3 columns, 160 rows to train, 40 to validate" in out
    assert "column 'name' is left out: it has 200 different texts in 200 rows" in err
    status, out, _ = run(capsys, "evaluate", "model.safetensors", "people.csv")
    assert status == 0
    accuracy = float(next(line for line in out.splitlines() if line.startswith("accuracy")).split()[1])
    assert accuracy > 0.85


def test_predictions_are_in_the_order_of_the_rows_and_of_the_model(folder, capsys):
    rows = people(count=5000)
    write(folder / "people.csv", rows[:300])
    trained(capsys)
    write(folder / "new.csv", rows)
    status, out, _ = run(capsys, "predict", "model.safetensors", "new.csv", "--probabilities")
    assert status == 0
    header, *predicted = csv.reader(io.StringIO(out))
    assert header == ["sick", "p(no)", "p(yes)"]
    assert len(predicted) == 5000
    for label, no, yes in predicted:
        assert label == ("yes" if float(yes) > float(no) else "no")
        assert float(no) + float(yes) == pytest.approx(1, abs=1e-5)
    # One at a time they are the same.
    for i in (0, 4095, 4096, 4999):
        write(folder / "one.csv", [rows[0], rows[i + 1]])
        _, out, _ = run(capsys, "predict", "model.safetensors", "one.csv")
        assert out.splitlines()[1] == predicted[i][0]


def test_columns_are_found_by_name_in_any_order_and_others_do_not_matter(folder, capsys):
    rows = people()
    write(folder / "people.csv", rows)
    trained(capsys)
    turned = [["colour", "extra", "height", "age"], *([row[3], "x", row[2], row[1]] for row in rows[1:])]
    write(folder / "turned.csv", turned)
    assert run(capsys, "predict", "model.safetensors", "turned.csv") == run(
        capsys, "predict", "model.safetensors", "people.csv"
    )


def test_a_number_is_learned(folder, capsys):
    x = RNG.normal(size=(300, 2))
    rows = [["a", "b", "y"], *([f"{a}", f"{b}", f"{1000 + 50 * a - 30 * b}"] for a, b in x)]
    write(folder / "t.csv", rows)
    out, _ = trained(capsys, "t.csv", "--lr", "0.02", "--epochs", "100", target="y")
    assert float(out.split("share explained (R^2)")[1].split()[0]) > 0.98
    _, out, _ = run(capsys, "predict", "model.safetensors", "t.csv")
    predicted = np.array(out.split()[1:], float)
    assert np.corrcoef(predicted, [float(row[2]) for row in rows[1:]])[0, 1] > 0.99


def test_the_same_seed_gives_the_same_file(folder, capsys):
    write(folder / "people.csv", people())
    for name in ("a", "b"):
        trained(capsys, "people.csv", "--out", f"{name}.safetensors", "--seed", "3")
    first, second = (nn.load_model(f"{name}.safetensors").state_dict() for name in "ab")
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_figures_of_standardisation_are_the_training_rows_and_travel_in_the_file(folder, capsys):
    from nn.cli.model import TableModel

    rows = [["a", "y"], *([str(i), "no" if i < 50 else "yes"] for i in range(100))]
    write(folder / "t.csv", rows)
    trained(capsys, "t.csv", target="y")
    column = TableModel.load(Path("model.safetensors")).columns[0]
    assert column.mean != np.mean(np.arange(100))
    assert column.mean == pytest.approx(49.5, abs=5)
    assert column.scale == pytest.approx(np.std(np.arange(100)), abs=3)


def test_several_models_are_plotted_over_each_other(folder, capsys):
    write(folder / "people.csv", people())
    for name in ("a", "b"):
        trained(capsys, "people.csv", "--out", f"{name}.safetensors")
    status, out, _ = run(capsys, "plot", "a.safetensors", "b.safetensors", "--out", "curves.svg")
    assert (status, out) == (0, "written to curves.svg\n")
    text = (folder / "curves.svg").read_text()
    assert text.count("<svg") == 1
    assert "<!-- a -->" in text
    assert "<!-- b -->" in text


# ---- every kind of file ----


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [False, True])
def test_delimiters_line_ends_and_marks_make_no_difference(delimiter, ending, bom, folder, capsys):
    rows = people(60)
    rows[5][3] = "red"
    write(folder / "people.csv", rows)
    trained(capsys, "people.csv", "--epochs", "3")
    expected = run(capsys, "predict", "model.safetensors", "people.csv")
    write(folder / "other.csv", rows, delimiter, ending, bom)
    assert run(capsys, "predict", "model.safetensors", "other.csv") == expected


def test_mixed_line_ends_blank_lines_and_quoted_commas_are_read(folder, capsys):
    lines = ["size,place,y"]
    for i in range(40):
        lines.append(f'{i},"Ham, {"left" if i % 2 else "right"} ""bank""",{"a" if i % 2 else "b"}')
    text = "".join(line + ("\r\n" if i % 3 else "\n\n" if i % 2 else "\r") for i, line in enumerate(lines))
    (folder / "t.csv").write_bytes(text.encode())
    trained(capsys, "t.csv", "--lr", "0.05", target="y")
    _, out, _ = run(capsys, "predict", "model.safetensors", "t.csv")
    assert out.split() == ["y", *["b", "a"] * 20]


def test_a_table_without_a_header_is_learned_by_number(folder, capsys):
    rows = [row[1:] for row in people()[1:]]
    write(folder / "people.csv", rows)
    out, _ = trained(capsys, target="4")
    assert "from 3 columns" in out
    expected = run(capsys, "predict", "model.safetensors", "people.csv")
    assert expected[0] == 0
    assert len(expected[1].splitlines()) == 201
    # Without the target as well.
    write(folder / "new.csv", [row[:3] for row in rows])
    assert run(capsys, "predict", "model.safetensors", "new.csv") == expected


def test_the_original_breast_cancer_file_is_learned(folder, capsys):
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    rows = [[str(1000 + i), "MB"[label], *map(str, row)] for i, (row, label) in enumerate(zip(X, y, strict=True))]
    write(folder / "wdbc.data", rows)
    trained(capsys, "wdbc.data", "--ignore", "1", target="2")
    _, out, _ = run(capsys, "evaluate", "model.safetensors", "wdbc.data")
    assert float(out.splitlines()[1].split()[1]) > 0.96


def test_arrays_of_numpy_are_tables(folder, capsys):
    x = RNG.normal(size=(100, 3))
    y = (x[:, 0] > 0).astype(float)
    np.save("t.npy", np.column_stack([x, y]))
    np.savez("t.npz", X=x, y=np.where(y, "yes", "no"))
    structured = np.zeros(100, [("a", float), ("b", float), ("y", "U3")])
    structured["a"], structured["b"], structured["y"] = x[:, 0], x[:, 1], np.where(y, "yes", "no")
    np.save("s.npy", structured)
    for table, target in (("t.npy", "column 4"), ("t.npz", "y"), ("s.npy", "y")):
        trained(capsys, table, "--lr", "0.02", target=target)
        _, out, _ = run(capsys, "evaluate", "model.safetensors", table)
        assert float(out.splitlines()[1].split()[1]) > 0.9


def test_missing_values_are_marked_and_told_apart_from_the_mean(folder, capsys):
    rng = np.random.default_rng(0)
    rows = [["a", "b", "y"]]
    for _ in range(200):
        missing = rng.random() < 0.5
        rows.append(
            [
                rng.choice(["", "NA", "?", "nan"]) if missing else f"{rng.normal():.3f}",
                "x" if missing else "",
                "yes" if missing else "no",
            ]
        )
    write(folder / "t.csv", rows)
    out, _ = trained(capsys, "t.csv", "--lr", "0.02", target="y")
    assert "accuracy  1.0000" in out


def test_rows_without_a_target_are_left_out_and_said(folder, capsys):
    rows = people()
    for row in rows[1:11]:
        row[4] = "NA"
    write(folder / "people.csv", rows)
    out, err = trained(capsys)
    assert "note: 10 rows without a target are left out" in err
    assert "152 rows to train, 38 to validate" in out


# ---- what is wrong with a table ----


def with_cell(row, column, value):
    def change(rows):
        rows[row - 1][column] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_cell(17, 1, "forty"), "people.csv, row 17, column 'age': 'forty' is not a finite number, but 100% of"),
        (with_cell(17, 1, "inf"), "row 17, column 'age': 'inf' is not a finite number"),
        (lambda rows: rows[8].pop(), "people.csv, row 9: it has 4 cells, but the first row has 5"),
        (lambda rows: rows[8].append("more"), "row 9: it has 6 cells, but the first row has 5"),
        (with_cell(1, 2, ""), "row 1: column 3 has no name; pass --no-header"),
        (with_cell(1, 2, "age"), "row 1: columns 2 and 3 are both named 'age'"),
        (lambda rows: rows.clear(), "people.csv is empty"),
        (lambda rows: rows.__delitem__(slice(1, None)), "has a header and no rows"),
        (lambda rows: rows.__delitem__(slice(3, None)), "has 2 rows with a target; at least 4 are needed"),
        (lambda rows: [row.__setitem__(4, "yes") for row in rows[1:]], "every row has the class 'yes'"),
        (lambda rows: [row.__setitem__(4, "") for row in rows[1:]], "the target is missing in every row"),
        (lambda rows: [row.__setitem__(4, f"c{i}") for i, row in enumerate(rows[1:])], "200 different classes in 200"),
        (lambda rows: [row.__setitem__(slice(0, 4), "1111") for row in rows[1:]], "no column to predict 'sick' from"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_training_data_is_one_line(change, message, folder, capsys):
    rows = people()
    change(rows)
    write(folder / "people.csv", rows)
    assert message in complains(capsys, "train", "people.csv", "--target", "sick", *QUICK)
    assert not (folder / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_cell(17, 1, "forty"), "new.csv, row 17, column 'age': 'forty' is not a finite number"),
        (with_cell(17, 3, "purple"), "row 17, column 'colour': the category 'purple' was not in the training"),
        (lambda rows: [row.pop(1) for row in rows], "new.csv has no column 'age'; it has name, height"),
        (lambda rows: rows.clear(), "new.csv is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_new_data_is_one_line(change, message, folder, capsys):
    rows = people()
    write(folder / "people.csv", rows)
    trained(capsys)
    change(rows)
    write(folder / "new.csv", rows)
    assert message in complains(capsys, "predict", "model.safetensors", "new.csv", "--out", "p.csv")
    assert not list(folder.glob("*p.csv*"))


def test_an_unseen_category_can_be_let_pass(folder, capsys):
    rows = people()
    write(folder / "people.csv", rows)
    trained(capsys)
    rows[16][3] = "purple"
    write(folder / "new.csv", rows)
    status, out, _ = run(capsys, "predict", "model.safetensors", "new.csv", "--unseen", "ignore")
    assert (status, len(out.splitlines())) == (0, 201)


def test_targets_that_the_training_data_had_not_are_named(folder, capsys):
    rows = people()
    write(folder / "people.csv", rows)
    trained(capsys)
    rows[11][4] = "perhaps"
    write(folder / "new.csv", rows)
    assert "row 12, column 'sick': the class 'perhaps' was not in the training data" in complains(
        capsys, "evaluate", "model.safetensors", "new.csv"
    )


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"a,b\n1,\xff\n", "t.csv, row 2: the byte 0xff is not UTF-8 text; save it as UTF-8"),
        (b'a,b\n1,"2\n', "row 2"),
        (b'a,b\n1,"2"x\n', "row 2"),
        (b"\x93NUMPY\x01\x00", "not UTF-8 text"),
    ],
)
def test_what_is_no_table_is_one_line(contents, message, folder, capsys):
    (folder / "t.csv").write_bytes(contents)
    assert message in complains(capsys, "train", "t.csv", "--target", "b", *QUICK)


@pytest.mark.parametrize("name", ["t.npy", "t.npz"])
@pytest.mark.parametrize("contents", [b"", b"nothing", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'", b"PK\x03\x04rest"])
def test_what_is_no_file_of_arrays_is_one_line(name, contents, folder, capsys):
    (folder / name).write_bytes(contents)
    assert f"{name} is not a file of arrays" in complains(capsys, "train", name, "--target", "1", *QUICK)


def test_files_that_would_run_code_are_refused(folder, capsys):
    np.save("t.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "is not a file of arrays" in complains(capsys, "train", "t.npy", "--target", "1", *QUICK)


def test_models_that_are_none_are_one_line(folder, capsys):
    write(folder / "people.csv", people())
    (folder / "m.safetensors").write_bytes(b"nothing")
    assert "not a safetensors file" in complains(capsys, "predict", "m.safetensors", "people.csv")
    assert "the file nowhere.safetensors does not exist" in complains(
        capsys, "evaluate", "nowhere.safetensors", "people.csv"
    )
    nn.save_weights(nn.MLP([2, 2]), "m.safetensors")
    assert "has weights but no columns" in complains(capsys, "plot", "m.safetensors")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required"),
        (["fly"], "invalid choice: 'fly'"),
        (["train", "people.csv"], "required: --target"),
        (["train", "people.csv", "--target", "weight"], "has no column 'weight'; it has name, age, height"),
        (["train", "people.csv", "--target", "9"], "has no column '9'"),
        (["train", "people.csv", "--target", "sick", "--ignore", "x"], "has no column 'x'"),
        (["train", "people.csv", "--target", "sick", "--epochs", "0"], "expected an integer of at least 1, got '0'"),
        (["train", "people.csv", "--target", "sick", "--lr", "nan"], "expected a number above 0, got 'nan'"),
        (["train", "people.csv", "--target", "sick", "--validation", "1"], "above 0 and below 1, got '1'"),
        (["train", "nowhere.csv", "--target", "sick"], "nowhere.csv: No such file"),
        (["train", ".", "--target", "sick"], "Is a directory"),
        (["train", "people.csv", "--target", "sick", "--out", "no/where.safetensors"], "No such file"),
        (["train", "people.csv", "--target", "sick", "--delimiter", "ab"], "expected one character"),
        (["train", "people.csv", "--target", "sick", "--task", "regression"], "column 'sick': 'yes' is not a finite"),
    ],
)  # fmt: skip
def test_wrong_commands_are_one_line(arguments, message, folder, capsys):
    rows = people()
    rows[1][4] = "yes"
    write(folder / "people.csv", rows)
    if arguments[:1] == ["train"]:
        arguments = [*arguments, *(QUICK if "--epochs" not in arguments else [])]
    assert message in complains(capsys, *arguments)


def test_a_training_that_goes_astray_says_so(folder, capsys):
    write(folder / "people.csv", people())
    line = complains(capsys, "train", "people.csv", "--target", "sick", *QUICK, "--lr", "1e38")
    assert "no epoch was finished (the loss is" in line


# ---- as a program ----


def test_it_is_a_program(folder):
    write(folder / "people.csv", people())
    environment = {**os.environ, "PYTHONPATH": str(Path(nn.__file__).parents[1])}
    command = [sys.executable, "-m", "nn"]
    done = subprocess.run(
        [*command, "train", "people.csv", "--target", "sick", "--epochs", "2"], capture_output=True, text=True,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0
    assert "epoch 2/2  loss" in done.stderr
    piped = subprocess.run(
        f"{sys.executable} -m nn predict model.safetensors people.csv | head -1", shell=True, capture_output=True,
        text=True, env=environment,
    )  # fmt: skip
    assert (piped.stdout, piped.stderr) == ("sick\n", "")


def test_predictions_are_streamed(folder, capsys):
    write(folder / "people.csv", people())
    trained(capsys)
    rows = people(6000)
    rows[5500][1] = "forty"
    write(folder / "new.csv", rows)
    status, out, err = run(capsys, "predict", "model.safetensors", "new.csv")
    assert status == 2
    assert "row 5501, column 'age'" in err
    assert len(out.splitlines()) == 1 + 4096


@pytest.mark.parametrize(
    ("errors", "expected"),
    [([3.0, -4.0], 12.5**0.5), ([3e200, -4e200], 12.5**0.5 * 1e200), ([0.0], 0.0), ([1.0, np.inf], np.inf)],
)
def test_the_size_of_errors_is_finite_where_they_are(errors, expected):
    assert _root_mean_square(np.array(errors)) == pytest.approx(expected)
