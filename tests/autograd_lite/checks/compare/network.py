"""A multilayer perceptron in plain NumPy, with its gradients derived by hand, rightly or with a mistake."""

import numpy as np

from autograd_lite.checks import compare_gradients

ACTIVATIONS = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: (z > 0).astype(z.dtype)),
    "silu": (
        lambda z: z * (1 / (1 + np.exp(-z))),
        lambda z, a: 1 / (1 + np.exp(-z)) * (1 + z * (1 - 1 / (1 + np.exp(-z)))),
    ),
}


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


class Network:
    """The loss of a network, and its gradients by hand.

    Parameters
    ----------
    activation : str
        Of the hidden layers, and for the quadratic cost of the outputs too.
    cost : {"quadratic", "cross-entropy"}
    l2 : float
        Of the term ``l2 / 2 * ||W||^2`` on the weights.
    """

    def __init__(self, sizes=(5, 7, 6, 4), activation="sigmoid", cost="quadratic", l2=0.0, rows=12, seed=0):
        rng = np.random.default_rng(seed)
        self.sizes, self.l2, self.cost = sizes, l2, cost
        self.f, self.f1 = ACTIVATIONS[activation]
        self.depth = len(sizes) - 1
        self.parameters = {}
        for layer in range(1, self.depth + 1):
            fan_in, fan_out = sizes[layer - 1 : layer + 1]
            self.parameters[f"W{layer}"] = rng.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in)
            self.parameters[f"b{layer}"] = rng.normal(size=fan_out)
        self.X = rng.normal(size=(rows, sizes[0]))
        self.Y = np.eye(sizes[-1])[rng.integers(0, sizes[-1], rows)]

    def loss(self, parameters):
        a = self.X
        decay = 0.0
        for layer in range(1, self.depth + 1):
            z = a @ parameters[f"W{layer}"] + parameters[f"b{layer}"]
            a = self.f(z) if layer < self.depth or self.cost == "quadratic" else softmax(z)
            decay = decay + np.sum(parameters[f"W{layer}"] ** 2)
        if self.cost == "quadratic":
            loss = np.sum((a - self.Y) ** 2) / 2 / len(self.X)
        else:
            loss = -np.sum(self.Y * np.log(a)) / len(self.X)
        return loss + self.l2 / 2 * decay if self.l2 else loss

    def by_hand(self, parameters, *, no_derivative=(), diagonal=False, summed=False, wrong_delta=None):
        """The gradients; the options are the mistakes."""
        z, a = {}, {0: self.X}
        for layer in range(1, self.depth + 1):
            z[layer] = a[layer - 1] @ parameters[f"W{layer}"] + parameters[f"b{layer}"]
            a[layer] = self.f(z[layer]) if layer < self.depth or self.cost == "quadratic" else softmax(z[layer])
        rows = 1 if summed else len(self.X)
        if self.cost == "quadratic":
            delta = (a[self.depth] - self.Y) / rows
            if self.depth not in no_derivative:
                delta = delta * self.f1(z[self.depth], a[self.depth])
        elif diagonal:
            delta = -self.Y / a[self.depth] * a[self.depth] * (1 - a[self.depth]) / rows
        else:
            delta = (a[self.depth] - self.Y) / rows
        gradients = {}
        for layer in range(self.depth, 0, -1):
            if layer == wrong_delta:
                delta = delta + 0.1 * np.cos(delta)
            gradients[f"W{layer}"] = a[layer - 1].T @ delta + self.l2 * parameters[f"W{layer}"]
            gradients[f"b{layer}"] = delta.sum(axis=0)
            if layer > 1:
                delta = delta @ parameters[f"W{layer}"].T
                if layer - 1 not in no_derivative:
                    delta = delta * self.f1(z[layer - 1], a[layer - 1])
        return {name: gradients[name] for name in parameters}


def explained(hand, network):
    return compare_gradients(hand, network.loss, network.parameters).explanations


def only(explanations):
    assert len(explanations) == 1, [str(e) for e in explanations]
    return explanations[0]


def right(network):
    return network.by_hand(network.parameters)
