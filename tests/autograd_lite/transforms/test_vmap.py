"""vmap: a function of one example made into one of many."""

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor
from autograd_lite.transforms import checkpoint, grad, hessian, jacobian, jvp, stop_gradient, value_and_grad, vmap
from autograd_lite.transforms.batching import BatchLevel
from tests.autograd_lite import numerical

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4))


def energy(w, x):
    return np.sum(np.tanh(x @ w) ** 2)


def test_examples_are_counted_by_any_axis_of_arguments_and_results():
    expected = X @ W
    np.testing.assert_allclose(vmap(np.dot, (0, None))(X, W), expected)
    np.testing.assert_allclose(vmap(np.dot, (1, None), out_axes=1)(X.T, W), expected.T)
    np.testing.assert_allclose(vmap(np.dot, (-1, None), out_axes=-1)(X.T, W), expected.T)


def test_trees_of_arrays_are_mapped_leaf_by_leaf():
    found = vmap(lambda tree, y: {"sum": tree["a"] + tree["b"][0], "same": y})({"a": X, "b": [X]}, X)
    np.testing.assert_array_equal(found["sum"], 2 * X)
    np.testing.assert_array_equal(found["same"], X)


def test_keyword_arguments_are_the_same_for_all():
    np.testing.assert_allclose(vmap(lambda x, *, power: x**power)(X, power=3), X**3)


def test_a_result_that_depends_on_no_example_is_repeated():
    np.testing.assert_array_equal(vmap(lambda x: np.arange(2.0))(X), np.tile([0.0, 1.0], (5, 1)))


def test_it_nests():
    outer = vmap(vmap(lambda x, y: x * y, (None, 0)), (0, None))(X[:, 0], X[:, 1])
    np.testing.assert_allclose(outer, np.outer(X[:, 0], X[:, 1]))
    pairs = vmap(lambda x: vmap(lambda y: np.dot(x, y))(X))(X)
    np.testing.assert_allclose(pairs, X @ X.T)


def test_gradients_of_each_example_are_one_call():
    found = vmap(grad(energy), (None, 0))(W, X)
    np.testing.assert_allclose(found, [grad(energy)(W, x) for x in X], rtol=1e-12)


def test_values_and_gradients_of_trees_come_stacked():
    def loss(parameters, x):
        return energy(parameters["w"], x) * parameters["scale"]

    values, gradients = vmap(value_and_grad(loss), (None, 0))({"w": W, "scale": 2.0}, X)
    assert values.shape == (5,)
    assert gradients["w"].shape == (5, 3, 4)
    np.testing.assert_allclose(gradients["scale"], [energy(W, x) for x in X])


def test_derivatives_of_a_vmapped_function_are_those_of_the_loop():
    def total(w):
        return np.sum(vmap(energy, (None, 0))(w, X) ** 2)

    numerical.assert_close(grad(total)(W), numerical.gradient(total, [W], 0))
    direction = RNG.normal(size=W.shape)
    expected = numerical.derivative_along(grad(total), [W], [direction])
    numerical.assert_close(jvp(grad(total), (W,), (direction,))[1], expected)


def test_hessians_of_each_example_come_stacked():
    def loss(x):
        return np.sum(np.sin(x) * x[::-1])

    np.testing.assert_allclose(vmap(hessian(loss))(X), [hessian(loss)(x) for x in X], rtol=1e-12, atol=1e-12)
    found = vmap(jacobian(np.cumprod, mode="forward"))(X)
    np.testing.assert_allclose(found, [jacobian(np.cumprod)(x) for x in X], rtol=1e-12)


def test_tensors_outside_get_their_gradients():
    w = Tensor(W, requires_grad=True)
    vmap(lambda x: np.sum(np.tanh(x @ w)))(X).sum().backward()
    expected = Tensor(W, requires_grad=True)
    np.tanh(X @ expected).sum().backward()
    np.testing.assert_allclose(w.grad.data, expected.grad.data, rtol=1e-12)


def test_tensors_give_tensors():
    assert isinstance(vmap(np.sin)(Tensor(X)), Tensor)
    x = Tensor(X, requires_grad=True)
    vmap(np.sum)(x).sum().backward()
    assert np.array_equal(x.grad.data, np.ones_like(X))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("one_hot", [False, True])
def test_per_example_gradients_of_a_network_agree_with_a_loop(one_hot, reduction):
    model = nn.MLP([3, 6, 4], activation="tanh", rng=0)
    labels = np.array([0, 3, 1, 2, 2])
    targets = np.eye(4)[labels] if one_hot else labels

    def loss(model, x, label):
        return nn.softmax_cross_entropy(model(x[None]), label[None], reduction)

    found = vmap(grad(loss), (None, 0, 0))(model, X, targets)
    for i in range(5):
        alone = grad(loss)(model, X[i], targets[i])
        for name, gradient in alone.items():
            got = found[name].data if isinstance(found[name], Tensor) else found[name]
            expected = gradient.data if isinstance(gradient, Tensor) else gradient
            np.testing.assert_allclose(got[i], expected, rtol=1e-12, atol=1e-15)


def test_stop_gradient_and_checkpoint_work_within():
    np.testing.assert_allclose(vmap(grad(lambda x: np.sum(x * stop_gradient(x))))(X), X)
    np.testing.assert_allclose(vmap(grad(checkpoint(lambda x: np.sum(np.sin(x)))))(X), np.cos(X), rtol=1e-14)
    np.testing.assert_allclose(grad(lambda x: np.sum(vmap(checkpoint(np.sin))(x)))(X), np.cos(X), rtol=1e-14)


def test_choices_depend_on_the_example():
    found = vmap(lambda x: np.where(x > 0, np.sqrt(np.abs(x)), -x))(X)
    np.testing.assert_allclose(found, np.where(X > 0, np.sqrt(np.abs(X)), -X))


def test_an_index_can_depend_on_the_example():
    index = np.array([2, 0, 1, 1, 0])
    np.testing.assert_array_equal(vmap(lambda x, i: x[i])(X, index), X[np.arange(5), index])
    np.testing.assert_array_equal(vmap(lambda x: x[np.argmax(x)])(X), X.max(axis=1))
    np.testing.assert_array_equal(vmap(lambda x: np.take_along_axis(x, np.argsort(x), -1))(X), np.sort(X))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.add(x, [1.0, 2.0]),
        lambda x: x - [1.0, 2.0],
        lambda x: np.power(x, [[1.0], [2.0]]),
        lambda x: np.where(x > 3.5, [1.0, 2.0], x),
        lambda x: np.clip(x, [0.0, 3.8], [3.0, 5.0]),
        lambda x: np.multiply([x, 2 * x], x),
    ],
)
def test_lists_beside_an_example_are_the_same_for_all(f):
    X = np.array([3.0, 4.0])
    np.testing.assert_array_equal(vmap(f)(X), np.stack([f(x) for x in X]))
    by_one_call = vmap(grad(lambda x: np.sum(f(x) ** 2)))(X)
    np.testing.assert_array_equal(by_one_call, [grad(lambda x: np.sum(f(x) ** 2))(x) for x in X])


def test_no_loop_runs_over_the_examples_of_a_network(monkeypatch):
    def refused(self, function, args, kwargs):
        raise AssertionError(f"{function} was called one by one")

    monkeypatch.setattr(BatchLevel, "_one_by_one", refused)
    for activation in ("relu", "sigmoid", "tanh", "softplus", "leaky_relu", "elu"):
        model = nn.MLP([3, 6, 4], activation=activation, rng=0)

        def loss(model, x, label):
            return nn.softmax_cross_entropy(model(x), label)

        vmap(grad(loss), (None, 0, 0))(model, X, np.array([0, 3, 1, 2, 2]))


MISTAKES = {
    "a branch": (lambda x: x if x[0] > 0 else -x, r"a branch was taken on it.*np\.where"),
    "a number": (lambda x: float(x[0]), "turned into float"),
    "item": (lambda x: x[0].item(), r"\.item\(\)"),
    "data": (lambda x: x.data, r"\.data was asked for"),
    "asarray": (lambda x: np.asarray(x), "turned into a plain array"),
    "an index": (lambda x: [1, 2][np.argmax(x)], "a Python index"),
    "in": (lambda x: 1.0 in x, "were searched"),
}


@pytest.mark.parametrize(("f", "message"), MISTAKES.values(), ids=MISTAKES)
def test_numbers_that_differ_from_example_to_example_are_not_given_away(f, message):
    with pytest.raises(GradientError, match=message):
        vmap(f)(X)


def test_a_leaked_tensor_is_refused():
    leaked = []
    vmap(lambda x: leaked.append(x) or x)(X)
    with pytest.raises(GradientError, match=r"vmap.*after the function has returned"):
        leaked[0] + 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vmap(np.add)(X, X[:3]), r"different numbers of examples: argument 0 has 5 .* argument 1 has 3"),
        (lambda: vmap(np.sin, None)(X), "no argument is mapped"),
        (lambda: vmap(np.add, (0,))(X, X), "has length 1, but 2 positional arguments were given"),
        (lambda: vmap(np.sin)(1.0), r"shape \(\); it has no axis 0"),
        (lambda: vmap(lambda x: x[x > 0])(X), "different shapes"),
    ],
)
def test_arguments_that_cannot_be_mapped_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_tensor_of_one_example_shows_its_shape():
    shown = []
    vmap(lambda x: shown.append(repr(x)) or x)(X)
    assert shown == ["Tensor(<5 examples>, shape=(3,), dtype=float64)"]


def test_functions_of_shapes_see_one_example():
    seen = []
    vmap(lambda x: seen.append((np.shape(x), np.ndim(x), np.size(x), len(x), np.zeros_like(x).shape)) or x)(X)
    assert seen == [((3,), 1, 3, 3, (3,))]
