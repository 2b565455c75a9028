"""`FusedStep`: a step of many parameters at once, within compiled functions and outside of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from operator import is_
from typing import Any

import numpy as np

from autograd_lite.extend import KernelCall, overlap, run_directly

from ..plain_loop import PlainLoop
from ..state import Array
from .cohort import Cohort, formula_of

MACHINE_CODE_BYTES = 2**17
"""For fewer weights the calls cost about as much as the arithmetic, and machine code would have to be loaded."""


class FusedStep:
    """A step of the parameters that have a gradient, by the fastest way that there is for their arrays.

    Where there is none but the optimizer's plain loop, it takes that. It is an `autograd_lite.extend.FusedUpdate`.

    Parameters
    ----------
    optimizer : PlainLoop
    has_gradient : list of bool
        For each parameter.
    """

    def __init__(self, optimizer: PlainLoop, has_gradient: list[bool]) -> None:
        self.has_gradient, self._optimizer = has_gradient, optimizer
        self._weights: Sequence[Array] | None = None
        self._owners: set[int] | None = None
        self._cohorts: list[Cohort] | None = None
        self._run: Callable[[Sequence[Array]], None] | None = None
        self.__name__ = f"{type(optimizer).__name__}.step"

    def __call__(self, weights: Sequence[Array], gradients: Sequence[Array]) -> None:
        """Move the weights along these gradients."""
        is_prepared = self._weights is not None and all(map(is_, weights, self._weights))
        if not is_prepared or not (self._cohorts is None or self.advance()):
            self._run = None
            self._arrange(weights)
            self.advance()
        gradients = self._apart(gradients)
        if self._cohorts is None:
            self._optimizer._plain_step(self.has_gradient, weights, gradients)
            return
        if self._run is None:
            self._run = self._machine_code(weights) or _by_numpy(self._cohorts, weights)
        self._run(gradients)

    def bound(self, weights: Sequence[Array], gradients: Sequence[Array]) -> Callable[[], bool]:
        """See `autograd_lite.extend.FusedUpdate`."""
        cohorts = None if overlap([*weights, *gradients]) else self._arrange(weights)
        runs = [
            cohort.batch.by_numpy_along(*([arrays[i] for i in cohort.places] for arrays in (weights, gradients)))
            for cohort in cohorts or ()
        ]

        def step() -> bool:
            if cohorts is None:
                self(weights, gradients)
                return True
            if self._cohorts is not cohorts or not self.advance():
                return False
            for run in runs:
                run()
            return True

        return step

    def kernels(self, weights: Sequence[Array], gradients: Sequence[Array]) -> list[KernelCall] | None:
        """See `autograd_lite.extend.FusedUpdate`."""
        if overlap([*weights, *gradients]) or not all(g.flags.carray for g in gradients):
            return None
        self._arrange(weights)
        return self._kernel_calls(weights, gradients)

    def advance(self) -> bool:
        """See `autograd_lite.extend.FusedUpdate`."""
        cohorts: list[Cohort] | None = self._cohorts
        if cohorts is None or self._optimizer._cohorts is not self._cohorts:
            return False
        found = []
        for cohort in cohorts:
            coefficients = cohort.next_coefficients()
            if coefficients is None:
                return False
            found.append((cohort, coefficients))
        for cohort, coefficients in found:
            cohort.begin(coefficients)
        return True

    def _arrange(self, weights: Sequence[Array]) -> list[Cohort] | None:
        """Sort the parameters into cohorts for the next steps; None if only the plain loop can take them.

        An optimizer has one list of cohorts at a time, since others lay the state elsewhere.
        """
        optimizer, self._weights = self._optimizer, weights
        owners = list(map(_owner, weights))
        self._owners = set(map(id, owners)) if all(isinstance(owner, np.ndarray) for owner in owners) else None
        self._cohorts = None
        if not all(type(w) is np.ndarray and w.flags.carray for w in weights) or overlap(weights):
            return None
        signature = [self.has_gradient, *((w.shape, w.dtype) for w in weights)]
        known: list[Cohort] | None = optimizer._cohorts
        if known and optimizer._signature == signature and all(c.next_coefficients() is not None for c in known):
            self._cohorts = known
            return known
        together: dict[Any, list[int]] = {}
        states = list(compress(optimizer._states.values(), self.has_gradient))
        options = list(compress(optimizer._options.values(), self.has_gradient))
        for i, w in enumerate(weights):
            together.setdefault((id(options[i]), states[i].steps, w.dtype), []).append(i)
        chosen = []
        for places in together.values():
            formula = formula_of(optimizer, states[places[0]].steps + 1, options[places[0]])
            if formula is None:
                return None
            chosen.append((options[places[0]], formula, places))
        # Only now, since each lays states elsewhere.
        cohorts = [Cohort(*one, [states[i] for i in one[-1]], [weights[i] for i in one[-1]]) for one in chosen]
        self._cohorts = optimizer._cohorts = cohorts
        optimizer._signature = signature
        return cohorts

    def _apart(self, gradients: Sequence[Array]) -> Sequence[Array]:
        """The gradients, as copies if one lies in memory of weights, which would change before it is read."""
        assert self._weights is not None
        owners, doubtful = self._owners, gradients
        # Told by whose memory it is, since to compare where all arrays begin and end takes a tenth of a small step.
        if owners is not None:
            doubtful = [g for g in gradients if g.base is not None or id(g) in owners]
            doubtful = [g for g in doubtful if type(owner := _owner(g)) is not np.ndarray or id(owner) in owners]
        if not doubtful:
            return gradients
        arrays = [*self._weights, *gradients]
        if not all(isinstance(array, np.ndarray) for array in arrays) or not overlap(arrays):
            return gradients
        return [gradient.copy() for gradient in gradients]

    def _kernel_calls(self, weights: Sequence[Array], gradients: Sequence[Array]) -> list[KernelCall] | None:
        found: list[KernelCall] = []
        for cohort in self._cohorts or ():
            mine = ([arrays[i] for i in cohort.places] for arrays in (weights, gradients))
            calls = cohort.batch.kernel_calls(*mine)
            if calls is None:
                return None
            found += calls
        return found or None

    def _machine_code(self, weights: Sequence[Array]) -> Callable[[Sequence[Array]], None] | None:
        """What runs it outside of compiled functions, if the engine's machine code has been compiled already."""
        if sum(w.nbytes for w in weights) < MACHINE_CODE_BYTES:
            return None
        places = [i for cohort in self._cohorts or () for i in cohort.places]
        calls = self._kernel_calls(weights, weights)
        run = run_directly(calls) if calls else None
        return run and (lambda gradients: run([gradients[i] for i in places]))


def _owner(array: Any) -> Any:
    """What an array has its memory from: an array, itself perhaps, or an object of another library."""
    while isinstance(base := getattr(array, "base", None), np.ndarray):
        array = base
    return array if base is None else base


def _by_numpy(cohorts: Sequence[Cohort], weights: Sequence[Array]) -> Callable[[Sequence[Array]], None]:
    runs = [(cohort.places, cohort.batch.by_numpy([weights[i] for i in cohort.places])) for cohort in cohorts]

    def run(gradients: Sequence[Array]) -> None:
        for places, each in runs:
            each([gradients[i] for i in places])

    return run
