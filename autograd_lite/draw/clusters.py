"""Finds the module that each node of a graph belongs to, by the parameters that it uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..core.graph import Node
from ..formatting import visible
from .graph_info import Contents
from .repeats import ACTIVATIONS, short_name

_SHAPES = (np.transpose, np.reshape, np.swapaxes, np.moveaxis, np.broadcast_to, np.expand_dims)


class Clusters:
    """The modules of a model as groups of nodes.

    A call that uses a parameter belongs to the module of the parameter, and an activation to that of the layer whose
    result it takes. Another call belongs to the innermost module that contains the calls before it and after it. Calls
    before the first parameter, and after the last one, such as the loss, belong to no module.

    Parameters
    ----------
    contents : Contents
        The graph.
    module : Module
        An object with ``named_modules()`` and ``named_parameters()``.
    depth : int or None
        The number of levels of modules that are drawn open; 0 folds the model itself into one node, None folds nothing.

    Attributes
    ----------
    modules : dict
        From path to module; the model itself has the path "".
    children : dict
        From a module's path to the paths of the modules directly within it, if it has some.
    owners : dict
        From node to its module's path; nodes that belong to no module are left out.
    """

    def __init__(self, contents: Contents, module: Any, depth: int | None) -> None:
        self.modules: dict[str, Any] = dict(module.named_modules())
        self.depth = depth
        self.children: dict[str, list[str]] = {}
        for path in self.modules:
            if path:
                self.children.setdefault(self.around(path), []).append(path)
        paths = {p.node: self._inner_module(name.rpartition(".")[0]) for name, p in module.named_parameters()}
        self.owners: dict[Node, str] = {node: paths[node] for node in contents.order if node in paths}
        direct = dict(self.owners)
        inputs_first = contents.order[::-1]
        for node in inputs_first:
            used = [direct[parent] for parent in node.parents if parent in direct]
            if not used:
                (of_layer,) = {self.owners.get(parent) for parent in node.parents} if len(node.parents) == 1 else {None}
                if of_layer is not None and node.recipe is not None and short_name(node) in ACTIVATIONS:
                    self.owners[node] = of_layer
                continue
            self.owners[node] = self._shared(used)
            if node.recipe is not None and node.recipe.rule.call in _SHAPES:
                direct[node] = self.owners[node]  # a reshaped weight belongs to the weight's module
        self._place_between(inputs_first)

    def _place_between(self, inputs_first: list[Node]) -> None:
        """Assign calls without parameters to the innermost module that contains the calls before and after them."""
        before: dict[Node, str] = {}
        after: dict[Node, str] = {}
        users: dict[Node, list[Node]] = {}
        for node in inputs_first:
            for parent in node.parents:
                users.setdefault(parent, []).append(node)
            if node in self.owners:
                before[node] = self.owners[node]
            elif found := [before[parent] for parent in node.parents if parent in before]:
                before[node] = self._shared(found)
        for node in reversed(inputs_first):
            if node in self.owners:
                after[node] = self.owners[node]
            elif found := [after[user] for user in users.get(node, []) if user in after]:
                after[node] = self._shared(found)
        for node in inputs_first:
            if node.recipe is not None and node in before and node in after:
                self.owners.setdefault(node, self._shared([before[node], after[node]]))

    def fold_of(self, node: Node) -> str | None:
        """The path of the module that a node is folded into; None if the node itself is drawn."""
        if self.depth is None or node not in self.owners:
            return None
        line = [*reversed(list(self.ancestry(self.owners[node])))]
        return line[self.depth] if len(line) > self.depth else None

    def ancestry(self, path: str) -> Iterable[str]:
        """The paths of a module and of the modules around it, up to the model, whose path is ""."""
        while path:
            yield path
            path = self.around(path)
        yield ""

    def module_of(self, nodes: Iterable[Node]) -> str | None:
        """The path of the innermost module that contains all of some nodes, if there is one."""
        paths = [self.owners.get(node) for node in nodes]
        known = [path for path in paths if path is not None]
        return self._shared(known) if len(known) == len(paths) else None

    def around(self, path: str) -> str:
        """The path of the module directly around another one."""
        return self._inner_module(path.rpartition(".")[0])

    def title(self, path: str) -> str:
        """A module's path and class."""
        kind = visible(type(self.modules[path]).__name__)
        return f"{visible(path)}: {kind}" if path else kind

    def _inner_module(self, path: str) -> str:
        """The path of the innermost module on a path, which may lead through lists."""
        while path and path not in self.modules:
            path = path.rpartition(".")[0]
        return path

    def _shared(self, paths: list[str]) -> str:
        """The path of the innermost module that contains all of these."""
        shared = [*self.ancestry(paths[0])]
        for path in paths[1:]:
            around = set(self.ancestry(path))
            shared = [each for each in shared if each in around]
        return shared[0]
