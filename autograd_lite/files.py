"""Files that are written completely or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that at any time it has either the old contents or all of the new contents.

    A temporary file in the same folder is written, synced and renamed; on any failure it is removed.

    Raises
    ------
    OSError
        If the file cannot be written; the message has the file's name.

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
        # The message names the user's file, not the temporary one.
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the renaming survives a loss of power, if the system allows folders to be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
