"""Which line of the user's program runs, the innermost outside of libraries, and what it does; whose code is whose."""

from __future__ import annotations

import dis
import os
import sys
import sysconfig
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

_PYTHON = os.path.join(os.path.dirname(os.__file__), "")
_OWN = os.path.dirname(os.path.abspath(__file__))

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


def library_call() -> str:
    """The function of another library that the user's line has called, such as ``np.mean``, and the line.

    The function is left out where it is written in C, and both where there is no code of the user.
    """
    frame, called = sys._getframe(1), ""
    while frame.f_code.co_filename.startswith(_libraries()):
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("autograd_lite"):
            public = [part for part in module.split(".") if not part.startswith("_")]
            package = "np" if public[:1] == ["numpy"] else ".".join(public[:2])
            name = frame.f_code.co_qualname
            called = f" by {package}.{'r_ or np.c_' if name.startswith('AxisConcatenator') else name}"
        if frame.f_back is None:
            return called
        frame = frame.f_back
    return f"{called} ({frame.f_code.co_filename}:{frame.f_lineno})"


def is_item_assignment() -> bool:
    """Whether the user's line is assigning to an item, as ``a[i] = x`` does."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_libraries()):
        frame = frame.f_back
    return frame is not None and dis.opname[frame.f_code.co_code[frame.f_lasti]] == "STORE_SUBSCR"


def _libraries() -> tuple[str, ...]:
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return (*_LIBRARIES, *(os.path.join(folder, "") for folder in installed))
