"""What the graph saves of arrays that others can write to: copies of small ones, and marks of what large ones held.

A gradient belongs to the program that ran, so it has to read the values that this program read. The results of calls
belong to the graph alone, and leaves say when they change. Left are constants: operands, indices, masks, buffers.

========================  ==============================  ===========================================================
an array of               is saved as                     a change made afterwards
========================  ==============================  ===========================================================
at most `COPIED_BYTES`    a copy                          does no harm
at most `SUMMED_BYTES`    itself, with the sum of all     is refused by the backward pass
                          words and `SAMPLES` of them
more                      itself, with the samples        is refused if it touches one of the samples
========================  ==============================  ===========================================================

A copy of 64 KB takes 3 us and one of 400 KB 14 us, where the marks of 400 KB take 14 us when they are made, and again
when they are compared. From 1 MB on marks take less time than a copy, and all the time less memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from .context import CONTEXT
from .tree import mapped

COPIED_BYTES = 2**19
SUMMED_BYTES = 2**22
SAMPLES = 1024

Array = np.ndarray[Any, Any]


class Mark:
    """What an array held.

    Parameters
    ----------
    array : ndarray
        The array, which the mark keeps.
    whole : bool, default False
        Whether a checksum is taken of all elements, however long that takes.

    Examples
    --------
    >>> x = np.zeros(100_000)
    >>> mark = Mark(x)
    >>> x[5] = 1
    >>> mark.is_intact()
    False
    """

    __slots__ = ("_held", "_whole", "array")

    def __init__(self, array: Array, whole: bool = False) -> None:
        self.array, self._whole = array, whole
        self._held = self._read()

    def is_intact(self) -> bool:
        """Whether the array still holds the same."""
        return self._read() == self._held

    def _read(self) -> tuple[Any, ...]:
        if self.array.nbytes <= COPIED_BYTES:
            return (self.array.tobytes(),)
        if self._whole:
            return (zlib.crc32(self.array.tobytes()),)
        sample = _sample(self.array).tobytes()
        return (sample, _sum_of_words(self.array)) if self.array.nbytes <= SUMMED_BYTES else (sample,)


class Saved(tuple[Any, ...]):
    """The values that a node has saved, with marks of those that others can write to."""

    marks: Sequence[Mark]

    @classmethod
    def with_marks(cls, values: Sequence[Any], marks: Sequence[Mark]) -> Saved:
        """The values with these marks."""
        saved = cls(values)
        saved.marks = marks
        return saved

    def changed(self) -> Array | None:
        """An array that no longer holds what it did; None if all do."""
        return next((mark.array for mark in self.marks if not mark.is_intact()), None)


def kept(value: Any, marks: list[Mark], elementwise: bool = False) -> Any:
    """A value as a graph can keep it, whatever becomes of the caller's: lists, tuples and dicts too.

    Parameters
    ----------
    value : object
        What is neither an array nor a container of arrays is kept as it is.
    marks : list of Mark
        Marks of large arrays are added to it, and of small ones of which a copy would lie in memory in another way:
        their products, by BLAS, could have other last digits.
    elementwise : bool, default False
        Whether it does not matter how a copy lies in memory.
    """
    if type(value) is np.ndarray:
        flags = value.flags
        if value.nbytes <= COPIED_BYTES and (elementwise or flags.forc or value.dtype.kind in "biu"):
            return value.copy("K")
    elif not isinstance(value, np.ndarray):
        return mapped(lambda member: kept(member, marks), value) if type(value) in _CONTAINERS else value
    if value.dtype.kind not in "OSUV":
        marks.append(Mark(value))
    return value


def protected(
    values: tuple[Any, ...], constants: Sequence[tuple[int, frozenset[int] | None]], elementwise: bool
) -> tuple[Any, ...]:
    """The values that a call saves, as `kept` gives those that are constants.

    Parameters
    ----------
    values : tuple
    constants : sequence of tuple
        The places of constants, and of sequences with constants among their members: the place, and the members that
        belong to the graph; None for a constant.
    elementwise : bool
        Whether the rule is: see `kept`.
    """
    if CONTEXT.get().tracer is not None:  # plans read constants where they lie
        return values
    found: list[Any] = [*values]
    marks: list[Mark] = []
    for place, members in constants:
        value = found[place]
        if type(value) in FIXED:
            continue
        if members is None:
            found[place] = kept(value, marks, elementwise)
        else:
            found[place] = [m if i in members else kept(m, marks) for i, m in enumerate(value)]
    return Saved.with_marks(found, marks) if marks else tuple(found)


_CONTAINERS = frozenset({list, tuple, dict})

FIXED = frozenset(
    {float, int, bool, complex, str, type(None), type(Ellipsis), np.float64, np.float32, np.int64, np.bool_}
)
"""Types of constants that nobody can change."""


def _sample(array: Array) -> Array:
    if array.flags.forc:
        flat = array.ravel("K")
        return flat[:: flat.size // SAMPLES | 1]
    most = max(2, round(SAMPLES ** (1 / array.ndim)))
    steps: list[slice] = [slice(None, None, n // most | 1) for n in array.shape]
    return array[tuple(steps)]


def _sum_of_words(array: Array) -> Any:
    """The sum of an array's bit patterns, which takes as long as to read it; a checksum where there is no such word."""
    size = array.dtype.itemsize
    if size in (1, 2, 4) and array.flags.forc:  # as words of 8 bytes, which takes a fraction of the time
        flat = array.ravel("K")
        end = flat.size - flat.size % (8 // size)
        return int(np.add.reduce(flat[:end].view(np.uint64))), flat[end:].tobytes()
    if array.dtype.kind == "c":
        return _sum_of_words(array.real), _sum_of_words(array.imag)
    word = _WORDS.get(size)
    if word is None or array.dtype.hasobject:
        return zlib.crc32(array.tobytes())
    return int(np.add.reduce(array.view(word), axis=None, dtype=word))


_WORDS: dict[int, np.dtype[Any]] = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}
