"""Nested containers of arrays: dicts, lists, tuples, dataclasses, and modules with named parameters."""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..errors import StructureError
from .operands import instead_of, is_array

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
        return kind(
            [mapped(change, member) if isinstance(member, tuple | list | dict) else change(member) for member in value]
        )
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


class Container(NamedTuple):
    """A container, opened.

    Attributes
    ----------
    family : type
        What it can be taken for: every dict, and a module, for a dict by name; any other for its own class alone.
    keys : list
        Keys, positions or names of fields, in order.
    members : list
        What is under them.
    rebuild : callable
        From other members, in the same order, to a container of the same kind.
    """

    family: type
    keys: list[Any]
    members: list[Any]
    rebuild: Callable[[list[Any]], Any]


def opened(tree: Any) -> Container | None:
    """A container with its keys, members and the way to build it anew; None for a leaf.

    Containers are dicts, lists, tuples and deques, with what derives from them (`collections.OrderedDict`, named
    tuples), dataclasses, and what has ``named_parameters()`` and ``with_parameters()``. None is one without members.
    """
    if tree is None:
        return Container(type(None), [], [], lambda members: None)
    kind = type(tree)
    if isinstance(tree, dict):
        keys = list(tree)
        return Container(
            dict, keys, list(tree.values()), lambda members: _filled(tree, zip(keys, members, strict=True))
        )
    if isinstance(tree, list | tuple | deque):
        return Container(kind, list(range(len(tree))), list(tree), lambda members: _sequence_like(tree, members))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [field.name for field in dataclasses.fields(tree) if field.init]
        return Container(
            kind,
            names,
            [getattr(tree, name) for name in names],
            lambda members: dataclasses.replace(tree, **dict(zip(names, members, strict=True))),
        )
    if hasattr(tree, "with_parameters"):
        named = dict(tree.named_parameters())
        return Container(
            dict,
            list(named),
            list(named.values()),
            lambda members: tree.with_parameters(dict(zip(named, members, strict=True))),
        )
    return None


def _filled(tree: dict[Any, Any], items: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dict of the same kind with other values, and with the order and the default of the first."""
    if type(tree) is dict:
        return dict(items)
    other = copy(tree)
    for key, value in items:
        other[key] = value
    return other


def _sequence_like(tree: Any, members: list[Any]) -> Any:
    """A list, tuple or deque of the same kind with other members."""
    if hasattr(tree, "_make"):
        return tree._make(members)
    return deque(members, tree.maxlen) if type(tree) is deque else type(tree)(members)


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves of a tree in order, and the function that puts other leaves in their places.

    Dicts keep the order of their keys. None holds no leaf. What has ``named_parameters()`` and ``with_parameters()``
    has its parameters for leaves.
    """
    leaves: list[Any] = []
    try:
        rebuild = _flatten(tree, leaves)
    except RecursionError:
        raise too_deep() from None
    return leaves, lambda values: rebuild(iter(values))


def too_deep() -> StructureError:
    """What to raise for containers within containers that take more of Python's stack than there is."""
    return StructureError(
        "containers of arrays are nested more deeply than Python's recursion limit allows, "
        f"{sys.getrecursionlimit()} frames, of which each container takes one or two, or one is within itself. Nest "
        "them less, as in a flat list, or raise the limit by sys.setrecursionlimit"
    )


def _flatten(tree: Any, leaves: list[Any]) -> Callable[[Any], Any]:
    container = opened(tree)
    if container is None:
        leaves.append(tree)
        return next
    members = [_flatten(member, leaves) for member in container.members]
    return lambda values: container.rebuild([member(values) for member in members])


def structure(tree: Any) -> Any:
    """The tree that derivatives with respect to a tree come in: the same, with a dict by name for a module."""
    if hasattr(tree, "with_parameters"):
        return dict(tree.named_parameters())
    container = opened(tree) if isinstance(tree, dict | list | tuple | deque) else None
    return tree if container is None else container.rebuild([structure(member) for member in container.members])


# ---- trees that belong together ----


def matched(tree: Any, like: Any, names: tuple[str, str], is_prefix: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree in the order of another one's, to which it belongs: the members of dicts by their keys.

    Parameters
    ----------
    tree : tree
        What is brought into order, such as tangents.
    like : tree
        What gives the order, such as primals.
    names : tuple of str
        What the two are called in messages.
    is_prefix : callable, optional
        Whether something in the first tree counts for all leaves that the other one has in its place.

    Raises
    ------
    StructureError
        If one has other keys, another length or another kind of container than the other.

    Examples
    --------
    >>> matched({"b": 2, "a": 1}, {"a": 0.0, "b": 0.0}, ("the tangents", "the primals"))
    [1, 2]
    >>> matched((0, 1), ({"a": 0.0, "b": 0.0}, 0.0), ("in_axes", "the arguments"), lambda axis: axis in (0, 1))
    [0, 0, 1]
    """
    leaves: list[Any] = []
    try:
        _match(tree, like, "", leaves, is_prefix or (lambda part: False))
    except _MismatchError as error:
        path, given, expected = error.args
        raise StructureError(
            f"{names[0]} and {names[1]} differ in structure: at {path or 'the top'} there is {_described(given)} in "
            f"the first, and {_described(expected)} in the second. Give both the same keys, lengths and kinds of "
            f"containers. They are {outline(tree)} and {outline(like)}"
        ) from None
    return leaves


class _MismatchError(Exception):
    """The path at which two trees differ, and what they have there."""


def _match(tree: Any, like: Any, path: str, leaves: list[Any], is_prefix: Callable[[Any], bool]) -> None:
    if is_prefix(tree):
        leaves += [tree] * len(flatten(like)[0])
        return
    given, expected = opened(tree), opened(like)
    if given is None and expected is None:
        leaves.append(tree)
        return
    if (
        given is None
        or expected is None
        or given.family is not expected.family
        or set(given.keys) != set(expected.keys)
    ):
        raise _MismatchError(path, tree, like)
    by_key = dict(zip(given.keys, given.members, strict=True))
    for key, member in zip(expected.keys, expected.members, strict=True):
        _match(by_key[key], member, f"{path}[{key!r}]", leaves, is_prefix)


def _described(part: Any) -> str:
    container, kind = opened(part), type(part).__name__
    if part is None or container is None:
        return "None" if part is None else f"one {kind}"
    if container.family is dict:
        return f"a {kind} with {', '.join(map(repr, container.keys)) or 'no keys'}"
    return f"a {kind} of {len(container.keys)}"


def outline(tree: Any) -> str:
    """A tree as text, with a star for each leaf.

    Examples
    --------
    >>> outline({"a": np.ones(3), "b": (1.0, [2.0])})
    "{'a': *, 'b': (*, [*])}"
    """
    text = _outlined(tree)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _outlined(tree: Any) -> str:
    container = opened(tree)
    if tree is None or container is None:
        return "None" if tree is None else "*"
    members = list(map(_outlined, container.members))
    if container.family is dict:
        return "{" + ", ".join(f"{key!r}: {text}" for key, text in zip(container.keys, members, strict=True)) + "}"
    if container.family is list:
        return f"[{', '.join(members)}]"
    if container.family is tuple:
        return f"({', '.join(members)}{',' * (len(members) == 1)})"
    named = (f"{name}={text}" for (name, _), text in zip(_named(tree, container), members, strict=True))
    return f"{type(tree).__name__}({', '.join(named)})"


# ---- leaves and their names ----


def differentiable_leaf(value: Any, where: str) -> Any:
    """A leaf as a floating-point array or tensor.

    Raises
    ------
    TypeError
        If it is none: an integer, text, an object.
    """
    leaf = value if is_array(value) else None
    if leaf is None and isinstance(value, float | complex):
        leaf = np.asarray(value)
    if leaf is None or leaf.dtype.kind not in "fc":
        given = f"{leaf.dtype} of shape {leaf.shape}" if leaf is not None else f"{type(value).__name__} {value!r:.60}"
        simple = leaf is not None or isinstance(value, int)
        advice = "; write 3.0 for 3, or use .astype(float)" if simple else instead_of(value)
        raise TypeError(
            f"{where}: expected floating-point numbers to differentiate with respect to, got {given}{advice}"
        )
    return np.asarray(leaf) if isinstance(leaf, np.generic | np.ndarray) else leaf


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
    container = opened(tree)
    return None if container is None else _named(tree, container)


def _named(tree: Any, container: Container) -> list[tuple[str, Any]]:
    keys = getattr(tree, "_fields", container.keys) if isinstance(tree, tuple) else container.keys
    return [(str(key), member) for key, member in zip(keys, container.members, strict=True)]
