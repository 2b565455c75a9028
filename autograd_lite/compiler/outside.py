"""`Outside`: whether a callback of a compiled function runs just now, which may wait for other threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import numpy as np

from ..core.registry import STRUCTURAL
from .fused_update import FusedUpdate
from .hints import looks_at_indices


class Outside:
    """Says which callback of a function runs.

    Parameters
    ----------
    lock : RLock, optional
        Is held while the function runs, and not in its callbacks.

    Attributes
    ----------
    callback : object or None
        Another object for each callback that runs; None while none does.
    """

    def __init__(self, lock: Any = None) -> None:
        self._lock = lock
        self.callback: object = None

    def noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A callback of which note is taken while it runs; those that wait for nobody stay as they are."""
        lock = self._lock
        if (
            lock is None
            or isinstance(function, FusedUpdate | np.ufunc)
            or looks_at_indices(function)
            or function in STRUCTURAL
        ):
            return function

        def noted(*args: Any, **kwargs: Any) -> Any:
            self.callback = object()
            try:
                lock.release()
                return function(*args, **kwargs)
            finally:
                self._return()

        noted.__name__ = repr(function)  # of what has no name itself
        return update_wrapper(noted, function, updated=())

    def _return(self) -> None:
        """Go on with the function itself."""
        self.callback = None
        try:
            self._lock.acquire()
        except BaseException:  # an interruption of the wait; the lock is let go further out
            self._lock.acquire()
            raise
