"""`Pace`: how many steps some parameters have taken together, and what the next one computes from their options."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .blocks import Block

Fused = Callable[[int, Mapping[str, Any]], tuple[str, tuple[float, ...]] | None]
"""The form of an update for machine code: its name and its numbers, for a step and options."""

FLUSH_STEPS = 64
"""After so many steps each, state that has decayed below the normal numbers is taken for zero."""

_PACKERS = [struct.Struct(f"{2 + count}d").pack_into for count in range(7)]
"""By the count of an update's own numbers, what puts these behind those of weight decay."""


class Pace:
    """The steps that parameters of one group have taken, and the numbers of the next one for machine code.

    Parameters
    ----------
    options : mapping
        Of their group.
    taken : int
        How many steps they have taken before.
    decoupled_weight_decay : bool
        Whether weight decay shrinks the weights themselves.

    Attributes
    ----------
    blocks : list of Block
        The parameters; each block adds itself.
    numbers : array, shape (8,)
        What machine code reads: coupled weight decay, the factor of decoupled weight decay, and the update's own.
    """

    def __init__(self, options: Mapping[str, Any], taken: int, decoupled_weight_decay: bool) -> None:
        self.options = options
        self.taken = taken
        self.decoupled = decoupled_weight_decay
        self.blocks: list[Block] = []
        self.numbers = np.zeros(8)
        self._memory = self.numbers.data

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies of the blocks add themselves to the copy.
        return Pace, (self.options, self.taken, self.decoupled)

    def kernel(self, fused: Fused) -> str | None:
        """The name of the next step's update in machine code; None if the method has none."""
        form = fused(self.taken + 1, self.options)
        return form and form[0]

    def advance(self, numbers: tuple[float, ...]) -> None:
        """Begin a step of machine code with these numbers."""
        self.begin()
        weight_decay = self.options.get("weight_decay", 0)
        if self.decoupled:
            _PACKERS[len(numbers)](self._memory, 0, 0, 1 - self.options["lr"] * weight_decay, *numbers)
        else:
            _PACKERS[len(numbers)](self._memory, 0, weight_decay, 1, *numbers)

    def begin(self) -> None:
        """Begin a step."""
        self.taken += 1
        # Without eps, a mean square of zero would be divided by.
        if self.taken % FLUSH_STEPS == 0 and self.options.get("eps", 1):
            for block in self.blocks:
                block.flush()
