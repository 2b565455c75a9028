"""Activations in a recorded graph: where a value goes through functions of its own elements alone, and their slope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.graph import Node
from ...special import log_softmax, softmax
from .network import elementwise_ends
from .recording import Detour, Detours, Recording, fitted
from .rows import Array

NOT_ALONE = frozenset(
    {np.square, np.power, np.exp, np.log, np.log1p, np.sqrt, np.reciprocal, np.absolute, np.negative, np.add,
     np.subtract, np.multiply, np.divide}
)  # fmt: skip
"""Functions that are no activation by themselves; the catalogue has their mistakes."""


class Activation(NamedTuple):
    """A function from one value to another of the same shape, element by element.

    Attributes
    ----------
    start, end : Node
        The nodes of ``z`` and of ``a``.
    slope : ndarray
        ``f'(z)``.
    z, a : ndarray or None
        The values, if they are known.
    """

    start: Node
    end: Node
    slope: Array
    z: Array | None
    a: Array | None

    def instead(self, pull: Callable[[Any], Any]) -> Detours:
        """Detours by which the cotangent of ``z`` is this function of the cotangent of ``a``."""
        first: Detours = {(self.end, 0): Detour(self.start, pull)}
        return {**first, **{(self.end, slot): Detour(None, pull) for slot in range(1, len(self.end.parents))}}


class Slope(NamedTuple):
    """A wrong version of a slope: its key, kind, sentence, and numbers."""

    key: str
    text: str
    numbers: Any


def activations(recording: Recording) -> list[Activation]:
    """The activations of a graph, of which several may begin at the same place."""
    found: list[Activation] = []
    inner: set[Node] = set()
    users = {node: [user for user, _ in edges] for node, edges in recording.users.items()}
    for start in reversed(recording.order):
        if start in inner:
            continue
        ends = elementwise_ends(start, users)
        inner.update(ends)
        for end in ends:
            functions = _functions_between(start, end)
            if functions & {softmax, log_softmax}:
                continue  # functions of several elements
            if (len(functions) == 1 and functions <= NOT_ALONE) or functions <= {np.square, np.negative, np.power}:
                continue
            slope = _slope(recording, start, end)
            if slope is not None and np.ptp(slope) > 1e-12 * np.max(np.abs(slope)):
                values = recording.values
                found.append(Activation(start, end, slope, values.get(start), values.get(end)))
    return found


def _functions_between(start: Node, end: Node) -> set[Any]:
    found: set[Any] = set()
    pending = [end]
    seen = {start}
    while pending:
        node = pending.pop()
        if node in seen or node.recipe is None:
            continue
        seen.add(node)
        found.add(node.recipe.rule.call)
        pending += node.parents
    return found


def _slope(recording: Recording, start: Node, end: Node) -> Array | None:
    if not np.prod(start.shape, dtype=int):
        return None
    sums: dict[Node, Any] = {end: np.ones(end.shape, end.dtype)}
    for node in recording.order[recording.position[end] : recording.position[start]]:
        if node in sums and node.recipe is not None:
            for parent, given in zip(node.parents, pull_as_arrays(node, sums[node], node.saved), strict=True):
                sums[parent] = sums.get(parent, 0.0) + fitted(given, node, parent)
    slope = sums.get(start)
    return slope if slope is not None and np.all(np.isfinite(slope)) else None


def wrong_slopes(activation: Activation) -> Iterator[Slope]:
    """The slopes that are usually taken by mistake."""
    slope, z, a = activation.slope, activation.z, activation.a
    yield Slope("missing", "the activation's derivative f'(z) is missing in {where}", 1.0)
    yield Slope("squared", "the activation's derivative f'(z) is applied twice in {where}", slope * slope)
    if a is None:
        return
    yield Slope("value", "the activation f(z) stands where its derivative f'(z) belongs, in {where}", a)
    known = next((k for k in KNOWN if is_slope(slope, k.slope(z, a))), None)
    if known is None:
        for other in KNOWN[:2]:
            yield Slope(f"of {other.name}", f"{other.name}'s derivative {other.formula} stands where that of the "
                        "activation belongs, in {where}", other.slope(z, a))  # fmt: skip
        return
    name, formula = known.name, known.formula
    for written, wrong in known.miswritten:
        yield Slope(written, f"{name}'s derivative is written as {written} and not as {formula}, in {{where}}",
                    wrong(a))  # fmt: skip
    at = known.function
    yield Slope("at a", f"{name}'s derivative is taken at the activation: {name}'(a) where {name}'(z) belongs, in "
                "{where}", known.slope(a, at(a)))  # fmt: skip
    if z is not None:
        yield Slope("with z", f"{name}'s derivative {formula} is written with z in place of a, in {{where}}",
                    known.slope(z, z))  # fmt: skip
    for other in KNOWN:
        if other.name != name and other.name != "relu":
            yield Slope(f"of {other.name}", f"{other.name}'s derivative {other.formula} stands where {name}'s "
                        f"{formula} belongs, in {{where}}", other.slope(z, a))  # fmt: skip


def slopes_of_other_steps(group: Sequence[Activation]) -> Iterator[tuple[str, list[Any]]]:
    """The slopes of a recurrence if each step takes that of the step before it, or after it."""
    slopes = [activation.slope for activation in group]
    if len({slope.shape for slope in slopes}) > 1:
        return
    text = "the activation's derivative is taken at the state {} the step, in {{where}}"
    for first in (1.0, slopes[0]):  # the derivative at a state of zeros, before the first step, is 1
        yield text.format("before"), [first, *slopes[:-1]]
    yield text.format("after"), [*slopes[1:], slopes[-1]]


def hard_predictions(activation: Activation) -> Detours | None:
    """Detours by which a sigmoid under a cross-entropy is rounded to 0 or 1 before the targets are subtracted."""
    a = activation.a
    if a is None or activation.z is None or not is_slope(activation.slope, KNOWN[0].slope(activation.z, a)):
        return None

    def rounded(g: Any) -> Any:
        scale = np.where(g > 0, g / a, -g / (1 - a))  # the cotangent is scale (a - y), for targets y of 0 and 1
        return scale * ((a > 0.5) - (g < 0))

    return {(activation.start, -1): Detour(None, rounded)}


class _Known(NamedTuple):
    name: str
    formula: str
    function: Callable[[Any], Any]
    slope: Callable[[Any, Any], Any]
    miswritten: tuple[tuple[str, Callable[[Any], Any]], ...] = ()


KNOWN = [
    _Known("sigmoid", "a (1 - a)", lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a),
           (("1 - a", lambda a: 1 - a), ("a (1 + a)", lambda a: a * (1 + a)), ("a (a - 1)", lambda a: a * (a - 1)),
            ("1 - a^2", lambda a: 1 - a * a), ("a^2", lambda a: a * a), ("a - 1", lambda a: a - 1))),
    _Known("tanh", "1 - a^2", np.tanh, lambda z, a: 1 - a * a,
           (("1 - a", lambda a: 1 - a), ("1 + a^2", lambda a: 1 + a * a), ("a^2 - 1", lambda a: a * a - 1),
            ("(1 - a)^2", lambda a: (1 - a) ** 2))),
    _Known("relu", "[z > 0]", lambda z: np.maximum(z, 0), lambda z, a: (a > 0) * 1.0),
]  # fmt: skip
"""Activations with a derivative that is written with the activation's own value."""


def is_slope(slope: Array, expected: Any) -> bool:
    """Whether a formula gives these derivatives."""
    return bool(np.max(np.abs(slope - expected)) <= 1e-5 * np.max(np.abs(slope)))
