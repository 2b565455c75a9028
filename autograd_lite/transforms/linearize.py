"""The reverse pass over a function, and how values enter and leave the level of a transform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.context import THREAD
from ..core.tensor import Tensor, wrap
from ..core.tree import differentiable_leaf, flatten
from .reverse import ReverseLevel


def linearized(
    f: Callable[..., Any], primals: Sequence[Any], transform: str
) -> tuple[list[Any], Callable[..., list[Any]], Callable[[list[Any]], Any]]:
    """The leaves of a function's result, their pullback to the leaves of the primals, and the result's structure."""
    leaves, rebuild = flatten(tuple(primals))
    values = [entering(leaf, transform) for leaf in leaves]
    as_tensors = any(isinstance(leaf, Tensor) for leaf in leaves)
    with ReverseLevel(transform) as level:
        inputs = [level.input(value) for value in values]
        result = f(*rebuild(list(inputs)))
    outs, rebuild_out = flatten(result)
    lowered = [array_like(level.lower(out)) for out in outs]

    def pull(cotangents: Sequence[Any], retain_graph: bool = True) -> list[Any]:
        if len(cotangents) != len(outs):
            raise ValueError(
                f"{transform}: the result holds {len(outs)} arrays, but {len(cotangents)} cotangents were given; a "
                "cotangent must have the structure of the result"
            )
        totals: list[Any] = [None] * len(inputs)
        tensors = as_tensors or any(isinstance(g, Tensor) for g in cotangents)
        for out, low, g in zip(outs, lowered, cotangents, strict=True):
            g = direction(g, low, "cotangent")
            if level.owns(out):
                found = level.pull(out, g, inputs, retain_graph or len(outs) > 1)
                totals = [b if a is None else a if b is None else a + b for a, b in zip(totals, found, strict=True)]
        return [
            leaving(np.zeros_like(value) if total is None else total, tensors)
            for total, value in zip(totals, values, strict=True)
        ]

    return [leaving(low, as_tensors) for low in lowered], pull, rebuild_out


def entering(leaf: Any, transform: str) -> Any:
    """The value that a level wraps for an argument: a plain array, or a tensor that outer levels differentiate."""
    value = differentiable_leaf(leaf, transform)
    if type(value) is Tensor and (value.node is None or not THREAD.context.recording):
        return value._array()
    return value


def leaving(value: Any, as_tensor: bool) -> Any:
    """A result for the user: a tensor if an argument was one or if it is in a graph; else an array or a number."""
    if isinstance(value, Tensor):
        return value if as_tensor or value.requires_grad else leaving(value.data, False)
    if as_tensor:
        return wrap(value)
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def array_like(value: Any) -> Any:
    """A value as an object with a shape and a dtype."""
    return value if hasattr(value, "shape") and hasattr(value, "dtype") else np.asarray(value)


def direction(given: Any, value: Any, kind: str) -> Any:
    """A tangent or cotangent with the dtype of the value that it belongs to."""
    if type(given) is Tensor and (given.node is None or not THREAD.context.recording):
        given = given._array()
    array = array_like(given)
    if array.shape != value.shape:
        raise ValueError(
            f"a {kind} of shape {array.shape} was given for a value of shape {value.shape}; the shapes must agree"
        )
    if array.dtype.kind not in ("fiubc" if value.dtype.kind == "c" else "fiub"):
        raise TypeError(f"a {kind} of {array.dtype} was given for a value of {value.dtype}; expected real numbers")
    return array if array.dtype == value.dtype else array.astype(value.dtype)
