"""Layers: affine maps, and networks of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite import Tensor

from ..init import Initializer, Random, get_initializer
from ..module import Module
from .activations import ACTIVATIONS


class Dense(Module):
    """The affine map ``x W + b``.

    Parameters
    ----------
    in_features, out_features : int
        The lengths of the last axis of the input and of the output.
    bias : bool, default True
        Whether ``b`` is added; it starts at zero.
    init : str or initialiser, default "glorot_uniform"
        How the weights start; see `nn.init`.
    rng : Generator, int or None
        Where random weights come from. The same seed gives the same weights, to the bit.
    dtype : dtype, default float32
        Of the parameters.

    Attributes
    ----------
    weight : Tensor, shape (in_features, out_features)
    bias : Tensor, shape (out_features,), or None

    Raises
    ------
    ValueError
        If a number of features is not a positive integer; on a call, if the input has another number of features.

    Examples
    --------
    >>> layer = Dense(3, 2, rng=0)
    >>> layer
    Dense(weight=(3, 2), bias=(2,))  # 8 parameters
    >>> layer(np.ones((5, 3), dtype=np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        init: str | Initializer = "glorot_uniform",
        rng: Random = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        for name, features in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(features, int | np.integer) or isinstance(features, bool) or features < 1:
                raise ValueError(f"Dense: {name} must be a positive integer, got {features!r}")
        self.in_features, self.out_features = int(in_features), int(out_features)
        weights = get_initializer(init)((self.in_features, self.out_features), rng=rng, dtype=dtype)
        self.weight = Tensor(weights, requires_grad=True, dtype=dtype, name="weight")
        self.bias = Tensor(np.zeros(self.out_features, dtype), requires_grad=True, name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """``x W + b`` for `x` of shape (..., in_features), an array or a tensor; of shape (..., out_features)."""
        shape = getattr(x, "shape", None)
        if shape is None:
            x = np.asarray(x)
            shape = x.shape
        if not shape or shape[-1] != self.in_features:
            raise ValueError(
                f"Dense({self.in_features}, {self.out_features}): the input has shape {shape}; expected "
                f"(..., {self.in_features})"
            )
        z = x @ self.weight
        return z if self.bias is None else z + self.bias


class Sequential(Module):
    """Modules, or any functions, applied one after the other.

    Parameters
    ----------
    *layers : callable
        Each takes the result of the one before.

    Attributes
    ----------
    layers : list
        Them. The sequence can be indexed, sliced and iterated over like the list.

    Examples
    --------
    >>> from nn import ReLU
    >>> model = Sequential(Dense(3, 4, rng=0), ReLU(), Dense(4, 2, rng=1))
    >>> model
    Sequential(
        layers.0: Dense(weight=(3, 4), bias=(4,))
        layers.1: ReLU()
        layers.2: Dense(weight=(4, 2), bias=(2,))
    )  # 26 parameters
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer):
                advice = "; write Sequential(*layers)" if isinstance(layer, list | tuple) else ""
                raise TypeError(f"Sequential: layer {i} is {type(layer).__name__}, not a module or function{advice}")
        self.layers = list(layers)

    def forward(self, x: Any) -> Any:
        """The last layer's result."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __getitem__(self, index: int | slice) -> Any:
        return Sequential(*self.layers[index]) if isinstance(index, slice) else self.layers[index]


class MLP(Sequential):
    """A multilayer perceptron: dense layers with an activation after each but the last.

    Parameters
    ----------
    sizes : sequence of int
        The numbers of inputs, of units in each hidden layer, and of outputs: ``[784, 128, 10]``.
    activation : str, callable or Module, default "relu"
        Of the hidden layers: a name from `nn.activations.ACTIVATIONS`, a function, or a module.
    output_activation : str, callable, Module or None
        Of the last layer; None, the default, leaves its outputs as they are (logits).
    bias : bool, default True
        Whether the layers add a bias.
    init : str or initialiser, optional
        How the weights start. By default he_uniform for the activations that are zero on one side (relu, leaky_relu,
        elu, gelu, silu, softplus), glorot_uniform for the others.
    rng : Generator, int or None
        Where random weights come from, layer after layer.
    dtype : dtype, default float32
        Of the parameters.

    Examples
    --------
    >>> MLP([784, 128, 10], activation="relu", rng=0)
    MLP(
        layers.0: Dense(weight=(784, 128), bias=(128,))
        layers.1: ReLU()
        layers.2: Dense(weight=(128, 10), bias=(10,))
    )  # 101,770 parameters
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Any = "relu",
        output_activation: Any = None,
        bias: bool = True,
        init: str | Initializer | None = None,
        rng: Random = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        if not isinstance(sizes, Sequence) or isinstance(sizes, str) or len(sizes) < 2:
            raise ValueError(
                f"MLP: sizes must name at least the inputs and the outputs, as in [784, 10]; got {sizes!r}"
            )
        if init is None:
            init = "he_uniform" if activation in _ONE_SIDED else "glorot_uniform"
        rng = np.random.default_rng(rng)
        layers: list[Any] = []
        for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            layers.append(Dense(fan_in, fan_out, bias=bias, init=init, rng=rng, dtype=dtype))
            after = activation if i < len(sizes) - 2 else output_activation
            if after is not None:
                layers.append(_activation(after))
        super().__init__(*layers)


_ONE_SIDED = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")


def _activation(activation: Any) -> Any:
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(f"the activation {activation!r} is unknown; expected one of {', '.join(ACTIVATIONS)}")
        return ACTIVATIONS[activation]()
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if not callable(activation):
        raise TypeError(f"an activation must be a name, a function or a module, not {type(activation).__name__}")
    return activation
