"""An optimizer's update by machine code outside of plans, where the gradients lie elsewhere in every step."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import DATA_OFFSET, loader
from . import opcodes as op
from .lower import Address, Row
from .segment import Segment, update_row

Array = np.ndarray[Any, Any]


class Updating:
    """Some pieces of an update, as `FusedUpdate` has them; gradients are given anew in every step.

    Parameters
    ----------
    pieces : sequence
        One for each parameter.
    places : sequence of int
        For each piece that of its gradient among those of a step.

    Raises
    ------
    LookupError
        If the machine code for one of them would have to be compiled first.
    """

    def __init__(self, pieces: Sequence[tuple[str, list[Array], Array]], places: Sequence[int]) -> None:
        pointers = [(ctypes.c_int64 * 1)() for _ in pieces]
        self._pointers = list(zip(pointers, places, strict=True))
        by_dtype: dict[np.dtype[Any], list[Row]] = {}
        for (kernel, arrays, numbers), pointer in zip(pieces, pointers, strict=True):
            row = update_row(kernel, arrays, numbers)
            row.words[op.ADDRESSES + 1] = Address(pointer, 0)
            w, _, *state = arrays
            by_dtype.setdefault(w.dtype, []).append(row._replace(kept=[w, *state, numbers]))
        self._segments = []
        for dtype, rows in by_dtype.items():
            found = loader.at_hand(dtype)
            if found is None:
                raise LookupError(f"no machine code for {dtype} has been compiled")
            self._segments.append(Segment(found, rows))
        self._runs: list[Callable[[], object]] = [run for segment in self._segments for run in segment.runs()]

    def __call__(self, gradients: Sequence[Array]) -> None:
        """Take a step along these gradients, contiguous arrays of the weights' dtypes."""
        for pointer, place in self._pointers:
            pointer[0] = id(gradients[place]) + DATA_OFFSET
        for run in self._runs:
            run()
