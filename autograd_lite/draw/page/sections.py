"""The steps of a backward pass as sections of a page, in text, formulas and numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from types import EllipsisType
from typing import Any

import numpy as np

from ...core.graph import Node
from ...core.outputs import OutputCotangents
from ...core.rule import OUT, parameter_names
from ...core.stepper import Contribution, Step
from ...formatting import visible
from ...notation.formulas import right_side
from ...notation.mathml import identifier, number, partial, variable
from ..marks import NONE, Marks
from ..text import gradient_of
from .html_arrays import Gallery, in_numbers, is_small

_COLUMNS_IN_FORMULAS = 4
"""The largest number of columns of a matrix in a formula."""


Reads = Mapping[str, tuple[Node | None, Any]]
"""From a parameter of a rule to the node whose result it is, or None, and to its value."""

_ARRAY = (np.ndarray, np.generic)


class Sections:
    """Writes the section of each step.

    Parameters
    ----------
    played : list of Step
        The steps of the pass.
    names : mapping
        From node to the name of its result.
    gallery : Gallery
        The figures of the page.
    marks : Marks
        The steps that a derivation by hand has wrong.
    """

    def __init__(
        self, played: Sequence[Step], names: Mapping[Node, str], gallery: Gallery, marks: Marks = NONE
    ) -> None:
        self.marks = marks
        self.calls = [step for step in played if step.node.recipe is not None]
        # The leaves that the computation used first get their last contribution at the end.
        self.leaves = [step for step in played if step.node.recipe is None]
        turns = {c.parent: turn for turn, step in enumerate(played) for c in step.contributions}
        self.leaves.sort(key=lambda step: -turns.get(step.node, 0))
        self.root = played[0].node
        self.seed = played[0].cotangent
        self.names = names
        self.gallery = gallery
        self.awaited = Counter(c.parent for step in played for c in step.contributions)
        self.arrived: Counter[Node] = Counter()

    def all(self) -> list[str]:
        """The start, a section for each call, and the end."""
        return [self._start(), *(self._call(number, step) for number, step in enumerate(self.calls, 1)), self._end()]

    # ---- names ----

    def derivative(self, node: Node) -> str:
        """The derivative of the output with respect to a node's result."""
        return partial(variable(self.names[self.root]), variable(self.names[node]))

    def _inline(self, node: Node) -> str:
        return f"<math>{self.derivative(node)}</math>"

    def _name(self, node: Node) -> str:
        return f"<math>{variable(self.names[node])}</math>"

    # ---- sections ----

    def _start(self) -> str:
        what = "The pass starts at the output, whose derivative with respect to itself is 1."
        if np.any(self.seed != 1):
            what = "The pass starts at the output, with the cotangent that was given for it."
        return self._section("Start", f"<p>{what}</p>{self._figures(self.seed, self.root)}")

    def _end(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{self._name(leaf.node)}</th><td>{leaf.node.shape}</td>"
            f"<td>{_told(leaf.cotangent)}</td></tr>"
            for leaf in self.leaves
        )
        head = "<tr><th scope='col'>leaf</th><th scope='col'>shape</th><th scope='col'>its gradient</th></tr>"
        table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
        arrays = [leaf for leaf in self.leaves if leaf.cotangent.size > 1]
        figures = "".join(self._figures(leaf.cotangent, leaf.node) for leaf in arrays)
        return self._section("End", f"<p>All gradients are complete.</p>{table}{figures}")

    def _call(self, count: int, step: Step) -> str:
        recipe = step.node.recipe
        assert recipe is not None
        function = escape(visible(recipe.rule.name.lstrip("_")))
        arguments = ", ".join(
            f"{escape(argument)} = {self._name(parent)}"
            for argument, parent in zip(recipe.arguments, step.node.parents, strict=True)
        )
        title = f"Step {count} of {len(self.calls)}: {self._name(step.node)} = <code>{function}</code>"
        parts = [
            f"<p class='call'><code>{function}</code> was called with {arguments}.</p>",
            *(
                f"<p class='mistake'><strong>Mistake {number}</strong> {escape(text)}</p>"
                for number, text in self.marks.sentences.get(step.node, {}).items()
            ),
            "<h3>Incoming cotangent</h3>",
            "<p>Its hooks have already been called:</p>" if _has_hooks(step.node) else "",
            self._figures(step.cotangent, step.node),
        ]
        reads = _reads(step.node)
        figures = [self._read(*read) for read in _arrays_in(step.node, reads)]
        if figures:
            parts += ["<h3>Values that the rule uses</h3>", *figures]
        for argument, contribution in zip(recipe.arguments, step.contributions, strict=True):
            parts.append(self._contribution(step, argument, contribution, reads))
        return self._section(title, "".join(parts))

    def _section(self, title: str, contents: str) -> str:
        return f"<section class='step'><h2>{title}</h2>{contents}</section>"

    # ---- the contents of sections ----

    def _figures(self, cotangent: Any, node: Node) -> str:
        if isinstance(cotangent, OutputCotangents):
            return "".join(
                self.gallery.figure(np.asarray(part), f"{self._inline(node)}, result {number}")
                for number, part in cotangent.given.items()
            )
        return self.gallery.figure(np.asarray(cotangent), self._inline(node))

    def _read(self, name: str, node: Node | None, value: Any) -> str:
        caption = f"<math>{identifier(name)}</math>" + (", a constant" if node is None else f" = {self._name(node)}")
        return self.gallery.figure(np.asarray(value), caption)

    def _contribution(self, step: Step, argument: str, contribution: Contribution, reads: Reads) -> str:
        parent = contribution.parent
        parts = [f"<h3>Outgoing cotangent of {self._name(parent)}</h3>"]
        if isinstance(contribution.cotangent, OutputCotangents):
            parts.append(self._figures(contribution.cotangent, parent))
            return f"<div class='contribution'>{''.join(parts)}</div>"
        formulas = self._formulas(step, argument, contribution, reads)
        parts += [_formula(kind, *pieces) for kind, pieces in formulas.items()]
        if contribution.given.shape != contribution.cotangent.shape:
            parts.append(
                f"<p>{self._name(parent)} was broadcast from {parent.shape} to {contribution.given.shape}, so its "
                f"cotangent is the sum over {_axes(contribution)}.</p>"
            )
        parts += self._sum(contribution, told="in numbers" in formulas)
        return f"<div class='contribution'>{''.join(parts)}</div>"

    def _formulas(self, step: Step, argument: str, contribution: Contribution, reads: Reads) -> dict[str, list[str]]:
        """The rule in general, with the names of this graph, and with its numbers if these are few; each in pieces."""
        assert step.node.recipe is not None
        rule = step.node.recipe.rule
        output = variable(self.names[self.root])
        left = f"{partial(output, identifier(argument))}<mo>=</mo>"
        vjp = rule.joint or rule.vjps[argument.partition("[")[0]]
        if vjp is None:
            return {"rule": [f"{left}<mn>0</mn>"]}
        settings = {name: value for name, (_, value) in reads.items() if not isinstance(value, _ARRAY)}
        told = {name: text for name, value in settings.items() if (text := _setting(value)) is not None}
        named = {name: variable(self.names[node]) for name, (node, _) in reads.items() if node is not None}
        general = right_side(vjp, {"g": partial(output, "<mi>out</mi>"), **told}, settings)
        here = right_side(vjp, {"g": self.derivative(step.node), **told, **named}, settings)
        summed = contribution.given.shape != contribution.cotangent.shape
        total = f"<munder><mo>∑</mo><mtext>{_axes(contribution)}</mtext></munder>" if summed else ""
        formulas = {
            "rule": [f"{left}{general}"],
            "here": [f"{self.derivative(contribution.parent)}<mo>=</mo>{total}{here}"],
        }
        wanted = {name: reads[name][1] for name in parameter_names(vjp)[1:] if name in reads}
        arrays = {"g": step.cotangent, **{name: value for name, value in wanted.items() if isinstance(value, _ARRAY)}}
        if all(_goes_into_formula(array) for array in [*arrays.values(), contribution.cotangent]):
            numbers = {name: in_numbers(np.asarray(array)) for name, array in arrays.items()}
            put_in = total + right_side(vjp, {**told, **numbers}, settings, wanted)
            result = in_numbers(np.asarray(contribution.cotangent))
            if put_in != result:
                formulas["in numbers"] = [put_in, f"<mo>=</mo>{result}"]
        return formulas

    def _sum(self, contribution: Contribution, told: bool) -> list[str]:
        """The contribution to a parent's cotangent, unless a formula has shown it, and the sum so far."""
        parent = contribution.parent
        self.arrived[parent] += 1
        arrived, awaited = self.arrived[parent], self.awaited[parent]
        before, this, total = (np.asarray(a) for a in (contribution.before, contribution.cotangent, contribution.total))
        caption = self._inline(parent) + (f", part {arrived} of {awaited}" if awaited > 1 else "")
        parts = [] if told else [self.gallery.figure(this, caption)]
        if contribution.before is not None:
            if all(_goes_into_formula(array) for array in (before, this, total)):
                plus, equals = f"<mo>+</mo>{in_numbers(this)}", f"<mo>=</mo>{in_numbers(total)}"
                parts.append(_formula("adds up", in_numbers(before), plus, equals))
            else:
                parts.append(self.gallery.figure(before, f"{self._inline(parent)} before this part"))
                parts.append(self.gallery.figure(total, f"{self._inline(parent)}, added up"))
        if arrived == awaited:
            whole = f"Now {self._inline(parent)} is complete: it is the gradient of {self._name(parent)}"
            whole += ", before its hooks are called." if _has_hooks(parent) else "."
            return [*parts, f"<p class='whole'>{whole}</p>"]
        left = awaited - arrived
        return [*parts, f"<p>This is part {arrived} of {awaited}; {left} more will be added.</p>"]


def _has_hooks(node: Node) -> bool:
    return node.slot is not None and bool(node.slot.hooks)


# ---- the values that a rule uses ----


def _reads(node: Node) -> Reads:
    assert node.recipe is not None
    assert node.saved is not None
    found: dict[str, tuple[Node | None, Any]] = {}
    for name, source, value in zip(node.recipe.reads, node.recipe.sources, node.saved, strict=True):
        owner = node if source == OUT else node.parents[source] if isinstance(source, int) else None
        found[name] = owner, value
    return found


def _arrays_in(node: Node, reads: Reads) -> Iterator[tuple[str, Node | None, Any]]:
    """The arrays that a rule uses, in the order of the arguments; arrays in sequences one by one."""
    assert node.recipe is not None
    sources = dict(zip(reads, node.recipe.sources, strict=True))
    positions = node.recipe.rule.positions
    for name in sorted(reads, key=lambda name: positions.get(name, len(positions))):
        (owner, value), source = reads[name], sources[name]
        if isinstance(value, _ARRAY):
            yield name, owner, value
        elif isinstance(value, list | tuple):
            parents = source if isinstance(source, dict) else {}
            for i, member in enumerate(value):
                if isinstance(member, _ARRAY):
                    yield f"{name}[{i}]", node.parents[parents[i]] if i in parents else owner, member


def _setting(value: Any) -> str | None:
    """A value that is not an array, as MathML; None for a sequence of arrays, which is shown by its name."""
    if isinstance(value, int | float | complex) and not isinstance(value, bool):
        return number(value)
    if isinstance(value, list | tuple) and any(isinstance(member, _ARRAY) for member in value):
        return None
    if isinstance(value, slice | EllipsisType) or (
        isinstance(value, tuple) and any(isinstance(member, slice | EllipsisType) for member in value)
    ):
        text = _index(value)
    else:
        text = repr(value)
    return f"<mtext>{escape(visible(text, 40))}</mtext>"


def _index(value: Any) -> str:
    """An index, as it is written between brackets."""
    if isinstance(value, tuple):
        return ", ".join(map(_index, value))
    if isinstance(value, slice):
        start, stop, stride = ("" if end is None else str(end) for end in (value.start, value.stop, value.step))
        return f"{start}:{stop}" + (f":{stride}" if stride else "")
    return "..." if value is ... else repr(value)


def _axes(contribution: Contribution) -> str:
    """The axes along which a cotangent is summed to its parent's shape."""
    wide, shape = contribution.given.shape, contribution.cotangent.shape
    lead = len(wide) - len(shape)
    axes = [*range(lead), *(lead + i for i, n in enumerate(shape) if n != wide[lead + i])]
    return f"{'axis' if len(axes) == 1 else 'axes'} {', '.join(map(str, axes))}"


# ---- pieces of HTML ----


def _formula(kind: str, *pieces: str) -> str:
    """A formula with a heading, in pieces between which a line may break."""
    maths = "".join(f"<math display='block'><mrow>{piece}</mrow></math>" for piece in pieces)
    name = kind.replace(" ", "-")
    return f"<div class='formula'><span class='kind'>{kind}</span> <div class='{name}'>{maths}</div></div>"


def _goes_into_formula(array: Any) -> bool:
    return isinstance(array, _ARRAY) and is_small(np.asarray(array), _COLUMNS_IN_FORMULAS)


def _told(cotangent: Any) -> str:
    return gradient_of(np.asarray(cotangent)).removeprefix("gradient ")
