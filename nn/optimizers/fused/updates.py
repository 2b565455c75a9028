"""An optimizer's step, within compiled functions and outside of them: by machine code where there is some."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any

from .blocks import PIECE_BYTES, Array, Piece
from .moves import Moves, Moving, paces_of
from .pace import Pace

if TYPE_CHECKING:
    from autograd_lite.compiler.native.direct_update import Updating

    from ..base import Optimizer


class CompiledUpdate:
    """A step as a compiled function calls it: with arrays alone, or piece by piece in machine code."""

    def __init__(self, optimizer: Optimizer, has_gradient: Sequence[bool]) -> None:
        self._optimizer, self._has_gradient = optimizer, has_gradient
        self._blocks: Moving = []
        self._moving: Moving = []
        self._paces: list[Pace] = []
        self._kernels: list[str | None] = []
        self.__name__ = f"{type(optimizer).__name__}.step"

    def __call__(self, weights: tuple[Array, ...], gradients: tuple[Array, ...]) -> None:
        """Take the step by NumPy."""
        self._arrange()
        _by_numpy(self._optimizer, Moves(self._moving, weights), gradients)

    def pieces(self, weights: Sequence[Array], gradients: Sequence[Array]) -> list[Piece] | None:
        """See `autograd_lite.compiler.FusedUpdate`."""
        if not self._optimizer._fuses() or not all(map(_is_plain, (*weights, *gradients))):
            return None
        self._arrange()
        self._kernels = _kernels(self._optimizer, self._paces)
        return _pieces(self._optimizer, self._moving, weights, gradients)

    def bound(self, weights: Sequence[Array], gradients: Sequence[Array]) -> Callable[[], bool]:
        """See `autograd_lite.compiler.FusedUpdate`."""
        self._arrange()
        update, moves = self._optimizer.update, Moves(self._moving, weights)
        gatherings, pieces = moves.along(gradients)

        def step() -> bool:
            if not self._is_arranged():
                return False
            for gather in gatherings:
                gather()
            moves.take(update, pieces)
            return True

        return step

    def advance(self) -> bool:
        """See `autograd_lite.compiler.FusedUpdate`."""
        return self._is_arranged() and _advance(self._optimizer, self._paces, self._kernels)

    def _arrange(self) -> None:
        self._optimizer._arrange_for_weights(self._has_gradient)
        self._blocks = self._optimizer._blocks
        self._moving = _moving(self._blocks)
        self._paces = paces_of(self._moving)

    def _is_arranged(self) -> bool:
        """Whether the blocks are those that the step was made for, and not others with a state that was loaded."""
        return self._blocks is self._optimizer._blocks and self._optimizer._has_its_buffers()


class DirectUpdate:
    """A step outside of compiled functions; the machine code is used if it has been compiled on this machine.

    Parameters
    ----------
    optimizer : Optimizer
        Its blocks are arranged for the step.
    has_gradient : sequence of bool
        For each parameter.
    weights, gradients : sequence of array
        Those of the parameters that have a gradient.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        has_gradient: Sequence[bool],
        weights: Sequence[Array],
        gradients: Sequence[Array],
    ) -> None:
        self._optimizer = optimizer
        self._blocks, self._has_gradient, self._weights = optimizer._blocks, has_gradient, weights
        self._moving = _moving(self._blocks)
        self._paces = paces_of(self._moving)
        self._kernels = _kernels(optimizer, self._paces)
        self._run = self._made(gradients)
        self._moves = None if self._run else Moves(self._moving, weights)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy of the optimizer makes one of its own, for its own arrays.
        return type(None), ()

    def is_for(self, has_gradient: Sequence[bool], weights: Sequence[Array]) -> bool:
        """Whether it moves these arrays, with the state that the optimizer has now."""
        return (
            self._blocks is self._optimizer._blocks
            and has_gradient == self._has_gradient
            and all(map(is_, weights, self._weights))
        )

    def by_machine_code(
        self, has_gradient: Sequence[bool], weights: Sequence[Array], gradients: Sequence[Array]
    ) -> bool:
        """Move the weights along these gradients; False, with nothing done, if there is no machine code for it."""
        if (
            self._run is None
            or not self.is_for(has_gradient, weights)
            or not all(map(_is_plain, gradients))
            or not _advance(self._optimizer, self._paces, self._kernels)
        ):
            return False
        self._run(gradients)
        return True

    def by_numpy(self, gradients: Sequence[Array]) -> None:
        """Move the weights along these gradients."""
        if self._moves is None:
            self._moves = Moves(self._moving, self._weights)
        _by_numpy(self._optimizer, self._moves, gradients)

    def _made(self, gradients: Sequence[Array]) -> Updating | None:
        arrays = (*self._weights, *gradients)
        # For less the calls cost about as much as the arithmetic, and machine code would have to be loaded.
        if sum(array.nbytes for array in self._weights) < PIECE_BYTES or not all(map(_is_plain, arrays)):
            return None
        if not self._optimizer._fuses():
            return None
        from autograd_lite.compiler.native.direct_update import Updating

        pieces = _pieces(self._optimizer, self._moving, self._weights, gradients)
        try:
            return None if pieces is None else Updating(pieces, [i for _, places in self._moving for i in places])
        except LookupError:
            return None


def _by_numpy(optimizer: Optimizer, moves: Moves, gradients: Sequence[Array]) -> None:
    gatherings, pieces = moves.along(gradients)
    for gather in gatherings:
        gather()
    moves.take(optimizer.update, pieces)


def _moving(blocks: Moving) -> Moving:
    return [(block, places) for block, places in blocks if places]


_is_plain = attrgetter("flags.carray")
"""Whether an array lies in one piece, aligned and writeable, as machine code takes it."""


def _pieces(
    optimizer: Optimizer, moving: Moving, weights: Sequence[Array], gradients: Sequence[Array]
) -> list[Piece] | None:
    found: list[Piece] = []
    for block, places in moving:
        pieces = block.for_machine_code([weights[i] for i in places], [gradients[i] for i in places], optimizer.fused)
        if pieces is None:
            return None
        found += pieces
    return found


def _kernels(optimizer: Optimizer, paces: Sequence[Pace]) -> list[str | None]:
    return [pace.kernel(optimizer.fused) for pace in paces]


def _advance(optimizer: Optimizer, paces: Sequence[Pace], kernels: Sequence[str | None]) -> bool:
    """Put the numbers of the next step in place; False if its update is by other kernels."""
    begun = []
    for pace, kernel in zip(paces, kernels, strict=True):
        form = optimizer.fused(pace.taken + 1, pace.options)
        if form is None or form[0] != kernel:
            return False
        begun.append((pace, form[1]))
    for pace, numbers in begun:
        pace.advance(numbers)
    return True
