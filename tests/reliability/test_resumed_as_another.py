"""Checkpoints that are resumed as another training than the one that wrote them: another model, loss or data."""

import functools
import subprocess

import numpy as np
import pytest

import nn
from nn.io.weights import CheckpointError
from tests.reliability.processes import python
from tests.reliability.test_checkpoints import X, Y, run, steps_in


def mean_loss(outputs, targets):
    return nn.softmax_cross_entropy(outputs, targets)


def twice(factor):
    return lambda outputs, targets: factor * nn.softmax_cross_entropy(outputs, targets)


def layers(activation=None, p=0.2):
    return nn.Sequential(nn.Dense(3, 4, rng=0), activation or nn.Tanh(), nn.Dropout(p, rng=1), nn.Dense(4, 2, rng=2))


class Own(nn.Module):
    def __init__(self, function):
        self.inner, self.function = nn.Dense(3, 2, rng=0), function

    def forward(self, x):
        return self.function(self.inner(x))


CHANGED = X.copy()
CHANGED[17, 1] += 1e-6
OTHERS = {
    "activation": (lambda: {"model": layers()}, lambda: {"model": layers(nn.ReLU())}, "another model"),
    "activation as a function": (
        lambda: {"model": layers(nn.tanh)}, lambda: {"model": layers(nn.relu)}, "another model",
    ),
    "an option of an activation": (
        lambda: {"model": layers(nn.LeakyReLU(0.1))}, lambda: {"model": layers(nn.LeakyReLU(0.2))}, "another model",
    ),
    "a function of a module of one's own": (
        lambda: {"model": Own(nn.tanh)}, lambda: {"model": Own(nn.sigmoid)}, "another model",
    ),
    "dropout": (lambda: {"model": layers()}, lambda: {"model": layers(p=0.3)}, "another model"),
    "loss": (dict, lambda: {"loss": mean_loss}, "the loss softmax_cross_entropy; this training has mean_loss"),
    "loss in a closure": (lambda: {"loss": twice(2)}, lambda: {"loss": twice(3)}, "the loss another"),
    "loss with an option": (
        lambda: {"loss": functools.partial(nn.softmax_cross_entropy, label_smoothing=0.1)},
        lambda: {"loss": functools.partial(nn.softmax_cross_entropy, label_smoothing=0.2)},
        "the loss",
    ),
    "penalty": (dict, lambda: {"penalty": lambda m: nn.l2_penalty(m, 1e-4)}, "the penalty none; this training"),
    "data": (dict, lambda: {"data": (CHANGED, Y)}, "other training data"),
    "order of rows": (dict, lambda: {"data": (X[::-1], Y[::-1])}, "other training data"),
    "dtype": (dict, lambda: {"data": (X.astype(float), Y)}, "other training data"),
    "targets": (dict, lambda: {"data": (X, 1 - Y)}, "other training data"),
    "validation data": (
        lambda: {"validation": (X, Y)}, lambda: {"validation": (CHANGED, Y)}, "other validation data",
    ),
    "batch size": (dict, lambda: {"batch_size": 12}, "batch_size=10.*batch_size=12"),
    "metrics": (dict, lambda: {"metrics": {"accuracy": nn.metrics.accuracy}}, "the metrics none; this training"),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_a_checkpoint_of_another_training_is_refused_by_what_differs(what, tmp_path):
    first, other, told = OTHERS[what]
    run(tmp_path, epochs=1, **first())
    run(tmp_path, epochs=2, resume=tmp_path, **first())  # the same training goes on
    changed = other()
    model = changed.setdefault("model", layers())
    before = model.state_dict()
    with pytest.raises(CheckpointError, match=f"was written by a training with .*{told}"):
        run(tmp_path, epochs=3, resume=tmp_path, **changed)
    assert all(np.array_equal(array, model.state_dict()[name]) for name, array in before.items())


SAME = """
from pathlib import Path
from tests.reliability.test_resumed_as_another import *
def own_loss(outputs, targets):
    return nn.softmax_cross_entropy(outputs, targets) * (2.0 if "a" in {"a", "b", "c"} else 1.0)
run(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[1]), loss=own_loss, model=Own(lambda x: nn.tanh(x)))
"""


def test_the_same_training_is_known_in_another_process(tmp_path):
    for epochs in (1, 2, 3):
        subprocess.run(python(SAME, tmp_path, epochs), check=True)
    assert steps_in(tmp_path) == [4, 8, 12]


def test_data_larger_than_the_limit_are_sampled_to_their_end(monkeypatch, tmp_path):
    from nn.training import identity

    monkeypatch.setattr(identity, "_MOST_BYTES", 4096)
    monkeypatch.setattr(identity, "_BLOCK_BYTES", 256)
    large = np.zeros((4000, 3), np.float32)
    run(tmp_path, epochs=1, data=(large, np.zeros(4000, int)), batch_size=1000)
    large[0] = 1
    with pytest.raises(CheckpointError, match="other training data"):
        run(tmp_path, epochs=2, data=(large, np.zeros(4000, int)), batch_size=1000, resume=tmp_path)
