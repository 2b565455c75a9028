"""What is no derivation yet: rows of zeros, numbers that are not finite, integers that were cut off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .evidence import Row, largest
from .rows import Explanation


def of_inputs(rows: Sequence[Row]) -> tuple[list[Explanation], list[Row]]:
    """What is said of such rows, and the rows that are left to be explained."""
    zeros = [row for row in rows if not row.agrees and row.finite and not largest(row.hand) and row.hand.size]
    integers = [row for row in rows if not row.agrees and _is_cut_off(row)]
    broken = [row for row in rows if not np.all(np.isfinite(row.hand)) and np.all(np.isfinite(row.engine))]
    said: list[Explanation] = []
    if zeros:
        text = "all zeros: nothing is derived yet, or nothing is written into the array"
        said.append(Explanation("zeros", *_named(zeros, text)))
    for row in broken:
        count = int(np.sum(~np.isfinite(row.hand)))
        text = f"{count} of {row.hand.size} numbers of yours are NaN or infinite"
        said.append(Explanation("not finite", *_named([row], text)))
    if integers:
        text = "yours are integers: the digits behind the point are cut off, as by writing into an array of integers"
        said.append(Explanation("integers", *_named(integers, text)))
    left = [row for row in rows if not any(row is other for other in (*zeros, *integers, *broken))]
    return said, left


def _is_cut_off(row: Row) -> bool:
    if not row.is_integer or not row.same_shape or row.engine.dtype.kind == "c" or not largest(row.hand):
        return False
    return any(np.array_equal(row.hand, rounded(row.engine)) for rounded in (np.trunc, np.rint, np.floor))


def _named(rows: Sequence[Row], text: str) -> tuple[tuple[str, ...], str]:
    names = tuple(row.name for row in rows)
    return names, f"{', '.join(names)}: {text}"
