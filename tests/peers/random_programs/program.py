"""A program as text: statements in NumPy's names, the arguments that it takes, and the results that it gives."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy

from . import words

NAME = re.compile(r"\b[av]\d+\b")
"""The names of arguments (a) and of values (v)."""

HEADER = """\
import numpy
import numpy as np

from tests.peers.random_programs.words import argument, call, near
"""


@dataclass(frozen=True, repr=False)
class Argument:
    """An array that a program takes.

    Attributes
    ----------
    name : str
    shape : tuple of int
    dtype : str
    layout : str
        How it lies in the memory: see `words.LAYOUTS`.
    seed : int
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    layout: str
    seed: int

    def array(self, data: int = 0) -> numpy.ndarray:
        """Its numbers; other data, other numbers."""
        return words.argument([self.seed, data] if data else self.seed, self.shape, self.dtype, self.layout)

    def __repr__(self) -> str:
        given = [str(self.seed), str(self.shape)]
        if self.layout != "C" or self.dtype != "float64":
            given += [repr(self.dtype), repr(self.layout)]
        return f"argument({', '.join(given)})"


@dataclass(frozen=True)
class Statement:
    """Lines of a program.

    Attributes
    ----------
    text : str
    targets : tuple of str
        The values that it makes.
    peers : frozenset of str
        Those of "torch" and "jax" that have it.
    is_ragged : bool
        Whether its shape depends on the numbers.
    is_real : bool
        Whether of complex numbers it has no second derivative, or none.
    """

    text: str
    targets: tuple[str, ...]
    peers: frozenset[str] = frozenset(("torch", "jax"))
    is_ragged: bool = False

    @property
    def reads(self) -> set[str]:
        """The names that it reads before it makes them."""
        return set(NAME.findall(self.text)) - set(self.targets)

    def renamed(self, old: str, new: str) -> "Statement":
        """The statement with one name in the place of another."""
        return replace(self, text=re.sub(rf"\b{old}\b", new, self.text))


@dataclass(frozen=True)
class Program:
    """A function of arrays, and the arrays.

    Attributes
    ----------
    arguments : tuple of Argument
    statements : tuple of Statement
    results : tuple of str
    containers : str
        How arguments and results are handed over: "plain", "dict" or "nested".
    """

    arguments: tuple[Argument, ...]
    statements: tuple[Statement, ...]
    results: tuple[str, ...]
    containers: str = "plain"

    @property
    def peers(self) -> frozenset[str]:
        """Those of "torch" and "jax" that have every call."""
        return frozenset(("torch", "jax")).intersection(*(s.peers for s in self.statements))

    @property
    def is_ragged(self) -> bool:
        """Whether shapes depend on numbers."""
        return any(s.is_ragged for s in self.statements)

    @property
    def dtypes(self) -> set[str]:
        """The dtypes of the arguments."""
        return {a.dtype for a in self.arguments}

    def source(self, wrapped: bool = False) -> str:
        """The function's text; or with each assignment wrapped in ``part``, which is called with what it reads."""
        names = [a.name for a in self.arguments]
        if self.containers == "dict":
            head = f"def program(np, p):\n    {', '.join(names)}, = p.values()\n"
        elif self.containers == "nested":
            first, *others = names
            head = f"def program(np, {first}, others):\n"
            head += f"    ({', '.join(others)},), = others.values()\n" if others else ""
        else:
            head = f"def program(np, {', '.join(names)}):\n"
        body = "\n".join(as_part(s) if wrapped else s.text for s in self.statements)
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        listed = ", ".join(self.results)
        if self.containers == "dict":
            given = "{" + ", ".join(f'"{name}": {name}' for name in self.results) + "}"
        elif self.containers == "nested":
            given = f"({self.results[0]}, [{', '.join(self.results[1:])}])"
        else:
            given = listed if len(self.results) == 1 else f"({listed})"
        return f"{head}{lines}    return {given}\n"

    @cached_property
    def function(self) -> Callable[..., Any]:
        """The function, whose first parameter is a namespace with NumPy's names."""
        return self.compiled(self.source())

    @cached_property
    def in_parts(self) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Given what wraps its parts, the function."""
        return lambda part: self.compiled(self.source(wrapped=True), part=part)

    def compiled(self, source: str, **names: Any) -> Callable[..., Any]:
        """The function of a text."""
        scope = {"numpy": numpy, "call": words.call, "near": words.near, **names}
        exec(compile(source, "<random program>", "exec"), scope)
        function: Callable[..., Any] = scope["program"]
        return function

    def contained(self, arrays: list[Any]) -> tuple[Any, ...]:
        """Arrays as the arguments of a call."""
        if self.containers == "dict":
            return ({a.name: array for a, array in zip(self.arguments, arrays, strict=True)},)
        if self.containers == "nested":
            return arrays[0], ({"rest": arrays[1:]} if len(arrays) > 1 else {})
        return tuple(arrays)

    def arrays(self, data: int = 0) -> list[numpy.ndarray]:
        """The arguments' numbers, in order."""
        return [a.array(data) for a in self.arguments]

    def results_of(self, np: Any, arrays: list[Any]) -> list[Any]:
        """The results as a list, of arguments as a list."""
        return words.flat(self.function(np, *self.contained(arrays)))

    def loss_of(self, np: Any, arrays: list[Any]) -> Any:
        """One number of all results."""
        return words.weighted(np, self.results_of(np, arrays))

    def __str__(self) -> str:
        given = self.contained(list(self.arguments))
        return f"{HEADER}\n\n{self.source()}\n\narguments = {given}\n"


def as_part(statement: Statement) -> str:
    """An assignment of one value, as a call of a part of its own."""
    match = re.fullmatch(r"(v\d+) = (.*)", statement.text)
    reads = ", ".join(sorted(statement.reads))
    if match is None or not reads:
        return statement.text
    return f"{match[1]} = part(lambda {reads}: {match[2]})({reads})"
