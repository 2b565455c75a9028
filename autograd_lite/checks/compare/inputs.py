"""What is no derivation yet, such as zeros, NaN and integers that were cut off; and what is written transposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .evidence import Row, largest
from .rows import Array, Explanation


def of_inputs(rows: Sequence[Row]) -> tuple[list[Explanation], list[Row]]:
    """What is said of such rows, and the rows that are left to be explained, in the engine's shapes.

    Of a row of which some entries are zero or not finite the others are left.
    """
    said: list[Explanation] = []
    left: list[Row] = []
    zeros = [row for row in rows if not row.agrees and row.finite and not largest(row.hand) and row.hand.size]
    integers = [row for row in rows if not row.agrees and _is_cut_off(row)]
    if zeros:
        text = "all zeros: nothing is derived yet, or nothing is written into the array"
        said.append(Explanation("zeros", *_named(zeros, text)))
    for row in rows:
        if any(row is other for other in (*zeros, *integers)):
            continue
        if not np.all(np.isfinite(row.hand)) and np.all(np.isfinite(row.engine)):
            count = int(np.sum(~np.isfinite(row.hand)))
            rest = _without(row, ~np.isfinite(row.hand)) if row.same_shape and count < row.hand.size else None
            text = f"{count} of {row.hand.size} numbers of yours are NaN or infinite"
            if rest is not None and rest.agrees:
                text += "; the others agree"
            said.append(Explanation("not finite", *_named([row], text)))
            left += [] if rest is None else [rest]
        elif not row.agrees and row.same_shape and (rest := _unless_zero(row)) is not None and rest.agrees:
            count = int(np.sum((row.hand == 0) & (row.engine != 0)))
            text = f"{count} of {row.hand.size} numbers of yours are 0, from one index on, and the others agree"
            said.append(Explanation("zeros", *_named([row], text)))
        else:
            left.append(row)
    if integers:
        text = "yours are integers: the digits behind the point are cut off, as by writing into an array of integers"
        said.append(Explanation("integers", *_named(integers, text)))
    return said, left


def _unless_zero(row: Row) -> Row | None:
    """The entries up to the last that is not 0, along one axis, if all after it are: a loop that has ended early."""
    for axis in range(row.hand.ndim):
        others = tuple(i for i in range(row.hand.ndim) if i != axis)
        filled = np.flatnonzero(np.any(row.hand != 0, axis=others))
        needed = np.flatnonzero(np.any(row.engine != 0, axis=others))
        if 0 < len(filled) < len(needed) and filled[-1] < needed[-1] and np.array_equal(filled, needed[: len(filled)]):
            after = np.arange(row.hand.shape[axis]) > filled[-1]
            shape = [1] * row.hand.ndim
            shape[axis] = -1
            return _without(row, np.broadcast_to(after.reshape(shape), row.hand.shape))
    return None


def _without(row: Row, entries: Array) -> Row:
    """A row without some entries, which are zero on both sides."""
    hand, engine = (np.where(entries, 0.0, a) for a in (row.hand, row.engine))
    value = None if row.value is None or row.value.shape != entries.shape else np.where(entries, 0.0, row.value)
    given = ~entries if row.given is None else row.given & ~entries
    left = replace(row, hand=hand, engine=engine, value=value, given=given)
    return replace(left, agrees=left.is_close_to(engine))


def in_the_engines_layout(rows: Sequence[Row]) -> tuple[list[Explanation], list[Row]]:
    """The rows of a derivation whose samples are columns, where the program's are rows or the other way round.

    Then matrices have transposed shapes, and biases an axis of length 1 more.
    """
    matrices = [row for row in rows if row.hand.ndim == row.engine.ndim == 2]
    turned = [row for row in matrices if not row.same_shape and row.hand.shape == row.engine.shape[::-1]]
    oblong = [row for row in matrices if row.hand.shape[0] != row.hand.shape[1] or not row.same_shape]
    if not turned or len(oblong) != len(turned) or _is_all_that_is_wrong(turned, rows):
        return [], list(rows)
    names = [row.name for row in turned]
    found = []
    for row in rows:
        hand = row.hand
        if hand.ndim == row.engine.ndim == 2 and not row.agrees:
            hand = hand.T
        elif hand.shape != row.engine.shape and hand.size == row.engine.size and max(hand.shape) == hand.size:
            hand = hand.reshape(row.engine.shape)
        turned_row = replace(row, hand=hand)
        found.append(replace(turned_row, agrees=row.agrees or _agree(turned_row)))
    text = (
        f"{', '.join(names)}: yours have transposed shapes, as where samples are columns; their transposes are "
        "compared for what follows"
    )
    return [Explanation("shape", tuple(names), text)], found


def _agree(row: Row) -> bool:
    return row.same_shape and row.finite and row.is_close_to(row.engine)


def _is_all_that_is_wrong(turned: Sequence[Row], rows: Sequence[Row]) -> bool:
    """Whether the transposes agree, with the other rows: then a sentence on each says it all."""
    apart = [row for row in rows if not row.agrees and not any(row is other for other in turned)]
    shapes = [row for row in apart if row.hand.size == row.engine.size and not row.same_shape]
    right = all(_agree(replace(row, hand=row.hand.T)) for row in turned)
    return right and len(shapes) == len(apart) and all(
        _agree(replace(row, hand=row.hand.reshape(row.engine.shape))) for row in shapes
    )  # fmt: skip


def _is_cut_off(row: Row) -> bool:
    if not row.is_integer or not row.same_shape or row.engine.dtype.kind == "c" or not largest(row.hand):
        return False
    return any(np.array_equal(row.hand, rounded(row.engine)) for rounded in (np.trunc, np.rint, np.floor))


def _named(rows: Sequence[Row], text: str) -> tuple[tuple[str, ...], str]:
    names = tuple(row.name for row in rows)
    return names, f"{', '.join(names)}: {text}"
