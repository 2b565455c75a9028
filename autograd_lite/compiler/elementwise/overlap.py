"""Whether arrays share memory, and copies of those that share it with arrays that are about to change."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def overlap(arrays: Sequence[Array]) -> bool:
    """Whether some of the arrays share memory."""
    spans = sorted(np.lib.array_utils.byte_bounds(array) for array in arrays)
    return any(start < stop for (_, stop), (start, _) in itertools.pairwise(spans))


def apart_from(moved: Sequence[Array]) -> Callable[[Sequence[Array]], Sequence[Array]]:
    """What gives arrays as they are, and copies of them if one lies in memory of those that are moved."""
    owners = set(map(id, map(_owner, moved)))
    is_certain = all(isinstance(_owner(array), np.ndarray) for array in moved)

    def apart(arrays: Sequence[Array]) -> Sequence[Array]:
        doubtful = arrays
        # Told by whose memory it is, since to compare where all arrays begin and end takes a tenth of a small step.
        if is_certain:
            doubtful = [array for array in arrays if array.base is not None or id(array) in owners]
            doubtful = [x for x in doubtful if type(owner := _owner(x)) is not np.ndarray or id(owner) in owners]
        if not doubtful:
            return arrays
        everything = [*moved, *arrays]
        is_known = all(isinstance(array, np.ndarray) for array in everything)
        return [array.copy() for array in arrays] if is_known and overlap(everything) else arrays

    return apart


def _owner(array: Any) -> Any:
    """What an array has its memory from: an array, itself perhaps, or an object of another library."""
    while isinstance(base := getattr(array, "base", None), np.ndarray):
        array = base
    return array if base is None else base
