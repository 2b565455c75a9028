"""What holds in this thread: whether calls are recorded, what answers them, and what tensors' contents go through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ContextDecorator
from types import TracebackType
from typing import Any, Protocol


class Interpreter(Protocol):
    """What answers calls on its own kind of tensors in the engine's place.

    Attributes
    ----------
    depth : int
        How many interpreters are running, this one and those around it.
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


class Context:
    """The state of a thread.

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
    """

    __slots__ = ("interpreter", "paused", "recording", "tracer")

    def __init__(self) -> None:
        self.recording = True
        self.paused = -1
        self.interpreter: Interpreter | None = None
        self.tracer: Tracer | None = None

    @property
    def depth(self) -> int:
        """How many interpreters are running, one within the other."""
        return 0 if self.interpreter is None else self.interpreter.depth


class _Thread(threading.local):
    def __init__(self) -> None:
        self.context = Context()


THREAD = _Thread()
"""``THREAD.context`` is the `Context` of the thread that asks."""


class no_grad(ContextDecorator):  # noqa: N801 - the name that users of every peer know
    """Within it nothing is recorded and nothing is kept: results do not require a gradient.

    A context manager and a decorator; it nests, holds for the thread that enters it, and ends with an exception too.

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

    _recording = False

    def __init__(self) -> None:
        self._outer: list[tuple[bool, int]] = []

    def __enter__(self) -> no_grad:
        context = THREAD.context
        self._outer.append((context.recording, context.paused))
        context.recording = self._recording
        context.paused = -1 if self._recording else context.depth
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        THREAD.context.recording, THREAD.context.paused = self._outer.pop()

    def _recreate_cm(self) -> no_grad:
        return type(self)()


class recorded(no_grad):  # noqa: N801
    """Within it calls are recorded, whatever holds outside: for a backward pass with ``create_graph=True``."""

    _recording = True
