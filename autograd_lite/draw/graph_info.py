"""The contents of a recorded graph, for pictures of it: names, values, gradients, and the arrays that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.graph import Leaf, Node, ancestors
from ..core.rule import OUT
from ..core.saved import COPIED_BYTES
from ..core.stepper import cotangents_of_all
from ..core.tensor import Tensor
from ..errors import GradientError
from ..formatting import visible
from ..speed.memo import Memo
from .live import NUMBERS, Array, Variables, callers_scopes, live_values, named_members
from .recomputed import is_changed, recompute_cotangents, recompute_values, usable


@dataclass(frozen=True)
class Constant:
    """An array or number that a call read and that needs no gradient, such as the data.

    Attributes
    ----------
    argument : str
        The name of the call's argument.
    array : ndarray
        The array; of a number one without axes.
    name : str or None
        The name of the variable that holds it.
    """

    argument: str
    array: Array
    name: str | None = None


class Contents:
    """The contents of a graph.

    Parameters
    ----------
    output : Tensor
        The result at its root.
    names : mapping
        From name to tensor or from tensor to name; these names take precedence over those of the module. What is no
        tensor is ignored, except for arrays that the graph read.
    module : Module, optional
        The model; its parameters are named after their paths.
    complete : bool, default False
        Whether values are looked for beyond those that the graph keeps: in tensors that are alive, and by computing
        them again.

    Attributes
    ----------
    order : list of Node
        All nodes, each before its parents.
    names : dict
        From node to the name that is shown for it.
    variables : Variables
        The names of the variables in the functions that are running.
    parameters : set of Node or None
        The parameters of the module; None without a module, since then they cannot be distinguished from other leaves.
    values : dict
        From node to its result, if that is known.
    constants : dict
        From node to the constants that its call read and that the graph keeps.
    kept : dict
        From node to the arrays that its rule keeps, by name.
    """

    def __init__(
        self, output: Tensor, names: Mapping[Any, Any] | None, module: Any = None, complete: bool = False
    ) -> None:
        assert output.node is not None
        self.root = output.node
        self.order = ancestors(self.root)
        self.names = {node: visible(node.name) for node in self.order if node.name is not None}
        self.values: dict[Node, Array] = {self.root: np.asarray(output.data)}
        of_module = {} if module is None else dict(module.named_parameters())
        self.parameters = None if module is None else {tensor.node for tensor in of_module.values()}
        named: dict[Node, tuple[Tensor, str]] = {}
        for tensor, name in _named(names or {}):
            if tensor.node is not None:
                named.setdefault(tensor.node, (tensor, name))
        for tensor, name in _named(of_module):
            if tensor.node is not None:
                named.setdefault(tensor.node, (tensor, name))
        for node, (tensor, name) in named.items():
            self.names[node] = name
            self.values[node] = tensor.data
        self.variables = Variables([*([] if names is None else [names]), *callers_scopes()])
        self.constants: dict[Node, list[Constant]] = {}
        self._once: dict[Any, Array] = {}
        self._names_of_arrays: dict[int, str | None] = {}
        self.kept: dict[Node, dict[str, Array]] = {}
        if complete:
            self.values |= live_values(self.order)
        for leaf in [node for node in self.values if is_changed(node)]:
            del self.values[leaf]
        for node in self.order:
            self._read(node)
        if complete:
            recompute_values(self.order, self.values)

    def _read(self, node: Node) -> None:
        """Read the values, constants and kept arrays from a node's saved values."""
        if node.recipe is None or node.saved is None:
            return
        is_usable = usable(node)
        for name, source, value in zip(node.recipe.reads, node.recipe.sources, node.saved, strict=True):
            array = value.value if isinstance(value, Memo) else value
            if isinstance(array, np.ndarray):
                self.kept.setdefault(node, {})[name] = array
            is_array = isinstance(array, NUMBERS)
            if not is_array and (source is not None or not _is_number(value) or name not in node.recipe.rule.vjps):
                continue
            if source == OUT:
                self.values.setdefault(node, np.asarray(array))
            elif isinstance(source, int):
                parent = node.parents[source]
                if is_usable or not isinstance(parent, Leaf):
                    self.values.setdefault(parent, np.asarray(array))
            elif array is value and name in node.recipe.rule.parameters:
                self._read_constant(node, name, np.asarray(array))

    def _read_constant(self, node: Node, argument: str, array: Array) -> None:
        # A graph saves a copy of a small array for each of its uses.
        key = (array.shape, array.dtype.str, array.tobytes()) if array.nbytes <= COPIED_BYTES else id(array)
        array = self._once.setdefault(key, array)
        if id(array) not in self._names_of_arrays:
            self._names_of_arrays[id(array)] = self.variables.of_array(array) if array.ndim else None
        self.constants.setdefault(node, []).append(Constant(argument, array, self._names_of_arrays[id(array)]))

    def name_of(self, node: Node) -> str | None:
        """The name of a node's result: the user's, or that of the variable that holds it."""
        return self.names.get(node) or self.variables.of_node.get(node)

    @property
    def backward_has_run(self) -> bool:
        """Whether a leaf has a gradient."""
        return any(_left(node) is not None for node in self.order if node.recipe is None)

    def gradients(self) -> dict[Node, Array]:
        """The gradient of each node, if backward has run; otherwise empty.

        Gradients of tensors are those that a pass has left there. All others are computed by another pass that changes
        no gradient, as far as the graph still has its saved values or these can be computed again. That pass calls the
        user's hooks, as every pass does.
        """
        if not self.backward_has_run:
            return {}
        found: dict[Node, Array] = {}
        try:
            with np.errstate(all="ignore"):  # the user's own pass has already warned
                cotangents = cotangents_of_all(self.root, hooks=True)
            found = {node: np.asarray(c) for node, c in cotangents.items() if hasattr(c, "ndim")}
        except GradientError:  # the graph was freed, or a parameter was changed
            with np.errstate(all="ignore"):
                found = recompute_cotangents(self.order, self.values)
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


def what_is_lacking(contents: Contents, gradients: Mapping[Node, Array]) -> list[str]:
    """Why values or gradients are missing in a picture, as lines of a note; empty if none are."""
    if not contents.backward_has_run:
        return ["gradients are not shown, because backward() has not run"]
    whole = [node for node in contents.order if not has_several(node)]
    if all(node in gradients for node in whole):
        return []
    return ["some gradients are missing, because the graph is freed; backward(retain_graph=True) keeps it"]


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


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)


def _named(names: Mapping[Any, Any]) -> list[tuple[Tensor, str]]:
    if not isinstance(names, Mapping):
        raise TypeError(f"names= must map names to tensors, or tensors to names; it is a {type(names).__name__}")
    found = []
    for key, value in names.items():
        if isinstance(key, Tensor):
            found.append((key, visible(str(value))))
        else:
            found += [(one, visible(name)) for name, one in named_members(key, value) if isinstance(one, Tensor)]
    return found
