"""Parameter blocks: the arrays of parameters that step together, laid out so that the arithmetic is fast.

Large arrays are updated in pieces that stay in the processor's cache from the first operation of an update to the last;
the gradients of small ones are gathered into one flat array, since for them the calls cost more than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any

import numpy as np

from autograd_lite import Tensor
from autograd_lite.speed import aligned
from autograd_lite.speed.aligned import CACHE_LINE_BYTES, moved_to_cache_line

from .pace import Fused, Pace

Array = np.ndarray[Any, Any]

State = tuple[int, dict[str, Array]]
"""The steps that a parameter has taken, and its buffers by name."""

Piece = tuple[str, list[Array], Array]
"""An update for machine code: its name, its flat arrays (weights, gradient, state), and the array of its numbers."""

PIECE_BYTES = 2**17
"""The length of a piece. An update goes over four to six arrays, and so many pieces fit the L2 cache."""

SMALL_BYTES = PIECE_BYTES // 12
"""Up to this length, to gather an array costs less than the calls of an update of its own: without state, where these
are few. Each state array adds as much."""

_SMALLEST_NORMAL = {np.dtype(kind): float(np.finfo(kind).smallest_normal) for kind in (np.float32, np.float64)}
"""Of the types that a processor computes with; in float16 subnormal numbers are as common as others."""


class Scratch:
    """Two arrays for intermediate results, shared by all blocks of a dtype so that they stay in the cache."""

    def __init__(self) -> None:
        self._arrays: dict[np.dtype[Any], tuple[Array, Array]] = {}

    def arrays(self, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        """Both, as long as any piece can be."""
        if dtype not in self._arrays:
            size = 3 * PIECE_BYTES // 2 // dtype.itemsize
            self._arrays[dtype] = aligned.empty((size,), dtype), aligned.empty((size,), dtype)
        return self._arrays[dtype]


class Block:
    """Parameters of one dtype that step together, as one flat array that is cut into pieces.

    Parameters
    ----------
    params : sequence of Tensor
    pace : Pace
        The steps that they take.
    buffers : sequence of str
        The names of the state arrays.
    states : mapping
        The states of those parameters that have taken steps before.
    scratch : Scratch

    Attributes
    ----------
    spans : list of slice
        The places of the parameters in the flat array.
    pieces : list of (slice, list of array, array, array)
        The places of each piece, its state, and two arrays for intermediate results.
    """

    def __init__(
        self,
        params: Sequence[Tensor],
        pace: Pace,
        buffers: Sequence[str],
        states: Mapping[Tensor, State],
        scratch: Scratch,
    ) -> None:
        self.params = params
        self.pace = pace
        self._scratch = scratch
        self._buffers = {name: _end_to_end(name, params, states) for name in buffers}
        ends = np.cumsum([parameter.size for parameter in params]).tolist()
        self.spans = [slice(end - parameter.size, end) for parameter, end in zip(params, ends, strict=True)]
        self._gathered: Array | None = None

        penalized, moves = scratch.arrays(params[0].dtype)
        self.pieces: list[tuple[slice, list[Array], Array, Array]] = []
        for piece in _cut(params, ends[-1]):
            n = piece.stop - piece.start
            state = [buffer[piece] for buffer in self._buffers.values()]
            self.pieces.append((piece, state, penalized[:n], moves[:n]))
        pace.blocks.append(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is made anew, since the views of copied arrays would be arrays of their own.
        return Block, (self.params, self.pace, tuple(self._buffers), dict(self.states()), self._scratch)

    def states(self) -> Iterator[tuple[Tensor, State]]:
        """Each parameter with its state, the buffers as views in its shape."""
        for parameter, span in zip(self.params, self.spans, strict=True):
            views = {name: buffer[span].reshape(parameter.shape) for name, buffer in self._buffers.items()}
            yield parameter, (self.pace.taken, views)

    def for_machine_code(self, arrays: Sequence[Array], gradients: Sequence[Array], fused: Fused) -> list[Piece] | None:
        """The update of each parameter for machine code; None if the method has none."""
        kernel = self.pace.kernel(fused)
        if kernel is None:
            return None
        states = [[state[span] for state in self._buffers.values()] for span in self.spans]
        return [
            (kernel, [w.reshape(-1), g.reshape(-1), *state], self.pace.numbers)
            for w, g, state in zip(arrays, gradients, states, strict=True)
        ]

    def flush(self) -> None:
        """Set state to zero that is below the normal numbers.

        Where gradients stay zero, as those of a rectified unit that never fires, running means decay to subnormal
        numbers and stay there; in many processors arithmetic with these takes a hundred times as long.
        """
        smallest = _SMALLEST_NORMAL.get(self.params[0].dtype)
        if smallest is None:
            return
        for _, state, spare, temporary in self.pieces:
            for array in state:
                mask = spare.view(np.bool_)[: array.size]
                np.less(np.absolute(array, out=temporary), smallest, out=mask)
                np.copyto(array, 0, where=mask)

    def gathering(self, gradients: Sequence[Array]) -> tuple[Callable[[], object] | None, Array]:
        """The parameters' gradients as one flat array, and what has to be called in each step to fill it, if any."""
        together = _as_they_lie(gradients)
        if together is not None:
            return None, together
        if self._gathered is None:
            self._gathered = aligned.empty((self.spans[-1].stop,), self.params[0].dtype)
        g = self._gathered
        return partial(np.concatenate, gradients, None, g), g


def _cut(params: Sequence[Tensor], size: int) -> Iterator[slice]:
    """The pieces of parameters that have so many elements together; of several there is one piece.

    All but the first begin where a cache line of the weights does: these lie in lines that other threads have read, and
    there a store that straddles two lines takes three times as long. Of little memory that is not worth a short piece.
    """
    itemsize = params[0].dtype.itemsize
    line = CACHE_LINE_BYTES // itemsize
    # The nearest whole number of pieces, so that none is left over that would be much shorter than the others.
    count = max(1, round(size * itemsize / PIECE_BYTES))
    length = max(1, math.ceil(size / count / line)) * line
    is_long = len(params) == 1 and size * itemsize > PIECE_BYTES // 2
    first = -params[0].data.ctypes.data % CACHE_LINE_BYTES // itemsize if is_long else size
    start = 0
    for stop in (first, *range(first + length, size, length), size):
        if start < stop:
            yield slice(start, stop)
        start = stop


def _as_they_lie(arrays: Sequence[Array]) -> Array | None:
    """Arrays that lie end to end in the memory of another one, as one flat array; None if they do not."""
    if len(arrays) == 1:
        return arrays[0].reshape(-1) if arrays[0].flags.c_contiguous else None
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


def packed(params: Sequence[Tensor], buffers: Sequence[str], sharing: Set[Tensor]) -> Iterator[list[Tensor]]:
    """The parameters as members of blocks: large ones each alone, small ones together up to the length of a piece.

    What is small depends on how many state arrays there are, since these tell how many calls an update takes; and all
    are, if together they are no longer than a piece.

    Those that share memory are alone, too: of members that are gathered and put back, only the last would have moved.
    """
    is_little = sum(parameter.data.nbytes for parameter in params) <= PIECE_BYTES
    small = PIECE_BYTES if is_little else SMALL_BYTES * (1 + len(buffers))
    pack: list[Tensor] = []
    length = 0
    for parameter in params:
        size = parameter.data.nbytes
        if size > small or parameter in sharing:
            yield [parameter]
            continue
        if length + size > PIECE_BYTES:
            yield pack
            pack, length = [], 0
        pack.append(parameter)
        length += size
    if pack:
        yield pack


def overlapping(params: Iterable[Tensor]) -> set[Tensor]:
    """The parameters whose memory begins within another one's."""
    params, found, end = list(params), set(), 0
    spans = ((*np.lib.array_utils.byte_bounds(parameter.data), i) for i, parameter in enumerate(params))
    for start, stop, i in sorted(spans):
        if start < end:
            found.add(params[i])
        end = max(end, stop)
    return found


def _end_to_end(name: str, params: Sequence[Tensor], states: Mapping[Tensor, State]) -> Array:
    """A buffer of several parameters as one flat array, with zeros for those that have none yet."""
    parts = [states[p][1].get(name) if p in states else None for p in params]
    filled = [_zeros(p.size, p.dtype) if part is None else part for p, part in zip(params, parts, strict=True)]
    return moved_to_cache_line(filled[0].reshape(-1) if len(filled) == 1 else np.concatenate(filled, axis=None))


def _zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros that are written: `numpy.zeros` maps small pages, each with a fault of its own, and these may be large."""
    array = aligned.empty((size,), dtype)
    array.fill(0)
    return array
