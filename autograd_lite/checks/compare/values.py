"""Values of the forward program that were computed by hand: which is the first wrong one, and what stands there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...core.graph import Node, ancestors
from .activations import KNOWN
from .evidence import Row, largest, row_of
from .hand import LOSS, VALUES
from .recording import Recording
from .rows import Array, Explanation, ParameterComparison
from .single import finding

Values = Sequence[tuple[Node | None, ParameterComparison]]
"""The rows of values, in the order of the forward program, each with its node."""


def rows_of_values(
    given: Mapping[str, Array], values: Mapping[str, Array], recording: Recording | None
) -> list[tuple[Node | None, ParameterComparison]]:
    """A row for each value by hand, beside the program's."""
    if recording is None:
        return []
    found: list[tuple[Node | None, ParameterComparison]] = []
    for name, hand in given.items():
        node = recording.root if name == LOSS else {**recording.intermediates, **recording.parameters}[name]
        mask = ~np.ma.getmaskarray(hand) if isinstance(hand, np.ma.MaskedArray) else None
        terms = max((largest(recording.values[p]) for p in node.parents if p in recording.values), default=0.0)
        row = ParameterComparison(f"value of {name}", np.ma.getdata(hand), np.asarray(values[name]), terms, mask)
        found.append((node, row))
    return sorted(found, key=lambda entry: -1 if entry[0] is None else -recording.position.get(entry[0], 0))


def of_values(values: Values, recording: Recording) -> list[Explanation]:
    """The first wrong values: those that are computed from nothing that is wrong already."""
    rows = [(node, row_of(row, None)) for node, row in values if node is not None]
    wrong = {node: row for node, row in rows if not row.agrees}
    right = {node: row for node, row in rows if row.agrees}
    said: list[Explanation] = []
    for node, row in wrong.items():
        before = set(ancestors(node)) - {node}
        if before & wrong.keys() or (row.is_near and row.tolerance < 1e-6):
            continue
        after = [other.name for one, other in wrong.items() if one is not node and node in set(ancestors(one))]
        agreeing = [other.name for one, other in right.items() if one in before]
        text = f"{row.name}: {_described(node, row, recording)}"
        if agreeing:
            text += f"; {', '.join(agreeing)} {'agrees' if len(agreeing) == 1 else 'agree'}"
        if after:
            text += f"; {', '.join(after)}, and the gradients, are computed from it"
        edges = tuple((node, slot, None) for slot in range(len(node.parents)))
        said.append(Explanation("value", (row.name,), text, edges))
    return said


def values_as_gradients(rows: Sequence[Row], recording: Recording) -> list[Explanation]:
    """Values of intermediates that are given in the place of their gradients."""
    said = []
    for row in rows:
        value = None if row.name in recording.parameters else recording.values.get(recording.targets[row.name])
        if value is not None and not row.agrees and row.is_proven_by(value):
            text = f'{row.name}: yours is its value and not its gradient; values are given under the key "{VALUES}"'
            said.append(Explanation("operand", (row.name,), text))
    return said


def _described(node: Node, row: Row, recording: Recording) -> str:
    if not row.finite:
        return f"{np.sum(~np.isfinite(row.hand))} of {row.hand.size} numbers of yours are NaN or infinite"
    entry = finding(row)
    if entry is not None:
        factor = "" if entry.factor in (1, -1) else f", {entry.factor:.6g} times"
        match entry.kind:
            case "sign":
                return "the sign is flipped"
            case "factor":
                return f"yours is {entry.factor:.6g} times the program's"
            case "transpose":
                return f"yours is the transpose of the program's{factor}"
            case "shape":
                return f"the numbers agree, but the shape does not: it is {entry.detail}"
            case "permutation" | "reversal":
                return f"in another order: {entry.detail}"
    for text, other in _others(node, recording):
        if other.shape == row.hand.shape and row.is_proven_by(other):
            return f"yours is {text}"
    if not row.same_shape:
        return f"it has the shape {row.hand.shape}, and the program's {row.engine.shape}"
    if row.hand.size == 1:
        yours, programs = row.hand.item(), row.engine.item()
        ratio = f", {yours / programs:.6g} times as much" if programs else ""
        return f"yours is {yours:.6g}, and the program's {programs:.6g}{ratio}"
    apart = largest(row.hand - row.engine)
    return f"yours differs from the program's by up to {apart:.3g}, of {largest(row.engine):.3g}"


def _others(node: Node, recording: Recording) -> Iterator[tuple[str, Any]]:
    """What may stand in the place of a value: another one of the program, or another function of the one before."""
    label = recording.label
    for other, value in recording.values.items():
        if other is not node and value.shape == node.shape and other in recording.position:
            yield f"the value of {label(other)}", value
    for before in _elements_before(node):
        z = recording.values.get(before)
        if z is not None:
            with np.errstate(all="ignore"):
                for known in KNOWN:
                    yield f"{known.name} of {label(before)}, which is not what the program computes", known.function(z)
    if len(node.parents) == 2:
        first, second = (recording.values.get(parent) for parent in node.parents)
        if first is not None and second is not None:
            for text, value in _combined(first, second):
                yield f"{text.format(*map(label, node.parents))}, which is not what the program computes", value


def _combined(first: Array, second: Array) -> Iterator[tuple[str, Any]]:
    for text, function in (("{0} + {1}", np.add), ("{0} - {1}", np.subtract), ("{0} * {1}", np.multiply)):
        try:
            yield text, function(first, second)
        except ValueError:
            return


def _elements_before(node: Node) -> list[Node]:
    """The nodes of the same shape that a node is computed from, the nearest first."""
    found: list[Node] = []
    frontier = [node]
    for _ in range(12):
        frontier = list(dict.fromkeys(p for one in frontier for p in one.parents if p.shape == node.shape))
        found += [one for one in frontier if one not in found]
    return found
