"""Functions with several outputs: the call is one node, and each output another, which picks it out of the call's.

The cotangent of the call is then an `OutputCotangents`: what has come in for each output so far. A rule takes them as
a tuple, with zeros for an output that nobody used, and reads the outputs as the tuple ``out``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .graph import Node, new_node
from .rule import Recipe, Rule


class Dtypes(tuple[np.dtype[Any], ...]):
    """The dtypes of several outputs."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """That of a complex output, if there is one."""
        return "c" if any(dtype.kind == "c" for dtype in self) else "f"


class Layout(NamedTuple):
    """The shapes and dtypes of several outputs."""

    shapes: tuple[tuple[int, ...], ...]
    dtypes: Dtypes


class OutputCotangents:
    """The cotangents of some of a call's outputs, which add up like that of a single one.

    Attributes
    ----------
    shape, dtype : tuple
        Of all the outputs, as their node has them.
    given : dict
        From the number of an output to its cotangent.
    """

    __slots__ = ("dtype", "given", "shape")

    def __init__(self, layout: Layout, given: dict[int, Any]) -> None:
        self.shape, self.dtype = layout
        self.given = given

    def __add__(self, other: OutputCotangents) -> OutputCotangents:
        both = self.given.keys() & other.given.keys()
        sums = {number: self.given[number] + other.given[number] for number in both}
        return OutputCotangents(Layout(self.shape, self.dtype), {**self.given, **other.given, **sums})

    def filled(self) -> tuple[Any, ...]:
        """A cotangent for every output."""
        return tuple(
            self.given[number] if number in self.given else np.zeros(shape, dtype)
            for number, (shape, dtype) in enumerate(zip(self.shape, self.dtype, strict=True))
        )


def filled(g: Any) -> Any:
    """A cotangent as a rule takes it: of several outputs as a tuple."""
    return g.filled() if isinstance(g, OutputCotangents) else g


@cache
def _picking(number: int) -> Recipe:
    """The recipe of the function that picks out one of several outputs."""

    def output(outputs: tuple[Any, ...], layout: Layout) -> Any:
        return outputs[number]

    output.__name__ = f"result {number}"
    return Rule(output, {"outputs": lambda g, layout: OutputCotangents(layout, {number: g})}).first


def node_of_call(recipe: Recipe, parents: tuple[Node, ...], saved: tuple[Any, ...], outputs: tuple[Any, ...]) -> Node:
    """The node of a call with several outputs."""
    if recipe.of_outputs is None:
        recipe.of_outputs, pull = copy(recipe), recipe.pull
        recipe.of_outputs.pull = lambda g, saved: pull(filled(g), saved)
    shapes, dtypes = tuple(out.shape for out in outputs), Dtypes(out.dtype for out in outputs)
    return new_node(recipe.of_outputs, parents, saved, shapes, dtypes)  # type: ignore[arg-type]


def node_of_output(call: Node, number: int) -> Node:
    """The node of one of its outputs."""
    layout = Layout(call.shape, call.dtype)  # type: ignore[arg-type]
    return new_node(_picking(number), (call,), (layout,), layout.shapes[number], layout.dtypes[number])


def in_container_of(outputs: tuple[Any, ...], members: Iterable[Any]) -> tuple[Any, ...]:
    """The members in the tuple, or named tuple, that the outputs came in."""
    make: Callable[[Iterable[Any]], tuple[Any, ...]] = getattr(outputs, "_make", tuple)
    return make(members)
