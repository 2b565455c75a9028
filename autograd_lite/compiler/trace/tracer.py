"""`Tracer`: records the program of a compiled function's calls while the function runs for the first time.

It hands out traced arrays in place of the tensors' own. Everything is really computed, so the first call has its full
effect. The tensors and gradients that others can see keep plain arrays: values that the function assigns to them are
written when a callback may read them, and at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NoReturn

import numpy as np

from ...core.commit import commit
from ...core.context import CONTEXT, trace
from ...core.graph import GradientSlot, Leaf
from ...core.registry import STRUCTURAL
from ...core.tensor import Tensor, wrap
from ...core.tree import mapped
from ...errors import CompileError
from ...user_line import user_line
from ..array_layout import Array, Layout
from ..ir import Argument, Assignment, Call, Captured, Constant, EntryGradient, Origin, Value
from ..outside import Outside
from ..overlap import is_plain, overlap
from .effects import gives_views_by_shapes, written
from .guards import Guard
from .rng_guard import Randomness
from .sharing import Sharing
from .surroundings import guard_of, places_of
from .traced_array import TracedArray, bare, gives_number


class Tracer:
    """A recorder of everything that a function does with arrays.

    Parameters
    ----------
    name : str
        The name of the function, for messages.
    roots : iterable or None
        The function and its arguments, from which random generators are searched; None for no search.
    outside : Outside, optional
        Takes note when a callback runs.

    Attributes
    ----------
    calls : list of Call
        The calls in their order.
    guards : list of Guard
        The conditions under which the program is valid.
    slots : dict
        From each gradient slot that was read or written to the value that it had at the start, or None.
    final_gradients : dict
        From each gradient slot that the function changes to its last value, or None if it has no gradient then.
    renewed : list of Tensor
        Leaves whose arrays were changed, so that graphs recorded before refuse them.
    """

    def __init__(self, name: str, roots: Iterable[Any] | None = (), outside: Outside | None = None) -> None:
        self.name = name
        self._outside = outside or Outside()
        self.calls: list[Call] = []
        self.guards: list[Guard] = []
        self.slots: dict[GradientSlot, Value | None] = {}
        self.final_gradients: dict[GradientSlot, Value | None] = {}
        self.renewed: list[Tensor] = []
        self._own_slots: set[GradientSlot] = set()
        self._adopted: dict[Tensor, tuple[TracedArray, Any]] = {}
        self._assigned: dict[Tensor, TracedArray] = {}
        self._written: dict[Tensor, tuple[Value, int]] = {}
        self._entries: list[TracedArray] = []
        self._callbacks: list[Callable[..., Any]] = []
        self._gradients: dict[GradientSlot, Tensor | None] = {}
        self._watched: set[Tensor] = set()
        self._captured: dict[int, TracedArray] = {}
        self._sharing = Sharing(self.refuse)
        self._randomness = Randomness(roots)

    def watching(self) -> AbstractContextManager[None]:
        """Refuse random numbers that are drawn in Python within the `with` statement."""
        return self._randomness.watched(self.refuse)

    # ---- arrays from outside ----

    def argument(self, array: Array, position: int) -> TracedArray:
        """An array that the function is called with."""
        return self._enter(array, Argument(position))

    def array_of(self, tensor: Tensor) -> Any:
        """The traced array of a tensor."""
        if isinstance(tensor._value, TracedArray):
            return tensor._value
        if tensor in self._assigned:
            return self._assigned[tensor]
        return self._adopted[tensor][0] if tensor in self._adopted else self._adopt(tensor)

    def assign(self, tensor: Tensor, array: Any) -> None:
        """Take over the array that was assigned to a tensor's ``.data``."""
        if isinstance(tensor._value, TracedArray):
            tensor._value = array
            return
        self.array_of(tensor)
        self._assigned[tensor] = array if isinstance(array, TracedArray) else self._capture(array)

    def _adopt(self, tensor: Tensor) -> TracedArray:
        array = tensor._value
        if not isinstance(array, np.ndarray | np.generic):
            raise CompileError(
                f"{self.name}: expected a tensor with a NumPy array, got one with {type(array).__name__}"
            )
        if tensor._node is not None and not isinstance(tensor._node, Leaf):
            self.refuse(
                f"{tensor._brief()} is a result in a graph that was recorded outside of the compiled function, and "
                "only one backward pass can use it. Compute it inside, pass it as an argument, or .detach() it outside"
            )
        if isinstance(array, np.generic):
            tensor._value = array = np.asarray(array)
        if not is_plain(array):
            self.refuse(f"{tensor._brief()} has a {type(array).__name__} that is not a plain, aligned array of numbers")
        tensor._is_as_lent()
        traced = self._enter(array, Captured(tensor))
        self.look_at(tensor)
        self._adopted[tensor] = traced, tensor._node
        slot = tensor._node and tensor._node.slot
        if slot:
            self.guards.append(Guard("{0}.hooks is {1}", slot, slot.hooks))
        return traced

    def look_at(self, tensor: Tensor) -> None:
        """Add a guard: a tensor goes on to require a gradient or not, and its gradient goes to the same slot."""
        if tensor in self._watched or isinstance(tensor._value, TracedArray):
            return
        self._watched.add(tensor)
        node = tensor._node
        self.guards.append(Guard(f"{{0}}._node{'' if node is None else '.slot'} is {{1}}", tensor, node and node.slot))

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors from outside of the function."""
        return list(self._adopted)

    def _enter(self, array: Array, origin: Origin) -> TracedArray:
        entered = TracedArray(array, Value(Layout.of(array), origin), self)
        if not isinstance(origin, Constant):
            self._entries.append(entered)
        return entered

    def _capture(self, array: Array) -> TracedArray:
        """The traced array of a plain array that the function made, or found outside."""
        found = self._captured.get(id(array))
        if found is None:
            if not is_plain(array):
                self.refuse(
                    f"a {type(array).__name__} of {array.dtype} is among the operands, and a plan computes with plain, "
                    "aligned arrays of numbers alone. Make one of it outside, or call the function uncompiled"
                )
            self._randomness.check(self.refuse)
            found = self._captured[id(array)] = self._enter(array, Captured(array))
            self.guards.append(Guard("{0}.shape == {1}", array, array.shape))
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
        if CONTEXT.get().tracer is not self:
            raise CompileError(
                f"{self.name}: an array of the compiled function is used after its first call has ended, or in another "
                "thread; return what you need outside"
            )
        writes = writes or written(function, args, kwargs)
        operands: list[TracedArray] = []
        values, named = mapped(lambda member: self._as_value(member, operands), (args, kwargs))
        with nullcontext() if is_pure else self._suspended():
            out = function(*mapped(bare, args), **mapped(bare, kwargs))
        call = Call(function, values, named, is_pure=is_pure, line=user_line())
        call.versions = tuple(operand.root.version for operand in call.operands)
        targets = [self._checked_target(target) for target in writes]
        call.writes = tuple(target.value for target in targets)
        for target in targets:
            self._change(target)
        result = self._results(call, out, targets, operands)
        self._sharing.settle(call)
        if is_pure and not writes and isinstance(result, TracedArray) and not result.ndim:
            result.is_scalar = result.is_scalar or gives_number(function, args, kwargs)
        if call.results or call.writes or not is_pure:
            self.calls.append(call)
        return result

    def _change(self, target: TracedArray) -> None:
        """Take note that an array was written to, and with it all arrays from outside that share its memory."""
        root = target.value.root
        self._sharing.look_at_write(root)
        root.version += 1
        if root.origin is None:
            return
        for entry in self._entries:
            if entry.value is not root and overlap(entry.array, target.array):
                entry.value.version += 1
            elif entry.value is not root:
                continue
            if isinstance(entry.value.origin, Captured) and isinstance(entry.value.origin.holder, Tensor):
                entry.value.origin.holder._is_as_lent()

    def _checked_target(self, target: Any) -> TracedArray:
        origin = target.value.root.origin if isinstance(target, TracedArray) else None
        is_plain_array = isinstance(origin, Captured) and isinstance(origin.holder, np.ndarray)
        if not isinstance(target, TracedArray) or is_plain_array or isinstance(origin, Constant):
            self.refuse(
                f"the function writes to a plain array of shape {np.shape(target)}; if it made that array itself, "
                "later calls would find the values that this call leaves. Make it with np.zeros_like of an argument, "
                "keep it in a Tensor, or pass it as an argument"
            )
        return target

    def _results(self, call: Call, out: Any, targets: list[TracedArray], operands: list[TracedArray]) -> Any:
        if isinstance(out, np.ndarray | np.generic):
            return self._result_or_target(call, out, targets, operands)
        if out is None and (targets or not call.is_pure):
            return None
        if isinstance(out, tuple | list) and out and all(isinstance(part, np.ndarray | np.generic) for part in out):
            call.gives_tuple = True
            parts = [self._result_or_target(call, part, targets, operands) for part in out]
            if targets and call.results and isinstance(call.function, np.ufunc):
                self.refuse(f"{call.name} is given out= for some of its results alone; give it for all, or for none")
            return out._make(parts) if hasattr(out, "_make") else type(out)(parts)
        if call.function in STRUCTURAL:
            return out
        return self.refuse(
            f"{call.name} returned {type(out).__name__}, which depends on the numbers in arrays, and later calls would "
            "use this first result; call it by autograd_lite.callback"
        )

    def _result_or_target(
        self, call: Call, out: Any, targets: list[TracedArray], operands: list[TracedArray]
    ) -> TracedArray:
        target = next((target for target in targets if out is target.array), None)
        return self._result(call, out, operands) if target is None else target

    def _result(self, call: Call, out: Any, operands: list[TracedArray]) -> TracedArray:
        array, is_number = np.asarray(out), isinstance(out, np.generic)
        if not call.gives_tuple and call.is_pure and gives_views_by_shapes(call.function):
            for operand in operands:
                if out is operand.array:
                    return TracedArray(array, operand.value, self, operand.is_scalar)
        value = self._sharing.value_of(call, array, out, operands)
        call.results += (value,)
        return TracedArray(array, value, self, is_number)

    def callback(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], writes: tuple[Any, ...]
    ) -> Any:
        """Call a function that every replay will call as a whole; it may draw random numbers."""
        self._randomness.check(self.refuse)
        self._callbacks.append(function)
        writes, function = writes or written(function, args, kwargs), self._outside.noting(function)
        with self._randomness.allowed():
            return self.call(function, args, kwargs, writes, is_pure=False)

    def attempt(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function and record its calls; if it cannot be traced, record it as a callback."""
        before = len(self.calls)
        try:
            return function(*args, **kwargs)
        except Exception:
            del self.calls[before:]
            return self.callback(function, args, kwargs, ())

    def constant(self, array: Array) -> TracedArray:
        """The traced array of an array that never changes; all others from outside are read again in every call."""
        return self._enter(array, Constant(array))

    def assume(self, read: Callable[[], Any]) -> Any:
        """The result of a function, which has to be the same in every later call."""
        value = read()
        self.guards.append(Guard("{0}() == {1}", read, value))
        return value

    # ---- gradients ----

    def gradient_in(self, slot: GradientSlot) -> Tensor | None:
        """The gradient in a slot; whether there is one at the start has to be the same in every later call."""
        if slot in self._own_slots:
            return slot.grad  # type: ignore[no-any-return]
        if slot not in self._gradients:
            gradient = slot.grad
            self.slots[slot] = None
            if gradient is None:
                self.guards.append(Guard("{0}.grad is {1}", slot, None))
            else:
                strides = np.asarray(gradient._value).strides
                self.guards.append(Guard("{0}.grad is not None and {0}.grad._value.strides == {1}", slot, strides))
                traced = self._enter(np.asarray(gradient._value), EntryGradient(slot))
                self.slots[slot], gradient = traced.value, wrap(traced)
            self._gradients[slot] = gradient
        return self._gradients[slot]

    def leave_gradient(self, slot: GradientSlot, gradient: Tensor | None) -> None:
        """Put a gradient, or None, into a slot, and replace the old one."""
        if slot in self._own_slots:
            slot.grad = gradient
            return
        self.slots.setdefault(slot, None)
        self._gradients[slot] = gradient

    def own_slot(self, slot: GradientSlot) -> None:
        """Register a gradient slot that the function makes itself, and that nobody sees afterwards."""
        self._own_slots.add(slot)

    # ---- the end ----

    def is_replayable(self) -> bool:
        """Whether no two arrays that change from call to call share memory that was written to.

        A plan takes them for arrays of their own; those of tensors are looked at when its code is written.
        """
        changing = [entry for entry in self._entries if self._is_changing(entry.value)]
        changed = {value.root for call in self.calls for value in call.writes}
        return not any(
            overlap(one.array, other.array)
            for one in changing
            for other in self._entries
            if other is not one and (one.value in changed or other.value in changed)
        )

    def _is_changing(self, value: Value) -> bool:
        origin = value.origin
        if not isinstance(origin, Captured):
            return True
        return isinstance(origin.holder, Tensor) and origin.holder in self._assigned

    def finish(self) -> None:
        """Record the final state: the arrays that were assigned to tensors, and the gradients."""
        self._write_arrays()
        for tensor, (_, node) in self._adopted.items():
            if tensor._node is not node and isinstance(node, Leaf) and isinstance(tensor._node, Leaf):
                self.renewed.append(tensor)
        for slot, entered in self.slots.items():
            gradient = self._gradients[slot]
            array = None if gradient is None else gradient._value
            if array is not None and not isinstance(array, TracedArray):
                array = self._capture(array)
            if array is None or array.value is not entered:
                self.final_gradients[slot] = None if array is None else array.value
        self._randomness.check(self.refuse)

    def look_around(self, function: Any, arguments: Iterable[Any]) -> None:
        """Take note of what the function found in variables, attributes and containers: so it will have to be later."""
        for place in places_of(function, arguments, self._randomness.code, self._callbacks):
            self.guards.append(guard_of(place))

    def forget(self) -> None:
        """Let go of everything but the name: much of it holds the tracer, which is then freed without the collector."""
        name = self.name
        vars(self).clear()
        self.name = name

    def release(self) -> None:
        """Give the tensors and gradients their final values as plain arrays, even if the function raised."""
        self._randomness.stop()
        commit([(setattr, tensor, "_value", array.array) for tensor, array in self._assigned.items()])
        self._write_gradients()

    def _write_arrays(self) -> None:
        """Give tensors the arrays that were assigned to them since the last time."""
        now = {tensor: (array.value, array.value.root.version) for tensor, array in self._assigned.items()}
        new = {tensor: self._assigned[tensor] for tensor in now if now[tensor] != self._written.get(tensor)}
        if new:
            values = tuple(array.value for array in new.values())
            versions = tuple(value.root.version for value in values)
            assign = Assignment(tuple(new))
            self.calls.append(Call(assign, values, {}, is_pure=False, line=user_line(), versions=versions))
            assign(*(array.array for array in new.values()))
        self._written = now

    def _write_gradients(self) -> dict[GradientSlot, Tensor | None]:
        """Put the gradients into their slots as plain arrays; unchanged ones stay."""
        for slot, gradient in self._gradients.items():
            if gradient is None:
                slot.grad = None
            elif not isinstance(gradient._value, TracedArray):
                slot.grad = gradient
            elif gradient._value.value is not self.slots[slot]:
                slot.grad = wrap(gradient._value.array, gradient._node)
        return {slot: slot.grad for slot in self._gradients}

    # ---- refusals ----

    def refuse(self, reason: str) -> NoReturn:
        """Raise, with the line of the user's code."""
        raise CompileError(f"{self.name}, at {user_line()}: {reason}")

    def is_foreign(self, values: Iterable[Any]) -> bool:
        """Whether an operand handles the call instead of the traced arrays, as a tensor does."""
        for value in values:
            if isinstance(value, Tensor):
                return True
            if isinstance(value, tuple | list) and self.is_foreign(value):
                return True
        return False

    # ---- within ----

    @contextmanager
    def _suspended(self) -> Iterator[None]:
        """Trace nothing within the `with` statement; tensors and slots have their current plain arrays there."""
        self._write_arrays()
        arrays = [(tensor, tensor._value) for tensor in self._adopted]
        gradients = self._write_gradients()
        arrays += [(gradient, gradient._value) for gradient in gradients.values() if gradient is not None]
        trace(None)
        try:
            yield
        finally:
            trace(self)
        exchanged = [tensor for tensor, array in arrays if tensor._value is not array]
        exchanged += [g for slot, g in gradients.items() if g is not None and slot.grad is not g]
        for changed in exchanged[:1]:
            self.refuse(
                f"a callback assigned another array to {changed._brief()}, and a replay would not see that; change the "
                "array in place, and name it in writes="
            )

    def _as_value(self, member: Any, operands: list[TracedArray]) -> Any:
        if isinstance(member, np.ndarray):
            member = self._capture(member)
        if not isinstance(member, TracedArray):
            return member
        operands.append(member)
        return member.value
