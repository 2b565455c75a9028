"""Recurrences through time: a plain one with an output at each step, an LSTM, a GRU."""

import numpy as np

from .program import program, sigmoid, softmax


@program(
    "recurrent",
    {
        "truncated at 1": r"truncated.*last 1 of 5",
        "truncated at 3": r"truncated.*last 3 of 5",
        "only the last output": r"V|output|only",
        "state after the step": r"after this step.*Wh",
        "input of the next step": r"(step|shifted|next).*Wx|Wx.*(step|shifted)",
        "tanh' a step early": r"derivative is taken at the state before the step",
        "no tanh'": r"f'\(z\) is missing.*tanh",
        "tanh' at h": r"tanh'\(a\)",
        "tanh' at z": r"1 - a\^2 is written with z",
        "Wh not transposed": r"multiplied by Wh and not by its transpose",
        "V not transposed": r"multiplied by V and not by its transpose",
        "Wx overwritten": r"Wx.*only its use.*(call 1|last|first|step)",
        "b overwritten": r"b\b.*only its use",
        "b averaged": r"averaged over the 4 elements",
        "Wh's last step missing": r"call 5 of 5.*forgotten",
        "dh not added": r"(path|forgotten|truncated)",
        "outputs' path forgotten": r"forgotten.*V|V.*forgotten",
        "V from h before": r"stands where.*V",
        "y - t": r"sign|minus",
        "Wx by Wh's state": r"stands where",
        "averaged over steps": r"5|mean|divided",
    },
    outside=["cell squared", "noise each step"],
)
def rnn(w, r):
    T, n = 5, 4
    X, Y = r.normal(size=(T, n, 5)), r.normal(size=(T, n, 5))
    h0 = np.zeros((n, 5))
    p = {"Wx": r.normal(size=(5, 5)) / 2, "Wh": r.normal(size=(5, 5)) / 2, "b": r.normal(size=5),
         "V": r.normal(size=(5, 5))}  # fmt: skip

    def loss(p):
        h, total = h0, 0
        for x, y in zip(X, Y, strict=True):
            h = np.tanh(x @ p["Wx"] + h @ p["Wh"] + p["b"])
            total = total + np.sum((h @ p["V"] - y) ** 2) / 2
        return total

    hs, zs = [h0], []
    for x in X:
        zs.append(x @ p["Wx"] + hs[-1] @ p["Wh"] + p["b"])
        hs.append(np.tanh(zs[-1]))
    g = {name: np.zeros_like(v) for name, v in p.items()}
    dh = np.zeros((n, 5))
    depth = 1 if w("truncated at 1") else 3 if w("truncated at 3") else T
    for t in reversed(range(T)):
        d = hs[t + 1] @ p["V"] - Y[t]
        if w("y - t"):
            d = -d
        if w("averaged over steps"):
            d = d / T
        if w("only the last output") and t < T - 1:
            d = 0 * d
        g["V"] += hs[t if w("V from h before") else t + 1].T @ d
        dv = d @ (p["V"] if w("V not transposed") else p["V"].T)
        if w("outputs' path forgotten") and t < T - 1:
            dv = 0
        dh = dv + (0 if w("dh not added") else dh)
        if T - t > depth:
            continue
        h = hs[t if w("tanh' a step early") else t + 1]
        slope = 1 - h**2
        if w("no tanh'"):
            slope = 1
        if w("tanh' at h"):
            slope = 1 - np.tanh(h) ** 2
        if w("tanh' at z"):
            slope = 1 - zs[t] ** 2
        if w("cell squared"):
            slope = slope + np.tanh(dh) ** 2
        dz = dh * slope
        if w("noise each step"):
            dz = dz + 0.1 * r.normal(size=dz.shape)
        x = X[min(t + 1, T - 1)] if w("input of the next step") else hs[t] if w("Wx by Wh's state") else X[t]
        g["Wx"] = g["Wx"] * (not w("Wx overwritten")) + x.T @ dz
        if not (w("Wh's last step missing") and t == T - 1):
            g["Wh"] += hs[t + 1 if w("state after the step") else t].T @ dz
        g["b"] = g["b"] * (not w("b overwritten")) + (dz.mean(0) if w("b averaged") else dz.sum(0))
        dh = dz @ (p["Wh"] if w("Wh not transposed") else p["Wh"].T)
    return loss, p, g


GATES = {
    "no i'": r"f'\(z\) is missing.*Wi",
    "no f'": r"f'\(z\) is missing.*Wf",
    "no o'": r"f'\(z\) is missing.*Wo",
    "no g'": r"f'\(z\) is missing.*Wg",
    "g' of a sigmoid": r"sigmoid's derivative.*tanh",
    "i' of a tanh": r"tanh's derivative.*sigmoid",
    "no tanh'": r"f'\(z\) is missing in np.tanh \(Wi, Ui, bi, Wf, Uf, bf, Wg, Ug, bg\)",
    "tanh' of c": r"written with z|1 - a\^2",
    "tanh' of h": r"(derivative|stands|tanh)",
    "i for g": r"factor itself stands|other factor",
    "c for c before": r"(after|stands where).*",
    "t for c before": r"stands where",
    "cell path forgotten": r"(forgotten|truncated)",
    "no forget": r"other factor is missing",
    "forget gate of the next step": r"(step|after|before)",
    "h after": r"(after this step|stands where)",
    "Ui not transposed": r"Ui.*transpose",
    "all U not transposed": r"transpose",
    "Uo's path forgotten": r"forgotten.*Uo|Uo.*forgotten",
    "recurrent path forgotten": r"forgotten|truncated",
    "truncated at 2": r"truncated.*last 2 of 4",
    "Wi overwritten": r"Wi.*only its use",
    "no output gate": r"other factor is missing",
    "dt for dh in o": r"(factor|stands)",
    "biases averaged": r"divided by 3|averaged|batch",
}


@program("recurrent", GATES, outside=["gates mixed at random"])
def lstm(w, r):
    T, n, m = 4, 3, 4
    X, Y = r.normal(size=(T, n, m)), r.normal(size=(n, m))
    p = {f"{kind}{gate}": r.normal(size=(m,) if kind == "b" else (m, m)) / 1.5 for gate in "ifog" for kind in "WUb"}

    def loss(p):
        h, c = np.zeros((n, m)), np.zeros((n, m))
        for x in X:
            z = {gate: x @ p[f"W{gate}"] + h @ p[f"U{gate}"] + p[f"b{gate}"] for gate in "ifog"}
            c = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["g"])
            h = sigmoid(z["o"]) * np.tanh(c)
        return np.sum((h - Y) ** 2) / 2

    h, c, steps = np.zeros((n, m)), np.zeros((n, m)), []
    for x in X:
        z = {gate: x @ p[f"W{gate}"] + h @ p[f"U{gate}"] + p[f"b{gate}"] for gate in "ifog"}
        i, f, o, g = sigmoid(z["i"]), sigmoid(z["f"]), sigmoid(z["o"]), np.tanh(z["g"])
        c_before, h_before = c, h
        c = f * c + i * g
        t = np.tanh(c)
        h = o * t
        steps.append((x, h_before, h, c_before, c, i, f, o, g, t))
    grads = {name: np.zeros_like(v) for name, v in p.items()}
    dh, dc = h - Y, np.zeros((n, m))
    for k, (x, h_before, h, c_before, c, i, f, o, g, t) in reversed(list(enumerate(steps))):
        if w("truncated at 2") and k < T - 2:
            break
        slope = 1 if w("no tanh'") else 1 - c**2 if w("tanh' of c") else 1 - h**2 if w("tanh' of h") else 1 - t**2
        dc = (0 if w("cell path forgotten") else dc) + dh * (1 if w("no output gate") else o) * slope
        past = c if w("c for c before") else np.tanh(c_before) if w("t for c before") else c_before
        d = {
            "i": dc
            * (i if w("i for g") else g)
            * (1 if w("no i'") else 1 - i**2 if w("i' of a tanh") else i * (1 - i)),
            "f": dc * past * (1 if w("no f'") else f * (1 - f)),
            "o": dh * (c if w("dt for dh in o") else t) * (1 if w("no o'") else o * (1 - o)),
            "g": dc * i * (1 if w("no g'") else g * (1 - g) if w("g' of a sigmoid") else 1 - g**2),
        }
        if w("gates mixed at random"):
            d["i"] = d["i"] * r.random(size=d["i"].shape)
        dh = np.zeros((n, m))
        for gate, dz in d.items():
            if w("Wi overwritten") and gate == "i":
                grads["Wi"][:] = 0
            grads[f"W{gate}"] += x.T @ dz
            grads[f"U{gate}"] += (h if w("h after") else h_before).T @ dz
            grads[f"b{gate}"] += dz.mean(0) if w("biases averaged") else dz.sum(0)
            U = p[f"U{gate}"]
            turned = w("all U not transposed") or (w("Ui not transposed") and gate == "i")
            if not (w("Uo's path forgotten") and gate == "o") and not w("recurrent path forgotten"):
                dh = dh + dz @ (U if turned else U.T)
        after = steps[min(k + 1, T - 1)][6] if w("forget gate of the next step") else f
        dc = dc if w("no forget") else dc * after
    return loss, p, grads


@program(
    "recurrent",
    {
        "no u'": r"f'\(z\) is missing.*Wu",
        "no c'": r"f'\(z\) is missing.*tanh",
        "carry forgotten": r"(path|forgotten).*",
        "carry's factor": r"(stands where|before|factor)",
        "u for 1 - u": r"(before|stands where|factor)",
        "h for c - h": r"(path|forgotten)",
        "c - h swapped": r"sign|minus",
        "Uc not transposed": r"Uc and not by its transpose",
        "state after": r"(after this step|stands where).*U",
        "truncated at 1": r"truncated.*last 1|forgotten",
        "softmax diagonal": r"softmax's Jacobian is taken as diagonal",
        "not averaged": r"mean|divided|batch",
    },
)
def gated(w, r):
    """A gated unit h = u h + (1 - u) c, with softmax and cross-entropy of the last state."""
    T, n, m = 4, 3, 4
    X, Y = r.normal(size=(T, n, m)), np.eye(m)[r.integers(0, m, n)]
    p = {name: r.normal(size=(m, m)) / 1.5 for name in ("Wu", "Uu", "Wc", "Uc", "V")}

    def loss(p):
        h = np.zeros((n, m))
        for x in X:
            u = sigmoid(x @ p["Wu"] + h @ p["Uu"])
            c = np.tanh(x @ p["Wc"] + h @ p["Uc"])
            h = u * h + (1 - u) * c
        return -np.mean(np.sum(Y * np.log(softmax(h @ p["V"])), axis=1))

    h, steps = np.zeros((n, m)), []
    for x in X:
        u, c = sigmoid(x @ p["Wu"] + h @ p["Uu"]), np.tanh(x @ p["Wc"] + h @ p["Uc"])
        before, h = h, u * h + (1 - u) * c
        steps.append((x, before, h, u, c))
    q = softmax(h @ p["V"])
    d = (-Y * (1 - q) if w("softmax diagonal") else q - Y) / (1 if w("not averaged") else n)
    g = {name: np.zeros_like(v) for name, v in p.items()}
    g["V"] = h.T @ d
    dh = d @ p["V"].T
    for k, (x, before, after, u, c) in reversed(list(enumerate(steps))):
        if w("truncated at 1") and k < T - 1:
            break
        difference = -c if w("h for c - h") else c - before if w("c - h swapped") else before - c
        du = dh * difference * (1 if w("no u'") else u * (1 - u))
        dc = dh * (u if w("u for 1 - u") else 1 - u) * (1 if w("no c'") else 1 - c**2)
        state = after if w("state after") else before
        g["Wu"] += x.T @ du
        g["Uu"] += state.T @ du
        g["Wc"] += x.T @ dc
        g["Uc"] += state.T @ dc
        carry = 0 if w("carry forgotten") else dh * ((1 - u) if w("carry's factor") else u)
        dh = carry + du @ p["Uu"].T + dc @ (p["Uc"] if w("Uc not transposed") else p["Uc"].T)
    return loss, p, g
