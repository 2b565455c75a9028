"""Symbols for numbers and arrays, and for mappings of them: a function is traced by calling it with them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, Protocol

import numpy as np


class Notes(Protocol):
    """The object that symbols tell what is done with them; `refuse` raises."""

    def refuse(self, why: str) -> NoReturn:
        """Stop tracing this function, for good."""

    def array(self) -> Any:
        """An input."""

    def number(self, value: float, source: str) -> Any:
        """A number, and the expression that gives it."""

    def record(self, ufunc: np.ufunc, *operands: Any) -> Any:
        """Take note of an operation."""

    def compute(self, function: Callable[..., Any], form: str, *operands: Any) -> Any:
        """Take note of arithmetic with numbers."""

    def decide(self, function: Callable[..., Any], form: str, *operands: Any) -> bool:
        """Take note of a question that was answered."""

    def expect(self, value: Any, source: str) -> None:
        """Take note of a value that the program relies on."""

    def expect_tuple(self, length: int, source: str) -> str:
        """Take note of a tuple's length; gives the tuple's name."""


class Number:
    """A number's symbol."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tracer: Notes, value: float, name: str) -> None:
        self.tracer, self.value, self.name = tracer, value, name

    def __bool__(self) -> bool:
        return self.tracer.decide(bool, "bool({})", self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(one, Symbol) for one in inputs):
            return NotImplemented
        # A NumPy number follows other rules of arithmetic than a Python number.
        return self.tracer.refuse(f"{ufunc.__name__} of a number")

    def __getattr__(self, name: str) -> NoReturn:
        self.tracer.refuse(f"a number's {name}")

    def __float__(self) -> float:
        self.tracer.refuse("float() of a number")

    def __int__(self) -> int:
        self.tracer.refuse("int() of a number")

    def __index__(self) -> int:
        self.tracer.refuse("a number as an index")

    def __format__(self, form: str) -> str:
        self.tracer.refuse("a number as text")

    __str__ = __repr__ = lambda self: self.__format__("")


class Symbol:
    """An array's symbol."""

    def __init__(self, tracer: Notes, number: int) -> None:
        self.tracer = tracer
        self.number = number

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            self.tracer.refuse(f"{ufunc.__name__} with {method}, {', '.join(kwargs)}")
        return self.tracer.record(ufunc, *inputs)

    def __pow__(self, exponent: Any) -> Any:
        # Arrays call `square` and `sqrt` for these two exponents, and not `power`.
        if type(exponent) in (int, float) and exponent in (2, 0.5):
            return self.tracer.record(np.square if exponent == 2 else np.sqrt, self)
        return self.tracer.refuse("a power")

    def __getattr__(self, name: str) -> NoReturn:
        self.tracer.refuse(f"an array's {name}")


class Options(Mapping[str, Any]):
    """A mapping whose numbers are symbols."""

    def __init__(self, tracer: Notes, values: Mapping[str, Any], source: str) -> None:
        self._tracer, self._values, self._source = tracer, values, source

    def __getitem__(self, key: str) -> Any:
        if key not in self._values:
            raise KeyError(key)
        return self._symbol(self._values[key], f"{self._source}[{key!r}]")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _symbol(self, value: Any, source: str) -> Any:
        if type(value) in (int, float):
            return self._tracer.number(value, source)
        if type(value) is tuple:
            name = self._tracer.expect_tuple(len(value), source)
            return tuple(self._symbol(one, f"{name}[{i}]") for i, one in enumerate(value))
        if value is None or type(value) in (bool, str):
            self._tracer.expect(value, source)
            return value
        return self._tracer.refuse(f"{source} is a {type(value).__name__}")


class Arrays:
    """Inputs by their names, each made when it is first read or assigned to.

    Attributes
    ----------
    symbols : dict
        The inputs.
    values : dict
        The value that was assigned last; the input itself if nothing was assigned.
    """

    def __init__(self, tracer: Notes) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.values: dict[str, Any] = {}
        self._tracer = tracer

    def __getitem__(self, name: str) -> Any:
        self._enter(name)
        return self.values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._enter(name)
        self.values[name] = value

    def _enter(self, name: str) -> None:
        if type(name) is not str:
            self._tracer.refuse(f"a mapping's {name!r}")
        if name not in self.symbols:
            self.symbols[name] = self.values[name] = self._tracer.array()

    def __iter__(self) -> NoReturn:
        self._tracer.refuse("a mapping's entries")

    def __len__(self) -> NoReturn:
        self._tracer.refuse("a mapping's length")

    def __contains__(self, name: object) -> NoReturn:
        self._tracer.refuse("whether a mapping has an entry")

    def __getattr__(self, name: str) -> NoReturn:
        self._tracer.refuse(f"a mapping's {name}")


def _give_operators() -> None:
    """Define the operators of both symbols."""
    forms = {
        "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "truediv": "{} / {}", "floordiv": "{} // {}",
        "mod": "{} % {}", "pow": "{} ** {}",
    }  # fmt: skip
    ufuncs = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide}
    for name, form in forms.items():
        function = getattr(operator, name)

        def compute(self: Number, other: Any, function: Any = function, form: str = form) -> Any:
            return NotImplemented if isinstance(other, Symbol) else self.tracer.compute(function, form, self, other)

        def compute_turned(self: Number, other: Any, function: Any = function, form: str = form) -> Any:
            return self.tracer.compute(function, form, other, self)

        setattr(Number, f"__{name}__", compute)
        setattr(Number, f"__r{name}__", compute_turned)
    for name, form in {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}.items():
        function = getattr(operator, name)

        def decide(self: Number, other: Any, function: Any = function, form: str = form) -> Any:
            if not isinstance(other, Number | int | float):
                return NotImplemented
            return self.tracer.decide(function, f"{{}} {form} {{}}", self, other)

        setattr(Number, f"__{name}__", decide)
    for name, form in {"neg": "-{}", "pos": "+{}", "abs": "abs({})"}.items():
        function = getattr(operator, name)

        def alter(self: Number, function: Any = function, form: str = form) -> Any:
            return self.tracer.compute(function, form, self)

        setattr(Number, f"__{name}__", alter)
    for name, ufunc in ufuncs.items():

        def record(self: Symbol, other: Any, ufunc: np.ufunc = ufunc) -> Any:
            return self.tracer.record(ufunc, self, other)

        def record_turned(self: Symbol, other: Any, ufunc: np.ufunc = ufunc) -> Any:
            return self.tracer.record(ufunc, other, self)

        setattr(Symbol, f"__{name}__", record)
        setattr(Symbol, f"__r{name}__", record_turned)
    for name, alone in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
        setattr(Symbol, f"__{name}__", lambda self, ufunc=alone: self.tracer.record(ufunc, self))
    # An operation in place would change the array for everybody who holds it; the others ask for values or a shape.
    refused = [f"i{name}" for name in (*forms, "matmul", "and", "or", "xor", "lshift", "rshift")]
    refused += ["rpow", "matmul", "rmatmul", "bool", "len", "iter", "getitem", "setitem", "contains", "array"]
    for name in [*refused, "float", "int", "index", "lt", "le", "gt", "ge", "eq", "ne"]:

        def refuse(self: Symbol, *args: Any, name: str = name, **kwargs: Any) -> NoReturn:
            self.tracer.refuse(f"an array's __{name}__")

        setattr(Symbol, f"__{name}__", refuse)
    Symbol.__hash__ = object.__hash__  # type: ignore[method-assign]


_give_operators()
