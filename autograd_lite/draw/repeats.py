"""Finds units that a graph repeats, such as the layers of a deep network, for pictures that fold them into a node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from ..core.graph import Node
from .graph_info import Contents

_LONGEST_UNIT = 60
"""Calls of the longest unit that is looked for."""

_FEWEST = 3
"""Units that are folded."""

ACTIVATIONS = frozenset(
    {
        "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "softplus", "softsign", "mish",
        "hardtanh", "relu6", "softmax", "log_softmax", "sparsemax", "expit", "maximum",
    }
)  # fmt: skip
"""Functions that are a layer's activation where they follow its product."""


@dataclass(frozen=True)
class Run:
    """Units that stand one behind the other.

    Attributes
    ----------
    units : tuple of tuple of Node
        The nodes of each, those that only this unit uses included; the first unit is that next to the inputs.
    title : str
        What the folded node is called, such as "sigmoid layer × 20".
    """

    units: tuple[tuple[Node, ...], ...]
    title: str

    @property
    def nodes(self) -> list[Node]:
        """All nodes."""
        return [node for unit in self.units for node in unit]


def find_repeats(contents: Contents) -> list[Run]:
    """The runs of three or more equal units along the longest path of a graph, the longest run first.

    Units are equal if they make the same calls with results of the same shapes. Leaves that several units use, such
    as the weights of a recurrent network, belong to none.
    """
    spine = _longest_path(contents.order)[:-1]  # without the output
    on_spine = {node: i for i, node in enumerate(spine)}
    uses = Counter(parent for node in contents.order for parent in node.parents)
    sides = [_side(node, on_spine, uses) for node in spine]
    words = [_word(node, side, on_spine, i) for i, (node, side) in enumerate(zip(spine, sides, strict=True))]
    for leaf in sides[0] if spine else ():  # the data, in the place of what the unit before gives
        others = [node for node in sides[0] if node is not leaf]
        word = _word(spine[0], others, on_spine, 0, without=leaf)
        if leaf in spine[0].parents and word in words[1:]:
            sides[0], words[0] = others, word
            break
    runs, free = [], [True] * len(spine)
    while (found := _longest_run(words, free)) is not None:
        start, period, length = found
        count = length // period
        # A layer ends with its activation, if the run leaves room to choose where units begin.
        ends = (
            shift
            for shift in range(length % period + 1)
            if short_name(spine[start + shift + period - 1]) in ACTIVATIONS
        )
        start += next(ends, 0)
        units = []
        for first in range(start, start + period * count, period):
            members = [n for i in range(first, first + period) for n in (spine[i], *sides[i])]
            units.append(tuple(dict.fromkeys(members)))
        free[start : start + period * count] = [False] * (period * count)
        runs.append(Run(tuple(units), f"{_title(spine[start : start + period])} × {count}"))
    return runs


def _longest_path(order: Sequence[Node]) -> list[Node]:
    """The calls on the longest path, the first one first."""
    depth: dict[Node, int] = {}
    for node in reversed(order):
        depth[node] = 0 if node.recipe is None else 1 + max((depth[p] for p in node.parents), default=0)
    path, node = [], order[0]
    while node.recipe is not None:
        path.append(node)
        node = max(node.parents, key=depth.__getitem__)
    return path[::-1]


def _side(node: Node, on_spine: dict[Node, int], uses: Counter[Node]) -> list[Node]:
    """The nodes beside the path that only this one uses."""
    found, stack = [], [parent for parent in node.parents if parent not in on_spine]
    while stack:
        beside = stack.pop()
        if uses[beside] == 1:
            found.append(beside)
            stack += [parent for parent in beside.parents if parent not in on_spine]
    return found


def _word(
    node: Node, side: Sequence[Node], on_spine: dict[Node, int], place: int, without: Node | None = None
) -> Hashable:
    """What equal calls have in common."""
    beside = set(side)

    def told(parent: Node) -> Hashable:
        if parent in on_spine:
            return place - on_spine[parent]
        if parent not in beside:
            return id(parent)
        return (parent.recipe and parent.recipe.rule.name, parent.shape, *map(told, parent.parents))

    assert node.recipe is not None
    # The data stand for what the unit before gives, so that the first unit is equal to the others.
    before = place - 1 if place else None
    others = [told(p) for p in node.parents if p is not without and (before is None or on_spine.get(p) != before)]
    return (node.recipe.rule.name, node.shape, *others)


def _longest_run(words: Sequence[Hashable], free: Sequence[bool]) -> tuple[int, int, int] | None:
    """The run of equal words that covers most: its start, the length of its unit, and the run's length."""
    best: tuple[int, int, int] | None = None
    for period in range(1, min(_LONGEST_UNIT, len(words) // _FEWEST) + 1):
        length = 0
        for i in range(len(words) - period - 1, -2, -1):
            if i >= 0 and words[i] == words[i + period] and free[i] and free[i + period]:
                length += 1
                continue
            count = length // period + 1
            if length and count >= _FEWEST and (best is None or count * period > best[2] // best[1] * best[1]):
                best = i + 1, period, length + period
            length = 0
    return best


def _title(unit: Sequence[Node]) -> str:
    """A unit's name: its activation's, if it is a layer; otherwise its calls'."""
    names = [short_name(node) for node in unit]
    activations = [name for name in names if name in ACTIVATIONS]
    if len(activations) == 1 and len(names) > 1:
        return f"{activations[0].replace('_', ' ')} layer"
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:2])}, …, {names[-1]}"


def short_name(node: Node) -> str:
    """The name of a call's function, without its module."""
    assert node.recipe is not None
    return node.recipe.rule.name.rpartition(".")[2].lstrip("_")
