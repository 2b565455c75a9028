"""The network of an estimator: dense layers with normalisation, activation and dropout, from lists of options."""

from __future__ import annotations

import math
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
    random_state: np.random.RandomState,
    dtype: Any,
    owner: str,
) -> Sequential:
    """A new network, whose weights are drawn as those of scikit-learn's MLP.

    Parameters
    ----------
    features, outputs : int
        The numbers of inputs and outputs.
    sizes : list of int
        The numbers of hidden units.
    activation, dropout, normalization
        As in `MLPClassifier`.
    random_state : RandomState
        What draws the weights and biases, and the seed of dropout.
    dtype : dtype
        The dtype of the weights.
    owner : str
        The estimator, for messages.

    Examples
    --------
    >>> build_network(4, [8], 3, activation="relu", dropout=0.1, normalization="layer",
    ...               random_state=np.random.RandomState(0), dtype=np.float32, owner="")
    Sequential(
        layers.0: Dense(weight=(4, 8), bias=(8,))
        layers.1: LayerNorm(8, eps=1e-05)
        layers.2: ReLU()
        layers.3: Dropout(p=0.1)
        layers.4: Dense(weight=(8, 3), bias=(3,))
    )  # 83 parameters
    """
    count = len(sizes)
    activations = for_each_layer(activation, count, f"{owner}: activation")
    shares = for_each_layer(dropout, count, f"{owner}: dropout")
    kinds = for_each_layer(normalization, count, f"{owner}: normalization")
    factor = 2 if "logistic" in activations else 6
    layers: list[Any] = []
    fan_in = features
    for size, name, share, kind in zip(sizes, activations, shares, kinds, strict=True):
        layers.append(_dense(fan_in, size, factor, random_state, dtype))
        if kind is not None:
            layers.append(_normalization(kind, size, dtype, owner))
        if name != "identity":
            layers.append(_activation(name, owner))
        if fraction(share, f"{owner}: dropout"):
            layers.append(Dropout(share))
        fan_in = size
    network = Sequential(*layers, _dense(fan_in, outputs, factor, random_state, dtype))
    for layer in layers:  # after all weights, so that these do not depend on dropout
        if isinstance(layer, Dropout):
            layer.rng = np.random.default_rng(random_state.randint(2**31 - 1))
    return network


def _dense(fan_in: int, fan_out: int, factor: int, random_state: np.random.RandomState, dtype: Any) -> Dense:
    """A layer with weights and biases uniform within ``sqrt(factor / (fan_in + fan_out))`` (Glorot and Bengio 2010)."""
    limit = math.sqrt(factor / (fan_in + fan_out))
    layer = Dense(fan_in, fan_out, init="zeros", dtype=dtype)
    for parameter in layer.parameters():
        parameter.data = random_state.uniform(-limit, limit, parameter.shape).astype(dtype)
    return layer


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
