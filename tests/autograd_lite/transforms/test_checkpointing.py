"""`checkpoint`: the same gradients from less memory."""

import gc
import itertools
import tracemalloc

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor, custom_vjp, no_grad
from autograd_lite.core.graph import ancestors
from autograd_lite.transforms import checkpoint, grad, hessian, hvp, jacobian, jvp, vjp, vmap

X = np.random.default_rng(0).normal(size=(8, 4))


def network(depth, width=4, dtype=np.float64):
    return [nn.Sequential(nn.Dense(width, width, rng=i, dtype=dtype), nn.tanh) for i in range(depth)]


def loss_of(layers, x, through):
    for layer in layers:
        x = through(layer)(x)
    return (x * x).sum()


def gradients_by_backward(layers, x, through):
    for layer in layers:
        layer.zero_grad()
    loss_of(layers, x, through).backward()
    return [p.grad.data for layer in layers for p in layer.parameters()]


def plain(layer):
    return layer


def test_gradients_of_parameters_are_identical_to_the_last_bit():
    layers = network(5)
    expected = gradients_by_backward(layers, X, plain)
    for found, gradient in zip(gradients_by_backward(layers, X, checkpoint), expected, strict=True):
        assert np.array_equal(found, gradient)


def test_gradients_by_transforms_are_identical_to_the_last_bit():
    layers = network(3)
    f = lambda x, through: loss_of(layers, x, through)  # noqa: E731
    with no_grad():
        assert np.array_equal(grad(lambda x: f(x, checkpoint))(X), grad(lambda x: f(x, plain))(X))


def test_a_modules_parameters_get_their_gradients_in_a_transform():
    model = nn.MLP([4, 6, 2], activation="tanh", rng=0, dtype=np.float64)
    expected = grad(lambda model: np.sum(model(X) ** 2))(model)
    found = grad(lambda model: np.sum(checkpoint(model)(X) ** 2))(model)
    for name, gradient in expected.items():
        assert np.array_equal(found[name].data, gradient.data)


def test_the_graph_holds_one_node_for_a_checkpointed_call():
    w = Tensor(np.ones(4), requires_grad=True)
    out = checkpoint(lambda x: np.tanh(np.sin(x * w) * 2.0))(X)
    assert len(ancestors(out.node)) == 2


def in_groups(layers, sizes, through):
    """The layers one after the other, in groups of groups of these sizes, each handed through a transform."""
    if not sizes:
        return layers[0]
    length = len(layers) // sizes[0]
    groups = [through(in_groups(layers[i : i + length], sizes[1:], through)) for i in range(0, len(layers), length)]

    def run(x):
        for group in groups:
            x = group(x)
        return x

    return run


def test_peak_memory_of_64_layers_falls_at_least_four_times():
    layers = network(64, width=64, dtype=np.float32)
    x = np.random.default_rng(0).normal(size=(2048, 64)).astype(np.float32)

    def peak(through):
        for layer in layers:
            layer.zero_grad()
        gc.collect()
        tracemalloc.start()
        (in_groups(layers, (4, 4, 4), through)(x) ** 2).sum().backward()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most, [p.grad.data for layer in layers for p in layer.parameters()]

    kept, expected = peak(plain)
    recomputed, found = peak(checkpoint)
    assert kept >= 4 * recomputed
    for gradient, other in zip(found, expected, strict=True):
        assert np.array_equal(gradient, other)


def test_a_tensor_used_before_and_in_a_checkpoint_gets_both_gradients():
    w = Tensor(3.0, requires_grad=True)
    h = w * 2.0
    (checkpoint(lambda x: x * h * w)(h) + h).backward()
    # 4 w^3 + 2 w
    assert w.grad.item() == 12 * 9 + 2


def test_a_value_computed_within_from_outside_tensors_alone_has_its_gradient():
    w = Tensor(0.5, requires_grad=True)
    checkpoint(lambda x: x * np.exp(w))(Tensor(2.0)).backward()
    assert w.grad.item() == 2 * np.exp(0.5)


def test_checkpoints_nest():
    layers = network(4)
    inner = [checkpoint(layer) for layer in layers]

    def half(start):
        return checkpoint(lambda x: inner[start + 1](inner[start](x)))

    expected = gradients_by_backward(layers, X, plain)
    for layer in layers:
        layer.zero_grad()
    y = half(2)(half(0)(X))
    (y * y).sum().backward()
    for p, gradient in zip((p for layer in layers for p in layer.parameters()), expected, strict=True):
        np.testing.assert_array_equal(p.grad.data, gradient)


def test_second_derivatives_go_through():
    layers = network(2)
    v = np.cos(X)
    found = hvp(lambda x: loss_of(layers, x, checkpoint))(X, v)
    expected = hvp(lambda x: loss_of(layers, x, plain))(X, v)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-12)


def test_create_graph_goes_through():
    x = Tensor(0.7, requires_grad=True)
    checkpoint(lambda x: np.sin(x) * x)(x).backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    assert x.grad.item() == pytest.approx(2 * np.cos(0.7) - 0.7 * np.sin(0.7))


def test_forward_mode_goes_through():
    f = lambda x: np.sin(x) * x  # noqa: E731
    assert jvp(checkpoint(f), (0.7,), (1.0,)) == jvp(f, (0.7,), (1.0,))


def test_a_pullback_can_be_called_again():
    _, pullback = vjp(checkpoint(lambda x: np.sin(x) * x), X)
    np.testing.assert_array_equal(pullback(X)[0], pullback(X)[0])


def test_a_function_that_computes_another_result_the_second_time_is_refused():
    rng = np.random.default_rng(0)
    x = Tensor(X, requires_grad=True)
    out = checkpoint(lambda x: x * rng.integers(2, size=x.shape))(x)
    with pytest.raises(GradientError, match=r"np\.multiply has other numbers now.*pass them in as arguments"):
        out.sum().backward()


def test_a_function_that_returns_no_array_is_refused():
    with pytest.raises(TypeError, match=r"<lambda> returned str; expected an array, or a tree of arrays"):
        checkpoint(lambda x: (x, "x"))(Tensor(X, requires_grad=True))
    with pytest.raises(TypeError, match="expected a function, got 3"):
        checkpoint(3)


# ---- what the second run does otherwise than the first ----
def differing(kind):
    """A value that is another one each time that it is asked for."""
    rng, count = np.random.default_rng(0), itertools.count()
    return {
        "a generator": lambda: rng.normal(size=3),
        "a number of a generator": lambda: rng.normal(),
        "the global generator": lambda: np.random.normal(size=3),  # noqa: NPY002
        "a counter": lambda: next(count),
        "a counter within a list": lambda: [0.0, 1.0, float(next(count))],
        "a mask": lambda: np.arange(3) == next(count) % 3,
    }[kind]


KINDS = [
    "a generator", "a number of a generator", "the global generator", "a counter", "a counter within a list", "a mask",
]  # fmt: skip

RESULTS = {
    "an array": lambda x, r: x * r,
    "a number": lambda x, r: np.sum(x * r),
    "a number that hides it": lambda x, r: np.sum(x * r * 0.0),
    "a choice": lambda x, r: np.sum(np.where(r, x, 0.0)),
    "a named argument": lambda x, r: np.sum(np.clip(x, min=None, max=np.exp(r))),
    "a tuple": lambda x, r: (np.sum(x), np.sum(x * r)),
    "a dict": lambda x, r: {"sum": np.sum(x), "by r": x * r},
}


def total(result):
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else (result,)
    return sum(np.sum(part) for part in parts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of", RESULTS.values(), ids=RESULTS)
def test_a_function_that_meets_other_numbers_the_second_time_is_refused(of, kind):
    draw = differing(kind)
    step = checkpoint(lambda x: of(x, draw()))
    for nested in (step, checkpoint(lambda x: step(x)), checkpoint(checkpoint(lambda x: step(x)))):
        with pytest.raises(GradientError, match=r"computed something else .* pass them in as arguments"):
            total(nested(Tensor(np.ones(3), requires_grad=True))).backward()
        with pytest.raises(GradientError, match="computed something else"):
            grad(lambda x, nested=nested: total(nested(x)))(np.ones(3))


@pytest.mark.parametrize("derivative", [hessian, jacobian, lambda f: lambda x: hvp(f)(x, x), lambda f: grad(f)])
def test_so_it_is_in_every_transform_with_a_backward_pass(derivative):
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="computed something else"):
        derivative(lambda x: np.sum(checkpoint(lambda x: np.sum(x * rng.normal(size=3)) * 0.0)(x)))(np.ones(3))


def test_per_example_gradients_notice_it_too():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="computed something else"):
        vmap(grad(checkpoint(lambda x: np.sum(x * rng.normal()))))(np.ones((2, 3)))


def test_another_function_is_named():
    functions = itertools.cycle([np.sin, np.cos])
    with pytest.raises(GradientError, match=r"np\.sin was called the first time where np\.cos is now"):
        checkpoint(lambda x: np.sum(next(functions)(x)))(Tensor(np.zeros(3), requires_grad=True)).backward()


def test_a_number_of_calls_that_differs_is_named():
    counts = itertools.count(1)
    with pytest.raises(GradientError, match="it made 1 calls the first time, and makes 2 now"):
        checkpoint(lambda x: [x := x + 0.0 for _ in range(next(counts))][-1])(
            Tensor(np.zeros(()), requires_grad=True)
        ).backward()


def test_what_ones_own_function_draws_is_seen_in_the_result():
    rng = np.random.default_rng(0)
    noisy = custom_vjp(lambda x: x + rng.normal(), x=lambda g: g)
    with pytest.raises(GradientError, match="its result has other numbers now"):
        checkpoint(lambda x: np.sum(noisy(x)))(Tensor(np.ones(3), requires_grad=True)).backward()


def test_numbers_that_are_passed_in_are_no_difference():
    noise, x = np.random.default_rng(0).normal(size=3), Tensor(np.ones(3), requires_grad=True)
    checkpoint(lambda x, noise: np.sum(x * noise))(x, noise).backward()
    np.testing.assert_array_equal(x.grad.data, noise)


# ---- results that are trees ----
def several(x, w):
    h = np.tanh(x * w)
    return {"h": h, "loss": np.sum(h * h), "pair": (x, 2.0 * w), "constant": np.ones(2), "number": 3.0}


def loss_of_several(f, x, w):
    result = f(x, w)
    assert result["number"] == 3.0
    return (
        np.sum(result["h"] ** 3)
        + result["loss"]
        + np.sum(result["pair"][0] * result["pair"][1] * result["constant"][0])
    )


def test_a_tree_of_results_has_the_gradients_of_the_plain_function():
    def gradients(f):
        x, w = Tensor([0.5, -1.0], requires_grad=True), Tensor([2.0, 3.0], requires_grad=True)
        loss_of_several(f, x, w).backward()
        return x.grad.data, w.grad.data

    for found, expected in zip(gradients(checkpoint(several)), gradients(several), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("derivative", [grad, hessian, lambda f: lambda x: hvp(f)(x, x), lambda f: vmap(grad(f))])
def test_so_it_has_in_transforms(derivative):
    x, w = np.array([[0.5, -1.0]]), np.array([2.0, 3.0])
    found = derivative(lambda x: loss_of_several(checkpoint(several), x, w))(x)
    np.testing.assert_allclose(found, derivative(lambda x: loss_of_several(several, x, w))(x), rtol=1e-12)


def test_a_result_of_which_a_part_is_unused_has_the_gradient_of_the_rest():
    w = Tensor([1.0, 2.0], requires_grad=True)
    first, _ = checkpoint(lambda x: (x * x, np.exp(x)))(w)
    first.sum().backward()
    np.testing.assert_array_equal(w.grad.data, [2.0, 4.0])


def test_what_changes_between_the_passes_is_seen_in_an_inner_part_too():
    setting, x = [1.0], Tensor(np.zeros(3), requires_grad=True)
    inner = checkpoint(lambda x: np.sum(x * setting[0]))
    out = checkpoint(lambda x: inner(x) * 1.0)(x)
    setting[0] = 2.0
    with pytest.raises(GradientError, match="computed something else"):
        out.backward()
