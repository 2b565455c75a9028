"""Learning-rate schedules."""

import numpy as np
import pytest

import nn


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (nn.schedules.StepDecay(3, 0.1), [1, 1, 1, 0.1, 0.1, 0.1, 0.01]),
        (nn.schedules.ExponentialDecay(0.9), [0.9**t for t in range(7)]),
        (nn.schedules.CosineDecay(6), [(1 + np.cos(np.pi * t / 6)) / 2 for t in range(7)]),
        (nn.schedules.InverseTimeDecay(0.5), [1 / (1 + 0.5 * t) for t in range(7)]),
        (nn.schedules.WarmUp(2, nn.schedules.StepDecay(2, 0.5)), [0.5, 1, 1, 1, 0.5, 0.5, 0.25]),
        (nn.schedules.WarmUp(4), [0.25, 0.5, 0.75, 1, 1, 1, 1]),
    ],
)
def test_schedules_are_their_formulas(schedule, expected):
    np.testing.assert_allclose([schedule(t) for t in range(7)], expected, rtol=1e-12)
