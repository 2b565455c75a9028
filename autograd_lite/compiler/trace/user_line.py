"""Which line of the user's program runs: the innermost outside of libraries. Which code is a library's."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON = os.path.join(os.path.dirname(os.__file__), "")
_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_LIBRARIES: list[str] = [
    *(os.path.join(folder, "") for folder in (_OWN, os.path.dirname(np.__file__))),
    os.path.join(_PYTHON, "random.py"),
]


def add_library(folder: str | Path) -> None:
    """Register a folder as a library's code, so that messages name the line that called it."""
    _LIBRARIES.append(os.path.join(folder, ""))


def is_of_library(code: CodeType, variables: Mapping[str, Any]) -> bool:
    """Whether code, with these globals, is Python's own, NumPy's or a library's, or was made by one of them."""
    module = variables.get("__name__") or "namedtuple_"
    return is_of_library_file(code.co_filename) or module.startswith("namedtuple_")


def is_of_library_file(name: str) -> bool:
    """Whether a file is Python's own, NumPy's or a library's."""
    return name.startswith((*_LIBRARIES, "<frozen")) or (name.startswith(_PYTHON) and "site-packages" not in name)


def user_line() -> str:
    """The file and line that are running, such as ``model.py:12``; empty if there is no code of the user."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(tuple(_LIBRARIES)):
        frame = frame.f_back
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
