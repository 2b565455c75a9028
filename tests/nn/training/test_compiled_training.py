"""Training steps of `nn` as compiled functions: the same losses, weights and states as step by step."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor, compile
from autograd_lite.compiler.native import is_installed
from tests.nn.optimizers.every import ALL

from .every import assert_same_memory, delete_files_of, every_callback

JIT = [False, pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="needs Numba"))]

OPTIMIZERS = {name: partial(make, weight_decay=0.01) for name, make in ALL.items()}

MODELS = {
    "relu": lambda: nn.MLP([6, 8, 8, 3], rng=0),
    "tanh": lambda: nn.MLP([6, 8, 3], activation="tanh", rng=0),
    "gelu": lambda: nn.MLP([6, 8, 3], activation="gelu", rng=0),
    "one layer": lambda: nn.MLP([6, 3], rng=0),
    "wide": lambda: nn.MLP([6, 300, 3], rng=0),
    "dropout": lambda: nn.Sequential(nn.Dense(6, 8, rng=0), nn.ReLU(), nn.Dropout(0.3, rng=1), nn.Dense(8, 3, rng=2)),
    "batch norm": lambda: nn.Sequential(nn.Dense(6, 8, rng=0), nn.BatchNorm(8), nn.ReLU(), nn.Dense(8, 3, rng=2)),
    "layer norm": lambda: nn.Sequential(nn.Dense(6, 8, rng=0), nn.LayerNorm(8), nn.Tanh(), nn.Dense(8, 3, rng=2)),
}


def _trained(model, optimizer, compiled, jit=False, steps=6, loss=nn.softmax_cross_entropy, dtype=np.float32):
    def step(X, y):
        optimizer.zero_grad()
        found = loss(model(X), y)
        found.backward()
        optimizer.step()
        return found

    step = compile(step, jit=jit) if compiled else step
    rng = np.random.default_rng(3)
    losses = []
    for i in range(steps):
        n = 5 if i % 3 == 2 else 7  # a short last batch
        losses.append(step(rng.standard_normal((n, 6)).astype(dtype), rng.integers(0, 3, n)).item())
    return losses, model.state_dict(), optimizer.state_dict()


def _assert_same(found, expected):
    losses, weights, state = found
    assert losses == expected[0]
    for name, array in expected[1].items():
        np.testing.assert_array_equal(weights[name], array, err_msg=name)
    for name, value in expected[2].items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)


@pytest.mark.parametrize("jit", JIT)
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_takes_the_same_steps(make, jit):
    one, other = MODELS["relu"](), MODELS["relu"]()
    # The machine code's exponentials are its own, so a loss without them is compared.
    loss = _squared if jit else nn.softmax_cross_entropy
    expected = _trained(one, make(one.named_parameters()), compiled=False, loss=loss)
    _assert_same(_trained(other, make(other.named_parameters()), compiled=True, jit=jit, loss=loss), expected)


def _squared(outputs, labels):
    return nn.mean_squared_error(outputs, np.equal(labels[:, None], np.arange(3)) * np.float32(1))


class _Halved(nn.SGD):
    def update(self, w, g, state, t, options):
        return super().update(w, 0.5 * g, state, t, options)


@pytest.mark.parametrize("jit", JIT)
def test_an_update_of_ones_own_is_the_one_that_is_taken(jit):
    one, other = MODELS["relu"](), MODELS["relu"]()
    expected = _trained(one, _Halved(one.named_parameters(), lr=0.1), compiled=False, loss=_squared)
    found = _trained(other, _Halved(other.named_parameters(), lr=0.1), compiled=True, jit=jit, loss=_squared)
    _assert_same(found, expected)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_every_model_takes_the_same_steps(make):
    one, other = make(), make()
    expected = _trained(one, nn.Adam(one.named_parameters()), compiled=False)
    _assert_same(_trained(other, nn.Adam(other.named_parameters()), compiled=True), expected)


@pytest.mark.skipif(not is_installed(), reason="needs Numba")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_machine_code_takes_the_same_steps_but_for_the_last_digits_of_exp_and_log(make, dtype):
    models = [make() for _ in range(2)]
    for model in models:
        for parameter in model.parameters():
            parameter.data = parameter.data.astype(np.float32)
    expected, found = (
        _trained(model, nn.SGD(model.named_parameters(), lr=0.1), compiled=i > 0, jit=True, dtype=dtype)
        for i, model in enumerate(models)
    )
    np.testing.assert_allclose(found[0], expected[0], rtol=2e-6)
    for name, array in expected[1].items():
        np.testing.assert_allclose(found[1][name], array, rtol=2e-5, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("jit", JIT)
def test_a_training_step_makes_no_array(jit):
    model = nn.MLP([300, 200, 10], rng=0)
    optimizer = nn.Adam(model.parameters())

    @compile(jit=jit)
    def step(X, labels):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(X), labels)
        loss.backward()
        optimizer.step()
        return loss

    X, labels = np.ones((256, 300), np.float32), np.arange(256) % 10
    step(X, labels)
    step(X, labels)
    tracemalloc.start()
    step(X, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    buffers = 2 * 8192 * 4  # in which NumPy converts truth values, whatever the array's size
    assert peak < buffers < 256 * 200 * 4 / 2


def test_a_schedule_and_other_options_are_followed():
    for jit in [False, True] if is_installed() else [False]:
        models = MODELS["relu"](), MODELS["relu"]()
        optimizers = [nn.SGD(model.parameters(), lr=0.1) for model in models]
        losses = []
        for model, optimizer, compiled in zip(models, optimizers, (False, True), strict=True):
            rng = np.random.default_rng(0)
            X, y = rng.standard_normal((7, 6)).astype(np.float32), rng.integers(0, 3, 7)

            def step(X, y, model=model, optimizer=optimizer):
                optimizer.zero_grad()
                _squared(model(X), y).backward()
                optimizer.step()

            step = compile(step, jit=jit) if compiled else step
            for i in range(8):
                optimizer.lr = 0.1 / (i + 1)
                if i == 4:
                    optimizer.groups[0]["momentum"] = 0.9
                if i == 6:
                    optimizer.groups[0]["weight_decay"] = 0.1
                step(X, y)
            losses.append(model.state_dict())
        for name in losses[0]:
            np.testing.assert_array_equal(losses[0][name], losses[1][name])


def test_training_mode_is_looked_at_in_every_call():
    model = nn.Sequential(nn.Dense(3, 4, rng=0), nn.Dropout(0.5, rng=1))
    outputs = compile(lambda X: model(X).detach())
    X = np.ones((2, 3), np.float32)
    for _ in range(2):
        model.train()
        assert (outputs(X).data == 0).any()
        model.eval()
        np.testing.assert_array_equal(outputs(X).data, model(X).data)
    assert len(outputs.plans) == 2


def test_wrong_labels_raise_in_later_calls_too_and_change_nothing():
    model = nn.MLP([6, 4, 3], rng=0)
    optimizer = nn.SGD(model.parameters(), lr=0.1)

    @compile
    def step(X, y):
        optimizer.zero_grad()
        loss = nn.softmax_cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()

    X = np.ones((4, 6), np.float32)
    step(X, np.array([0, 1, 2, 0]))
    before = model.state_dict()
    with pytest.raises(ValueError, match="labels\\[3\\] is 3, but the logits have 3 classes"):
        step(X, np.array([0, 1, 2, 3]))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_weights_that_are_loaded_are_used():
    model, other = nn.MLP([6, 4, 3], rng=0), nn.MLP([6, 4, 3], rng=1)
    outputs = compile(lambda X: model(X).detach(), jit=False)
    X = np.ones((2, 6), np.float32)
    outputs(X)
    outputs(X)
    model.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(outputs(X).data, other(X).data)


def test_the_state_of_an_optimizer_goes_on_where_it_was_saved():
    one, other = nn.MLP([6, 4, 3], rng=0), nn.MLP([6, 4, 3], rng=0)
    optimizers = [nn.Adam(model.named_parameters(), lr=0.05) for model in (one, other)]
    _trained(one, optimizers[0], compiled=False)
    _trained(other, optimizers[1], compiled=True)
    optimizers[1].load_state_dict(optimizers[0].state_dict())
    _assert_same(_trained(other, optimizers[1], compiled=True), _trained(one, optimizers[0], compiled=False))


@pytest.mark.parametrize("jit", JIT)
def test_a_state_that_is_loaded_between_calls_of_a_compiled_step_is_used(jit):
    def run(compiled):
        w = Tensor([1.0, -2.0, 3.0], requires_grad=True)
        optimizer = nn.Adam([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            ((w - x) ** 2).sum().backward()
            optimizer.step()

        step = compile(step, jit=jit) if compiled else step
        for x in (1.0, 2.0):
            step(np.full(3, x))
        state = optimizer.state_dict()
        for x in (3.0, 4.0):
            step(np.full(3, x))
        optimizer.load_state_dict(state)
        for x in (5.0, 6.0):
            step(np.full(3, x))
        return {"w": w.data, **optimizer.state_dict()}

    compiled, eager = run(True), run(False)
    assert compiled.keys() == eager.keys()
    for name, value in eager.items():
        np.testing.assert_array_equal(compiled[name], value)


# ---- fit ----


def _fitted(compiled, callbacks=()):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 6)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    model = nn.Sequential(nn.Dense(6, 8, rng=0), nn.ReLU(), nn.Dropout(0.2, rng=1), nn.Dense(8, 3, rng=2))
    optimizer = nn.Adam(model.named_parameters(), lr=0.02)
    history = nn.fit(
        model, nn.softmax_cross_entropy, optimizer, (X[:70], y[:70]), (X[70:], y[70:]), epochs=4, batch_size=16, rng=0,
        metrics={"accuracy": nn.metrics.accuracy}, progress=False, compile=compiled, callbacks=callbacks,
    )  # fmt: skip
    return model.state_dict(), history


@pytest.fixture
def _without_machine_code(monkeypatch):
    import autograd_lite

    monkeypatch.setattr(autograd_lite, "compile", lambda f, **options: compile(f, jit=False))


class _Replacing(nn.Callback):
    def on_gradient(self, training):
        for i, parameter in enumerate(training.parameters):
            if i % 2:
                parameter.grad = parameter.grad * 0.5
            else:
                parameter.grad.data = parameter.grad.data * 0.5


def _same_compiled(*pairs):
    """What callbacks remember, too: pairs of them for an eager and for a compiled training."""
    expected, history = _fitted(False, [eager for eager, _ in pairs])
    for eager, _ in pairs:
        delete_files_of(eager)
    found, compiled_history = _fitted(True, [compiled for _, compiled in pairs])
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    for name, column in history.steps.items():
        if name != "seconds":
            assert compiled_history.steps[name] == column, name
    for pair in pairs:
        assert_same_memory(*pair)


@every_callback
@pytest.mark.usefixtures("_without_machine_code")
def test_fit_trains_the_same_compiled(make_callback, tmp_path):
    _same_compiled((make_callback(tmp_path), make_callback(tmp_path)))


@pytest.mark.usefixtures("_without_machine_code")
def test_so_it_does_with_gradients_of_ones_own_and_without_callbacks():
    _same_compiled((_Replacing(), _Replacing()))
    _same_compiled()


def test_a_loss_that_is_not_finite_stops_compiled_training_before_the_weights_follow():
    X, y = np.ones((40, 2), np.float32), np.zeros((40, 1), np.float32)
    X[25] = np.inf
    model = nn.MLP([2, 1], rng=0)
    with pytest.warns(nn.TrainingWarning, match="step 3 of epoch 1"), np.errstate(all="ignore"):
        nn.fit(
            model, nn.mean_squared_error, nn.SGD(model.parameters()), nn.data.Minibatches(X, y, batch_size=10,
            shuffle=False), progress=False, compile=True,
        )  # fmt: skip
    assert all(np.isfinite(array).all() for array in model.state_dict().values())


def test_a_gradient_that_a_callback_takes_away_is_refused():
    class Taking(nn.Callback):
        def on_gradient(self, training):
            training.parameters[0].grad = None

    with pytest.raises(GradientError, match="set a gradient to None"):
        _fitted(True, [Taking()])


def test_norm_and_clipping_can_be_part_of_a_compiled_step():
    models = [nn.MLP([6, 4, 3], rng=0) for _ in range(2)]
    norms = []
    for model, compiled in zip(models, (False, True), strict=True):
        optimizer = nn.SGD(model.parameters(), lr=0.1)

        def step(X, y, model=model, optimizer=optimizer):
            optimizer.zero_grad()
            nn.softmax_cross_entropy(model(X), y).backward()
            norm = nn.clip_gradient_norm(model.parameters(), 0.5)
            nn.clip_gradient_value(model.parameters(), 0.1)
            optimizer.step()
            return norm

        step = compile(step, jit=False) if compiled else step
        rng = np.random.default_rng(0)
        norms.append([float(step(rng.standard_normal((5, 6), np.float32), np.arange(5) % 3)) for _ in range(5)])
    assert norms[0] == norms[1]
    for name, array in models[0].state_dict().items():
        np.testing.assert_array_equal(models[1].state_dict()[name], array)
