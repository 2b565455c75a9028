"""`Cohort`: parameters that take their steps together, by an elementwise program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from autograd_lite.extend import Batch, FormulaTracer, Program, depends_on_arguments_alone, flush_subnormal

from ..plain_loop import PlainLoop
from ..state import Array, State, is_flushed

MOST_FORMULAS = 8
"""So many are kept of an optimizer, whose options may ask for now one and now another."""


class Formula(NamedTuple):
    """An update under some options: a program of gradient, weights and state, and the names of the state's arrays.

    `coefficients` gives the program's numbers for a step and options, or None if the program is another for these.
    """

    program: Program
    names: tuple[str, ...]
    coefficients: Callable[[int, Mapping[str, Any]], tuple[float, ...] | None]


class Cohort:
    """Parameters of one group and dtype that have taken the same number of steps. Their states are laid end to end."""

    def __init__(
        self, options: Any, formula: Formula, places: list[int], states: Sequence[State], weights: Sequence[Array]
    ) -> None:
        self._options, self._formula, self._states, self.places = options, formula, states, places
        self.batch = Batch(formula.program, weights, [[s.arrays.get(name) for name in formula.names] for s in states])
        for state, w, views in zip(states, weights, self.batch.views, strict=True):
            shaped = [view.reshape(w.shape or 1) for view in views]
            state.arrays.update(zip(formula.names, shaped, strict=True))

    def next_coefficients(self) -> tuple[float, ...] | None:
        """The numbers of the next step; None if it has another formula."""
        return self._formula.coefficients(self._states[0].steps + 1, self._options)

    def begin(self, coefficients: tuple[float, ...]) -> None:
        """Begin a step with these."""
        self.batch.begin(coefficients)
        for state in self._states:
            state.steps += 1
        if is_flushed(self._states[0].steps, self._options):
            flush_subnormal(self.batch.memory)


def formula_of(optimizer: PlainLoop, step: int, options: Mapping[str, Any]) -> Formula | None:
    """The formula of a step; None if it is not elementwise, or may depend on more than the arguments of `update`."""
    kind = type(optimizer)
    if any(hasattr(kind, name) for name in vars(optimizer)):  # a method, or a figure, that this one alone has
        return None
    known: Formula
    for known in optimizer._formulas:
        if known.coefficients(step, options) is not None:
            return known
    has_own_access = hasattr(kind, "__getattr__") or kind.__getattribute__ is not object.__getattribute__
    if has_own_access or not depends_on_arguments_alone(kind.update, kind):
        return None
    blank = object.__new__(kind)  # without attributes
    tracer = FormulaTracer("t", "options")
    g, w, state = tracer.array(), tracer.array(), tracer.arrays()
    try:
        new = blank._decayed_update(w, g, state, tracer.number(step, "t"), tracer.options(options, "options"))
        program = tracer.program({w: new, **{state.symbols[name]: value for name, value in state.values.items()}})
    except Exception:  # whatever it is, the plain loop meets it too
        return None
    found = Formula(program, tuple(state.symbols), tracer.coefficients())
    optimizer._formulas = [found, *optimizer._formulas][:MOST_FORMULAS]
    return found
