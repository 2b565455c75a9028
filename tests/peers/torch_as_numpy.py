"""PyTorch under NumPy's names, for calls of the table of specifications."""

from types import SimpleNamespace

import numpy as np
import torch


class TorchAsNumPy(SimpleNamespace):
    """The functions that take other arguments than NumPy's; all others are PyTorch's own."""

    def __getattr__(self, name):
        return getattr(torch, name)


def torch_numbers(*operands):
    """Operands of which plain numbers have become tensors of the others' dtype."""
    (dtype,) = {x.dtype for x in operands if isinstance(x, torch.Tensor)}
    return [torch.as_tensor(x, dtype=dtype) for x in operands]


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
    asarray=torch.as_tensor,
    conjugate=torch.conj,
    fabs=torch.abs,
    rint=torch.round,
    copy=torch.clone,
    degrees=torch.rad2deg,
    radians=torch.deg2rad,
    power=torch.pow,
    round=lambda a, decimals=0: torch.round(a, decimals=decimals),
    where=lambda condition, x, y: torch.where(torch.as_tensor(condition), x, y),
    maximum=lambda x1, x2: torch.maximum(*torch_numbers(x1, x2)),
    minimum=lambda x1, x2: torch.minimum(*torch_numbers(x1, x2)),
    mean=lambda a, axis=None, keepdims=False: torch.mean(a, dim=axis, keepdim=keepdims),
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
