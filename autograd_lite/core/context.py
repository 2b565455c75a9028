"""What holds where a call is made: whether it is recorded, what answers it, and what tensors' contents go through.

It travels as context variables do (PEP 567): each thread and each asynchronous task has its own.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ContextDecorator
from contextvars import ContextVar
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, Literal, Protocol, Self, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


class Interpreter(Protocol):
    """What answers calls on its own kind of tensors in the engine's place.

    Attributes
    ----------
    depth : int
        Larger than that of every interpreter that was entered before.
    """

    depth: int

    def answering(self, values: Sequence[Any]) -> Interpreter | None:
        """The interpreter whose tensors are among the values, the innermost of several; None for the engine."""

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The result of a call."""


class Tracer(Protocol):
    """What stands between tensors and their contents: what this thread reads and writes of them goes through it."""

    def array_of(self, tensor: Any) -> Any:
        """The array to compute with in the place of a tensor's own."""

    def assign(self, tensor: Any, array: Any) -> None:
        """Take over the array that was assigned to a tensor's ``.data``."""

    def look_at(self, tensor: Any) -> None:
        """Take note that the program asks whether a tensor requires a gradient, or has one."""

    def gradient_in(self, slot: Any) -> Any:
        """The gradient that is in a slot."""

    def leave_gradient(self, slot: Any, gradient: Any) -> None:
        """Take over the gradient, or None, that is put into a slot."""

    def own_slot(self, slot: Any) -> None:
        """Take note of a slot that the program makes itself, and that is gone with it."""

    def attempt(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a function that may do with arrays what it likes."""


class Anomalies(Protocol):
    """What looks at the results of calls and at cotangents for the first that is not finite."""

    def look_at_result(self, function: Callable[..., Any], values: Sequence[Any], out: Any) -> None:
        """Refuse a result that is not finite, of values that are."""

    def look_at_tangent(self, function: Callable[..., Any], values: Sequence[Any], tangent: Any) -> None:
        """Refuse the tangent of a result if it is not finite, while the values, and their tangents, are."""

    def note(self, result: Any) -> None:
        """Take note of a call that has been recorded, with this result."""

    def watcher(self) -> Any:
        """What looks on in a backward pass."""


Open = tuple["Block", int, FrameType | None]
"""A block that is open, the depth of the interpreter around it, and the frame of the generator that has opened it."""


class Context:
    """What holds where a call is made. A context is never changed: another one takes its place.

    Attributes
    ----------
    recording : bool
        Whether calls on tensors outside of all interpreters are recorded.
    paused : int
        The depth of the innermost interpreter that a `no_grad` holds for; -1 for none.
    interpreter : Interpreter or None
        The innermost that is running.
    tracer : Tracer or None
        What stands between tensors and their contents.
    anomalies : Anomalies or None
        What looks for numbers that are not finite.
    is_plain : bool
        Whether there is neither a tracer nor a look for anomalies.
    blocks : tuple of Open
        The blocks that are open, the innermost at the end.
    """

    __slots__ = ("anomalies", "blocks", "interpreter", "is_plain", "paused", "recording", "tracer")

    def __new__(
        cls, interpreter: Interpreter | None = None, tracer: Tracer | None = None, blocks: tuple[Open, ...] = ()
    ) -> Context:
        """A context, which looks at its generators where some have blocks open."""
        return object.__new__(cls if all(generator is None for _, _, generator in blocks) else _WithGenerators)

    def __init__(
        self, interpreter: Interpreter | None = None, tracer: Tracer | None = None, blocks: tuple[Open, ...] = ()
    ) -> None:
        self.interpreter, self.tracer, self.blocks = interpreter, tracer, blocks
        self.recording, self.paused, self.anomalies = True, -1, _EVERYWHERE[-1]
        for block, depth, _ in blocks:
            if block.records is not None:
                self.recording = block.records
                self.paused = -1 if block.records else depth
            if block.anomalies is not None:
                self.anomalies = block.anomalies or None
        self.is_plain = tracer is None and self.anomalies is None

    @property
    def depth(self) -> int:
        """The depth of the innermost interpreter that is running; 0 if there is none."""
        return 0 if self.interpreter is None else self.interpreter.depth


class _WithGenerators(Context):
    """A context with blocks that generators have open: these hold only while the generator runs, and not its caller."""

    __slots__ = ()

    def __init__(
        self, interpreter: Interpreter | None = None, tracer: Tracer | None = None, blocks: tuple[Open, ...] = ()
    ) -> None:
        self.interpreter, self.tracer, self.blocks = interpreter, tracer, blocks

    def _now(self) -> Context:
        # A generator's frame has none below it while it waits to go on.
        blocks: list[Open] = [(block, d, None) for block, d, frame in self.blocks if frame is None or frame.f_back]
        return Context(self.interpreter, self.tracer, tuple(blocks))

    recording = property(lambda self: self._now().recording)
    paused = property(lambda self: self._now().paused)
    anomalies = property(lambda self: self._now().anomalies)
    is_plain = property(lambda self: self._now().is_plain)


_EVERYWHERE: list[Anomalies | None] = [None]
_OUTSIDE = Context()

CONTEXT: ContextVar[Context] = ContextVar("autograd_lite", default=_OUTSIDE)
"""Its value is the `Context` of the thread, or of the asynchronous task, that asks for it."""

RUNNING: list[Interpreter] = []
"""The interpreters that are running in any thread: what they transform may compute in other threads too."""


def interpreted_by(interpreter: Interpreter | None) -> Context:
    """The context in which an interpreter answers the calls of its tensors; None for the engine alone."""
    context = CONTEXT.get()
    return Context(interpreter, context.tracer, context.blocks)


def trace(tracer: Tracer | None) -> None:
    """From now on let a tracer stand between tensors and their contents; None for no tracer."""
    context = CONTEXT.get()
    CONTEXT.set(Context(context.interpreter, tracer, context.blocks))


def look_everywhere(anomalies: Anomalies | None) -> None:
    """From now on look for anomalies outside of all blocks, in this thread and in others; None not to."""
    _EVERYWHERE[-1] = anomalies
    _OUTSIDE.anomalies, _OUTSIDE.is_plain = anomalies, anomalies is None
    context = CONTEXT.get()
    if context is not _OUTSIDE:
        CONTEXT.set(Context(context.interpreter, context.tracer, context.blocks))


def _generator(frame: FrameType) -> FrameType | None:
    """A frame if it is a generator's; None for others, and for that of `contextlib.contextmanager`."""
    is_generator = frame.f_code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)
    caller = frame.f_back
    while caller is not None and caller.f_code.co_flags & inspect.CO_GENERATOR:  # yield from
        caller = caller.f_back
    of_contextlib = caller is not None and caller.f_globals.get("__name__") == "contextlib"
    is_own = frame.f_globals is globals()  # which leaves its block before it yields
    return frame if is_generator and not of_contextlib and not is_own else None


class Block(ContextDecorator):
    """A context manager and decorator, of generators and coroutines too, that switches something while it is open.

    It nests, ends with an exception too, and holds for the thread, or the asynchronous task, that enters it. One object
    can be entered by several. A generator's block holds while the generator runs, and not for its caller between two of
    its values, except in `contextlib.contextmanager`'s; blocks of generators may be left in any order.

    Attributes
    ----------
    records : bool or None
        Whether calls are recorded; None leaves it as it is outside.
    anomalies : Anomalies, False or None
        What looks for numbers that are not finite; False for nothing, None leaves it as it is outside.
    """

    records: bool | None = None
    anomalies: Anomalies | Literal[False] | None = None

    def __enter__(self) -> Self:
        context = CONTEXT.get()
        try:
            blocks: tuple[Open, ...] = (*context.blocks, (self, context.depth, _generator(sys._getframe(1))))
            CONTEXT.set(Context(context.interpreter, context.tracer, blocks))
        except BaseException:  # an interruption, after which the block is not entered
            CONTEXT.set(context)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            outside = self._outside()
        except BaseException:  # an interruption, which is raised when the block has been left
            CONTEXT.set(self._outside())
            raise
        CONTEXT.set(outside)

    def _outside(self) -> Context:
        """The context without the block."""
        context = CONTEXT.get()
        # Not always the innermost block, since generators that take turns leave theirs in any order.
        mine = [i for i, (block, *_) in enumerate(context.blocks) if block is self]
        if not mine:
            return context
        return Context(context.interpreter, context.tracer, context.blocks[: mine[-1]] + context.blocks[mine[-1] + 1 :])

    def __call__(self, function: Function) -> Function:
        """The function, which then runs within such a block."""
        return _within(self, function) or super().__call__(function)  # type: ignore[return-value]


class no_grad(Block):  # noqa: N801 - the name that users of every peer know
    """Within it nothing is recorded and nothing is kept: results do not require a gradient.

    A context manager and a decorator, of generators and coroutines too. It nests, and ends with an exception too. It
    holds for the thread, or the asynchronous task, that enters it.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor, no_grad
    >>> w = Tensor([1.0, 2.0], requires_grad=True)
    >>> with no_grad():
    ...     y = np.exp(w)
    >>> y.requires_grad
    False
    >>> @no_grad()
    ... def predict(x):
    ...     return x @ w
    >>> predict(np.ones(2))
    Tensor(3., shape=(), dtype=float64)
    """

    records = False


class recorded(Block):  # noqa: N801
    """Within it calls are recorded, whatever holds outside: for a backward pass with ``create_graph=True``."""

    records = True


class unobserved(Block):  # noqa: N801
    """Within it nobody looks for anomalies."""

    anomalies = False


def _within(block: Block, function: Callable[..., Any]) -> Callable[..., Any] | None:
    """A generator or coroutine function whose body runs within a block; None for other functions.

    Between two values of a generator the block does not hold, since there the caller's code runs.
    """
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with block:
                return await function(*args, **kwargs)

        return coroutine
    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def generator(*args: Any, **kwargs: Any) -> Any:
            values, sent = function(*args, **kwargs), None
            resume = values.send
            while True:
                try:
                    with block:
                        value = resume(sent)
                except StopIteration as end:
                    return end.value
                try:
                    sent, resume = (yield value), values.send
                except GeneratorExit:
                    values.close()
                    raise
                except BaseException as error:
                    sent, resume = error, values.throw

        return generator
    if inspect.isasyncgenfunction(function):

        @wraps(function)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            values, sent = function(*args, **kwargs), None
            resume = values.asend
            while True:
                try:
                    with block:
                        value = await resume(sent)
                except StopAsyncIteration:
                    return
                try:
                    sent, resume = (yield value), values.asend
                except GeneratorExit:
                    await values.aclose()
                    raise
                except BaseException as error:
                    sent, resume = error, values.athrow

        return asynchronous
    return None
