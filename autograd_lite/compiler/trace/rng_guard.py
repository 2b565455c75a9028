"""Random numbers that a recorded function draws, which a later call would not draw anew; and which code it runs.

The state of each NumPy generator that the function can reach is compared before and after. Python's `random`, and seeds
from the system, are C functions, whose calls the interpreter reports to a profile function.
"""

from __future__ import annotations

import os
import pickle
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NoReturn

import numpy as np

from .reachable import reachable_generators

Refusal = Callable[[str], NoReturn]
"""A function that raises an error with the given reason."""

_ADVICE = "; draw it by autograd_lite.callback(rng.random, shape), which is called every time"


class Randomness:
    """The generators that a function can reach, and their states.

    Parameters
    ----------
    roots : iterable or None
        The function, and what it is called with; None if it is known to draw none.

    Attributes
    ----------
    code : dict
        From the code that ran while it was watched, but in callbacks, to its globals.
    """

    def __init__(self, roots: Iterable[Any] | None) -> None:
        self._is_watched = roots is not None
        self._generators = [] if roots is None else reachable_generators(roots)
        self._states = self._read()
        self._is_allowed = False
        self._look: Callable[..., None] | None = None
        self.code: dict[CodeType, dict[str, Any]] = {}

    def _read(self) -> list[bytes]:
        return [pickle.dumps(_bits(generator).state) for generator in self._generators]

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Allow random numbers within the `with` statement."""
        self._is_allowed = True
        try:
            yield
        finally:
            self._is_allowed = False
            self._states = self._read()

    def check(self, refuse: Refusal) -> None:
        """Refuse if a generator was used."""
        if self._read() != self._states:
            refuse(f"random numbers were drawn before this line, and later calls would see the same{_ADVICE}")

    @contextmanager
    def watched(self, refuse: Refusal) -> Iterator[None]:
        """For a while see what code runs in this thread, and refuse Python's functions that draw random numbers."""
        if sys.getprofile() is not None:  # a profiler or debugger that runs already goes first
            yield
            return

        def look(frame: FrameType, event: str, called: Any) -> None:
            if self._is_allowed:
                return
            if event == "call":
                self.code[frame.f_code] = frame.f_globals
            elif event == "c_call" and self._is_watched:
                owner = getattr(called, "__self__", None)
                if isinstance(owner, random.Random) or called is os.urandom:
                    sys.setprofile(None)
                    refuse(f"{called.__name__} draws a random number, and later calls would see it{_ADVICE}")

        self._look = look
        try:
            sys.setprofile(look)
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        """Watch no longer, even if the `with` statement was interrupted where it begins or ends."""
        if self._look is not None and sys.getprofile() is self._look:
            sys.setprofile(None)
        self._look = None


def _bits(generator: Any) -> Any:
    return generator.bit_generator if isinstance(generator, np.random.Generator) else generator._bit_generator
