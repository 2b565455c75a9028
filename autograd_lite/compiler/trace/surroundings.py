"""What a function found outside of its arguments: the places where it looked, and what was there.

Another tensor, array, number, function or object in one of these places makes a plan another one. A place is a variable
of the function or of one around it, a global, an attribute, or an element of a list, tuple or dict that such a place
leads to; looked at are those whose names stand in the code that ran.
"""

from __future__ import annotations

import dis
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from ...core.tensor import Tensor
from ...user_line import is_of_library, is_of_library_file
from .guards import Guard
from .reachable import is_foreign

_NUMBERS = (bool, int, float, complex, str, bytes, type(None), np.generic)
_LEAVES = (Tensor, np.ndarray, np.ufunc, np.dtype, BuiltinFunctionType, *_NUMBERS)
_LOADING = ("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF")
_NOTHING = object()
_OF_PYTHON = frozenset({"__name__", "__doc__", "__module__", "__dict__", "__class__", "__file__", "__builtins__"})
_MOST_MEMBERS = 64
"""Of longer lists and dicts only those members are looked at that are arrays or tensors."""


class Place(NamedTuple):
    """A place, and what is in it.

    Attributes
    ----------
    expression : str
        How it is looked at, as Python, with ``{0}`` for the holder.
    holder : object
        What it is in.
    value : object
        What was found there.
    """

    expression: str
    holder: Any
    value: Any


def guard_of(place: Place) -> Guard:
    """What looks whether the same is in a place."""
    expression, holder, value = place
    if expression == "{0}":
        return Guard("{0} == {1}", holder, type(holder)(value))
    if expression == "values":
        return Guard("len({0}) == len({1}) and all(map(is_, {0}.values(), {1}))", holder, value)
    if not isinstance(value, _NUMBERS) or value is None or isinstance(value, bool):
        return Guard(f"{expression} is {{1}}", holder, value)
    return Guard(f"({expression} is {{1}} or same({expression}, {{1}}))", holder, value)


def same(found: Any, expected: Any) -> bool:
    """Whether what is in a place is what was there: the object itself, or an equal number or text of the same type."""
    if found is expected:
        return True
    if type(found) is not type(expected) or not isinstance(found, _NUMBERS):
        return False
    return bool(found == expected) and repr(found) == repr(expected)  # which tells -0.0 from 0.0


def places_of(
    function: Any, arguments: Iterable[Any], code: Mapping[CodeType, dict[str, Any]], callbacks: Iterable[Any]
) -> Iterator[Place]:
    """The places where a function looked.

    Parameters
    ----------
    function : callable
        It, and what its arguments are that are no arrays, is where places are looked for.
    arguments : iterable
    code : mapping
        The code that ran, with its globals.
    callbacks : iterable of callable
        What it had called back. What is in these and in their variables they may change, and read anew.
    """
    return _Walk(code, callbacks).places([function, *arguments])


def _held(callback: Any) -> Iterator[Any]:
    """What a callback may change."""
    if isinstance(callback, partial):
        yield from (callback.func, *callback.args, *callback.keywords.values())
    yield getattr(callback, "__self__", callback)
    yield from (cell.cell_contents for cell in getattr(callback, "__closure__", None) or () if _is_filled(cell))


class _Walk:
    def __init__(self, code: Mapping[CodeType, dict[str, Any]], callbacks: Iterable[Any]) -> None:
        self._code = code
        own = [one for one, variables in code.items() if not is_of_library(one, variables)]
        self._own = frozenset(own)
        self._names = {name for one in own for name in (*one.co_names, *one.co_freevars)} - _OF_PYTHON
        self._texts = {text for one in own for text in _texts(one.co_consts) if text.isidentifier()} - _OF_PYTHON
        self._seen = {id(thing) for callback in callbacks for thing in _held(callback)}
        self._public: dict[type, set[str]] = {}
        self._classes: set[type] = set()

    def places(self, roots: list[Any]) -> Iterator[Place]:
        waiting = deque(roots)
        looked_at: set[tuple[str, int]] = set()
        found = list(self._globals())
        while found or waiting:
            for place in found:
                waiting.append(place.value)
                # Modules stay, and tuples as they are.
                is_fixed = isinstance(place.value, ModuleType) or isinstance(place.holder, tuple)
                if (place.expression, id(place.holder)) not in looked_at and not is_fixed:
                    looked_at.add((place.expression, id(place.holder)))
                    yield place
            thing = waiting.popleft() if waiting else None
            is_new = id(thing) not in self._seen and not isinstance(thing, _LEAVES)
            self._seen.add(id(thing))
            found = list(self._within(thing)) if is_new else []

    def _globals(self) -> Iterator[Place]:
        """The globals of the user's own code: a library's stay as they are."""
        for one in self._own:
            variables = self._code[one]
            for name in one.co_names:
                if name in variables and name not in _OF_PYTHON:
                    yield Place(f"{{0}}[{_quoted(name)}]", variables, variables[name])

    def _within(self, thing: Any) -> Iterator[Place]:
        if isinstance(thing, FunctionType):
            yield from self._of_function(thing)
        elif isinstance(thing, MethodType):
            yield from self._within(thing.__func__)
            yield from () if id(thing.__self__) in self._seen else self._within(thing.__self__)
        elif isinstance(thing, partial):
            yield from self._within(thing.func)
            yield from self._within(thing.args)
            yield from self._within(thing.keywords)
        elif isinstance(thing, list | tuple | deque | set | frozenset):
            yield from self._of_sequence(thing)
        elif isinstance(thing, dict):
            yield from self._of_dict(thing)
        elif isinstance(thing, type):
            for one in thing.__mro__:
                yield from self._of_class(one)
        elif isinstance(thing, ModuleType):
            if not is_of_library_file(getattr(thing, "__file__", None) or ""):
                yield from self._of_attributes(thing, self._names)
        elif not is_foreign(type(thing)):
            kind = type(thing)
            yield from self._of_attributes(thing, self._names | self._texts)
            for place in self._of_attributes(thing, self._public_names(kind) - self._names):
                if place.value is None or (not isinstance(place.value, _NUMBERS) and not _is_empty(place.value)):
                    yield place
            for one in kind.__mro__:
                yield from self._of_class(one)

    def _of_function(self, function: FunctionType) -> Iterator[Place]:
        if "__wrapped__" in function.__dict__:
            yield from self._within(function.__dict__["__wrapped__"])
        if function.__code__ not in self._own:
            return
        loaded = set(self._loaded(function.__code__))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if name in loaded and _is_filled(cell):
                yield Place("{0}.cell_contents", cell, cell.cell_contents)
        if function.__defaults__ is not None:
            yield Place("{0}.__defaults__", function, function.__defaults__)
        yield from self._of_dict(function.__kwdefaults__ or {})

    def _loaded(self, code: CodeType) -> Iterator[str]:
        """The variables of functions around it that code reads, or code within it that ran: no callback's alone."""
        yield from (one.argval for one in dis.get_instructions(code) if one.opname in _LOADING)
        for constant in code.co_consts:
            if isinstance(constant, CodeType) and constant in self._code:
                yield from self._loaded(constant)

    def _of_sequence(self, sequence: Any) -> Iterator[Place]:
        if isinstance(sequence, set | frozenset):
            yield Place("{0}", sequence, tuple(sequence))
            return
        if (
            type(sequence) is list
            and len(sequence) > 1
            and all(getattr(type(one), "__eq__", None) is object.__eq__ for one in sequence)
        ):
            yield Place("{0}", sequence, tuple(sequence))
            return
        if not isinstance(sequence, tuple):
            yield Place("len({0})", sequence, len(sequence))
        for i, member in enumerate(sequence):
            if len(sequence) <= _MOST_MEMBERS or isinstance(member, Tensor | np.ndarray):
                yield Place(f"{{0}}[{i}]", sequence, member)

    def _of_dict(self, members: dict[Any, Any]) -> Iterator[Place]:
        if not all(map(_is_literal, members)):
            yield Place("values", members, tuple(members.values()))
            return
        named = {key: member for key, member in members.items() if isinstance(key, str) and key in self._texts}
        for text in self._texts - named.keys() if named else ():
            yield Place(f"({_quoted(text)} in {{0}})", members, False)
        if not named:
            yield Place("len({0})", members, len(members))
        for key, member in (named or members).items():
            if named or len(members) <= _MOST_MEMBERS or isinstance(member, Tensor | np.ndarray):
                yield Place(f"{{0}}[{_quoted(key)}]", members, member)

    def _of_attributes(self, thing: Any, names: Iterable[str]) -> Iterator[Place]:
        own, kind = getattr(thing, "__dict__", {}), type(thing)
        for name in names:
            of_kind = getattr(kind, name, _NOTHING)
            if name in own:
                if not hasattr(of_kind, "__get__"):  # a property says itself what it follows
                    yield Place(f"{{0}}[{_quoted(name)}]", own, own[name])
            elif type(of_kind).__name__ == "member_descriptor":
                if hasattr(thing, name):
                    yield Place(f"{{0}}.{name}", thing, getattr(thing, name))
            elif of_kind is not _NOTHING and not hasattr(of_kind, "__get__"):
                yield Place(f"{{0}}.{name}", thing, of_kind)
            elif of_kind is _NOTHING and name in self._texts - self._names:
                yield Place(f"hasattr({{0}}, {name!r})", thing, False)

    def _public_names(self, kind: type) -> set[str]:
        """The names in the methods of a library's class that ran.

        Its private attributes and its numbers are that library's own matter: `nn` has them looked at by `assume`.
        """
        if kind not in self._public:
            members = (member for one in kind.__mro__ if not is_foreign(one) for member in vars(one).values())
            methods = (member.__code__ for member in members if isinstance(member, FunctionType))
            names = {name for one in methods if one in self._code and one not in self._own for name in one.co_names}
            self._public[kind] = {name for name in names if not name.startswith("_")}
        return self._public[kind]

    def _of_class(self, kind: type) -> Iterator[Place]:
        if kind in self._classes or is_foreign(kind):
            return
        self._classes.add(kind)
        for name, member in list(vars(kind).items()):
            if isinstance(member, FunctionType):
                if member.__code__ in self._own:
                    yield Place(f"{{0}}[{_quoted(name)}]", vars(kind), member)
            elif name in self._names | self._texts and not hasattr(member, "__get__"):
                yield Place(f"{{0}}[{_quoted(name)}]", vars(kind), member)


def _quoted(key: Any) -> str:
    """A key in an expression with fields."""
    return repr(key).replace("{", "{{").replace("}", "}}")


def _is_literal(key: Any) -> bool:
    """Whether a key can be written down."""
    return type(key) in (str, int, bool, type(None)) or (type(key) is tuple and all(map(_is_literal, key)))


def _is_empty(thing: Any) -> bool:
    return isinstance(thing, dict | list | tuple) and not thing


def _is_filled(cell: CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:  # not assigned yet
        return False
    return True


def _texts(constants: Iterable[Any]) -> Iterator[str]:
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple | frozenset):
            yield from _texts(constant)
