"""Files of the user: written completely or not at all, in one way for all of this project; and where caches are.

A file's new contents go to a temporary file in the same folder, are synced, and take the file's place in one step. What
is no file, such as a device or a pipe, is written into.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

ABANDONED_SECONDS = 24 * 3600.0
"""The age from which on a temporary file counts as left behind by a process that was killed."""

_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")
_LONGEST_NAME = 60
"""The number of characters of a file's name in that of its temporary file: 4 bytes each are within the 255 allowed."""


def write_atomically(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file so that at any time it has either the old contents or all of the new contents; see `replacing`.

    Examples
    --------
    >>> write_atomically(Path("notes.txt"), b"new")
    >>> Path("notes.txt").read_bytes()
    b'new'
    """
    with replacing(path, mode) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of another one when the block ends without an error.

    A symbolic link is followed, and stays. Permissions, extended attributes and, where the system allows it, the owner
    of an older file are kept. A device, a pipe or a descriptor such as ``/dev/stdout`` is written into as it is.
    Temporary files that a killed process has left in the folder are removed after a day.

    Parameters
    ----------
    path : Path
        The file.
    mode : int, default 0o666
        The permissions of a new file, from which the process's mask is taken.

    Raises
    ------
    OSError
        If the file cannot be written; the message has the file's name. The older file is kept.
    """
    try:
        target, found = _target(path)
        if (found is not None and not stat.S_ISREG(found.st_mode)) or _is_descriptor(target):
            with _as_it_is(target) as file:
                yield file
            return
        temporary = _temporary(target)
        try:
            with _opened(temporary, mode if found is None else 0o600) as file:
                yield file
                file.flush()
                if found is not None:
                    _take_over(found, target, temporary)
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(target.parent)
        remove_abandoned(target.parent)
    except OSError as error:
        # The message names the user's file, not the temporary one; an error of something else is left alone.
        if error.errno is None or _names_other(error, path):
            raise
        raise type(error)(error.errno, os.strerror(error.errno), str(path)) from None


def check_writable(path: Path) -> None:
    """Raise the error that `replacing` would raise for a path, as far as that can be known, and write nothing.

    Raises
    ------
    OSError
        If the file could not be written.
    """
    try:
        target, found = _target(path)
        if _is_descriptor(target):
            return
        if found is None or stat.S_ISREG(found.st_mode):
            temporary = _temporary(target)
            _opened(temporary, 0o600).close()
            temporary.unlink()
        elif not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "")
    except OSError as error:
        if error.errno is None:
            raise
        raise type(error)(error.errno, os.strerror(error.errno), str(path)) from None


def remove_abandoned(folder: Path, older_than: float = ABANDONED_SECONDS) -> None:
    """Remove the temporary files that killed processes have left in a folder, from an age in seconds on."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _PART.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime >= older_than:
                        os.unlink(entry)


def user_cache() -> Path | None:
    """The folder of this project among the user's caches; None if the user has no home.

    It is ``XDG_CACHE_HOME``, or else the system's folder for caches; a relative path is none, since it would be another
    folder in every process.
    """
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "autograd_lite" if os.path.isabs(base) else None


def _target(path: Path) -> tuple[Path, os.stat_result | None]:
    """The file that a path leads to, after all symbolic links, and what is there; refuses what cannot be replaced."""
    target = path
    for _ in range(40):
        if _is_descriptor(target) or not target.is_symlink():
            break
        target = target.parent / target.readlink()
    else:
        raise OSError(errno.ELOOP, "")
    try:
        found = target.stat()
    except FileNotFoundError:
        return target, None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "")
    if stat.S_ISREG(found.st_mode) and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "")
    return target, found


def _is_descriptor(path: Path) -> bool:
    """Whether a path is a link to something that a process has open, as ``/proc/self/fd/1`` is."""
    return path.is_symlink() and re.fullmatch(r"/proc/.*/fd|/dev/fd", os.path.realpath(path.parent)) is not None


def _as_it_is(path: Path) -> BinaryIO:
    """A device, a pipe or a descriptor, open for writing at the place where it is."""
    own = _is_descriptor(path) and os.path.realpath(path.parent) == f"/proc/{os.getpid()}/fd"
    return os.fdopen(os.dup(int(path.name)) if own else os.open(path, os.O_WRONLY), "wb")


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name[:_LONGEST_NAME]}.{secrets.token_hex(4)}.part")


def _opened(path: Path, mode: int) -> BinaryIO:
    """A new file, which nobody else may have put there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, mode), "wb")


def _take_over(found: os.stat_result, target: Path, temporary: Path) -> None:
    """Give a temporary file the owner, the permissions and the attributes of the file that it replaces."""
    import shutil  # here, since it imports every compressor

    if os.name == "posix":
        for owner in ((found.st_uid, -1), (-1, found.st_gid)):
            with suppress(PermissionError):
                os.chown(temporary, *owner)
    shutil.copystat(target, temporary)
    os.utime(temporary)


def _names_other(error: OSError, path: Path) -> bool:
    """Whether an error that was raised in the block is about another file."""
    named = error.filename
    return named is not None and not _PART.fullmatch(os.path.basename(os.fsdecode(named))) and str(named) != str(path)


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the renaming survives a loss of power, if the system allows folders to be opened."""
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
