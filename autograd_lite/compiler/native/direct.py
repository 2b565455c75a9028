"""Kernels of elementwise programs that run outside of plans."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from ...core.commit import Change
from ..elementwise import KernelCall
from . import DATA_OFFSET, loader
from . import opcodes as op
from .lower import Address
from .segment import Segment, fused_row

Array = np.ndarray[Any, Any]


def run_directly(calls: Sequence[KernelCall]) -> Callable[[Sequence[Array]], list[Change]] | None:
    """What gives the changes that run the calls, with given arrays in place of the first array of each call.

    None if the machine code that walks through the calls would have to be compiled first.
    """
    machine = loader.at_hand(calls[0].arrays[0].dtype)
    if machine is None:
        return None
    pointers = [(ctypes.c_int64 * 1)() for _ in calls]
    rows = [fused_row(call) for call in calls]
    for row, pointer in zip(rows, pointers, strict=True):
        row.words[op.ADDRESSES] = Address(pointer, 0)
    segment = Segment(machine, rows)
    runs = segment.runs()

    def changes(arrays: Sequence[Array], segment: Segment = segment) -> list[Change]:
        if not all(map(is_plain, arrays)):
            arrays = [np.require(array, None, ["C", "A", "W"]) for array in arrays]
        for pointer, array in zip(pointers, arrays, strict=True):
            pointer[0] = id(array) + DATA_OFFSET
        return [*((start,) for start in runs), (len, arrays)]  # which live until then

    return changes


is_plain = attrgetter("flags.carray")
"""Whether an array is contiguous, aligned and writeable, as machine code needs it."""
