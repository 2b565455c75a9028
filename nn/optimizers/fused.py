"""`FusedStep`: a step of many parameters at once, by NumPy or by machine code, in compiled functions and outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from operator import setitem
from typing import Any
from weakref import ref

import numpy as np

from autograd_lite.extend import (
    Batch,
    Change,
    FusedUpdate,
    Recurrence,
    depends_on_arguments_alone,
    flush_subnormal,
)

from .state import Array, State


class Cohort(Batch):
    """Parameters of one group and dtype that have taken the same number of steps. Their states are laid end to end."""

    def __init__(self, formula: Recurrence, states: Mapping[int, State], weights: Sequence[Array]) -> None:
        shaped = {i: np.atleast_1d(weights[i]) for i in states}
        super().__init__(formula, shaped, {i: state.arrays for i, state in states.items()})
        self._formula, self._states = formula, list(states.values())
        self._count = [self._states[0].steps]
        for i, state in states.items():
            state.arrays.update(self.views[i])
            state.count = self._count

    def prepare(self) -> bool:
        """Take the numbers of the next step; False if it has another formula."""
        first = self._states[0]
        coefficients = self._formula.coefficients(first.steps + 1, first.options)
        if coefficients is not None:
            self.take(coefficients)
        return coefficients is not None

    def begin(self) -> Change:
        """The change with which the step begins that it is prepared for."""
        steps = self._count[0] + 1
        if self._states[0].is_flushed(steps):
            flush_subnormal(self.memory)
        return setitem, self._count, 0, steps


class FusedStep(FusedUpdate):
    """A step of the parameters that have a gradient; by the optimizer's plain loop if no batches can take it.

    Parameters
    ----------
    optimizer : Optimizer
    has_gradient : list of bool
        For each parameter.
    is_kept : bool, default False
        Whether the optimizer keeps the step, which then does not keep the optimizer.
    """

    def __init__(self, optimizer: Any, has_gradient: list[bool], is_kept: bool = False) -> None:
        super().__init__()
        self.has_gradient = has_gradient
        self._owner: Callable[[], Any] = ref(optimizer) if is_kept else lambda: optimizer
        self.__name__ = f"{type(optimizer).__name__}.step"

    def plainly(self, moved: Sequence[Array], given: Sequence[Array]) -> list[Change]:
        """See `FusedUpdate`."""
        optimizer = self._owner()
        optimizer._cohorts = None
        changes: list[Change] = optimizer._plain_step(self.has_gradient, moved, given)
        return changes

    def advance(self) -> list[Change] | None:
        """See `FusedUpdate`."""
        cohorts: list[Cohort] | None = self._owner()._cohorts
        if cohorts is None or self.batches is not cohorts or not all(map(Cohort.prepare, cohorts)):
            return None
        return [*map(Cohort.begin, cohorts)]

    def arrange(self, moved: Sequence[Array]) -> Sequence[Batch] | None:
        """See `FusedUpdate`."""
        # An optimizer has one list of cohorts at a time, since others lay the state elsewhere.
        optimizer, signature = self._owner(), [self.has_gradient, *((w.shape, w.dtype) for w in moved)]
        known: list[Cohort] | None = optimizer._cohorts
        if known and optimizer._signature == signature and all(map(Cohort.prepare, known)):
            return known
        together: dict[Any, dict[int, State]] = {}
        for i, state in enumerate(compress(optimizer._states.values(), self.has_gradient)):
            together.setdefault((id(state.options), state.steps, moved[i].dtype), {})[i] = state
        chosen = []
        for states in together.values():
            formula = formula_of(optimizer, next(iter(states.values())))
            if formula is None:
                return None
            chosen.append((formula, states))
        optimizer._cohorts = None  # from now on, since each new one lays states elsewhere
        cohorts = [Cohort(*one, moved) for one in chosen]
        optimizer._cohorts, optimizer._signature = cohorts, signature
        return cohorts


def formula_of(optimizer: Any, state: State) -> Recurrence | None:
    """That of a state's next step; None if it is not elementwise, or may depend on more than `update`'s arguments."""
    formulas, t = optimizer._formulas, state.steps + 1
    found: Recurrence | None = formulas.known(t, state.options)
    if found is None and depends_on_arguments_alone(optimizer, "update"):
        blank = object.__new__(type(optimizer))  # without attributes
        found = formulas.trace(blank._decayed_update, t, state.options)
    return found
