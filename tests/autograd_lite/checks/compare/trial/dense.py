"""Dense networks: rows and columns as examples, one example, several activations and losses."""

import numpy as np

from .program import one_hot, program, sigmoid, softmax


@program(
    "dense",
    {
        "no relu'": r"f'\(z\) is missing.*layer 2",
        "no tanh'": r"f'\(z\) is missing.*layer 1",
        "tanh' twice": r"f'\(z\) is applied twice.*layer 1",
        "tanh' at a": r"tanh'\(a\) where tanh'\(z\).*layer 1",
        "tanh' of z": r"1 - a\^2 is written with z.*layer 1",
        "tanh for tanh'": r"f\(z\) stands where its derivative.*layer 1",
        "sigmoid'": r"sigmoid's derivative.*stands where tanh's.*layer 1",
        "1 - a": r"written as 1 - a and not as 1 - a\^2, in layer 1",
        "mask of layer 1": r"(value|derivative).*layer 1.*(stands|written).*layer 2",
        "mask reversed": r"mask of max is reversed.*layer 2",
        "mask of the cotangent": r"mask is taken of the cotangent.*layer 2",
        "mask of the output": r"value of layer 3.*(input of max|derivative|in layer 2)",
        "W2 not transposed": r"multiplied by W2 and not by its transpose",
        "W3 for W2": r"W3.*(stands|where).*W2|multiplied by W3.*W2",
        "z for a in W2": r"before the activation stands where the product's own operand belongs.*layer 2",
        "X for a1 in W2": r"constant array of layer 1.*stands where the product's own operand belongs.*layer 2",
        "a2 for a1 in W2": r"stands where the product's own operand belongs.*layer 2",
        "delta of layer 3 in W2": r"cotangent (of|after).*stands.*layer 2",
        "dL/da in b1": r"dL/da, stands where dL/dz|cotangent.*before.*b1|f'\(z\) is missing.*b1",
        "b1 averaged": r"b1: .*divided by 8, and the batch has 8 rows",
        "b2 of one row": r"only the first of 8 terms.*b2",
        "W2 stepped": r"W2 that has already been stepped, by 0.3",
        "W3 stepped with momentum": r"another W3|W3.*(stepped|momentum|updated)",
        "not averaged": r"the batch has 8 rows|mean over 8|division by 8",
        "no square's 2": r"square",
        "n - 1": r"n - 1 = 7",
        "delta transposed in W1": r"transpose of the engine's|transposed.*layer 1",
        "means' outer product": r"outer product of (means|sums)|outer product.*layer 2",
        "sign": r"W1, b1.*sign|sign.*layer 1",
        "W2 twice": r"W2: yours is 2 times the engine's(?!.*square)",
        "sum for each": r"summed over all axes, also over that of b3",
    },
    outside=["noise in W2", "delta cubed", "random mask"],
)
def network_of_rows(w, r):
    n, m = 8, 5
    X, Y = r.normal(size=(n, m)), r.normal(size=(n, m))
    p = {}
    for k in "123":
        p["W" + k], p["b" + k] = r.normal(size=(m, m)) / 2, r.normal(size=m) / 2

    def loss(p):
        a1 = np.tanh(X @ p["W1"] + p["b1"])
        a2 = np.maximum(a1 @ p["W2"] + p["b2"], 0)
        return np.sum((a2 @ p["W3"] + p["b3"] - Y) ** 2) / n

    z1 = X @ p["W1"] + p["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ p["W2"] + p["b2"]
    a2 = np.maximum(z2, 0)
    d3 = (1 if w("no square's 2") else 2) * (a2 @ p["W3"] + p["b3"] - Y)
    d3 = d3 / (1 if w("not averaged") else n - 1 if w("n - 1") else n)
    W2 = p["W2"] - 0.3 * (a1.T @ d3) if w("W2 stepped") else p["W2"]
    W3 = p["W3"] - 0.1 * (a2.T @ d3 + 0.9 * r.normal(size=(m, m))) if w("W3 stepped with momentum") else p["W3"]
    da2 = d3 @ W3.T
    mask = z2 > 0
    if w("no relu'"):
        mask = np.ones_like(z2)
    if w("mask of layer 1"):
        mask = z1 > 0
    if w("mask reversed"):
        mask = z2 <= 0
    if w("mask of the cotangent"):
        mask = da2 > 0
    if w("mask of the output"):
        mask = a2 @ p["W3"] + p["b3"] > 0
    if w("random mask"):
        mask = r.random(z2.shape) < 0.5
    d2 = da2 * mask
    if w("delta cubed"):
        d2 = d2**3
    if w("W2 stepped"):
        W2 = p["W2"] - 0.3 * (a1.T @ d2)
    da1 = d2 @ (W2 if w("W2 not transposed") else p["W3"].T if w("W3 for W2") else W2.T)
    slope = 1 - a1**2
    for name, wrong in {
        "no tanh'": 1, "tanh' twice": slope**2, "tanh' at a": 1 - np.tanh(a1) ** 2, "tanh' of z": 1 - z1**2,
        "tanh for tanh'": a1, "sigmoid'": a1 * (1 - a1), "1 - a": 1 - a1, "sign": -slope,
    }.items():  # fmt: skip
        if w(name):
            slope = wrong
    d1 = da1 * slope
    g = {"W1": X.T @ d1, "b1": d1.sum(0), "W2": a1.T @ d2, "b2": d2.sum(0), "W3": a2.T @ d3, "b3": d3.sum(0)}
    if w("z for a in W2"):
        g["W2"] = z1.T @ d2
    if w("X for a1 in W2"):
        g["W2"] = X.T @ d2
    if w("a2 for a1 in W2"):
        g["W2"] = a2.T @ d2
    if w("delta of layer 3 in W2"):
        g["W2"] = a1.T @ d3
    if w("dL/da in b1"):
        g["b1"] = da1.sum(0)
    if w("b1 averaged"):
        g["b1"] = d1.mean(0)
    if w("b2 of one row"):
        g["b2"] = d2[0]
    if w("delta transposed in W1"):
        g["W1"] = d1.T @ X
    if w("means' outer product"):
        g["W2"] = np.outer(a1.mean(0), d2.sum(0))
    if w("W2 twice"):
        g["W2"] = 2 * g["W2"]
    if w("sum for each"):
        g["b3"] = np.full(m, d3.sum())
    if w("noise in W2"):
        g["W2"] = g["W2"] + 0.1 * r.normal(size=(m, m))
    return loss, p, g


@program(
    "dense",
    {
        "no sigmoid'": r"f'\(z\) is missing.*layer 1",
        "sigmoid' at a": r"sigmoid'\(a\) where sigmoid'\(z\).*layer 1",
        "a (1 + a)": r"written as a \(1 \+ a\) and not.*layer 1",
        "sigmoid' of z": r"a \(1 - a\) is written with z.*layer 1",
        "diagonal": r"softmax's Jacobian is taken as diagonal",
        "sigmoid' at the output": r"Jacobian.*a \(1 - a\) once more",
        "y - a": r"(sign|minus)",
        "not averaged": r"the batch has 10|mean over 10",
        "averaged over outputs": r"(outputs|30|divided by 3|axis)",
        "W2 not transposed": r"multiplied by W2 and not by its transpose",
        "a1 for X": r"stands where the product's own operand belongs.*layer 1",
        "b2 mean": r"b2: .*divided by 10|averaged over the 10 elements.*b2",
        "hard predictions": r"(predict|argmax|1 at the largest|rounded|labels).*",
        "log2": r"1/ln\(2\) of log2",
    },
    outside=["W2 cubed", "labels of another row"],
)
def network_of_columns(w, r):
    n = 10
    X, Y = r.normal(size=(4, n)), one_hot(r.integers(0, 4, n), 4).T
    p = {"W1": r.normal(size=(4, 4)), "b1": r.normal(size=(4, 1)), "W2": r.normal(size=(4, 4)),
         "b2": r.normal(size=(4, 1))}  # fmt: skip

    def loss(p):
        a = sigmoid(p["W1"] @ X + p["b1"])
        logs = np.log2 if w("log2") else np.log
        return -np.sum(Y * logs(softmax(p["W2"] @ a + p["b2"], 0))) / n

    z = p["W1"] @ X + p["b1"]
    a = sigmoid(z)
    q = softmax(p["W2"] @ a + p["b2"], 0)
    d2 = q - Y
    if w("diagonal"):
        d2 = -Y / q * q * (1 - q)
    if w("sigmoid' at the output"):
        d2 = (q - Y) * q * (1 - q)
    if w("y - a"):
        d2 = Y - q
    if w("hard predictions"):
        d2 = one_hot(np.argmax(q, 0), 4).T - Y
    if w("labels of another row"):
        d2 = q - np.roll(Y, 1, axis=1)
    d2 = d2 / (1 if w("not averaged") else n * 4 if w("averaged over outputs") else n)
    slope = a * (1 - a)
    for name, wrong in {
        "no sigmoid'": 1, "sigmoid' at a": sigmoid(a) * (1 - sigmoid(a)), "a (1 + a)": a * (1 + a),
        "sigmoid' of z": z * (1 - z),
    }.items():  # fmt: skip
        if w(name):
            slope = wrong
    W2 = p["W2"] ** 3 if w("W2 cubed") else p["W2"]
    d1 = ((W2 if w("W2 not transposed") else W2.T) @ d2) * slope
    g = {"W1": d1 @ (a if w("a1 for X") else X).T, "b1": d1.sum(1, keepdims=True), "W2": d2 @ a.T}
    return loss, p, {**g, "b2": (np.mean if w("b2 mean") else np.sum)(d2, 1, keepdims=True)}


@program(
    "dense",
    {
        "outer swapped": r"W: .*transpose of the engine's|W2?: .*(transpose)",
        "no derivative": r"f'\(z\) is missing",
        "W2 not transposed": r"(V|matrix).*not by its transpose",
        "elementwise": r"element by element",
        "minus": r"sign|minus",
        "half missing": r"square|2 times",
        "a for x": r"(stands where|operand|factor)",
    },
)
def one_example(w, r):
    """Vectors without a batch, as in a first exercise."""
    x, y = r.normal(size=4), r.normal(size=4)
    p = {"W": r.normal(size=(4, 4)), "b": r.normal(size=4), "V": r.normal(size=(4, 4))}

    def loss(p):
        return 0.5 * np.sum((p["V"] @ sigmoid(p["W"] @ x + p["b"]) - y) ** 2)

    a = sigmoid(p["W"] @ x + p["b"])
    d = p["V"] @ a - y
    if w("minus"):
        d = -d
    if w("half missing"):
        d = 2 * d
    slope = 1 if w("no derivative") else a * (1 - a)
    dz = ((p["V"] if w("W2 not transposed") else p["V"].T) @ d) * slope
    gw = np.outer(x, dz) if w("outer swapped") else np.outer(dz, a if w("a for x") else x)
    if w("elementwise"):
        gw = dz * x
    return loss, p, {"W": gw, "b": dz, "V": np.outer(d, a)}


@program(
    "dense",
    {
        "leaky slope 0": r"mask|slope|0\.1|path through.*layer 1.*forgotten",
        "elu' missing": r"f'\(z\) is missing.*layer 2",
        "elu' is a": r"(f\(z\) stands|derivative|path).*layer 2|path.*W2",
        "softplus' missing": r"f'\(z\) is missing.*layer 3",
        "softplus' tanh": r"derivative.*layer 3",
        "swish' is sigmoid": r"(path|derivative).*layer 4|path.*W4",
        "delta skips a layer": r"f'\(z\) is missing.*layer 2|path",
        "abs' missing": r"derivative of \|x\| is missing",
    },
)
def activations(w, r):
    X, Y = r.normal(size=(7, 4)), r.normal(size=(7, 4))
    p = {f"W{k}": r.normal(size=(4, 4)) / 1.5 for k in range(1, 5)}

    def loss(p):
        z = X @ p["W1"]
        z = np.where(z > 0, z, 0.1 * z) @ p["W2"]
        z = np.where(z > 0, z, np.exp(z) - 1) @ p["W3"]
        z = np.log(1 + np.exp(z)) @ p["W4"]
        return np.mean(np.abs(z * sigmoid(z) - Y))

    z1 = X @ p["W1"]
    a1 = np.where(z1 > 0, z1, 0.1 * z1)
    z2 = a1 @ p["W2"]
    a2 = np.where(z2 > 0, z2, np.exp(z2) - 1)
    z3 = a2 @ p["W3"]
    a3 = np.log(1 + np.exp(z3))
    z4 = a3 @ p["W4"]
    s = sigmoid(z4)
    e = z4 * s - Y
    d = (e if w("abs' missing") else np.sign(e)) / e.size
    if w("abs' missing"):
        d = np.ones_like(e) / e.size
    d4 = d * (s if w("swish' is sigmoid") else s + z4 * s * (1 - s))
    slope3 = 1 if w("softplus' missing") else 1 - a3**2 if w("softplus' tanh") else sigmoid(z3)
    d3 = (d4 @ p["W4"].T) * slope3
    slope2 = 1 if w("elu' missing") else np.where(z2 > 0, 1, a2 if w("elu' is a") else a2 + 1)
    d2 = (d3 @ p["W3"].T) * slope2
    d1 = (d2 @ p["W2"].T) * np.where(z1 > 0, 1, 0 if w("leaky slope 0") else 0.1)
    if w("delta skips a layer"):
        d1 = ((d3 @ p["W3"].T) @ p["W2"].T) * np.where(z1 > 0, 1, 0.1)
    return loss, p, {"W1": X.T @ d1, "W2": a1.T @ d2, "W3": a2.T @ d3, "W4": a3.T @ d4}
