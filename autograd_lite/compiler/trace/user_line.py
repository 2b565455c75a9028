"""Finds the line of the user's program that is running: the innermost one outside of NumPy and this library."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path
from types import FrameType

import numpy as np

_LIBRARIES: list[str] = [
    *(os.path.join(folder, "") for folder in (Path(__file__).parents[2], Path(np.__file__).parent)),
    str(random.__file__),
]


def add_library(folder: str | Path) -> None:
    """Register a folder as a library's code, so that messages name the line that called it."""
    _LIBRARIES.append(os.path.join(folder, ""))


def user_line() -> str:
    """The file and line that are running, such as ``model.py:12``; empty if there is no code of the user."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(tuple(_LIBRARIES)):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
