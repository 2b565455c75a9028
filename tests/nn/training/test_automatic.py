"""`fit` compiles its step unasked where that changes nothing but the time, and nowhere else."""

import sys
import threading
from functools import partial, wraps

import numpy as np
import pytest

import nn
from autograd_lite import compile
from autograd_lite.compiler.native import is_installed
from autograd_lite.core.registry import RULES
from autograd_lite.core.rule import Rule
from nn.training import automatic
from nn.training.loop import Loop
from nn.training.training import Training
from tests.nn.optimizers.every import every_optimizer

from .every import assert_same_memory, delete_files_of, every_callback

RNG = np.random.default_rng(0)
X = RNG.standard_normal((70, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)

ENOUGH_STEPS = automatic.ENOUGH_STEPS


@pytest.fixture(autouse=True)
def _from_the_first_step(monkeypatch):
    monkeypatch.setattr(automatic, "ENOUGH_STEPS", 1)
    # Other tests, and examples in the documentation, give functions rules of their own.
    for function, rule in list(RULES.items()):
        if not all(vjp is None or vjp.__module__.startswith(("autograd_lite.", "nn.")) for vjp in rule.vjps.values()):
            monkeypatch.delitem(RULES, function)


def _mlp():
    return nn.MLP([6, 8, 3], rng=0)


def _is_compiled(model=None, loss=nn.softmax_cross_entropy, optimizer=nn.SGD, train=(X, Y), how="auto", **options):
    model = model or _mlp()
    training = Training(model, loss, optimizer(model.parameters()), train, batch_size=16, **options)
    Loop(training, how)
    return training.is_compiled


# ---- where it is ----


@pytest.mark.parametrize(("steps", "is_compiled"), [(150, True), (149, False)])
def test_a_training_of_enough_steps_is_compiled(steps, is_compiled, monkeypatch):
    monkeypatch.setattr(automatic, "ENOUGH_STEPS", ENOUGH_STEPS)
    assert _is_compiled(train=(X[:16], Y[:16]), epochs=steps) == is_compiled


def test_a_loss_with_options_is_one_of_the_librarys():
    assert _is_compiled(loss=partial(nn.softmax_cross_entropy, label_smoothing=0.1))


def test_what_the_library_has_for_metrics_and_schedules_is_its_own():
    schedule = nn.schedules.WarmUp(2, nn.schedules.CosineDecay(4))
    metrics = {"accuracy": nn.metrics.accuracy, "top": partial(nn.metrics.top_k_accuracy, k=2)}
    assert _is_compiled(metrics=metrics, callbacks=[nn.LearningRate(schedule)])


# ---- where it is not ----


class _Doubled(nn.Dense):
    def forward(self, x):
        return 2 * super().forward(x)


class _Printing(nn.Callback):
    def on_step_end(self, training):
        pass


class _Halving(nn.Optimizer):
    def __init__(self, params):
        super().__init__(params, lr=0.5)

    def update(self, w, g, state, t, options):
        return w - options["lr"] / t * g


@wraps(nn.softmax_cross_entropy)
def _wrapped(logits, labels):
    return nn.softmax_cross_entropy(logits, labels)


class _Batches:
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([(X, Y)] * 3)


def _with_forward_of_its_own():
    model = _mlp()
    model.layers[0].forward = lambda x: x @ model.layers[0].weight
    return model


def _with_a_hook():
    model = _mlp()
    model.layers[0].weight.register_hook(lambda g: g * 2)
    return model


OWN_CODE = {
    "a layer": lambda: {"model": nn.Sequential(_Doubled(6, 8, rng=0), nn.ReLU(), nn.Dense(8, 3, rng=1))},
    "a function as a layer": lambda: {"model": nn.Sequential(nn.Dense(6, 3, rng=0), lambda z: z * 2)},
    "a forward": lambda: {"model": _with_forward_of_its_own()},
    "a hook": lambda: {"model": _with_a_hook()},
    "a loss": lambda: {"loss": lambda z, y: nn.softmax_cross_entropy(z, y)},
    "a function in a loss": lambda: {"loss": partial(nn.softmax_cross_entropy, class_weight=[1.0, 2.0, 1.0])},
    "a penalty": lambda: {"penalty": lambda model: nn.l2_penalty(model, 0.01)},
    "a callback": lambda: {"callbacks": [_Printing()]},
    "an optimizer": lambda: {"optimizer": _Halving},
    "a function with the name of another": lambda: {"loss": _wrapped},
    "a metric": lambda: {"metrics": {"ones": lambda targets, outputs: float((targets == 1).mean())}},
    "a schedule": lambda: {"callbacks": [nn.LearningRate(lambda epoch: 0.5**epoch)]},
    "a schedule in another": lambda: {"callbacks": [nn.LearningRate(nn.schedules.WarmUp(2, lambda epoch: 0.5**epoch))]},
    "batches": lambda: {"train": _Batches()},
}


@pytest.mark.parametrize("make", OWN_CODE.values(), ids=OWN_CODE)
def test_a_step_with_code_of_ones_own_is_not_compiled(make):
    assert not _is_compiled(**make())


def test_a_layer_that_was_changed_from_outside_is_not_compiled(monkeypatch):
    monkeypatch.setattr(nn.Dense, "forward", lambda self, x: x @ self.weight)
    assert not _is_compiled()


def test_a_rule_of_ones_own_is_called_in_every_step(monkeypatch):
    slope = [1.0]

    def falling(g, out):
        slope[0] *= 0.5
        return slope[0] * g * (out > 0)

    rule = Rule(nn.relu, {"x": falling}, like=lambda x: x)
    monkeypatch.setitem(RULES, nn.relu, rule)
    assert not _is_compiled()
    _trained("auto")
    assert slope == [0.5**16]


def test_where_numpy_is_told_to_raise_errors_it_can():
    with np.errstate(over="raise"):
        assert not _is_compiled()


def test_an_answer_counts_more():
    assert _is_compiled(**OWN_CODE["a loss"](), how=True)
    assert not _is_compiled(how=False)


def test_other_answers_are_refused():
    with pytest.raises(ValueError, match="must be True, False or 'auto', got 'always'"):
        _is_compiled(how="always")


# ---- the same to the bit ----

ACTIVATIONS = {name: lambda name=name: nn.MLP([6, 8, 8, 3], activation=name, rng=0) for name in nn.ACTIVATIONS}

MODELS = {
    **ACTIVATIONS,
    "dropout": lambda: nn.Sequential(nn.Dense(6, 8, rng=0), nn.ReLU(), nn.Dropout(0.3, rng=1), nn.Dense(8, 3, rng=2)),
    "batch norm": lambda: nn.Sequential(nn.Dense(6, 8, rng=0), nn.BatchNorm(8), nn.ReLU(), nn.Dense(8, 3, rng=2)),
    "layer norm": lambda: nn.Sequential(nn.Dense(6, 8, rng=0), nn.LayerNorm(8), nn.tanh, nn.Dense(8, 3, rng=2)),
    "nested": lambda: nn.Sequential(nn.MLP([6, 300, 8], rng=0), nn.ReLU(), nn.Dense(8, 3, rng=2)),
}

ONE_HOT = np.eye(3, dtype=np.float32)[Y]

LOSSES = {
    "labels": (nn.softmax_cross_entropy, Y),
    "labels of few bits": (nn.softmax_cross_entropy, Y.astype(np.uint8)),
    "smoothed": (partial(nn.softmax_cross_entropy, label_smoothing=0.1), Y),
    "weighted": (partial(nn.softmax_cross_entropy, class_weight=np.array([1.0, 2.0, 0.5])), Y),
    "distributions": (nn.softmax_cross_entropy, ONE_HOT),
    "sigmoid": (nn.sigmoid_cross_entropy, ONE_HOT),
    "mean squared error": (nn.mean_squared_error, ONE_HOT),
    "quadratic cost": (nn.quadratic_cost, ONE_HOT),
}


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="needs Numba"))])
def _machine_code(request, monkeypatch, tmp_path):
    if request.param:
        for dtype in (np.float32, np.float64):
            compile(np.negative, jit=True)(np.ones(3, dtype))
    else:
        monkeypatch.setenv("AUTOGRAD_LITE_CACHE_DIR", str(tmp_path))


def _trained(compiled, make=_mlp, loss=nn.softmax_cross_entropy, optimizer=nn.Adam, targets=Y, callbacks=(), data=X):
    model = make()
    moving = optimizer(model.named_parameters())
    history = nn.fit(
        model, loss, moving, (data[:50], targets[:50]), (data[50:], targets[50:]), epochs=4, batch_size=16, rng=0,
        metrics={"accuracy": nn.metrics.accuracy} if targets.ndim == 1 else None, callbacks=callbacks, progress=False,
        compile=compiled,
    )  # fmt: skip
    figures = {name: column for name, column in {**history.steps, **history.epochs}.items() if name != "seconds"}
    return figures, {**model.state_dict(), **moving.state_dict()}


def _is_the_same(**options):
    (figures, state), (expected_figures, expected_state) = (_trained(kind, **options) for kind in ("auto", False))
    assert figures == expected_figures
    assert state.keys() == expected_state.keys()
    for name, array in expected_state.items():
        np.testing.assert_array_equal(state[name], array, err_msg=name)


@pytest.mark.usefixtures("_machine_code")
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_model_is_trained_the_same(make):
    assert _is_compiled(make())
    _is_the_same(make=make)


@pytest.mark.usefixtures("_machine_code")
@every_optimizer
def test_every_optimizer_trains_the_same(make):
    _is_the_same(optimizer=make)


@pytest.mark.usefixtures("_machine_code")
@pytest.mark.parametrize(("loss", "targets"), LOSSES.values(), ids=LOSSES)
def test_every_loss_is_the_same(loss, targets):
    assert _is_compiled(loss=loss, train=(X, targets))
    _is_the_same(loss=loss, targets=targets)


@pytest.mark.usefixtures("_machine_code")
@every_callback
def test_every_callback_sees_and_does_the_same(make_callback, tmp_path):
    seen = {kind: make_callback(tmp_path) for kind in ("auto", False)}
    assert _is_compiled(callbacks=[seen["auto"]])
    figures, state = _trained("auto", callbacks=[seen["auto"]])
    delete_files_of(seen["auto"])
    expected_figures, expected_state = _trained(False, callbacks=[seen[False]])
    assert figures == expected_figures
    assert_same_memory(seen["auto"], seen[False])
    for name, array in expected_state.items():
        np.testing.assert_array_equal(state[name], array, err_msg=name)


@pytest.mark.usefixtures("_machine_code")
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint8])
def test_inputs_of_other_dtypes_are_trained_on_the_same(dtype):
    _is_the_same(data=np.abs(X * 10).astype(dtype))


@pytest.mark.usefixtures("_machine_code")
def test_tokens_are_embedded_the_same():
    tokens = RNG.integers(0, 9, (70,))
    _is_the_same(make=lambda: nn.Sequential(nn.Embedding(9, 5, rng=0), nn.Dense(5, 3, rng=1)), data=tokens)


@pytest.mark.parametrize("compiled", ["auto", True, False])
def test_outputs_that_a_metric_keeps_stay_as_they_were(compiled):
    kept, sums = [], []

    def keep(targets, outputs):
        kept.append(outputs)
        sums.append(outputs.sum())
        return 0.0

    model = _mlp()
    nn.fit(
        model, nn.softmax_cross_entropy, nn.SGD(model.parameters()), (X, Y), epochs=2, batch_size=16,
        metrics={"kept": keep}, progress=False, compile=compiled,
    )  # fmt: skip
    assert [outputs.sum() for outputs in kept] == sums
    assert not any(outputs.flags.writeable for outputs in kept)


def test_other_threads_may_draw_from_numpys_global_generator_meanwhile():
    interval, ended = sys.getswitchinterval(), threading.Event()

    def draw():
        while not ended.is_set():
            np.random.random()  # noqa: NPY002 - the global one is meant

    thread = threading.Thread(target=draw)
    sys.setswitchinterval(1e-5)
    thread.start()
    try:
        _trained("auto")
    finally:
        ended.set()
        thread.join()
        sys.setswitchinterval(interval)


def test_wrong_labels_are_refused_with_the_same_words():
    wrong = np.where(np.arange(70) == 45, 3, Y)
    messages = []
    for compiled in ("auto", False):
        with pytest.raises(ValueError, match="classes") as raised:
            _trained(compiled, targets=wrong)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]
