"""Tracing of an elementwise function, by calling it with symbols for its arrays and numbers.

Arithmetic with an array's symbol becomes an operation of the program. Arithmetic with a number's symbol becomes a line
of Python that computes the number again, so that the program's coefficients follow from the arguments of each call.
Where the function branches on a number, the line is a guard: the program is valid only while its result is the same.
Everything else that a function does with a symbol raises `Untraceable`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from .symbols import Arrays, Number, Options, Symbol

UFUNCS: dict[np.ufunc, int] = {
    np.positive: 1, np.negative: 1, np.absolute: 1, np.square: 1, np.sqrt: 1, np.sign: 1, np.reciprocal: 1,
    np.add: 2, np.subtract: 2, np.multiply: 2, np.divide: 2, np.maximum: 2, np.minimum: 2,
}  # fmt: skip
"""By the count of their operands, those whose result is the same however many elements are computed at a time.

`llvm.CODE` has each of them as machine code.
"""

_MOST_DIGITS = 2**53
"""Whole numbers up to this one are exact as float64."""


class Untraceable(Exception):  # noqa: N818
    """Raised when a function does something that an elementwise program cannot do."""


class Operation(NamedTuple):
    """One operation of a program.

    Attributes
    ----------
    ufunc : numpy.ufunc
    operands : tuple of (bool, int)
        For an array True and its number: inputs are counted first, and then the operations. For a coefficient False and
        its place among the coefficients.
    """

    ufunc: np.ufunc
    operands: tuple[tuple[bool, int], ...]


class Program(NamedTuple):
    """Elementwise operations on arrays of one shape and dtype; the results are written into some of the arrays.

    Attributes
    ----------
    inputs : int
        The number of arrays.
    coefficients : int
        The number of numbers.
    operations : tuple of Operation
    results : tuple of (int, int)
        Pairs of an input and of the operation, counted as in `Operation`, whose values are written into the input's
        array. Operations read the inputs as they were before.
    """

    inputs: int
    coefficients: int
    operations: tuple[Operation, ...]
    results: tuple[tuple[int, int], ...]


class FormulaTracer:
    """Symbols, and a record of what a function does with them.

    Parameters
    ----------
    *arguments : str
        Names of the arguments of `coefficients`; the expressions in `number` and `options` use them.
    """

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._scope: dict[str, Any] = {}
        self._lines: list[str] = []
        self._names: dict[str, str] = {}
        self._coefficients: list[str] = []
        self._inputs = 0
        self._operations: list[tuple[Symbol, np.ufunc, tuple[Any, ...]]] = []
        self._refusal = ""

    # ---- what the function is called with ----

    def array(self) -> Symbol:
        """An input."""
        self._inputs += 1
        return Symbol(self, self._inputs - 1)

    def number(self, value: float, source: str) -> Number:
        """A number, and the expression that gives it."""
        if type(value) not in (int, float):
            self.refuse(f"{source} is a {type(value).__name__}")
        known = source in self._names
        name = self._named(source)
        if not known:
            self._guard(f"type({name}) is not {type(value).__name__}")
        return Number(self, value, name)

    def options(self, values: Mapping[str, Any], source: str) -> Options:
        """A mapping of numbers, tuples of numbers, truth values and texts."""
        return Options(self, values, source)

    def arrays(self) -> Arrays:
        """A mapping of inputs."""
        return Arrays(self)

    # ---- what it did ----

    def program(self, results: Mapping[Symbol, Any]) -> Program:
        """The operations that lead to the results.

        Parameters
        ----------
        results : mapping
            From an input to the symbol whose values are written into the input's array.
        """
        wanted = []
        for target, symbol in results.items():
            if not isinstance(symbol, Symbol):
                self.refuse(f"a result is a {type(symbol).__name__}")
            # An input whose values are written into another one may itself have changed by then.
            copied = symbol.number >= 0 and symbol is not target
            wanted.append((target, self.record(np.positive, symbol) if copied else symbol))
        if self._refusal:
            raise Untraceable(self._refusal)
        needed = {symbol for _, symbol in wanted}
        for symbol, _, operands in reversed(self._operations):
            if symbol in needed:
                needed.update(operand for operand in operands if isinstance(operand, Symbol))
        kept = [one for one in self._operations if one[0] in needed]
        places = {symbol: self._inputs + i for i, (symbol, _, _) in enumerate(kept)}

        def place(operand: Symbol | str) -> tuple[bool, int]:
            if isinstance(operand, str):
                return False, self._coefficients.index(operand)
            return True, places.get(operand, operand.number)

        # Coefficients are numbered in the order in which the remaining operations use them.
        self._coefficients = list(dict.fromkeys(x for _, _, xs in kept for x in xs if isinstance(x, str)))
        operations = tuple(Operation(ufunc, tuple(map(place, operands))) for _, ufunc, operands in kept)
        pairs = tuple((target.number, places[symbol]) for target, symbol in wanted if symbol is not target)
        return Program(self._inputs, len(self._coefficients), operations, pairs)

    def coefficients(self) -> Callable[..., tuple[float, ...] | None]:
        """A function that gives the program's coefficients for some arguments, or None if a guard fails for them."""
        given = "".join(f"{name}, " for name in self._coefficients)
        lines = [f"def coefficients({', '.join(self._arguments)}):", *self._lines, f"return ({given})"]
        exec("\n    ".join(lines), self._scope)
        found: Callable[..., tuple[float, ...] | None] = self._scope["coefficients"]
        return found

    # ---- reports of the symbols ----

    def refuse(self, why: str) -> NoReturn:
        """Stop tracing this function, for good, even if the function catches the error."""
        self._refusal = self._refusal or why
        raise Untraceable(why)

    def record(self, ufunc: np.ufunc, *operands: Any) -> Symbol:
        """Take note of an operation."""
        if UFUNCS.get(ufunc) != len(operands):
            self.refuse(f"{getattr(ufunc, '__name__', ufunc)} of {len(operands)} operands")
        result = Symbol(self, -1)
        self._operations.append((result, ufunc, tuple(map(self._operand, operands))))
        return result

    def compute(self, function: Callable[..., Any], form: str, *operands: Any) -> Number:
        """Take note of arithmetic with numbers."""
        values = [operand.value if isinstance(operand, Number) else operand for operand in operands]
        if any(type(value) not in (int, float) for value in values):
            self.refuse("a number beside something that is not a number")
        value = function(*values)
        if type(value) not in (int, float):
            self.refuse(f"arithmetic gives a {type(value).__name__}")
        return Number(self, value, self._named(form.format(*map(self._text, operands))))

    def decide(self, function: Callable[..., Any], form: str, *operands: Any) -> bool:
        """Take note of a question that was answered."""
        values = [operand.value if isinstance(operand, Number) else operand for operand in operands]
        answer = bool(function(*values))
        question = form.format(*map(self._text, operands))
        self._guard(f"not ({question})" if answer else question)
        return answer

    def expect(self, value: Any, source: str) -> None:
        """Take note of a value that the program relies on."""
        name = f"k{len(self._scope)}"
        self._scope[name] = value
        self._guard(f"type({source}) is not type({name}) or {source} != {name}")

    def expect_tuple(self, length: int, source: str) -> str:
        """Take note of a tuple's length; gives the tuple's name."""
        name = self._named(source)
        self._guard(f"type({name}) is not tuple or len({name}) != {length}")
        return name

    def _guard(self, condition: str) -> None:
        line = f"if {condition}: return None"
        if line not in self._lines:
            self._lines.append(line)

    def _operand(self, operand: Any) -> Symbol | str:
        if isinstance(operand, Symbol) and operand.tracer is self:
            return operand
        if isinstance(operand, Number | int | float):
            value = operand.value if isinstance(operand, Number) else operand
            if type(value) is float or (type(value) is int and abs(value) <= _MOST_DIGITS):
                return operand.name if isinstance(operand, Number) else self._named(self._text(value))
        return self.refuse(f"an array meets a {type(operand).__name__}")

    def _named(self, source: str) -> str:
        """The name of an expression's value; the expression is evaluated once."""
        if source not in self._names:
            self._names[source] = f"n{len(self._names)}"
            self._lines.append(f"{self._names[source]} = {source}")
        return self._names[source]

    def _text(self, operand: Any) -> str:
        if isinstance(operand, Number):
            return operand.name
        if isinstance(operand, float) and not math.isfinite(operand):
            return f"float('{operand}')"
        return f"({operand!r})"
