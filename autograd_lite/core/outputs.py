"""Functions with several outputs: the call is one node, and each output another, which picks it out of the call's.

The cotangent of the call is then an `OutputCotangents`: what has come in for each output so far. A rule takes them as
a tuple, with zeros for an output that nobody used, and reads the outputs as the tuple ``out``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np

from .graph import Node
from .rule import Recipe, Rule


class Dtypes(tuple[np.dtype[Any], ...]):
    """The dtypes of several outputs; of a kind as a whole, complex if one is."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """The kind, as a single dtype has it."""
        return "c" if any(dtype.kind == "c" for dtype in self) else "f"


class OutputCotangents:
    """The cotangents of some of a call's outputs, which add up like that of a single one.

    Attributes
    ----------
    shape, dtype : tuple
        Of all the outputs, as their call's node has them.
    given : dict
        From the number of an output to its cotangent.
    """

    __slots__ = ("dtype", "given", "shape")

    def __init__(self, call: Any, given: dict[int, Any]) -> None:
        self.shape, self.dtype, self.given = call.shape, call.dtype, given

    def __add__(self, other: OutputCotangents) -> OutputCotangents:
        both = self.given.keys() & other.given.keys()
        sums = {number: self.given[number] + other.given[number] for number in both}
        return OutputCotangents(self, {**self.given, **other.given, **sums})


def filled(g: Any) -> Any:
    """A cotangent as a rule takes it: of several outputs as a tuple, with zeros where nothing has come in."""
    if not isinstance(g, OutputCotangents):
        return g
    layouts = enumerate(zip(g.shape, g.dtype, strict=True))
    return tuple(g.given[i] if i in g.given else np.zeros(shape, dtype) for i, (shape, dtype) in layouts)


@lru_cache(maxsize=256)
def _picking(number: int) -> Recipe:
    """The recipe of the function that picks out one of several outputs."""

    def output(outputs: tuple[Any, ...], call: Node) -> Any:
        return outputs[number]

    output.__name__ = f"result {number}"
    return Rule(output, {"outputs": lambda g, call: OutputCotangents(call, {number: g})}).first


def node_of_call(recipe: Recipe, parents: tuple[Node, ...], saved: tuple[Any, ...], outputs: tuple[Any, ...]) -> Node:
    """The node of a call with several outputs."""
    if recipe.of_outputs is None:
        recipe.of_outputs, pull = copy(recipe), recipe.pull
        recipe.of_outputs.pull = lambda g, saved: pull(filled(g), saved)
    shapes, dtypes = tuple(out.shape for out in outputs), Dtypes(out.dtype for out in outputs)
    return Node(recipe.of_outputs, parents, saved, shapes, dtypes)  # type: ignore[arg-type]


def node_of_output(call: Node, number: int) -> Node:
    """The node of one of its outputs."""
    shape: Any = call.shape[number]
    dtype: Any = call.dtype[number]
    return Node(_picking(number), (call,), (call,), shape, dtype)


def in_container_of(outputs: tuple[Any, ...], members: Iterable[Any]) -> tuple[Any, ...]:
    """The members in the tuple, or named tuple, that the outputs came in."""
    make: Callable[[Iterable[Any]], tuple[Any, ...]] = getattr(outputs, "_make", tuple)
    return make(members)
