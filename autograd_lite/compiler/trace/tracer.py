"""`Recorder`: what listens while a compiled function runs for the first time, and keeps the program of its calls.

While it listens, the arrays of the tensors that the function touches are recorded ones. Everything runs for real, so
the first call has its full effect; in the end all tensors have plain arrays again.
"""

from __future__ import annotations

import operator
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ...core.context import STATE
from ...core.graph import GradientSlot, Leaf
from ...core.registry import STRUCTURAL
from ...core.tensor import Tensor
from ...errors import CompileError
from ..ir import Argument, Array, Call, Captured, Constant, EntryGradient, Layout, Origin, Value, replaced
from .rng_guard import Randomness
from .traced_array import RecordedArray


class Guard(NamedTuple):
    """Something that the program takes for granted, and that every later call looks at.

    Attributes
    ----------
    expression : str
        What has to hold, as Python, with ``{0}`` for the thing and ``{1}`` for what was found.
    thing : object
        What it is about.
    expected : object
        What was found.
    """

    expression: str
    thing: Any
    expected: Any


class Recorder:
    """What a function did, as far as arrays are concerned.

    Parameters
    ----------
    name : str
        Of the function, for messages.
    roots : iterable or None
        The function and its arguments, from where random generators are looked for; None for not at all.

    Attributes
    ----------
    calls : list of Call
        In their order.
    guards : list of Guard
        What has to be as it was.
    slots : dict
        From each place of a gradient that was read or written to the value that it had at the start, or None.
    final_gradients : dict
        From each place where the function leaves another gradient, or none, to its value.
    renewed : list of Tensor
        Leaves whose arrays were changed, so that graphs recorded before refuse them.
    """

    def __init__(self, name: str, roots: Iterable[Any] | None = ()) -> None:
        self.name = name
        self.calls: list[Call] = []
        self.guards: list[Guard] = []
        self.slots: dict[GradientSlot, Value | None] = {}
        self.final_gradients: dict[GradientSlot, Value | None] = {}
        self.renewed: list[Tensor] = []
        self._own_slots: set[GradientSlot] = set()
        self._adopted: dict[Tensor, tuple[RecordedArray, Any]] = {}
        self._watched: set[Tensor] = set()
        self._captured: dict[int, RecordedArray] = {}
        self._randomness = Randomness(roots)

    def watching(self) -> AbstractContextManager[None]:
        """For a while watch out for random numbers that are drawn in Python."""
        return self._randomness.watched(self)

    # ---- arrays come in ----

    def argument(self, array: Array, position: int) -> RecordedArray:
        """An array that the function is called with."""
        return self._enter(array, Argument(position))

    def adopt(self, values: Iterable[Any]) -> None:
        """Record what is computed with these tensors, in lists and tuples too."""
        for value in values:
            if type(value) is Tensor:
                if not isinstance(value._data, RecordedArray):
                    self._adopt(value)
            elif type(value) is tuple or type(value) is list:
                self.adopt(value)

    def _adopt(self, tensor: Tensor) -> None:
        array = tensor._data
        if not isinstance(array, np.ndarray | np.generic):
            raise CompileError(f"{self.name}: expected NumPy's arrays, found a tensor of {type(array).__name__}")
        if tensor._node is not None and not isinstance(tensor._node, Leaf):
            self.refuse(
                f"{tensor._brief()} is a result in a graph that was recorded outside of the function, which a backward "
                "pass uses up; compute it within, pass it as an argument, or take .detach() outside"
            )
        if isinstance(array, np.generic):
            tensor._data = array = np.asarray(array)
        recorded = self._enter(array, Captured(tensor))
        self.watch(tensor)
        self._adopted[tensor] = recorded, tensor._node
        slot = tensor._node and tensor._node.slot
        if slot:
            self.guards.append(Guard("{0}.hooks is {1}", slot, slot.hooks))
        tensor._data = recorded

    def watch(self, tensor: Tensor) -> None:
        """Take note of whether a tensor requires a gradient, and of where that goes: so it will have to be later."""
        if tensor in self._watched or isinstance(tensor._data, RecordedArray):
            return
        self._watched.add(tensor)
        self.guards.append(Guard("({0}._node and {0}._node.slot) is {1}", tensor, tensor._node and tensor._node.slot))

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors from outside of the function."""
        return list(self._adopted)

    def is_adopted(self, tensor: Tensor) -> bool:
        """Whether a tensor is one from outside of the function."""
        return tensor in self._adopted

    def _enter(self, array: Array, origin: Origin) -> RecordedArray:
        return RecordedArray(array, Value(Layout.of(array), origin), self)

    def _capture(self, array: Array) -> RecordedArray:
        """A plain array of the function's own, or from outside of it."""
        found = self._captured.get(id(array))
        if found is None:
            self._randomness.check(self)
            found = self._captured[id(array)] = self._enter(array, Captured(array))
        return found

    # ---- calls ----

    def call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        writes: tuple[Any, ...] = (),
        is_pure: bool = True,
    ) -> Any:
        """Call a function on the arrays, and record it."""
        if STATE.plan is not self:
            raise CompileError(
                f"{self.name}: an array of the function is used outside of it, or in another thread, where nothing "
                "records it; return what is wanted outside"
            )
        writes = writes or _written(function, args, kwargs)
        plain: list[Array] = []
        values, named = replaced((args, kwargs), lambda member: self._as_value(member, plain))
        with nullcontext() if is_pure else self._suspended():
            out = function(*replaced(args, bare), **replaced(kwargs, bare))
        call = Call(function, values, named, is_pure=is_pure, line=line())
        call.versions = tuple(operand.root.version for operand in call.operands)
        targets = [self._checked_target(target) for target in writes]
        call.writes = tuple(target.value for target in targets)
        for target in targets:
            target.value.root.version += 1
        found = self._results(call, out, targets, plain)
        if call.results or call.writes or not is_pure:
            self.calls.append(call)
        return found

    def _checked_target(self, target: Any) -> RecordedArray:
        if not isinstance(target, RecordedArray):
            self.refuse(
                f"a plain array of shape {np.shape(target)} is written to, and if the function made it, later calls "
                "would find it as this one leaves it; make it with np.zeros_like of an array that comes in, keep it in "
                "a Tensor, or pass it as an argument"
            )
        return target

    def _results(self, call: Call, out: Any, targets: list[RecordedArray], plain: list[Array]) -> Any:
        if isinstance(out, np.ndarray | np.generic):
            written = next((target for target in targets if out is target.array), None)
            return self._result(call, out, plain) if written is None else written
        if out is None and (targets or not call.is_pure):
            return None
        if isinstance(out, tuple | list) and out and all(isinstance(part, np.ndarray | np.generic) for part in out):
            parts = [self._result(call, part, plain) for part in out]
            return out._make(parts) if hasattr(out, "_make") else type(out)(parts)
        if call.function in STRUCTURAL:
            return out
        return self.refuse(
            f"{call.name} gave {type(out).__name__}, which depends on values of arrays; later calls could not follow"
        )

    def _result(self, call: Call, out: Any, plain: list[Array]) -> RecordedArray:
        array, base, offset = np.asarray(out), None, 0
        if isinstance(out, np.ndarray) and call.is_pure and not isinstance(call.function, np.ufunc):
            for operand, given in zip(call.operands, plain, strict=True):
                if out is given:
                    return RecordedArray(array, operand, self)
                if np.may_share_memory(out, given):
                    base, offset = operand, operand.offset + int(array.ctypes.data) - int(given.ctypes.data)
                    break
        value = Value(Layout.of(array), base=base, offset=offset)
        call.results += (value,)
        return RecordedArray(array, value, self, isinstance(out, np.generic))

    def callback(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], writes: tuple[Any, ...]
    ) -> Any:
        """Call a function that is called as a whole in every replay; it may draw random numbers."""
        self._randomness.check(self)
        with self._randomness.allowed():
            return self.call(function, args, kwargs, writes, is_pure=False)

    def attempt(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function that may do with arrays what it likes: what it calls is recorded, or else it as a whole."""
        before = len(self.calls)
        try:
            return function(*args, **kwargs)
        except Exception:
            del self.calls[before:]
            return self.callback(function, args, kwargs, ())

    def constant(self, array: Array) -> RecordedArray:
        """An array that stays as it is, where others from outside are read anew in every call."""
        return self._enter(array, Constant(array))

    def assume(self, read: Callable[[], Any]) -> Any:
        """What a function gives, and will have to give in every later call."""
        value = read()
        self.guards.append(Guard("{0}() == {1}", read, value))
        return value

    # ---- gradients ----

    def enter_slot(self, slot: GradientSlot) -> None:
        """Take note of a gradient that is about to be read or added to: it was there at the start, or was not."""
        if slot in self.slots or slot in self._own_slots:
            return
        gradient = slot.grad
        self.guards.append(Guard("({0}.grad is None) is {1}", slot, gradient is None))
        if gradient is None:
            self.slots[slot] = None
            return
        recorded = self._enter(np.asarray(gradient._data), EntryGradient(slot))
        self.slots[slot] = recorded.value
        entered = object.__new__(Tensor)
        entered._data, entered._node, entered._name = recorded, None, None
        slot.grad = entered

    def forget_slot(self, slot: GradientSlot) -> None:
        """Take note that a gradient is forgotten, whatever it was."""
        if slot not in self._own_slots:
            self.slots.setdefault(slot, None)

    def own_slot(self, slot: GradientSlot) -> None:
        """Take note of a place for a gradient that the function makes itself, and that is gone with it."""
        self._own_slots.add(slot)

    # ---- the end ----

    def finish(self) -> None:
        """Write down what the function leaves: the arrays that tensors were assigned, and gradients."""
        for tensor, (recorded, node) in self._adopted.items():
            if tensor._data is not recorded:
                self.call(np.copyto, (recorded, tensor._data), {})
                tensor._data = recorded
            if tensor._node is not node and isinstance(node, Leaf) and isinstance(tensor._node, Leaf):
                self.renewed.append(tensor)
        for slot, entered in self.slots.items():
            gradient = None if slot.grad is None else slot.grad._data
            if gradient is not None and not isinstance(gradient, RecordedArray):
                gradient = self._capture(gradient)
            if gradient is None or gradient.value is not entered:
                self.final_gradients[slot] = None if gradient is None else gradient.value
        self._randomness.check(self)

    def release(self) -> None:
        """Give all tensors their plain arrays again, also where the function raised."""
        for tensor, (recorded, _) in self._adopted.items():
            tensor._data = recorded.array if tensor._data is recorded else bare(tensor._data)
        for slot in self.slots:
            if slot.grad is not None:
                slot.grad._data = bare(slot.grad._data)

    # ---- refusals ----

    def refuse(self, reason: str) -> NoReturn:
        """Raise, with the line of the user's code."""
        raise CompileError(f"{self.name}, at {line()}: {reason}")

    def is_foreign(self, values: Iterable[Any]) -> bool:
        """Whether an operand has to answer in the place of the recorded arrays: a tensor does."""
        for value in values:
            if isinstance(value, Tensor):
                return True
            if isinstance(value, tuple | list) and self.is_foreign(value):
                return True
        return False

    # ---- within ----

    @contextmanager
    def _suspended(self) -> Iterator[None]:
        """For a while record nothing, and let all tensors have plain arrays."""
        tensors = [*self._adopted, *(slot.grad for slot in self.slots if slot.grad is not None)]
        recorded = [tensor._data for tensor in tensors]
        plain = [bare(data) for data in recorded]
        outer = STATE.recording
        STATE.plan, STATE.recording = None, bool(outer)
        for tensor, array in zip(tensors, plain, strict=True):
            tensor._data = array
        try:
            yield
        finally:
            STATE.plan, STATE.recording = self, outer
            changed = [t for t, array in zip(tensors, plain, strict=True) if t._data is not array]
            for tensor, data in zip(tensors, recorded, strict=True):
                tensor._data = data
        if changed:
            self.refuse(
                f"a callback assigned another array to {changed[0]._brief()}, which no replay would see; change it in "
                "place, and name it in writes="
            )

    def _as_value(self, member: Any, plain: list[Array]) -> Any:
        if isinstance(member, np.ndarray):
            member = self._capture(member)
        if not isinstance(member, RecordedArray):
            return member
        plain.append(member.array)
        return member.value


def bare(member: Any) -> Any:
    """The plain array of a recorded one; anything else as it is."""
    return member.array if isinstance(member, RecordedArray) else member


def line() -> str:
    """The line of the user's code that runs: the innermost outside of NumPy and this library."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_LIBRARIES):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _written(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """What a function of NumPy's changes in place."""
    if function in _WRITING or getattr(function, "__name__", "") == "at":
        return args[:1]
    out = kwargs.get("out")
    if isinstance(out, tuple):
        return tuple(target for target in out if target is not None)
    return () if out is None else (out,)


_WRITING = frozenset(
    {np.copyto, np.put, np.putmask, np.place, np.fill_diagonal, np.put_along_axis, operator.setitem}
    | {np.ndarray.fill, np.ndarray.sort, np.ndarray.partition, np.ndarray.put}
)

_PACKAGE = str(Path(__file__).parents[2])
_LIBRARIES = (
    *(
        os.path.join(folder, "")
        for folder in (_PACKAGE, os.path.join(os.path.dirname(_PACKAGE), "nn"), os.path.dirname(np.__file__))
    ),
    random.__file__,
)
