"""A run's folder: one training at a time writes into it, and a second one is refused with the name of the first."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..io.weights import CheckpointError

NAME = ".run.lock"
"""The file in the folder that is locked while a training runs, with a line that says which."""

_PLACE = 1 << 30
"""The byte that is locked on Windows, where a locked byte cannot be read."""

_HELD: dict[Path, tuple[object, int]] = {}
"""From each folder that this process has locked to the training, and the descriptor of its file."""


@contextmanager
def locked(folder: Path, training: object) -> Iterator[None]:
    """Lock a folder for a training, within the ``with`` statement; the system frees it if the process is killed.

    Raises
    ------
    CheckpointError
        If another training runs in the folder, in this process or in another one.
    OSError
        If the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    if folder in _HELD and _HELD[folder][0] is training:
        yield  # by another callback of the same training
        return
    path = folder / NAME
    descriptor = _locked(path)
    _HELD[folder] = training, descriptor
    try:
        began = time.strftime("%Y-%m-%d %H:%M:%S")
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}, since {began}\n".encode())
        yield
    finally:
        del _HELD[folder]
        # It is deleted while it is locked, so that nobody else deletes the file of a training that begins now.
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _locked(path: Path) -> int:
    """The descriptor of the locked file."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            _lock(descriptor)
        except BlockingIOError:
            first = _first(descriptor)
            os.close(descriptor)
            raise CheckpointError(
                f"another training runs in the folder {path.parent}: {first}; wait until it ends, or choose another "
                "folder"
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                os.ftruncate(descriptor, 0)
                return descriptor
        os.close(descriptor)  # the training that had it has ended meanwhile, and has deleted it


def _first(descriptor: int) -> str:
    """What the first training wrote; it may be about to."""
    for _ in range(100):
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 1000).decode(errors="replace")
        if text.endswith("\n"):
            return text.strip()
        time.sleep(0.01)
    return "an unknown process"


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from None
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release_in_child() -> None:
        """A child process has copies of the descriptors, which would hold the lock after the training's end."""
        for _, descriptor in _HELD.values():
            os.close(descriptor)
        _HELD.clear()

    os.register_at_fork(after_in_child=_release_in_child)
