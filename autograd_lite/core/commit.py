"""Changes that belong together: no signal handler, and no exception of another thread, comes between them.

Python looks for these where it runs Python code: at the beginning of a function, after a call, at the end of a loop's
round. So what has several steps is prepared first, in Python, and is then changed by functions written in C alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import starmap
from operator import call
from typing import Any

Change = tuple[Any, ...]
"""A function written in C, and its arguments by position."""


def commit(changes: Sequence[Change]) -> None:
    """Call functions written in C one after another; where one raises, the others are called before it is raised.

    Parameters
    ----------
    changes : sequence of tuple
        ``(function, *arguments)``: ufuncs with the array for their result, `setattr`, `operator.setitem`.

    Examples
    --------
    >>> x, y = [1, 2], [3]
    >>> commit([(x.append, 3), (y.clear,)])
    >>> x, y
    ([1, 2, 3], [])
    """
    calls = starmap(call, changes)
    try:
        deque(calls, 0)
    except BaseException:
        commit_rest(calls)
        raise


def commit_rest(calls: Any) -> None:
    """Go on with calls of which one has raised."""
    while True:
        try:
            deque(calls, maxlen=0)
        except Exception:
            continue
        return
