"""The state of a parameter: how many steps it has taken, and the arrays that an update keeps from one to the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from autograd_lite import Tensor
from autograd_lite.extend import Change, innermost_array

from ..arguments import array_like, as_array

Array = np.ndarray[Any, Any]

FLUSH_STEPS = 64
"""After so many steps each, state that has decayed below the normal numbers is taken for zero."""


class State:
    """What an optimizer knows of one parameter.

    Attributes
    ----------
    parameter : Tensor
    name : str
    prefix : str
        Before the names of its entries in a state dict.
    options : dict
        Those of its group.
    count : list of int
        The number of steps that it has taken, in a list that it shares with other states of the same number.
    arrays : dict
        In the parameter's shape, with one axis at least; zero if missing.
    """

    def __init__(self, parameter: Tensor, name: str, options: dict[str, Any]) -> None:
        self.parameter, self.name, self.options = parameter, name, options
        self.prefix = f"state.{name}."
        self.count = [0]
        self.arrays: dict[str, Array] = {}

    @property
    def steps(self) -> int:
        """How many it has taken."""
        return self.count[0]

    @steps.setter
    def steps(self, steps: int) -> None:
        self.count = [steps]

    def is_flushed(self, t: int) -> bool:
        """Whether the arrays are flushed before this step."""
        # Without eps, a mean square of zero would be divided by.
        return t % FLUSH_STEPS == 0 and bool(self.options.get("eps", 1))

    def draft(self, w: Array) -> defaultdict[str, Any]:
        """The arrays as an update of these weights reads and replaces them."""
        return defaultdict(partial(np.zeros_like, w), self.arrays)

    def keeping(self, draft: Mapping[str, Any], dtype: np.dtype[Any]) -> list[Change]:
        """The changes that count a step, and take over what its update has left in a draft."""
        # All are copied before, since one may be another one's array, or the gradient.
        changed = {name: np.array(new, dtype) for name, new in draft.items() if new is not self.arrays.get(name)}
        return [(setattr, self, "count", [self.steps + 1]), (self.arrays.update, changed)]

    def saved(self, names: Iterable[str]) -> dict[str, Any]:
        """The entries of a state dict, with arrays of these names at least."""
        draft, shape = self.draft(innermost_array(self.parameter)), self.parameter.shape
        arrays = {name: draft[name].reshape(shape).copy() for name in dict.fromkeys((*names, *self.arrays))}
        return {self.prefix + key: value for key, value in {"step": self.steps, **arrays}.items()}

    def names_in(self, saved: Mapping[str, Any], used: Iterable[str]) -> list[str]:
        """The names of the arrays that a state dict is to have: those that are used, and others that it has."""
        found = [str(key).removeprefix(self.prefix) for key in saved if str(key).startswith(self.prefix)]
        return list(dict.fromkeys((*used, *(name for name in found if name != "step" and "." not in name))))

    def read(self, saved: Mapping[str, Any], names: Iterable[str], owner: str) -> tuple[int, dict[str, Array]]:
        """The steps and the arrays of these names from a state dict, checked."""
        where, w = f"{owner}: {self.prefix}", self.parameter.data
        count = as_array(saved[self.prefix + "step"], where + "step")
        if count.shape != () or count.dtype.kind not in "iu" or count < 0:
            raise TypeError(f"{where}step must be the number of steps, got {saved[self.prefix + 'step']!r}")
        arrays = {name: array_like(w, saved[self.prefix + name], where + name) for name in names}
        return int(count), {name: np.atleast_1d(array) for name, array in arrays.items()}
