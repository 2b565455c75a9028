"""`Sequential`: layers one after the other; and `MLP`, the sequence of dense layers and activations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..init import Initializer, Random
from ..module import Module
from .activations import ACTIVATIONS
from .dense import Dense


class Sequential(Module):
    """Modules, or any functions, applied one after the other.

    Parameters
    ----------
    *layers : callable
        The layers; each takes the result of the previous one.

    Attributes
    ----------
    layers : list
        The layers. The sequence itself can be indexed, sliced and iterated over like this list.

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
                raise TypeError(
                    f"Sequential: layer {i} is {type(layer).__name__}; expected a module or a function{advice}"
                )
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
        The activation of the hidden layers: a name from `nn.activations.ACTIVATIONS`, a function, or a module.
    output_activation : str, callable, Module or None
        The activation of the last layer; None, the default, means no activation (logits).
    bias : bool, default True
        Whether the layers add a bias.
    init : str or initialiser, optional
        The initialiser of the weights. By default he_uniform for activations that are near zero on one side (relu,
        leaky_relu, elu, gelu, silu, softplus), glorot_uniform for the others.
    rng : Generator, int or None
        The generator of random weights, layer after layer, or its seed.
    dtype : dtype, default float32
        The dtype of the parameters.

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
                f"MLP: sizes must have at least the numbers of inputs and outputs, as in [784, 10]; got {sizes!r}"
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
