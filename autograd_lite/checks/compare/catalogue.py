"""All mutations of a graph: the wrong versions of its edges alone and in all nodes of one role, and of its paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from ...core.backward import pull_as_arrays
from ...core.dispatch import getitem
from ...core.graph import Node, ancestors
from .activations import Activation, Slope, activations, hard_predictions, slopes_of_other_steps, wrong_slopes
from .axes import of_axes
from .mutations import PATH, PLAIN, SPECIFIC, Step, steps_of
from .network import calls
from .operands import Change, Operands
from .parameters import always, of_parameters
from .recording import FORGOTTEN, Detour, Detours, Recording, has_one_output, times
from .roles import LINEAR, Roles
from .rows import Array
from .softmax import logits_of_softmax

_STATISTICS = (
    (np.mean, "the mean"), (np.var, "the variance"), (np.std, "the standard deviation"), (np.max, "the maximum"),
    (np.sum, "the sum"),
)  # fmt: skip


class Mutation(NamedTuple):
    """A mistake, and the edges that hand on something else because of it.

    Attributes
    ----------
    kind, text : str
        As in `Explanation`.
    rank : int
        As in `Step`.
    detours : mapping
        From edge to detour.
    reached : frozenset of str
        The parameters whose gradients it may change.
    is_whole : bool
        Whether it is made in all steps of its role, and not in one of several alone.
    """

    kind: str
    text: str
    rank: int
    detours: Detours
    reached: frozenset[str]
    is_whole: bool = True


class Catalogue:
    """The mutations of one graph, the most likely ones first.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.roles = Roles(recording)

    def __iter__(self) -> Iterator[Mutation]:
        yield from self._activations()
        yield from self._statistics()
        yield from self._truncations()
        yield from self._siblings()
        yield from map(self._made, of_parameters(self.recording, self.roles))
        operands = Operands(self.recording, self.roles)
        yield from map(self._made, operands.near())
        yield from self._edges()
        yield from map(self._made, of_axes(self.recording, self.roles))
        yield from map(self._made, operands.slopes(self._groups_of_activations()))
        yield from map(self._made, operands)

    def _made(self, change: Change) -> Mutation:
        return self.mutation(*change)

    def mutation(self, kind: str, text: str, rank: int, detours: Detours) -> Mutation:
        """A mutation with the parameters that it may change."""
        reaches = self.recording.reaches
        below = [reaches[node.parents[slot]] if slot >= 0 else reaches[node] for node, slot in detours]
        return Mutation(kind, text, rank, detours, frozenset[str]().union(*below))

    # ---- edges, alone and in all nodes of one role ----

    def _edges(self) -> Iterator[Mutation]:
        together: dict[Any, list[tuple[Node, int, Step]]] = {}
        for node in self.recording.order:
            if node.recipe is None:
                continue
            if not has_one_output(node):
                continue
            for slot, parent in enumerate(node.parents):
                if not has_one_output(parent):
                    continue
                for step in steps_of(self.recording, node, slot, self._place):
                    role = (id(self.roles.group(node)), node.recipe.arguments[slot], step.key)
                    together.setdefault(role, []).append((node, slot, step))
        by_rank = sorted(together.values(), key=lambda entries: entries[0][2].rank)
        for entries in by_rank:
            if len(entries) > 1:
                nodes = list(dict.fromkeys(node for node, _, _ in entries))
                yield self._together(entries, nodes)
                if entries[0][2].rank == PATH and len(nodes) > 2:
                    yield from self._but_for_one(entries, nodes)
        for entries in by_rank:
            for node, slot, step in entries:
                alone = self._together([(node, slot, step)], [node])
                yield alone._replace(is_whole=len(entries) == 1)
        yield from self._everywhere(together)

    def _place(self, node: Node) -> str:
        return self.roles.place([node])

    def _but_for_one(self, entries: Sequence[tuple[Node, int, Step]], nodes: Sequence[Node]) -> Iterator[Mutation]:
        """The same mistake in all steps but the last one."""
        ordered = sorted(entries, key=lambda entry: -self.recording.position[entry[0]])
        if len(nodes) == len(entries):
            mutation = self._together(ordered[:-1], [node for node, _, _ in ordered[:-1]])
            yield mutation._replace(text=f"{mutation.text}, in all calls but the last")

    def _everywhere(self, together: dict[Any, list[tuple[Node, int, Step]]]) -> Iterator[Mutation]:
        """The same mistake in calls of several roles: in all of one function, or in all that read one value."""
        wider: dict[Any, list[list[tuple[Node, int, Step]]]] = {}
        for (_, argument, key), entries in together.items():
            node, slot, step = entries[0]
            if step.rank == PLAIN or node.recipe is None:
                continue
            call, parent = node.recipe.rule.call, node.parents[slot]
            wider.setdefault((call, argument, key), []).append(entries)
            if parent.recipe is not None:
                wider.setdefault((call, argument, key, id(self.roles.group(parent))), []).append(entries)
        seen: set[int] = set()
        for several in wider.values():
            mark = hash(tuple(id(entries) for entries in several))
            if 2 <= len(several) <= 12 and mark not in seen:
                seen.add(mark)
                whole = [entry for entries in several for entry in entries]
                nodes = [entries[0][0] for entries in several]
                text = " and ".join(self.roles.place([e[0] for e in entries]) for entries in several[:6])
                mutation = self._together(whole, nodes)
                yield mutation._replace(text=whole[0][2].text.format(where=text))

    def _together(self, entries: Sequence[tuple[Node, int, Step]], nodes: list[Node]) -> Mutation:
        step = entries[0][2]
        text = step.text.format(where=self.roles.place(nodes))
        detours: dict[Any, Detour] = {}
        for node, slot, one in entries:
            detours[node, slot] = one.detour
            if one.detour.target not in (None, node.parents[slot]):
                for other in range(len(node.parents)):
                    if other != slot:
                        detours[node, other] = Detour(None, one.detour.pull)
        return self.mutation(step.kind, text, step.rank, detours)

    # ---- derivatives of activations ----

    def _activations(self) -> Iterator[Mutation]:
        found = activations(self.recording)
        together: dict[Any, list[tuple[Activation, Any]]] = {}
        for activation in found:
            assert activation.end.recipe is not None
            role = (id(self.roles.group(activation.end)),)
            for slope in wrong_slopes(activation):
                together.setdefault((*role, slope.key), []).append((activation, slope))
        for entries in together.values():
            groups = [entries] if len({a.start for a, _ in entries}) == len(entries) > 1 else []
            for chosen in [*groups, *([entry] for entry in entries)]:
                place = self.roles.place([activation.end for activation, _ in chosen])
                mutation = self._of_slopes(chosen[0][1].text.format(where=place), chosen)
                yield mutation._replace(is_whole=len(chosen) == len(entries) or not groups)
            if groups and entries[0][1].key == "missing":
                group = sorted((a for a, _ in entries), key=lambda a: -self.recording.position[a.end])
                for text, slopes in slopes_of_other_steps(group):
                    chosen = [(a, Slope("", text, numbers)) for a, numbers in zip(group, slopes, strict=True)]
                    place = self.roles.place([a.end for a in group])
                    yield self._of_slopes(text.format(where=place), chosen)
        yield from self._in_several_layers(found)
        for activation in found:
            if (detours := hard_predictions(activation)) is not None:
                place = self.roles.place([activation.end])
                text = f"predictions (rounded to 0 or 1) stand where the probabilities belong, in {place}"
                yield self.mutation("activation derivative", text, PATH, detours)

    def _groups_of_activations(self) -> list[list[Activation]]:
        found: dict[Any, list[Activation]] = {}
        for activation in activations(self.recording):
            assert activation.end.recipe is not None
            role = (id(self.roles.group(activation.end)),)
            found.setdefault(role, []).append(activation)
        return [
            sorted(group, key=lambda a: -self.recording.position[a.end])
            for group in found.values()
            if len({a.start for a in group}) == len(group)
        ]

    def _in_several_layers(self, found: list[Activation]) -> Iterator[Mutation]:
        layers = self.recording.layers
        whole = {a.start: (a, next(wrong_slopes(a))) for a in found}
        hidden = [layer for layer in layers[:-1] if layer.preactivation in whole]
        for count in range(len(hidden), 1, -1):
            if count < len(hidden) and len(hidden) > 5:
                continue
            for chosen in combinations(hidden, count):
                text = f"the activation's derivative f'(z) is missing in each of {', '.join(map(str, chosen))}"
                yield self._of_slopes(text, [whole[layer.preactivation] for layer in chosen])

    def _of_slopes(self, text: str, chosen: Sequence[tuple[Activation, Any]]) -> Mutation:
        detours: dict[Any, Detour] = {}
        for activation, slope in chosen:
            detours |= activation.instead(times(slope.numbers))
        return self.mutation("activation derivative", text, SPECIFIC, detours)

    # ---- statistics that are taken as constants ----

    def _statistics(self) -> Iterator[Mutation]:
        found: dict[Node, str] = {}
        for node in self.recording.order:
            name = next((name for function, name in _STATISTICS if calls(node, function)), None)
            if name is not None and not self._is_in_softmax(node) and self._is_spread(node):
                found[node] = "the variance" if name in ("the mean", "the sum") and self._is_of_squares(node) else name
        places: dict[tuple[str, tuple[str, ...]], list[Node]] = {}
        for node, name in found.items():
            places.setdefault((name, self.roles.nearest[node]), []).append(node)
        for (name, nearest), nodes in places.items():
            yield self._constant(f"{name} is taken as a constant{_computed_with(nearest)}", nodes)
        yield from self._without_deviation()
        moments = {node: name for node, name in found.items() if name not in ("the maximum", "the sum")}
        for nearest in dict.fromkeys(self.roles.nearest[node] for node in moments):
            nodes = [node for node in moments if self.roles.nearest[node] == nearest]
            names = list(dict.fromkeys(moments[node] for node in reversed(nodes)))
            if len(nodes) > 1:
                several = " and ".join(names) if len(names) > 1 else "mean and variance"
                yield self._constant(f"{several} are taken as constants{_computed_with(nearest)}", nodes)

    def _without_deviation(self) -> Iterator[Mutation]:
        """Quotients whose divisor is computed from the dividend, without the division in the whole derivative."""
        for node in self.recording.order:
            if not calls(node, np.divide) or len(node.parents) != 2:
                continue
            before = set(ancestors(node.parents[1]))
            for start in (node.parents[0], *node.parents[0].parents):
                if start in before and start.shape == node.shape:
                    text = f"the division by the standard deviation is missing in {self.roles.place([node])}"
                    detour = Detour(None, times(self.recording.saved(node)["x2"]))
                    yield self.mutation("normalisation", text, SPECIFIC, {(start, -1): detour})
                    yield from self._over_another_axis(node, start)

    def _over_another_axis(self, node: Node, start: Node) -> Iterator[Mutation]:
        """The whole derivative of a normalisation, with its means over another axis."""
        n, divisor = self.recording.values.get(node), self.recording.saved(node)["x2"]
        if n is None or np.ndim(divisor) != n.ndim:
            return
        for axis, length in enumerate(n.shape):
            if np.shape(divisor)[axis] != 1 and length > 1:
                text = (
                    f"the means in the normalisation's derivative go over axis {axis}, and those of the program over "
                )
                text += f"another one, in {self.roles.place([node])}"
                detours = {(node, slot): FORGOTTEN for slot in range(len(node.parents))}
                detours[node, 0] = Detour(start, _normalised_back(n, divisor, axis))
                yield self.mutation("reduction", text, SPECIFIC, detours)

    def _constant(self, text: str, nodes: list[Node]) -> Mutation:
        detours = {(n, slot): FORGOTTEN for n in nodes for slot in range(len(n.parents))}
        return self.mutation("normalisation", text, SPECIFIC, detours)

    def _is_in_softmax(self, node: Node) -> bool:
        """Whether a node is the sum of a softmax that is written out, whose mistakes are softmax's."""
        users = [user for user, _ in self.recording.users.get(node, ())]
        return any(calls(user, np.divide) and logits_of_softmax(user) is not None for user in users)

    @staticmethod
    def _is_of_squares(node: Node) -> bool:
        (squares,) = node.parents
        same = len(squares.parents) == 2 and squares.parents[0] is squares.parents[1] and calls(squares, np.multiply)
        return same or calls(squares, np.square)

    def _is_spread(self, node: Node) -> bool:
        """Whether a statistic is combined again with the elements that it was computed from."""
        size = math.prod(node.shape)
        if size * 2 > math.prod(node.parents[0].shape):
            return False
        own = set(ancestors(node.parents[0]))
        frontier = [node]
        for _ in range(5):
            further = [(user, one) for one in frontier for user, _ in self.recording.users.get(one, ())]
            frontier = [user for user, _ in further]
            for user, one in further:
                wide = [p for p in user.parents if p is not one and math.prod(p.shape) > size]
                if user.recipe and user.recipe.rule.elementwise and any(self._shares(p, own) for p in wide):
                    return True
        return False

    def _shares(self, node: Node, elements: set[Node]) -> bool:
        """Whether a node is computed, element by element, from the elements of a statistic."""
        return any(one in elements and one.recipe is not None for one in (node, *node.parents)) or (
            node in elements and node.recipe is None
        )

    # ---- steps of a recurrence ----

    def _truncations(self) -> Iterator[Mutation]:
        for group in self.roles.groups.values():
            recipe = group[0].recipe
            if len(group) < 3 or recipe is None or recipe.rule.call in LINEAR or not self._is_chain(group):
                continue
            names = ", ".join(self.roles.nearest[group[0]])
            for i, node in enumerate(group[:-1]):
                text = (
                    f"the way back through time is truncated: {names} have only the last {len(group) - 1 - i} of "
                    f"{len(group)} steps in them"
                )
                for cut in ([node], group[: i + 1]):  # with outputs at every step, earlier steps have cotangents too
                    detours = {(one, slot): FORGOTTEN for one in cut for slot in range(len(one.parents))}
                    yield self.mutation("truncation", text, SPECIFIC, detours)

    def _is_chain(self, group: Sequence[Node]) -> bool:
        before = set(ancestors(group[-1]))
        return all(node in before for node in group)

    # ---- parts in another order ----

    def _siblings(self) -> Iterator[Mutation]:
        for group in self.roles.groups.values():
            recipe = group[0].recipe
            if len(group) < 2 or recipe is None:
                continue
            if recipe.rule.call is np.multiply and len(group) <= 64:
                for argument in ("x1", "x2"):
                    yield from self._reversed_operands(group, argument)
        for group in self.roles.groups.values():
            recipe = group[0].recipe
            if recipe is not None and recipe.rule.call in (np.concatenate, np.stack):
                for node in group:
                    yield from self._swapped_parts(node)
            if len(group) < 2 or recipe is None:
                continue
            if recipe.rule.call is getitem and len({node.parents[0] for node in group}) == 1:
                detours = {
                    (node, 0): Detour(node.parents[0], _by_the_rule_of(other))
                    for node, other in zip(group, reversed(group), strict=True)
                }
                yield self._overwritten_parts(group)
                what = "swapped" if len(group) == 2 else "in reversed order"
                text = f"the parts are {what} in {self.roles.place(group)}"
                yield self.mutation("reversal", text, SPECIFIC, detours)

    def _swapped_parts(self, node: Node) -> Iterator[Mutation]:
        count = len(node.parents)
        if count < 2 or len({parent.shape for parent in node.parents}) > 1:
            return
        detours = {
            (node, slot): Detour(parent, self._of_slot(node, count - 1 - slot))
            for slot, parent in enumerate(node.parents)
        }
        what = "swapped" if count == 2 else "in reversed order"
        text = f"the parts that are joined are {what} in {self.roles.place([node])}"
        yield self.mutation("reversal", text, SPECIFIC, detours)

    def _of_slot(self, node: Node, slot: int) -> Callable[[Any], Any]:
        return lambda g: self.recording.local(node, g, slot)

    def _overwritten_parts(self, group: Sequence[Node]) -> Mutation:
        parent = group[0].parents[0]
        total = np.zeros(parent.shape, parent.dtype)
        for node in group:
            total[self.recording.saved(node)["index"]] = self.recording.cotangents[node]
        text = f"parts that overlap are overwritten, not added up, in {self.roles.place(group)}"
        return self.mutation("indexing", text, SPECIFIC, {(parent, -1): Detour(None, always(total))})

    def _reversed_operands(self, group: Sequence[Node], argument: str) -> Iterator[Mutation]:
        read = "x2" if argument == "x1" else "x1"
        others: list[Array] = [self.recording.saved(node).get(read, np.nan) for node in group]
        slots = [node.recipe.arguments.index(argument) if argument in node.recipe.arguments else -1 for node in group
                 if node.recipe is not None]  # fmt: skip
        if -1 in slots or len({np.shape(other) for other in others}) > 1:
            return
        parents = [
            next((p for i, p in enumerate(n.parents) if i != s), None) for n, s in zip(group, slots, strict=True)
        ]
        names = {self.roles.nearest[p] for p in parents if p is not None}
        what = ", ".join(next(iter(names))) if len(names) == 1 else "the other factor"
        detours = {
            (node, slot): Detour(node.parents[slot], times(other))
            for node, slot, other in zip(group, slots, reversed(others), strict=True)
        }
        text = f"{what} is reversed on the way back, in {self.roles.place(list(group))}"
        yield self.mutation("reversal", text, SPECIFIC, detours)


def _computed_with(nearest: Sequence[str]) -> str:
    return f" ({', '.join(nearest)})" if nearest else ""


def _normalised_back(n: Array, divisor: Any, axis: int) -> Callable[[Any], Any]:
    def pull(g: Any) -> Any:
        return (g - np.mean(g, axis, keepdims=True) - n * np.mean(g * n, axis, keepdims=True)) / divisor

    return pull


def _by_the_rule_of(node: Node) -> Callable[[Any], Any]:
    return lambda g: pull_as_arrays(node, g, node.saved)[0]
