"""`Guard`: what a program takes for granted, and every later call looks at."""

from __future__ import annotations

from typing import Any, NamedTuple


class Guard(NamedTuple):
    """Something that has to be as it was.

    Attributes
    ----------
    expression : str
        What has to hold, as Python, with ``{0}`` for the thing and ``{1}`` for what was found.
    thing : object
        What it is about.
    expected : object
        What was found.
    """

    expression: str
    thing: Any
    expected: Any
