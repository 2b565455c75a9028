"""Looks in the catalogue for the mistakes whose gradients are those by hand, one alone or two, within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ...core.graph import Node
from .catalogue import Catalogue, Mutation
from .evidence import SINGLE, Row, Sizes, largest, multiple
from .mutations import PLAIN, RARE, SPECIFIC
from .projection import Projection, Vector
from .recording import Detours, Recording, has_one_output
from .rows import Array, Explanation
from .stepped import through_another, through_stepped

BUDGET = 2.0
"""The seconds of computing that a search takes at most."""

PATIENCE = 3.0
"""So many times as long it may take on a machine that does other work, which is no reason to find less."""

LEFT_FOR_TWO = 0.4
"""The part of the time that is left for two mistakes, and for steps of weights."""

ALIKE = 2
"""How many other mistakes are named that give the same numbers."""

PAIRED = 40
"""With how many mistakes that explain a part another one is tried."""


class Trial(NamedTuple):
    """A mutation, and what it changes along the directions of a projection."""

    mutation: Mutation
    vector: Vector


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
        self._seconds = seconds
        self._start = time.thread_time(), time.monotonic()
        self._projection: Projection | None = None
        self._trials: list[Trial] = []
        self._further = iter(self.catalogue)

    @property
    def in_time(self) -> bool:
        """Whether there is time left."""
        return self._spent < self._seconds

    @property
    def _spent(self) -> float:
        computing, waiting = self._start
        return max(time.thread_time() - computing, (time.monotonic() - waiting) / PATIENCE)

    def _along(self, rows: Sequence[Row]) -> Projection:
        """The projection for these rows; trials that were made for others are made anew."""
        if self._projection is None or [id(row) for row in self._projection.rows] != [id(row) for row in rows]:
            self._projection = Projection(self.recording, rows)
            self._trials = []
            self._further = iter(self.catalogue)
        return self._projection

    def trials(self, projection: Projection) -> Iterator[Trial]:
        """Every mutation with what it changes; each is tried once."""
        yield from self._trials
        while self._spent < (1 - LEFT_FOR_TWO) * self._seconds:
            mutation = next(self._further, None)
            if mutation is None:
                return
            vector = _tried(lambda: projection.vector(mutation.detours))  # noqa: B023 - called at once
            if vector is not None:
                self._trials.append(Trial(mutation, vector))
                yield self._trials[-1]

    def changes(self, detours: Detours) -> dict[str, Array] | None:
        """What detours change; None where a wrong version does not fit the shapes, as no program would run."""
        return _tried(lambda: self.recording.changes(detours))

    # ---- one mistake ----

    def one(self, rows: Sequence[Row], kinds: frozenset[str] | None = None) -> Explanation | None:
        """The mistake whose gradients are equal to those by hand, with those that are alike."""
        projection = self._along(rows)
        found: list[tuple[Mutation, dict[str, Array]]] = []
        for mutation, vector in self.trials(projection):
            if (kinds is None or mutation.kind in kinds) and projection.fits(vector):
                changes = self.changes(mutation.detours)
                if changes is not None and _all_equal(rows, changes):
                    found.append((mutation, changes))
        if not found:
            return self.stepped(rows) if kinds is None else None
        best = min(mutation.rank for mutation, _ in found)
        if best == PLAIN and (stepped := self.stepped(rows)) is not None:
            return stepped
        alike = list({m.text: (m, changes) for m, changes in found if m.rank == best}.values())
        first, changes = alike[0]
        proven = _proven(rows, changes)
        if not proven:
            return None
        text = f"{first.text}: {_equal(proven)}"
        others = [mutation for mutation, _ in alike[1:]]
        apart = self._told_apart(first, others[0]) if others else ""
        return explained_by(first, proven, text + _others(others) + apart)

    def _told_apart(self, one: Mutation, other: Mutation) -> str:
        """The first value on the way back in which two mistakes differ that give the same gradients."""
        changes = [_tried(partial(self.recording.changed, mutation.detours)) for mutation in (one, other)]
        if changes[0] is None or changes[1] is None:
            return ""
        for node in self.recording.order:
            if not has_one_output(node) or node.recipe is None:
                continue
            first, second = (np.asarray(changed.get(node, 0.0)) for changed in changes if changed is not None)
            size = max(largest(first), largest(second), largest(np.asarray(self.recording.cotangents[node])))
            if largest(first - second) > SINGLE * size:
                return f"; the cotangent of {self._place(node)} tells the two apart, if you compare that as well"
        return ""

    def one_with_a_factor(self, rows: Sequence[Row], sizes: Sizes) -> Explanation | None:
        """The mistake whose gradients are the same multiple of those by hand, where the graph has a reason for it."""
        projection = self._along(rows)
        for mutation, vector in self.trials(projection):
            if mutation.rank != SPECIFIC or not projection.fits_times_a_factor(vector):
                continue
            changes = self.changes(mutation.detours)
            if changes is None or not _changes_something(rows, changes):
                continue
            factor = _common_factor(rows, changes)
            reason = None if factor is None else _reason_for(factor, sizes)
            if factor is None or reason is None:
                continue
            predicted = {row.name: factor * (row.engine + changes[row.name]) for row in rows}
            if not all(row.is_close_to(predicted[row.name]) for row in rows):
                continue
            proven = [row.name for row in rows if not row.agrees and row.is_proven_by(predicted[row.name])]
            if proven:
                text = f"{mutation.text}: {_equal(proven)} if they are multiplied by {factor:g} ({reason})"
                return explained_by(mutation, proven, text)
        return None

    # ---- two mistakes ----

    def two(self, rows: Sequence[Row]) -> list[Explanation]:
        """Two mistakes whose gradients together are those by hand; one that explains some rows alone, if there is."""
        differing = [row for row in rows if not row.agrees]
        parts = self.parts(rows)
        plain: tuple[Trial, list[str], Trial] | None = None
        for first, explained in parts[:PAIRED]:
            rest = {row.name for row in differing} - set(explained)
            second = self._second(rows, first, rest)
            if second is not None:
                if max(first.mutation.rank, second.mutation.rank) < RARE:
                    return self._pair(first.mutation, explained, second.mutation, sorted(rest, key=_order(rows)))
                plain = plain or (first, explained, second)
        if plain is not None:
            first, explained, second = plain
            rest = {row.name for row in differing} - set(explained)
            return self._pair(first.mutation, explained, second.mutation, sorted(rest, key=_order(rows)))
        return self._both(rows)

    def parts(self, rows: Sequence[Row]) -> list[tuple[Trial, list[str]]]:
        """The mistakes that explain some rows alone, and leave those that agree as they are; the most rows first."""
        projection = self._along(rows)
        agreeing = [row for row in rows if row.agrees]
        found: list[tuple[int, Trial, list[str]]] = []
        for trial in self.trials(projection):
            if not projection.explained(trial.vector):
                continue
            changes = self.changes(trial.mutation.detours)
            if changes is None or not all(row.is_close_to(row.engine + changes[row.name]) for row in agreeing):
                continue
            if explained := _proven(rows, changes):
                found.append((len(explained), trial, explained))
        found.sort(key=lambda part: (-part[0], part[1].mutation.rank))
        return [(trial, explained) for _, trial, explained in found]

    def part(self, rows: Sequence[Row]) -> list[Explanation]:
        """One mistake that explains some rows alone."""
        for first, explained in self.parts(rows):
            if first.mutation.rank == SPECIFIC and any(row.hand.size > 1 for row in rows if row.name in explained):
                text = f"{first.mutation.text}: {_equal(explained)}"
                return [explained_by(first.mutation, explained, text)]
        return []

    def alone(self, rows: Sequence[Row]) -> list[Explanation]:
        """A mistake in the formula of the differing rows alone, and not in those that it would reach as well."""
        projection = self._along(rows)
        differing = [row for row in rows if not row.agrees]
        names = frozenset(row.name for row in differing)
        found: list[Mutation] = []
        if len(differing) == len(rows) or all(row.hand.size < 2 for row in differing):
            return []
        for mutation, vector in self.trials(projection):
            if mutation.rank == PLAIN or not projection.fits_but_for_the_rest(vector):
                continue
            changes = self.changes(mutation.detours)
            if changes is not None and all(row.is_proven_by(row.engine + changes[row.name]) for row in differing):
                found.append(mutation)
        if not found:
            return []
        best = min(found, key=lambda mutation: mutation.rank)
        others = list({m.text: m for m in found if m.rank == best.rank and m.text != best.text}.values())
        shown = ", ".join(row.name for row in differing)
        text = f"{best.text}, and in the formula of {shown} alone: {_equal([row.name for row in differing])}"
        return [explained_by(best, [row.name for row in differing if row.name in names], text + _others(others))]

    def _pair(
        self, first: Mutation, explained: Sequence[str], second: Mutation, rest: Sequence[str]
    ) -> list[Explanation]:
        names = ", ".join([*explained, *rest])
        both = f"with this mistake and another one, the engine's gradients of {names} equal yours"
        return [
            explained_by(one, own, f"{one.text}: {both}{_others(self._like(one))}")
            for one, own in ((first, explained), (second, rest or explained))
        ]

    def _like(self, mutation: Mutation) -> list[Mutation]:
        """The other mutations that say as much and change the same."""
        own = next(trial.vector for trial in self._trials if trial.mutation is mutation)
        same = [
            trial.mutation
            for trial in self._trials
            if trial.mutation.rank == mutation.rank
            and trial.mutation.text != mutation.text
            and np.max(np.abs(trial.vector - own)) <= 1e-9 * np.max(np.abs(own))
        ]
        return list({one.text: one for one in same}.values())

    def _both(self, rows: Sequence[Row]) -> list[Explanation]:
        """Two mistakes of which neither explains a row alone, as one on the way of the other's cotangents."""
        projection = self._along(rows)
        names = {row.name for row in rows if not row.agrees}
        candidates: list[Trial] = []
        seen: set[tuple[str, ...]] = set()
        for trial in self._trials:
            if trial.mutation.rank >= RARE or not trial.mutation.reached & names:
                continue
            if abs(trial.vector[-1]) > projection.allowed[-1]:
                continue
            mark = tuple(f"{number:.6e}" for number in trial.vector)
            if mark not in seen:
                seen.add(mark)
                candidates.append(trial)
        candidates.sort(
            key=lambda trial: (not trial.mutation.is_whole, not _leaves_out(trial.mutation), trial.mutation.rank)
        )
        for pair in self._fitting_pairs(candidates, projection):
            one, other = (candidates[i].mutation for i in pair)
            if not names <= one.reached | other.reached:
                continue
            changes = self.changes({**one.detours, **other.detours})
            if changes is not None and _all_equal(rows, changes):
                return self._pair(one, [row.name for row in rows if not row.agrees], other, [])
        return []

    def _fitting_pairs(self, candidates: Sequence[Trial], projection: Projection) -> Iterator[tuple[int, int]]:
        """The pairs of candidates that change the right numbers together, those with the likeliest mistakes first."""
        if not candidates:
            return
        vectors = np.array([trial.vector for trial in candidates])
        apart = projection.allowed + 1e-9 * np.max(np.abs(vectors), axis=0)
        for i, trial in enumerate(candidates):  # neither is on the way of the other
            near = np.all(np.abs(vectors + trial.vector - projection.wanted) <= apart, axis=1)
            yield from ((i, int(j)) for j in np.flatnonzero(near) if j > i)
        first = [self._span(trial.mutation)[0] for trial in candidates]
        ways: dict[int, Any] = {}
        for j in range(len(candidates)):
            for i in range(j):
                if not self.in_time:
                    return
                upper, lower = (i, j) if first[i] <= first[j] else (j, i)
                one, other = candidates[upper].mutation, candidates[lower].mutation
                if one.detours.keys() & other.detours.keys():
                    continue
                if upper not in ways:
                    ways[upper] = _tried(lambda: self.recording.changed(one.detours))  # noqa: B023
                changed = ways[upper]
                if changed is None or not any(node in changed for node, _ in other.detours):
                    continue
                vector = self._of_pair(candidates[upper], candidates[lower], changed, projection)
                if vector is not None and projection.fits(vector):
                    yield i, j

    def _of_pair(self, one: Trial, other: Trial, changed: Any, projection: Projection) -> Vector | None:
        """What both change; `changed` are the changes of all cotangents by the first one."""
        below = other.mutation.detours
        if self._is_below(one.mutation, other.mutation) and projection.is_quick:
            return _tried(lambda: one.vector + projection.with_change(below, changed, other.vector))
        return _tried(lambda: projection.vector({**one.mutation.detours, **below}))

    def _span(self, mutation: Mutation) -> tuple[int, int]:
        positions = [self.recording.position[node] for node, _ in mutation.detours]
        return min(positions), max(positions)

    def _is_below(self, one: Mutation, other: Mutation) -> bool:
        """Whether the other mutation is of one edge, below all of the first one's."""
        if len(other.detours) != 1 or next(iter(other.detours))[1] < 0:
            return False
        return self._span(other)[0] > self._span(one)[1]

    def _second(self, rows: Sequence[Row], first: Trial, rest: set[str]) -> Trial | None:
        projection = self._along(rows)
        best: Trial | None = None
        for trial in self._trials:
            if not self.in_time:
                break
            mutation = trial.mutation
            if not rest <= mutation.reached or mutation.detours.keys() & first.mutation.detours.keys():
                continue
            if best is not None and best.mutation.rank <= mutation.rank:
                continue
            both = {**first.mutation.detours, **mutation.detours}
            vector = _tried(lambda: projection.vector(both))  # noqa: B023 - called at once
            if vector is None or not projection.fits(vector):
                continue
            changes = self.changes(both)
            if changes is not None and _all_equal(rows, changes):
                best = trial
        return best

    # ---- other weights than those of the forward pass ----

    def stepped(self, rows: Sequence[Row], also: Sequence[str] = ()) -> Explanation | None:
        """Weights that have been stepped already; `also` are the rows that another mistake explains."""
        if not self.in_time:
            return None
        return through_stepped(self.recording, rows, self._in_time, self._place, self._explained_beside(also))

    def _explained_beside(self, names: Sequence[str]) -> list[Row]:
        return [row for row in self._projection.rows if row.name in names] if self._projection is not None else []

    def through_another(self, rows: Sequence[Row]) -> list[Explanation]:
        """Another matrix in the place of a parameter on the way back, if there is."""
        found = through_another(self.recording, rows, self._in_time, self._place) if self.in_time else None
        return [] if found is None else [found]

    def _in_time(self, detours: Detours) -> dict[str, Array] | None:
        return self.changes(detours) if self.in_time else None

    def _place(self, node: Node) -> str:
        return self.catalogue.roles.place([node])


def explained_by(mutation: Mutation, names: Sequence[str], text: str) -> Explanation:
    """The explanation of some rows by a mutation, with its place in the graph."""
    edges = tuple((node, slot, detour.target) for (node, slot), detour in mutation.detours.items())
    return Explanation(mutation.kind, tuple(names), text, edges)


def _equal(names: Sequence[str]) -> str:
    return f"with this mistake, the engine's gradients of {', '.join(names)} equal yours"


def _order(rows: Sequence[Row]) -> Callable[[str], int]:
    return {row.name: i for i, row in enumerate(rows)}.__getitem__


def _others(alike: Sequence[Mutation]) -> str:
    if not alike:
        return ""
    more = f", and {len(alike) - ALIKE} others" if len(alike) > ALIKE else ""
    return "; the same numbers come from another mistake: " + ", or ".join(m.text for m in alike[:ALIKE]) + more


T = TypeVar("T")


def _tried(change: Callable[[], T | None]) -> T | None:
    """What a change gives; None where it does not fit the shapes, as no program would run, or is not finite."""
    try:
        with np.errstate(all="ignore"):
            found = change()
    except (ValueError, TypeError, IndexError):
        return None
    arrays = found.values() if isinstance(found, dict) else () if found is None else (found,)
    return found if all(np.all(np.isfinite(a)) for a in arrays if isinstance(a, np.ndarray)) else None


def _all_equal(rows: Sequence[Row], changes: dict[str, Array]) -> bool:
    if not all(row.is_close_to(row.engine + changes[row.name]) for row in rows):
        return False
    return any(row.is_proven_by(row.engine + changes[row.name]) for row in rows if not row.agrees)


def _proven(rows: Sequence[Row], changes: dict[str, Array]) -> list[str]:
    return [row.name for row in rows if not row.agrees and row.is_proven_by(row.engine + changes[row.name])]


def _leaves_out(mutation: Mutation) -> bool:
    """Whether something is left out, as is commoner than that it is written otherwise."""
    return mutation.kind in ("transpose", "path", "truncation") or "missing" in mutation.text


def _reason_for(factor: float, sizes: Sizes) -> str | None:
    """Why the gradients may have a factor beside a mistake: a count of the program, or the sign."""
    if abs(factor + 1) <= SINGLE:
        return "the sign is flipped"
    return sizes.reason_for(abs(factor)) if sizes.is_a_count(abs(factor)) else None


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
