"""Every callback of `nn`, and what one remembers: compiled and resumed trainings are held to the same of each."""

import shutil

import numpy as np
import pytest

import nn
from autograd_lite import Tensor

CALLBACKS = {
    "clipping by norm": lambda folder: nn.ClipGradientNorm(0.1),
    "clipping by value": lambda folder: nn.ClipGradientValue(0.01),
    "a schedule of epochs": lambda folder: nn.LearningRate(nn.schedules.CosineDecay(4)),
    "a schedule of steps": lambda folder: nn.LearningRate(nn.schedules.CosineDecay(9), every="step"),
    "early stopping": lambda folder: nn.EarlyStopping(patience=1, min_delta=0.1),
    "on a plateau": lambda folder: nn.ReduceOnPlateau(patience=1, min_delta=0.1),
    "a monitor": lambda folder: nn.GradientMonitor(every=3, vanishing=0.0, exploding=1e30, dead=1.0),
    "checkpoints": lambda folder: nn.Checkpoint(folder),
}
"""From a folder that it may write to."""

every_callback = pytest.mark.parametrize("make_callback", CALLBACKS.values(), ids=CALLBACKS)


def delete_files_of(callback):
    """Delete the checkpoints that a callback has written, so that another training may have its folder."""
    if isinstance(callback, nn.Checkpoint):
        shutil.rmtree(callback.path)


def assert_same_memory(one, other):
    """That two callbacks have the same in all of their attributes, to the bit."""
    assert type(one) is type(other)
    _assert_same(vars(one), vars(other), type(one).__name__)


def _assert_same(one, other, where):
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key, value in one.items():
            _assert_same(value, other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for i, pair in enumerate(zip(one, other, strict=True)):
            _assert_same(*pair, f"{where}[{i}]")
    elif isinstance(one, Tensor | np.ndarray):
        np.testing.assert_array_equal(
            np.array(getattr(one, "data", one)), np.array(getattr(other, "data", other)), where
        )
    else:
        assert repr(one) == repr(other), where
