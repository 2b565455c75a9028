"""Every gradient rule against PyTorch's and HIPS autograd's, in float64, wherever they have the function."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from tests.autograd_lite.rules.engine import gradients, seeds
from tests.autograd_lite.rules.specs import CORE, examples_of
from tests.autograd_lite.rules.specs.spec import as_list

try:
    import autograd
    import autograd.numpy
    import torch
    from autograd.builtins import SequenceBox
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"{missing.name} is not installed", allow_module_level=True)

RTOL = 1e-12

# ---- PyTorch under NumPy's names ----


class TorchAsNumPy(SimpleNamespace):
    """The functions that take other arguments than NumPy's; all others are PyTorch's own."""

    def __getattr__(self, name):
        return getattr(torch, name)


def torch_product(a, axis=None, keepdims=False):
    """PyTorch reduces a product over one axis at a time."""
    axes = range(a.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    for i in sorted((i % a.ndim for i in axes), reverse=True):
        a = torch.prod(a, dim=i, keepdim=keepdims)
    return a


def torch_cumulative(function):
    return lambda a, axis=None: function(torch.ravel(a), 0) if axis is None else function(a, axis)


def torch_spread(function):
    def spread(a, axis=None, ddof=0, keepdims=False):
        return function(a, dim=axis, correction=ddof, keepdim=keepdims)

    return spread


def torch_tensordot(a, b, axes=2):
    return torch.tensordot(a, b, axes if isinstance(axes, int) else [np.atleast_1d(part).tolist() for part in axes])


def torch_take(a, indices, axis=None, mode="raise"):
    positions = torch.tensor(np.take(np.arange(a.numel() if axis is None else a.shape[axis]), indices, mode=mode))
    return torch.take(a, positions) if axis is None else torch.moveaxis(torch.moveaxis(a, axis, 0)[positions], 0, axis)


def torch_pad(array, pad_width, mode="constant", constant_values=0.0):
    """With constants; in the last axis first."""
    widths = np.broadcast_to(pad_width, (array.ndim, 2))[::-1].ravel().tolist()
    return torch.nn.functional.pad(array, widths, mode, constant_values)


TORCH = TorchAsNumPy(
    fabs=torch.abs,
    rint=torch.round,
    copy=torch.clone,
    degrees=torch.rad2deg,
    radians=torch.deg2rad,
    power=torch.pow,
    round=lambda a, decimals=0: torch.round(a, decimals=decimals),
    where=lambda condition, x, y: torch.where(torch.as_tensor(condition), x, y),
    max=torch.amax,
    min=torch.amin,
    ptp=lambda a, **arguments: torch.amax(a, **arguments) - torch.amin(a, **arguments),
    prod=torch_product,
    cumsum=torch_cumulative(torch.cumsum),
    cumprod=torch_cumulative(torch.cumprod),
    var=torch_spread(torch.var),
    std=torch_spread(torch.std),
    dot=lambda a, b: torch.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)])) if a.ndim and b.ndim else a * b,
    outer=lambda a, b: torch.outer(a.ravel(), b.ravel()),
    tensordot=torch_tensordot,
    trace=lambda a, offset=0, axis1=0, axis2=1: torch.diagonal(a, offset, axis1, axis2).sum(-1),
    expand_dims=torch.unsqueeze,
    broadcast_arrays=torch.broadcast_tensors,
    transpose=lambda a, axes=None: torch.permute(
        a, tuple(np.atleast_1d(range(a.ndim)[::-1] if axes is None else axes))
    ),
    flip=lambda m, axis=None: torch.flip(m, tuple(np.atleast_1d(range(m.ndim) if axis is None else axis))),
    roll=lambda a, shift, axis=None: torch.roll(a, shift, axis),
    split=lambda a, parts, axis=0: torch.tensor_split(a, parts, dim=axis),
    array_split=lambda a, parts, axis=0: torch.tensor_split(a, parts, dim=axis),
    unstack=lambda x, axis=0: torch.unbind(x, axis),
    tile=lambda A, reps: torch.tile(A, (reps,) if isinstance(reps, int) else tuple(reps)),
    repeat=lambda a, repeats, axis=None: torch.repeat_interleave(a, torch.as_tensor(repeats), axis),
    take=torch_take,
    take_along_axis=lambda arr, indices, axis: torch.take_along_dim(
        arr, torch.as_tensor(indices) % arr.shape[axis], axis
    ),
    pad=torch_pad,
)

# ---- what they do not have: a function's name, a call's, or that of one example ----

NOT_IN_TORCH = {
    # No function, or no derivative of it.
    "cbrt", "floor_divide", "heaviside", "ldexp", "astype", "bincount", "full_like",
    *(f"pad {mode}{far}" for mode in ("edge", "reflect", "symmetric", "wrap") for far in ("", ", far")),
    # Other arguments: no plain arrays, lists and numbers beside tensors; no order, no tuple of axes, no axis=None.
    "add x + integers", "multiply x * infinite", "power x ** integers", "power x ** unsigned", "power integers ** x",
    "power x, list", "maximum x, number", "minimum number, x", "arctan2 list, x", "clip bounds alone", "clip no bounds",
    "clip bounds of which some are crossed of 0d 2x1 3", "prod two zeros", "sum initial", "einsum optimize",
    "reshape -1", "reshape order F", "reshape method, order F", "ravel order F", "expand_dims two", "transpose method",
    "roll one axis twice", "roll array of shifts", "concatenate axis=None", "concatenate plain array",
    "concatenate whole tensor", "stack plain array", "stack whole tensor", "vstack list", "split index beyond",
    "pad two constants", "take_along_axis flattened",
    "vdot of 0d 0d", "vdot of 2x3 2x3", "vdot of 2x3 3x2",
    # Methods of its own.
    "max method", "var method", "std method", "cumsum method", "dot method", "repeat method", "take method",
    # Indices that it reads in another way.
    "getitem x[::-1]", "getitem x[5:0:-2]", "getitem x[1, ..., ::-1]", "getitem x[np.False_]", "getitem x[unsigned]",
    "getitem x[integers, ::-1]", "getitem x[:, integers, None, 0]",
}  # fmt: skip

NOT_IN_AUTOGRAD = {
    # No rule.
    "positive", "negative -x", "cbrt", "copy", "float_power", "copysign", "fmod", "heaviside", "ldexp", "ptp",
    "cumprod", "bincount", "full_like", "vdot", "broadcast_arrays", "flip", "unstack", "take", "take_along_axis",
    "atleast_2d two", "dot method", "clip bounds alone", "clip bounds of which some are crossed",
    # A rule for other arguments only.
    "arctan2 list, x", "power x, list", "clip min=", "clip max=", "clip method max=", "trace axes 2 and 0",
    "trace axes -1 and -3", "transpose method", "transpose negative axes", "swapaxes mT", "roll axes",
    "roll one axis twice", "concatenate axis=None", "repeat of 0d", "repeat counts", "repeat counts of all",
    "broadcast_to of 2x3", "broadcast_to of 3", "broadcast_to of 0d", "broadcast_to empty", "outer of 0d 0d",
    "outer of 2x2 1x3", "outer of 0d 3", "tile none", "pad constant", "pad constant 5", "pad pairs of equals",
    *(f"pad {mode}{far}" for mode in ("edge", "reflect", "symmetric", "wrap") for far in ("", ", far")),
    # An argument that was broadcast gets a gradient of the broadcast shape.
    "where of 0d 2x3", "where of 2x1 3", "where of 1x3 0d", "where narrow condition of 0d 2x3",
    "where narrow condition of 2x1 3", "where narrow condition of 1x3 0d", "where condition of its own of 0d 2x3",
    "where condition of its own of 2x1 3", "where number of 0d", "where number of 0x1x1",
    "einsum ij,ij->i", "einsum i,i->", "einsum i,i,i-> of 1 1 3",
    # 0 / 0 beside a zero; subscripts with a recurring label; sums over the wrong copies; a list of bools as numbers.
    "prod with a zero", "prod axis=0 with a zero", "prod axis=(2, 0), keepdims=True with a zero", "prod two zeros",
    "einsum ii", "einsum ii->i", "einsum iij->ij", "einsum iji->j", "einsum ijij->ij", "einsum iii", "einsum iii->i",
    "einsum ii,i->i", "einsum ii,jj->ij", "einsum ii,ik->k", "einsum ...ii->...i",
    "tile of 2x3", "tile fewer than axes", "repeat axis", "getitem x[list of bool]",
    "split overlapping", "hsplit of 3",
}  # fmt: skip


def shared(absent):
    """The examples that are not among those absent from a peer."""
    examples = [e for e in examples_of(CORE) if not {e.spec.of.__name__, e.spec.name, str(e)} & absent]
    return pytest.mark.parametrize("example", examples, ids=str)


def assert_same(example, theirs):
    arrays = example.arrays()
    ours = gradients(example.call, arrays, seeds(example.call(*arrays)))
    for gradient, expected in zip(ours, theirs, strict=True):
        assert gradient.shape == expected.shape
        scale = np.max(np.abs(expected), initial=0.0)
        np.testing.assert_allclose(gradient, expected, rtol=RTOL, atol=RTOL * scale)


@pytest.mark.filterwarnings(
    "ignore:.*degrees of freedom is <= 0", "ignore:.*dtype torch.uint8 is now deprecated", "ignore:The use of `x.T`"
)
@shared(NOT_IN_TORCH)
def test_gradients_agree_with_pytorch(example):
    arrays = example.arrays()
    cotangents = [torch.tensor(cotangent) for cotangent in seeds(example.call(*arrays))]
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    results = as_list(example.spec.call(TORCH, *leaves))
    sum(torch.sum(r * c) for r, c in zip(results, cotangents, strict=True)).backward()
    assert_same(example, [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy() for leaf in leaves])


@pytest.mark.filterwarnings("ignore:Output seems independent of input")
@shared(NOT_IN_AUTOGRAD)
def test_gradients_agree_with_autograd(example):
    arrays = example.arrays()
    cotangents = seeds(example.call(*arrays))

    def weighted(*arguments):
        results = example.spec.call(autograd.numpy, *arguments)
        results = list(results) if isinstance(results, SequenceBox) else as_list(results)
        return sum(autograd.numpy.sum(r * c) for r, c in zip(results, cotangents, strict=True))

    assert_same(example, [autograd.grad(weighted, i)(*arrays) for i in range(len(arrays))])
