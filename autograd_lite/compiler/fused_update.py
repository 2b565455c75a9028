"""`FusedUpdate`: a callback that moves arrays in batches, which plans take apart, by the fastest way that there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as np

from ..core.commit import Change, commit
from .elementwise import Batch, KernelCall, apart_from, overlap

Array = np.ndarray[Any, Any]

MACHINE_CODE_BYTES = 2**17
"""To move fewer the calls cost about as much as the arithmetic, and machine code would have to be loaded."""


class FusedUpdate:
    """A callback that moves arrays along given ones; a subclass says in which batches.

    Attributes
    ----------
    batches : sequence of Batch or None
        Those of the arrays that were moved last.
    """

    def __init__(self) -> None:
        self.batches: Sequence[Batch] | None = None
        self._moved: Sequence[Array] | None = None
        self._changes: Callable[[Sequence[Array]], list[Change]] | None = None

    # ---- what a subclass says ----

    def arrange(self, moved: Sequence[Array]) -> Sequence[Batch] | None:
        """The batches for contiguous arrays that do not overlap; None if there are none."""
        raise NotImplementedError

    def advance(self) -> list[Change] | None:
        """Give the batches the coefficients of a move, and return what else changes; None if it takes other batches."""
        raise NotImplementedError

    def plainly(self, moved: Sequence[Array], given: Sequence[Array]) -> list[Change]:
        """The changes of a move without batches."""
        raise NotImplementedError

    # ---- outside of plans ----

    def __call__(self, moved: Sequence[Array], given: Sequence[Array], before: Sequence[Change] = ()) -> None:
        """Move the arrays in place, after other changes that belong to the move; an interruption leaves all or none."""
        is_prepared = self._moved is not None and all(map(is_, moved, self._moved))
        begun = self.advance() if is_prepared and self.batches is not None else None
        if begun is None and not (is_prepared and self.batches is None):
            self._changes = None
            if self._prepare(moved) is not None:
                begun = self.advance()
        # A given array in memory of moved ones would change before it is read.
        given = self._apart(given)
        if self.batches is None:
            commit([*before, *self.plainly(moved, given)])
            return
        if self._changes is None:
            self._changes = self._machine_code(moved) or self._by_numpy(moved)
        commit([*before, *(begun or ()), *self._changes(given)])

    # ---- what a plan takes apart ----

    def bound(self, moved: Sequence[Array], given: Sequence[Array]) -> Callable[[], bool]:
        """The move for these arrays by NumPy; called, it gives False if it has another form by now, and did nothing."""
        batches = None if overlap([*moved, *given]) else self._prepare(moved)
        runs = [batch.by_numpy_along(moved, given) for batch in batches or ()]

        def move() -> bool:
            if batches is None:
                self(moved, given)
                return True
            if self.batches is not batches or (begun := self.advance()) is None:
                return False
            for changes in runs:
                begun += changes()
            commit(begun)
            return True

        return move

    def bound_to(self, runs: Sequence[Callable[[], object]]) -> Callable[[], bool]:
        """The move of the arrays that `kernels` was given last, by machine code; called, it gives what `bound` does."""
        changes = [(run,) for run in runs]

        def move() -> bool:
            if (begun := self.advance()) is None:
                return False
            commit([*begun, *changes])
            return True

        return move

    def kernels(self, moved: Sequence[Array], given: Sequence[Array]) -> list[KernelCall] | None:
        """The move for these arrays by machine code, which `bound_to` makes; None if there is none."""
        if overlap([*moved, *given]) or not all(array.flags.carray for array in given):
            return None
        self._prepare(moved)
        return self._kernel_calls(moved, given)

    # ---- within ----

    def _prepare(self, moved: Sequence[Array]) -> Sequence[Batch] | None:
        self._moved = None  # until all is arranged, in case that is interrupted
        is_simple = all(type(array) is np.ndarray and array.flags.carray for array in moved) and not overlap(moved)
        self.batches, self._apart = self.arrange(moved) if is_simple else None, apart_from(moved)
        self._moved = moved
        return self.batches

    def _kernel_calls(self, moved: Sequence[Array], given: Sequence[Array]) -> list[KernelCall] | None:
        calls = [batch.kernel_calls(moved, given) for batch in self.batches or ()]
        return None if None in calls else [call for some in calls for call in some or ()] or None

    def _by_numpy(self, moved: Sequence[Array]) -> Callable[[Sequence[Array]], list[Change]]:
        runs = [batch.by_numpy(moved) for batch in self.batches or ()]
        return lambda given: [change for changes in runs for change in changes(given)]

    def _machine_code(self, moved: Sequence[Array]) -> Callable[[Sequence[Array]], list[Change]] | None:
        """What makes the move outside of plans, if the engine's machine code has been compiled already."""
        if sum(array.nbytes for array in moved) < MACHINE_CODE_BYTES:
            return None
        places = [i for batch in self.batches or () for i in batch.views]
        calls = self._kernel_calls(moved, moved)
        run = run_directly(calls) if calls else None
        return run and (lambda given: run([given[i] for i in places]))


def run_directly(calls: Sequence[KernelCall]) -> Callable[[Sequence[Any]], list[Change]] | None:
    """What gives the changes that run kernels outside of compiled functions, on other arrays in place of the first.

    None if the machine code that goes through the calls would have to be compiled first.
    """
    # Imported here, since only moves of many numbers ask for it, and what it needs takes a while to import.
    from .native.direct import run_directly as run

    return run(calls)
