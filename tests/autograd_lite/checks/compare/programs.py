"""Programs of several families with their gradients derived by hand in NumPy, each with one step that can go wrong.

A program is ``program(wrong, seed)``: it returns the loss, the parameters and the gradients by hand, with the mistakes
whose names are in the set `wrong`.
"""

import numpy as np


def chosen(wrong, versions, right):
    return next((version for name, version in versions.items() if name in wrong), right)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_back(a, da):
    return a * (da - np.sum(da * a, axis=-1, keepdims=True))


def dense(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(9, 5)), r.normal(size=(9, 5))
    p = {
        "W1": r.normal(size=(5, 5)) / 2,
        "b1": r.normal(size=5),
        "W2": r.normal(size=(5, 5)) / 2,
        "b2": r.normal(size=5),
    }

    def loss(p):
        return np.mean((np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - Y) ** 2)

    z = X @ p["W1"] + p["b1"]
    a = np.tanh(z)
    d2 = 2 * (a @ p["W2"] + p["b2"] - Y) / Y.size
    slope = chosen(wrong, {
        "no derivative": 1, "twice": (1 - a**2) ** 2, "at a": 1 - np.tanh(a) ** 2, "with z": 1 - z**2,
        "sigmoid's": a * (1 - a),
    }, 1 - a**2)  # fmt: skip
    W2 = p["W2"] - 0.3 * (a.T @ d2) if "stepped" in wrong else p["W2"]
    d1 = (d2 @ (W2 if "not transposed" in wrong else W2.T)) * slope
    g = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": (z if "z for a" in wrong else a).T @ d2, "b2": d2.sum(0)}
    if "b1 averaged" in wrong:
        g["b1"] = d1.mean(0)
    return loss, p, g


def logistic(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, y = r.normal(size=(14, 4)), (r.random(14) < 0.5) * 1.0
    p = {"w": r.normal(size=4), "b": np.array(0.3)}

    def loss(p):
        q = sigmoid(X @ p["w"] + p["b"])
        return -np.mean(y * np.log(q) + (1 - y) * np.log(1 - q)) + 0.05 * np.sum(p["w"] ** 2)

    q = sigmoid(X @ p["w"] + p["b"])
    d = (q - y) / len(y)
    if "no derivative" in wrong:
        d = -(y / q - (1 - y) / (1 - q)) / len(y)
    if "second minus" in wrong:
        d = -(y / q + (1 - y) / (1 - q)) / len(y) * q * (1 - q)
    if "summed" in wrong:
        d = d * len(y)
    penalty = chosen(wrong, {"penalty missing": 0, "penalty halved": 0.05}, 0.1)
    return loss, p, {"w": X.T @ d + penalty * p["w"], "b": np.sum(d)}


def softmax_regression(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(10, 4)), np.eye(3)[r.integers(0, 3, 10)]
    p = {"W": r.normal(size=(4, 3)), "b": r.normal(size=3)}

    def loss(p):
        return -np.sum(Y * np.log(softmax(X @ p["W"] + p["b"]))) / len(X)

    a = softmax(X @ p["W"] + p["b"])
    da = -Y / a / len(X)
    dz = (
        da * a * (1 - a)
        if "diagonal" in wrong
        else a * (da + np.sum(da * a, -1, keepdims=True))
        if "plus" in wrong
        else softmax_back(a, da)
    )
    if "no log" in wrong:
        dz = softmax_back(a, -Y / len(X))
    return loss, p, {"W": X.T @ dz, "b": dz.sum(0)}


def normalised(axis):
    def program(wrong, seed=0):
        r = np.random.default_rng(seed)
        X, Y = r.normal(size=(8, 4)), r.normal(size=(8, 5))
        p = {"W": r.normal(size=(4, 5)), "gamma": r.normal(size=5), "beta": r.normal(size=5)}

        def norm(z):
            return (z - np.mean(z, axis, keepdims=True)) / np.sqrt(np.var(z, axis, keepdims=True) + 1e-3)

        def loss(p):
            return np.sum((norm(X @ p["W"]) * p["gamma"] + p["beta"] - Y) ** 2) / 2

        z = X @ p["W"]
        s, n = np.sqrt(np.var(z, axis, keepdims=True) + 1e-3), norm(z)
        d = n * p["gamma"] + p["beta"] - Y
        dn = d if "no gamma" in wrong else d * p["gamma"]
        mean = 0 if wrong & {"mean constant", "both constant"} else np.mean(dn, axis, keepdims=True)
        var = 0 if wrong & {"variance constant", "both constant"} else n * np.mean(dn * n, axis, keepdims=True)
        dz = (dn - mean - var) / (1 if "no deviation" in wrong else s)
        return loss, p, {"W": X.T @ dz, "gamma": np.sum(d * n, 0), "beta": np.sum(d, 0)}

    return program


def convolution(wrong, seed=0):
    r = np.random.default_rng(seed)
    X = r.normal(size=(3, 10))
    p = {"K1": r.normal(size=3), "K2": r.normal(size=3)}

    def conv(x, k):
        return sum(x[:, i : x.shape[1] - 2 + i] * k[i] for i in range(3))

    def loss(p):
        return np.sum(conv(np.maximum(conv(X, p["K1"]), 0), p["K2"]) ** 2) / 2

    z = conv(X, p["K1"])
    a = np.maximum(z, 0)
    d = conv(a, p["K2"])
    k = p["K2"][::-1] if "flipped" in wrong else p["K2"]
    da = np.zeros_like(a)
    for i in range(3):
        if "overwritten" in wrong:
            da[:, i : i + 6] = d * k[i]
        else:
            da[:, i : i + 6] += d * k[i]
    mask = chosen(wrong, {"no mask": 1, "reversed": z <= 0, "of the cotangent": da > 0}, z > 0)
    dz = da * mask
    g2 = np.array([np.sum(d * (z if "z for a" in wrong else a)[:, i : i + 6]) for i in range(3)])
    return loss, p, {"K1": np.array([np.sum(dz * X[:, i : i + 8]) for i in range(3)]), "K2": g2}


def pooled(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(6, 4)), r.normal(size=(6, 3))
    p = {"W": r.normal(size=(4, 6))}

    def loss(p):
        return np.sum((np.max((X @ p["W"]).reshape(6, 3, 2), axis=2) - Y) ** 2) / 2

    z = (X @ p["W"]).reshape(6, 3, 2)
    d = np.max(z, axis=2) - Y
    mask = 1.0 if "no mask" in wrong else 0.5 if "averaged" in wrong else z == np.max(z, axis=2, keepdims=True)
    return loss, p, {"W": X.T @ (d[..., None] * np.ones(2) * mask).reshape(6, 6)}


def recurrent(wrong, seed=0, T=5):
    r = np.random.default_rng(seed)
    X, Y, h0 = r.normal(size=(T, 4, 3)), r.normal(size=(4, 2)), np.zeros((4, 5))
    p = {
        "Wx": r.normal(size=(3, 5)) / 2,
        "Wh": r.normal(size=(5, 5)) / 2,
        "b": r.normal(size=5),
        "V": r.normal(size=(5, 2)),
    }

    def loss(p):
        h = h0
        for x in X:
            h = np.tanh(x @ p["Wx"] + h @ p["Wh"] + p["b"])
        return np.sum((h @ p["V"] - Y) ** 2) / 2

    hs = [h0]
    for x in X:
        hs.append(np.tanh(x @ p["Wx"] + hs[-1] @ p["Wh"] + p["b"]))
    d = hs[-1] @ p["V"] - Y
    g = {"Wx": 0, "Wh": 0, "b": 0, "V": hs[-1].T @ d}
    dh = d @ p["V"].T
    for t in reversed(range(T)):
        if "truncated" in wrong and t < 2:
            break
        dz = dh * (1 if "no derivative" in wrong else 1 - hs[t if "derivative a step early" in wrong else t + 1] ** 2)
        g["Wx"] = g["Wx"] * ("overwritten" not in wrong) + X[t].T @ dz
        g["Wh"] = g["Wh"] + hs[t + 1 if "after the step" in wrong else t].T @ dz
        g["b"] = g["b"] + dz.sum(0)
        dh = dz @ (p["Wh"] if "not transposed" in wrong else p["Wh"].T)
    return loss, p, g


def attention(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(6, 5)), r.normal(size=(6, 4))
    p = {name: r.normal(size=(5, 4)) * 0.6 for name in ("Wq", "Wk", "Wv")}

    def loss(p):
        scores = (X @ p["Wq"]) @ (X @ p["Wk"]).T / 3
        return np.sum((softmax(scores) @ (X @ p["Wv"]) - Y) ** 2) / 2

    q, k, v = (X @ p[name] for name in p)
    a = softmax(q @ k.T / 3)
    d = a @ v - Y
    da = d @ v.T
    ds = da * a * (1 - a) if "diagonal" in wrong else da if "no softmax" in wrong else softmax_back(a, da)
    ds = ds / chosen(wrong, {"no scale": 1, "scale twice": 9}, 3)
    dk = (ds if "scores not transposed" in wrong else ds.T) @ q
    dv = (a if "weights not transposed" in wrong else a.T) @ d
    return loss, p, {"Wq": X.T @ (ds @ k), "Wk": X.T @ dk, "Wv": X.T @ dv}


def gaussian(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, y = r.normal(size=(15, 3)), r.normal(size=15)
    p = {"w": r.normal(size=3), "log_s": np.array(0.4)}

    def loss(p):
        return np.sum(0.5 * ((y - X @ p["w"]) / np.exp(p["log_s"])) ** 2 + p["log_s"])

    s = np.exp(0.4)
    z = (y - X @ p["w"]) / s
    gs = np.sum(1 - z**2)
    gs = chosen(wrong, {"of s": gs / s, "no log term": np.sum(-(z**2)), "sign": np.sum(1 + z**2)}, gs)
    return loss, p, {"w": (X if "minus" in wrong else -X).T @ z / (1 if "no s" in wrong else s), "log_s": gs}


def mixture(wrong, seed=0):
    r = np.random.default_rng(seed)
    x = r.normal(size=(20, 1)) * 2
    p = {"mu": r.normal(size=3), "logits": r.normal(size=3)}

    def loss(p):
        weights = np.exp(p["logits"]) / np.sum(np.exp(p["logits"]))
        return -np.sum(np.log(np.sum(weights * np.exp(-0.5 * (x - p["mu"]) ** 2), axis=1)))

    weights = np.exp(p["logits"]) / np.sum(np.exp(p["logits"]))
    parts = weights * np.exp(-0.5 * (x - p["mu"]) ** 2)
    total = 1 if "no log" in wrong else parts.sum(1, keepdims=True)
    share = parts / total
    dw = -np.sum(share / weights, axis=0)
    dl = dw * weights * (1 - weights) if "diagonal" in wrong else softmax_back(weights, dw)
    return loss, p, {"mu": (1 if "minus" in wrong else -1) * np.sum(share * (x - p["mu"]), 0), "logits": dl}


def embedded(wrong, seed=0):
    r = np.random.default_rng(seed)
    ids, Y = np.array([[0, 2, 2], [1, 0, 4]]), r.normal(size=(2, 3))
    p = {"E": r.normal(size=(5, 3)), "W": r.normal(size=(3, 3))}

    def loss(p):
        h = np.mean(p["E"][ids], axis=1)
        return np.sum((h + np.tanh(h @ p["W"]) - Y) ** 2) / 2

    h = np.mean(p["E"][ids], axis=1)
    a = np.tanh(h @ p["W"])
    d = h + a - Y
    dz = d * (1 - a**2)
    dh = dz @ p["W"].T + (0 if "no residual" in wrong else d)
    rows = np.repeat(dh[:, None] / (1 if "summed" in wrong else 3), 3, axis=1)
    g = np.zeros((5, 3))
    if "overwritten" in wrong:
        g[ids] = rows
    else:
        np.add.at(g, ids, rows)
    return loss, p, {"E": g, "W": h.T @ dz}


def tied(wrong, seed=0):
    r = np.random.default_rng(seed)
    X = r.normal(size=(7, 4))
    mask = (r.random((7, 3)) < 0.6) / 0.6
    p = {"W": r.normal(size=(4, 3)) / 2}

    def loss(p):
        return np.sum(((np.tanh(X @ p["W"]) * mask) @ p["W"].T - X) ** 2) / 2

    a = np.tanh(X @ p["W"])
    d = (a * mask) @ p["W"].T - X
    da = (d @ p["W"]) * chosen(wrong, {"no mask": 1, "mask twice": mask**2, "no scale": mask > 0}, mask)
    encoder, decoder = X.T @ (da * (1 - a**2)), d.T @ (a * mask)
    if "encoder alone" in wrong:
        return loss, p, {"W": encoder}
    return loss, p, {"W": decoder if "decoder alone" in wrong else encoder + decoder}


def lstm(wrong, seed=0, T=4):
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(T, 3, 2)), r.normal(size=(3, 4))
    p = {f"{kind}{gate}": r.normal(size=(2 if kind == "W" else 4, 4)) / 2 for gate in "ifog" for kind in "WU"}

    def forward(p):
        h, c = np.zeros((3, 4)), np.zeros((3, 4))
        steps = []
        for x in X:
            z = {gate: x @ p[f"W{gate}"] + h @ p[f"U{gate}"] for gate in "ifog"}
            i, f, o, g = sigmoid(z["i"]), sigmoid(z["f"]), sigmoid(z["o"]), np.tanh(z["g"])
            before, h_before = c, h
            c = f * c + i * g
            t = np.tanh(c)
            h = o * t
            steps.append((x, h_before, before, i, f, o, g, t))
        return h, steps

    def loss(p):
        return np.sum((forward(p)[0] - Y) ** 2) / 2

    h, steps = forward(p)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dh, dc = h - Y, np.zeros((3, 4))
    for x, h_before, before, i, f, o, g, t in reversed(steps):
        dt = dh * o * (1 if "no tanh'" in wrong else 1 - t**2)
        dc = (0 if "cell path forgotten" in wrong else dc) + dt
        d = {
            "i": dc * (i if "own gate" in wrong else g) * i * (1 - i),
            "f": dc * before * (1 if "no f'" in wrong else f * (1 - f)),
            "o": dh * t * o * (1 - o),
            "g": dc * i * (1 - g**2),
        }
        dh = np.zeros((3, 4))
        for gate, dz in d.items():
            grads[f"W{gate}"] += x.T @ dz
            grads[f"U{gate}"] += h_before.T @ dz
            if not ("no output path" in wrong and gate == "o"):
                dh = dh + dz @ p[f"U{gate}"].T
        dc = dc if "no forget" in wrong else dc * f
    return loss, p, grads


def gaussian_process(wrong, seed=0):
    r = np.random.default_rng(seed)
    x, y = np.sort(r.normal(size=6)), r.normal(size=6)
    p = {"log_l": np.array(0.2), "log_n": np.array(-0.5)}
    D = (x[:, None] - x) ** 2

    def covariance(p):
        return np.exp(-D / (2 * np.exp(p["log_l"]) ** 2)) + np.exp(p["log_n"]) * np.eye(6)

    def loss(p):
        K = covariance(p)
        return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]

    K = covariance(p)
    inverse = np.linalg.inv(K)
    fit = -np.outer(inverse @ y, inverse @ y)
    dK = 0.5 * ((-fit if "sign of the fit" in wrong else fit) + (0 if "no determinant" in wrong else inverse))
    l2, n = np.exp(0.4), np.exp(-0.5)
    dl = np.sum(dK * np.exp(-D / (2 * l2)) * D / l2)
    dn = np.trace(dK) * (1 if "of n" in wrong else n)
    return loss, p, {"log_l": dl / np.exp(0.2) if "of l" in wrong else dl, "log_n": dn}


def written_out(wrong, seed=0):
    """Layer normalisation with variance and mean written out, as a transformer's block has it, with a residual path."""
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(5, 6)), r.normal(size=(5, 6))
    p = {"W": r.normal(size=(6, 6)) / 2, "gamma": r.normal(size=6)}

    def norm(z):
        c = z - np.sum(z, axis=1, keepdims=True) / 6
        return c / np.sqrt(np.mean(c * c, axis=1, keepdims=True) + 1e-5)

    def loss(p):
        return np.sum((X + norm(X @ p["W"]) * p["gamma"] - Y) ** 2) / 2

    z = X @ p["W"]
    n = norm(z)
    s = np.sqrt(np.var(z, axis=1, keepdims=True) + 1e-5)
    d = X + n * p["gamma"] - Y
    dn = d * p["gamma"]
    var = 0 if "variance constant" in wrong else n * np.mean(dn * n, axis=1, keepdims=True)
    dc = (dn - var) / s
    dz = dc if "mean constant" in wrong else dc - np.mean(dc, axis=1, keepdims=True)
    return loss, p, {"W": X.T @ dz, "gamma": np.sum(d * n, axis=0)}


def joined(wrong, seed=0):
    r = np.random.default_rng(seed)
    X, Y = r.normal(size=(6, 4)), r.normal(size=(6, 2))
    p = {"A": r.normal(size=(4, 3)), "B": r.normal(size=(4, 3)), "V": r.normal(size=(6, 2))}

    def loss(p):
        h = np.concatenate([np.sin(X @ p["A"]), np.cos(X @ p["B"])], axis=1)
        return np.sum((h @ p["V"] - Y) ** 2) / 2

    a, b = X @ p["A"], X @ p["B"]
    h = np.concatenate([np.sin(a), np.cos(b)], axis=1)
    d = h @ p["V"] - Y
    dh = d @ p["V"].T
    first, second = (dh[:, 3:], dh[:, :3]) if "swapped" in wrong else (dh[:, :3], dh[:, 3:])
    return loss, p, {"A": X.T @ (first * np.cos(a)), "B": -X.T @ (second * np.sin(b)), "V": h.T @ d}
