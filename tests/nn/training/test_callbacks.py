"""Callbacks: their events, early stopping, learning rates, clipping."""

import numpy as np
import pytest

import nn
from autograd_lite import Tensor

from .every import CALLBACKS
from .quadrants import fit, make


def test_every_callback_of_nn_is_held_to_the_same_compiled_and_resumed(tmp_path):
    values = [getattr(nn, name) for name in dir(nn)]
    of_nn = {value for value in values if isinstance(value, type) and issubclass(value, nn.Callback)}
    assert {type(make(tmp_path)) for make in CALLBACKS.values()} == of_nn - {nn.Callback}


def test_callbacks_are_called_in_order_at_every_event():
    events = []

    class Watch(nn.Callback):
        def on_train_begin(self, training):
            events.append("begin")

        def on_epoch_begin(self, training):
            events.append(f"epoch {training.epoch}")

        def on_step_begin(self, training):
            events.append(f"step {training.step}")

        def on_gradient(self, training):
            events.append("gradient" if training.parameters[0].grad is not None else "no gradient")

        def on_step_end(self, training):
            events.append(f"after {training.step}")

        def on_epoch_end(self, training):
            events.append(f"loss {len(training.history['loss'])}")

        def on_train_end(self, training):
            events.append("end")

    model, optimizer = make()
    fit(model, optimizer, epochs=2, batch_size=100, callbacks=[Watch()])
    step = lambda i: [f"step {i}", "gradient", f"after {i + 1}"]  # noqa: E731
    assert events == ["begin", "epoch 1", *step(0), "loss 1", "epoch 2", *step(1), "loss 2", "end"]


def test_a_callback_can_stop():
    class Stop(nn.Callback):
        def on_step_end(self, training):
            if training.step == 3:
                training.stop("enough")

    model, optimizer = make()
    history = fit(model, optimizer, callbacks=[Stop()])
    assert (len(history.steps["loss"]), len(history), history.stopped) == (3, 0, "enough")


class Scripted(nn.Module):
    """A model whose validation loss follows a script, and whose weight counts the epochs."""

    def __init__(self, script):
        self.w = Tensor(0.0, requires_grad=True, name="w")
        self.script = iter(script)

    def forward(self, x):
        return self.w * np.ones(len(x))


def scripted_fit(script, *callbacks, epochs=20):
    model = Scripted(script)

    def loss(outputs, targets):
        return -outputs.mean() if isinstance(outputs, Tensor) else next(model.script)

    optimizer = nn.SGD(model.named_parameters(), lr=1.0)
    data = np.ones((2, 1)), np.ones(2)
    return (
        model,
        optimizer,
        nn.fit(model, loss, optimizer, data, data, epochs=epochs, callbacks=callbacks, progress=False),
    )


def test_early_stopping_waits_and_takes_back_the_best_weights():
    stopping = nn.EarlyStopping(patience=3)
    model, _, history = scripted_fit([5, 4, 3, 6, 5, 4, 1], stopping)
    assert len(history) == 6
    assert (stopping.best, stopping.best_epoch) == (3, 3)
    assert model.w.item() == 3
    assert history.stopped == "val_loss was best in epoch 3, at 3"


def test_early_stopping_asks_for_a_difference():
    stopping = nn.EarlyStopping(patience=2, min_delta=0.5, restore_best=False)
    model, _, history = scripted_fit([5, 4.6, 4.7, 1], stopping)
    assert (len(history), stopping.best_epoch, model.w.item()) == (3, 1, 3)


def test_the_best_weights_are_taken_back_where_training_ends_by_itself():
    model, _, history = scripted_fit([5, 1, 3], nn.EarlyStopping(patience=9), epochs=3)
    assert (len(history), history.stopped, model.w.item()) == (3, None, 2)


def test_a_rising_figure_is_best_when_largest():
    model, optimizer = make()
    stopping = nn.EarlyStopping("val_accuracy", patience=50)
    history = fit(model, optimizer, epochs=15, metrics={"accuracy": nn.metrics.accuracy}, callbacks=[stopping])
    assert stopping.best == max(history["val_accuracy"])
    assert stopping.best_epoch == 1 + int(np.argmax(history["val_accuracy"]))


def test_early_stopping_without_validation_data_says_so():
    model, optimizer = make()
    with pytest.raises(KeyError, match=r"no column 'val_loss' to monitor \(pass validation=\)"):
        fit(model, optimizer, validation=None, callbacks=[nn.EarlyStopping()])


def test_a_schedule_by_epoch_and_one_by_step():
    for every, expected in (("epoch", [1.0] * 4 + [0.5] * 4 + [0.25] * 4), ("step", [0.5**i for i in range(12)])):
        model, optimizer = make(lr=1.0)
        schedule = nn.LearningRate(nn.schedules.ExponentialDecay(0.5), every=every)
        assert fit(model, optimizer, callbacks=[schedule]).steps["lr"] == expected


def test_a_schedule_scales_every_groups_own_rate():
    model, _ = make()
    weight, bias, *_ = model.parameters()
    optimizer = nn.SGD([{"params": [weight], "lr": 0.4}, {"params": [bias], "lr": 0.2}])
    fit(model, optimizer, epochs=2, callbacks=[nn.LearningRate(lambda t: 1 / (t + 1))])
    assert [group["lr"] for group in optimizer.groups] == [0.2, 0.1]


def test_a_plateau_lowers_the_rate_down_to_the_least():
    plateau = nn.ReduceOnPlateau(patience=2, factor=0.1, min_lr=0.05)
    _, optimizer, history = scripted_fit([5, 5, 5, 5, 5, 4, 4, 4], plateau, epochs=8)
    assert history["lr"] == pytest.approx([1, 1, 1, 0.1, 0.1, 0.05, 0.05, 0.05])
    assert optimizer.lr == pytest.approx(0.05)


def test_gradients_are_clipped_by_norm_and_by_value():
    sizes = []

    class Watch(nn.Callback):
        def on_gradient(self, training):
            together = np.concatenate([p.grad.data.ravel() for p in training.parameters])
            sizes.append((np.linalg.norm(together), np.abs(together).max()))

    model, optimizer = make()
    fit(model, optimizer, callbacks=[nn.ClipGradientNorm(0.01), Watch()])
    assert all(norm == pytest.approx(0.01, rel=1e-5) for norm, _ in sizes)
    sizes.clear()
    model, optimizer = make()
    fit(model, optimizer, callbacks=[nn.ClipGradientValue(0.001), Watch()])
    assert all(largest <= np.float32(0.001) for _, largest in sizes)
