"""Values and gradients that a graph no longer holds, computed again from what is still there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import unwrap
from typing import Any

import numpy as np

from ..core.backward import as_dtype, pull_as_arrays, sum_to_shape
from ..core.graph import Leaf, Node
from ..core.outputs import OutputCotangents
from ..core.rule import NEUTRAL
from ..core.saved import Saved
from ..user_line import is_of_library_file

Array = np.ndarray[Any, Any]

_ANY_AXIS = frozenset({np.sum, np.mean, np.prod, np.max, np.min})
"""Functions that, if their result is a single number, have reduced over all axes."""


def usable(node: Node) -> bool:
    """Whether a node's saved values are there, and are those that the call had read."""
    if node.saved is None or (isinstance(node.saved, Saved) and node.saved.changed() is not None):
        return False
    return not any(map(is_changed, node.parents))


def is_changed(node: Node) -> bool:
    """Whether a leaf's array is no longer the one that the graph had read."""
    if not isinstance(node, Leaf):
        return False
    return node.changed is not None or (isinstance(node.saved, Saved) and node.saved.changed() is not None)


def recompute_values(order: Sequence[Node], values: dict[Node, Array]) -> None:
    """Add the values that follow from those that are known: from operands forward, and from results back.

    Parameters
    ----------
    order : sequence of Node
        Each before its parents.
    values : dict
        From node to value.
    """
    known = -1
    while known < (known := len(values)):
        for node in order:
            _invert(node, values)
        for node in reversed(order):
            if node not in values and (out := _called_again(node, values)) is not None:
                values[node] = out


def recompute_cotangents(order: Sequence[Node], values: Mapping[Node, Array]) -> dict[Node, Array]:
    """The cotangents that can be computed although parts of the graph are freed.

    A node's cotangent is left out if that of a node which uses it cannot be computed. Hooks are called.
    """
    root = order[0]
    sums: dict[Node, Any] = {root: np.ones(root.shape, root.dtype)}
    unknown: set[Node] = set()
    for node in order:
        if node in unknown or node not in sums:
            unknown.update(node.parents)
            continue
        if node.slot is not None:
            for hook in node.slot.hooks:
                sums[node] = hook(sums[node])
        if node.recipe is None:
            continue
        saved = node.saved if usable(node) else _saved_again(node, values)
        if saved is None:
            unknown.update(node.parents)
            continue
        for parent, cotangent in zip(node.parents, pull_as_arrays(node, sums[node], saved), strict=True):
            if not isinstance(cotangent, OutputCotangents):
                if cotangent.shape != parent.shape:
                    cotangent = sum_to_shape(cotangent, node, parent)
                cotangent = as_dtype(cotangent, parent.dtype)
            sums[parent] = sums[parent] + cotangent if parent in sums else cotangent
    return {node: np.asarray(g) for node, g in sums.items() if node not in unknown and hasattr(g, "ndim")}


def _invert(node: Node, values: dict[Node, Array]) -> None:
    """Add the value of a call's operand, if it follows from the result with at least six digits."""
    unknown = [parent for parent in node.parents if parent not in values]
    if node.recipe is None or len(unknown) != 1 or node not in values or unknown[0].shape != node.shape:
        return
    (parent,), out, function = unknown, values[node], node.recipe.rule.function
    if out.dtype != parent.dtype or out.dtype.kind != "f" or is_changed(parent):
        return
    eps = np.finfo(out.dtype).eps
    with np.errstate(all="ignore"):
        if function in (np.add, np.subtract) and len(node.parents) == 2:
            is_first = parent is node.parents[0]
            other = values[node.parents[1 if is_first else 0]]
            found = out - other if function is np.add else out + other if is_first else other - out
            error = eps * np.maximum(np.abs(out), np.abs(other))
        elif (inverse := _INVERSES.get(node.recipe.rule.name.rpartition(".")[2].lstrip("_"))) is not None:
            found = inverse(out)
            error = np.abs(found - inverse(out * (1 + 2 * eps)))
        else:
            return
        is_sure = np.isfinite(found) & (error <= 1e-6 * np.abs(found))
    if is_sure.all():
        values[parent] = np.asarray(found, out.dtype)
        again = _called_again(node, values)
        if again is None or not np.allclose(again, out, rtol=64 * eps, atol=0):
            del values[parent]


_INVERSES: dict[str, Callable[[Array], Array]] = {
    "exp": np.log, "log": np.exp, "expm1": np.log1p, "log1p": np.expm1, "tanh": np.arctanh, "sqrt": np.square,
    "negative": np.negative, "sigmoid": lambda p: np.log(p) - np.log1p(-p), "expit": lambda p: np.log(p) - np.log1p(-p),
    "reciprocal": np.reciprocal, "sinh": np.arcsinh, "arctan": np.tan, "cbrt": lambda y: y**3,
}  # fmt: skip
"""By the names of functions of one argument, which are called again to see whether they are the ones meant."""


def _saved_again(node: Node, values: Mapping[Node, Array]) -> tuple[Any, ...] | None:
    """What a node that was freed had saved; None if that does not follow from the values."""
    given = _arguments(node, values)
    if given is None or node not in values or node.recipe is None:
        return None
    rule = node.recipe.rule
    bound = tuple(given.get(name, default) for name, default in zip(rule.parameters, rule.defaults, strict=True))
    return node.recipe.save(bound, values[node])


def _called_again(node: Node, values: Mapping[Node, Array]) -> Array | None:
    """The result of a node's call; None if an argument is unknown, or calling again could do something else."""
    given = _arguments(node, values)
    if given is None or node.recipe is None:
        return None
    function = node.recipe.rule.function
    if not _is_pure(function):
        return None
    leading = []
    for name in node.recipe.rule.parameters:
        if name not in given:
            break
        leading.append(given.pop(name))
    try:
        with np.errstate(all="ignore"):  # the user's own call has already warned
            out = function(*leading, **given)
    except (TypeError, ValueError, IndexError):
        return None
    fits = getattr(out, "shape", None) == node.shape and getattr(out, "dtype", None) == node.dtype
    return np.asarray(out) if fits else None


def _is_pure(function: Callable[..., Any]) -> bool:
    """Whether a function may be called again: those of libraries give the same result, and do nothing else."""
    if isinstance(function, np.ufunc):
        return True
    function = unwrap(function)
    module = getattr(function, "__module__", None) or ""
    code = getattr(function, "__code__", None)
    return module.partition(".")[0] in ("numpy", "scipy") or (code is not None and is_of_library_file(code.co_filename))


def _arguments(node: Node, values: Mapping[Node, Array]) -> dict[str, Any] | None:
    """The arguments of a node's call by name, without those left at their defaults; None if one is unknown."""
    if node.recipe is None or node.recipe.rule.variadic is not None or any(isinstance(n, tuple) for n in node.shape):
        return None
    rule, found = node.recipe.rule, {}
    if usable(node):
        assert node.saved is not None
        for name, source, value in zip(node.recipe.reads, node.recipe.sources, node.saved, strict=True):
            if name in rule.positions and (source is None or isinstance(source, dict)):
                found[name] = list(value) if isinstance(source, dict) else value
    for argument, parent in zip(node.recipe.arguments, node.parents, strict=True):
        if parent not in values or is_changed(parent):
            return None
        name, bracket, _ = argument.partition("[")
        if not bracket:
            found[name] = values[parent]
        elif not usable(node) or name not in node.recipe.reads:
            found.setdefault(name, []).append(values[parent])
    all_axes = node.shape == () and rule.function in _ANY_AXIS  # with initial=, which hardly anyone writes, left out
    for position, name in enumerate(rule.parameters):
        if name not in found and position not in rule.guarded and name not in NEUTRAL and not all_axes:
            return None
    return found
