"""Functions with several results: the call is one node, and each result another, which picks it out of the call's.

The cotangent of the call is then a `Parts`: what has come in for each result so far. A rule takes them as a tuple,
with zeros for a result that nobody used, and reads the results as the tuple ``out``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from .graph import Node, new_node
from .rule import Recipe, Rule


class Dtypes(tuple[np.dtype[Any], ...]):
    """The dtypes of several results."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """That of a complex result, if there is one."""
        return "c" if any(dtype.kind == "c" for dtype in self) else "f"


class Layout(NamedTuple):
    """The shapes and dtypes of several results."""

    shapes: tuple[tuple[int, ...], ...]
    dtypes: Dtypes


class Parts:
    """The cotangents of some of a call's results, which add up like that of a single one.

    Attributes
    ----------
    shape, dtype : tuple
        Of all the results, as their node has them.
    given : dict
        From the number of a result to its cotangent.
    base : object
        As views have one: parts are several arrays, and no pass takes them for one that it may write over.
    """

    __slots__ = ("dtype", "given", "shape")

    base: ClassVar[object] = object()

    def __init__(self, layout: Layout, given: dict[int, Any]) -> None:
        self.shape, self.dtype = layout
        self.given = given

    def __add__(self, other: Parts) -> Parts:
        both = self.given.keys() & other.given.keys()
        sums = {number: self.given[number] + other.given[number] for number in both}
        return Parts(Layout(self.shape, self.dtype), {**self.given, **other.given, **sums})

    def filled(self) -> tuple[Any, ...]:
        """A cotangent for every result."""
        return tuple(
            self.given[number] if number in self.given else np.zeros(shape, dtype)
            for number, (shape, dtype) in enumerate(zip(self.shape, self.dtype, strict=True))
        )


@cache
def _picking(number: int) -> Recipe:
    """The recipe of the function that picks out one of several results."""

    def result(results: tuple[Any, ...], layout: Layout) -> Any:
        return results[number]

    result.__name__ = f"result {number}"
    return Rule(result, {"results": lambda g, layout: Parts(layout, {number: g})}).first


def node_of_call(recipe: Recipe, parents: tuple[Node, ...], saved: tuple[Any, ...], results: tuple[Any, ...]) -> Node:
    """The node of a call with several results."""
    if recipe.of_parts is None:
        recipe.of_parts = _taking_parts(recipe)
    shapes = tuple(out.shape for out in results)
    dtypes = tuple(out.dtype for out in results)
    return new_node(recipe.of_parts, parents, saved, shapes, Dtypes(dtypes))  # type: ignore[arg-type]


def node_of_result(call: Node, number: int) -> Node:
    """The node of one of its results."""
    layout = Layout(call.shape, call.dtype)  # type: ignore[arg-type]
    return new_node(_picking(number), (call,), (layout,), layout.shapes[number], layout.dtypes[number])


def in_container_of(results: tuple[Any, ...], members: Iterable[Any]) -> tuple[Any, ...]:
    """The members in the tuple, or named tuple, that the results came in."""
    make: Callable[[Iterable[Any]], tuple[Any, ...]] = getattr(results, "_make", tuple)
    return make(members)


def _taking_parts(recipe: Recipe) -> Recipe:
    taking, pull = copy(recipe), recipe.pull
    taking.pull = lambda g, saved: pull(g.filled(), saved)
    return taking
