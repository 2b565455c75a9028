"""Checkpoints: training that ended at any instant goes on to the same bits."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.io.weights import CheckpointError
from tests.nn.training.every import assert_same_memory, delete_files_of, every_callback

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 3)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def make(epochs=4, *, folder=None, unit="epoch", every=1, keep=100, callbacks=(), shared=False, resume=None, p=0.3):
    """A training with everything that has a state, and what it ends with."""
    generator = np.random.default_rng(5) if shared else 5
    model = nn.Sequential(
        nn.Dense(3, 8, rng=1), nn.BatchNorm(8), nn.Tanh(), nn.Dropout(p, rng=generator), nn.Dense(8, 2, rng=2)
    )
    optimizer = nn.Adam(model.named_parameters(), lr=0.05)
    checkpoints = [nn.Checkpoint(folder, every=every, keep=keep, unit=unit)] if folder else []
    everything = [
        nn.EarlyStopping(patience=50),
        nn.LearningRate(nn.schedules.WarmUp(5, nn.schedules.CosineDecay(30)), every="step"),
        nn.ReduceOnPlateau(patience=2, factor=0.5),
        *callbacks,
        *checkpoints,
    ]
    history = nn.fit(
        model, nn.softmax_cross_entropy, optimizer, (X[:70], Y[:70]), (X[70:], Y[70:]), epochs=epochs, batch_size=16,
        callbacks=everything, rng=generator if shared else 3, progress=False, resume=resume,
        metrics={"accuracy": nn.metrics.accuracy},
    )  # fmt: skip
    return model, optimizer, history


def assert_same_end(first, second):
    for a, b in zip(first[:2], second[:2], strict=True):
        one, other = a.state_dict(), b.state_dict()
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    timeless = [{k: v for k, v in end[2].epochs.items() if k != "seconds"} for end in (first, second)]
    assert timeless[0] == timeless[1]
    assert first[2].steps["loss"] == second[2].steps["loss"]


class Crash(nn.Callback):
    """An error after so many steps."""

    def __init__(self, at):
        self.at = at

    def on_step_end(self, training):
        if training.step == self.at:
            raise RuntimeError("the power is gone")


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("unit", "every"), [("epoch", 1), ("epoch", 2), ("step", 1), ("step", 3), ("step", 7)])
def test_training_goes_on_to_the_same_bits(unit, every, shared, tmp_path):
    expected = make(shared=shared, callbacks=[Crash(-1)])
    for at in (4, 5, 6, 13, 19):
        folder = tmp_path / str(at)
        with pytest.raises(RuntimeError, match="the power is gone"):
            make(folder=folder, unit=unit, every=every, shared=shared, callbacks=[Crash(at)])
        found = make(folder=folder, unit=unit, every=every, shared=shared, callbacks=[Crash(-1)], resume=folder)
        assert_same_end(expected, found)


@every_callback
def test_every_callback_goes_on_with_what_it_remembers(make_callback, tmp_path):
    whole, begun, resumed = (make_callback(tmp_path / "its own") for _ in range(3))
    make(epochs=4, callbacks=[whole])
    delete_files_of(whole)
    with pytest.raises(RuntimeError, match="power"):
        make(epochs=4, folder=tmp_path, every=3, unit="step", callbacks=[begun, Crash(8)])
    make(epochs=4, folder=tmp_path, every=3, unit="step", callbacks=[resumed, Crash(-1)], resume=tmp_path)
    assert_same_memory(resumed, whole)


def test_training_that_was_finished_can_be_made_longer(tmp_path):
    make(epochs=2, folder=tmp_path)
    assert_same_end(make(epochs=4), make(epochs=4, folder=tmp_path, resume=tmp_path))


def test_training_that_was_finished_is_not_trained_again(tmp_path):
    first = make(epochs=2, folder=tmp_path)
    assert_same_end(first, make(epochs=2, folder=tmp_path, resume=tmp_path))


def test_a_folder_without_a_checkpoint_starts_training(tmp_path):
    assert_same_end(make(), make(folder=tmp_path / "new", resume=tmp_path / "new"))


class Stop(nn.Callback):
    def on_epoch_end(self, training):
        if training.epoch == 2:
            training.stop("two are enough")


def test_training_that_a_callback_has_stopped_stays_stopped(tmp_path):
    first = make(folder=tmp_path, callbacks=[Stop()])
    again = make(folder=tmp_path, callbacks=[Stop()], resume=tmp_path)
    assert_same_end(first, again)
    assert again[2].stopped == "two are enough"


class CtrlC(nn.Callback):
    def on_gradient(self, training):
        if training.step == 7 and not training.resumed:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_writes_where_it_is_and_training_goes_on(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _, _, history = make(folder=tmp_path, every=100, callbacks=[CtrlC()])
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.interrupted
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000008.safetensors"]
    assert_same_end(
        make(callbacks=[CtrlCNever()]), make(folder=tmp_path, every=100, callbacks=[CtrlC()], resume=tmp_path)
    )


class CtrlCNever(nn.Callback):
    pass


def test_the_last_few_files_are_kept(tmp_path):
    make(folder=tmp_path, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-00000015.safetensors", "checkpoint-00000020.safetensors",
    ]  # fmt: skip


def test_half_written_files_of_a_crash_are_cleared_away_and_others_stay(tmp_path):
    leftover = tmp_path / ".checkpoint-00000005.safetensors.1a2b3c4d.part"
    leftover.write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    make(epochs=1, folder=tmp_path)
    assert not leftover.exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_of_damaged_files_the_one_before_is_taken(tmp_path):
    make(folder=tmp_path)
    newest = tmp_path / "checkpoint-00000020.safetensors"
    newest.write_bytes(newest.read_bytes()[:-10])
    with pytest.warns(nn.TrainingWarning, match=r"00020.*truncated.*the checkpoint before it is used"):
        found = make(folder=tmp_path, resume=tmp_path)
    assert_same_end(make(), found)


# ---- what is refused ----


def test_a_damaged_file_that_was_asked_for_is_refused(tmp_path):
    make(folder=tmp_path)
    newest = tmp_path / "checkpoint-00000020.safetensors"
    newest.write_bytes(newest.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="truncated"):
        make(resume=newest)


def refused(path, match, **changes):
    model = nn.MLP(changes.get("sizes", [3, 8, 2]), rng=0)
    optimizer = changes.get("optimizer", nn.Adam)(model.named_parameters(), lr=0.05)
    before = model.state_dict(), optimizer.state_dict()
    with pytest.raises(CheckpointError, match=match):
        nn.fit(
            model, nn.softmax_cross_entropy, optimizer, (X[: changes.get("rows", 70)], Y[: changes.get("rows", 70)]),
            batch_size=16, callbacks=changes.get("callbacks", []), progress=False, resume=path,
        )  # fmt: skip
    for state, owner in zip(before, (model, optimizer), strict=True):
        for name, value in owner.state_dict().items():
            np.testing.assert_array_equal(value, state[name])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"sizes": [3, 9, 2]}, r"layers.0.weight has shape \(3, 8\)"),
        ({"optimizer": nn.SGD}, "another optimizer"),
        ({"rows": 60}, "5 steps in an epoch; this training has 4: the data or the batch size differs"),
        (
            {"callbacks": [nn.EarlyStopping("loss")]},
            r"the callbacks \['Checkpoint'\]; this training has \['EarlyStopping'\]",
        ),
    ],
)
def test_a_checkpoint_of_another_training_leaves_everything_as_it_was(changes, match, tmp_path):
    model = nn.MLP([3, 8, 2], rng=4)
    nn.fit(
        model, nn.softmax_cross_entropy, nn.Adam(model.named_parameters()), (X[:70], Y[:70]), batch_size=16, epochs=1,
        callbacks=[nn.Checkpoint(tmp_path)], progress=False,
    )  # fmt: skip
    changes.setdefault("callbacks", [nn.Checkpoint(tmp_path / "other")])
    refused(tmp_path / "checkpoint-00000005.safetensors", match, **changes)


def test_weights_alone_are_no_checkpoint(tmp_path):
    nn.save_weights(nn.MLP([3, 8, 2]), tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", "holds 'weights'; expected a file that holds 'checkpoint'")


# ---- killed ----

PROGRAM = """
import sys
sys.path.insert(0, {root!r})
from tests.nn.training import test_checkpoint as this
this.run_to_the_end({folder!r})
"""


def run_to_the_end(folder):
    """What the killed process does: train on from where it was, and leave the weights."""
    model, optimizer, _ = make(epochs=6, folder=Path(folder) / "checkpoints", unit="step", every=2, keep=3,
                               resume=Path(folder) / "checkpoints")  # fmt: skip
    state = {**{f"model.{k}": v for k, v in model.state_dict().items()}, **optimizer.state_dict()}
    np.savez(Path(folder) / "end.npz", **state)


def start(folder):
    program = PROGRAM.format(root=str(Path(__file__).parents[3]), folder=str(folder))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(nn.__file__).parents[1]), *sys.path])}
    return subprocess.Popen([sys.executable, "-c", program], env=environment)


def test_training_that_is_killed_at_any_instant_goes_on_to_the_same_bits(tmp_path):
    expected_folder = tmp_path / "expected"
    expected_folder.mkdir()
    run_to_the_end(expected_folder)
    expected = dict(np.load(expected_folder / "end.npz"))
    draw = random.Random(0)
    kills = folder_number = 0
    while kills < 12:
        folder = tmp_path / f"killed{folder_number}"
        folder_number += 1
        folder.mkdir()
        while True:
            process = start(folder)
            # Until it has written something, importing is all there is to kill.
            before = set(folder.glob("checkpoints/checkpoint-*"))
            deadline = time.monotonic() + 60
            while set(folder.glob("checkpoints/checkpoint-*")) == before and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.03))
            if process.poll() is not None or kills >= 12:
                break
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        assert process.wait() == 0
        found = dict(np.load(folder / "end.npz"))
        assert found.keys() == expected.keys()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
