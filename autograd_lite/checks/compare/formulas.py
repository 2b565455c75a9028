"""The right formula of a step of the backward pass, as a line of text with the names of the user's program."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.dispatch import getitem
from ...core.graph import Node
from ...core.outputs import Dtypes
from ...core.rule import OUT
from ...notation.formulas import right_side
from ...notation.mathml import identifier, number, text_of, variable
from .activations import KNOWN, activations
from .recording import Recording

LONGEST = 40
"""The longest expression that stands for a result without a name."""

_WRITTEN = {
    np.add: "{} + {}", np.subtract: "{} - {}", np.multiply: "{} * {}", np.divide: "{} / {}", np.matmul: "{} @ {}",
    np.dot: "{} @ {}", np.power: "{}**{}",
}  # fmt: skip
_LOOSE = (np.add, np.subtract)


def formula_of_step(recording: Recording, node: Node, slot: int) -> str | None:
    """What a call hands on to one of its operands; None if it has several outputs, or no formula."""
    if node.recipe is None or isinstance(node.dtype, Dtypes):
        return None
    rule, argument = node.recipe.rule, node.recipe.arguments[slot].partition("[")[0]
    parent = node.parents[slot]
    vjp = rule.vjps.get(argument)
    if vjp is None or rule.joint is not None:
        return None
    names: dict[str, str] = {"g": f"<mi>{_escaped(_derivative(recording, node))}</mi>"}
    settings: dict[str, Any] = {}
    for name, source, value in zip(node.recipe.reads, node.recipe.sources, node.saved or (), strict=True):
        if isinstance(source, int):
            names[name] = _mathml(recording, node if source == OUT else node.parents[source])
        elif isinstance(value, int | float) or (isinstance(value, np.ndarray | np.generic) and value.ndim == 0):
            names[name] = number(value if isinstance(value, int | float) else value.item())
        elif isinstance(value, np.ndarray):
            names[name] = variable(recording.constant(value)) if recording.constant(value) else identifier(name)
        if not isinstance(value, np.ndarray):
            settings[name] = value
    try:
        right = right_side(vjp, names, settings)
        text = text_of(f"<mrow>{right}</mrow>")
    except Exception:  # a rule of the user's may be written in any way, and the report is about another thing
        return None
    left = _derivative(recording, parent)
    if text == left:
        return None
    total = "sum over the broadcast axes of " if recording.given[node, slot].shape != parent.shape else ""
    return f"{left} = {total}{text}"


def formula_of_activation(recording: Recording, start: Node, end: Node) -> str | None:
    """What an activation, which may be written out in several calls, hands on."""
    for one in activations(recording):
        if one.start is start and one.end is end:
            a, z = expression(recording, end), expression(recording, start)
            left = f"∂L/∂{_in_parentheses(z)} = ∂L/∂{_in_parentheses(a)}"
            if one.z is not None and one.a is not None:
                for known in KNOWN:
                    slope = known.slope(one.z, one.a)
                    if np.max(np.abs(one.slope - slope)) <= 1e-5 * np.max(np.abs(one.slope)):
                        written = known.formula.replace("a", _in_parentheses(a)).replace("z", _in_parentheses(z))
                        return f"{left} · {written if known.formula.startswith('a (') else _in_parentheses(written)}"
            return f"{left} · f'({z}), where {a} = f({z})"
    return None


def expression(recording: Recording, node: Node, depth: int = 2) -> str:
    """A node's name; without one, what it was computed from, if that is short."""
    if node in recording.labels:
        return recording.labels[node]
    if node.recipe is None:
        return node.name or "a leaf"
    call = node.recipe.rule.call
    name = node.recipe.rule.name.lstrip("_")
    if depth:
        operands = _operands(recording, node, depth - 1)
        if operands is not None and call in _WRITTEN and len(operands) == 2:
            text = _WRITTEN[call].format(*(o if call in _LOOSE else _in_parentheses(o) for o in operands))
        elif operands is not None and call is not getitem:
            text = f"{name}({', '.join(operands)})"
        else:
            text = ""
        if text and len(text) <= LONGEST:
            return text
    return f"{name}(...)"


def _operands(recording: Recording, node: Node, depth: int) -> list[str] | None:
    """The operands of a call in their order; None if one of them is not known."""
    assert node.recipe is not None
    by_argument = dict(zip(node.recipe.arguments, node.parents, strict=True))
    saved = recording.saved(node)
    found: list[str] = []
    for argument in node.recipe.rule.parameters[:2]:
        if argument in by_argument:
            found.append(expression(recording, by_argument[argument], depth))
        elif argument in saved and isinstance(value := saved[argument], np.ndarray | np.generic | int | float):
            name = recording.constant(np.asarray(value))
            if np.size(value) == 1:
                found.append(f"{np.asarray(value).item():g}")
            elif name:
                found.append(name)
            else:
                return None
        elif argument in ("x2", "b") or node.recipe.rule.call in _WRITTEN:
            return None
    return found


def _mathml(recording: Recording, node: Node) -> str:
    text = expression(recording, node)
    if text.isidentifier():
        return variable(text)
    return f"<mi>{_escaped(_in_parentheses(text))}</mi>"


def _derivative(recording: Recording, node: Node) -> str:
    node = next((same for same in recording.equal_cotangents(node) if same in recording.labels), node)
    return f"∂L/∂{_in_parentheses(expression(recording, node))}"


def _in_parentheses(text: str) -> str:
    return f"({text})" if " " in text and not (text.startswith("(") and text.endswith(")")) else text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
