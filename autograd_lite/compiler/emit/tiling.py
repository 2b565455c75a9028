"""Elementwise NumPy calls over large arrays, some rows at a time, so that these stay in the cache between the calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir import Array, Call, Value
from ..optimize.rectifier import masks
from .numpy_calls import Scratch, Step, steps

CHUNK_BYTES = 2**18
"""The bytes that all calls of a chunk read and write together: half of a usual L2 cache."""


class Chunks:
    """Calls that run together, each time for some rows of their arrays.

    Parameters
    ----------
    arrays : mapping
        The array of each value that has a fixed array.
    """

    def __init__(self, arrays: Mapping[Value, Array]) -> None:
        self._arrays = arrays
        self.calls: list[Call] = []

    def joins(self, call: Call) -> bool:
        """Whether a call can run together with the calls so far."""
        if not self._is_elementwise(call):
            return False
        if not self.calls:
            return True
        target = self._arrays[call.results[0]]
        if target.shape[0] != self._arrays[self.calls[0].results[0]].shape[0]:
            return False
        read = [self._arrays[operand] for operand in call.operands]
        for other in self.calls:
            written = self._arrays[other.results[0]]
            others = [written, *(self._arrays[operand] for operand in other.operands)]
            if not all(_in_step(target, one) for one in others) or not all(_in_step(one, written) for one in read):
                return False
        return True

    def _is_elementwise(self, call: Call) -> bool:
        function = call.function
        is_ufunc = isinstance(function, np.ufunc) and function.signature is None and function.nout == 1
        is_choice = function is np.where and len(call.args) == 3 and _is_truth(call.args[0])
        if not (is_ufunc or is_choice) or call.kwargs or call.writes or len(call.results) != 1:
            return False
        if any(isinstance(argument, tuple | list) for argument in call.args):
            return False
        members = [call.results[0], *call.operands]
        return (
            call.results[0] in self._arrays
            and all(m in self._arrays for m in members)
            and bool(self._arrays[call.results[0]].ndim > 1)
        )

    def steps(self) -> list[Step] | None:
        """The steps in their order; None if all their arrays fit into the cache anyway."""
        nbytes = sum(self._arrays[value].nbytes for call in self.calls for value in (*call.results, *call.operands))
        is_one_step = len(self.calls) == 1 and not masks(self.calls[0])
        if is_one_step or nbytes <= CHUNK_BYTES:
            return None
        rows = self._arrays[self.calls[0].results[0]].shape[0]
        length = max(1, rows * CHUNK_BYTES // nbytes)
        scratch = Scratch()
        return [
            step
            for start in range(0, rows, length)
            for call in self.calls
            for step in self._of_rows(call, slice(start, start + length), scratch)
        ]

    def _of_rows(self, call: Call, rows: slice, scratch: Scratch) -> Sequence[Step]:
        target = self._arrays[call.results[0]]

        def part(member: Any) -> Any:
            if not isinstance(member, Value):
                return member
            array = self._arrays[member]
            return array[rows] if array.ndim == target.ndim and array.shape[0] == target.shape[0] else array

        found = steps(call, tuple(map(part, call.args)), target[rows], scratch)
        assert found is not None
        return found


def run(steps: Sequence[Step]) -> None:
    """Run the steps."""
    for function, arguments, options in steps:
        function(*arguments, **options)


def _is_truth(condition: Any) -> bool:
    return isinstance(condition, Value) and condition.layout.dtype == np.bool_


def _in_step(one: Array, other: Array) -> bool:
    """Whether each row of one array shares memory at most with the same row of the other."""
    if not np.may_share_memory(one, other):
        return True
    return one.ctypes.data == other.ctypes.data and one.strides == other.strides and one.shape == other.shape
