"""What a running program still holds of a graph: its tensors, and the names of its variables.

A node knows no tensor, so that recording costs nothing and intermediate arrays die. Python's garbage collector knows
every tensor that is alive, and the stack every variable; both are asked only when a picture is drawn.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.graph import Node
from ..core.tensor import Tensor
from ..formatting import visible
from ..user_line import is_of_library_file

Array = np.ndarray[Any, Any]

NUMBERS = (np.ndarray, np.generic)

_LONGEST = 1000
"""Members of longer lists are not looked at."""


def live_values(nodes: Iterable[Node]) -> dict[Node, Array]:
    """The arrays of the tensors that are alive, for those of the nodes that have one.

    Examples
    --------
    >>> x = Tensor(2.0, requires_grad=True)
    >>> y = x * 3
    >>> z = y + 1
    >>> float(live_values([y.node])[y.node])
    6.0
    """
    wanted = set(nodes)
    found: dict[Node, Array] = {}
    for thing in gc.get_objects():
        if issubclass(type(thing), Tensor):  # isinstance would ask proxies, whose object may be gone
            node = getattr(thing, "_node", None)
            if node in wanted and isinstance(thing._value, NUMBERS):
                found[node] = np.asarray(thing._value)
    return found


class Variables:
    """The names that a program gives to tensors and arrays.

    Parameters
    ----------
    scopes : iterable of mapping
        From name to object, the nearest scope first. An object has the first name under which it is found; names that
        begin with an underscore come last. Members of lists, tuples and dicts are named after these: ``W[0]``.
    """

    def __init__(self, scopes: Iterable[Mapping[Any, Any]]) -> None:
        self.of_node: dict[Node, str] = {}
        self._arrays: list[tuple[str, Array]] = []
        seen: set[int] = set()
        for scope in scopes:
            if id(scope) not in seen:
                seen.add(id(scope))
                items = list(scope.items())
                for name, value in sorted(items, key=lambda pair: isinstance(pair[0], str) and pair[0].startswith("_")):
                    self._take(name, value)

    def _take(self, name: Any, value: Any) -> None:
        for one, member in named_members(name, value):
            if isinstance(member, Tensor):
                if member.node is not None:
                    self.of_node.setdefault(member.node, visible(one))
                    continue
                member = member._value
            if isinstance(member, np.ndarray):
                self._arrays.append((visible(one), member))

    def of_array(self, array: Array) -> str | None:
        """The name of an array, or of the only variable with the same numbers, since a graph may hold a copy."""
        for name, other in self._arrays:
            if other is array or _is_same_memory(other, array):
                return name
        if array.size < 2 or not array.any():  # zeros are equal to other zeros by chance
            return None
        alike = {
            id(other): name
            for name, other in reversed(self._arrays)
            if other.shape == array.shape and other.dtype == array.dtype and other.tobytes() == array.tobytes()
        }
        return next(iter(alike.values())) if len(alike) == 1 else None


def _is_same_memory(one: Array, other: Array) -> bool:
    return (one.shape, one.strides, one.dtype) == (other.shape, other.strides, other.dtype) and (
        one.__array_interface__["data"] == other.__array_interface__["data"]
    )


def named_members(name: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """A value with its name, in a list, tuple or dict its members with theirs; tensors and arrays alone."""
    if isinstance(value, Tensor | np.ndarray):
        yield str(name), value
    elif type(value) in (list, tuple) and len(value) <= _LONGEST:
        for i, member in enumerate(value):
            if isinstance(member, Tensor | np.ndarray):
                yield f"{name}[{i}]", member
    elif type(value) is dict and len(value) <= _LONGEST:
        for key, member in list(value.items()):
            if isinstance(key, str) and isinstance(member, Tensor | np.ndarray):
                yield key, member


def callers_scopes() -> Iterator[Mapping[str, Any]]:
    """The variables of the functions that are running, the innermost first, without those of libraries."""
    frame = sys._getframe(1)
    while frame is not None:
        if not is_of_library_file(frame.f_code.co_filename):
            yield dict(frame.f_locals)
            if frame.f_locals is not frame.f_globals:
                yield frame.f_globals
        frame = frame.f_back  # type: ignore[assignment]
