"""Descriptions of models as data for files, and models made from such data; no code in a file is ever run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..layers import activations
from ..layers.dense import Dense
from ..layers.dropout import Dropout
from ..layers.embedding import Embedding
from ..layers.normalization import BatchNorm, LayerNorm
from ..layers.sequential import MLP, Sequential
from ..module import Module

Spec = dict[str, Any]


class ArchitectureError(ValueError):
    """A model cannot be described, or no model can be made from a description."""


def describe(module: Module) -> Spec:
    """A model as data: the name of its class, and the options that it was made with.

    Raises
    ------
    ArchitectureError
        If a part of the model is a class or a function of the user.

    Examples
    --------
    >>> describe(Sequential(Dense(3, 2), activations.ReLU()))["layers"][1]
    {'class': 'ReLU'}
    """
    kind = type(module)
    name = kind.__name__
    if _CLASSES.get(name) is not kind:
        raise ArchitectureError(
            f"{name} is a class of your own, which a file cannot hold; make the model in your program, and read its "
            "weights with load_weights(model, path)"
        )
    if isinstance(module, Sequential):
        return {"class": name, "layers": [_layer(layer) for layer in module.layers]}
    return {"class": name, **_OPTIONS.get(name, _activation_options)(module)}


def build(spec: Any) -> Module:
    """Make the model of a description by `describe`, with new initial weights.

    Raises
    ------
    ArchitectureError
        If it is not such a description, or has a class that this version does not know.
    """
    if not isinstance(spec, Mapping) or not isinstance(spec.get("class"), str):
        raise ArchitectureError(f"expected the description of a model, got {spec!r}")
    name = spec["class"]
    if name not in _CLASSES:
        raise ArchitectureError(f"the class {name!r} is unknown; this version knows {', '.join(_CLASSES)}")
    kind = _CLASSES[name]
    options = {key: value for key, value in spec.items() if key != "class"}
    if issubclass(kind, Sequential):
        layers = options.get("layers")
        if not isinstance(layers, list):
            raise ArchitectureError(f"{name}: expected a list of layers, got {layers!r}")
        sequence = object.__new__(kind)
        Sequential.__init__(sequence, *(build(layer) for layer in layers))
        return sequence
    try:
        module: Module = kind(**options)
    except (TypeError, ValueError) as error:
        raise ArchitectureError(f"{name} cannot be made with the options {options}: {error}") from None
    return module


def _layer(layer: Any) -> Spec:
    if isinstance(layer, Module):
        return describe(layer)
    for kind in activations.ACTIVATIONS.values():
        if kind.function is layer:
            return {"class": kind.__name__}
    raise ArchitectureError(
        f"the layer {getattr(layer, '__name__', layer)!r} is a function of your own, which a file cannot hold; make "
        "the model in your program, and read its weights with load_weights(model, path)"
    )


def _dtype(tensor: Any) -> str:
    return str(np.dtype(tensor.dtype))


_OPTIONS: dict[str, Callable[[Any], Spec]] = {
    "Dense": lambda m: {
        "in_features": m.in_features, "out_features": m.out_features, "bias": m.bias is not None,
        "dtype": _dtype(m.weight),
    },
    "Embedding": lambda m: {
        "num_embeddings": m.num_embeddings, "embedding_dim": m.embedding_dim, "dtype": _dtype(m.weight),
    },
    "BatchNorm": lambda m: {
        "features": m.features, "momentum": m.momentum, "eps": m.eps, "dtype": _dtype(m.weight),
    },
    "LayerNorm": lambda m: {"features": m.features, "eps": m.eps, "dtype": _dtype(m.weight)},
    "Dropout": lambda m: {"p": m.p},
}  # fmt: skip


def _activation_options(module: Any) -> Spec:
    return dict(module.options)


_CLASSES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Dense, Sequential, MLP, Embedding, BatchNorm, LayerNorm, Dropout, *activations.ACTIVATIONS.values())
}
