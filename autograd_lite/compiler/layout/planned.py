"""`PlannedProgram`: the calls of a compiled function after all passes, and the memory that is planned for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...core.tree import found
from ..ir import Array, Call, Output, Value
from .buffers import Memory


class PlannedProgram:
    """What is known of a plan before there is code for it.

    Attributes
    ----------
    name : str
        Of the function.
    calls : list of Call
        What a replay calls, and the views that these calls read.
    recorded_calls : int
        How many calls the function made.
    memory : Memory
        Where the results lie.
    arrays : dict
        From each value that stays where it is from call to call to its array.
    names : dict
        From the tensors that have a name to it.
    persistent : set of Value
        The gradients that the function leaves.
    outputs
        What the function returns, with an `Output` for each array.
    """

    name: str
    calls: list[Call]
    recorded_calls: int
    memory: Memory
    arrays: dict[Value, Array]
    names: dict[Tensor, str]
    persistent: set[Value]
    outputs: Any

    @property
    def gradients(self) -> dict[np.dtype[Any], Array]:
        """From dtype to the flat array that holds the gradients that the function leaves, end to end."""
        return self.memory.arenas

    def values(self) -> Iterator[Value]:
        """All that the calls read and write, and what is returned."""
        for call in self.calls:
            yield from call.operands
            yield from call.writes
        yield from self.returned()

    def returned(self) -> list[Value]:
        """What the function returns."""
        return values_of(self.outputs)


def values_of(outputs: Any) -> list[Value]:
    """The values among what a function returns."""
    return [output.value for output in found(Output, outputs)]
