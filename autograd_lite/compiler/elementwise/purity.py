"""Whether a method's result depends on its arguments alone, according to its code."""

from __future__ import annotations

import builtins
import dis
from types import CodeType, FunctionType
from typing import Any

import numpy as np

_PURE = {abs, min, max, sum, len, zip, range, enumerate, reversed, float, int, super}


def depends_on_arguments_alone(function: Any, owner: type, known: frozenset[Any] = frozenset()) -> bool:
    """Whether a method's code names nothing except its arguments that could differ from call to call.

    It may use NumPy without random numbers, a few of Python's own functions, and functions of its module and methods of
    its class for which the same holds; but no other attributes of its class, and no attributes of its instance.

    Parameters
    ----------
    function : callable
    owner : type
        The class of the method.
    """
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
            is_known = one is np or (isinstance(one, type) and issubclass(one, BaseException)) or _is_pure(one)
            if not is_known and not depends_on_arguments_alone(one, owner, known):
                return False
    return True


def _is_pure(function: Any) -> bool:
    return any(function is one for one in _PURE)
