"""Finds NumPy's random generators that a function can reach: by its variables, globals, arguments and objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_KINDS = (np.random.Generator, np.random.RandomState)
_CONTAINERS = (list, tuple, set, frozenset, deque)
_ENDS = (np.ndarray, np.generic, str, bytes, int, float, complex, bool, type(None))
_MOST = 100_000
"""The largest number of objects that are searched."""


def reachable_generators(roots: Iterable[Any]) -> list[Any]:
    """The generators that can be reached from some objects, and NumPy's global one.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rng in reachable_generators([{"noise": [rng]}])
    True
    """
    found = [np.random.mtrand._rand]
    seen: set[int] = set()
    waiting = list(roots)
    while waiting and len(seen) < _MOST:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, _ENDS):
            continue
        seen.add(id(thing))
        if type(thing) in _KINDS:
            found.append(thing)
        else:
            waiting += _neighbours(thing)
    return found


def _neighbours(thing: Any) -> Iterator[Any]:
    """The objects that an object holds, as far as a function may use them."""
    if isinstance(thing, dict):
        yield from list(thing.values())
    elif isinstance(thing, _CONTAINERS):
        yield from list(thing)
    elif isinstance(thing, FunctionType):
        yield from _used_by(thing)
    elif isinstance(thing, MethodType):
        yield thing.__self__
        yield thing.__func__
    elif isinstance(thing, partial):
        yield from (thing.func, thing.args, thing.keywords)
    elif "__wrapped__" in getattr(thing, "__dict__", {}):
        yield thing.__wrapped__
    elif not isinstance(thing, type | ModuleType) and not is_foreign(type(thing)):
        yield from list(getattr(thing, "__dict__", {}).values())
        for kind in type(thing).__mro__:
            yield from (member for member in list(vars(kind).values()) if isinstance(member, FunctionType))


def _used_by(function: FunctionType) -> Iterator[Any]:
    """The variables of a function: of functions around it, globals, and the attributes of modules that it names."""
    if is_foreign(function):
        return
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    yield from (function.__defaults__, function.__kwdefaults__, function.__dict__)
    names = set(_names(function.__code__))
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, ModuleType):
            yield from (vars(value)[attribute] for attribute in names & vars(value).keys())
        else:
            yield value


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def is_foreign(thing: Any) -> bool:
    """Whether a function or a class is of Python, of NumPy or of this engine, none of which draws for others."""
    return (getattr(thing, "__module__", None) or "").partition(".")[0] in _FOREIGN


_FOREIGN = ("builtins", "numpy", "functools", "typing", __name__.partition(".")[0])
