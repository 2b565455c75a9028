"""Checkpoints of runs that share a folder, are killed, damaged or resumed as another training."""

import os
import random
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest

import nn
from nn.io.weights import CheckpointError, read_file
from nn.training import run_folder
from nn.training.run_folder import NAME
from tests.reliability.processes import WITHOUT_PRIVILEGES, has_permissions, python, small_disk
from tests.reliability.test_model_files import mutated

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def run(folder=None, epochs=3, resume=None, *, seed=0, callbacks=(), keep=3, model=None, data=(X, Y), **options):
    """A small training, and the model that it leaves."""
    model = model or nn.Sequential(nn.Dense(3, 4, rng=seed), nn.Tanh(), nn.Dropout(0.2, rng=1), nn.Dense(4, 2, rng=2))
    given = {"loss": nn.softmax_cross_entropy, "batch_size": 10, **options}
    own = [nn.Checkpoint(folder, keep=keep)] if folder else []
    nn.fit(
        model, given.pop("loss"), nn.Adam(model.named_parameters(), lr=0.05), data, given.pop("validation", None),
        epochs=epochs, callbacks=[*callbacks, *own], rng=3, progress=False, resume=resume, **given,
    )  # fmt: skip
    return model


def steps_in(folder):
    return sorted(int(re.search(r"\d+", path.name)[0]) for path in folder.glob("checkpoint-*.safetensors"))


def assert_same(one, other):
    for name, array in one.state_dict().items():
        np.testing.assert_array_equal(array, other.state_dict()[name], err_msg=name)


class Crash(nn.Callback):
    def __init__(self, at=None):
        self.at = at

    def on_step_end(self, training):
        if training.step == self.at:
            raise RuntimeError("the power is gone")


# ---- one folder, several runs ----


def test_a_new_run_in_the_folder_of_another_one_is_refused_and_changes_nothing(tmp_path):
    run(tmp_path, epochs=5)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    model = nn.Sequential(nn.Dense(3, 4, rng=7), nn.Tanh(), nn.Dropout(0.2, rng=1), nn.Dense(4, 2, rng=2))
    state = model.state_dict()
    with pytest.raises(CheckpointError, match=rf"has the checkpoints of another training, up to step 20.*{tmp_path}"):
        run(tmp_path, epochs=1, model=model)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert all(np.array_equal(array, state[name]) for name, array in model.state_dict().items())
    assert_same(run(tmp_path, epochs=6, resume=tmp_path), run(epochs=6))


def test_a_resumed_run_does_not_enter_the_folder_of_another_one(tmp_path):
    run(tmp_path / "a", epochs=1)
    run(tmp_path / "b", epochs=1)
    with pytest.raises(CheckpointError, match="has a checkpoint of another run"):
        run(tmp_path / "b", epochs=2, resume=tmp_path / "a")
    assert steps_in(tmp_path / "b") == [4]


def test_a_run_that_goes_back_to_an_older_file_does_not_mix_with_the_later_ones(tmp_path):
    run(tmp_path, epochs=3)
    older = tmp_path / "checkpoint-00000004.safetensors"
    with pytest.raises(CheckpointError, match=r"has a later checkpoint.*than the one of step 4"):
        run(tmp_path, epochs=3, resume=older)
    elsewhere = tmp_path / "elsewhere"
    assert_same(run(elsewhere, epochs=3, resume=older), run(epochs=3))
    assert steps_in(elsewhere) == [8, 12]


def test_two_checkpoints_of_one_run_share_their_folder(tmp_path):
    both = [nn.Checkpoint(tmp_path, every=3, unit="step", keep=10), nn.Checkpoint(tmp_path, keep=10)]
    run(epochs=2, callbacks=both)
    assert steps_in(tmp_path) == [3, 4, 6, 8]


HELD = """
import nn, time
from pathlib import Path
from tests.reliability.test_checkpoints import run
class Wait(nn.Callback):
    def on_step_end(self, training):
        print("runs", flush=True)
        time.sleep(60)
run(Path(sys.argv[1]), callbacks=[Wait()])
"""


def test_a_second_run_is_refused_with_the_name_of_the_first_until_that_is_killed(tmp_path):
    with subprocess.Popen(python(HELD, tmp_path), stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "runs\n"
        for resume in (None, tmp_path):
            with pytest.raises(CheckpointError, match=f"another training runs in the folder.*process {first.pid} on"):
                run(tmp_path, resume=resume)
        first.kill()
    run(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("checkpoint-")] == []


def test_a_run_that_fails_frees_its_folder(tmp_path):
    with pytest.raises(RuntimeError):
        run(tmp_path, callbacks=[Crash(6)])
    assert steps_in(tmp_path) == [4]
    assert not (tmp_path / NAME).exists()
    assert_same(run(tmp_path, callbacks=[Crash()], resume=tmp_path), run(callbacks=[Crash()]))


FORKING = """
import nn, os, time
from pathlib import Path
from tests.reliability.test_checkpoints import run
class Fork(nn.Callback):
    def on_step_end(self, training):
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        time.sleep(60)
run(Path(sys.argv[1]), callbacks=[Fork()])
"""


def test_a_child_process_does_not_hold_the_folder_of_a_parent_that_was_killed(tmp_path):
    with subprocess.Popen(python(FORKING, tmp_path), stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        try:
            run(tmp_path)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_lock_file_that_is_deleted_meanwhile_is_made_anew(tmp_path, monkeypatch):
    """The run that had it has ended between the opening of the file and the lock."""
    real, calls = run_folder._lock, []

    def lock(descriptor):
        if not calls:
            (tmp_path / NAME).unlink()
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(run_folder, "_lock", lock)
    with run_folder.locked(tmp_path, object()):
        assert f"process {os.getpid()} on" in (tmp_path / NAME).read_text()
        with pytest.raises(CheckpointError, match="another training runs"), run_folder.locked(tmp_path, object()):
            pass
    assert len(calls) == 3


RACING = """
import nn
from pathlib import Path
from tests.reliability.test_checkpoints import run
try:
    run(Path(sys.argv[1]), seed=int(sys.argv[2]), epochs=int(sys.argv[3]), keep=2)
except nn.CheckpointError as error:
    print(error, file=sys.stderr)
    sys.exit(3)
"""


def test_of_runs_that_begin_at_once_one_goes_on_and_the_others_are_refused(tmp_path, rounds):
    for i in range(rounds(2)):
        folder = tmp_path / str(i)
        processes = [
            subprocess.Popen(python(RACING, folder, seed, 30), stderr=subprocess.PIPE, text=True) for seed in range(4)
        ]
        told = [process.communicate()[1] for process in processes]
        assert sorted(process.returncode for process in processes) == [0, 3, 3, 3], told
        for text, process in zip(told, processes, strict=True):
            if process.returncode:
                assert re.search(r"another training (runs in the folder .*process \d+)?", text), text
        (seed,) = (seed for seed, process in enumerate(processes) if process.returncode == 0)
        assert steps_in(folder) == [116, 120]
        expected = run(seed=seed, epochs=30).state_dict()
        arrays, _ = read_file(folder / "checkpoint-00000120.safetensors", "checkpoint")
        for name, array in expected.items():
            np.testing.assert_array_equal(arrays[f"model/{name}"], array)


# ---- what the newest one may be ----


def damage(kind, path):
    contents = path.read_bytes()
    path.unlink()
    match kind:
        case "a folder":
            (path / "inside").mkdir(parents=True)
        case "a dangling link":
            path.symlink_to("nowhere")
        case "a link in a circle":
            path.symlink_to(path.name)
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(contents[:-100])
        case "changed":
            path.write_bytes(contents[:-1] + bytes([contents[-1] ^ 1]))
        case "a pipe":
            os.mkfifo(path)
        case "weights":
            nn.save_weights(nn.Dense(2, 2), path)


DAMAGES = ["a folder", "a dangling link", "a link in a circle", "empty", "truncated", "changed", "a pipe", "weights"]


@pytest.mark.parametrize("keep", [1, 3])
@pytest.mark.parametrize("kind", DAMAGES)
def test_of_a_damaged_newest_one_the_one_before_is_taken_and_training_goes_on(kind, keep, tmp_path):
    run(tmp_path, epochs=3)
    damage(kind, tmp_path / "checkpoint-00000012.safetensors")
    expected = run(epochs=5)
    with pytest.warns(nn.TrainingWarning, match=r"00000012.*the checkpoint before it is used"):
        found = run(tmp_path, epochs=5, resume=tmp_path, keep=keep)
    assert_same(found, expected)
    assert steps_in(tmp_path)[-keep:] == [12, 16, 20][-keep:]
    assert_same(run(tmp_path, epochs=6, resume=tmp_path), run(epochs=6))


def test_a_file_of_its_own_is_never_deleted_for_a_damaged_later_one(tmp_path):
    run(tmp_path, epochs=5, callbacks=[Crash()])
    for step in (16, 20):
        damage("truncated", tmp_path / f"checkpoint-{step:08d}.safetensors")
    with pytest.warns(nn.TrainingWarning), pytest.raises(RuntimeError, match="power"):
        run(tmp_path, epochs=5, resume=tmp_path, keep=1, callbacks=[Crash(17)])
    assert 16 in steps_in(tmp_path)  # written anew, though the damaged one of step 20 is later
    with pytest.warns(nn.TrainingWarning, match="00000020"):
        assert_same(run(tmp_path, epochs=5, resume=tmp_path, callbacks=[Crash()]), run(epochs=5, callbacks=[Crash()]))


@pytest.mark.parametrize("kind", DAMAGES)
def test_where_all_are_damaged_training_does_not_start_anew(kind, tmp_path):
    run(tmp_path, epochs=3)
    for path in list(tmp_path.iterdir()):
        damage(kind, path)
    for with_checkpoints in (tmp_path, None):
        with pytest.raises(CheckpointError, match=r"has 3 checkpoints and none that can be read.*00000012"):
            run(with_checkpoints, resume=tmp_path)
    with pytest.raises(CheckpointError, match="has the checkpoints of another training"):
        run(tmp_path)


def test_mutated_checkpoints_are_refused_with_one_error_and_leave_everything_as_it_was(tmp_path, rounds):
    run(tmp_path / "whole", epochs=1)
    (file,) = (tmp_path / "whole").iterdir()
    contents, draw, refused = file.read_bytes(), random.Random(1), 0
    path = tmp_path / "checkpoint-00000004.safetensors"
    for _ in range(rounds(100)):
        path.write_bytes(mutated(contents, draw))
        model = nn.Sequential(nn.Dense(3, 4, rng=9), nn.Tanh(), nn.Dropout(0.2, rng=1), nn.Dense(4, 2, rng=2))
        optimizer = nn.Adam(model.named_parameters(), lr=0.05)
        generator = np.random.default_rng(3)
        own = nn.Checkpoint(tmp_path / "own")
        state = repr(
            (
                model.state_dict(),
                optimizer.state_dict(),
                generator.bit_generator.state,
                model[2].rng.bit_generator.state,
            )
        )
        try:
            nn.fit(
                model, nn.softmax_cross_entropy, optimizer, (X, Y), epochs=1, batch_size=10, callbacks=[own],
                rng=generator, progress=False, resume=path,
            )  # fmt: skip
        except CheckpointError:
            refused += 1
            assert state == repr(
                (
                    model.state_dict(),
                    optimizer.state_dict(),
                    generator.bit_generator.state,
                    model[2].rng.bit_generator.state,
                )
            )
        shutil.rmtree(tmp_path / "own", ignore_errors=True)
    assert refused > 50


# ---- the disk ----


def test_a_disk_that_is_full_ends_training_with_the_older_files_whole(tmp_path):
    with small_disk(tmp_path, 64) as folder:
        model = nn.Sequential(nn.Dense(3, 500, rng=0), nn.Tanh(), nn.Dense(500, 2, rng=1))
        with pytest.raises(OSError, match=r"No space left on device.*checkpoint-0000"):
            run(folder / "run", epochs=50, keep=100, model=model)
        written = list((folder / "run").iterdir())
        assert written
        for path in written:
            read_file(path, "checkpoint")


@has_permissions
def test_a_folder_that_cannot_be_written_to_is_refused_before_the_first_step(tmp_path):
    tmp_path.chmod(0o555)
    code = "from pathlib import Path\nfrom tests.reliability.test_checkpoints import *\n"
    code += "run(Path(sys.argv[1]), callbacks=[Crash(1)])"
    found = subprocess.run([*WITHOUT_PRIVILEGES, *python(code, tmp_path)], capture_output=True, text=True)
    assert "PermissionError" in found.stderr.splitlines()[-1]
    assert str(tmp_path) in found.stderr.splitlines()[-1]


KILLED = """
from pathlib import Path
from tests.reliability.test_checkpoints import *
folder = Path(sys.argv[1])
model = run(folder / "run", epochs=40, resume=folder / "run", keep=2)
nn.save_weights(model, folder / "end.safetensors")
"""


def test_a_run_that_is_killed_again_and_again_ends_at_the_same_bits(tmp_path, rounds):
    expected = run(epochs=40)
    draw = random.Random(0)
    kills, folder = 0, tmp_path / "0"
    while kills < rounds(8):
        folder.mkdir(exist_ok=True)
        process = subprocess.Popen(python(KILLED, folder), env={**os.environ, "OMP_NUM_THREADS": "1"})
        before = steps_in(folder / "run")
        while process.poll() is None and steps_in(folder / "run") == before:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.05))
        process.kill()
        if process.wait() == 0:
            assert_same(expected, nn.load_model(folder / "end.safetensors"))
            folder = tmp_path / str(kills)
        kills += 1
    folder.mkdir(exist_ok=True)
    subprocess.run(python(KILLED, folder), check=True)
    assert_same(expected, nn.load_model(folder / "end.safetensors"))
    assert steps_in(folder / "run") == [156, 160]
    assert [path.name for path in (folder / "run").glob(".*")] == []
