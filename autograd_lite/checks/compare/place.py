"""The first wrong step of a backward pass: all that agrees is computed before it or beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ...core.graph import Node
from .evidence import Row
from .network import PRODUCTS, calls
from .recording import Edge, Recording
from .rows import Explanation

MOST = 2
"""So many places are told."""


def first_wrong_places(rows: Sequence[Row], unexplained: Sequence[Row], recording: Recording) -> list[Explanation]:
    """The steps of the backward pass in which the mistakes must be, as what agrees and what differs shows.

    A step can be wrong only if nothing that agrees has been computed from what it hands on.
    """
    agreeing = [row.name for row in rows if row.agrees]
    left = {row.name for row in unexplained}
    if not agreeing:
        return []
    found: list[tuple[int, Explanation]] = []
    while left and len(found) < MOST:
        edges, covered = _suspects(recording, left, frozenset(agreeing))
        if not edges:
            break
        left -= covered
        names = [row.name for row in rows if row.name in covered]
        found.append((recording.position[edges[0][0]], _explanation(edges, names, agreeing, recording)))
    return [explanation for _, explanation in sorted(found, key=lambda entry: entry[0])]


def placed(explanation: Explanation, rows: Sequence[Row], recording: Recording) -> Explanation:
    """An explanation that gradients alone have shown, with the steps in which it must be, if what agrees shows them."""
    agreeing = frozenset(row.name for row in rows if row.agrees)
    compared = {name for name in explanation.parameters if name in recording.targets}
    if explanation.edges or not agreeing or not compared or compared & agreeing:
        return explanation
    edges, covered = _suspects(recording, compared, agreeing)
    if covered != compared:
        return explanation
    return replace(explanation, edges=tuple((*edge, None) for edge in edges))


def _suspects(recording: Recording, left: set[str], agreeing: frozenset[str]) -> tuple[list[Edge], frozenset[str]]:
    """The steps that most of what is left is computed from, and nothing that agrees; and what this is."""
    best: list[Edge] = []
    most: frozenset[str] = frozenset()
    for node in recording.order:
        for slot, parent in enumerate(node.parents):
            reached = recording.reaches[parent]
            covered = reached & left
            if not covered or reached & agreeing:
                continue
            if len(covered) > len(most):
                best, most = [], frozenset(covered)
            if covered == most:
                best.append((node, slot))
    return best, most


def _explanation(edges: list[Edge], names: list[str], agreeing: list[str], recording: Recording) -> Explanation:
    nodes = list(dict.fromkeys(node for node, _ in edges))
    ends = _ends(edges)
    proof = f"{verb(_shown(agreeing), len(agreeing), 'agree')}, and {verb(', '.join(names), len(names), 'do')} not"
    marked = tuple((node, slot, None) for node, slot in edges)
    if steps := _last_steps(marked, recording):
        witnesses = _witnesses([node for node, _ in steps], agreeing, recording)
        if witnesses:
            return _of_last_steps(steps, names, witnesses, recording)
    if len(nodes) == 1:
        where = f"the step back through {recording.label(nodes[0])}"
        made = nodes[0].recipe
        if made is not None and nodes[0] in recording.labels:
            where += f" = {made.rule.name.lstrip('_')}(...)"
    else:
        top = next((same for same in recording.equal_cotangents(nodes[0]) if same in recording.labels), nodes[0])
        where = f"the steps back from {recording.label(top)} to {', '.join(map(recording.label, ends))}"
    text = f"the first wrong step in backward order is in {where}: {proof}"
    return Explanation("delta", tuple(names), text, marked)


def is_of_last_step(explanation: Explanation, recording: Recording) -> bool:
    """Whether a place is the last step to a parameter alone, and only parameters are compared."""
    return recording.targets == recording.parameters and bool(_last_steps(explanation.edges, recording))


def _last_steps(edges: Sequence[tuple[Node, int, Node | None]], recording: Recording) -> list[Edge]:
    """The steps to a parameter, if there are no others among these but sums, which hand on what they get."""
    leaf = edges[-1][0].parents[edges[-1][1]] if edges[-1][1] >= 0 else None
    steps = [(node, slot) for node, slot, _ in edges if slot >= 0 and node.parents[slot] is leaf]
    within = {same for node, _ in steps for same in recording.equal_cotangents(node)}
    return steps if leaf in recording.names and all(node in within for node, _, _ in edges) else []


def _of_last_steps(steps: Sequence[Edge], names: list[str], witnesses: list[str], recording: Recording) -> Explanation:
    agree, differ = verb(_shown(witnesses), len(witnesses), "agree"), verb(", ".join(names), len(names), "do")
    what = "the cotangents before it are"
    if len(steps) == 1:
        node = next((n for n in recording.equal_cotangents(steps[0][0]) if n in recording.labels), None)
        what = "the cotangent before it is" if node is None else f"∂L/∂{recording.label(node)} is"
    last = f"the mistake is in the last step, to {', '.join(names)}"
    text = f"{differ} not agree, and {agree}: {what} right, and {last}"
    return Explanation("delta", tuple(names), text, tuple((*edge, None) for edge in steps))


def _witnesses(products: Sequence[Node], agreeing: Sequence[str], recording: Recording) -> list[str]:
    """What agrees and is computed from the cotangents of products, or from equal ones."""
    same = [node for product in products for node in recording.equal_cotangents(product)]
    reached = frozenset[str]().union(*(recording.reaches[node] for node in same))
    return [name for name in agreeing if name in reached]


def _is_product(node: Node) -> bool:
    return any(calls(node, function) for function in (*PRODUCTS, np.multiply))


def _ends(edges: Sequence[Edge]) -> list[Node]:
    """Where the steps lead to: the nodes that no other step goes on from."""
    within = {node for node, _ in edges}
    parents = dict.fromkeys(node.parents[slot] for node, slot in edges)
    return [parent for parent in parents if parent not in within]


def _shown(names: Sequence[str]) -> str:
    if len(names) <= 6:
        return ", ".join(names)
    return f"{', '.join(names[:5])} and {len(names) - 5} others"


def verb(names: str, count: int, plural: str) -> str:
    """Names with their verb in the singular or the plural."""
    return f"{names} {({'do': 'does'}.get(plural) or plural + 's') if count == 1 else plural}"


def vouched(rows: Sequence[Row], names: Sequence[str], recording: Recording) -> Iterator[str]:
    """What of the intermediates and parameters that agree proves about the cotangent before a mistake."""
    agreeing = [row.name for row in rows if row.agrees]
    for name in names:
        leaf = recording.parameters.get(name)
        users = [] if leaf is None else recording.users.get(leaf, [])
        if len(users) != 1 or not _is_product(users[0][0]):
            continue
        product = users[0][0]
        witnesses = [w for w in _witnesses([product], agreeing, recording) if w != name]
        if witnesses and product in recording.position:
            labels = (recording.labels.get(same, "") for same in recording.equal_cotangents(product))
            label = next(filter(None, labels), "")
            what = f"∂L/∂{label}" if label else "the cotangent of the product"
            agree = verb(_shown(witnesses), len(witnesses), "agree")
            yield f"{agree} and {name} does not, so {what} is right and the other factor is wrong"
