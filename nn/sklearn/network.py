"""The network of an estimator: dense layers with normalisation, activation and dropout, from lists of options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arguments import fraction, positive_int
from ..layers.activations import ACTIVATIONS
from ..layers.dense import Dense
from ..layers.dropout import Dropout
from ..layers.normalization import BatchNorm, LayerNorm
from ..layers.sequential import Sequential
from ..module import Module

Array = NDArray[Any]

NORMALIZATIONS = {"batch": BatchNorm, "layer": LayerNorm}

_NAMES = {"logistic": "sigmoid"}
"""scikit-learn's names of activations, and ours."""

_ONE_SIDED = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus")


def hidden_sizes(given: Any, owner: str) -> list[int]:
    """The numbers of units of the hidden layers."""
    sizes = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    return [positive_int(size, f"{owner}: hidden_layer_sizes") for size in sizes]


def for_each_layer(given: Any, count: int, name: str) -> list[Any]:
    """An option of each hidden layer, from one for all or a sequence."""
    if not isinstance(given, list | tuple | np.ndarray):
        return [given] * count
    if len(given) != count:
        raise ValueError(
            f"{name} has {len(given)} entries, but there are {count} hidden layers; give one for each, or a single one"
        )
    return list(given)


def build_network(
    features: int,
    sizes: list[int],
    outputs: int,
    *,
    activation: Any,
    dropout: Any,
    normalization: Any,
    rng: np.random.Generator,
    dtype: Any,
    owner: str,
) -> Sequential:
    """A new network.

    Parameters
    ----------
    features, outputs : int
        The numbers of inputs and outputs.
    sizes : list of int
        The numbers of hidden units.
    activation, dropout, normalization
        As in `MLPClassifier`.
    rng : Generator
        The generator of the weights, and of dropout.
    dtype : dtype
        The dtype of the weights.
    owner : str
        The estimator, for messages.

    Examples
    --------
    >>> build_network(4, [8], 3, activation="relu", dropout=0.1, normalization="layer",
    ...               rng=np.random.default_rng(0), dtype=np.float32, owner="")
    Sequential(
        layers.0: Dense(weight=(4, 8), bias=(8,))
        layers.1: LayerNorm(8, eps=1e-05)
        layers.2: ReLU()
        layers.3: Dropout(p=0.1)
        layers.4: Dense(weight=(8, 3), bias=(3,))
    )  # 75 parameters
    """
    count = len(sizes)
    activations = for_each_layer(activation, count, f"{owner}: activation")
    shares = for_each_layer(dropout, count, f"{owner}: dropout")
    kinds = for_each_layer(normalization, count, f"{owner}: normalization")
    layers: list[Any] = []
    fan_in, init = features, "glorot_uniform"
    for size, name, share, kind in zip(sizes, activations, shares, kinds, strict=True):
        init = "he_uniform" if isinstance(name, str) and name in _ONE_SIDED else "glorot_uniform"
        layers.append(Dense(fan_in, size, init=init, rng=rng, dtype=dtype))
        if kind is not None:
            layers.append(_normalization(kind, size, dtype, owner))
        if name != "identity":
            layers.append(_activation(name, owner))
        if fraction(share, f"{owner}: dropout"):
            layers.append(Dropout(share, rng=rng))
        fan_in = size
    return Sequential(*layers, Dense(fan_in, outputs, init=init, rng=rng, dtype=dtype))


def _normalization(kind: Any, size: int, dtype: Any, owner: str) -> Module:
    if kind not in NORMALIZATIONS:
        raise ValueError(f"{owner}: normalization must be 'batch', 'layer' or None, got {kind!r}")
    module: Module = NORMALIZATIONS[kind](size, dtype=dtype)
    return module


def _activation(activation: Any, owner: str) -> Any:
    if isinstance(activation, str):
        name = _NAMES.get(activation, activation)
        if name not in ACTIVATIONS:
            known = ", ".join(["identity", *_NAMES, *ACTIVATIONS])
            raise ValueError(f"{owner}: the activation {activation!r} is unknown; expected one of {known}")
        return ACTIVATIONS[name]()
    if isinstance(activation, type) and issubclass(activation, Module):
        return activation()
    if not callable(activation):
        raise TypeError(
            f"{owner}: an activation must be a name, a function or a module, not {type(activation).__name__}"
        )
    return activation


def dense_layers(network: Sequential) -> list[Dense]:
    """The dense layers of a network, in order."""
    return [layer for layer in network if isinstance(layer, Dense)]
