"""Ctrl-C as a request to stop after the current step, instead of an exception in the middle of it."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self


class Interruption:
    """Within its ``with`` block, the first Ctrl-C is only recorded, and a second one interrupts as usual.

    Outside of the main thread, and in a program with its own handler, it does not change Ctrl-C.

    Attributes
    ----------
    happened : bool
        Whether Ctrl-C was pressed.
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
