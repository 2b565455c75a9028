"""Nested containers of arrays: dicts, lists, tuples, dataclasses, and modules with named parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

Kind = TypeVar("Kind")

Rebuild = Callable[[list[Any]], Any]


# ---- tuples, lists and dicts, as arguments and results are nested ----


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Nested tuples, lists and dicts with every other thing in them put through a function.

    Examples
    --------
    >>> mapped(abs, [-1, (2, {"a": -3})])
    [1, (2, {'a': 3})]
    """
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([mapped(change, member) for member in value])
    if kind is dict:
        return {key: mapped(change, member) for key, member in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(mapped(change, member) for member in value)
    return change(value)


def found(kind: type[Kind], value: Any) -> Iterator[Kind]:
    """What is of a kind in nested tuples, lists and dicts.

    Examples
    --------
    >>> list(found(int, [1, ("a", {"b": 2})]))
    [1, 2]
    """
    if isinstance(value, kind):
        yield value
    elif isinstance(value, tuple | list):
        for member in value:
            yield from found(kind, member)
    elif isinstance(value, dict):
        for member in value.values():
            yield from found(kind, member)


def is_of_numbers(value: Any) -> bool:
    """Whether a value is a list of Python's numbers, or of such lists, that stands for an array."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(member, int | float | complex) or is_of_numbers(member) for member in value)


# ---- trees of arrays, as transforms take them: dataclasses and modules too ----


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a tree in order, and the function that puts other leaves in their places.

    Dicts keep the order of their keys. None holds no leaf. What has ``named_parameters()`` and ``with_parameters()``
    has its parameters for leaves.
    """
    leaves: list[Any] = []
    rebuild = _flatten(tree, leaves)
    return leaves, lambda values: rebuild(iter(values))


def _flatten(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    if tree is None:
        return lambda values: None
    if isinstance(tree, dict):
        parts = {key: _flatten(value, leaves) for key, value in tree.items()}
        return lambda values: type(tree)((key, part(values)) for key, part in parts.items())
    if isinstance(tree, list | tuple):
        members = [_flatten(value, leaves) for value in tree]
        if hasattr(tree, "_make"):
            return lambda values: tree._make(member(values) for member in members)
        return lambda values: type(tree)(member(values) for member in members)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        fields = {f.name: _flatten(getattr(tree, f.name), leaves) for f in dataclasses.fields(tree) if f.init}
        return lambda values: dataclasses.replace(tree, **{name: field(values) for name, field in fields.items()})
    if hasattr(tree, "with_parameters"):
        names = [name for name, parameter in tree.named_parameters() if not leaves.append(parameter)]  # type: ignore[func-returns-value]
        return lambda values: tree.with_parameters({name: next(values) for name in names})
    leaves.append(tree)
    return next


def structure(tree: Any) -> Any:
    """The tree that derivatives with respect to a tree come in: the same, with a dict by name for a module."""
    if hasattr(tree, "with_parameters"):
        return dict(tree.named_parameters())
    if isinstance(tree, dict):
        return {key: structure(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        members = [structure(value) for value in tree]
        return tree._make(members) if hasattr(tree, "_make") else type(tree)(members)
    return tree


def differentiable_leaf(value: Any, where: str) -> Any:
    """A leaf as a floating-point array or tensor.

    Raises
    ------
    TypeError
        If it is none: an integer, text, an object.
    """
    leaf = value if hasattr(value, "dtype") and hasattr(value, "shape") else None
    if leaf is None and isinstance(value, float | complex):
        leaf = np.asarray(value)
    if leaf is None or leaf.dtype.kind not in "fc":
        given = f"{leaf.dtype} of shape {leaf.shape}" if leaf is not None else f"{type(value).__name__} {value!r:.60}"
        advice = "; write 3.0 for 3, or use .astype(float)" if leaf is not None or isinstance(value, int) else ""
        raise TypeError(
            f"{where}: expected floating-point numbers to differentiate with respect to, got {given}{advice}"
        )
    return np.asarray(leaf) if isinstance(leaf, np.generic) else leaf


def paths(tree: Any) -> list[str]:
    """The name of each leaf of a tree, in the order of `flatten`: keys, numbers and fields, joined by dots.

    Examples
    --------
    >>> paths({"W": 1.0, "layers": [2.0, (3.0, 4.0)]})
    ['W', 'layers.0', 'layers.1.0', 'layers.1.1']
    """
    inner = members(tree)
    return [""] if inner is None else [joined(key, path) for key, member in inner for path in paths(member)]


def joined(*names: str) -> str:
    """The names that are not empty, with dots between."""
    return ".".join(filter(None, names))


def members(tree: Any) -> list[tuple[str, Any]] | None:
    """What is right inside of a tree, by name; None for a leaf."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [(str(key), value) for key, value in tree.items()]
    if isinstance(tree, list | tuple):
        return [(str(key), value) for key, value in zip(getattr(tree, "_fields", range(len(tree))), tree, strict=True)]
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(field.name, getattr(tree, field.name)) for field in dataclasses.fields(tree) if field.init]
    if hasattr(tree, "with_parameters"):
        return list(tree.named_parameters())
    return None
