"""What holds in this thread: whether calls are recorded, which `no_grad` turns off, and how deep transforms nest."""

from __future__ import annotations

import threading
from contextlib import ContextDecorator
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..compiler.trace.tracer import Recorder
    from ..transforms.interpreter import Level


class _State(threading.local):
    """The state of a thread.

    Attributes
    ----------
    recording : bool or Recorder
        Whether calls on tensors outside of all transforms are recorded; what records a plan beside them, if one is.
    plan : Recorder or None
        What records a plan, whether or not there is a graph.
    level : int
        How many transforms of functions are running, one within the other.
    running : Level or None
        The innermost of them.
    paused : int
        The innermost level that a `no_grad` holds for; -1 for none.
    """

    recording: bool | Recorder = True
    plan: Recorder | None = None
    level = 0
    running: Level | None = None
    paused = -1


STATE = _State()


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
        self._outer: list[tuple[bool | Recorder, int]] = []

    def __enter__(self) -> no_grad:
        self._outer.append((STATE.recording, STATE.paused))
        STATE.recording = self._recording and (STATE.plan or True)
        STATE.paused = -1 if self._recording else STATE.level
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        STATE.recording, STATE.paused = self._outer.pop()

    def _recreate_cm(self) -> no_grad:
        return type(self)()


class recorded(no_grad):  # noqa: N801
    """Within it calls are recorded, whatever holds outside: for a backward pass with ``create_graph=True``."""

    _recording = True
