"""Processes of their own for tests: Python with this checkout, without root's privileges, with a small disk."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


NOBODY = 65534
"""The number of the user without rights, and of its group."""


def python(code: str, *arguments: Any) -> list[str]:
    """A command that runs code with this checkout's packages first."""
    head = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    return [sys.executable, "-c", head + code, *map(str, arguments)]


def run(
    module: str,
    *arguments: Any,
    environment: dict[str, str] | None = None,
    before: Sequence[str] = (),
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module``; what it printed is text. `before` begins the command."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    command = [*before, sys.executable, "-m", module, *map(str, arguments)]
    options = {"capture_output": True, "text": True, "timeout": 300, **options}
    return subprocess.run(command, env=given, check=False, **options)


WITHOUT_PRIVILEGES: list[str] = (
    [found, "--bounding-set", "-all", "--"] if os.geteuid() == 0 and (found := shutil.which("setpriv")) else []
)
"""The beginning of a command that runs another one so that permissions hold for it, even if the tests run as root."""

has_permissions = pytest.mark.skipif(
    os.geteuid() == 0 and not WITHOUT_PRIVILEGES, reason="permissions do not hold for root, and there is no setpriv"
)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of so many kilobytes; the test is skipped where none can be mounted."""
    place = folder / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
