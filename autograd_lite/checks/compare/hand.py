"""Reads gradients that were derived by hand, in the forms in which people have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...core.tree import joined, members
from .rows import Array


def gradients_by_hand(given: Any, computed: Mapping[str, Array]) -> dict[str, Array]:
    """The gradients by name, without those that are None; a part of the parameters is enough.

    A list or tuple of as many arrays as there are parameters has their order, and so has one vector of all numbers.

    Raises
    ------
    KeyError
        If nothing is given, or a name is not known.
    TypeError
        If a gradient does not consist of numbers.
    """
    if hasattr(given, "named_parameters"):
        given = {str(name): getattr(parameter, "grad", None) for name, parameter in given.named_parameters()}
    elif "" not in computed and len(computed) != 1 and _is_flat(given, computed):
        given = _in_parts(np.asarray(given.data if isinstance(given, Tensor) else given), computed)
    elif isinstance(given, list | tuple) and len(given) == len(computed) and not _is_numbered(computed):
        given = dict(zip(computed, given, strict=True))
    derived = _named(given, computed)
    unknown = derived.keys() - computed.keys()
    derived = {name: value for name, value in derived.items() if value is not None}
    if unknown or not derived.keys() & computed.keys():
        missing = computed.keys() - derived.keys()
        problems = [f"missing by hand: {', '.join(sorted(missing))}"] if missing else []
        problems += (
            [f"not known to the engine: {', '.join(sorted(name or 'a value without a name' for name in unknown))}"]
            if unknown
            else []
        )
        raise KeyError(f"compare_gradients: the parameters by hand must be the engine's ({'; '.join(problems)})")
    return {name: plain(f"the gradient of {name} by hand", value) for name, value in derived.items()}


def plain(name: str, value: Any) -> Array:
    """A gradient as an array of numbers."""
    try:
        array = np.asarray(value.data if isinstance(value, Tensor) else value)
    except ValueError:
        raise TypeError(
            f"compare_gradients: the rows of {name} have different lengths; expected an array of numbers"
        ) from None
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"compare_gradients: {name} has dtype {array.dtype}; expected numbers")
    return array


def _is_numbered(computed: Mapping[str, Array]) -> bool:
    """Whether the parameters themselves are in a list."""
    return any(name == "0" or name.startswith("0.") for name in computed)


def _is_flat(given: Any, computed: Mapping[str, Array]) -> bool:
    total = sum(gradient.size for gradient in computed.values())
    return isinstance(given, np.ndarray | Tensor) and given.ndim == 1 and given.size == total


def _in_parts(vector: Array, computed: Mapping[str, Array]) -> dict[str, Array]:
    ends = np.cumsum([gradient.size for gradient in computed.values()])
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(computed[name].shape) for name, part in zip(computed, parts, strict=True)}


def _named(given: Any, parameters: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The gradients by name; the value under a parameter's name is its gradient, even if it is a list of numbers."""
    inner = None if path in parameters or given is None else members(given)
    if inner is None:
        return {path: given} if path or given is not None else {}
    found: dict[str, Any] = {}
    for key, value in inner:
        found |= _named(value, parameters, joined(path, key))
    return found
