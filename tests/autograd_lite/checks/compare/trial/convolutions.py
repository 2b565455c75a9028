"""Convolutions by slices and einsum, with pooling, padding, strides and several channels."""

import numpy as np

from .program import program


@program(
    "convolution",
    {
        "flipped": r"K2 is reversed",
        "overwritten": r"overlap are overwritten",
        "no tanh'": r"f'\(z\) is missing.*K1",
        "z for a": r"before the activation stands.*K2",
        "tanh' at a": r"tanh'\(a\)",
        "shifted window": r"(shifted|off by one|next|position|step).*K2",
        "bias averaged": r"averaged over the 30 elements.*b1",
        "bias of one place": r"only the first of 10 terms.*b1",
        "mean pool summed": r"mean over.*sum",
        "X reversed": r"K1: its entries are reversed|reversed.*np.multiply \(K1\)",
    },
    outside=["kernel cubed"],
)
def in_one_dimension(w, r):
    X = r.normal(size=(3, 12))
    y = r.normal(size=(3, 4))
    p = {"K1": r.normal(size=3), "b1": r.normal(size=1), "K2": r.normal(size=3)}

    def conv(x, k):
        return sum(x[:, i : x.shape[1] - 2 + i] * k[i] for i in range(3))

    def loss(p):
        a = np.tanh(conv(X, p["K1"]) + p["b1"])
        pooled = np.mean(conv(a, p["K2"]).reshape(3, 4, 2), axis=2)
        return np.sum((pooled - y) ** 2) / 2

    z = conv(X, p["K1"]) + p["b1"]
    a = np.tanh(z)
    d = np.mean(conv(a, p["K2"]).reshape(3, 4, 2), axis=2) - y
    d = np.repeat(d, 2, axis=1) / (1 if w("mean pool summed") else 2)
    k = p["K2"][::-1] if w("flipped") else p["K2"] ** 3 if w("kernel cubed") else p["K2"]
    da = np.zeros_like(a)
    for i in range(3):
        if w("overwritten"):
            da[:, i : i + 8] = d * k[i]
        else:
            da[:, i : i + 8] += d * k[i]
    dz = da * (1 if w("no tanh'") else 1 - np.tanh(a) ** 2 if w("tanh' at a") else 1 - a**2)
    source = z if w("z for a") else np.roll(a, 1, 1) if w("shifted window") else a
    g2 = np.array([np.sum(d * source[:, i : i + 8]) for i in range(3)])
    g1 = np.array([np.sum(dz * X[:, i : i + 10]) for i in range(3)])
    b = dz.mean(keepdims=True)[0] if w("bias averaged") else dz.sum(keepdims=True)[0]
    if w("bias of one place"):
        b = dz[:, :1].sum(keepdims=True)[0]
    return loss, p, {"K1": g1[::-1] if w("X reversed") else g1, "b1": b, "K2": g2}


def windows(x, k):
    """All windows of size k by k: (batch, channels, rows, columns, k, k)."""
    return np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))


@program(
    "convolution",
    {
        "no relu'": r"f'\(z\) is missing.*K",
        "relu' reversed": r"mask of max is reversed",
        "relu' of the cotangent": r"mask is taken of the cotangent",
        "max hands on to all": r"mask of max is missing",
        "max averaged": r"max hands on to all 4 elements, as a mean",
        "kernel not turned": r"K.*(reversed|turned|not by its transpose)|reversed",
        "channels swapped": r"K: the entries along axis 1 are reversed",
        "bias averaged": r"averaged over the 64 elements|b: .*divided by 64",
        "dense not transposed": r"V and not by its transpose",
        "averaged over examples": r"batch|divided by",
        "K of the mean image": r"mean over axis 0",
    },
    outside=["relu' cubed", "padding shifted"],
)
def in_two_dimensions(w, r):
    """Channels, padding by a border of zeros, ReLU, max pooling by reshaping, a dense layer."""
    n, c, s, k = 4, 2, 4, 3
    X = r.normal(size=(n, c, s, s))
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)))
    p = {"K": r.normal(size=(4, c, k, k)) / 3, "b": r.normal(size=4) / 3, "V": r.normal(size=(16, 16)) / 4}
    Y = r.normal(size=(n, 16))

    def loss(p):
        z = 0
        for i in range(k):
            for j in range(k):
                z = z + np.einsum("ncij,oc->noij", padded[:, :, i : i + s, j : j + s], p["K"][:, :, i, j])
        z = np.maximum(z + p["b"][:, None, None], 0)
        q = np.max(z.reshape(n, 4, 2, 2, 2, 2), axis=(3, 5))
        return np.sum((q.reshape(n, 16) @ p["V"] - Y) ** 2) / (2 * n)

    z = np.einsum("ncijkl,ockl->noij", windows(padded, k), p["K"]) + p["b"][:, None, None]
    a = np.maximum(z, 0)
    parts = a.reshape(n, 4, 2, 2, 2, 2)
    q = np.max(parts, axis=(3, 5))
    d = (q.reshape(n, 16) @ p["V"] - Y) / (1 if w("averaged over examples") else n)
    dq = (d @ (p["V"] if w("dense not transposed") else p["V"].T)).reshape(n, 4, 2, 1, 2, 1)
    mask = parts == q[:, :, :, None, :, None]
    if w("max hands on to all"):
        mask = np.ones_like(parts)
    if w("max averaged"):
        mask = np.ones_like(parts) / 4
    else:
        mask = mask / mask.sum((3, 5), keepdims=True) if not w("max hands on to all") else mask
    da = (mask * dq).reshape(z.shape)
    dz = da * (z > 0)
    if w("no relu'"):
        dz = da
    if w("relu' reversed"):
        dz = da * (z <= 0)
    if w("relu' of the cotangent"):
        dz = da * (da > 0)
    if w("relu' cubed"):
        dz = (da * (z > 0)) ** 3
    source = padded
    if w("padding shifted"):
        source = np.roll(padded, 1, axis=3)
    seen = windows(source, k)
    if w("K of the mean image"):
        seen = np.broadcast_to(seen.mean(0), seen.shape)
    g = np.einsum("noij,ncijkl->ockl", dz, seen)
    if w("channels swapped"):
        g = g[:, ::-1]
    if w("kernel not turned"):
        g = g[:, :, ::-1, ::-1]
    b = dz.mean((0, 2, 3)) if w("bias averaged") else dz.sum((0, 2, 3))
    return loss, p, {"K": g, "b": b, "V": q.reshape(n, 16).T @ d}


@program(
    "convolution",
    {
        "average not divided": r"mean over 4.*sum",
        "no sigmoid'": r"f'\(z\) is missing",
        "K not transposed": r"K2.*transpose",
        "a for x": r"(stands where|operand)",
        "z for a": r"before the activation|stands where",
        "K1 overwritten": r"only its use|overwritten",
    },
    outside=["stride ignored"],
)
def strided(w, r):
    """Patches taken by indexing, multiplied as a matrix (im2col), at stride 2."""
    n = 5
    X, y = r.normal(size=(n, 9)), r.normal(size=(n, 3))
    index = np.arange(4)[:, None] * 2 + np.arange(3)
    p = {"K1": r.normal(size=(3, 3)), "K2": r.normal(size=(3, 3))}

    def loss(p):
        a = 1 / (1 + np.exp(-(X[:, index] @ p["K1"])))
        return np.sum((np.mean(a @ p["K2"], axis=1) - y) ** 2)

    cols = X[:, index]
    z = cols @ p["K1"]
    a = 1 / (1 + np.exp(-z))
    d = 2 * (np.mean(a @ p["K2"], axis=1) - y)
    d = np.repeat(d[:, None], 4, axis=1) / (1 if w("average not divided") else 4)
    dz = (d @ (p["K2"] if w("K not transposed") else p["K2"].T)) * (1 if w("no sigmoid'") else a * (1 - a))
    if w("stride ignored"):
        cols = X[:, np.arange(4)[:, None] + np.arange(3)]
    if w("a for x"):
        cols = a
    g1 = np.einsum("npi,npo->io", cols, dz)
    if w("K1 overwritten"):
        g1 = np.einsum("ni,no->io", cols[:, -1], dz[:, -1])
    return loss, p, {"K1": g1, "K2": np.einsum("npi,npo->io", z if w("z for a") else a, d)}
