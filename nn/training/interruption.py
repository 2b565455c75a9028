"""Ctrl-C as a request to come to an end, in place of an exception in the middle of a step."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class Interruption:
    """Within its ``with`` block a first Ctrl-C is remembered, and a second one interrupts as usual.

    Outside of the main thread, and where a program has a handler of its own, it leaves Ctrl-C as it is.

    Attributes
    ----------
    happened : bool
        Whether there was one.
    """

    def __init__(self) -> None:
        self.happened = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            self._before = signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.happened:
            signal.default_int_handler(number, frame)
        self.happened = True
