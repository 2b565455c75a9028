"""The engine against the backpropagation equations written out by hand, for networks of one to seven layers.

delta_L = dC/da * f'(z_L),  delta_l = f'(z_l) * W^T delta_(l+1),  dW = delta a^T,  db = delta
"""

import numpy as np
import pytest

import nn
from autograd_lite.checks import compare_gradients

ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(float)),
}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# For each cost the loss of the library, its output activation, and delta_L, with examples as rows.
COSTS = {
    "mean_squared_error": (nn.mean_squared_error, True, lambda z, a, f1, t: 2 * (a - t) / t.size * f1(z, a)),
    "quadratic_cost": (nn.quadratic_cost, True, lambda z, a, f1, t: (a - t) / len(t) * f1(z, a)),
    "softmax_cross_entropy": (nn.softmax_cross_entropy, False, lambda z, a, f1, t: (softmax(z) - t) / len(t)),
}


def by_hand(weights, biases, x, t, f, f1, delta_of_output):
    activations, zs = [x], []
    for W, b in zip(weights, biases, strict=True):
        zs.append(activations[-1] @ W + b)
        activations.append(f(zs[-1]))
    delta = delta_of_output(zs[-1], activations[-1], f1, t)
    gradients = {}
    for layer in reversed(range(len(weights))):
        gradients[f"W{layer}"], gradients[f"b{layer}"] = activations[layer].T @ delta, delta.sum(axis=0)
        if layer:
            delta = f1(zs[layer - 1], activations[layer]) * (delta @ weights[layer].T)
    return gradients


@pytest.mark.parametrize("layers", range(1, 8))
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_agree_with_the_equations(activation, cost, layers):
    loss, activated, delta_of_output = COSTS[cost]
    rng = np.random.default_rng(layers)
    sizes = rng.integers(3, 9, layers + 1).tolist()
    model = nn.MLP(sizes, activation, activation if activated else None, rng=rng, dtype=np.float64)
    dense = [layer for layer in model if isinstance(layer, nn.Dense)]
    for layer in dense:
        layer.bias.data = rng.standard_normal(layer.bias.shape)
    x = rng.standard_normal((6, sizes[0]))
    t = rng.dirichlet(np.ones(sizes[-1]), 6)
    loss(model(x), t).backward()
    engine = {f"W{i}": layer.weight for i, layer in enumerate(dense)} | {
        f"b{i}": layer.bias for i, layer in enumerate(dense)
    }
    weights, biases = [layer.weight.data for layer in dense], [layer.bias.data for layer in dense]
    compare_gradients(by_hand(weights, biases, x, t, *ACTIVATIONS[activation], delta_of_output), engine).assert_close(
        1e-12
    )


def test_the_deltas_of_the_lessons_are_the_retained_gradients():
    rng = np.random.default_rng(0)
    first, second = nn.Dense(4, 3, rng=rng, dtype=np.float64), nn.Dense(3, 2, rng=rng, dtype=np.float64)
    x, t = rng.standard_normal((5, 4)), rng.random((5, 2))
    z1 = first(x).retain_grad()
    z2 = second(nn.sigmoid(z1)).retain_grad()
    nn.quadratic_cost(nn.sigmoid(z2), t).backward()
    a1, a2 = nn.sigmoid(z1.data), nn.sigmoid(z2.data)
    delta2 = (a2 - t) / 5 * a2 * (1 - a2)
    np.testing.assert_allclose(z2.grad.data, delta2, rtol=1e-13)
    np.testing.assert_allclose(z1.grad.data, a1 * (1 - a1) * (delta2 @ second.weight.data.T), rtol=1e-13)
