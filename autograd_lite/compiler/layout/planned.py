"""`PlannedProgram`: the calls of a compiled function after all passes, and the memory that is planned for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...core.tensor import Tensor
from ...core.tree import found
from ..array_layout import Array
from ..ir import Call, Output, Value
from .buffers import Memory


class PlannedProgram:
    """The part of a plan that is known before its code is written.

    Attributes
    ----------
    name : str
        The name of the function.
    calls : list of Call
        The calls of a replay, and the views that these calls read.
    recorded_calls : int
        The number of calls that the function made.
    memory : Memory
        Where the results lie.
    arrays : dict
        From each value that stays where it is from call to call to its array.
    names : dict
        From each tensor that has a name to the name.
    persistent : set of Value
        The gradients that the function leaves.
    outputs
        The function's result, with an `Output` for each array.
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
        """All values that the calls read and write, and those that are returned."""
        for call in self.calls:
            yield from call.operands
            yield from call.writes
        yield from self.returned()

    def returned(self) -> list[Value]:
        """The values that the function returns."""
        return values_of(self.outputs)


def values_of(outputs: Any) -> list[Value]:
    """The values in the result of a function."""
    return [output.value for output in found(Output, outputs)]
