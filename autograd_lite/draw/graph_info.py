"""The contents of a recorded graph, for pictures of it: names, values, gradients, and the arrays that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.graph import Node, ancestors
from ..core.rule import OUT
from ..core.saved import COPIED_BYTES
from ..core.stepper import cotangents_of_all
from ..core.tensor import Tensor
from ..errors import GradientError
from ..formatting import visible
from ..speed.memo import Memo

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Constant:
    """An array that a call read and that needs no gradient, such as the data.

    Attributes
    ----------
    argument : str
        The name of the call's argument.
    array : ndarray
        The array.
    """

    argument: str
    array: Array


class Contents:
    """The contents of a graph.

    Parameters
    ----------
    output : Tensor
        The result at its root.
    names : mapping
        From name to tensor or from tensor to name; these names take precedence over those of the module.
    module : Module, optional
        The model; its parameters are named after their paths.

    Attributes
    ----------
    order : list of Node
        All nodes, each before its parents.
    names : dict
        From node to the name that is shown for it.
    parameters : set of Node or None
        The parameters of the module; None without a module, since then they cannot be distinguished from other leaves.
    values : dict
        From node to its result, if the graph or a named tensor has it.
    constants : dict
        From node to the constants that its call read and that the graph keeps.
    kept : dict
        From node to the arrays that its rule keeps, by name.
    """

    def __init__(self, output: Tensor, names: Mapping[Any, Any] | None, module: Any = None) -> None:
        assert output.node is not None
        self.root = output.node
        self.order = ancestors(self.root)
        self.names = {node: visible(node.name) for node in self.order if node.name is not None}
        self.values: dict[Node, Array] = {self.root: output.data}
        of_module = {} if module is None else dict(module.named_parameters())
        self.parameters = None if module is None else {tensor.node for tensor in of_module.values()}
        for tensor, name in _named({**of_module, **(names or {})}):
            if tensor.node is not None:
                self.names[tensor.node] = name
                self.values[tensor.node] = tensor.data
        self.constants: dict[Node, list[Constant]] = {}
        self._once: dict[Any, Array] = {}
        self.kept: dict[Node, dict[str, Array]] = {}
        for node in self.order:
            self._read(node)

    def _read(self, node: Node) -> None:
        """Read the values, constants and kept arrays from a node's saved values."""
        if node.recipe is None or node.saved is None:
            return
        for name, source, value in zip(node.recipe.reads, node.recipe.sources, node.saved, strict=True):
            array = value.value if isinstance(value, Memo) else value
            if not isinstance(array, np.ndarray):
                continue
            self.kept.setdefault(node, {})[name] = array
            if source == OUT:
                self.values.setdefault(node, array)
            elif isinstance(source, int):
                self.values.setdefault(node.parents[source], array)
            elif array is value and name in node.recipe.rule.parameters:
                # A graph saves a copy of a small array for each of its uses.
                key = (array.shape, array.dtype.str, array.tobytes()) if array.nbytes <= COPIED_BYTES else id(array)
                self.constants.setdefault(node, []).append(Constant(name, self._once.setdefault(key, array)))

    @property
    def backward_has_run(self) -> bool:
        """Whether a leaf has a gradient."""
        return any(_left(node) is not None for node in self.order if node.recipe is None)

    def gradients(self) -> dict[Node, Array]:
        """The gradient of each node, if backward has run; otherwise empty.

        Gradients of tensors are those that a pass has left there. If the graph still has its saved values, all others
        are computed by another pass that changes no gradient. That pass calls the user's hooks, as every pass does.
        """
        if not self.backward_has_run:
            return {}
        found: dict[Node, Array] = {}
        try:
            with np.errstate(all="ignore"):  # the user's own pass has already warned
                cotangents = cotangents_of_all(self.root, hooks=True)
            found = {node: np.asarray(c) for node, c in cotangents.items() if hasattr(c, "ndim")}
        except GradientError:
            pass  # the graph was freed, or a parameter was changed
        return found | {node: left for node in self.order if (left := _left(node)) is not None}

    def bytes_kept(self, node: Node) -> int:
        """The number of bytes that a node's rule keeps in memory."""
        return sum(array.nbytes for array in self.kept.get(node, {}).values())

    @property
    def total_bytes(self) -> int:
        """The number of bytes that the graph keeps; each array counts once, and views count as their base arrays."""
        views: dict[int, dict[Any, int]] = {}
        owners: dict[int, Array] = {}
        for kept in self.kept.values():
            for array in kept.values():
                owner = _owner(array)
                owners[id(owner)] = owner
                start = array.__array_interface__["data"][0]
                views.setdefault(id(owner), {})[start, array.shape, array.strides] = array.nbytes
        return sum(min(owners[key].nbytes, sum(sizes.values())) for key, sizes in views.items())


def has_several(node: Node) -> bool:
    """Whether a node is a call with several results, whose nodes have their own shapes."""
    return any(isinstance(part, tuple) for part in node.shape)


def _left(node: Node) -> Array | None:
    """The gradient that a pass has left for a node."""
    if node.slot is None or node.slot.grad is None:
        return None
    return np.asarray(node.slot.grad.detach().data)


def _owner(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _named(names: Mapping[Any, Any]) -> list[tuple[Tensor, str]]:
    found = []
    for key, value in names.items():
        tensor, name = (key, value) if isinstance(key, Tensor) else (value, key)
        if not isinstance(tensor, Tensor):
            raise TypeError(f"names= must map names to tensors, or tensors to names; got {key!r}: {value!r}")
        found.append((tensor, visible(str(name))))
    return found
