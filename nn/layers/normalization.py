"""Normalisation: layers whose outputs have mean 0 and variance 1, over the batch or over the features."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite import Tensor
from autograd_lite.extend import innermost_array

from ..arguments import fraction, nonnegative, positive_int
from ..mode import Setting
from ..module import Module

_np: Any = np


class BatchNorm(Module):
    """Normalises each feature over the batch: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Ioffe and Szegedy (2015). In training, mean and variance are those of the batch; in use, after ``eval()``, they are
    running means over the batches before, ``(1 - momentum) old + momentum new``, with the unbiased variance, as in
    PyTorch. Every run of the layer in training counts: within `autograd_lite.transforms.checkpoint`, which runs a
    function twice, a batch counts twice.

    Parameters
    ----------
    features : int
        The length of the last axis; all other axes are the batch.
    momentum : float, default 0.1
        The share of a new batch in the running means.
    eps : float, default 1e-5
        A number that is added to the variance.
    dtype : dtype, default float32
        The dtype of the parameters.

    Attributes
    ----------
    weight, bias : Tensor, shape (features,)
        Scale and shift; they start at 1 and 0.
    running_mean, running_var : Tensor, shape (features,)
        The running means; they are not trained, but saved with the parameters.

    Raises
    ------
    ValueError
        If the input has another number of features, or in training a batch has a single example.

    Examples
    --------
    >>> layer = BatchNorm(2, dtype=np.float64)
    >>> layer(np.array([[0.0, 5.0], [2.0, 9.0]])).data.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> layer.running_mean.data
    array([0.1, 0.7])
    """

    momentum = Setting()
    eps = Setting()

    def __init__(
        self, features: int, momentum: float = 0.1, eps: float = 1e-5, dtype: npt.DTypeLike = np.float32
    ) -> None:
        self.features = positive_int(features, "BatchNorm: features")
        self.momentum = fraction(momentum, "BatchNorm: momentum", closed=True)
        self.eps = nonnegative(eps, "BatchNorm: eps")
        self.weight = Tensor(np.ones(self.features, dtype), requires_grad=True, name="weight")
        self.bias = Tensor(np.zeros(self.features, dtype), requires_grad=True, name="bias")
        self.running_mean = Tensor(np.zeros(self.features, dtype), name="running_mean")
        self.running_var = Tensor(np.ones(self.features, dtype), name="running_var")

    def forward(self, x: Any) -> Any:
        """`x` of shape (..., features), normalised."""
        x = x if hasattr(x, "shape") else np.asarray(x)
        if x.ndim < 2 or x.shape[-1] != self.features:
            raise ValueError(
                f"BatchNorm({self.features}): the input has shape {x.shape}; expected (batch, ..., {self.features})"
            )
        if not self.training:
            return _scaled(x - self.running_mean, self.running_var, self.eps) * self.weight + self.bias
        axes = tuple(range(x.ndim - 1))
        count = math.prod(x.shape[:-1])
        if count < 2:
            raise ValueError(
                f"BatchNorm({self.features}): in training a batch needs at least two examples, but this one has "
                f"{count}; leave out a smaller last batch with drop_last=True, or call eval() to use the model"
            )
        mean = _np.mean(x, axis=axes)
        centred = x - mean
        variance = _np.mean(_np.square(centred), axis=axes)
        self._remember(innermost_array(mean), innermost_array(variance) * (count / (count - 1)))
        return _scaled(centred, variance, self.eps) * self.weight + self.bias

    def _remember(self, mean: Any, variance: Any) -> None:
        momentum = self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, variance)):
            old = running.data
            running.data = ((1 - momentum) * old + momentum * new).astype(old.dtype)

    def extra_repr(self) -> str:
        """The number of features, and the options."""
        return f"{self.features}, momentum={self.momentum}, eps={self.eps}"


class LayerNorm(Module):
    """Normalises each example over its features: ``(x - mean) / sqrt(var + eps) * weight + bias``.

    Ba, Kiros and Hinton (2016). It computes the same in training and in use.

    Parameters
    ----------
    features : int
        The length of the last axis, over which mean and variance are computed.
    eps : float, default 1e-5
        A number that is added to the variance.
    dtype : dtype, default float32
        The dtype of the parameters.

    Attributes
    ----------
    weight, bias : Tensor, shape (features,)
        Scale and shift; they start at 1 and 0.

    Raises
    ------
    ValueError
        If the input has another number of features.

    Examples
    --------
    >>> layer = LayerNorm(3, dtype=np.float64)
    >>> layer(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 30.0]])).data.round(3)
    array([[-1.225,  0.   ,  1.225],
           [-0.707, -0.707,  1.414]])
    """

    eps = Setting()

    def __init__(self, features: int, eps: float = 1e-5, dtype: npt.DTypeLike = np.float32) -> None:
        self.features = positive_int(features, "LayerNorm: features")
        self.eps = nonnegative(eps, "LayerNorm: eps")
        self.weight = Tensor(np.ones(self.features, dtype), requires_grad=True, name="weight")
        self.bias = Tensor(np.zeros(self.features, dtype), requires_grad=True, name="bias")

    def forward(self, x: Any) -> Any:
        """`x` of shape (..., features), normalised."""
        x = x if hasattr(x, "shape") else np.asarray(x)
        if not x.ndim or x.shape[-1] != self.features:
            raise ValueError(
                f"LayerNorm({self.features}): the input has shape {x.shape}; expected (..., {self.features})"
            )
        centred = x - _np.mean(x, axis=-1, keepdims=True)
        variance = _np.mean(_np.square(centred), axis=-1, keepdims=True)
        return _scaled(centred, variance, self.eps) * self.weight + self.bias

    def extra_repr(self) -> str:
        """The number of features, and `eps`."""
        return f"{self.features}, eps={self.eps}"


def _scaled(centred: Any, variance: Any, eps: float) -> Any:
    return centred / _np.sqrt(variance + eps)
