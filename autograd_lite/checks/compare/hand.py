"""Reads gradients and values that were derived by hand, in the forms in which people have them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from ...core.tensor import Tensor
from ...core.tree import joined, members
from .rows import Array

VALUES = "values"
"""The key of the values of the forward program, beside the gradients."""

LOSS = "the loss"
"""The name of the loss among the values."""

PREFIXES = ("d_", "d", "grad_")
"""What may stand before a name to say that the gradient is meant: dW1 for W1."""


class Derivation(NamedTuple):
    """What was derived by hand, by name: gradients, and values of the forward program.

    Arrays of which only some entries are given are masked arrays.
    """

    gradients: dict[str, Array]
    values: dict[str, Array]


def derivation(
    given: Any, computed: Mapping[str, Array], intermediates: Mapping[str, Array], values: Mapping[str, Array]
) -> Derivation:
    """What is given by hand, without what is None; a part is enough.

    A list or tuple of as many arrays as there are parameters has their order, and so has one vector of all numbers. A
    pair of a number and a dict is the loss and the gradients.

    Parameters
    ----------
    given : object
    computed, intermediates : mapping of str to ndarray
        The engine's gradients of the parameters, and of the named intermediates.
    values : mapping of str to ndarray
        The values that have a name in the forward program.

    Raises
    ------
    KeyError
        If nothing is given, or a name is not known.
    TypeError
        If a gradient does not consist of numbers.
    """
    forward: dict[str, Any] = {}
    if _is_pair(given):
        loss, given = given
        forward[LOSS] = loss
    if isinstance(given, Mapping) and VALUES not in computed and isinstance(given.get(VALUES), Mapping):
        forward |= _known(given[VALUES], values, "value")
        given = {key: value for key, value in given.items() if key != VALUES}
    found = _gradients(given, computed, intermediates)
    if not found.keys() & {*computed, *intermediates} and not forward:
        raise KeyError(_refused(computed, intermediates, set()))
    gradients = {
        name: plain(f"the gradient of {name} by hand", value, _shape(name, computed, intermediates))
        for name, value in found.items()
        if _bare(value) is not None
    }
    forward = {name: value for name, value in forward.items() if _bare(value) is not None}
    own = {
        name: plain(f"the value of {name} by hand", value, values[name].shape if name in values else ())
        for name, value in forward.items()
    }
    return Derivation(*({name: a for name, a in each.items() if not _is_nothing(a)} for each in (gradients, own)))


def _is_nothing(array: Array) -> bool:
    return isinstance(array, np.ma.MaskedArray) and bool(np.all(np.ma.getmaskarray(array)))


def _is_pair(given: Any) -> bool:
    """Whether this is a number and gradients by name."""
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(given[1], Mapping):
        return False
    return not isinstance(given[0], Mapping) and np.ndim(_bare(given[0])) == 0


def _shape(name: str, *known: Mapping[str, Array]) -> tuple[int, ...]:
    return next(tuple(arrays[name].shape) for arrays in known if name in arrays)


def _gradients(given: Any, computed: Mapping[str, Array], intermediates: Mapping[str, Array]) -> dict[str, Any]:
    if hasattr(given, "named_parameters"):
        given = {str(name): getattr(parameter, "grad", None) for name, parameter in given.named_parameters()}
    elif "" not in computed and len(computed) != 1 and _is_flat(given, computed):
        given = _in_parts(np.asarray(_bare(given)), computed)
    elif len(computed) == 1 and _is_array(given, next(iter(computed.values()))):
        given = {next(iter(computed)): given}
    elif isinstance(given, list | tuple) and len(given) == len(computed) and not _is_numbered(computed):
        given = dict(zip(computed, given, strict=True))
    found = _known(given, {**computed, **intermediates}, "")
    unknown = found.keys() - computed.keys() - intermediates.keys()
    derived = {name: value for name, value in found.items() if value is not None}
    if unknown or (found and not derived):
        raise KeyError(_refused(computed, intermediates, unknown, derived))
    return derived


def _known(given: Any, known: Mapping[str, Array], what: str) -> dict[str, Any]:
    """What is given by the engine's names; for values, all names must be known."""
    found: dict[str, Any] = {}
    for name, value in _named(given, known).items():
        own = own_name(name, known) if not what else name
        if isinstance(value, list | tuple) and (steps := _steps(own, value, known)):
            found |= steps
        else:
            found[own] = value
    unknown = sorted(found.keys() - known.keys()) if what else []
    if unknown:
        raise KeyError(
            f"compare_gradients: the program has no {what} of the name {', '.join(unknown)}; it has "
            f"{', '.join(known) or 'none that are known; pass the function that computes the loss, or loss='}"
        )
    return found


def own_name(name: str, known: Collection[str]) -> str:
    """The engine's name for a name by hand, which may have a d before it."""
    if name in known:
        return name
    path, _, last = name.rpartition(".")
    for prefix in PREFIXES:
        if last.startswith(prefix) and (own := joined(path, last.removeprefix(prefix))) in known:
            return own
    return name


def _steps(name: str, given: Any, known: Mapping[str, Array]) -> dict[str, Any]:
    """A list of gradients of a name that several results had, one by one."""
    own = [joined(name, str(i)) for i in range(len(given))]
    if len(own) < 2 or own[-1] not in known or joined(name, str(len(own))) in known:
        return {}
    fits = all(one is None or np.shape(_bare(one)) == known[key].shape for key, one in zip(own, given, strict=True))
    return dict(zip(own, given, strict=True)) if fits else {}


def _refused(
    computed: Mapping[str, Array],
    intermediates: Mapping[str, Array],
    unknown: set[str],
    derived: Mapping[str, Any] | None = None,
) -> str:
    missing = computed.keys() - (derived or {}).keys()
    problems = [f"missing by hand: {', '.join(sorted(missing))}"] if missing else []
    if unknown:
        named = ", ".join(sorted(name or "a value without a name" for name in unknown))
        problems.append(f"not known to the engine: {named}")
    if unknown and intermediates:
        problems.append(f"intermediate values with a name: {', '.join(intermediates)}")
    return f"compare_gradients: the parameters by hand must be the engine's ({'; '.join(problems)})"


def plain(name: str, value: Any, shape: tuple[int, ...] | None = None) -> Array:
    """A gradient as an array of numbers; a masked array if some of its entries are not given.

    Entries are not given that are masked, None, or no keys of a dict from index to number.
    """
    if isinstance(value, Mapping) and shape is not None:
        return _of_entries(name, value, shape)
    value = _bare(value)
    if isinstance(value, np.ma.MaskedArray):
        return value if np.any(np.ma.getmaskarray(value)) else np.asarray(value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise TypeError(
            f"compare_gradients: the rows of {name} have different lengths; expected an array of numbers"
        ) from None
    if array.dtype.kind == "O":
        array = _of_objects(array)
    if array.dtype.kind not in "fiubc":
        raise TypeError(f"compare_gradients: {name} has dtype {array.dtype}; expected numbers")
    return array


def _bare(value: Any) -> Any:
    """The gradient in an object that has one as ``.grad``, such as another library's tensor; else the array."""
    if isinstance(value, Tensor):
        held = value.grad if value.requires_grad and value.node is not None and value.node.recipe is None else None
        return value.data if held is None else held.data
    if isinstance(value, np.ndarray | np.generic | int | float | complex | None):
        return value
    if getattr(value, "is_leaf", True) and getattr(value, "requires_grad", hasattr(value, "grad")):
        return value.grad
    return value


def _of_objects(array: Array) -> Array:
    """Numbers out of an array of objects: numbers, None, and objects with ``.grad``."""
    entries = [_bare(entry) for entry in array.ravel()]
    missing = np.array([entry is None for entry in entries]).reshape(array.shape)
    try:
        numbers = np.array([np.nan if entry is None else entry for entry in entries]).reshape(array.shape)
    except ValueError:
        return array
    return np.ma.array(numbers, mask=missing) if missing.any() else numbers


def _of_entries(name: str, entries: Mapping[Any, Any], shape: tuple[int, ...]) -> Array:
    dtype = np.result_type(float, *(np.asarray(_bare(entry)).dtype for entry in entries.values()))
    found: np.ma.MaskedArray[Any, Any] = np.ma.array(np.full(shape, np.nan, dtype), mask=True)
    for index, entry in entries.items():
        try:
            found[index] = _bare(entry)
        except (IndexError, TypeError, ValueError):
            raise TypeError(
                f"compare_gradients: {index!r} is no index of {name}, whose shape is {shape}; write entries as "
                "{(0, 1): number}"
            ) from None
    return found


def _is_numbered(computed: Mapping[str, Array]) -> bool:
    """Whether the parameters themselves are in a list."""
    return any(name == "0" or name.startswith("0.") for name in computed)


def _is_array(given: Any, computed: Array) -> bool:
    """Whether this is the gradient of the only parameter, and not a container with it."""
    if isinstance(given, list | tuple):
        try:
            return bool(np.shape(given) == computed.shape)
        except ValueError:
            return False
    return given is not None and members(given) is None


def _is_flat(given: Any, computed: Mapping[str, Array]) -> bool:
    total = sum(gradient.size for gradient in computed.values())
    return isinstance(given, np.ndarray | Tensor) and given.ndim == 1 and given.size == total


def _in_parts(vector: Array, computed: Mapping[str, Array]) -> dict[str, Array]:
    ends = np.cumsum([gradient.size for gradient in computed.values()])
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(computed[name].shape) for name, part in zip(computed, parts, strict=True)}


def _named(given: Any, known: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """What is given by name; the value under a known name is its gradient, even if it is a list of numbers."""
    inner = None if given is None or own_name(path, known) in known else members(given)
    if inner is None:
        return {path: given} if path or given is not None else {}
    found: dict[str, Any] = {}
    for key, value in inner:
        found |= _named(value, known, joined(path, key))
    return found
