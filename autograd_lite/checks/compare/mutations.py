"""The catalogue: how one edge of a graph is wrongly differentiated by hand, by the kind of its operation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...core.dispatch import getitem
from ...core.graph import Node
from .mistakes import DIAGONAL, MISTAKES, Mistake
from .network import calls
from .recording import FORGOTTEN, Detour, Recording, over, times
from .rows import Array
from .softmax import logits_of_softmax

SPECIFIC, PATH, PLAIN = 0, 1, 2
"""How much a mutation says: of two that give the same numbers, the one that says more is named."""


class Step(NamedTuple):
    """A wrong version of one edge.

    Attributes
    ----------
    key : str
        The same for the same mistake at another edge.
    kind : str
        As in `Explanation`.
    text : str
        The sentence, with ``{where}`` for the place.
    rank : int
        `SPECIFIC`, `PATH` or `PLAIN`.
    detour : Detour
        What is handed on.
    """

    key: str
    kind: str
    text: str
    rank: int
    detour: Detour


def steps_of(recording: Recording, node: Node, slot: int) -> Iterator[Step]:
    """The wrong versions of one edge."""
    edge = Edge(recording, node, slot)
    for family in (_own_mistakes, _elementwise, _products, _matrix_products, _reductions, _choices, _indices):
        yield from family(edge)
    yield from _any_edge(edge)


class Edge:
    """An edge with what its wrong versions are made of.

    Attributes
    ----------
    function : callable
        The function that was called.
    argument : str
        The argument that the parent was.
    saved : dict
        The values that the rules read.
    """

    def __init__(self, recording: Recording, node: Node, slot: int) -> None:
        assert node.recipe is not None
        self.recording, self.node, self.slot = recording, node, slot
        self.parent = node.parents[slot]
        self.function = node.recipe.rule.call
        self.argument = node.recipe.arguments[slot]
        self.saved = recording.saved(node)

    def right(self, g: Any) -> Any:
        """What the rule hands on."""
        return self.recording.local(self.node, g, self.slot)

    def wrong(self, key: str, kind: str, text: str, pull: Callable[[Any], Any], rank: int = SPECIFIC) -> Step:
        """A wrong version that hands on something else to the same parent."""
        return Step(key, kind, text, rank, Detour(self.parent, pull))

    def other(self) -> Node | None:
        """The node of the other operand; None for a constant."""
        return next((p for i, p in enumerate(self.node.parents) if i != self.slot), None)


# ---- mistakes that are said of a function ----


def _own_mistakes(edge: Edge) -> Iterator[Step]:
    for mistake in MISTAKES.get(edge.function, ()):
        if mistake.argument == edge.argument:
            yield edge.wrong(mistake.text, mistake.kind, mistake.text, _wrongly(mistake, edge.saved))
    if edge.function is np.divide and edge.argument == "x1":
        logits = logits_of_softmax(edge.node)
        if logits is not None:
            out = edge.recording.values.get(edge.node)
            if out is not None:
                probabilities = out
                yield Step(
                    "diagonal", "softmax", DIAGONAL, SPECIFIC,
                    Detour(logits, lambda g: g * probabilities * (1 - probabilities)),
                )  # fmt: skip
                yield Step(
                    "no softmax", "softmax", "softmax's Jacobian is missing in {where}", SPECIFIC,
                    Detour(logits, lambda g: g),
                )  # fmt: skip
                yield Step(
                    "softmax sign", "softmax",
                    "softmax's Jacobian has the wrong sign off the diagonal: diag(a) + a a^T", SPECIFIC,
                    Detour(logits, lambda g: probabilities * (g + np.sum(g * probabilities, -1, keepdims=True))),
                )  # fmt: skip


def _wrongly(mistake: Mistake, saved: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda g: mistake.cotangent(g, saved)


# ---- elementwise functions of one argument ----

_NAMED = {np.exp: "exp", np.log: "log", np.log1p: "log1p", np.sqrt: "sqrt", np.reciprocal: "1/x", np.absolute: "|x|"}


def _elementwise(edge: Edge) -> Iterator[Step]:
    function = edge.function
    if function is np.square:
        yield edge.wrong("half", "factor", "the 2 of the square's derivative is missing in {where}",
                         lambda g: edge.right(g) / 2)  # fmt: skip
        yield edge.wrong("no base", "derivative", "the square's derivative 2 x is taken as 2: the base is missing in "
                         "{where}", lambda g: 2 * g)  # fmt: skip
    elif function is np.power and edge.argument == "x1" and np.ndim(edge.saved.get("x2", 0.0)) == 0:
        p = float(edge.saved["x2"])
        yield edge.wrong("exponent", "factor", f"the exponent {p:g} of the power's derivative is missing in {{where}}",
                         lambda g: edge.right(g) / p)  # fmt: skip
    elif function in _NAMED:
        name = _NAMED[function]
        yield edge.wrong("derivative", "derivative", f"the derivative of {name} is missing in {{where}}", lambda g: g)
        yield edge.wrong("squared", "derivative", f"the derivative of {name} is taken twice in {{where}}",
                         lambda g: edge.right(edge.right(g)))  # fmt: skip
    if function in (np.sqrt, np.std) and edge.argument in ("x", "a"):
        yield edge.wrong("root's half", "factor", "the 1/2 of the square root's derivative is missing in {where}",
                         lambda g: 2 * edge.right(g))  # fmt: skip


# ---- products and quotients, element by element ----


def _products(edge: Edge) -> Iterator[Step]:
    if edge.function is np.multiply:
        other = edge.saved.get("x2" if edge.argument == "x1" else "x1")
        constant = edge.other() is None
        what = f"the factor {_written(other)}" if constant else "the other factor"
        kind = "scale" if constant else "operand"
        if other is not None:
            yield edge.wrong("factor", kind, f"{what} is missing in {{where}}", lambda g: g)
            yield edge.wrong("factor twice", kind, f"{what} is applied twice in {{where}}", lambda g: g * other * other)
            if constant and np.ndim(other) and np.any(other) and len(np.unique(other[other != 0])) == 1:
                scale = np.max(np.abs(other))
                yield edge.wrong("mask alone", kind, f"the mask is there without its scale {scale:g} in {{where}}",
                                 times(other != 0))  # fmt: skip
            if constant:
                yield edge.wrong("divided", kind, f"{what} divides where it multiplies in {{where}}",
                                 over(other))  # fmt: skip
        before = edge.other()
        for text, key, value in _values_before(edge.recording, before) if before is not None else ():
            if other is not None and np.shape(value) == np.shape(other):
                yield edge.wrong(key, "operand", f"{text} stands where the other factor belongs, in {{where}}",
                                 times(value))  # fmt: skip
        own = edge.recording.values.get(edge.parent)
        if own is not None and not constant:
            yield edge.wrong("own factor", "operand", "the factor itself stands where the other factor belongs, in "
                             "{where}", lambda g: g * own)  # fmt: skip
    if edge.function is np.divide:
        divisor = edge.saved.get("x2")
        if edge.argument == "x1":
            constant = edge.other() is None
            kind = "scale" if constant else "operand"
            what = f"the division by {_written(divisor)}" if constant else "the division by the denominator"
            yield edge.wrong("division", kind, f"{what} is missing in {{where}}", lambda g: g)
            yield edge.wrong("division twice", kind, f"{what} is done twice in {{where}}",
                             lambda g: edge.right(over(divisor)(g)))  # fmt: skip
            yield edge.wrong("multiplied", kind, f"{what} is a product in {{where}}", lambda g: g * divisor)
        else:
            yield edge.wrong("quotient sign", "sign", "the minus of the denominator's derivative is missing in {where}",
                             lambda g: -edge.right(g))  # fmt: skip
            if divisor is not None:
                yield edge.wrong("quotient square", "derivative", "the denominator is not squared in the quotient's "
                                 "derivative, in {where}", lambda g: edge.right(g * divisor))  # fmt: skip
    if edge.function is np.subtract and edge.argument == "x2":
        yield edge.wrong("minus", "sign", "the minus is missing in {where}", lambda g: -edge.right(g))
    if edge.function is np.negative:
        yield edge.wrong("minus", "sign", "the minus is missing in {where}", lambda g: g)


def _written(value: Any) -> str:
    return f"{np.asarray(value).item():g}" if np.size(value) == 1 else f"(a constant array of shape {np.shape(value)})"


# ---- products of matrices ----


def _matrix_products(edge: Edge) -> Iterator[Step]:
    if edge.function not in (np.matmul, np.dot):
        return
    first = edge.argument in ("x1", "a")
    names = ("x1", "x2") if edge.function is np.matmul else ("a", "b")
    other = edge.saved.get(names[first])
    if other is None or np.ndim(other) < 2 or len(edge.node.shape) < 2:
        return
    other = np.asarray(other)
    if first:
        if other.shape[-1] == other.shape[-2]:
            name = edge.recording.names.get(edge.other() or edge.node, "the matrix")
            yield edge.wrong("transposed", "transpose", f"the cotangent is multiplied by {name} and not by its "
                             "transpose, in {where}", lambda g: g @ other)  # fmt: skip
        return
    if other.shape[-1] == other.shape[-2]:
        yield edge.wrong("transposed", "transpose", "the cotangent is multiplied by the first matrix and not by its "
                         "transpose, in {where}", lambda g: other @ g)  # fmt: skip
    yield from _other_operands(edge, other)
    if edge.node.shape[-1] == edge.node.shape[-2]:
        yield edge.wrong("cotangent transposed", "transpose", "the cotangent is transposed in {where}",
                         lambda g: other.mT @ g.mT)  # fmt: skip
    right = edge.recording.cotangents[edge.node]
    for name, node in _cotangents_near(edge):
        wrong = edge.recording.cotangents[node]
        kind, text = "delta of another place", f"the cotangent {name} stands where that of the product belongs"
        if not (calls(node, np.add) or calls(node, np.subtract)):
            kind, text = (
                "activation derivative",
                f"the activation's derivative f'(z) is missing: the cotangent {name}, ",
            )
            text += "dL/da, stands where dL/dz belongs"
        yield edge.wrong("delta " + name, kind, text + ", in {where}",
                         _shifted(edge, wrong - right))  # fmt: skip


def _other_operands(edge: Edge, right: Array) -> Iterator[Step]:
    """Another value of the same shape in the place of the operand that the cotangent is multiplied by."""
    recording = edge.recording
    own = edge.other()
    candidates: list[tuple[str, str, Any]] = []
    after = _next_of_shape(recording, edge.node, right.shape)
    if after is not None:
        candidates.append((after.name or "the value after this step", "after", recording.values.get(after)))
    if own is not None:
        candidates += _values_before(recording, own)
        further = _next_of_shape(recording, own, right.shape)
        if further is not None:
            text = further.name or "the value after the next function"
            candidates.append((text, "further", recording.values.get(further)))
    known = [right]
    for text, key, value in candidates:
        fits = value is not None and value.shape == right.shape
        if fits and not any(np.array_equal(value, other) for other in known):
            known.append(value)
            yield edge.wrong(key, "operand", f"{text} stands where the product's own operand belongs, in {{where}}",
                             _first_by(value))  # fmt: skip


def _values_before(recording: Recording, node: Node) -> Iterator[tuple[str, str, Any]]:
    """The values that an operand has been computed from, element by element, and the same part of them."""
    part = recording.saved(node)["index"] if calls(node, getitem) else None
    if part is not None:
        (node,) = node.parents
    for step in range(12):
        same = list(dict.fromkeys(p for p in node.parents if p.shape == node.shape))
        if len(same) != 1 or node.recipe is None:
            return
        (node,) = same
        value = recording.values.get(node)
        if value is not None:
            text = node.name or "the value before the activation"
            yield text, f"before {step}", value if part is None else value[part]


def _shifted(edge: Edge, by: Array) -> Callable[[Any], Any]:
    return lambda g: edge.right(g + by)


def _scaled(edge: Edge, by: float) -> Callable[[Any], Any]:
    return lambda g: edge.right(g) * by


def _first_by(operand: Array) -> Callable[[Any], Any]:
    return lambda g: operand.mT @ g


def _next_of_shape(recording: Recording, node: Node, shape: tuple[int, ...]) -> Node | None:
    """The nearest result that is no sum and no product, computed from a node, of this shape."""
    frontier = [node]
    for _ in range(12):
        frontier = [user for one in frontier for user, _ in recording.users.get(one, ()) if user.shape == node.shape]
        frontier = list(dict.fromkeys(frontier))
        for user in frontier:
            recipe = user.recipe
            if recipe is not None and recipe.rule.call in (np.tanh, np.maximum, np.exp) and user.shape == shape:
                return user
            if calls(user, np.divide) and user.shape == shape:
                return user
    return None


def _cotangents_near(edge: Edge) -> Iterator[tuple[str, Node]]:
    """The nodes after a product whose cotangents have its shape, up to the next product."""
    frontier, seen = [edge.node], {edge.node}
    for _ in range(6):
        frontier = [u for n in frontier for u, _ in edge.recording.users.get(n, ()) if u.shape == edge.node.shape]
        for user in frontier:
            if user not in seen:
                seen.add(user)
                made = "" if user.recipe is None else user.recipe.rule.name.lstrip("_")
                yield f"after {made}", user


# ---- reductions ----


def _reductions(edge: Edge) -> Iterator[Step]:
    if edge.function not in (np.sum, np.mean, np.var, np.std):
        given = edge.recording.given[edge.node, edge.slot]
        if given.shape != edge.parent.shape:
            count = max(given.size // max(math.prod(edge.parent.shape), 1), 1)
            if count > 1:
                yield edge.wrong("averaged", "reduction", f"averaged over the {count} elements that the engine sums "
                                 "over, in {where}", lambda g: edge.right(g) / count)  # fmt: skip
        return
    shape = edge.parent.shape
    count = max(math.prod(shape) // max(math.prod(edge.node.shape), 1), 1)
    if edge.function is np.sum and count > 1:
        yield edge.wrong("averaged", "reduction", f"the sum over {count} elements is taken as their mean in {{where}}",
                         lambda g: edge.right(g) / count)  # fmt: skip
    if edge.function is np.mean and count > 1:
        yield edge.wrong("summed", "reduction", f"the mean over {count} elements is taken as their sum in {{where}}",
                         lambda g: edge.right(g) * count)  # fmt: skip
        for axis, n in enumerate(shape):
            if 1 < n < count and count % n == 0:
                yield edge.wrong(f"summed {axis}", "reduction", f"the mean over {count} elements is divided by "
                                 f"{count // n} only: not averaged over axis {axis} of length {n}, in {{where}}",
                                 _scaled(edge, n))  # fmt: skip
    if edge.function in (np.mean, np.var, np.std) and count > 1:
        yield edge.wrong("n - 1", "reduction", f"divided by n - 1 = {count - 1} and not by n = {count}, in {{where}}",
                         lambda g: edge.right(g) * count / (count - 1))  # fmt: skip


# ---- choices ----

_CHOICES = (np.maximum, np.minimum, np.fmax, np.fmin, np.max, np.min, np.amax, np.amin)


def _choices(edge: Edge) -> Iterator[Step]:
    name = edge.node.recipe.rule.name if edge.node.recipe is not None else ""
    if edge.function not in _CHOICES and name.split(".")[-1] not in ("where", "clip_between"):
        return

    def everywhere(g: Any) -> Any:
        g = np.asarray(g)
        missing = len(edge.parent.shape) - g.ndim
        return np.broadcast_to(g.reshape(g.shape + (1,) * missing) if missing > 0 else g, edge.parent.shape)

    what = "max" if "max" in name else "min" if "min" in name else name.split("_")[0]
    count = max(math.prod(edge.parent.shape) // max(math.prod(edge.node.shape), 1), 1)
    if edge.function not in (np.maximum, np.minimum) or edge.other() is not None:  # those are activations
        yield edge.wrong("mask", "mask", f"the mask of {what} is missing in {{where}}", everywhere)
    if count > 1:
        yield edge.wrong("average", "mask", f"{what} hands on to all {count} elements, as a mean does, in {{where}}",
                         lambda g: everywhere(g) / count)  # fmt: skip
    yield edge.wrong("mask reversed", "mask", f"the mask of {what} is reversed in {{where}}",
                     lambda g: everywhere(g) - edge.right(g))  # fmt: skip
    if edge.function in (np.maximum, np.fmax):
        yield edge.wrong("mask of the cotangent", "mask", "the mask is taken of the cotangent and not of the input, in "
                         "{where}", lambda g: g * (g > 0))  # fmt: skip


# ---- indexing ----


def _indices(edge: Edge) -> Iterator[Step]:
    if edge.function is getitem:
        index = edge.saved["index"]
        entries = index if isinstance(index, tuple) else (index,)
        if any(isinstance(entry, np.ndarray | list) for entry in entries):
            yield edge.wrong("overwritten", "indexing", "rows that are taken several times are overwritten, not added "
                             "up, in {where}", lambda g: _overwritten(g, index, edge.parent))  # fmt: skip


def _overwritten(g: Any, index: Any, parent: Node) -> Array:
    out = np.zeros(parent.shape, parent.dtype)
    out[index] = g
    return out


# ---- any edge ----


def _any_edge(edge: Edge) -> Iterator[Step]:
    yield Step("dropped", "path", "the path through {where} is forgotten", PATH, FORGOTTEN)
    if edge.parent.dtype.kind == "c":
        yield edge.wrong("conjugate", "conjugate", "a complex conjugate is missing, or one too many, in {where}",
                         lambda g: np.conj(edge.right(g)))  # fmt: skip
    yield edge.wrong("sign", "sign", "the sign is flipped in {where}", lambda g: -edge.right(g), PLAIN)
    yield edge.wrong("twice", "path", "the path through {where} is counted twice", lambda g: 2 * edge.right(g), PLAIN)
