"""Likelihoods: Gaussian, mixture, Gaussian process, mixed effects, survival."""

import numpy as np

from .program import program, softmax


@program(
    "statistical",
    {
        "of s": r"exp\(log_s\) and not to log_s",
        "no log term": r"log_s.*only its use|forgotten",
        "log term's n": r"(counted|sum|mean|twice|20|average)",
        "quadratic's half": r"square|half|1/2|0\.5",
        "quadratic's sign": r"minus",
        "s not squared": r"(division|denominator).*(missing|not squared)",
        "residual's minus": r"w: the sign|minus",
        "averaged": r"20|mean|divided",
        "prior missing": r"(L2|forgotten)",
        "prior's square": r"(L2|square)",
        "prior's sign": r"(L2|sign)",
    },
    outside=["variance cubed"],
)
def gaussian(w, r):
    n = 20
    X, y = r.normal(size=(n, 3)), 2 * r.normal(size=n)
    p = {"w": r.normal(size=3), "log_s": np.array([0.4, -0.3])}
    group = r.integers(0, 2, n)

    def loss(p):
        z = (y - X @ p["w"]) / np.exp(p["log_s"])[group]
        return np.sum(0.5 * z**2) + np.sum(p["log_s"][group]) + 0.15 * np.sum(p["w"] ** 2)

    s = np.exp(p["log_s"])[group]
    e = y - X @ p["w"]
    quadratic = (e / s) ** 2
    if w("quadratic's half"):
        quadratic = quadratic / 2
    if w("quadratic's sign"):
        quadratic = -quadratic
    if w("variance cubed"):
        quadratic = quadratic**1.5
    each = (0 if w("no log term") else 1 / n if w("log term's n") else 1) - quadratic
    gs = np.bincount(group, each, 2)
    if w("of s"):
        gs = gs / np.exp(p["log_s"])
    dw = -X.T @ (e / (s if w("s not squared") else s**2))
    if w("residual's minus"):
        dw = -dw
    scale = 1 / n if w("averaged") else 1
    penalty = 0 if w("prior missing") else 0.15 if w("prior's square") else -0.3 if w("prior's sign") else 0.3
    return loss, p, {"w": scale * dw + (scale if w("averaged") else 1) * penalty * p["w"], "log_s": scale * gs}


@program(
    "statistical",
    {
        "not normalised": r"derivative of log is missing|division",
        "diagonal": r"softmax's Jacobian is taken as diagonal",
        "mu's minus": r"minus.*mu|sign.*mu|mu: the sign",
        "no sigma": r"(division|denominator|factor).*missing",
        "of sigma": r"exp\(log_s\) and not to log_s",
        "normaliser forgotten": r"forgotten|only its use",
        "square's half": r"square|half|1/2|0\.5|counted twice",
        "hard assignment": r"(largest|argmax|hard|assigned)",
        "averaged": r"18|mean|divided",
        "weights for shares": r"derivative of (log|exp) is missing",
    },
    outside=["equal shares"],
)
def mixture(w, r):
    n, k = 18, 3
    x = 2 * r.normal(size=(n, 1))
    p = {"logits": r.normal(size=k), "mu": 2 * r.normal(size=k), "log_s": r.normal(size=k) / 3}

    def loss(p):
        z = (x - p["mu"]) / np.exp(p["log_s"])
        parts = softmax(p["logits"]) * np.exp(-0.5 * z**2 - p["log_s"])
        return -np.sum(np.log(np.sum(parts, axis=1)))

    q, s = softmax(p["logits"]), np.exp(p["log_s"])
    z = (x - p["mu"]) / s
    parts = q * np.exp(-0.5 * z**2 - p["log_s"])
    share = parts / (1 if w("not normalised") else parts.sum(1, keepdims=True))
    if w("hard assignment"):
        share = np.eye(k)[np.argmax(parts, 1)]
    if w("equal shares"):
        share = parts / q / np.sum(parts / q, 1, keepdims=True)
    if w("weights for shares"):
        share = np.broadcast_to(q, share.shape)
    dq = -np.sum(share / q, 0)
    dl = dq * q * (1 - q) if w("diagonal") else q * (dq - np.sum(dq * q))
    dmu = -np.sum(share * z, 0) / (1 if w("no sigma") else s)
    if w("mu's minus"):
        dmu = -dmu
    square = 2 * z**2 if w("square's half") else z**2
    ds = np.sum(share * ((0 if w("normaliser forgotten") else 1) - square), 0)
    if w("of sigma"):
        ds = ds / s
    scale = 1 / n if w("averaged") else 1
    return loss, p, {"logits": scale * dl, "mu": scale * dmu, "log_s": scale * ds}


@program(
    "statistical",
    {
        "of l": r"exp\(log_l\) and not to log_l",
        "of v": r"exp\(log_v\) and not to log_v",
        "of n": r"exp\(log_n\) and not to log_n",
        "no determinant": r"forgotten",
        "no fit": r"forgotten",
        "fit's sign": r"(sign|minus)",
        "fit twice": r"twice|0\.5|half|1/2|2",
        "determinant not halved": r"0\.5|half|twice|1/2",
        "l not squared": r"(square|power|division|denominator|derivative|exponent)",
        "exp missing": r"derivative of exp is missing",
        "half of D": r"(2|half|square)",
        "noise on all": r"(factor|constant array|diagonal|eye).*",
        "mean's sign": r"c: the sign|minus|sign",
    },
    outside=["inverse squared"],
)
def gaussian_process(w, r):
    n = 7
    x, y = np.sort(2 * r.normal(size=n)), r.normal(size=n)
    F = r.normal(size=(n, 2))
    p = {"log_l": np.array(0.2), "log_v": np.array(0.3), "log_n": np.array(-0.5), "c": r.normal(size=2)}
    D = (x[:, None] - x) ** 2

    def loss(p):
        K = np.exp(p["log_v"]) * np.exp(-D / (2 * np.exp(p["log_l"]) ** 2)) + np.exp(p["log_n"]) * np.eye(n)
        e = y - F @ p["c"]
        return 0.5 * e @ np.linalg.solve(K, e) + 0.5 * np.linalg.slogdet(K)[1]

    l, v, s = (np.exp(p[k]) for k in ("log_l", "log_v", "log_n"))
    R = np.exp(-D / (2 * l**2))
    inverse = np.linalg.inv(v * R + s * np.eye(n))
    e = y - F @ p["c"]
    a = inverse @ e
    fit = np.outer(a, a) * (-1 if w("fit's sign") else 0 if w("no fit") else 2 if w("fit twice") else 1)
    det = 0 * inverse if w("no determinant") else 2 * inverse if w("determinant not halved") else inverse
    if w("inverse squared"):
        det = inverse @ inverse
    dK = 0.5 * (det - fit)
    power = 1 if w("l not squared") else 2
    dl = np.sum(dK * v * (1 if w("exp missing") else R) * D / (2 if w("half of D") else 1)) / l**power
    dv = np.sum(dK * R) * (1 if w("of v") else v)
    dn = (np.sum(dK) if w("noise on all") else np.trace(dK)) * (1 if w("of n") else s)
    return loss, p, {"log_l": dl / l if w("of l") else dl, "log_v": dv, "log_n": dn,
                     "c": (F if w("mean's sign") else -F).T @ a}  # fmt: skip


@program(
    "statistical",
    {
        "overwritten": r"overwritten",
        "prior of u missing": r"(L2|forgotten)",
        "prior's normaliser missing": r"(forgotten|only its use)",
        "prior's variance not squared": r"(square|power|derivative|division)",
        "of tau": r"exp\(log_tau\) and not to log_tau",
        "of s": r"exp\(log_s\) and not to log_s",
        "no s": r"(division|denominator).*(missing|not)",
        "u's sign": r"u: the sign|sign.*u|minus",
        "count of the groups": r"(4|16|count)",
        "square's 2": r"square|twice|half|0\.5",
    },
)
def mixed_effects(w, r):
    n, k = 16, 4
    X, y = r.normal(size=(n, 3)), r.normal(size=n)
    group = r.integers(0, k, n)
    p = {"w": r.normal(size=3), "u": r.normal(size=k), "log_s": np.array([0.2]), "log_tau": np.array([-0.3])}

    def loss(p):
        s, tau = np.exp(p["log_s"]), np.exp(p["log_tau"])
        e = y - X @ p["w"] - p["u"][group]
        return (
            np.sum(e**2) / (2 * s[0] ** 2)
            + n * p["log_s"][0]
            + np.sum(p["u"] ** 2) / (2 * tau[0] ** 2)
            + k * p["log_tau"][0]
        )

    s, tau = np.exp(p["log_s"]), np.exp(p["log_tau"])
    e = y - X @ p["w"] - p["u"][group]
    d = -e / (1 if w("no s") else s**2) * (2 if w("square's 2") else 1)
    du = np.zeros(k)
    if w("overwritten"):
        du[group] = d
    else:
        np.add.at(du, group, d)
    if w("u's sign"):
        du = -du
    if not w("prior of u missing"):
        du = du + p["u"] / tau ** (1 if w("prior's variance not squared") else 2)
    count = 0 if w("prior's normaliser missing") else n if w("count of the groups") else k
    gs, gt = n - np.sum(e**2) / s**2, count - np.sum(p["u"] ** 2) / tau**2
    return loss, p, {"w": X.T @ d, "u": du, "log_s": gs / s if w("of s") else gs,
                     "log_tau": gt / tau if w("of tau") else gt}  # fmt: skip
