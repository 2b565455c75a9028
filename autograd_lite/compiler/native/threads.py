"""Threads that take a share of the machine code's work, as many as BLAS has; they sleep while there is no work."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache

from . import blas

MOST_THREADS = 8
"""The largest number of threads; with more of them, memory is the bottleneck."""


class Helper:
    """A thread that runs the functions that it is given."""

    def __init__(self) -> None:
        self._begin, self._end = threading.Lock(), threading.Lock()
        self._begin.acquire()
        self._end.acquire()
        self._work: Callable[[], object] = lambda: None
        self._error: BaseException | None = None
        threading.Thread(target=self._serve, name="autograd_lite", daemon=True).start()

    def start(self, work: Callable[[], object]) -> None:
        """Begin some work."""
        self._work = work
        self._begin.release()

    def wait(self) -> None:
        """Wait until the work is done."""
        self._end.acquire()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _serve(self) -> None:
        while True:
            self._begin.acquire()
            try:
                self._work()
            except BaseException as error:
                self._error = error
            self._end.release()


def threads() -> int:
    """The number of threads that share the work, this one included."""
    found = blas.call("get_num_threads", ctypes.c_int)
    # With two cores, BLAS's own thread spins on the second one after a product: sharing made steps 3 % slower.
    return min(MOST_THREADS, found) if isinstance(found, int) and found > 2 else 1


@cache
def _helper(number: int) -> Helper:
    return Helper()


_SHARING = threading.Lock()
"""The thread whose work is shared holds this lock; meanwhile another thread does its work alone."""


def share(parts: Sequence[Callable[[], object]]) -> None:
    """Run the parts of some work at the same time, the first of them in this thread."""
    if not _SHARING.acquire(blocking=False):
        for part in parts:
            part()
        return
    try:
        helpers = [_helper(i) for i in range(len(parts) - 1)]
        for helper, part in zip(helpers, parts[1:], strict=True):
            helper.start(part)
        try:
            parts[0]()
        finally:
            for helper in helpers:
                helper.wait()
    finally:
        _SHARING.release()


def _forget() -> None:
    """Forget the helpers in a forked process, which has one thread only."""
    global _SHARING
    _helper.cache_clear()
    _SHARING = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
