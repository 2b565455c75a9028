"""A program over arrays of several lengths, laid out so that the arithmetic is fast.

Large arrays are processed in pieces that stay in the processor's cache from the first operation of the program to the
last; small ones are gathered into one flat array, since for them the calls cost more than the arithmetic.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...core.commit import Change
from ...speed import aligned
from ...speed.aligned import CACHE_LINE_BYTES
from .llvm import KernelCall, kernel_of
from .numpy_passes import passes
from .recurrence import Recurrence
from .trace import Program

Array = np.ndarray[Any, Any]

GIVEN, MOVED = 0, 1
"""The first inputs of a recurrence's program; all others are kept."""

Work = tuple[Callable[[], object] | None, Callable[..., list[Change]], Sequence[tuple[Sequence[Array], Sequence[Any]]]]
"""A function to call first, or None; what gives the calls of a program; and for each piece the arguments of that
function that follow the coefficients."""

PIECE_BYTES = 2**17
"""The length of a piece. A program uses about four to six arrays, and so many pieces fit into the L2 cache."""

SMALL_BYTES = PIECE_BYTES // 12
"""Up to this length it costs less to gather an array than to call the program for it separately, if the program has no
kept arrays. Each kept array makes the program longer, and adds this number once more."""


class Batch:
    """Arrays of one dtype that a program processes in the same call.

    What is given is given anew each time, moved arrays are moved where they lie, and what is kept is kept in memory of
    the batch.

    Parameters
    ----------
    recurrence : Recurrence
    moved : mapping
        From its place among all arrays that are moved, of which a batch may go over some, to each contiguous array.
    kept : mapping
        From the same places to arrays by their names: what is kept at first. Those that are missing are zero.

    Attributes
    ----------
    memory : list of array
        All that is kept, flat.
    views : dict
        From a place to what is kept of that array, by names and in its shape.
    """

    def __init__(
        self, recurrence: Recurrence, moved: Mapping[int, Array], kept: Mapping[int, Mapping[str, Array]]
    ) -> None:
        self._program, names = recurrence.program, recurrence.names
        (self._dtype,) = {array.dtype for array in moved.values()}
        self._blocks = [
            _Block(
                self._program, {i: moved[i] for i in places}, [[kept[i].get(name) for name in names] for i in places]
            )
            for places in _packed({i: array.nbytes for i, array in moved.items()}, len(names))
        ]
        self.memory = [array for block in self._blocks for array in block.kept]
        views = {
            i: {name: array[span].reshape(moved[i].shape) for name, array in zip(names, block.kept, strict=True)}
            for block in self._blocks
            for i, span in zip(block.places, block.spans, strict=True)
        }
        self.views = {i: views[i] for i in moved}
        self._coefficients: tuple[float, ...] = ()
        self._numbers = np.zeros(1 + self._program.coefficients)
        self._packer = struct.Struct(f"{self._program.coefficients}d")

    def take(self, coefficients: tuple[float, ...]) -> None:
        """Take these coefficients from now on."""
        self._coefficients = coefficients
        self._packer.pack_into(self._numbers.data, 0, *coefficients)

    def by_numpy(self, moved: Sequence[Array]) -> Callable[[Sequence[Array]], list[Change]]:
        """What gives NumPy's calls for its places of these arrays, along the given ones that it is called with."""
        scratch = _Scratch(self._dtype)
        bound = [block.bound(moved, scratch) for block in self._blocks]
        return lambda given: self._calls([one(given, False) for one in bound])

    def by_numpy_along(self, moved: Sequence[Array], given: Sequence[Array]) -> Callable[[], list[Change]]:
        """What gives NumPy's calls for these moved arrays, with given arrays that stay the same."""
        scratch = _Scratch(self._dtype)
        return partial(self._calls, [block.bound(moved, scratch)(given, True) for block in self._blocks])

    def _calls(self, work: Sequence[Work]) -> list[Change]:
        coefficients = self._coefficients
        found: list[Change] = []
        for gather, calls, passes_of in work:
            if gather is not None:
                gather()
            for arrays, parts in passes_of:
                found += calls(coefficients, arrays, parts)
        return found

    def kernel_calls(self, moved: Sequence[Array], given: Sequence[Array]) -> list[KernelCall] | None:
        """The program by machine code, a call for each place; None if there is none."""
        kernel = kernel_of(self._program, self._dtype)
        if kernel is None:
            return None
        together = ((given[i], moved[i], *kept.values()) for i, kept in self.views.items())
        return [KernelCall(kernel, [one.reshape(-1) for one in arrays], self._numbers) for arrays in together]


class _Block:
    """Moved arrays as one flat array, which is cut into pieces."""

    def __init__(self, program: Program, moved: Mapping[int, Array], kept: Sequence[Sequence[Array | None]]) -> None:
        self.places, arrays = list(moved), list(moved.values())
        self._dtype = arrays[0].dtype
        ends = np.cumsum([array.size for array in arrays]).tolist()
        self.spans = [slice(end - array.size, end) for array, end in zip(arrays, ends, strict=True)]
        self._size = ends[-1]
        self.kept = []
        for parts in zip(*kept, strict=True):
            flat = aligned.empty((self._size,), self._dtype)
            for part, span in zip(parts, self.spans, strict=True):
                # `numpy.zeros` would map small pages lazily, and each would cost a page fault in the first step.
                flat[span] = 0 if part is None else part.reshape(-1)
            self.kept.append(flat)
        self._passes = passes(program, frozenset({MOVED} if len(arrays) > 1 else ()))

    def bound(self, moved: Sequence[Array], scratch: _Scratch) -> Callable[[Sequence[Array], bool], Work]:
        """A function that makes the work on these moved arrays, from given arrays and whether these stay the same."""
        mine = [moved[i] for i in self.places]
        spare = scratch.arrays(self._passes.scratch)
        if len(mine) > 1:
            gathered = aligned.empty((self._size,), self._dtype)
            arrays = [gathered, gathered, *self.kept, *(array[: self._size] for array in spare)]
            return partial(self._several_along, mine, arrays, self._parts(mine, arrays))
        flat = mine[0].reshape(-1)
        pieces = []
        for piece in _cut(flat):
            kept = (array[piece] for array in self.kept)
            pieces.append((piece, [flat[piece], *kept, *(array[: piece.stop - piece.start] for array in spare)]))
        return partial(self._one_along, pieces)

    def _one_along(self, pieces: Sequence[tuple[slice, Sequence[Array]]], given: Sequence[Array], stay: bool) -> Work:
        g = given[self.places[0]].reshape(-1)
        return None, self._passes.calls, [((g[piece], *arrays), ()) for piece, arrays in pieces]

    def _several_along(
        self, moved: Sequence[Array], arrays: list[Array], parts: Sequence[Any], given: Sequence[Array], stay: bool
    ) -> Work:
        mine = [given[i] for i in self.places]
        together = _as_they_lie(mine) if stay else None
        if together is None:
            return partial(np.concatenate, mine, None, arrays[GIVEN]), self._passes.calls, [(arrays, parts)]
        arrays = [together, *arrays[MOVED:]]
        return None, self._passes.calls, [(arrays, self._parts(moved, arrays))]

    def _parts(self, moved: Sequence[Array], arrays: Sequence[Array]) -> list[list[tuple[Array, ...]]]:
        """The arrays of those operations that use moved arrays, which are not gathered."""

        def part(place: int, w: Array, span: slice) -> Array:
            return w if place == MOVED else arrays[place][span].reshape(w.shape)

        return [
            [
                tuple(part(place, w, span) for place in (*operands, target))
                for w, span in zip(moved, self.spans, strict=True)
            ]
            for operands, target in self._passes.in_parts
        ]


class _Scratch:
    """Arrays for intermediate results, shared by all blocks so that they stay in the cache."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._arrays: list[Array] = []

    def arrays(self, count: int) -> list[Array]:
        """The first `count` arrays, each as long as the longest possible piece."""
        size = 3 * PIECE_BYTES // 2 // self._dtype.itemsize
        self._arrays += [aligned.empty((size,), self._dtype) for _ in range(count - len(self._arrays))]
        return self._arrays[:count]


def _cut(array: Array) -> Iterator[slice]:
    """The pieces of a flat array that is moved.

    All but the first begin at the start of a cache line: other threads may have read the lines (of weights, in matrix
    products), and then a store across two lines takes three times as long. For short arrays the alignment is not worth
    a short first piece.
    """
    size, line = array.size, CACHE_LINE_BYTES // array.itemsize
    # The nearest whole number of pieces, so that the last piece is not much shorter than the others.
    count = max(1, round(array.nbytes / PIECE_BYTES))
    length = max(1, math.ceil(size / count / line)) * line
    is_long = array.nbytes > PIECE_BYTES // 2
    first = -array.ctypes.data % CACHE_LINE_BYTES // array.itemsize if is_long else size
    start = 0
    for stop in (first, *range(first + length, size, length), size):
        if start < stop:
            yield slice(start, stop)
        start = stop


def _as_they_lie(arrays: Sequence[Array]) -> Array | None:
    """Arrays that lie end to end in the memory of another one, as one flat array; None if they do not."""
    base = arrays[0].base
    if base is None or base.dtype != np.uint8 or not all(array.base is base for array in arrays):
        return None
    start = end = arrays[0].ctypes.data
    for array in arrays:
        if array.ctypes.data != end or not array.flags.c_contiguous:
            return None
        end += array.nbytes
    offset = start - base.ctypes.data
    return base[offset : offset + end - start].view(arrays[0].dtype)


def _packed(lengths: Mapping[int, int], kept: int) -> Iterator[list[int]]:
    """The places of arrays of so many bytes, sorted into blocks: large ones alone, small ones together up to a piece.

    The limit for a small array depends on the number of kept arrays, which says how many calls an update takes; and
    all arrays count as small if together they are no longer than a piece.
    """
    small = PIECE_BYTES if sum(lengths.values()) <= PIECE_BYTES else SMALL_BYTES * (1 + kept)
    pack: list[int] = []
    total = 0
    for i, length in lengths.items():
        if length > small:
            yield [i]
            continue
        if total + length > PIECE_BYTES:
            yield pack
            pack, total = [], 0
        pack.append(i)
        total += length
    if pack:
        yield pack
