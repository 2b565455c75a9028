"""The names of intermediate values: those of tensors, and those of the forward program's variables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ...core.graph import Node
from ...core.tensor import Tensor
from ...core.tree import joined
from ...user_line import is_of_library_file


class Variables:
    """The variables of a running program that hold results of recorded calls.

    Parameters
    ----------
    boundary : code object
        The code that calls the program; what called that is none of it.
    """

    def __init__(self, boundary: CodeType) -> None:
        self._boundary = boundary
        self._nodes: dict[str, dict[Node, None]] = {}
        self._arrays: dict[str, Any] = {}
        self._depths: dict[Node, tuple[int, str]] = {}

    def look(self, frame: FrameType | None) -> None:
        """Take note of the variables of the user's functions that are running."""
        frames = []
        while frame is not None and frame.f_code is not self._boundary:
            if not is_of_library_file(frame.f_code.co_filename):
                frames.append(frame)
            frame = frame.f_back
        for depth, running in enumerate(reversed(frames)):
            variables = running.f_locals
            for name, node in _held(variables):
                self._nodes.setdefault(name, {})[node] = None
                self._depths[node] = min(self._depths.get(node, (depth, name)), (depth, name), key=lambda one: one[0])
            outside = {name: running.f_globals.get(name) for name in running.f_code.co_names}
            for name, value in (*variables.items(), *outside.items()):
                if isinstance(value, np.ndarray) and value.ndim:
                    self._arrays.setdefault(name, value)

    def labels(self, names: Mapping[str, Node]) -> dict[Node, str]:
        """For each node with a name one of its names: the tensor's own, or the variable of the outermost function."""
        steps = {(name.rpartition(".")[0], node): name for name, node in names.items()}
        found: dict[Node, str] = {}
        for name, node in names.items():
            own = node.name or (self._depths[node][1] if node in self._depths else name)
            found[node] = steps.get((own, node), own)
        return found

    def array(self, array: np.ndarray[Any, Any]) -> str:
        """The name of the variable with an array, or with equal numbers; empty for none."""
        for name, value in self._arrays.items():
            if value is array or (value.shape == array.shape and np.array_equal(value, array)):
                return name
        return ""

    def names(self, order: Iterable[Node], parameters: Mapping[str, Node]) -> dict[str, Node]:
        """The nodes by name, in the order of the backward pass; names of parameters mean the parameters.

        A tensor's own name comes first. A name that several results had means the last of them, and with a number
        after a dot each of them, in the order of their computation.
        """
        position = {node: i for i, node in enumerate(order)}
        found: dict[str, list[Node]] = {}
        for node in position:
            if node.name and node.recipe is not None:
                found.setdefault(node.name, []).append(node)
        for name, held in self._nodes.items():
            recorded = [node for node in held if node in position]
            if name not in found and recorded:
                found[name] = recorded
        named: dict[str, Node] = {}
        for name, nodes in found.items():
            nodes.sort(key=position.__getitem__, reverse=True)
            named[name] = nodes[-1]
            if len(nodes) > 1:
                named |= {joined(name, str(i)): node for i, node in enumerate(nodes)}
        apart = {name: node for name, node in named.items() if name not in parameters}
        return dict(sorted(apart.items(), key=lambda item: position[item[1]]))


def _held(variables: Mapping[str, Any]) -> Iterator[tuple[str, Node]]:
    """The results in variables, and those that were last put into their lists, dicts and ``self``."""
    for name, value in list(variables.items()):
        if name.startswith("_"):
            continue
        if isinstance(value, Tensor):
            yield from _result(name, value)
        elif type(value) is list and value:
            yield from _result(joined(name, str(len(value) - 1)), value[-1])
        elif type(value) is dict and value:
            key = next(reversed(value))
            yield from _result(str(key), value[key])
        elif name == "self" and hasattr(value, "__dict__"):
            for attribute, one in vars(value).items():
                yield from _result(attribute, one)


def _result(name: str, value: Any) -> Iterator[tuple[str, Node]]:
    node = value.node if isinstance(value, Tensor) else None
    if node is not None and node.recipe is not None:
        yield name, node


def caller() -> CodeType:
    """The code of the function that calls the function that calls this."""
    return sys._getframe(2).f_code
