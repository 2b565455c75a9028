"""`Moves`: a step of some parameters by NumPy, for weights that stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .blocks import Array, Block
from .pace import Pace

Moving = list[tuple[Block, list[int]]]
"""Blocks, each with the places of its parameters among those that have a gradient."""

Part = tuple[Array, Array, Array]
"""Weights, and where their L2 penalty and what is subtracted from them are computed, in the same shape."""


class Moves:
    """A step by NumPy, which can be taken again and again as long as the arrays stay the parameters'.

    Parameters
    ----------
    moving : list of (Block, list of int)
    weights : sequence of array
        Of all parameters that have a gradient.
    """

    def __init__(self, moving: Moving, weights: Sequence[Array]) -> None:
        self._moving = moving
        self._paces = paces_of(moving)
        self._copies: list[tuple[Array, Array]] = []
        self._pieces: list[tuple[Pace, list[Part], Sequence[Array], Array, Array]] = []
        for block, places in moving:
            arrays = [weights[i] for i in places]
            array = arrays[0]
            flat = array.reshape(-1)
            if len(arrays) == 1 and not array.flags.c_contiguous:
                self._copies.append((flat.reshape(array.shape), array))
            for piece, state, penalized, moves in block.pieces:
                parts = [(flat[piece], penalized, moves)]
                if len(arrays) > 1:
                    parts = [
                        (w, penalized[span].reshape(w.shape), moves[span].reshape(w.shape))
                        for w, span in zip(arrays, block.spans, strict=True)
                    ]
                self._pieces.append((block.pace, parts, state, penalized, moves))

    def along(self, gradients: Sequence[Array]) -> tuple[list[Callable[[], object]], list[Array]]:
        """What has to be called to gather these gradients, and then their pieces."""
        gatherings, pieces = [], []
        for block, places in self._moving:
            gather, g = block.gathering([gradients[i] for i in places])
            if gather is not None:
                gatherings.append(gather)
            pieces += [g[piece] for piece, *_ in block.pieces]
        return gatherings, pieces

    def take(self, update: Callable[..., Array], gradients: Sequence[Array]) -> None:
        """Move the weights by a method's update along the pieces of their gradients."""
        for pace in self._paces:
            pace.begin()
        for copy, array in self._copies:
            copy[...] = array
        for (pace, parts, state, penalized, moves), gradient in zip(self._pieces, gradients, strict=True):
            options = pace.options
            weight_decay = options.get("weight_decay", 0)
            if weight_decay and pace.decoupled:
                for w, _, _ in parts:
                    np.multiply(w, 1 - options["lr"] * weight_decay, w)
            elif weight_decay:
                for w, penalty, _ in parts:
                    np.multiply(w, weight_decay, penalty)
                penalized += gradient
                gradient = penalized
            found = update(gradient, state, moves, pace.taken, options)
            if found is not moves:
                _leave(found, moves)
            for w, _, move in parts:
                np.subtract(w, move, w)
        for copy, array in self._copies:
            array[...] = copy


def paces_of(moving: Moving) -> list[Pace]:
    """The paces of some blocks, each once."""
    return list(dict.fromkeys(block.pace for block, _ in moving))


def _leave(found: Any, moves: Array) -> None:
    """Put what an update gave where it is read."""
    if not isinstance(found, np.ndarray) or found.shape != moves.shape:
        given = f"shape {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        raise TypeError(f"update must return what is subtracted from the weights, of shape {moves.shape}; got {given}")
    moves[...] = found
