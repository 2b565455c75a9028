"""Mutations by which a rule reads another value of the program than its own, alone or in every step of a recurrence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.dispatch import getitem
from ...core.graph import Node
from ...core.rule import parameter_names
from .activations import KNOWN, Activation, is_slope
from .mutations import RARE, SPECIFIC
from .recording import Detour, Detours, Recording, has_one_output, times
from .roles import Roles

MOST_SERIES = 120
"""How many values of the program are tried in the place of another one."""

MOST_APART = 3
"""Up to how many calls of one role are looked at one by one as well."""

_OWN = {
    np.matmul: "the product's own operand", np.dot: "the product's own operand", np.einsum: "the product's own operand",
    np.multiply: "the other factor", np.divide: "the divisor", np.maximum: "the input of max",
}  # fmt: skip

MOST_SWAPPED = 12
"""How many products with constants are swapped with each other."""

Change = tuple[str, str, int, Detours]
"""Kind, sentence, rank and detours of a mutation."""


class Series(NamedTuple):
    """The values of all nodes of one role, or the constants that they take, in the order of the steps."""

    text: str
    values: list[Any]
    is_constant: bool


class Place(NamedTuple):
    """A value that the rules of nodes of one role read: the nodes, the argument, and the values."""

    nodes: list[Node]
    steps: list[int]
    length: int
    argument: str
    read: str
    member: int | None
    values: list[Any]


class Operands:
    """The mutations of one graph by which rules read other values.

    Parameters
    ----------
    recording : Recording
    roles : Roles
    """

    def __init__(self, recording: Recording, roles: Roles) -> None:
        self.recording, self.roles = recording, roles
        self.series = list(self._all_series())[:MOST_SERIES]
        self.places = [place for group in roles.groups.values() for place in self._reads(group)]

    # ---- values of the program ----

    def _all_series(self) -> Iterator[Series]:
        known = self.recording.values
        for name, leaf in self.recording.parameters.items():
            if leaf in known and leaf in self.recording.position:
                yield Series(name, [known[leaf]], False)
        seen: set[tuple[int, ...]] = set()
        for group in self.roles.groups.values():
            if all(node in known for node in group):
                text = group[0].name or f"the value of {self.roles.place(group)}"
                yield Series(text, [known[node] for node in group], False)
            for place in self._reads(group):
                mark = tuple(id(value) for value in place.values)
                is_constant = all(_source(node, place.read) is None for node in place.nodes)
                if is_constant and len(place.nodes) == len(group) and mark not in seen:
                    seen.add(mark)
                    yield Series(f"the constant array of {self.roles.place(group)}", place.values, True)

    def _reads(self, group: Sequence[Node]) -> Iterator[Place]:
        """The arrays that the rules of a group read, for each argument."""
        found: dict[tuple[str, str, int | None], list[tuple[Node, int, Any]]] = {}
        for step, node in enumerate(group):
            recipe = node.recipe
            if recipe is None or recipe.rule.joint is not None or not has_one_output(node):
                continue
            saved = self.recording.saved(node)
            for argument in recipe.arguments:
                vjp = recipe.rule.vjps.get(argument.split("[")[0])
                for read in () if vjp is None else parameter_names(vjp)[1:]:
                    value = saved.get(read)
                    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size > 1:
                        found.setdefault((argument, read, None), []).append((node, step, value))
                    elif isinstance(value, list | tuple) and read == argument.split("[")[0]:
                        for at, one in enumerate(value):
                            if isinstance(one, np.ndarray) and f"{read}[{at}]" != argument and one.size > 1:
                                found.setdefault((argument, read, at), []).append((node, step, one))
        for (argument, read, member), entries in found.items():
            nodes, steps, values = (list(column) for column in zip(*entries, strict=True))
            if len({np.shape(value) for value in values}) == 1:
                yield Place(nodes, steps, len(group), argument, read, member, values)

    # ---- mutations ----

    def __iter__(self) -> Iterator[Change]:
        for place in self.places:
            yield from self._of_others(place)
        for place in self.places:
            yield from self._of_other_steps(place)

    def near(self) -> Iterator[Change]:
        """The likeliest of them: the value before a function, that of another step, a mean."""
        for place in self.places:
            yield from self._values_before(place)
            yield from self._of_related(place)
            yield from self._averages(place)
        yield from self._swaps()

    def _swaps(self) -> Iterator[Change]:
        """The constants of two products, each in the place of the other, such as y and 1 - y."""
        constant = [
            place
            for place in self.places
            if len(place.nodes) == 1 and place.member is None and _source(place.nodes[0], place.read) is None
        ]
        for i, one in enumerate(constant[:MOST_SWAPPED]):
            for other in constant[i + 1 : MOST_SWAPPED]:
                if one.values[0].shape == other.values[0].shape and one.nodes[0] is not other.nodes[0]:
                    for first in self._change("", one, other.values):
                        for second in self._change("", other, one.values):
                            where = " and ".join(self.roles.place(place.nodes) for place in (one, other))
                            text = f"the constants of two products stand in each other's place, in {where}"
                            yield "operand", text, SPECIFIC, {**first[3], **second[3]}

    def _change(self, text: str, place: Place, values: Sequence[Any], rank: int = SPECIFIC) -> Iterator[Change]:
        if all(np.array_equal(new, own) for new, own in zip(values, place.values, strict=True)):
            return
        detours: dict[Any, Detour] = {}
        for node, value in zip(place.nodes, values, strict=True):
            assert node.recipe is not None
            slot = node.recipe.arguments.index(place.argument)
            detours[node, slot] = Detour(node.parents[slot], reading(node, slot, place.read, place.member, value))
        call = place.nodes[0].recipe.rule.call if place.nodes[0].recipe is not None else None
        own = _OWN.get(call, "its own value")
        yield "operand", f"{text} stands where {own} belongs, in {self.roles.place(place.nodes)}", rank, detours

    def _values_before(self, place: Place) -> Iterator[Change]:
        """The values that an operand has been computed from, element by element, and the same part of them."""
        before = [dict(values_before(self.recording, self._operand(node, place))) for node in place.nodes]
        for text in before[0]:
            values = [found.get(text, own) for found, own in zip(before, place.values, strict=True)]
            if all(np.shape(value) == np.shape(own) for value, own in zip(values, place.values, strict=True)):
                shown = text if not text.startswith("#") else "the value before the activation"
                yield from self._change(shown, place, values)

    def _operand(self, node: Node, place: Place) -> Node | None:
        source = _source(node, place.read)
        if isinstance(source, dict):
            source = source.get(place.member)
        return None if source is None else node if source < 0 else node.parents[source]

    def _of_related(self, place: Place) -> Iterator[Change]:
        """The same value at other steps."""
        if place.length < 2:
            return
        for series in self.series:
            offset = None if series.is_constant else _offset(series, place)
            if offset is None:
                continue
            for shift in (offset - 1, offset + 1):
                text = "the value after this step" if shift > offset else "the value of the step before"
                for values in _shifted(series.values, place, shift):
                    yield from self._change(text, place, values)
        if len(place.nodes) == place.length and all(
            _source(node, place.read) is None for node in place.nodes
        ):  # constants, such as the inputs of every step
            for shift in (-1, 1):
                text = "the constant array of the next call" if shift > 0 else "the constant array of the call before"
                for values in _shifted(place.values, place, shift):
                    yield from self._change(text, place, values)

    def _averages(self, place: Place) -> Iterator[Change]:
        """An operand's mean in the place of the operand: an outer product of means is no mean of outer products."""
        own = place.values[0]
        if place.nodes[0].recipe is None or place.nodes[0].recipe.rule.call not in _OWN or own.ndim < 2:
            return
        for axis, length in enumerate(own.shape):
            if length > 1:
                means = [np.broadcast_to(np.mean(v, axis=axis, keepdims=True), own.shape) for v in place.values]
                yield from self._change(f"the mean over axis {axis} (an outer product of means)", place, means)

    def _of_others(self, place: Place) -> Iterator[Change]:
        own = place.values[0]
        is_matrix = own.ndim > 1 and place.nodes[0].recipe is not None and (
            place.nodes[0].recipe.rule.call in (np.matmul, np.dot)
        )  # fmt: skip
        for series in self.series:
            if _offset(series, place) is not None:
                continue
            alone = len(series.values) == 1
            if not alone and len(series.values) != place.length:
                continue
            values = [series.values[0] if alone else series.values[step] for step in place.steps]
            for text, turned in (("", False), ("the transpose of ", True)):
                if turned and not is_matrix:
                    continue
                given = [np.swapaxes(v, -1, -2) if turned and np.ndim(v) > 1 else v for v in values]
                if all(np.shape(v) == own.shape for v in given):
                    yield from self._change(text + series.text, place, given, RARE)
                    if alone and 1 < len(place.nodes) <= MOST_APART:
                        for one, value in zip(_apart(place), given, strict=True):
                            yield from self._change(text + series.text, one, [value], RARE)

    def _of_other_steps(self, place: Place) -> Iterator[Change]:
        for series in self.series:
            if series.is_constant or not 1 < len(series.values) == place.length or _offset(series, place) is not None:
                continue
            for shift, when in ((-1, "of the step before"), (1, "of the next step")):
                for given in _shifted(series.values, place, shift):
                    yield from self._change(f"{series.text} {when}", place, given, RARE)

    # ---- derivatives written with another value, or of another activation ----

    def slopes(self, groups: Sequence[Sequence[Activation]]) -> Iterator[Change]:
        """Derivatives of activations, written with another value of the program, or taken from another activation."""
        for group in groups:
            shape = group[0].slope.shape
            first = group[0]
            where = self.roles.place([activation.end for activation in group])
            known = None
            if first.a is not None:
                known = next((k for k in KNOWN if is_slope(first.slope, k.slope(first.z, first.a))), None)
            for series in self.series:
                if known is None:
                    break
                if np.shape(series.values[0]) != shape or len(series.values) not in (1, len(group)):
                    continue
                many = len(series.values) == len(group)
                values = [series.values[i if many else 0] for i in range(len(group))]
                text = f"the activation's derivative {known.formula} is written with {series.text}, in {where}"
                yield from _of_slopes(text, group, [known.slope(v, v) for v in values])
            for other in groups:
                if other is group or other[0].slope.shape != shape or len(other) not in (1, len(group)):
                    continue
                place = self.roles.place([activation.end for activation in other])
                slopes = [other[i if len(other) > 1 else 0].slope for i in range(len(group))]
                text = (
                    f"the activation's derivative of another place ({place}) stands where its own belongs, in {where}"
                )
                yield from _of_slopes(text, group, slopes)


def _apart(place: Place) -> Iterator[Place]:
    """The same place in each node alone."""
    for node, step, value in zip(place.nodes, place.steps, place.values, strict=True):
        yield place._replace(nodes=[node], steps=[step], values=[value])


def _of_slopes(text: str, group: Sequence[Activation], slopes: Sequence[Any]) -> Iterator[Change]:
    detours: dict[Any, Detour] = {}
    for activation, slope in zip(group, slopes, strict=True):
        detours |= activation.instead(times(slope))
    yield "activation derivative", text, RARE, detours


def _source(node: Node, read: str) -> Any:
    assert node.recipe is not None
    return node.recipe.sources[node.recipe.reads.index(read)]


def _offset(series: Series, place: Place) -> int | None:
    """By how many steps the values of a series are those that a place reads: -1 for the state before; else None."""
    if len(series.values) != place.length:
        return None
    for offset in (0, -1, 1):
        pairs = [
            (own, series.values[step + offset])
            for own, step in zip(place.values, place.steps, strict=True)
            if 0 <= step + offset < place.length
        ]
        if pairs and all(own.shape == np.shape(v) and np.array_equal(own, v) for own, v in pairs):
            return offset
    return None


def _shifted(values: Sequence[Any], place: Place, shift: int) -> Iterator[list[Any]]:
    """The values of other steps; beyond the first or last one that itself, the right one, or zeros."""
    if np.shape(values[0]) != place.values[0].shape:
        return
    inside = [0 <= step + shift < len(values) for step in place.steps]
    nearest = [values[min(max(step + shift, 0), len(values) - 1)] for step in place.steps]
    yield nearest
    if not all(inside):
        for fill in (place.values, [np.zeros_like(own) for own in place.values]):
            yield [value if ok else other for value, ok, other in zip(nearest, inside, fill, strict=True)]


def reading(node: Node, slot: int, read: str, member: int | None, value: Any) -> Callable[[Any], Any]:
    """The rule for one argument, where it reads another value than it has saved."""
    assert node.recipe is not None
    at = node.recipe.reads.index(read)
    saved = list(node.saved or ())
    if member is None:
        saved[at] = value
    else:
        members = list(saved[at])
        members[member] = value
        saved[at] = members
    changed = tuple(saved)
    return lambda g: pull_as_arrays(node, g, changed)[slot]


def values_before(recording: Recording, node: Node | None) -> Iterator[tuple[str, Any]]:
    """The values that an operand has been computed from, element by element, and the same part of them."""
    if node is None or node.recipe is None:
        return
    part = recording.saved(node)["index"] if node.recipe.rule.call is getitem else None
    if part is not None:
        (node,) = node.parents
    for distance in range(12):
        if node.recipe is None or not (node.recipe.rule.elementwise or node.recipe.rule.name[:3] != "np."):
            return
        same = list(dict.fromkeys(parent for parent in node.parents if parent.shape == node.shape))
        if len(same) != 1:
            return
        (node,) = same
        value = recording.values.get(node)
        if value is not None:
            yield node.name or f"#{distance}", value if part is None else value[part]
