"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that at every instant its path holds either the old contents or all of the new.

    A temporary file in the same folder is written, synced and renamed; on any failure it is removed.

    Raises
    ------
    OSError
        If the file cannot be written, with its name.

    Examples
    --------
    >>> write_atomically(Path("notes.txt"), b"new")
    >>> Path("notes.txt").read_bytes()
    b'new'
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        # The user knows the file by its own name.
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself last through a loss of power, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
