"""The command as processes: interrupted, with closed streams, with absurd tables and options. A sentence, always."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile

import numpy as np
import pytest

import nn
from nn.cli.commands import main
from nn.cli.tables import Table, TableError
from nn.io.weights import read_file, write_file
from tests.reliability.processes import ROOT, WITHOUT_PRIVILEGES, has_permissions, run, small_disk

RNG = np.random.default_rng(0)
QUICK = ["--epochs", "3", "--quiet", "--hidden", "4"]


def table(path, rows=60, classes=("no", "yes"), header=("a", "b", "y")):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for i in range(rows):
            a, b = RNG.normal(size=2)
            writer.writerow([f"{a:.4f}", f"{b:.4f}", classes[i % len(classes)]])
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def model(folder, capsys):
    table(folder / "t.csv")
    assert main(["train", "t.csv", "--target", "y", *QUICK]) == 0
    capsys.readouterr()
    return folder / "model.safetensors"


def complains(capsys, *arguments, status=2):
    """The one line of a command that cannot be done."""
    try:
        found = main([str(argument) for argument in arguments])
    except SystemExit as end:
        found = end.code
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert found == status
    assert len(lines) == 1, lines
    assert len(lines[0]) < 1000
    return lines[0]


# ---- large tables ----


def test_100_000_columns_are_read_in_seconds(folder, capsys):
    names = [f"c{i}" for i in range(100_000)]
    rows = RNG.normal(size=(6, len(names))).round(2)
    with (folder / "wide.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "y"])
        writer.writerows([*row, "ab"[i % 2]] for i, row in enumerate(rows))
    begin = time.monotonic()
    some = [f"c{i}" for i in range(50_000)]
    assert main(["train", "wide.csv", "--target", "y", *QUICK, "--ignore", *some]) == 0
    assert main(["predict", "model.safetensors", "wide.csv", "--out", "p.csv"]) == 0
    assert time.monotonic() - begin < 60
    with (folder / "twice.csv").open("w", newline="") as file:
        csv.writer(file).writerow([*names, names[-2]])
    assert "columns 99999 and 100001 are both named 'c99998'" in complains(
        capsys, "predict", "model.safetensors", "twice.csv"
    )


def peak_memory(*arguments, cwd):
    """The largest resident size of a command, in bytes."""
    code = "import resource, subprocess, sys; r = subprocess.run(sys.argv[1:]); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024); sys.exit(r.returncode)"
    command = [sys.executable, "-c", code, sys.executable, "-m", "nn", *arguments]
    found = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    return found, int(found.stdout.splitlines()[-1])


def test_a_column_of_9_000_texts_is_refused_before_it_takes_memory(folder):
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "x", "y"])
        writer.writerows([f"word {i % 9000}", i, "ab"[i % 2]] for i in range(20_000))
    found, memory = peak_memory("train", "t.csv", "--target", "y", *QUICK, cwd=folder)
    assert found.returncode == 2
    assert "column 'text': it has 9,000 categories" in found.stderr
    assert "at most 1,000 are taken. Group them, or pass --ignore 'text'" in found.stderr
    assert memory < 400 << 20
    found, _ = peak_memory("train", "t.csv", "--target", "text", *QUICK, cwd=folder)
    assert "it has 9,000 classes; at most 1,000 are learned" in found.stderr


def test_many_columns_of_categories_are_refused_if_they_exceed_the_memory(folder, capsys, monkeypatch):
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"c{i}" for i in range(20)), "y"])
        writer.writerows([*[f"w{i % 900}"] * 20, "ab"[i % 2]] for i in range(2000))
    monkeypatch.setattr("nn.cli.tables._memory", lambda: 100e6)
    line = complains(capsys, "train", "t.csv", "--target", "y", *QUICK)
    assert re.search(r"t.csv: 2,000 rows of 17,\d+ inputs would take 0.1 GB, and this machine has 0.1 GB", line)


def bomb(path):
    """An archive of some kilobytes that is unpacked to 40 GB."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (5 * 10**9, 1)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", head.getvalue() + bytes(10_000_000))


def test_archives_that_are_bombs_are_refused_before_they_are_unpacked(folder, monkeypatch):
    bomb(folder / "bomb.npz")
    with (folder / "bomb.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)})
    with pytest.raises(TableError, match="not a file of arrays"):
        Table(folder / "bomb.npy")
    monkeypatch.setattr("nn.cli.tables._memory", lambda: 16e9)
    with pytest.raises(TableError, match=r"its arrays would take 40.0 GB, and this machine has 16.0 GB"):
        Table(folder / "bomb.npz")


@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_a_table_from_a_pipe_is_read_once_and_used_as_often_as_needed(ending, model, folder):
    table(folder / "x.csv", rows=9)
    np.savez(folder / "x.npz", a=np.zeros(9), b=np.ones(9))
    pipe = folder / f"pipe.{ending}"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes((folder / f"x.{ending}").read_bytes()))
    writer.start()
    found = run("nn", "predict", model, pipe, cwd=folder, timeout=60)
    writer.join()
    assert (found.returncode, len(found.stdout.splitlines())) == (0, 10)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_table(device, model, capsys):
    assert "is a device; expected a file or a pipe" in complains(capsys, "predict", model, device)


# ---- outputs ----


def test_out_is_tried_before_training(folder, capsys, monkeypatch):
    table(folder / "t.csv")
    monkeypatch.setattr("nn.cli.train.fit", lambda *_, **__: pytest.fail("it trains"))
    (folder / "sub").mkdir()
    for out, told in (("no/where", "no/where: No such file"), ("sub", "sub: Is a directory")):
        assert told in complains(capsys, "train", "t.csv", "--target", "y", "--out", out)
    assert sorted(path.name for path in folder.iterdir()) == ["sub", "t.csv"]


@has_permissions
def test_a_folder_that_cannot_be_written_to_is_found_before_training(folder):
    table(folder / "t.csv", rows=3000)
    folder.chmod(0o555)
    found = run("nn", "train", "t.csv", "--target", "y", "--epochs", "100000", before=WITHOUT_PRIVILEGES, cwd=folder)
    assert (found.returncode, found.stderr) == (2, "nn train: model.safetensors: Permission denied\n")


@pytest.mark.parametrize("how", ["same", "link", "hard link", "another name"])
def test_the_table_and_the_model_that_are_read_are_never_written(how, model, folder, capsys):
    contents = {path: path.read_bytes() for path in (folder / "t.csv", model)}
    for path, command in (
        (folder / "t.csv", ["train", "t.csv", "--target", "y"]),
        (folder / "t.csv", ["predict", model.name, "t.csv"]),
        (model, ["predict", model.name, "t.csv"]),
        (model, ["plot", model.name]),
    ):
        out = {"same": path.name, "another name": f"../{folder.name}/./{path.name}"}.get(how, "out")
        if how == "link":
            (folder / "out").symlink_to(path.name)
        elif how == "hard link":
            os.link(path, folder / "out")
        assert "which is to be read; choose another name" in complains(capsys, *command, "--out", out)
        (folder / "out").unlink(missing_ok=True)
    assert {path: path.read_bytes() for path in contents} == contents


def test_two_predictions_into_one_file_leave_one_of_them(model, folder):
    table(folder / "long.csv", rows=20_000)
    expected = {}
    for i, extra in enumerate(([], ["--probabilities"])):
        main(["predict", model.name, "long.csv", "--out", f"{i}.csv", *extra])
        expected[(folder / f"{i}.csv").read_bytes()] = i
    command = [sys.executable, "-m", "nn", "predict", model.name, "long.csv", "--out", "p.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen([*command, *extra], cwd=folder, env=environment) for extra in ([], ["--probabilities"])]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (folder / "p.csv").read_bytes() in expected
    assert not list(folder.glob(".*"))


def test_a_link_that_is_planted_beside_the_output_redirects_nothing(model, folder):
    (folder / "victim").write_text("precious")
    (folder / ".p.csv.part").symlink_to("victim")
    assert main(["predict", model.name, "t.csv", "--out", "p.csv"]) == 0
    assert (folder / "victim").read_text() == "precious"


def test_predictions_go_into_pipes_and_devices(model, folder):
    os.mkfifo(folder / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((folder / "pipe").read_text()))
    reader.start()
    assert main(["predict", model.name, "t.csv", "--out", "pipe"]) == 0
    reader.join(20)
    assert len(read[0].splitlines()) == 61
    for device in ("/dev/null", "/dev/stdout"):
        found = run("nn", "predict", model, "t.csv", "--out", device, cwd=folder)
        assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout == read[0]


@pytest.mark.parametrize("command", ["train", "predict"])
def test_a_full_disk_is_one_line_and_leaves_nothing(command, model, folder):
    table(folder / "long.csv", rows=5000)
    with small_disk(folder, 8) as disk:
        (disk / "full").write_bytes(b"x" * 8192)
        rest = ["--target", "y", *QUICK] if command == "train" else []
        given = ["long.csv"] if command == "train" else [model, "long.csv"]
        found = run("nn", command, *given, *rest, "--out", disk / "out", cwd=folder)
        assert found.returncode == 2
        assert found.stderr == f"nn {command}: {disk / 'out'}: No space left on device\n"
        assert [path.name for path in disk.iterdir()] == ["full"]


# ---- Ctrl-C ----


def interrupted(folder, *arguments, wait, count=1):
    """The exit status and what was printed of a command that Ctrl-C stops after it has printed something."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nn", *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    line = ""
    while wait not in line:
        line = process.stderr.readline()
        assert line, "it ended"
    time.sleep(0.2)
    for _ in range(count):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_ctrl_c_in_training_ends_with_130_and_says_what_was_kept(folder):
    table(folder / "t.csv", rows=400)
    status, out, err = interrupted(
        folder, "train", "t.csv", "--target", "y", "--epochs", "1000000", "--patience", "1000000", wait="epoch"
    )
    assert status == 130
    assert "Traceback" not in err
    assert re.search(r"stopped by Ctrl-C after \d+ epochs; the weights of the best one are in model.safetensors", err)
    assert "written to model.safetensors" in out
    assert run("nn", "evaluate", "model.safetensors", "t.csv", cwd=folder).returncode == 0


def test_ctrl_c_before_the_first_epoch_ends_with_130_and_says_that_nothing_was_kept(folder):
    table(folder / "t.csv")
    code = "import nn.cli.train as t, signal, sys\nfrom nn.cli.commands import main\n"
    code += "t.fit = lambda *a, **b: signal.raise_signal(signal.SIGINT)\n"
    code += "sys.exit(main(['train', 't.csv', '--target', 'y']))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 130
    assert found.stderr == "nn train: stopped by Ctrl-C; nothing is written to model.safetensors\n"
    assert [path.name for path in folder.iterdir()] == ["t.csv"]


# ---- streams ----


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["train", "predict", "predict --out", "evaluate"])
def test_closed_streams_never_give_a_traceback_and_never_spoil_a_file(command, closed, model, folder):
    before = (folder / "t.csv").read_bytes(), model.read_bytes()
    words = {
        "train": f"train t.csv --target y {' '.join(QUICK)} --out new.safetensors",
        "predict": "predict model.safetensors t.csv",
        "predict --out": "predict model.safetensors t.csv --out p.csv",
        "evaluate": "evaluate model.safetensors t.csv",
    }[command]
    found = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m nn {words} {closed}"], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "Traceback" not in found.stderr
    without_output = " >&-" in f" {closed}" and command != "predict --out"
    assert found.returncode == (2 if without_output else 0), found.stderr
    if without_output and "2>&-" not in closed:
        assert "standard output is closed" in found.stderr
    assert ((folder / "t.csv").read_bytes(), model.read_bytes()) == before
    if command == "predict --out":
        assert len((folder / "p.csv").read_text().splitlines()) == 61
    if command == "train":
        nn.load_model(folder / "new.safetensors")


@pytest.mark.parametrize("command", ["--help", "evaluate model.safetensors t.csv", "predict model.safetensors t.csv"])
def test_a_full_standard_output_is_one_line(command, model, folder):
    with open("/dev/full", "w") as full:
        found = run("nn", *command.split(), cwd=folder, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert found.returncode == 2
    assert re.fullmatch(r"nn.*: (standard output: )?.*No space left on device\n", found.stderr)


def test_letters_that_standard_output_cannot_hold_are_a_sentence(folder):
    table(folder / "t.csv", classes=("näé", "yes"))
    assert main(["train", "t.csv", "--target", "y", *QUICK]) == 0
    found = run("nn", "predict", "model.safetensors", "t.csv", cwd=folder, environment={"PYTHONIOENCODING": "ascii"})
    assert found.returncode == 2
    assert "standard output cannot hold 'ä'" in found.stderr or "standard output cannot hold" in found.stderr
    assert "Traceback" not in found.stderr


# ---- options and numbers ----


@pytest.mark.parametrize(
    "options",
    [
        ["--hidden", "1000000000"], ["--hidden", "9" * 30], ["--hidden", "100000", "100000"], ["--epochs", "9" * 30],
        ["--epochs", "9" * 5000], ["--batch-size", "9" * 30], ["--seed", "9" * 400], ["--seed", "-1"],
        ["--patience", "9" * 30], ["--lr", "1e309"], ["--lr", "-0"], ["--weight-decay", "nan"],
        ["--validation", "0.999999"], ["--delimiter", ""], ["--delimiter", "\n"], ["--delimiter", "é"],
        ["--ignore", "a", "b"], ["--ignore", "9" * 5000], ["--ignore", "\ud800"], ["--target", "\0"],
        ["--categories", "0"], ["--epochs", "1_0x"], ["--activation", ""],
    ],
    ids=lambda options: " ".join(options)[:20].encode("ascii", "backslashreplace").decode(),
)  # fmt: skip
def test_absurd_options_are_one_line(options, folder, capsys):
    table(folder / "t.csv")
    complains(
        capsys,
        "train",
        "t.csv",
        *([] if "--target" in options else ["--target", "y"]),
        "--epochs",
        "1",
        "--quiet",
        *options,
    )
    assert not (folder / "model.safetensors").exists()


@pytest.mark.parametrize(
    "options", [["--lr", "1e308"], ["--validation", "1e-320"], ["--batch-size", "2147483647"], ["--validation", "0.5"]]
)
def test_extreme_options_are_a_result_or_one_line(options, folder, capsys):
    table(folder / "t.csv")
    status = main(["train", "t.csv", "--target", "y", "--epochs", "2", "--quiet", *options])
    assert status in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_numbers_that_overflow_name_their_row(command, model, folder, capsys):
    arrays, texts = read_file(model, "weights")
    huge = {name: (array * 1e30).astype(np.float32) for name, array in arrays.items()}
    write_file(
        model, huge, {name: text for name, text in texts.items() if name not in ("program", "layout", "version")}
    )
    (folder / "far.csv").write_text("a,b,y\n0,0,no\n1e300,-1e300,yes\n")
    line = complains(capsys, command, model, "far.csv")
    assert re.search(r"far.csv, row [23]: the network's result is not a finite number, and so in [12] of 2 rows", line)


# ---- cells ----


def test_cells_that_a_spreadsheet_would_run_are_quoted_on_request(folder, capsys):
    classes = ("=1+2", "+cmd", "-x", "@sum", "plain", "-1.5")
    table(folder / "t.csv", rows=300, classes=classes, header=("a", "b", "=y"))
    assert main(["train", "t.csv", "--target", "=y", "--task", "classification", *QUICK]) == 0
    text = {}
    for options in ([], ["--safe-cells"]):
        assert main(["predict", "model.safetensors", "t.csv", "--out", "p.csv", *options]) == 0
        text[bool(options)] = (folder / "p.csv").read_text().splitlines()
    assert text[False][0] == "=y"
    assert text[True][0] == "'=y"
    assert len(text[True]) == 301
    quoted = {f"'{name}" for name in classes[:4]} | set(classes[4:])
    assert set(text[True][1:]) <= quoted
    for plain, safe in zip(text[False][1:], text[True][1:], strict=True):
        assert safe == (f"'{plain}" if plain in classes[:4] else plain)
