"""Embeddings, residual branches, tied weights, dropout, parts that are joined."""

import numpy as np

from .program import one_hot, program, softmax


@program(
    "embedding",
    {
        "overwritten": r"taken several times are overwritten",
        "mean summed": r"mean over 3.*sum",
        "residual forgotten": r"path.*forgotten",
        "branch forgotten": r"path.*forgotten",
        "residual twice": r"twice",
        "no tanh'": r"f'\(z\) is missing",
        "dropout forgotten": r"factor.*missing",
        "dropout's scale forgotten": r"without its scale",
        "dropout's scale twice": r"factor.*applied twice",
        "another mask": r"constant array of.*stands where the other factor",
        "decoder alone": r"E is used.*only its use|path through np.mean \(E\) is forgotten",
        "encoder alone": r"E is used.*only its use",
        "logits from h without the mask": r"stands where",
        "W not transposed": r"W and not by its transpose",
        "diagonal": r"softmax's Jacobian is taken as diagonal",
        "not averaged": r"batch|mean|divided",
    },
    outside=["words at random"],
)
def words(w, r):
    """A bag of words, a residual block with dropout, and a decoder tied to the embedding."""
    n, m, k = 6, 4, 5
    ids, Y = r.integers(0, k, (n, 3)), one_hot(r.integers(0, k, n), k)
    mask, output = (r.random((n, m)) < 0.6) / 0.6, (r.random((n, m)) < 0.6) / 0.6
    p = {"E": r.normal(size=(k, m)), "W": r.normal(size=(m, m)) / 1.5, "b": r.normal(size=m)}

    def loss(p):
        h = np.mean(p["E"][ids], axis=1)
        h = h + np.tanh(h @ p["W"] + p["b"]) * mask
        return -np.mean(np.sum(Y * np.log(softmax((h * output) @ p["E"].T)), axis=1))

    h0 = np.mean(p["E"][ids], axis=1)
    a = np.tanh(h0 @ p["W"] + p["b"])
    h = h0 + a * mask
    q = softmax((h * output) @ p["E"].T)
    d = (-Y * (1 - q) if w("diagonal") else q - Y) / (1 if w("not averaged") else n)
    dh = d @ p["E"] * output
    keep = mask
    for name, wrong in {
        "dropout forgotten": 1, "dropout's scale forgotten": mask > 0, "dropout's scale twice": mask / 0.6,
        "another mask": output,
    }.items():  # fmt: skip
        if w(name):
            keep = wrong
    dz = dh * keep * (1 if w("no tanh'") else 1 - a**2)
    dh0 = 0 if w("branch forgotten") else dz @ (p["W"] if w("W not transposed") else p["W"].T)
    dh0 = dh0 + dh * (0 if w("residual forgotten") else 2 if w("residual twice") else 1)
    rows = np.repeat(dh0[:, None], 3, axis=1) / (1 if w("mean summed") else 3)
    g = np.zeros((k, m))
    if w("overwritten"):
        g[ids] = rows
    elif w("words at random"):
        np.add.at(g, r.permutation(ids.ravel()).reshape(ids.shape), rows)
    else:
        np.add.at(g, ids, rows)
    decoder = d.T @ (h if w("logits from h without the mask") else h * output)
    E = decoder if w("decoder alone") else g if w("encoder alone") else g + decoder
    return loss, p, {"E": E, "W": h0.T @ dz, "b": dz.sum(0)}


@program(
    "embedding",
    {
        "parts swapped": r"parts that are joined are swapped",
        "one part forgotten": r"forgotten|B: all zeros",
        "sin's sign": r"f'|sign|minus",
        "cos for sin": r"(stands where|derivative|f\(z\))",
        "skip not added": r"forgotten",
        "U used once": r"U is used 2 times, and only",
        "stack reversed": r"reversed|swapped",
    },
)
def joined(w, r):
    n, m = 6, 3
    X, Y = r.normal(size=(n, 4)), r.normal(size=(n, m))
    p = {"A": r.normal(size=(4, m)), "B": r.normal(size=(4, m)), "V": r.normal(size=(2 * m, m)),
         "U": r.normal(size=(m, m)) / 2}  # fmt: skip

    def loss(p):
        a, b = np.sin(X @ p["A"]), np.exp(-((X @ p["B"]) ** 2))
        h = np.concatenate([a, b], axis=1) @ p["V"]
        h = h + np.tanh(h @ p["U"])
        h = h + np.tanh(h @ p["U"])
        return np.sum((h - Y) ** 2) / 2

    za, zb = X @ p["A"], X @ p["B"]
    a, b = np.sin(za), np.exp(-(zb**2))
    c = np.concatenate([a, b], axis=1)
    h0 = c @ p["V"]
    t1 = np.tanh(h0 @ p["U"])
    h1 = h0 + t1
    t2 = np.tanh(h1 @ p["U"])
    d = h1 + t2 - Y
    d2 = d * (1 - t2**2)
    dh1 = d2 @ p["U"].T + (0 if w("skip not added") else d)
    d1 = dh1 * (1 - t1**2)
    dh0 = d1 @ p["U"].T + dh1
    gu = h1.T @ d2 + (0 if w("U used once") else h0.T @ d1)
    dc = dh0 @ p["V"].T
    da, db = (dc[:, m:], dc[:, :m]) if w("parts swapped") else (dc[:, :m], dc[:, m:])
    if w("stack reversed"):
        dc = dc[:, ::-1]
        da, db = dc[:, :m], dc[:, m:]
    if w("one part forgotten"):
        db = 0 * db
    slope = -np.cos(za) if w("sin's sign") else a if w("cos for sin") else np.cos(za)
    return loss, p, {"A": X.T @ (da * slope), "B": X.T @ (db * -2 * zb * b), "V": c.T @ dh0, "U": gu}


@program(
    "embedding",
    {
        "distance's sign": r"sign|minus",
        "margin missing": r"mask|f'\(z\) is missing in np.maximum",
        "positives only": r"forgotten",
        "square's 2": r"square",
        "overwritten": r"overwritten",
        "positions forgotten": r"forgotten|cotangent of np.subtract, call 1 of 2.*np.add",
        "positions averaged": r"divided by|averaged|mean",
    },
)
def triplets(w, r):
    """Distances of embedded words with positions, under a margin."""
    k, m, n = 6, 3, 8
    i, j, l = (r.integers(0, k, n) for _ in range(3))
    p = {"E": r.normal(size=(k, m)), "P": r.normal(size=m)}

    def loss(p):
        a, b, c = p["E"][i] + p["P"], p["E"][j], p["E"][l]
        gap = np.sum((a - b) ** 2, axis=1) - np.sum((a - c) ** 2, axis=1) + 1
        return np.sum(np.maximum(gap, 0))

    a, b, c = p["E"][i] + p["P"], p["E"][j], p["E"][l]
    gap = np.sum((a - b) ** 2, axis=1) - np.sum((a - c) ** 2, axis=1) + 1
    on = np.ones((n, 1)) if w("margin missing") else (gap > 0)[:, None]
    two = 1 if w("square's 2") else 2
    near, far = two * on * (a - b), 0 if w("positives only") else two * on * (a - c)
    g = np.zeros((k, m))
    for index, d in ((i, near - far), (j, near if w("distance's sign") else -near), (l, far)):
        if w("overwritten"):
            part = np.zeros((k, m))
            part[index] = d
            g += part
        else:
            np.add.at(g, index, d)
    gp = np.sum(near - far, axis=0)
    if w("positions averaged"):
        gp = gp / n
    if w("positions forgotten"):
        gp = np.sum(near, axis=0)
    return loss, p, {"E": g, "P": gp}
