"""`FusedUpdate`: a callback that moves arrays in batches, which plans take apart, by the fastest way that there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as np

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
        self._run: Callable[[Sequence[Array]], None] | None = None

    # ---- what a subclass says ----

    def arrange(self, moved: Sequence[Array]) -> Sequence[Batch] | None:
        """The batches for contiguous arrays that do not overlap; None if there are none."""
        raise NotImplementedError

    def advance(self) -> bool:
        """Begin a move: give the batches their coefficients. False if it takes other batches by now."""
        raise NotImplementedError

    def plainly(self, moved: Sequence[Array], given: Sequence[Array]) -> None:
        """Make a move without batches."""
        raise NotImplementedError

    # ---- outside of plans ----

    def __call__(self, moved: Sequence[Array], given: Sequence[Array]) -> None:
        """Move the arrays in place."""
        is_prepared = self._moved is not None and all(map(is_, moved, self._moved))
        if not is_prepared or not (self.batches is None or self.advance()):
            self._run = None
            if self._prepare(moved) is not None:
                self.advance()
        # A given array in memory of moved ones would change before it is read.
        given = self._apart(given)
        if self.batches is None:
            self.plainly(moved, given)
            return
        if self._run is None:
            self._run = self._machine_code(moved) or self._by_numpy(moved)
        self._run(given)

    # ---- what a plan takes apart ----

    def bound(self, moved: Sequence[Array], given: Sequence[Array]) -> Callable[[], bool]:
        """The move for these arrays by NumPy; called, it gives False if it has another form by now, and did nothing."""
        batches = None if overlap([*moved, *given]) else self._prepare(moved)
        runs = [batch.by_numpy_along(moved, given) for batch in batches or ()]

        def move() -> bool:
            if batches is None:
                self(moved, given)
                return True
            if self.batches is not batches or not self.advance():
                return False
            for run in runs:
                run()
            return True

        return move

    def kernels(self, moved: Sequence[Array], given: Sequence[Array]) -> list[KernelCall] | None:
        """The move for these arrays by machine code, to be run when `advance` has given True; None if there is none."""
        if overlap([*moved, *given]) or not all(array.flags.carray for array in given):
            return None
        self._prepare(moved)
        return self._kernel_calls(moved, given)

    # ---- within ----

    def _prepare(self, moved: Sequence[Array]) -> Sequence[Batch] | None:
        self._moved, self._apart = moved, apart_from(moved)
        is_simple = all(type(array) is np.ndarray and array.flags.carray for array in moved) and not overlap(moved)
        self.batches = self.arrange(moved) if is_simple else None
        return self.batches

    def _kernel_calls(self, moved: Sequence[Array], given: Sequence[Array]) -> list[KernelCall] | None:
        calls = [batch.kernel_calls(moved, given) for batch in self.batches or ()]
        return None if None in calls else [call for some in calls for call in some or ()] or None

    def _by_numpy(self, moved: Sequence[Array]) -> Callable[[Sequence[Array]], None]:
        runs = [batch.by_numpy(moved) for batch in self.batches or ()]

        def move(given: Sequence[Array]) -> None:
            for each in runs:
                each(given)

        return move

    def _machine_code(self, moved: Sequence[Array]) -> Callable[[Sequence[Array]], None] | None:
        """What makes the move outside of plans, if the engine's machine code has been compiled already."""
        if sum(array.nbytes for array in moved) < MACHINE_CODE_BYTES:
            return None
        places = [i for batch in self.batches or () for i in batch.views]
        calls = self._kernel_calls(moved, moved)
        run = run_directly(calls) if calls else None
        return run and (lambda given: run([given[i] for i in places]))


def run_directly(calls: Sequence[KernelCall]) -> Callable[[Sequence[Any]], None] | None:
    """What runs kernels outside of compiled functions, on other arrays in the place of the first of each.

    None if the machine code that goes through the calls would have to be compiled first.
    """
    # Imported here, since only moves of many numbers ask for it, and what it needs takes a while to import.
    from .native.direct import run_directly as run

    return run(calls)
