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
from .softmax import logits_of_softmax, summed_axis

SPECIFIC, PATH, RARE, PLAIN = 0, 1, 2, 3
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
        `SPECIFIC`, `PATH`, `RARE` or `PLAIN`.
    detour : Detour
        What is handed on.
    """

    key: str
    kind: str
    text: str
    rank: int
    detour: Detour


def steps_of(recording: Recording, node: Node, slot: int, place: Callable[[Node], str]) -> Iterator[Step]:
    """The wrong versions of one edge; `place` says where another node is."""
    edge = Edge(recording, node, slot, place)
    for family in (
        _own_mistakes, _elementwise, _products, _matrix_products, _other_cotangents, _reductions, _choices, _indices
    ):  # fmt: skip
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

    def __init__(self, recording: Recording, node: Node, slot: int, place: Callable[[Node], str]) -> None:
        assert node.recipe is not None
        self.place = place
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
        out = edge.recording.values.get(edge.node)
        if logits is not None and out is not None:
            yield from softmax_steps(edge, logits, out)


def softmax_steps(edge: Edge, logits: Node, a: Array) -> Iterator[Step]:
    """The mistakes of a softmax that is written out."""
    axis = summed_axis(edge.node)

    def inner(g: Any) -> Any:
        return np.sum(g * a, axis=axis, keepdims=True)

    hard = (a == np.max(a, axis=axis, keepdims=True)) * 1.0
    versions: list[tuple[str, str, Callable[[Any], Any]]] = [
        ("diagonal", DIAGONAL, lambda g: g * a * (1 - a)),
        ("no softmax", "softmax's Jacobian is missing in {where}", lambda g: g),
        ("softmax sign", "softmax's Jacobian has the wrong sign off the diagonal: diag(a) + a a^T",
         lambda g: a * (g + inner(g))),
        ("hard", "predictions (1 at the largest probability, else 0) stand where the probabilities belong, in {where}",
         lambda g: a * g - hard * inner(g)),
        ("extra", "softmax's Jacobian is there, and a (1 - a) once more, in {where}",
         lambda g: a * (g - inner(g)) * a * (1 - a)),
        ("unit", "softmax's Jacobian lacks its off-diagonal part, and has its diagonal as a, in {where}",
         lambda g: g * a),
    ]  # fmt: skip
    for other in range(a.ndim):
        if other != axis % a.ndim and a.shape[other] > 1:
            versions.append((f"axis {other}", f"softmax's Jacobian sums over axis {other}, which softmax does not, in "
                             "{where}", _softmax_over(a, other)))  # fmt: skip
    for key, text, pull in versions:
        yield Step(key, "softmax", text, SPECIFIC, Detour(logits, pull))


def _softmax_over(a: Array, axis: int) -> Callable[[Any], Any]:
    return lambda g: a * (g - np.sum(g * a, axis=axis, keepdims=True))


def _wrongly(mistake: Mistake, saved: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda g: mistake.cotangent(g, saved)


# ---- elementwise functions of one argument ----

_NAMED = {np.exp: "exp", np.log: "log", np.log1p: "log1p", np.sqrt: "sqrt", np.reciprocal: "1/x", np.absolute: "|x|"}

_BASES = {np.log2: ("log2", 2), np.log10: ("log10", 10)}


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
    elif function in _BASES:
        name, base = _BASES[function]
        yield edge.wrong("base", "derivative", f"the factor 1/ln({base}) of {name}'s derivative is missing: yours is "
                         "that of the natural logarithm, in {where}", _scaled(edge, math.log(base)))  # fmt: skip
        yield edge.wrong("derivative", "derivative", f"the derivative of {name} is missing in {{where}}", lambda g: g)
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
        own = edge.recording.values.get(edge.parent)
        if own is not None and not constant:
            yield edge.wrong("own factor", "operand", "the factor itself stands where the other factor belongs, in "
                             "{where}", lambda g: g * own)  # fmt: skip
    if edge.function is np.divide:
        divisor = edge.saved.get("x2")
        if edge.argument == "x1":
            constant = edge.other() is None
            kind = "scale" if constant else "operand"
            deviation = not constant and calls(edge.node.parents[1 - edge.slot], np.sqrt)
            what = "the division by the standard deviation" if deviation else "the division by the denominator"
            if constant:
                what = f"the division by {_written(divisor)}"
            yield edge.wrong("division", kind, f"{what} is missing in {{where}}", lambda g: g)
            whole = np.asarray(divisor)
            if constant and whole.size == 1 and whole.dtype.kind in "fi" and whole.item() > 2 and whole.item() % 1 == 0:
                n = int(whole.item())
                yield edge.wrong("n - 1", "reduction", f"divided by n - 1 = {n - 1} and not by n = {n}, in {{where}}",
                                 lambda g: g / (n - 1))  # fmt: skip
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
    if other is None or np.ndim(other) < 2:
        return
    other = np.asarray(other)
    leaf = edge.other()
    name = edge.recording.names.get(leaf) if leaf is not None else None
    if other.shape[-1] == other.shape[-2]:
        what = name or ("the matrix" if first else "the first matrix")
        yield edge.wrong("transposed", "transpose", f"the cotangent is multiplied by {what} and not by its transpose, "
                         "in {where}", lambda g: g @ other if first else other @ g)  # fmt: skip
    if not first and len(edge.node.shape) > 1 and edge.node.shape[-1] == edge.node.shape[-2]:
        yield edge.wrong("cotangent transposed", "transpose", "the cotangent is transposed in {where}",
                         lambda g: other.mT @ g.mT)  # fmt: skip


def _other_cotangents(edge: Edge) -> Iterator[Step]:
    """The cotangent of another place in a product's, or in that of a bias."""
    is_product = edge.function in (np.matmul, np.dot, np.einsum)
    is_bias = edge.function in (np.add, np.subtract) and edge.parent in edge.recording.names
    if not is_product and not is_bias:
        return
    right = edge.recording.cotangents[edge.node]
    whose = "of the product" if is_product else "of the sum"
    near = dict(_cotangents_near(edge))
    for node, name in near.items():
        kind, text = "delta of another place", f"the cotangent {name} stands where that {whose} belongs"
        if not (calls(node, np.add) or calls(node, np.subtract)):
            kind, text = (
                "activation derivative",
                f"the activation's derivative f'(z) is missing: the cotangent {name}, ",
            )
            text += "dL/da, stands where dL/dz belongs"
        yield edge.wrong("delta " + name, kind, text + ", in {where}",
                         _shifted(edge, edge.recording.cotangents[node] - right))  # fmt: skip
    for node in edge.recording.of_shape(edge.node.shape):
        if node is not edge.node and node not in near:
            name = edge.place(node)
            text = f"the cotangent of {name} stands where that {whose} belongs, in {{where}}"
            yield edge.wrong("delta of " + name, "delta of another place", text,
                             _shifted(edge, edge.recording.cotangents[node] - right), RARE)  # fmt: skip


def _shifted(edge: Edge, by: Array) -> Callable[[Any], Any]:
    return lambda g: edge.right(g + by)


def _scaled(edge: Edge, by: float) -> Callable[[Any], Any]:
    return lambda g: edge.right(g) * by


def _cotangents_near(edge: Edge) -> Iterator[tuple[Node, str]]:
    """The nodes after a product whose cotangents have its shape, up to the next product or branch."""
    node = edge.node
    for _ in range(6):
        users = edge.recording.users.get(node, ())
        same = [user for user, _ in users if user.shape == edge.node.shape]
        if not same or (len(users) > 1 and len(same) < len(users)):
            return
        if len(users) > 1 and (calls(same[0], np.add) or calls(same[0], np.subtract)):
            return
        for node in same:
            made = "" if node.recipe is None else node.recipe.rule.name.lstrip("_")
            yield node, f"after {made}"


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
        axis = edge.saved.get("axis")
        if axis is not None and g.ndim < len(edge.parent.shape):
            g = np.expand_dims(g, axis)
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
