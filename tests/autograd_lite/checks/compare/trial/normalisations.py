"""Normalisations: of batches, layers, rows and weights, with their statistics as functions or written out."""

import numpy as np

from .program import program

SAYS = {
    "mean constant": r"the mean is taken as a constant",
    "variance constant": r"the (variance|standard deviation) is taken as a constant",
    "both constant": r"(mean and the variance|mean and variance|mean and the standard deviation).*constants",
    "no deviation": r"division by the (standard deviation|denominator) is missing",
    "no gamma": r"other factor is missing.*gamma",
    "n - 1": r"n - 1",
    "root's half": r"square root|1/2",
    "variance's 2": r"square",
    "variance's minus": r"minus",
    "gamma from z": r"(stands where|operand|before).*gamma",
    "gamma averaged": r"gamma: .*the batch has|gamma.*(divided|averaged)|averaged over the 8.*gamma",
    "beta averaged": r"beta: .*the batch has|beta.*(divided|averaged)|averaged over the 8.*beta",
    "mean not divided": r"mean.*sum|sum.*mean",
}


def batch_norm_steps(w, z, n, s, dn, axis, c):
    """The backward pass in the steps of the paper."""
    size = z.shape[axis]
    dvar = np.sum(dn * c, axis, keepdims=True) * -0.5 / s**3
    if w("root's half"):
        dvar = 2 * dvar
    if w("variance's minus"):
        dvar = -dvar
    dc = dn if w("no deviation") else dn / s
    dc = dc + (1 if w("variance's 2") else 2) * c * dvar / (size - 1 if w("n - 1") else size) * (
        not w("variance constant") and not w("both constant")
    )
    mean = np.sum(dc, axis, keepdims=True) if w("mean not divided") else np.mean(dc, axis, keepdims=True)
    return dc if w("mean constant") or w("both constant") else dc - mean


def normalised(axis):
    def build(w, r):
        X, Y = r.normal(size=(8, 4)), r.normal(size=(8, 5))
        p = {
            "W": r.normal(size=(4, 5)),
            "gamma": r.normal(size=5),
            "beta": r.normal(size=5),
            "V": r.normal(size=(5, 5)),
        }

        def norm(z):
            c = z - np.mean(z, axis, keepdims=True)
            return c / np.sqrt(np.mean(c**2, axis, keepdims=True) + 1e-2)

        def loss(p):
            return np.sum((np.tanh(norm(X @ p["W"]) * p["gamma"] + p["beta"]) @ p["V"] - Y) ** 2) / 8

        z = X @ p["W"]
        c = z - np.mean(z, axis, keepdims=True)
        s = np.sqrt(np.mean(c**2, axis, keepdims=True) + 1e-2)
        n = c / s
        a = np.tanh(n * p["gamma"] + p["beta"])
        d2 = 2 * (a @ p["V"] - Y) / 8
        d = (d2 @ p["V"].T) * (1 if w("no tanh'") else 1 - a**2)
        dn = d if w("no gamma") else d * p["gamma"]
        dz = batch_norm_steps(w, z, n, s, dn, axis, c)
        reduce = np.mean if w("gamma averaged") else np.sum
        g = {"W": X.T @ dz, "gamma": reduce(d * (z if w("gamma from z") else n), 0), "V": a.T @ d2}
        return loss, p, {**g, "beta": (np.mean if w("beta averaged") else np.sum)(d, 0)}

    return build


@program("normalisation", {**SAYS, "no tanh'": r"f'\(z\) is missing"})
def batch_norm(w, r):
    return normalised(0)(w, r)


@program("normalisation", {**SAYS, "no tanh'": r"f'\(z\) is missing"})
def layer_norm(w, r):
    return normalised(1)(w, r)


@program(
    "normalisation",
    {
        "mean constant": r"the mean is taken as a constant",
        "variance constant": r"the (variance|standard deviation) is taken as a constant",
        "both constant": r"(mean and the variance|mean and the standard deviation).*constants",
        "no deviation": r"division by the (standard deviation|denominator) is missing",
        "over the batch": r"axis",
        "no gamma": r"other factor is missing.*gamma",
        "gamma from z": r"(stands where|operand|before).*gamma",
        "residual forgotten": r"path.*forgotten|forgotten",
        "residual twice": r"twice",
        "W not transposed": r"V and not by its transpose",
    },
    outside=["eps forgotten and cubed"],
)
def layer_norm_with_functions(w, r):
    X, Y = r.normal(size=(6, 6)), r.normal(size=(6, 6))
    p = {"W": r.normal(size=(6, 6)) / 2, "gamma": r.normal(size=6), "V": r.normal(size=(6, 6)) / 2}

    def loss(p):
        h = X @ p["W"]
        n = (h - np.mean(h, 1, keepdims=True)) / np.std(h, 1, keepdims=True)
        return np.sum((h + (n * p["gamma"]) @ p["V"] - Y) ** 2) / 2

    h = X @ p["W"]
    axis = 0 if w("over the batch") else 1
    s = np.std(h, 1, keepdims=True)
    n = (h - np.mean(h, 1, keepdims=True)) / s
    d = h + (n * p["gamma"]) @ p["V"] - Y
    du = d @ (p["V"] if w("W not transposed") else p["V"].T)
    dn = du if w("no gamma") else du * p["gamma"]
    mean = 0 if w("mean constant") or w("both constant") else np.mean(dn, axis, keepdims=True)
    var = 0 if w("variance constant") or w("both constant") else n * np.mean(dn * n, axis, keepdims=True)
    if w("eps forgotten and cubed"):
        var = var**3
    dh = (dn - mean - var) / (1 if w("no deviation") else s)
    dh = dh + d * (0 if w("residual forgotten") else 2 if w("residual twice") else 1)
    return loss, p, {"W": X.T @ dh, "gamma": np.sum(du * (h if w("gamma from z") else n), 0),
                     "V": (n * p["gamma"]).T @ d}  # fmt: skip


@program(
    "normalisation",
    {
        "norm constant": r"(the norm|root|sum|mean).*constant|forgotten",
        "no division": r"division by the (norm|denominator|standard deviation) is missing",
        "not squared": r"denominator is not squared",
        "projection sign": r"(minus|sign)",
        "gain missing": r"other factor is missing",
        "norm's half": r"square root|1/2|square",
    },
)
def weight_norm(w, r):
    """Rows of root mean square 1, and weights of length 1 with a gain."""
    X, Y = r.normal(size=(7, 5)), r.normal(size=(7, 3))
    p = {"v": r.normal(size=(5, 3)), "g": r.normal(size=3)}

    def loss(p):
        W = p["g"] * p["v"] / np.sqrt(np.sum(p["v"] ** 2, 0))
        return np.mean((X @ W - Y) ** 2)

    length = np.sqrt(np.sum(p["v"] ** 2, 0))
    u = p["v"] / length
    d = 2 * (X @ (p["g"] * u) - Y) / Y.size
    dW = X.T @ d
    du = dW * (1 if w("gain missing") else p["g"])
    along = u * np.sum(du * u, 0)
    if w("norm's half"):
        along = 2 * along
    if w("projection sign"):
        along = -along
    if w("norm constant"):
        along = 0
    if w("not squared"):
        along = along * length
    dv = (du - along) / (1 if w("no division") else length)
    return loss, p, {"v": dv, "g": np.sum(dW * u, 0)}
