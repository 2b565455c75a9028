"""What a report says beside a mistake: the lines of the program, what agrees and proves it, and the right formulas."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...core.graph import Node
from .evidence import Row
from .formulas import formula_of_activation, formula_of_step
from .place import verb, vouched
from .recording import Recording
from .rows import Explanation

MOST = 3
"""So many lines, and so many formulas, are shown."""

PLACED = frozenset({"delta", "factor", "sign", "transpose", "reversal", "permutation", "shape", "batch sum", "L2"})
"""Kinds of which the steps that may be wrong are known, and not always the one that is."""

SHOWN = 90
"""The longest line of a program that is shown whole."""


def with_details(explanation: Explanation, rows: Sequence[Row], recording: Recording) -> Explanation:
    """The explanation with its place in the program, its proof, and the right formulas."""
    if not explanation.edges:
        return explanation
    explanation = replace(explanation, edges=_of_calls(explanation, recording))
    details = [
        *_in_program(explanation, recording),
        *(f"proof: {text}" for text in _proofs(explanation, rows, recording)),
        *(f"right: {formula}" for formula in _formulas(explanation, recording)),
    ]
    return replace(explanation, details=tuple(details))


def _of_calls(explanation: Explanation, recording: Recording) -> tuple[tuple[Node, int, Node | None], ...]:
    """The edges, with those of the calls on a parameter in the place of the parameter itself."""
    found: list[tuple[Node, int, Node | None]] = []
    for node, slot, target in explanation.edges:
        users = recording.users.get(node, []) if slot < 0 and node.recipe is None else []
        found += [(*edge, None) for edge in users] if users else [(node, slot, target)]
    return tuple(found)


def _in_program(explanation: Explanation, recording: Recording) -> Iterator[str]:
    """The user's lines that made the calls, in the order of the forward program."""
    nodes = sorted({node for node, _, _ in explanation.edges}, key=recording.position.__getitem__, reverse=True)
    lines = list(dict.fromkeys(recording.lines[node] for node in nodes if recording.lines.get(node)))
    for line in lines[:MOST]:
        path, _, number = line.rpartition(":")
        text = linecache.getline(path, int(number)).strip()
        shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
        yield f"at {os.path.basename(path)}:{number}{f': {shown}' if shown else ''}"
    if len(lines) > MOST:
        yield f"and at {len(lines) - MOST} more lines"


def _proofs(explanation: Explanation, rows: Sequence[Row], recording: Recording) -> Iterator[str]:
    if explanation.kind in ("operand", "transpose", "reversal", "indexing"):
        yield from list(vouched(rows, explanation.parameters, recording))[:1]
    agreeing = [row.name for row in rows if row.agrees and row.name not in recording.parameters]
    wrong = [row.name for row in rows if not row.agrees and row.name not in recording.parameters]
    if agreeing and wrong and explanation.kind != "delta":
        agree, differ = verb(", ".join(agreeing), len(agreeing), "agree"), verb(", ".join(wrong), len(wrong), "do")
        yield f"of the cotangents that you gave {agree}, and {differ} not"


def _formulas(explanation: Explanation, recording: Recording) -> list[str]:
    found: dict[str, None] = {}
    backward = explanation.kind != "value"
    if explanation.kind in PLACED and len(explanation.edges) > 1:
        first, (last, slot, _) = explanation.edges[0][0], explanation.edges[-1]
        whole = formula_of_activation(recording, last.parents[slot], first)
        if whole is not None:
            return [whole]
    for node, slot, target in explanation.edges:
        if not backward or node.recipe is None or slot < 0:
            continue
        if target is not None and target not in node.parents:
            formula = formula_of_activation(recording, target, node)
        elif explanation.kind in PLACED and len({node for node, _, _ in explanation.edges}) > MOST:
            formula = None
        else:
            formula = formula_of_step(recording, node, slot)
        if formula is not None:
            found[formula] = None
        if len(found) == MOST:
            break
    return list(found)
