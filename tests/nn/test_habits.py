"""What people type by habit who come from other libraries: it works, or the error says what to write here."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite import GradientError, LostGradientError, Tensor
from autograd_lite import habits as engine_habits
from nn import habits

from .habits_page import PATH, page

SNIPPETS = {
    # PyTorch
    "x.numpy()": "x.data", "x.detach().clone()": "x.copy()", "x.view(-1)": "x.reshape", "x.add_(1)": "np.add(x, ...)",
    "x.mul_(2)": "x * y", "x.cuda()": "leave it out", "x.to('cpu')": "x.astype", "x.float()": "np.float32",
    "x.grad_fn": "x.node", "x.dim()": "x.ndim", "x.numel()": "x.size", "x.requires_grad_()": "x.requires_grad = True",
    "x.unsqueeze(0)": "np.expand_dims", "x.permute(1, 0)": "x.transpose", "x.sum(dim=0)": "axis=",
    "x.mean(0, keepdim=True)": "keepdims=", "x.max(dim=1)": "axis=", "x.softmax(dim=-1)": "nn.softmax",
    "x.pow(2)": "np.pow", "x.exp()": "np.exp(x)", "x.sigmoid()": "nn.sigmoid", "x.mm(x)": "x @ y",
    "x.expand(2, 3)": "np.broadcast_to", "x.chunk(2)": "np.array_split", "x.gather(1, 0)": "np.take_along_axis",
    "x.masked_fill(x.data > 2, 0)": "np.where", "x.flatten(start_dim=1)": "x.reshape(len(x), -1)",
    "x.clamp(min=0)": "np.clip", "x.var(unbiased=False)": "ddof", "x.argmax(dim=1)": "axis=", "x.device": None,
    "x.nonzero()": None, "x.trace()": None, "x.nbytes": None, "x.fill(0)": "x.data = np.full_like",
    "x.sort()": "np.sort(x)", "ag.tensor([1.0])": "Tensor(data", "ag.zeros(3)": "np.zeros",
    "ag.randn(3)": "rng.normal", "ag.cat([x, x])": "np.concatenate", "ag.manual_seed(0)": "default_rng",
    "ag.inference_mode()": "no_grad()", "ag.autograd": "y.backward()", "ag.nn": "import nn", "ag.optim": "nn.SGD",
    "ag.save(1)": "nn.save_weights", "ag.Variable(1)": "Tensor(data", "Tensor(1.0, device='cpu')": "leave it out",
    "Tensor(1.0, 2.0)": "as a list", "nn.Linear(3, 2)": "nn.Dense", "nn.CrossEntropyLoss()": "nn.softmax_cross_entropy",
    "nn.BCEWithLogitsLoss()": "nn.sigmoid_cross_entropy", "nn.MSELoss()": "nn.mean_squared_error",
    "nn.Parameter(1)": "requires_grad=True", "nn.DataLoader(1)": "nn.data.Minibatches", "nn.Conv2d(1, 2, 3)": "slices",
    "nn.LSTM(3, 4)": "loop", "nn.Flatten()": "x.reshape", "nn.BatchNorm1d(3)": "nn.BatchNorm",
    "nn.ModuleList([])": "list", "nn.functional.relu(x)": "nn.relu", "nn.optim.Adam(1)": "nn.Adam",
    "nn.utils.clip_grad_norm_(1)": "nn.clip_gradient_norm", "nn.init.xavier_uniform_(x)": "glorot_uniform",
    "nn.StepLR(1)": "nn.schedules.StepDecay", "nn.Softmax(dim=1)": "axis=", "nn.Dropout(rate=0.5)": "p=",
    "nn.ReLU(inplace=True)": "leave it out", "nn.LayerNorm(normalized_shape=3)": "features=",
    "nn.SGD(params, learning_rate=0.1)": "lr=", "nn.Adam(params, amsgrad=True)": "leave it out",
    "nn.Adam(params, beta_1=0.9)": "betas=", "optimizer.param_groups": "optimizer.groups",
    "optimizer.zero_grad(set_to_none=True)": "leave it out", "optimizer.step(lambda: 0)": "loss.backward()",
    "model.to('cpu')": "dtype=", "model.children()": "named_modules", "model.buffers()": "state_dict",
    "model.register_buffer('b', x)": "attribute", "model.load_state_dict({}, strict=False)": "leave it out",
    "model.weight": "model.layers[0].weight", "nn.softmax_cross_entropy(x, [0], weight=1)": "class_weight=",
    # JAX
    "ag.grad(f)(a)": None, "ag.value_and_grad(f)(a)": None, "ag.jacobian(np.sin)(a)": None, "ag.hessian(f)(a)": None,
    "ag.vmap(np.sin)(a)": None, "ag.vjp(f, a)": None, "ag.jvp(f, (a,), (a,))": None, "ag.hvp(f)(a, a)": None,
    "ag.checkpoint(f)(a)": None, "ag.stop_gradient(x)": None, "ag.jit(f)": "autograd_lite.compile",
    "ag.jacfwd(f)": "forward", "ag.transforms.jacrev(f)": "reverse", "ag.numpy.sin(a)": "import numpy as np",
    "ag.lax.scan": "loop", "ag.random.PRNGKey(0)": "default_rng", "ag.tree_map(np.sin, [a])": "take dicts",
    "ag.value_and_grad(lambda a: (f(a), 1), has_aux=True)(a)": None, "x.at[0].set(1.0)": "np.where",
    "ag.grad(lambda u, w: (u * w).sum(), argnums='w')(a, a)": None, "ag.device_put(a)": "leave it out",
    "ag.grad(lambda u, w: (u * w).sum(), argnums=('w', 'u'))(u=a, w=a)": None,
    "ag.grad(f, argnums='w')": "has the parameters a",
    # Keras
    "model.fit(a, a)": "nn.fit(model, loss, optimizer, (X, y))", "model.compile(loss='mse')": "nn.fit",
    "model.predict(a)": "nn.predict(model, X)", "model.summary()": "nn.summary", "model.save('m')": "nn.save_weights",
    "model.get_weights()": "state_dict", "nn.Dense(3, 4, activation='relu')": "nn.ReLU()",
    "nn.Dense(units=4)": "Dense(in_features, out_features)", "nn.Dense(3, 4, use_bias=False)": "bias=",
    "nn.layers.Dense(3, 4)": "nn.Dense", "nn.losses.MeanSquaredError()": "nn.mean_squared_error",
    "nn.optimizers.Adam(1)": "nn.Adam", "nn.EarlyStopping(restore_best_weights=True)": "leave it out",
    "nn.ModelCheckpoint('a')": "nn.Checkpoint", "nn.callbacks.EarlyStopping()": "nn.EarlyStopping",
    "nn.to_categorical(1)": "nn.data.one_hot", "ag.GradientTape()": "backward()",
    "optimizer.apply_gradients([])": "optimizer.step()", "optimizer.learning_rate": "optimizer.lr",
    "nn.fit(model, loss, optimizer, (X, y), validation_data=(X, y))": "validation=",
    "nn.fit(model, loss, optimizer, (X, y), verbose=0)": "progress=", "nn.fit(model, X, y)": "(X, y)",
    "nn.fit(model, loss, optimizer, X, y)": "(X, y)", "nn.fit(model, 'mse', optimizer, (X, y))": "nn.softmax_cross",
    "nn.fit(model, loss, 'adam', (X, y))": "nn.Adam(model.parameters())",
    "nn.fit(model, loss, optimizer, (X, y), metrics=['accuracy'])": "{'accuracy': nn.metrics.accuracy}",
    # scikit-learn
    "nn.train_test_split(X, y)": "nn.data.train_test_split", "nn.StandardScaler()": "nn.data.standardize",
    "nn.accuracy_score(y, y)": "nn.metrics.accuracy", "nn.metrics.accuracy_score(y, y)": "nn.metrics.accuracy",
    "model.predict_proba(X)": "nn.softmax(nn.predict", "model.score(X, y)": "nn.metrics.accuracy",
    "nn.LabelEncoder()": "np.unique", "nn.metrics.r2_score(y, y)": "y.var()",
    "nn.MLP(hidden_layer_sizes=(4,))": "sizes", "nn.MLP([3, 4], random_state=0)": "rng=",
    # HIPS autograd
    "ag.elementwise_grad(np.sin)": "grad(lambda x: f(x).sum())", "ag.make_vjp(f)": "vjp(f, x)",
    "ag.hessian_vector_product(f)": "hvp(f)(x, t)", "ag.multigrad(f)": "argnums=(0, 1)",
    "ag.primitive(f)": "extend.primitive", "ag.misc.flatten([a])": "trees of arrays", "ag.holomorphic_grad(f)": "holo",
    "ag.check_grads(f)": "check_gradients(f, x)", "np.array([v[0], v[1]])": "np.stack([a, b])",
    "np.mean([v[0], v[1]])": "by np.mean (", "np.r_[v, v]": "np.stack", "np.asarray(v)": "np.stack",
    "float(v[0])": "np.sin", "np.append([v, v], v)": None, "np.block([[v, v]])": None,
    "np.add.at(v, [0], 1)": "onehot.T @ values", "np.put(v, 0, 1)": "np.where", "nn.predict(X, model)": "(model, X)",
    "np.einsum(x, [0, 1], v, [1])": None, "np.einsum(x, [1, 0], v, [0, ...], [..., 0])": None,
}  # fmt: skip


@pytest.fixture
def names():
    model = nn.MLP([3, 4, 2], rng=0)
    return {
        "np": np, "ag": ag, "nn": nn, "Tensor": Tensor, "model": model, "params": model.parameters(),
        "x": Tensor(np.arange(1.0, 7.0).reshape(2, 3), requires_grad=True), "a": np.array([0.5, 1.0, 1.5]),
        "v": Tensor([1.0, 2.0, 3.0], requires_grad=True), "f": lambda a: (np.sin(a) ** 2).sum(),
        "optimizer": nn.SGD(model.parameters(), lr=0.1), "loss": nn.softmax_cross_entropy,
        "X": np.ones((4, 3), np.float32), "y": np.array([0, 1, 0, 1]),
    }  # fmt: skip


@pytest.mark.parametrize(("snippet", "answer"), SNIPPETS.items(), ids=list(SNIPPETS))
def test_a_habit_works_or_is_answered_by_what_to_write(snippet, answer, names):
    if answer is None:
        eval(snippet, names)
        return
    with pytest.raises((AttributeError, TypeError, ValueError), match=re.escape(answer)):
        eval(snippet, names)


TABLES = {
    "Tensor": (engine_habits.TENSOR, Tensor(np.ones(2))), "autograd_lite": (engine_habits.ENGINE, ag),
    "nn": (habits.PACKAGE, nn), "metrics": (habits.METRICS, nn.metrics), "init": (habits.INIT, nn.init),
    "Module": (habits.MODULE, nn.Module()), "Optimizer": (habits.OPTIMIZER, nn.SGD([Tensor(1.0, requires_grad=True)])),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_no_name_that_exists_is_in_a_table_of_missing_ones(table):
    answers, owner = TABLES[table]
    assert [name for name in answers if hasattr(owner, name)] == (["size"] if table == "Tensor" else [])


@pytest.mark.parametrize("table", TABLES)
def test_what_the_answers_name_exists(table):
    names = SimpleNamespace(nn=nn, np=np, autograd_lite=ag)
    for answer in TABLES[table][0].values():
        for path in re.findall(r"\b(?:nn|np|autograd_lite)(?:\.[A-Za-z]\w*)+", answer):
            found = names
            for part in path.split("."):
                found = getattr(found, part)


def test_a_missing_name_without_an_answer_is_an_ordinary_error():
    for owner in (Tensor(1.0), ag, nn, nn.MLP([2, 1]), nn.SGD([Tensor(1.0, requires_grad=True)])):
        with pytest.raises(AttributeError, match=r"has no attribute 'nonsense'$"):
            owner.nonsense  # noqa: B018
        assert not hasattr(owner, "nonsense")


def test_a_propertys_own_error_is_not_hidden():
    class Net(nn.Module):
        @property
        def width(self):
            return self.layer.out_features

    with pytest.raises(AttributeError, match="'Net' object has no attribute 'layer'"):
        Net().width  # noqa: B018


def test_a_class_without_an_init_takes_no_arguments():
    class Line(nn.Module):
        pass

    with pytest.raises(TypeError, match=r"Line\(\) takes no arguments"):
        Line(3)


# ---- steps as PyTorch's users write them ----


def test_a_step_within_no_grad_updates_the_parameter_itself():
    model = nn.Dense(3, 2, rng=0)
    before = model.weight.data.copy()
    (model(np.ones((4, 3), np.float32)) ** 2).sum().backward()
    with ag.no_grad():
        for p in model.parameters():
            p -= 0.5 * p.grad
    assert np.array_equal(model.weight.data, before - np.float32(0.5) * model.weight.grad.data)
    assert model.weight.requires_grad


def test_a_compiled_step_within_no_grad_updates_the_parameters_to_the_same_bits():
    X, labels = np.random.default_rng(0).normal(size=(8, 3)), np.array([0, 1] * 4)
    models = [nn.MLP([3, 4, 2], "tanh", rng=0, dtype=np.float64) for _ in range(2)]

    def stepper(model):
        def step(X, labels):
            model.zero_grad()
            nn.softmax_cross_entropy(model(X), labels).backward()
            with ag.no_grad():
                for p in model.parameters():
                    p -= 0.5 * p.grad

        return step

    plain, compiled = stepper(models[0]), ag.compile(stepper(models[1]), jit=False)
    for _ in range(4):
        plain(X, labels)
        compiled(X, labels)
    for p, q in zip(*(model.parameters() for model in models), strict=True):
        assert np.array_equal(p.data, q.data)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**"])
def test_each_operator_in_place_within_no_grad_is_that_of_an_array(symbol):
    w, array = Tensor([3.0, 5.0], requires_grad=True), np.array([3.0, 5.0])
    names = {"w": w, "array": array, "no_grad": ag.no_grad}
    exec(f"with no_grad():\n    w {symbol}= 2.0\narray {symbol}= 2.0", names)
    assert names["w"] is w
    assert np.array_equal(w.data, array)


def test_a_step_in_place_drops_no_imaginary_part():
    w = Tensor([3.0], requires_grad=True)
    with ag.no_grad(), pytest.raises(TypeError, match=r"-= gives complex128, which the tensor cannot hold"):
        w -= 1j
    assert w.data == [3.0]


def test_a_graph_recorded_before_refuses_after_a_step_in_place():
    w = Tensor([3.0], requires_grad=True)
    loss = (w * w).sum()
    with ag.no_grad():
        w *= 2.0
    with pytest.raises(ag.ChangedTensorError):
        loss.backward()


def test_a_step_outside_of_no_grad_is_refused():
    w = Tensor([3.0], requires_grad=True)
    (w * w).sum().backward()
    with pytest.raises(GradientError, match=r"-= looks like a step.*within no_grad\(\)"):
        w -= 0.1 * w.grad


def test_an_operator_in_place_makes_a_new_tensor_of_a_result():
    w = Tensor([3.0], requires_grad=True)
    x = w
    x *= 2.0
    x += 1.0
    x.sum().backward()
    assert w.data == [3.0]
    assert w.grad.data == [2.0]


# ---- arrays that are filled ----


def test_filling_an_array_is_answered_by_stack():
    v, out = Tensor([1.0, 2.0], requires_grad=True), np.zeros(2)
    with pytest.raises(ValueError, match="setting an array element") as caught:
        out[0] = v[0] ** 2
    assert isinstance(caught.value.__cause__, LostGradientError)
    assert "write np.stack(results)" in str(caught.value.__cause__)
    with pytest.raises(LostGradientError, match=r"write np\.stack\(results\)"):
        out[:] = v


def test_integers_of_a_step_function_lose_no_gradient():
    table, x = np.array([1.0, 10.0, 100.0]), np.array([0.5, 1.5, 2.5])

    def looked_up(x):
        return (table[np.floor(x).astype(int).data] * x).sum()

    w = Tensor(x, requires_grad=True)
    looked_up(w).backward()
    assert np.array_equal(w.grad.data, table)
    assert np.array_equal(ag.grad(looked_up)(x), table)
    assert np.sign(w).astype(np.int64).data.tolist() == [1, 1, 1]
    with pytest.raises(LostGradientError, match="carries no gradient"):
        w.astype(int)


# ---- labels and single outputs ----


def test_labels_that_are_text_are_numbered_by_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)).astype(np.float32)
    y = np.where(X[:, 0] > 0, "yes", "no")
    model = nn.MLP([2, 2], rng=0)
    history = nn.fit(
        model, nn.softmax_cross_entropy, nn.Adam(model.parameters(), lr=0.1), (X[:150], y[:150]), (X[150:], [*y[150:]]),
        epochs=5, metrics={"accuracy": nn.metrics.accuracy}, progress=False, rng=0,
    )  # fmt: skip
    assert history.classes.tolist() == ["no", "yes"]
    predicted = history.classes[nn.predict(model, X[150:]).argmax(axis=1)]
    assert (predicted == y[150:]).mean() == history["val_accuracy"][-1] > 0.9


def test_a_label_that_only_the_validation_has_is_refused():
    model = nn.MLP([2, 2], rng=0)
    X = np.ones((2, 2), np.float32)
    with pytest.raises(ValueError, match="the validation has the label 'maybe'"):
        nn.fit(
            model, nn.softmax_cross_entropy, nn.SGD(model.parameters()), (X, ["yes", "no"]), (X, ["no", "maybe"]),
        )  # fmt: skip


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)], ids=["n", "n x 1"])
def test_a_single_output_is_fitted_and_measured_as_yes_or_no(shape):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int).reshape(shape)
    model = nn.MLP([2, 1], rng=0)
    history = nn.fit(
        model, nn.sigmoid_cross_entropy, nn.Adam(model.parameters(), lr=0.1), (X[:150], y[:150]), (X[150:], y[150:]),
        epochs=5, metrics={"accuracy": nn.metrics.accuracy}, progress=False, rng=0,
    )  # fmt: skip
    right = (nn.predict(model, X[150:])[:, 0] > 0) == y[150:].ravel()
    assert right.mean() == history["val_accuracy"][-1] > 0.9


# ---- the page ----


def test_the_page_about_other_libraries_is_up_to_date():
    text = PATH.read_text(encoding="utf-8")
    assert text == page(text), "write it anew: python -m tests.nn.habits_page"


def test_the_programs_of_the_page_run():
    rng = np.random.default_rng(0)
    names = {"images": rng.normal(size=(100, 784)).astype(np.float32), "labels": rng.integers(0, 10, 100)}
    for program in re.findall(r"```python\n(.*?)```", PATH.read_text(encoding="utf-8"), re.DOTALL):
        exec(program, names)
    assert names["probabilities"].shape == (100, 10)
    assert len(names["history"]) == 2
    assert names["per_example"]["W"].shape == (20, 3, 4)
