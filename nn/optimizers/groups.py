"""Parameter groups: some parameters of an optimizer with their options, checked whenever one is set."""

from __future__ import annotations

import math
from collections import UserDict
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from autograd_lite import Tensor

SHARES = ("momentum", "alpha", "betas")
"""Options that say how much is kept from step to step: at least 0 and less than 1."""

SIZES = ("lr", "lr_decay", "weight_decay", "eps")
"""Options that are at least 0."""


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
        self.data = {"params": tuple(params), **checked_options(owner, options)}

    @property
    def options(self) -> dict[str, Any]:
        """The entries without ``"params"``."""
        return {key: value for key, value in self.data.items() if key != "params"}

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "params":
            raise TypeError(f"{self._owner}: the parameters of a group are fixed; make a new optimizer")
        if key not in self.data:
            raise KeyError(f"{self._owner}: there is no option {key!r}; expected one of {', '.join(self.options)}")
        self.data.update(checked_options(self._owner, {**self.options, key: value}))

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"{self._owner}: {key!r} cannot be deleted from a group, since every step reads it")


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


def checked_options(owner: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with Python's numbers for NumPy's, since those of float64 would widen the arithmetic of float32.

    Raises
    ------
    ValueError
        If one is out of its range.
    TypeError
        If one is of another type.
    """
    checked: dict[str, Any] = {}
    for key, value in options.items():
        if key == "betas":
            if not isinstance(value, tuple | list) or len(value) != 2:
                raise ValueError(f"{owner}: betas must be two numbers, got {value!r}")
            checked[key] = tuple(_number(owner, f"betas[{i}]", beta, below=1) for i, beta in enumerate(value))
        elif key in SHARES:
            checked[key] = _number(owner, key, value, below=1)
        elif key in SIZES:
            checked[key] = _number(owner, key, value)
        else:
            checked[key] = value.item() if isinstance(value, np.generic) else value
    nesterov = checked.get("nesterov", False)
    if not isinstance(nesterov, bool):
        raise TypeError(f"{owner}: nesterov must be True or False, got {nesterov!r}")
    if nesterov and not checked.get("momentum"):
        raise ValueError(f"{owner}: nesterov=True needs a momentum above 0")
    return checked


def _number(owner: str, key: str, value: Any, below: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{owner}: {key} must be a number, got {value!r}")
    if not 0 <= value < below:
        expected = "finite and at least 0" if below == math.inf else f"at least 0 and less than {below}"
        raise ValueError(f"{owner}: {key} must be {expected}, got {value!r}")
    return float(value)


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
