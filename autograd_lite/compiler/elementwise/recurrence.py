"""Recurrences: elementwise functions that move arrays along given ones, and keep others from one call to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .trace import FormulaTracer, Program

MOST_KNOWN = 8
"""So many are kept of one function, whose options may ask for now one and now another."""


class Recurrence(NamedTuple):
    """What ``function(moved, given, kept, t, options)`` does, which returns the new values of an array that is moved.

    Attributes
    ----------
    program : Program
        Its inputs are the given array, the one that is moved, and those that are kept.
    names : tuple of str
        Of those that are kept, in the mapping `kept`.
    coefficients : callable
        The program's numbers for other `t` and `options`; None if the function does something else with these.
    """

    program: Program
    names: tuple[str, ...]
    coefficients: Callable[[int, Mapping[str, Any]], tuple[float, ...] | None]


class Recurrences:
    """Those that one function has been found to be, for the numbers and options that it was traced with."""

    def __init__(self) -> None:
        self._known: list[Recurrence] = []

    def known(self, t: int, options: Mapping[str, Any]) -> Recurrence | None:
        """One that the function is for these, too."""
        return next((known for known in self._known if known.coefficients(t, options) is not None), None)

    def trace(self, function: Callable[..., Any], t: int, options: Mapping[str, Any]) -> Recurrence | None:
        """The one that the function is for these; None if it is not elementwise."""
        tracer = FormulaTracer("t", "options")
        given, moved, kept = tracer.array(), tracer.array(), tracer.arrays()
        try:
            new = function(moved, given, kept, tracer.number(t, "t"), tracer.options(options, "options"))
            program = tracer.program({moved: new, **{kept.symbols[name]: x for name, x in kept.values.items()}})
        except Exception:  # whatever it is, a call with arrays meets it too
            return None
        found = Recurrence(program, tuple(kept.symbols), tracer.coefficients())
        self._known = [found, *self._known][:MOST_KNOWN]
        return found
