"""Parameter groups: some parameters of an optimizer with their options, checked whenever one is set."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterable, Mapping, Set
from math import inf
from typing import Any

import numpy as np

from autograd_lite import Tensor

from ..arguments import number_below

LIMITS = {"lr": inf, "lr_decay": inf, "weight_decay": inf, "eps": inf, "momentum": 1, "alpha": 1, "betas": 1}
"""What these options have to be less than; all are at least 0. Below 1 are shares that are kept from step to step."""


class Group(UserDict[str, Any]):
    """A dict of parameters and their options. An option can be assigned at any time, and is checked then.

    Examples
    --------
    >>> from nn import SGD
    >>> optimizer = SGD([Tensor(1.0, requires_grad=True)], lr=0.1)
    >>> optimizer.groups[0]["lr"] = 0.05
    >>> optimizer.groups[0]["lr"] = -1
    Traceback (most recent call last):
    ...
    ValueError: SGD: lr must be finite and at least 0, got -1
    """

    def __init__(self, owner: str, params: Iterable[Tensor], options: Mapping[str, Any]) -> None:
        super().__init__()
        self._owner = owner
        self.data = {"params": tuple(params), **self.checked(options)}

    @property
    def options(self) -> dict[str, Any]:
        """The entries without ``"params"``."""
        return {key: value for key, value in self.data.items() if key != "params"}

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "params":
            raise TypeError(f"{self._owner}: the parameters of a group are fixed; make a new optimizer")
        if key not in self.data:
            raise KeyError(f"{self._owner}: there is no option {key!r}; expected one of {', '.join(self.options)}")
        self.data.update(self.checked({**self.options, key: value}))

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"{self._owner}: {key!r} cannot be deleted from a group, since every step reads it")

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with Python's numbers for NumPy's, since those of float64 would widen the arithmetic of float32.

        Raises
        ------
        ValueError
            If one is out of its range.
        TypeError
            If one is of another type.
        """
        checked = {key: self._checked(key, value) for key, value in options.items()}
        nesterov = checked.get("nesterov", False)
        if not isinstance(nesterov, bool):
            raise TypeError(f"{self._owner}: nesterov must be True or False, got {nesterov!r}")
        if nesterov and not checked.get("momentum"):
            raise ValueError(f"{self._owner}: nesterov=True needs a momentum above 0")
        return checked

    def _checked(self, key: str, value: Any) -> Any:
        what = f"{self._owner}: {key}"
        if key == "betas":
            if not isinstance(value, tuple | list) or len(value) != 2:
                raise ValueError(f"{what} must be two numbers, got {value!r}")
            return tuple(number_below(LIMITS[key], beta, f"{what}[{i}]") for i, beta in enumerate(value))
        if key in LIMITS:
            return number_below(LIMITS[key], value, what)
        return value.item() if isinstance(value, np.generic) else value


def as_groups(owner: str, params: Any) -> list[tuple[list[tuple[str | None, Any]], dict[str, Any]]]:
    """What a user gives as `params`, as pairs: the group's members with their names, and its own options."""
    entries = _listed(owner, params)
    if not any(isinstance(entry, Mapping) for entry in entries):
        return [(_members(entries), {})]
    groups = []
    for entry in entries:
        if not isinstance(entry, Mapping) or "params" not in entry:
            given = f"a dict with {sorted(map(str, entry))}" if isinstance(entry, Mapping) else type(entry).__name__
            raise TypeError(f"{owner}: a group is a dict that has 'params' and may have options; got {given}")
        own = entry["params"]
        members = _members([own] if isinstance(own, Tensor) else _listed(owner, own))
        groups.append((members, {key: value for key, value in entry.items() if key != "params"}))
    return groups


def _listed(owner: str, params: Any) -> list[Any]:
    if hasattr(params, "parameters"):
        raise TypeError(f"{owner}: params must be tensors, not {type(params).__name__}; pass model.parameters()")
    # A tensor would be iterated by rows, and a dict by its keys.
    if isinstance(params, Tensor | Mapping) or not isinstance(params, Iterable):
        given = type(params).__name__
        raise TypeError(f"{owner}: params must be an iterable of tensors or of groups, not {given}; put it in a list")
    if isinstance(params, Set):
        raise TypeError(
            f"{owner}: params must have an order, by which a saved state finds its parameters; got a "
            f"{type(params).__name__}, pass a list"
        )
    return list(params)


def _members(entries: Iterable[Any]) -> list[tuple[str | None, Any]]:
    def named(entry: Any) -> bool:
        return isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str)

    return [entry if named(entry) else (None, entry) for entry in entries]
