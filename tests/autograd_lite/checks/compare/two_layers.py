"""A network of two layers whose program and derivation keep all intermediates in variables, for tests of these."""

import numpy as np

_RNG = np.random.default_rng(0)
X, Y = _RNG.normal(size=(16, 3)), _RNG.normal(size=(16, 2))
PARAMETERS = {
    "W1": _RNG.normal(size=(3, 4)),
    "b1": _RNG.normal(size=4),
    "W2": _RNG.normal(size=(4, 2)),
    "b2": _RNG.normal(size=2),
}


def loss(p):
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    return np.sum((z2 - Y) ** 2) / 2 / len(X)


def forward(p=PARAMETERS):
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.tanh(z1)
    return {"z1": z1, "a1": a1, "z2": a1 @ p["W2"] + p["b2"]}


def by_hand(p=PARAMETERS, slope=lambda z, a: 1 - a**2, operand="a1", through=lambda W: W.T):
    """The gradients of parameters, and under "deltas" those of intermediates."""
    v = forward(p)
    d2 = (v["z2"] - Y) / len(X)
    da1 = d2 @ through(p["W2"])
    d1 = da1 * slope(v["z1"], v["a1"])
    gradients = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": v[operand].T @ d2, "b2": d2.sum(0)}
    return gradients, {"z2": d2, "a1": da1, "z1": d1}
