"""The recorded graph of a loss, and the gradients that it gives where some edges hand on something else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ...core.backward import as_dtype, pull_as_arrays, sum_to_shape
from ...core.context import Block
from ...core.graph import Node, ancestors, describe
from ...core.outputs import Dtypes, OutputCotangents
from ...core.rule import parameter_names
from ...core.stepper import steps
from ...core.tensor import Tensor
from ...user_line import user_line
from .intermediates import Variables, caller
from .network import layers_of
from .rows import Array


class Detour(NamedTuple):
    """What an edge of the graph hands on in place of what the rule gives.

    Attributes
    ----------
    target : Node or None
        The node that gets it: the parent, or any other node before it; None if the edge hands on nothing.
    pull : callable
        Takes the cotangent of the edge's node, and returns what is handed on.
    """

    target: Node | None
    pull: Callable[[Any], Any]


def nothing(g: Any) -> Any:
    """What is handed on where nothing is: the cotangent, which nobody gets."""
    return g


FORGOTTEN = Detour(None, nothing)
"""The detour of an edge that hands on nothing."""


def times(numbers: Any) -> Callable[[Any], Any]:
    """The product of the cotangent with these numbers."""
    return lambda g: g * numbers


def over(numbers: Any) -> Callable[[Any], Any]:
    """The quotient of the cotangent and these numbers, infinite where one of them is 0."""

    def quotient(g: Any) -> Any:
        with np.errstate(all="ignore"):
            return g / numbers

    return quotient


Edge = tuple[Node, int]
"""A node, and the position of one of its parents; -1 stands for the cotangent of the node itself."""

Detours = Mapping[Edge, Detour]


class Witness(Block):
    """Within it the results of recorded calls are noted, with the lines of the user's program and its variables.

    It is made by the function that calls the program.
    """

    def __init__(self) -> None:
        self.variables = Variables(caller())
        self.values: dict[Node, Array] = {}
        self.lines: dict[Node, str] = {}
        self.anomalies = self

    def look_at_result(self, function: Callable[..., Any], values: Sequence[Any], out: Any) -> None:
        """Take any result."""

    def look_at_tangent(self, function: Callable[..., Any], values: Sequence[Any], tangent: Any) -> None:
        """Take any tangent."""

    def note(self, result: Any) -> None:
        """Keep the result of a call, the line, and what variables hold by now."""
        self.variables.look(sys._getframe(1))
        for one in result if isinstance(result, tuple) else (result,):
            node, value = getattr(one, "node", None), getattr(one, "data", None)
            if node is not None and isinstance(value, np.ndarray | np.generic):
                self.values[node] = np.asarray(value)
                self.lines[node] = user_line()

    def watcher(self) -> Any:
        """Nobody looks on in backward passes within the program."""
        return _Unmoved()


class _Unmoved:
    """A watcher that does nothing."""

    def take_turn(self, node: Node, g: Any) -> None: ...

    def hand_on(self, parent: Node, given: Any, cotangent: Any, before: Any, total: Any) -> None: ...


class Recording:
    """The graph of a loss, and the parameters in it.

    Parameters
    ----------
    root : Node
        The node of the loss, a scalar; its graph still has the saved values.
    parameters : mapping
        From name to leaf.
    witness : Witness, optional
        What has noted the results of the calls.
    """

    def __init__(self, root: Node, parameters: Mapping[str, Node], witness: Witness | None = None) -> None:
        self.root = root
        self.loss: Tensor | None = None
        self.parameters = parameters
        self.names = {leaf: name for name, leaf in parameters.items()}
        self.order = ancestors(root)
        self.position = {node: i for i, node in enumerate(self.order)}
        self.cotangents: dict[Node, Any] = {}
        self.given: dict[Edge, Any] = {}
        self.handed: dict[Edge, Any] = {}
        for step in steps(root):
            self.cotangents[step.node] = each(np.asarray, step.cotangent)
            for slot, contribution in enumerate(step.contributions):
                self.given[step.node, slot] = each(np.asarray, contribution.given)
                self.handed[step.node, slot] = each(np.asarray, contribution.cotangent)
        self.users: dict[Node, list[Edge]] = {}
        for node in self.order:
            for slot, parent in enumerate(node.parents):
                self.users.setdefault(parent, []).append((node, slot))
        self.values = self._values(witness)
        self.lines = witness.lines if witness is not None else {}
        self.layers = layers_of(root, parameters)
        self.variables = witness.variables if witness is not None else None
        self.intermediates = {} if witness is None else witness.variables.names(self.order, parameters)
        self.labels = {} if self.variables is None else self.variables.labels(self.intermediates)
        for node, label in self.labels.items():
            if node.name is None and "." not in label:
                node.name = label
        self.labels |= self.names
        self.targets = dict(parameters)
        self.given_entries: dict[str, Array] = {}
        self.reaches = self._reaches()
        self._quick: dict[Edge, Callable[[Any], Any]] = {}
        self._of_shape: dict[tuple[int, ...], list[Node]] = {}

    def watch(self, names: Iterable[str], given: Mapping[str, Array]) -> None:
        """Compare these intermediates like the parameters, and of the arrays that are given in part those entries."""
        self.targets = {**self.parameters, **{name: self.intermediates[name] for name in names}}
        self.given_entries = dict(given)
        self.reaches = self._reaches()

    def _values(self, witness: Witness | None) -> dict[Node, Array]:
        values = dict(witness.values) if witness is not None else {}
        for node in self.order:
            if node.recipe is None:
                continue
            for source, value in zip(node.recipe.sources, node.saved or (), strict=True):
                if isinstance(source, int) and isinstance(value, np.ndarray | np.generic):
                    values.setdefault(node if source < 0 else node.parents[source], np.asarray(value))
        return values

    def _reaches(self) -> dict[Node, frozenset[str]]:
        """For each node what its cotangent reaches of the parameters, and of the intermediates that are compared."""
        found: dict[Node, frozenset[str]] = {}
        names: dict[Node, list[str]] = {}
        for name, node in self.targets.items():
            names.setdefault(node, []).append(name)
        for node in reversed(self.order):
            own = frozenset(names.get(node, ()))
            found[node] = own.union(*(found[parent] for parent in node.parents))
        return found

    def label(self, node: Node) -> str:
        """A node's name, or what made it."""
        if node in self.labels:
            return self.labels[node]
        return describe(node) if node.recipe is None else node.recipe.rule.name.lstrip("_")

    def equal_cotangents(self, node: Node) -> list[Node]:
        """The node, and the sums after it whose cotangent it gets unchanged: a product, and the product plus a bias."""
        found = [node]
        while len(self.users.get(found[-1], ())) == 1:
            ((user, slot),) = self.users[found[-1]]
            made = None if user.recipe is None else user.recipe.rule.call
            if user.shape != node.shape or not (made is np.add or (made is np.subtract and self._is_first(user, slot))):
                break
            found.append(user)
        return found

    def _is_first(self, node: Node, slot: int) -> bool:
        return node.recipe is not None and node.recipe.arguments[slot] == "x1"

    def constant(self, array: Array) -> str:
        """The variable of the program that has this array; empty for none."""
        return self.variables.array(array) if self.variables is not None else ""

    def penalties(self) -> dict[str, float]:
        """The multiple of each parameter that one use of it hands on to it, as an L2 penalty does."""
        found: dict[str, float] = {}
        for name, leaf in self.parameters.items():
            value = self.values.get(leaf)
            if value is None or value.dtype.kind != "f" or not np.any(value):
                continue
            for edge in self.users.get(leaf, ()):
                handed = self.handed[edge]
                alpha = float(np.vdot(value, handed) / np.vdot(value, value))
                if alpha and np.max(np.abs(handed - alpha * value)) <= 1e-6 * np.max(np.abs(handed)) and value.size > 1:
                    found[name] = found.get(name, 0.0) + alpha
        return found

    def of_shape(self, shape: tuple[int, ...]) -> list[Node]:
        """The calls whose results have a shape."""
        if shape not in self._of_shape:
            same = [node for node in self.order if node.recipe is not None and node.shape == shape]
            self._of_shape[shape] = [node for node in same if has_one_output(node)][:40]
        return self._of_shape[shape]

    def saved(self, node: Node) -> dict[str, Any]:
        """The values that a node's rules read, by name."""
        return dict(zip(node.recipe.reads, node.saved or (), strict=True)) if node.recipe is not None else {}

    def gradients(self) -> dict[str, Array]:
        """The gradient of every parameter, and of the intermediates that are compared."""
        return {
            name: np.asarray(self.cotangents.get(node, np.zeros(node.shape, node.dtype)))
            for name, node in self.targets.items()
        }

    def numbers(self) -> list[tuple[float, str]]:
        """The constants by which the program multiplies and divides, and what its means divide by."""
        found: dict[tuple[float, str], None] = {}
        for node in self.order:
            call = None if node.recipe is None else node.recipe.rule.call
            saved = self.saved(node)
            if call in (np.multiply, np.divide) and len(node.parents) == 1:
                other = np.asarray(saved.get("x2", saved.get("x1", 0.0)))
                if other.size == 1 and other.dtype.kind in "fiu":
                    found[abs(float(other.item())), f"the constant {other.item():g}"] = None
            elif call is np.mean:
                count = int(np.prod(node.parents[0].shape)) // max(int(np.prod(node.shape)), 1)
                found[float(count), f"a mean over {count} elements"] = None
        return list(found)

    def local(self, node: Node, g: Any, slot: int) -> Any:
        """What the node's rule hands on to one parent, in the parent's shape."""
        return fitted(pull_as_arrays(node, g, node.saved)[slot], node, node.parents[slot])

    def changes(self, detours: Detours) -> dict[str, Array]:
        """What detours add to the gradients of what is compared: all that is below them is linear in the cotangents.

        Examples
        --------
        >>> from autograd_lite import Tensor
        >>> x = Tensor(3.0, requires_grad=True)
        >>> y = x * x
        >>> recording = Recording(y.node, {"x": x.node})
        >>> forgotten = {(y.node, 1): Detour(None, lambda g: g)}
        >>> float(recording.gradients()["x"]), float(recording.changes(forgotten)["x"])
        (6.0, -3.0)
        """
        changed = self.changed(detours)
        found = {
            name: np.asarray(changed.get(node, np.zeros(node.shape, node.dtype))) for name, node in self.targets.items()
        }
        return found | {name: np.where(given, found[name], 0.0) for name, given in self.given_entries.items()}

    def changed(self, detours: Detours) -> dict[Node, Any]:
        """What detours add to the cotangents of all nodes."""
        changed: dict[Node, Any] = {}
        nodes = {node for node, _ in detours}
        first = min(self.position[node] for node in nodes)

        def add(node: Node, change: Any) -> None:
            changed[node] = changed[node] + change if node in changed else change

        for node in self.order[first:]:
            change = changed.get(node)
            if node in nodes:
                g = self.cotangents[node] if change is None else self.cotangents[node] + change
                if (node, -1) in detours:
                    g = np.asarray(detours[node, -1].pull(g))
                    changed[node] = change = g - self.cotangents[node]
                for slot, parent in enumerate(node.parents):
                    if (node, slot) not in detours:
                        if change is not None:
                            add(parent, self.quick(node, slot)(change))
                        continue
                    target, pull = detours[node, slot]
                    add(parent, -self.handed[node, slot])
                    if target is not None:
                        add(target, fitted(np.asarray(pull(g)), node, target))
            elif change is not None and node.recipe is not None:
                if not has_one_output(node) or node.recipe.rule.joint is not None:
                    for parent, given in zip(node.parents, pull_as_arrays(node, change, node.saved), strict=True):
                        add(parent, fitted(given, node, parent))
                    continue
                for slot, parent in enumerate(node.parents):
                    add(parent, self.quick(node, slot)(change))
        return changed

    def quick(self, node: Node, slot: int) -> Callable[[Any], Any]:
        """What an edge hands on, as a function that costs little more than its arithmetic."""
        found = self._quick.get((node, slot))
        if found is None:
            found = self._quick[node, slot] = self._made_quick(node, slot)
        return found

    def _made_quick(self, node: Node, slot: int) -> Callable[[Any], Any]:
        assert node.recipe is not None
        rule, parent = node.recipe.rule, node.parents[slot]
        if has_one_output(node) and node.dtype == parent.dtype and node.dtype.kind == "f":
            if rule.elementwise and rule.joint is None:
                factor = pull_as_arrays(node, np.ones(node.shape, node.dtype), node.saved)[slot]
                if factor.shape == node.shape == parent.shape and factor.dtype == node.dtype:
                    return nothing if np.all(factor == 1) else times(factor)
            if rule.call in (np.matmul, np.dot) and len(node.shape) == len(parent.shape) == 2:
                other = next((v for v in self._operands(node, slot) if np.ndim(v) == 2), None)
                if other is not None and len(self._operands(node, slot)) == 1:
                    turned = np.ascontiguousarray(other.T)
                    return (
                        (lambda g: turned @ g) if node.recipe.arguments[slot] in ("x2", "b") else lambda g: g @ turned
                    )
        return lambda g: self.local(node, g, slot)

    def _operands(self, node: Node, slot: int) -> list[Any]:
        """The arrays that the rule of one argument reads."""
        assert node.recipe is not None
        vjp = node.recipe.rule.vjps[node.recipe.arguments[slot]]
        reads = () if vjp is None else parameter_names(vjp)[1:]
        saved = self.saved(node)
        return [saved[name] for name in reads if isinstance(saved.get(name), np.ndarray)]

    def fit(self, given: Any, node: Node, target: Node) -> Any:
        """What a detour hands on, in the shape and dtype of the node that gets it."""
        return fitted(np.asarray(given), node, target)

    def terms(self) -> dict[str, float]:
        """For each parameter the size of the terms that were summed in its gradient, as rounding shows them.

        Each cotangent is changed at random by its own size, which is what rounding does at the size of one unit in the
        last place; what arrives at a parameter is the error of its gradient in such units.
        """
        found = dict.fromkeys(self.targets, 0.0)
        names = {node: [name for name, one in self.targets.items() if one is node] for node in self.targets.values()}
        for seed in range(2):
            rng = np.random.default_rng(seed)
            errors: dict[Node, Any] = {}
            sizes: dict[Node, Any] = {self.root: np.ones(self.root.shape)}
            for node in self.order:
                error = each(partial(_with_random_signs, rng), sizes[node])
                if node in errors:
                    error = errors[node] + error
                for name in names.get(node, ()):
                    found[name] = float(np.max(np.abs(error), initial=found[name]))
                if node.recipe is None:
                    continue
                pulled = pull_as_arrays(node, error, node.saved)
                for slot, parent in enumerate(node.parents):
                    for sums, given in ((sizes, each(np.abs, self.given[node, slot])), (errors, pulled[slot])):
                        new = each(np.real, fitted(given, node, parent))
                        sums[parent] = sums[parent] + new if parent in sums else new
        return found


def _with_random_signs(rng: np.random.Generator, size: Any) -> Any:
    return size * rng.choice([-1.0, 1.0], size=np.shape(size))


def each(function: Callable[[Any], Any], cotangent: Any) -> Any:
    """A function of a cotangent, or of that of every output."""
    if isinstance(cotangent, OutputCotangents):
        return OutputCotangents(cotangent, {i: function(g) for i, g in cotangent.given.items()})
    return function(cotangent)


def has_one_output(node: Node) -> bool:
    """Whether a node is not a call with several outputs, whose edges have no wrong versions."""
    return not isinstance(node.dtype, Dtypes)


def fitted(given: Any, node: Node, parent: Node) -> Any:
    """A contribution in the parent's shape and dtype."""
    if isinstance(given, OutputCotangents):
        return given
    if given.shape != parent.shape:
        given = sum_to_shape(given, node, parent)
    return as_dtype(given, parent.dtype)
