"""The gradient monitor: its figures, and the illnesses that it names."""

import warnings

import numpy as np
import pytest

import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def fit(model, monitor, lr=0.01, epochs=2, **options):
    optimizer = nn.SGD(model.named_parameters(), lr=lr)
    return nn.fit(
        model, nn.softmax_cross_entropy, optimizer, (X, Y), epochs=epochs, batch_size=16, callbacks=[monitor],
        progress=False, rng=0, **options,
    )  # fmt: skip


def test_a_healthy_network_is_measured_in_silence():
    model = nn.MLP([4, 8, 2], "tanh", rng=0)
    monitor = nn.GradientMonitor(every=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(model, monitor)
    assert list(monitor.measured) == ["layers.0", "layers.2"]
    assert monitor.measured["layers.0"]["step"] == [1, 3, 5, 7]
    assert monitor.dead_units == {"layers.0": [0.0, 0.0], "layers.2": [0.0, 0.0]}
    assert monitor.warned == []


def test_norms_and_updates_are_those_of_the_step():
    model = nn.MLP([4, 8, 2], "tanh", rng=0)
    start = model.state_dict()
    monitor = nn.GradientMonitor(every=1)
    fit(model, monitor, lr=0.5, epochs=1)
    again = nn.MLP([4, 8, 2], "tanh", rng=0)
    (x, y), *_ = nn.data.Minibatches(X, Y, batch_size=16, rng=0)
    nn.softmax_cross_entropy(again(x), y).backward()
    gradient = np.concatenate([p.grad.data.ravel() for p in again[0].parameters()])
    weights = np.concatenate([start[f"layers.0.{name}"].ravel() for name in ("weight", "bias")])
    first = {name: column[0] for name, column in monitor.measured["layers.0"].items()}
    assert first["gradient_norm"] == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert first["update_ratio"] == pytest.approx(0.5 * np.linalg.norm(gradient) / np.linalg.norm(weights), rel=1e-4)


def test_vanishing_gradients_are_named():
    model = nn.MLP([4, *[8] * 10, 2], "sigmoid", rng=0)
    with pytest.warns(
        nn.TrainingWarning, match=r"the gradient vanishes: layers\.0 \(root mean square .*, layers\.2 .*let it through"
    ):
        fit(model, nn.GradientMonitor())


def test_dead_units_are_named_and_counted():
    model = nn.MLP([4, 8, 2], "relu", rng=0)
    model[0].bias.data = np.float32([-1e3] * 6 + [1.0] * 2)
    monitor = nn.GradientMonitor(every=1)
    with pytest.warns(nn.TrainingWarning, match=r"units are dead, .*: layers\.0 \(75% of its units\)\. A leaky ReLU"):
        fit(model, monitor)
    assert monitor.dead_units["layers.0"] == [0.75, 0.75]
    assert len(monitor.warned) == 1


def test_exploding_gradients_are_named():
    model = nn.MLP([4, 8, 2], "relu", rng=0)
    model[2].weight.data = model[2].weight.data * np.float32(1e6)
    with pytest.warns(nn.TrainingWarning, match=r"the gradient explodes: layers\.0 \(norm .*ClipGradientNorm"):
        fit(model, nn.GradientMonitor(every=1), lr=1e-12)


def test_a_unit_that_is_silent_in_some_steps_alone_is_not_dead():
    model = nn.MLP([4, 64, 2], "relu", rng=0)
    monitor = nn.GradientMonitor(every=1)
    fit(model, monitor)
    assert monitor.dead_units["layers.0"][-1] < 0.1


def test_it_prints_the_last_figures_of_every_layer():
    monitor = nn.GradientMonitor()
    fit(nn.MLP([4, 8, 2], "tanh", rng=0), monitor)
    lines = str(monitor).splitlines()
    assert lines[0].split() == ["layer", "gradient_norm", "update_ratio", "dead", "units"]
    assert [line.split()[0] for line in lines[1:]] == ["layers.0", "layers.2"]


def test_what_was_measured_goes_on_after_a_checkpoint(tmp_path):
    def run(folder, resume=None, stop=None):
        class Stop(nn.Callback):
            def on_step_end(self, training):
                if training.step == stop:
                    raise RuntimeError("stop")

        model = nn.MLP([4, *[8] * 10, 2], "sigmoid", rng=0)
        monitor = nn.GradientMonitor(every=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nn.fit(
                model, nn.softmax_cross_entropy, nn.SGD(model.named_parameters(), lr=0.1), (X, Y), epochs=3,
                batch_size=16, callbacks=[monitor, Stop(), nn.Checkpoint(folder, unit="step")], progress=False, rng=0,
                resume=resume,
            )  # fmt: skip
        return monitor

    expected = run(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="stop"):
        run(tmp_path / "parts", stop=7)
    found = run(tmp_path / "parts", resume=tmp_path / "parts")
    assert found.measured == expected.measured
    assert found.dead_units == expected.dead_units
    assert found.warned == expected.warned
