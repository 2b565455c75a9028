"""Attention: one head, several heads with a causal mask, additive scores."""

import numpy as np

from .program import program, softmax

SAYS = {
    "diagonal": r"softmax's Jacobian is taken as diagonal",
    "off-diagonal sign": r"wrong sign off the diagonal",
    "no softmax": r"softmax's Jacobian is missing",
    "softmax over the queries": r"axis",
    "no scale": r"division by .* is missing.*Wq",
    "scale twice": r"division by .* is done twice.*Wq",
    "scores not transposed": r"cotangent is transposed",
    "weights not transposed": r"first matrix and not by its transpose",
    "k for q": r"(stands where|other factor|operand|itself).*",
    "v from a": r"stands where|scores|before",
    "values' path forgotten": r"forgotten|only",
    "residual forgotten": r"forgotten",
    "residual twice": r"twice",
    "Wo not transposed": r"Wo and not by its transpose",
}


@program("attention", SAYS, outside=["scores squared"])
def one_head(w, r):
    n, m = 5, 5
    X, Y = r.normal(size=(n, m)), r.normal(size=(n, m))
    p = {name: r.normal(size=(m, m)) * 0.6 for name in ("We", "Wq", "Wk", "Wv", "Wo")}

    def loss(p):
        h = np.tanh(X @ p["We"])
        q, k, v = h @ p["Wq"], h @ p["Wk"], h @ p["Wv"]
        return np.sum((h + softmax(q @ k.T / np.sqrt(7)) @ v @ p["Wo"] - Y) ** 2) / 2

    h = np.tanh(X @ p["We"])
    q, k, v = h @ p["Wq"], h @ p["Wk"], h @ p["Wv"]
    s = q @ k.T / np.sqrt(7)
    a = softmax(s)
    u = a @ v
    d = h + u @ p["Wo"] - Y
    du = d @ (p["Wo"] if w("Wo not transposed") else p["Wo"].T)
    da = du @ v.T
    if w("no softmax"):
        ds = da
    elif w("diagonal"):
        ds = da * a * (1 - a)
    elif w("off-diagonal sign"):
        ds = a * (da + np.sum(da * a, -1, keepdims=True))
    else:
        ds = a * (da - np.sum(da * a, 0 if w("softmax over the queries") else -1, keepdims=True))
    if w("scores squared"):
        ds = ds * s
    ds = ds / (1 if w("no scale") else 7 if w("scale twice") else np.sqrt(7))
    dq = ds @ (q if w("k for q") else k)
    dk = (ds if w("scores not transposed") else ds.T) @ q
    dv = (a if w("weights not transposed") else s.T if w("v from a") else a.T) @ du
    dh = dq @ p["Wq"].T + dk @ p["Wk"].T + (0 if w("values' path forgotten") else dv @ p["Wv"].T)
    dh = dh + d * (0 if w("residual forgotten") else 2 if w("residual twice") else 1)
    return loss, p, {"We": X.T @ (dh * (1 - h**2)), "Wq": h.T @ dq, "Wk": h.T @ dk, "Wv": h.T @ dv, "Wo": u.T @ d}


@program(
    "attention",
    {
        "diagonal": r"softmax's Jacobian is taken as diagonal",
        "no scale": r"(division|factor).* is missing.*Wq",
        "heads swapped": r"(swapped|reversed|order)",
        "mask forgotten": r"(mask|causal)",
        "scores not transposed": r"transposed",
        "weights not transposed": r"transpose",
        "Wo not transposed": r"Wo and not by its transpose",
        "q for k": r"(stands where|itself|operand)",
        "averaged twice": r"divided|mean",
    },
)
def several_heads(w, r):
    """Two heads with a causal mask, by matmul of stacks."""
    n, m, heads = 4, 6, 2
    X, Y = r.normal(size=(n, m)), r.normal(size=(n, m))
    p = {name: r.normal(size=(m, m)) * 0.6 for name in ("Wq", "Wk", "Wv", "Wo")}
    hidden = np.triu(np.ones((n, n)), 1) * -1e9

    def split(z):
        return np.transpose(z.reshape(n, heads, m // heads), (1, 0, 2))

    def join(z):
        return np.transpose(z, (1, 0, 2)).reshape(n, m)

    def loss(p):
        q, k, v = split(X @ p["Wq"]), split(X @ p["Wk"]), split(X @ p["Wv"])
        a = softmax(q @ np.swapaxes(k, 1, 2) / np.sqrt(3) + hidden)
        return np.mean((join(a @ v) @ p["Wo"] - Y) ** 2)

    q, k, v = split(X @ p["Wq"]), split(X @ p["Wk"]), split(X @ p["Wv"])
    a = softmax(q @ np.swapaxes(k, 1, 2) / np.sqrt(3) + hidden)
    u = join(a @ v)
    d = 2 * (u @ p["Wo"] - Y) / Y.size
    if w("averaged twice"):
        d = d / n
    du = split(d @ (p["Wo"] if w("Wo not transposed") else p["Wo"].T))
    if w("heads swapped"):
        du = du[::-1]
    da = du @ np.swapaxes(v, 1, 2)
    b = softmax(q @ np.swapaxes(k, 1, 2) / np.sqrt(3)) if w("mask forgotten") else a
    ds = da * b * (1 - b) if w("diagonal") else b * (da - np.sum(da * b, -1, keepdims=True))
    ds = ds / (1 if w("no scale") else np.sqrt(3))
    dq = ds @ (q if w("q for k") else k)
    dk = (ds if w("scores not transposed") else np.swapaxes(ds, 1, 2)) @ q
    dv = (a if w("weights not transposed") else np.swapaxes(a, 1, 2)) @ du
    return loss, p, {"Wq": X.T @ join(dq), "Wk": X.T @ join(dk), "Wv": X.T @ join(dv), "Wo": u.T @ d}


@program(
    "attention",
    {
        "no tanh'": r"f'\(z\) is missing",
        "diagonal": r"softmax's Jacobian is taken as diagonal",
        "keys' path forgotten": r"forgotten",
        "h in v": r"(stands where|operand|factor|before).*",
        "context alone": r"forgotten",
        "sum over the wrong axis": r"summed over all axes.*q",
    },
)
def additive(w, r):
    """Scores v . tanh(q + k), summed up over a sentence."""
    n, m = 6, 4
    H, y = r.normal(size=(n, m)), r.normal(size=m)
    p = {"Wk": r.normal(size=(m, m)), "q": r.normal(size=m), "v": r.normal(size=m)}

    def loss(p):
        k = H @ p["Wk"]
        a = softmax(np.tanh(k + p["q"]) @ p["v"])
        return np.sum((a @ k - y) ** 2) / 2

    k = H @ p["Wk"]
    t = np.tanh(k + p["q"])
    a = softmax(t @ p["v"])
    d = a @ k - y
    da = k @ d
    ds = da * a * (1 - a) if w("diagonal") else a * (da - np.sum(da * a))
    dt = np.outer(ds, p["v"]) * (1 if w("no tanh'") else 1 - t**2)
    dk = (0 if w("context alone") else dt) + (0 if w("keys' path forgotten") else np.outer(a, d))
    gq = np.full(m, dt.sum()) if w("sum over the wrong axis") else dt.sum(0)
    return loss, p, {"Wk": H.T @ dk, "q": gq, "v": (k + p["q"] if w("h in v") else t).T @ ds}
