"""Regressions: logistic, softmax, linear with penalties, counts, margins; targets, weights and bases."""

import numpy as np

from .program import program, sigmoid, softmax


@program(
    "regression",
    {
        "summed": r"14|sum",
        "sign": r"sign|minus",
        "extra q (1 - q)": r"(twice|applied|extra)",
        "no derivative": r"f'\(z\) is missing",
        "penalty missing": r"w: without the L2 term 0\.1|penalty|path",
        "penalty halved": r"w: your L2 term is 0\.05 .* the engine's is 0\.1 ",
        "penalty on the bias": r"b: with an L2 term 0\.1|L2.*b|b.*L2",
        "penalty not divided": r"L2 term|14|penalty",
        "labels reversed": r"each other.s place",
        "only the first term": r"(path|term).*(forgotten|counted)|forgotten",
        "hard predictions": r"(predict|rounded|threshold|labels)",
        "second term's minus": r"minus",
        "bias averaged twice": r"averaged over the 14 elements.*b",
    },
    outside=["exponent of q"],
)
def logistic(w, r):
    n = 14
    X, y = r.normal(size=(n, 4)), (r.random(n) < 0.5) * 1.0
    p = {"w": r.normal(size=4), "b": r.normal(size=1)}

    def loss(p):
        q = sigmoid(X @ p["w"] + p["b"])
        return -np.mean(y * np.log(q) + (1 - y) * np.log(1 - q)) + 0.05 * np.sum(p["w"] ** 2)

    q = sigmoid(X @ p["w"] + p["b"])
    d = q - y
    if w("sign"):
        d = y - q
    if w("extra q (1 - q)"):
        d = d * q * (1 - q)
    if w("no derivative"):
        d = -(y / q - (1 - y) / (1 - q))
    if w("labels reversed"):
        d = q - (1 - y)
    if w("only the first term"):
        d = -y * (1 - q)
    if w("hard predictions"):
        d = (q > 0.5) - y
    if w("second term's minus"):
        d = -(y * (1 - q) + (1 - y) * q)
    if w("exponent of q"):
        d = q**2 - y
    d = d / (1 if w("summed") else n)
    penalty = 0 if w("penalty missing") else 0.05 if w("penalty halved") else 0.1
    if w("penalty not divided"):
        penalty = 0.1 / n
    g = {"w": X.T @ d + penalty * p["w"], "b": d.sum(keepdims=True)}
    if w("penalty on the bias"):
        g["b"] = g["b"] + 0.1 * p["b"]
    if w("bias averaged twice"):
        g["b"] = g["b"] / n
    return loss, p, g


@program(
    "regression",
    {
        "temperature missing": r"(division|factor).*(0\.5|2).*missing|0\.5|temperature",
        "diagonal": r"softmax's Jacobian is taken as diagonal",
        "labels sum to one": r"(off the diagonal|sum|soft|labels|weights?)",
        "off-diagonal sign": r"wrong sign off the diagonal",
        "no log": r"derivative of log is missing",
        "class weights missing": r"factor.*missing",
        "softmax over the batch": r"axis",
        "probabilities for labels": r"value of np.divide.*stands where the other factor",
        "b averaged": r"b: .*divided by 9",
        "clip ignored": r"f'\(z\) is missing in np.maximum",
        "log10": r"1/ln\(10\) of log10",
    },
)
def softmax_weighted(w, r):
    """Softmax regression of soft labels, with class weights, a temperature and clipped probabilities."""
    n, k = 9, 3
    X, Y = r.normal(size=(n, 4)), r.dirichlet(np.ones(k), n)
    c = r.uniform(0.5, 2, size=k)
    p = {"W": r.normal(size=(4, k)), "b": r.normal(size=k)}
    low = 0.15

    def loss(p):
        q = softmax((X @ p["W"] + p["b"]) / 0.5)
        q = np.maximum(q, low)
        return -np.sum(c * (Y * (np.log10 if w("log10") else np.log)(q))) / n

    q = softmax((X @ p["W"] + p["b"]) / 0.5)
    clipped = np.maximum(q, low)
    dq = -(Y if w("class weights missing") else c * Y) / clipped / n
    if w("probabilities for labels"):
        dq = -c * q / clipped / n
    if w("no log"):
        dq = -c * Y / n
    if not w("clip ignored"):
        dq = dq * (q > low)
    if w("diagonal"):
        dz = dq * q * (1 - q)
    elif w("off-diagonal sign"):
        dz = q * (dq + np.sum(dq * q, -1, keepdims=True))
    elif w("labels sum to one"):
        dz = q * dq + q / n
    else:
        dz = q * (dq - np.sum(dq * q, 0 if w("softmax over the batch") else -1, keepdims=True))
    dz = dz / (1 if w("temperature missing") else 0.5)
    db = dz.sum(0)
    if w("b averaged"):
        db = dz.mean(0)
    return loss, p, {"W": X.T @ dz, "b": db}


@program(
    "regression",
    {
        "l1 without sign": r"\|x\|",
        "l1 missing": r"(forgotten|only its use|penalty|path)",
        "l2 missing": r"L2 term|forgotten",
        "l2 doubled": r"L2 term|twice|square",
        "huber without a cut": r"mask|where|branch",
        "huber's delta missing": r"(factor|0\.7).*missing|0\.7",
        "sample weights missing": r"factor.*missing",
        "weights squared": r"factor.*twice",
        "intercept penalised": r"b.*L2|L2.*b|with an L2",
        "residual reversed": r"sign|minus",
        "not averaged": r"15|sum",
        "Xw for r": r"stands where|before",
    },
)
def robust(w, r):
    """Linear regression with sample weights, Huber's loss and an elastic net."""
    n = 15
    X, y, s = r.normal(size=(n, 4)), 2 * r.normal(size=n), r.uniform(0.5, 2, n)
    p = {"w": r.normal(size=4), "b": r.normal(size=2)}
    Z = r.normal(size=(n, 2))
    k = 0.7

    def loss(p):
        e = X @ p["w"] + Z @ p["b"] - y
        h = np.where(np.abs(e) < k, 0.5 * e**2, k * (np.abs(e) - 0.5 * k))
        return np.mean(s * h) + 0.3 * np.sum(np.abs(p["w"])) + 0.2 * np.sum(p["w"] ** 2)

    e = X @ p["w"] + Z @ p["b"] - y
    inside = np.abs(e) < k
    dh = np.where(inside, e, (1 if w("huber's delta missing") else k) * np.sign(e))
    if w("huber without a cut"):
        dh = e
    if w("residual reversed"):
        dh = -dh
    if w("Xw for r"):
        dh = np.where(inside, e + y, k * np.sign(e))
    weights = 1 if w("sample weights missing") else s**2 if w("weights squared") else s
    d = weights * dh / (1 if w("not averaged") else n)
    one = np.ones(4) if w("l1 without sign") else 0 if w("l1 missing") else np.sign(p["w"])
    two = 0 if w("l2 missing") else 0.8 if w("l2 doubled") else 0.4
    g = {"w": X.T @ d + 0.3 * one + two * p["w"], "b": Z.T @ d}
    if w("intercept penalised"):
        g["b"] = g["b"] + 0.4 * p["b"]
    return loss, p, g


@program(
    "regression",
    {
        "rate not exponentiated": r"derivative of exp is missing",
        "offset squared": r"twice|exp",
        "counts forgotten": r"forgotten",
        "exposure missing": r"factor.*missing",
        "sign": r"sign|minus",
        "averaged": r"12|mean",
    },
)
def counts(w, r):
    """A Poisson regression with exposures."""
    n = 12
    X, y, t = r.normal(size=(n, 3)), r.poisson(2.0, n), r.uniform(0.5, 2, n)
    p = {"w": r.normal(size=3) / 2}

    def loss(p):
        eta = X @ p["w"]
        return np.sum(t * np.exp(eta) - y * eta)

    m = np.exp(X @ p["w"])
    first = t * (1 if w("rate not exponentiated") else m**2 if w("offset squared") else m)
    if w("exposure missing"):
        first = m
    d = first - (0 if w("counts forgotten") else y)
    d = -d if w("sign") else d / n if w("averaged") else d
    return loss, p, {"w": X.T @ d}


@program(
    "regression",
    {
        "margin everywhere": r"mask|f'\(z\)",
        "margin reversed": r"mask.*reversed",
        "label missing": r"factor.*missing",
        "penalty on b": r"b.*L2|with an L2",
        "C missing": r"(factor|10|scale).*",
    },
    outside=["squared", "margin of the score"],
)
def margins(w, r):
    """A support vector machine."""
    n = 16
    X, y = r.normal(size=(n, 3)), np.sign(r.normal(size=n))
    p = {"w": r.normal(size=3), "b": r.normal(size=2)}
    G = r.normal(size=(n, 2))

    def loss(p):
        m = y * (X @ p["w"] + G @ p["b"])
        return 0.5 * np.sum(p["w"] ** 2) + 10 * np.sum(np.maximum(0, 1 - m))

    m = y * (X @ p["w"] + G @ p["b"])
    inside = m >= 1 if w("margin reversed") else y * m < 1 if w("margin of the score") else m < 1
    d = np.ones(n) if w("margin everywhere") else 1.0 * inside
    if w("squared"):
        d = 2 * np.maximum(0, 1 - m)
    d = -d * (1 if w("label missing") else y) * (1 if w("C missing") else 10)
    g = {"w": p["w"] + X.T @ d, "b": G.T @ d}
    if w("penalty on b"):
        g["b"] = g["b"] + p["b"]
    return loss, p, g
