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


_DEEPEST = 100
"""The number of sequences within each other that a file can describe."""

_MOST_LAYERS = 100_000
"""The number of layers that a file can describe."""


class ArchitectureError(ValueError):
    """A model cannot be described, or no model can be made from a description."""


def describe(module: Module, depth: int = 0) -> Spec:
    """A model as data: the name of its class, and the options that it was made with.

    Raises
    ------
    ArchitectureError
        If a part of the model is a class or a function of the user, or if it has too many layers or too deep ones.

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
        _check_limits(len(module.layers), depth)
        return {"class": name, "layers": [_layer(layer, depth + 1) for layer in module.layers]}
    return {"class": name, **_OPTIONS.get(name, _activation_options)(module)}


def build(spec: Any, size: int | None = None) -> Module:
    """Make the model of a description by `describe`, with new initial weights.

    Parameters
    ----------
    spec : mapping
        The description.
    size : int, optional
        The number of numbers that there are for its tensors; without it, the model may have any size.

    Raises
    ------
    ArchitectureError
        If it is not such a description, has a class that this version does not know, or describes a larger model; this
        is known before anything of a layer's size is allocated.
    """
    return _Builder(size).build(spec, 0)


class _Builder:
    """Makes models whose tensors have a limited number of numbers."""

    def __init__(self, size: int | None) -> None:
        self.left = size
        self.layers = 0

    def build(self, spec: Any, depth: int) -> Module:
        if not isinstance(spec, Mapping) or not isinstance(spec.get("class"), str):
            raise ArchitectureError(f"expected the description of a model, got {repr(spec)[:60]}")
        name = spec["class"]
        if name not in _CLASSES:
            raise ArchitectureError(f"the class {name[:60]!r} is unknown; this version knows {', '.join(_CLASSES)}")
        kind = _CLASSES[name]
        options = {key: value for key, value in spec.items() if key != "class"}
        if issubclass(kind, Sequential):
            layers = options.get("layers")
            if not isinstance(layers, list):
                raise ArchitectureError(f"{name}: expected a list of layers, got {layers!r}")
            self.layers += len(layers)
            _check_limits(self.layers, depth)
            sequence = object.__new__(kind)
            Sequential.__init__(sequence, *(self.build(layer, depth + 1) for layer in layers))
            return sequence
        try:
            self._take(name, options)
            module: Module = kind(**options)
        except ArchitectureError:
            raise
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise ArchitectureError(f"{name} cannot be made with the options {repr(options)[:200]}: {error}") from None
        return module

    def _take(self, name: str, options: Mapping[str, Any]) -> None:
        """Take the numbers of a layer's tensors from those that there are."""
        if "dtype" in options and options["dtype"] not in _DTYPES:
            raise ValueError(f"the dtype is not one of {', '.join(_DTYPES)}")
        if self.left is None or name not in _SIZES:
            return
        counts = {key: value for key, value in options.items() if isinstance(value, int)}
        needed = _SIZES[name](counts)
        if needed > self.left:
            raise ArchitectureError(
                f"{name} with the options {repr(dict(options))[:200]} has {needed:,} numbers, and the file has "
                f"{self.left:,} for it"
            )
        self.left -= max(0, needed)


def _check_limits(layers: int, depth: int) -> None:
    if layers > _MOST_LAYERS:
        raise ArchitectureError(f"the model has more than {_MOST_LAYERS:,} layers, the most that a file can describe")
    if depth >= _DEEPEST:
        raise ArchitectureError(f"sequences are more than {_DEEPEST} deep, the most that a file can describe")


def _layer(layer: Any, depth: int) -> Spec:
    if isinstance(layer, Module):
        return describe(layer, depth)
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


_DTYPES = ("float16", "float32", "float64", "longdouble", "float128")

_SIZES: dict[str, Callable[[Mapping[str, int]], int]] = {
    "Dense": lambda o: o["in_features"] * o["out_features"] + o["out_features"] * o.get("bias", True),
    "Embedding": lambda o: o["num_embeddings"] * o["embedding_dim"],
    "BatchNorm": lambda o: 4 * o["features"],
    "LayerNorm": lambda o: 2 * o["features"],
}
"""The number of numbers in a layer's tensors."""


def _activation_options(module: Any) -> Spec:
    return dict(module.options)


_CLASSES: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (Dense, Sequential, MLP, Embedding, BatchNorm, LayerNorm, Dropout, *activations.ACTIVATIONS.values())
}
