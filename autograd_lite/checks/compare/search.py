"""Looks in the catalogue for the mistakes whose gradients are those by hand, one alone or two, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...core.graph import Node
from .catalogue import Catalogue, Mutation
from .evidence import SINGLE, Row, Sizes, largest, multiple
from .mutations import PLAIN, SPECIFIC
from .network import calls
from .recording import Detour, Detours, Recording
from .rows import Array, Explanation

BUDGET = 2.0
"""The seconds that a search takes at most."""

LEFT_FOR_TWO = 0.4
"""The part of the time that is left for two mistakes, and for steps of weights."""

ALIKE = 2
"""How many other mistakes are named that give the same numbers."""

PAIRED = 40
"""With how many mistakes that explain a part another one is tried."""


class Trial(NamedTuple):
    """A mutation, and what it adds to each gradient."""

    mutation: Mutation
    changes: dict[str, Array]


class Search:
    """The mutations of a graph, held against gradients by hand.

    Parameters
    ----------
    recording : Recording
    seconds : float, optional
        The time that the search may take; `BUDGET` by default.
    """

    def __init__(self, recording: Recording, seconds: float | None = None) -> None:
        self.recording = recording
        self.catalogue = Catalogue(recording)
        seconds = BUDGET if seconds is None else seconds
        self.end = time.monotonic() + seconds
        self._end_of_trials = self.end - LEFT_FOR_TWO * seconds
        self._trials: list[Trial] = []
        self._further = iter(self.catalogue)

    @property
    def in_time(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self.end

    def trials(self) -> Iterator[Trial]:
        """Every mutation with its changes; each is computed once."""
        yield from self._trials
        while time.monotonic() < self._end_of_trials:
            mutation = next(self._further, None)
            if mutation is None:
                return
            changes = self.changes(mutation.detours)
            if changes is not None:
                self._trials.append(Trial(mutation, changes))
                yield self._trials[-1]

    def changes(self, detours: Detours) -> dict[str, Array] | None:
        """What detours change; None where a wrong version does not fit the shapes, as no program would run."""
        try:
            with np.errstate(all="ignore"):
                changes = self.recording.changes(detours)
        except (ValueError, TypeError, IndexError):
            return None
        return changes if all(np.all(np.isfinite(change)) for change in changes.values()) else None

    # ---- one mistake ----

    def one(self, rows: Sequence[Row], kinds: frozenset[str] | None = None) -> Explanation | None:
        """The mistake whose gradients are equal to those by hand, with those that are alike."""
        differing = {row.name for row in rows if not row.agrees}
        found: list[Trial] = []
        for trial in self.trials():
            fits = differing <= trial.mutation.reached and (kinds is None or trial.mutation.kind in kinds)
            if fits and _all_equal(rows, trial.changes):
                found.append(trial)
        if not found:
            return self._stepped(rows) if kinds is None else None
        best = min(trial.mutation.rank for trial in found)
        if best == PLAIN and (stepped := self._stepped(rows)) is not None:
            return stepped
        alike = list({t.mutation.text: t for t in found if t.mutation.rank == best}.values())
        proven = _proven(rows, alike[0].changes)
        if not proven:
            return None
        text = f"{alike[0].mutation.text}: {_equal(proven)}"
        return _explained(alike[0].mutation, proven, text + _others(alike[1:]))

    def one_with_a_factor(self, rows: Sequence[Row], sizes: Sizes) -> Explanation | None:
        """The mistake whose gradients are the same multiple of those by hand, where the graph has a reason for it."""
        for mutation, changes in self.trials():
            if mutation.rank != SPECIFIC or not _changes_something(rows, changes):
                continue
            factor = _common_factor(rows, changes)
            reason = None if factor is None else sizes.reason_for(abs(factor))
            if factor is None or reason is None or not sizes.is_a_count(abs(factor)):
                continue
            predicted = {row.name: factor * (row.engine + changes[row.name]) for row in rows}
            if not all(row.is_close_to(predicted[row.name]) for row in rows):
                continue
            proven = [row.name for row in rows if not row.agrees and row.is_proven_by(predicted[row.name])]
            if proven:
                text = f"{mutation.text}: {_equal(proven)} if they are multiplied by {factor:g} ({reason})"
                return _explained(mutation, proven, text)
        return None

    # ---- two mistakes ----

    def two(self, rows: Sequence[Row]) -> list[Explanation]:
        """Two mistakes whose gradients together are those by hand; one that explains some rows alone, if there is."""
        differing = [row for row in rows if not row.agrees]
        agreeing = [row for row in rows if row.agrees]
        parts: list[tuple[int, Trial, list[str]]] = []
        for trial in self.trials():
            if not all(row.is_close_to(row.engine + trial.changes[row.name]) for row in agreeing):
                continue
            if explained := _proven(rows, trial.changes):
                parts.append((len(explained), trial, explained))
        parts.sort(key=lambda part: (-part[0], part[1].mutation.rank))
        plain: tuple[Trial, list[str], Trial] | None = None
        for _, first, explained in parts[:PAIRED]:
            rest = {row.name for row in differing} - set(explained)
            second = self._second(rows, first, rest)
            if second is not None:
                if PLAIN not in (first.mutation.rank, second.mutation.rank):
                    return _pair(first.mutation, explained, second.mutation, sorted(rest, key=_order(rows)))
                plain = plain or (first, explained, second)
        if plain is not None:
            first, explained, second = plain
            rest = {row.name for row in differing} - set(explained)
            return _pair(first.mutation, explained, second.mutation, sorted(rest, key=_order(rows)))
        if whole := self._both(rows):
            return whole
        for _, first, explained in parts:
            if first.mutation.rank == SPECIFIC and any(row.hand.size > 1 for row in rows if row.name in explained):
                text = f"{first.mutation.text}: {_equal(explained)}"
                return [_explained(first.mutation, explained, text)]
        return []

    def _both(self, rows: Sequence[Row]) -> list[Explanation]:
        """Two mistakes of which neither explains a row alone, as one on the way of the other's cotangents."""
        differing = [row for row in rows if not row.agrees]
        agreeing = [row for row in rows if row.agrees]
        names = {row.name for row in differing}
        candidates: list[Trial] = []
        seen: set[tuple[str, ...]] = set()
        for trial in self._trials:
            if trial.mutation.rank == PLAIN or not trial.mutation.reached & names:
                continue
            if not all(row.is_close_to(row.engine + trial.changes[row.name]) for row in agreeing):
                continue
            mark = _mark(trial, sorted(names))
            if mark not in seen:
                seen.add(mark)
                candidates.append(trial)
        candidates.sort(key=lambda trial: trial.mutation.rank)
        for j, second in enumerate(candidates):
            for first in candidates[:j]:
                if not self.in_time:
                    return []
                one, other = first.mutation, second.mutation
                if one.detours.keys() & other.detours.keys() or not names <= one.reached | other.reached:
                    continue
                changes = self.changes({**one.detours, **other.detours})
                if changes is not None and _all_equal(rows, changes):
                    return _pair(one, [row.name for row in differing], other, [])
        return []

    def _second(self, rows: Sequence[Row], first: Trial, rest: set[str]) -> Trial | None:
        best: Trial | None = None
        for trial in self._trials:
            if not self.in_time:
                break
            mutation = trial.mutation
            if not rest <= mutation.reached or mutation.detours.keys() & first.mutation.detours.keys():
                continue
            if best is not None and best.mutation.rank <= mutation.rank:
                continue
            changes = self.changes({**first.mutation.detours, **mutation.detours})
            if changes is not None and _all_equal(rows, changes):
                best = Trial(mutation, changes)
        return best

    # ---- weights that have been stepped already ----

    def _stepped(self, rows: Sequence[Row]) -> Explanation | None:
        """A product whose matrix has already been updated, by a learning rate that all rows agree on."""
        by_name = {row.name: row for row in rows}
        differing = {row.name for row in rows if not row.agrees}
        for node in self.recording.order:
            if not (calls(node, np.matmul) or calls(node, np.dot)) or len(node.parents) != 2 or len(node.shape) != 2:
                continue
            for slot in (0, 1):
                moved = by_name.get(self.recording.names.get(node.parents[1 - slot], ""))
                if moved is None or moved.hand.ndim != 2 or not differing <= self.recording.reaches[node.parents[slot]]:
                    continue
                if not self.in_time:
                    return None
                detour = Detour(node.parents[slot], self._through_stepped(node, slot, moved.hand.T))
                changes = self.changes({(node, slot): detour})
                rate = None if changes is None else _rate(rows, changes)
                if changes is None or rate is None:
                    continue
                scaled = {name: rate * change for name, change in changes.items()}
                if not _all_equal(rows, scaled):
                    continue
                proven = _proven(rows, scaled)
                text = (
                    f"the cotangent goes through the {moved.name} that has already been stepped, by {rate:.6g} times "
                    f"its gradient, in {self.catalogue.roles.place([node])}: {_equal(proven)}"
                )
                return Explanation("stepped weights", tuple(proven), text, ((node, slot, None),))
        return None

    def _through_stepped(self, node: Node, slot: int, step: Array) -> Callable[[Array], Array]:
        return lambda g: self.recording.local(node, g, slot) - (step @ g if slot else g @ step)


def _rate(rows: Sequence[Row], changes: dict[str, Array]) -> float | None:
    """The multiple of the changes that is nearest to the difference of the row with the largest of them."""
    by_size = max((row for row in rows if not row.agrees), key=lambda row: largest(changes[row.name]))
    change = changes[by_size.name]
    if not largest(change) or change.size < 2 or change.dtype.kind == "c":
        return None
    rate = multiple(by_size.hand - by_size.engine, change)
    return rate if 0 < rate < _LARGEST_RATE else None


_LARGEST_RATE = 1e4


def _explained(mutation: Mutation, names: Sequence[str], text: str) -> Explanation:
    edges = tuple((node, slot, detour.target) for (node, slot), detour in mutation.detours.items())
    return Explanation(mutation.kind, tuple(names), text, edges)


def _equal(names: Sequence[str]) -> str:
    return f"with this mistake, the engine's gradients of {', '.join(names)} equal yours"


def _order(rows: Sequence[Row]) -> Callable[[str], int]:
    return {row.name: i for i, row in enumerate(rows)}.__getitem__


def _pair(first: Mutation, explained: Sequence[str], second: Mutation, rest: Sequence[str]) -> list[Explanation]:
    both = f"with this mistake and another one, the engine's gradients of {', '.join([*explained, *rest])} equal yours"
    return [
        _explained(first, explained, f"{first.text}: {both}"),
        _explained(second, rest or explained, f"{second.text}: {both}"),
    ]


def _others(alike: Sequence[Trial]) -> str:
    if not alike:
        return ""
    more = f", and {len(alike) - ALIKE} others" if len(alike) > ALIKE else ""
    return (
        "; the same numbers come from another mistake: " + ", or ".join(t.mutation.text for t in alike[:ALIKE]) + more
    )


def _mark(trial: Trial, names: Sequence[str]) -> tuple[str, ...]:
    """What is the same for mutations that change the same by the same numbers."""
    rng = np.random.default_rng(0)
    sums = (np.vdot(rng.normal(size=trial.changes[name].size), trial.changes[name].ravel()) for name in names)
    return tuple(f"{total:.6e}" for total in sums)


def _all_equal(rows: Sequence[Row], changes: dict[str, Array]) -> bool:
    if not all(row.is_close_to(row.engine + changes[row.name]) for row in rows):
        return False
    return any(row.is_proven_by(row.engine + changes[row.name]) for row in rows if not row.agrees)


def _proven(rows: Sequence[Row], changes: dict[str, Array]) -> list[str]:
    return [row.name for row in rows if not row.agrees and row.is_proven_by(row.engine + changes[row.name])]


def _common_factor(rows: Sequence[Row], changes: dict[str, Array]) -> float | None:
    """The factor by which the mistake's gradients must be multiplied to equal those by hand, from the largest one."""
    by_size = max(rows, key=lambda row: largest(row.engine + changes[row.name]))
    expected = by_size.engine + changes[by_size.name]
    if not largest(expected) or expected.dtype.kind == "c":
        return None
    return multiple(by_size.hand, expected)


def _changes_something(rows: Sequence[Row], changes: dict[str, Array]) -> bool:
    """Whether the mistake gives other numbers than a multiple of the engine's."""
    return any(
        not row.agrees and largest(changes[row.name]) > SINGLE * largest(row.engine)
        and not _proportional(row.engine + changes[row.name], row)
        for row in rows
    )  # fmt: skip


def _proportional(gradient: Array, row: Row) -> bool:
    if not largest(row.engine):
        return False
    return largest(gradient - multiple(gradient, row.engine) * row.engine) <= SINGLE * largest(gradient)
