"""The reverse pass over a function, and how values enter and leave the level of a transform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.context import CONTEXT
from ..core.operands import instead_of, is_array
from ..core.tensor import Tensor, wrap
from ..core.tree import Rebuild, differentiable_leaf, flatten, paths
from ..errors import LostGradientError
from .interpreter import Level
from .reverse import ReverseLevel


def linearized(
    f: Callable[..., Any], primals: Sequence[Any], transform: str
) -> tuple[list[Any], Callable[..., list[Any]], Callable[[list[Any]], Any]]:
    """The leaves of a function's result, their pullback to the leaves of the primals, and the result's structure."""
    leaves, rebuild = flatten(tuple(primals))
    values = [entering(leaf, transform) for leaf in leaves]
    as_tensors = any(isinstance(leaf, Tensor) for leaf in leaves)
    with ReverseLevel(transform) as level:
        inputs = [level.argument(value) for value in values]
        result = f(*rebuild(list(inputs)))
    outs, rebuild_out = results_of(result, level)
    lowered = [array_like(level.lower(out)) for out in outs]

    def pull(cotangents: Sequence[Any], retain_graph: bool = True) -> list[Any]:
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
    if type(value) is Tensor and (value.node is None or not CONTEXT.get().recording):
        return value._array()
    return value


def leaving(value: Any, as_tensor: bool) -> Any:
    """A result for the user: a tensor if an argument was one or if it is in a graph; else an array or a number."""
    if isinstance(value, Tensor):
        return value if as_tensor or value.requires_grad else leaving(value.data, False)
    if as_tensor:
        return wrap(value)
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def as_tuple(given: Any, name: str) -> tuple[Any, ...]:
    """Primals or tangents as a tuple with one for each argument."""
    if not isinstance(given, list | tuple):
        raise TypeError(
            f"jvp: {name} are a tuple with one for each argument of the function, not {type(given).__name__}; write "
            f"({name[:-1]},) for a single one"
        )
    return tuple(given)


def _refuse_taken_number(result: Any, level: Level) -> None:
    """Refuse a Python number from a function that has called ``.item()``: its derivative would be zero.

    Raises
    ------
    LostGradientError
    """
    if level.gave_number and type(result) in (float, complex):
        raise LostGradientError(
            f"{level.transform}: the function returned the number {result!r}, and .item() had taken a number out of a "
            "tensor before, so its derivative would be lost; return the tensor itself, without .item()"
        )


def results_of(result: Any, level: Level) -> tuple[list[Any], Rebuild]:
    """The leaves of the result of a level's function, and its structure.

    Raises
    ------
    TypeError
        If one is not an array of floating-point numbers: it would have a derivative of zeros, or none.
    LostGradientError
        If one was taken out of the level by ``.item()``.
    """
    leaves, rebuild = flatten(result)
    transform = level.transform
    for leaf, path in zip(leaves, paths(result), strict=True):
        _refuse_taken_number(leaf, level)
        dtype = dtype_of(np.asarray(leaf) if type(leaf) in (float, complex) else leaf)
        if dtype is None or dtype.kind not in "fc":
            given = f"{type(leaf).__name__} {leaf!r:.60}" if dtype is None else f"{dtype} of shape {leaf.shape}"
            raise TypeError(
                f"{transform}: the function must return floating-point numbers, alone or in a tree, and returned "
                f"{given}{path and f' at {path!r}'}{instead_of(leaf) or '; leave it out, or use .astype(float)'}"
            )
    return leaves, rebuild


def dtype_of(value: Any) -> np.dtype[Any] | None:
    """The dtype of a tensor or an array; None for anything else, such as a Python number or a labelled array."""
    return value.dtype if isinstance(value, Tensor | np.generic) or is_array(value) else None


def array_like(value: Any) -> Any:
    """A value as something with a shape and a dtype.

    Raises
    ------
    TypeError
        If it is none, or means more than its numbers.
    """
    array = value if isinstance(value, Tensor) or is_array(value) else np.asarray(value)
    if array.dtype.kind not in "fiubc" or (array is not value and instead_of(value)):
        raise TypeError(f"expected an array of numbers, got {type(value).__name__} {value!r:.60}{instead_of(value)}")
    return array


def direction(given: Any, value: Any, kind: str) -> Any:
    """A tangent or cotangent with the dtype of the value that it belongs to."""
    if type(given) is Tensor and (given.node is None or not CONTEXT.get().recording):
        given = given._array()
    array = array_like(given)
    if array.shape != value.shape:
        raise ValueError(
            f"a {kind} of shape {array.shape} was given for a value of shape {value.shape}; the shapes must agree"
        )
    if array.dtype.kind not in ("fiubc" if value.dtype.kind == "c" else "fiub"):
        raise TypeError(f"a {kind} of {array.dtype} was given for a value of {value.dtype}; expected real numbers")
    return array if array.dtype == value.dtype else array.astype(value.dtype)
