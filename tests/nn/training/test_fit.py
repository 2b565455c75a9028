"""`fit`: the loop, and what it refuses."""

import warnings

import numpy as np
import pytest

import nn

from . import quadrants
from .quadrants import TRAIN, VALIDATION, X, Y, fit, make

# ---- the loop ----


def test_it_is_the_loop_that_one_writes_by_hand():
    model, optimizer = make()
    fit(model, optimizer)
    by_hand, optimizer = make()
    batches = nn.data.Minibatches(*TRAIN, batch_size=32, rng=0)
    for _ in range(3):
        for x, y in batches:
            optimizer.zero_grad()
            nn.softmax_cross_entropy(by_hand(x), y).backward()
            optimizer.step()
    for a, b in zip(model.parameters(), by_hand.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_it_learns():
    model, optimizer = make()
    history = fit(model, optimizer, epochs=30, metrics={"accuracy": nn.metrics.accuracy})
    assert history["val_accuracy"][-1] >= 0.9
    assert history["loss"][-1] < history["loss"][0] / 2


def test_the_history_has_what_happened():
    model, optimizer = make()
    history = fit(model, optimizer, metrics={"accuracy": nn.metrics.accuracy})
    assert history["epoch"] == [1, 2, 3]
    assert history.steps["examples"] == [32, 32, 32, 4] * 3
    assert history.steps["lr"] == [0.02] * 12
    first = history.steps["loss"][:4]
    assert history["loss"][0] == pytest.approx(np.average(first, weights=[32, 32, 32, 4]))
    outputs = nn.predict(model, VALIDATION[0])
    assert history["val_loss"][-1] == pytest.approx(nn.softmax_cross_entropy(outputs, VALIDATION[1]))
    assert history["val_accuracy"][-1] == nn.metrics.accuracy(VALIDATION[1], outputs)
    assert all(norm > 0 for norm in history.steps["gradient_norm"])
    assert len(history) == 3


def test_the_gradient_norm_is_that_of_all_parameters():
    model, optimizer = make()
    history = fit(model, optimizer, epochs=1, batch_size=100)
    again, _ = make()
    (x, y), *_ = nn.data.Minibatches(*TRAIN, batch_size=100, rng=0)
    nn.softmax_cross_entropy(again(x), y).backward()
    together = np.concatenate([p.grad.data.ravel() for p in again.parameters()])
    assert history.steps["gradient_norm"][0] == pytest.approx(np.linalg.norm(together), rel=1e-5)


def test_a_penalty_is_in_the_training_loss_alone():
    model, optimizer = make(lr=1e-9)
    plain = fit(model, optimizer, epochs=1)
    model, optimizer = make(lr=1e-9)
    penalized = fit(model, optimizer, epochs=1, penalty=lambda m: nn.l2_penalty(m, 1.0))
    expected = nn.l2_penalty(model, 1.0).item()
    assert penalized["loss"][0] - plain["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert penalized["val_loss"][0] == pytest.approx(plain["val_loss"][0], rel=1e-5)


def test_the_model_is_in_training_mode_for_steps_and_in_use_for_validation():
    modes = []

    class Watch(nn.Module):
        def forward(self, x):
            modes.append(self.training)
            return x

    model = nn.Sequential(Watch(), nn.Dense(2, 2, rng=0))
    model.eval()
    fit(model, nn.SGD(model.parameters(), lr=0.1), epochs=1, batch_size=50)
    assert modes == [True, True, False]
    assert not model.training


def test_several_inputs_stand_before_the_targets():
    class Both(nn.Module):
        def __init__(self):
            self.left, self.right = nn.Dense(2, 2, rng=0), nn.Dense(3, 2, rng=1)

        def forward(self, a, b):
            return self.left(a) + self.right(b)

    model = Both()
    other = np.ones((100, 3), np.float32)
    history = nn.fit(
        model, nn.softmax_cross_entropy, nn.SGD(model.parameters(), lr=0.1), (TRAIN[0], other, TRAIN[1]),
        (TRAIN[0], other, TRAIN[1]), epochs=2, progress=False,
    )  # fmt: skip
    assert len(history) == 2


def test_batches_can_be_of_ones_own():
    class Streamed:
        def __len__(self):
            return 3

        def __iter__(self):
            return iter([TRAIN] * 3)

    model, optimizer = make()
    history = nn.fit(model, nn.softmax_cross_entropy, optimizer, Streamed(), epochs=2, progress=False)
    assert history.steps["examples"] == [100] * 6


def test_a_loss_that_is_not_finite_stops_before_the_weights_follow():
    class Spoil(nn.Callback):
        def on_step_end(self, training):
            if training.step == 5:
                training.model[2].bias.data = np.float32([np.nan, 0])
                self.weights = training.model.state_dict()

    model, optimizer = make()
    spoil = Spoil()
    with pytest.warns(
        nn.TrainingWarning,
        match=r"the loss is nan in step 2 of epoch 2; .*parameter layers\.2\.bias is nan at index \(0,\)",
    ) as warned:
        history = fit(model, optimizer, callbacks=[spoil])
    assert warned[0].filename == quadrants.__file__  # the line that called nn.fit
    assert history.stopped == "the loss is nan in step 2 of epoch 2"
    assert (len(history), len(history.steps["loss"])) == (1, 5)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, spoil.weights[name])


# ---- what is refused ----


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": 3}, TypeError, "model must be a Module, not int"),
        ({"optimizer": "adam"}, TypeError, "optimizer must be an Optimizer, not str"),
        ({"loss": None}, TypeError, "loss must be a function"),
        ({"train": X}, TypeError, r"train must be a tuple \(X, y\)"),
        ({"train": (X,)}, TypeError, r"inputs and targets"),
        ({"train": nn.data.Minibatches(X)}, ValueError, r"no targets; write Minibatches\(X, y\)"),
        ({"train": (X, Y[:5])}, ValueError, "equally many examples"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer"),
        ({"metrics": [nn.metrics.accuracy]}, TypeError, "metrics must be a dict"),
        ({"validation_metrics": {"auc": nn.metrics.roc_auc}}, ValueError, "validation is None; pass validation="),
        ({"callbacks": [nn.EarlyStopping]}, TypeError, r"got the class EarlyStopping; write EarlyStopping\(\)"),
        ({"callbacks": [lambda t: None]}, TypeError, "must be Callback objects"),
        ({"progress": "loud"}, ValueError, "progress='loud' is unknown"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_the_first_step(change, error, message):
    model, optimizer = make()
    before = model.state_dict()
    arguments = {"model": model, "loss": nn.softmax_cross_entropy, "optimizer": optimizer, "train": TRAIN, **change}
    with pytest.raises(error, match=message):
        nn.fit(**{"progress": False, **arguments})
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_an_optimizer_of_another_model_is_refused():
    with pytest.raises(ValueError, match="none of the model's parameters"):
        fit(make()[0], make()[1])


def test_a_loss_that_is_no_tensor_is_refused():
    model, optimizer = make()
    with pytest.raises(TypeError, match="the loss must return a Tensor, got float"):
        nn.fit(model, lambda outputs, targets: 0.5, optimizer, TRAIN, progress=False)


def test_an_iterator_that_is_used_up_is_refused():
    class Once:
        def __init__(self):
            self.batches = iter([TRAIN])

        def __len__(self):
            return 1

        def __iter__(self):
            return self.batches

    model, optimizer = make()
    with pytest.raises(ValueError, match="an iterator can be used only once"):
        nn.fit(model, nn.softmax_cross_entropy, optimizer, Once(), epochs=2, progress=False)


def test_prediction_is_that_of_the_model_in_use():
    model = nn.Sequential(nn.Dense(2, 4, rng=0), nn.Dropout(0.9, rng=0))
    together = nn.predict(model, X, batch_size=7)
    np.testing.assert_allclose(together, model[0](X).data, rtol=1e-6)
    assert model.training
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.predict(model, X[:1]).shape == (1, 4)
