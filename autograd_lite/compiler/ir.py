"""A recorded program: the values of a function and the calls that make them, in their order.

A value is an array. It comes from outside (an `Origin`), or a call makes it; a view shares the memory of its `base`,
and the base of the last view is the value's `root`. A call that writes in place names the roots that it writes to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np

from ..core.tree import found
from ..formatting import name_of
from .array_layout import Array, Layout

if TYPE_CHECKING:
    from ..core.graph import GradientSlot
    from ..core.tensor import Tensor

Kind = TypeVar("Kind")


class Argument(NamedTuple):
    """The origin of an array that the compiled function is called with."""

    position: int


class Captured(NamedTuple):
    """The origin of an array that the function found outside, alone or in a tensor; it is read again in every call."""

    holder: Tensor | Array


class EntryGradient(NamedTuple):
    """The origin of a gradient that was there when the function was called."""

    slot: GradientSlot


class Constant(NamedTuple):
    """The origin of an array that depends on shapes alone."""

    array: Array


Origin = Argument | Captured | EntryGradient | Constant


@dataclass(eq=False, slots=True)
class Value:
    """An array of the program.

    Attributes
    ----------
    layout : Layout
        Shape, dtype and strides.
    origin : Origin or None
        Where the array comes from; None if a call makes it.
    base : Value or None
        The value whose memory this one is a view of.
    offset : int
        For a view: where it begins in the memory of its root, in bytes.
    version : int
        For a root: how often it has been written to in place while the program is recorded.
    """

    layout: Layout
    origin: Origin | None = None
    base: Value | None = None
    offset: int = 0
    version: int = 0

    @property
    def root(self) -> Value:
        """The value whose memory this is."""
        value = self
        while value.base is not None:
            value = value.base
        return value


@dataclass(eq=False, slots=True)
class Call:
    """A call of the program.

    Attributes
    ----------
    function : callable
        The function that is called.
    args, kwargs
        Its arguments, with values in place of the arrays, in lists and tuples too.
    results : tuple of Value
        The values that it makes; empty for a call that writes in place.
    writes : tuple of Value
        The values that it changes in place.
    is_pure : bool
        Whether equal arguments give equal results and there are no side effects.
    line : str
        The line of the user's code, as ``file:number``.
    versions : tuple of int
        For every operand, the version of its root when it was read.
    gives_tuple : bool
        Whether the function returns its results in a tuple or a list.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[Value, ...] = ()
    writes: tuple[Value, ...] = ()
    is_pure: bool = True
    line: str = ""
    versions: tuple[int, ...] = field(default=())
    gives_tuple: bool = False

    @property
    def operands(self) -> list[Value]:
        """The values among the arguments, in their order."""
        values: list[Value] = []
        for argument in (*self.args, *self.kwargs.values()):
            if isinstance(argument, Value):  # most are, and passes ask often
                values.append(argument)
            elif isinstance(argument, tuple | list | dict):
                values += found(Value, argument)
        return values

    @property
    def is_view(self) -> bool:
        """Whether the result of the call is a view of an operand's memory."""
        return bool(self.results) and all(result.base is not None for result in self.results)

    @property
    def name(self) -> str:
        """The function's name."""
        return name_of(self.function)

    @property
    def flops(self) -> int:
        """The number of floating-point operations; a multiplication and addition of a matrix product count as two."""
        if self.is_view or not (self.results or self.writes):
            return 0
        made = (self.results or self.writes)[0].layout
        if self.function is np.matmul:
            return 2 * made.size * self.operands[0].layout.shape[-1]
        if made.dtype.kind not in "fc":
            return 0
        return max([made.size, *(operand.layout.size for operand in self.operands)])


class Assignment:
    """What a call is of that assigns arrays to tensors, ``tensor.data = array``; others may keep the old ones.

    Parameters
    ----------
    tensors : tuple of Tensor
        Each gets the array in its place among the call's arguments.
    """

    __name__ = "assign"

    def __init__(self, tensors: tuple[Tensor, ...]) -> None:
        self.tensors = tensors

    def __call__(self, *arrays: Array) -> None:
        """Assign them."""
        for tensor, array in zip(self.tensors, arrays, strict=True):
            tensor._value = array


@dataclass(frozen=True)
class Output:
    """A result that a compiled function returns, and the form in which it does."""

    value: Value
    kind: Literal["tensor", "array", "number"]
