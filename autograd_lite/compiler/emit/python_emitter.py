"""The Python code of a plan: one statement for each call, with every fixed array bound to a name beforehand."""

from __future__ import annotations

import ctypes
import operator
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

import numpy as np

from ...errors import CompileError
from ..array_layout import Layout, OtherLayout
from ..ir import Argument, Call, Captured, EntryGradient, Value
from ..native import DATA_OFFSET
from .numpy_calls import Scratch, Step, steps


class Code:
    """Statements, and the objects that they name.

    Parameters
    ----------
    arrays : mapping
        From each value that stays where it is to its array. Others change from call to call: arguments, gradients that
        were there before, arrays of tensors that are assigned others, and views of these.
    title : str
        What the function is called, for messages.
    persistent : set of Value
        The gradients that the plan leaves.

    Attributes
    ----------
    has_effects : bool
        Whether the statements so far change what outlives the call.
    """

    def __init__(self, arrays: dict[Value, Any], title: str = "", persistent: Collection[Value] = ()) -> None:
        self.arrays, self.title, self.persistent = arrays, title, persistent
        self.has_effects = False
        self.scope: dict[str, Any] = {}
        self.statements: list[str] = []
        self.scratch = Scratch()
        self.segments: list[list[Call]] = []
        self._names: dict[int, str] = {}
        self._locals: dict[Value, str] = {}
        self._views: dict[Value, Call] = {}
        self._pointers: dict[Value, Any] = {}
        self._kept: list[Any] = []

    def name(self, thing: Any, prefix: str = "c") -> str:
        """The name of an object in the scope."""
        found = self._names.get(id(thing))
        if found is None:
            found = self._names[id(thing)] = f"{prefix}{len(self._names)}"
            self.scope[found] = thing
        return found

    def operand(self, value: Value) -> str:
        """The name of a value's array."""
        if value in self.arrays:
            return self.name(self.arrays[value], "a")
        if isinstance(value.origin, Argument):
            return f"x{value.origin.position}"
        if value not in self._locals:
            results: tuple[Value, ...] = (value,)
            if isinstance(value.origin, EntryGradient):
                made = f"{self.name(value.origin.slot, 's')}.grad._value"
            elif isinstance(value.origin, Captured):
                made = f"{self.name(value.origin.holder, 't')}._value"
            else:
                made, results = self.call(self._views[value]), self._views[value].results
            named = {result: f"v{len(self._locals) + i}" for i, result in enumerate(results)}
            self._locals.update(named)
            several = len(results) > 1 or (value in self._views and self._views[value].gives_tuple)
            self.statements.append(f"{', '.join(named.values())}{',' if several else ''} = {made}")
        return self._locals[value]

    def pointer(self, value: Value) -> Any:
        """Where each call leaves the address of the pointer to the memory of an array from outside."""
        if value not in self._pointers:
            array, pointer = self.operand(value), (ctypes.c_int64 * 1)()
            self._pointers[value] = pointer
            self.statements.append(f"{self.name(pointer, 'pointer')}[0] = id({array}) + {DATA_OFFSET}")
        return self._pointers[value]

    def keep(self, thing: Any) -> None:
        """Let an object live as long as the code."""
        self._kept.append(thing)
        self.scope["kept"] = self._kept

    def expression(self, tree: Any) -> str:
        """An argument of a call, as Python code."""
        if isinstance(tree, Value):
            return self.operand(tree)
        if isinstance(tree, tuple):
            members = f"({''.join(f'{self.expression(member)}, ' for member in tree)})"
            return f"{self.name(tree._make, 'f')}({members})" if hasattr(tree, "_make") else members
        if type(tree) is list:
            return f"[{', '.join(map(self.expression, tree))}]"
        if type(tree) is dict:
            return f"{{{', '.join(f'{self.name(key)}: {self.expression(member)}' for key, member in tree.items())}}}"
        if tree is None or type(tree) in (bool, int):
            return repr(tree)
        return self.name(tree, "a" if isinstance(tree, np.ndarray) else "c")

    def call(self, call: Call) -> str:
        """A call as an expression, without the array for its result."""
        arguments = [self.expression(member) for member in call.args]
        arguments += [f"{name}={self.expression(member)}" for name, member in call.kwargs.items()]
        if call.function is operator.getitem and len(arguments) == 2:
            return f"{arguments[0]}[{self.expression(call.args[1])}]"
        if call.function is np.transpose and len(arguments) == 1:
            return f"{arguments[0]}.T"
        return f"{self.name(call.function, 'f')}({', '.join(arguments)})"

    def add(self, call: Call) -> None:
        """Add the statements of a call, which compute its results in their memory."""
        if call.is_view:
            self._views.update((result, call) for result in call.results if result not in self.arrays)
        else:
            self.extend(_statements(self, call))

    def extend(self, statements: Iterator[str]) -> None:
        """Add statements, each after those that it needs itself."""
        for statement in statements:
            self.statements.append(statement)


def _statements(code: Code, call: Call) -> Iterator[str]:
    found = _steps(code, call)
    if found is not None:
        for function, arguments, options in found:
            if function is operator.setitem:
                target, _, value = arguments
                yield f"{code.expression(target)}[...] = {code.expression(value)}"
                continue
            given = [code.expression(argument) for argument in arguments]
            given += [f"{name}={code.expression(option)}" for name, option in options.items()]
            yield f"{code.name(function, 'f')}({', '.join(given)})"
    elif not call.results:
        yield code.call(call)
    elif len(call.results) == 1 and takes_out(call.function):
        yield f"{code.call(call)[:-1]}, out={code.operand(call.results[0])})"
    elif len(call.results) == 1 and not call.gives_tuple:
        target = code.operand(call.results[0])
        yield from _FORMS.get(call.function, _copied)(code, call, target)
    elif isinstance(call.function, np.ufunc):
        yield f"{code.call(call)[:-1]}, out=({', '.join(code.operand(result) for result in call.results)}))"
    else:
        yield f"several = {code.call(call)}"
        for i, result in enumerate(call.results):
            yield _look_at_layout(code, call, f"several[{i}]", result)
            yield f"{code.operand(result)}[...] = several[{i}]"


def _steps(code: Code, call: Call) -> list[Step] | None:
    """The steps of a call, if there is a special form for it."""
    if len(call.results) != 1:
        return None
    arguments = tuple(code.arrays.get(member, member) if isinstance(member, Value) else member for member in call.args)
    return steps(call, arguments, code.arrays[call.results[0]], code.scratch)


def takes_out(function: Callable[..., Any]) -> bool:
    """Whether a function with one result can write it into an array given as ``out=``, with the same numbers."""
    if isinstance(function, np.ufunc):
        return function.nout == 1
    owner = getattr(function, "__self__", None)
    return function in _WITH_OUT or (isinstance(owner, np.ufunc) and function.__name__ != "at")


def _copied(code: Code, call: Call, target: str) -> Iterator[str]:
    """A result of which NumPy decides the shape and the dtype, and perhaps by the numbers: ``x[mask]``."""
    made = code.call(call)
    yield f"made = {made}" if call.is_pure else f"made = {code.name(np.asarray, 'f')}({made})"
    yield _look_at_layout(code, call, "made", call.results[0])
    yield f"{target}[...] = made"


def _look_at_layout(code: Code, call: Call, made: str, result: Value) -> str:
    """What ends a replay where a result is not like the recorded one, before it is broadcast or converted."""
    shape, dtype, _ = result.layout
    refuse = code.name(
        partial(_refuse_layout, code.title, call, result.layout, code.has_effects or not call.is_pure), "f"
    )
    return f"if {made}.shape != {shape} or {made}.dtype is not {code.name(dtype, 'dtype')}: {refuse}({made})"


def _refuse_layout(title: str, call: Call, layout: Layout, has_effects: bool, made: Any) -> None:
    if made.shape == layout.shape and made.dtype == layout.dtype:
        return
    if not has_effects:
        raise OtherLayout
    raise CompileError(
        f"{title}, at {call.line}: {call.name} gives shape {made.shape}, {made.dtype}, and gave {layout.shape}, "
        f"{layout.dtype} when the function was recorded. It cannot be recorded anew, since this call has changed "
        "arrays or called back by now. Let it choose before, or keep to one shape, as np.where(mask, x, 0) does"
    )


def _converted(code: Code, call: Call, target: str) -> Iterator[str]:
    """Statements for a copy, possibly with another dtype, without an intermediate array."""
    yield f"{target}[...] = {code.expression(call.args[0])}"


_FORMS: dict[Callable[..., Any], Callable[[Code, Call, str], Iterator[str]]] = {
    np.copy: _converted,
    np.ndarray.copy: _converted,
    np.ndarray.astype: _converted,
}

_WITH_OUT = frozenset(
    {np.sum, np.prod, np.mean, np.max, np.min, np.std, np.var, np.cumsum, np.cumprod, np.any, np.all}
    | {np.concatenate, np.stack, np.clip, np.round, np.argmax, np.argmin}
    | {np.ndarray.sum, np.ndarray.prod, np.ndarray.mean, np.ndarray.max, np.ndarray.min, np.ndarray.std, np.ndarray.var}
    | {np.ndarray.cumsum, np.ndarray.cumprod, np.ndarray.any, np.ndarray.all, np.ndarray.clip, np.ndarray.round}
    | {np.ndarray.argmax, np.ndarray.argmin}
)
