"""Ways to change the array of a leaf, and leaves to try them on."""

import numpy as np

import nn
from autograd_lite import Tensor
from autograd_lite.core.saved import COPIED_BYTES
from autograd_lite.extend import announce_change

SMALL, LARGE = 3, COPIED_BYTES // 8 + 1


def leaf(data):
    return Tensor(data, requires_grad=True)


def ramp(n):
    return np.arange(1.0, n + 1)


def in_place(w):
    w.data *= 2


WRITES_TO_A_LEAF = {
    "an element": lambda w: w.data.__setitem__(0, 7.0),
    "a slice": lambda w: w.data[1:].fill(7.0),
    "a view of a view": lambda w: w.data[::-1][:1].fill(7.0),
    "copyto": lambda w: np.copyto(w.data, 7.0),
    "out": lambda w: np.negative(w.data, out=w.data),
    "an operator": in_place,
    "another array": lambda w: setattr(w, "data", np.zeros(w.shape)),
    "an optimizer": lambda w: (setattr(w, "grad", Tensor(np.ones(w.shape))), nn.SGD([w], lr=1.0).step()),
    "a detached tensor": lambda w: w.detach().data.fill(7.0),
    "announced": lambda w: announce_change([w], "by hand")[0].fill(7.0),
}
