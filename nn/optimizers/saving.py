"""The state of an optimizer as a dict of numbers and arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_lite import Tensor

from ..arguments import as_array
from .groups import checked_options
from .plain_loop import PlainLoop
from .state import Array, Draft, State


def saved(optimizer: PlainLoop) -> dict[str, Any]:
    """See `Optimizer.state_dict`."""
    found = {
        f"groups.{i}.{key}": value for i, group in enumerate(optimizer.groups) for key, value in group.options.items()
    }
    for group in optimizer.groups:
        names = _state_names(optimizer, group.data)
        for parameter in group["params"]:
            state, prefix = optimizer._states[parameter], f"state.{optimizer._names[parameter]}"
            found[f"{prefix}.step"] = state.steps
            for name in dict.fromkeys((*names, *state.arrays)):
                kept = state.arrays.get(name)
                found[f"{prefix}.{name}"] = (
                    np.zeros_like(parameter.data) if kept is None else kept.reshape(parameter.shape).copy()
                )
    return found


def load(optimizer: PlainLoop, state: Any) -> None:
    """See `Optimizer.load_state_dict`."""
    if not isinstance(state, Mapping):
        raise TypeError(f"{optimizer._title}: a state is a dict as state_dict() gives it, not {type(state).__name__}")
    options = [
        checked_options(
            optimizer._title,
            {key: _plain(state.get(f"groups.{i}.{key}", value)) for key, value in group.options.items()},
        )
        for i, group in enumerate(optimizer.groups)
    ]
    expected = {f"groups.{i}.{key}" for i, given in enumerate(options) for key in given}
    entries: dict[Tensor, list[str]] = {}
    for group, given in zip(optimizer.groups, options, strict=True):
        names = _state_names(optimizer, given)
        for parameter in group["params"]:
            prefix = f"state.{optimizer._names[parameter]}."
            found = [str(key).removeprefix(prefix) for key in state if str(key).startswith(prefix)]
            # There may be more than the names, of which an update makes no use under these options.
            more = (name for name in found if name != "step" and "." not in name)
            entries[parameter] = list(dict.fromkeys((*names, *more)))
            expected.update(prefix + name for name in ("step", *entries[parameter]))
    missing, unexpected = expected - state.keys(), state.keys() - expected
    if missing or unexpected:
        lists = (", ".join(sorted(map(str, keys))) or "none" for keys in (missing, unexpected))
        raise KeyError(
            f"{optimizer._title}: the state is of another optimizer or of other parameters "
            "(missing: {}; unexpected: {})".format(*lists)
        )
    states = {
        p: _loaded_state(state, names, p.data, f"state.{optimizer._names[p]}.", optimizer._title)
        for p, names in entries.items()
    }
    for group, given in zip(optimizer.groups, options, strict=True):
        group.data.update(given)
    optimizer._states, optimizer._cohorts = states, None


def _loaded_state(saved: Mapping[str, Any], names: list[str], weights: Array, prefix: str, owner: str) -> State:
    """A parameter's state, out of all that was saved."""
    what = f"{owner}: {prefix}step"
    count = as_array(saved[f"{prefix}step"], what)
    if count.shape != () or count.dtype.kind not in "iu" or count < 0:
        raise TypeError(f"{what} must be the number of steps, got {saved[f'{prefix}step']!r}")
    arrays = {}
    for name in names:
        what = f"{owner}: {prefix}{name}"
        array = as_array(saved[prefix + name], what)
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{what} is an array of {array.dtype}; expected numbers ({weights.dtype})")
        if array.shape != weights.shape:
            raise ValueError(f"{what} has shape {array.shape}; expected {weights.shape}, the parameter's")
        arrays[name] = np.atleast_1d(array.astype(weights.dtype, order="C"))
    return State(int(count), arrays)


def _state_names(optimizer: PlainLoop, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The arrays that an update reads or writes under these options, in that order."""
    w, g = np.zeros((2, 0))
    state = Draft(w, {})
    with np.errstate(all="ignore"), warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        optimizer._decayed_update(w, g, state, 1, options)
    return tuple(state)


def _plain(option: Any) -> Any:
    """An option as it was saved: a file of arrays gives an array for every number."""
    plain = np.asarray(option).tolist() if isinstance(option, np.ndarray | np.generic) else option
    return tuple(plain) if isinstance(plain, list) else plain
