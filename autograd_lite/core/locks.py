"""Locks that a forked process finds open."""

from __future__ import annotations

import os
from threading import RLock
from typing import Any


def lock() -> Any:
    """A lock that a fork waits for, so that no other thread holds it, in the new process, for ever.

    It is for short work, and no code of a user's runs while it is held. A thread may enter it again.
    """
    made = RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=made.acquire, after_in_parent=made.release, after_in_child=made.release)
    return made
