"""The state of a parameter: how many steps it has taken, and the arrays that an update keeps from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FLUSH_STEPS = 64
"""After so many steps each, state that has decayed below the normal numbers is taken for zero."""


class State:
    """Of one parameter: the number of steps taken, and arrays in its shape, with one axis at least; zero if missing."""

    def __init__(self, steps: int = 0, arrays: Mapping[str, Array] | None = None) -> None:
        self.steps, self.arrays = steps, dict(arrays or {})

    def keep(self, draft: Draft, dtype: np.dtype[Any]) -> None:
        """Take over what an update has left in a draft."""
        # All are copied first, since one may be another one's array, or the gradient.
        changed = {name: np.array(new, dtype) for name, new in draft.items() if new is not self.arrays.get(name)}
        for name, value in changed.items():
            if name in self.arrays and self.arrays[name].dtype == dtype:
                self.arrays[name][...] = value
            else:
                self.arrays[name] = value


class Draft(dict[str, Any]):
    """The arrays of a state as an update reads and replaces them; what is missing is zero, as the weights given."""

    def __init__(self, weights: Array, arrays: Mapping[str, Array]) -> None:
        super().__init__(arrays)
        self._weights = weights

    def __missing__(self, name: str) -> Array:
        self[name] = zeros = np.zeros_like(self._weights)
        return zeros


def is_flushed(steps: int, options: Mapping[str, Any]) -> bool:
    """Whether state is flushed before this step."""
    # Without eps, a mean square of zero would be divided by.
    return steps % FLUSH_STEPS == 0 and bool(options.get("eps", 1))
