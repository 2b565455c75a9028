"""Whether a method's result depends on its arguments alone, according to its code."""

from __future__ import annotations

import builtins
import dis
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from ...habits import Answering

_PURE = {abs, min, max, sum, len, zip, range, enumerate, reversed, float, int, super}


def depends_on_arguments_alone(instance: Any, method: str) -> bool:
    """Whether a method's code names nothing that could differ from call to call, but its arguments.

    It may use NumPy, other than its random numbers, a few of Python's own functions, and those functions of its module
    and methods of its class of which the same holds; no other attributes of its class, and none of its instance, which
    must not have anything of its own under a name of its class.
    """
    owner: Any = type(instance)
    missing = getattr(owner, "__getattr__", Answering.__getattr__)  # which only says what to write
    has_own_access = missing is not Answering.__getattr__ or owner.__getattribute__ is not object.__getattribute__
    if has_own_access or any(hasattr(owner, name) for name in vars(instance)):
        return False
    return _is_pure(getattr(owner, method), owner, frozenset())


def _is_pure(function: Any, owner: type, known: frozenset[Any]) -> bool:
    if not isinstance(function, FunctionType) or function.__defaults__ or function.__kwdefaults__:
        return False
    if function in known:
        return True
    known |= {function}
    code = function.__code__
    if set(code.co_freevars) - {"__class__"} or any(isinstance(one, CodeType) for one in code.co_consts):
        return False
    for instruction in dis.get_instructions(code):
        kind, name = instruction.opname, instruction.argval
        if kind.startswith(("IMPORT", "STORE_GLOBAL", "STORE_ATTR", "DELETE_GLOBAL")) or name == "random":
            return False
        if kind in ("LOAD_GLOBAL", "LOAD_NAME"):
            used = [function.__globals__.get(name, vars(builtins).get(name))]
        elif "ATTR" in kind or "METHOD" in kind:
            # The code does not say which object the attribute belongs to; it may be the owner's.
            used = [vars(base)[name] for base in owner.__mro__ if name in vars(base)]
        else:
            continue
        for one in used:
            is_known = one is np or (isinstance(one, type) and issubclass(one, BaseException)) or _is_builtin(one)
            if not is_known and not _is_pure(one, owner, known):
                return False
    return True


def _is_builtin(function: Any) -> bool:
    return any(function is one for one in _PURE)
