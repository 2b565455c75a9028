"""`fit`: the loop, its history, its callbacks, Ctrl-C, and what it refuses."""

import io
import json
import signal
import sys
import threading
import types
import warnings

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor
from nn.training.progress import Progress

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 2)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
TRAIN, VALIDATION = (X[:100], Y[:100]), (X[100:], Y[100:])


def make(lr=0.02, seed=0, sizes=(2, 16, 2)):
    model = nn.MLP(list(sizes), "tanh", rng=seed)
    return model, nn.Adam(model.named_parameters(), lr=lr)


def fit(model, optimizer, validation=VALIDATION, **options):
    options = {"epochs": 3, "rng": 0, "progress": False, **options}
    return nn.fit(model, nn.softmax_cross_entropy, optimizer, TRAIN, validation, **options)


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
    with pytest.warns(nn.TrainingWarning, match="the loss is nan in step 2 of epoch 2; .* learning rate"):
        history = fit(model, optimizer, callbacks=[spoil])
    assert history.stopped == "the loss is nan in step 2 of epoch 2"
    assert (len(history), len(history.steps["loss"])) == (1, 5)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, spoil.weights[name])


# ---- what it tells ----


def test_the_history_prints_as_a_table():
    model, optimizer = make()
    lines = str(fit(model, optimizer, metrics={"accuracy": nn.metrics.accuracy})).splitlines()
    assert lines[0].split() == [
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "gradient_norm", "seconds",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"]
    assert len({len(line) for line in lines}) == 1


def test_the_history_is_saved_with_all_digits(tmp_path):
    model, optimizer = make()
    history = fit(model, optimizer)
    history.to_json(tmp_path / "history.json")
    again = nn.History.from_json(tmp_path / "history.json")
    assert again.epochs == history.epochs
    assert again.steps == history.steps
    for by, rows in (("epoch", history.epochs), ("step", history.steps)):
        history.to_csv(tmp_path / "history.csv", by=by)
        header, *lines = (tmp_path / "history.csv").read_text().splitlines()
        assert header.split(",") == list(rows)
        assert [[float(cell) for cell in line.split(",")] for line in lines] == [
            list(row) for row in zip(*rows.values(), strict=True)
        ]


def test_figures_that_are_not_finite_survive_a_file(tmp_path):
    history = nn.History()
    history.add_epoch({"epoch": 1, "loss": float("inf")})
    history.to_json(tmp_path / "h.json")
    json.loads((tmp_path / "h.json").read_text(), parse_constant=pytest.fail)
    assert nn.History.from_json(tmp_path / "h.json")["loss"] == [float("inf")]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": {"loss": [1], "epoch": []}, "epochs": {}}', "\xff"])
def test_what_is_no_history_is_refused(text, tmp_path):
    (tmp_path / "h.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="is no history"):
        nn.History.from_json(tmp_path / "h.json")


def test_the_best_epoch_is_found():
    history = nn.History()
    for epoch, loss, accuracy in ((1, 0.5, 0.7), (2, 0.2, 0.9), (3, float("nan"), 0.8)):
        history.add_epoch({"epoch": epoch, "val_loss": loss, "val_accuracy": accuracy})
    assert history.best()["epoch"] == 2
    assert history.best("val_accuracy")["epoch"] == 2
    assert history.best("val_accuracy", mode="min")["epoch"] == 1
    with pytest.raises(KeyError, match="no 'val_auc' by epoch; it has epoch, val_loss"):
        history["val_auc"]


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_history_is_plotted(suffix, tmp_path):
    model, optimizer = make()
    history = fit(model, optimizer, metrics={"accuracy": nn.metrics.accuracy})
    figure = history.plot(tmp_path / f"history.{suffix}")
    assert [axes.get_title() for axes in figure.axes] == ["Loss", "Metrics", "Gradient and learning rate"]
    assert (tmp_path / f"history.{suffix}").stat().st_size > 1000


def test_a_log_gets_a_line_for_each_epoch_and_a_terminal_a_bar():
    log = io.StringIO()
    progress = Progress("auto", epochs=2, steps=3, file=log)
    for epoch in (1, 2):
        for _ in range(3):
            progress.step()
        progress.epoch({"epoch": epoch, "loss": 0.123456, "seconds": 1.0})
    progress.close()
    assert log.getvalue() == "epoch 1/2  loss 0.1235  seconds 1\nepoch 2/2  loss 0.1235  seconds 1\n"

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    progress = Progress("auto", epochs=1, steps=2, file=terminal)
    progress.step()
    progress.step()
    progress.close()
    assert "\r" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()


def test_a_notebook_gets_a_bar_though_its_output_is_no_terminal(monkeypatch):
    class ZMQInteractiveShell:
        pass

    kernel = types.ModuleType("IPython")
    kernel.get_ipython = ZMQInteractiveShell
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    output = io.StringIO()
    progress = Progress(True, epochs=1, steps=1, file=output)
    progress.step()
    progress.close()
    assert "1/1" in output.getvalue()


# ---- callbacks ----


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
    with pytest.raises(KeyError, match=r"no 'val_loss' to monitor \(pass validation=\)"):
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


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_the_norm_keeps_its_digits_where_squares_leave_the_range(scale):
    w = Tensor(np.zeros(2, np.float32), requires_grad=True)
    (w * np.array([3 * scale, 4 * scale], np.float32)).sum().backward()
    assert nn.gradient_norm([w]) == pytest.approx(5 * scale, rel=1e-6)
    assert nn.clip_gradient_norm([w], scale) == pytest.approx(5 * scale, rel=1e-6)
    assert nn.gradient_norm([w]) == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize("clip", [nn.clip_gradient_norm, nn.clip_gradient_value])
def test_gradients_that_belong_to_a_graph_are_not_clipped_in_place(clip):
    w, free = (Tensor([3.0, 4.0], requires_grad=True, name=name) for name in ("w", "free"))
    (free * free).sum().backward()
    (w * w).sum().backward(create_graph=True)
    with pytest.raises(
        GradientError, match=r"the gradient of the parameter 'w' belongs to a graph, .* create_graph=True"
    ):
        clip([free, w], 1.0)
    np.testing.assert_array_equal(free.grad.data, [6, 8])
    np.testing.assert_array_equal(w.grad.data, [6, 8])


# ---- Ctrl-C ----


class CtrlC(nn.Callback):
    """Ctrl-C in the middle of a step."""

    def __init__(self, at, times=1):
        self.at, self.times = at, times

    def on_gradient(self, training):
        if training.step + 1 == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


@pytest.fixture
def default_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_after_the_step_and_returns_the_history(default_handler):
    ended = []

    class Watch(nn.Callback):
        def on_train_end(self, training):
            ended.append(training.step)

    model, optimizer = make()
    history = fit(model, optimizer, callbacks=[CtrlC(at=6), Watch()])
    assert (history.interrupted, len(history.steps["loss"]), len(history), ended) == (True, 6, 1, [6])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert str(history).endswith("interrupted by Ctrl-C")


def test_a_second_ctrl_c_interrupts_at_once(default_handler):
    model, optimizer = make()
    with pytest.raises(KeyboardInterrupt):
        fit(model, optimizer, callbacks=[CtrlC(at=2, times=2)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_with_its_own_handler_keeps_it():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        model, optimizer = make()
        history = fit(model, optimizer, callbacks=[CtrlC(at=2)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert (heard, history.interrupted, len(history)) == ([1], False, 3)


def test_training_runs_in_another_thread():
    found = []
    model, optimizer = make()
    thread = threading.Thread(target=lambda: found.append(fit(model, optimizer)))
    thread.start()
    thread.join()
    assert len(found[0]) == 3


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
        ({"validation_metrics": {"auc": nn.metrics.roc_auc}}, ValueError, "there are none; pass validation="),
        ({"callbacks": [nn.EarlyStopping]}, TypeError, "EarlyStopping is none"),
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
    with pytest.raises(TypeError, match="the loss is float, and no Tensor"):
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
