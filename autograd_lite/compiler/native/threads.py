"""Threads that take a share of the machine code's work, as many as BLAS has; they sleep while there is no work."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from queue import SimpleQueue

from ...core.commit import commit
from . import blas

MOST_THREADS = 8
"""The largest number of threads; with more of them, memory is the bottleneck."""


class Part:
    """A part of some work, which a helper does.

    Each has an end of its own, so that an interrupted wait for one leaves nothing that the next could take for its end.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._end = threading.Lock()
        self._end.acquire()
        self._is_done = False
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work, in a helper."""
        try:
            self._work()
        except BaseException as error:
            self._error = error
        self._is_done = True
        self._end.release()

    def wait(self) -> BaseException | None:
        """Wait until the work is done; returns what was raised in it."""
        if not self._is_done:
            self._end.acquire()
        return self._error


class Helper:
    """A thread that does the parts that it is given, one after the other."""

    def __init__(self) -> None:
        self._parts: SimpleQueue[Part] = SimpleQueue()
        self.start = self._parts.put
        threading.Thread(target=self._serve, name="autograd_lite", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._parts.get().run()


def threads() -> int:
    """The number of threads that share the work, this one included."""
    found = blas.call("get_num_threads", ctypes.c_int)
    # With two cores, BLAS's own thread spins on the second one after a product: sharing made steps 3 % slower.
    return min(MOST_THREADS, found) if isinstance(found, int) and found > 2 else 1


@cache
def _helper(number: int) -> Helper:
    return Helper()


_SHARING = threading.RLock()
"""The thread whose work is shared holds this lock; meanwhile another thread does its work alone.

The thread itself enters it again, so that it goes on sharing after an interruption that left the lock with it.
"""

_UNFINISHED: list[Part] = []
"""What helpers still do: none, but after an interruption."""


def share(parts: Sequence[Callable[[], object]]) -> None:
    """Run the parts of some work at the same time, the first of them in this thread.

    An interruption is raised when all parts that were begun are done, since they write to memory.
    """
    if not _SHARING.acquire(blocking=False):
        for part in parts:
            part()
        return
    try:
        _finish()
        begun = [(_helper(i).start, Part(work)) for i, work in enumerate(parts[1:])]
        commit([change for start, part in begun for change in ((_UNFINISHED.append, part), (start, part))])
        parts[0]()
        _finish()
    except BaseException:
        _finish()
        raise
    finally:
        _SHARING.release()


def _finish() -> None:
    """Wait for the helpers."""
    errors = [error for part in _UNFINISHED if (error := part.wait()) is not None]
    _UNFINISHED.clear()
    for error in errors[:1]:
        raise error


def _forget() -> None:
    """Forget the helpers in a forked process, which has one thread only."""
    global _SHARING
    _helper.cache_clear()
    _UNFINISHED.clear()
    _SHARING = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
