"""What may stand beside a tensor: arrays and numbers as they are, and what means an array as that; the rest is refused.

Some arrays mean more than their numbers in their order: a masked array leaves some of them out, a labelled one pairs
them by its labels, a quantity has a unit. A tensor knows nothing of that, so a derivative would be another function's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import NoRuleError
from ..formatting import name_of
from .operators import PLAIN

USUAL: set[type] = {*PLAIN, bool, complex, str, slice, type(None), type(...)}
"""The types of usual arguments, which are what they are; tensors are added to them where their calls are answered."""


class Meaning(Enum):
    """What a class of operands means, and, for one that is refused, what to write."""

    ITSELF = "is what it is: a number, an array, an argument that is none"
    ARRAY = "means the array that np.asarray makes of it"
    SEQUENCE = "means a list of its members"
    MASKED = "leaves out what is masked; pass its .filled(value), or choose with np.where(mask, ...)"
    QUANTITY = "has a unit; pass its .magnitude, or .value, as a plain array"
    SPARSE = "is no array to NumPy; pass its .toarray()"
    OPERATORS = "computes by rules of its own; pass np.asarray(...) of it"
    LABELLED = "pairs its numbers by their labels; pass its .to_numpy(), or np.asarray(...) of it"

    def __init__(self, text: str) -> None:
        self.text = text


_OPERATORS = (
    "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__", "__pow__",
    "__matmul__", "__rmatmul__", "__eq__", "__lt__", "__array_ufunc__", "__array_function__",
)  # fmt: skip


def operand(value: Any, function: Callable[..., Any]) -> Any:
    """An argument of a NumPy function as its rule can read it; within lists and tuples too.

    Functions that are no ufuncs take what is labelled by position, as they do in NumPy. Functions of other packages get
    their arguments as they are.

    Raises
    ------
    NoRuleError
        If the argument means more than its numbers.

    Examples
    --------
    >>> from collections import deque
    >>> operand(deque([1.0, 2.0]), np.stack)
    [1.0, 2.0]
    >>> operand(np.ma.array([1.0, 2.0], mask=[False, True]), np.multiply)
    Traceback (most recent call last):
    ...
    autograd_lite.errors.NoRuleError: np.multiply: no rule says how it differentiates beside a MaskedArray, which ...
    """
    kind = type(value)
    if kind is list or kind is tuple:
        return value if is_itself(value) else kind([operand(member, function) for member in value])
    meaning = _meaning(kind)
    if meaning is Meaning.ITSELF or not _is_of_numpy(function):
        return value
    if meaning is Meaning.SEQUENCE:
        return operand((tuple if isinstance(value, tuple) else list)(value), function)
    if meaning is Meaning.ARRAY or (meaning is Meaning.LABELLED and not isinstance(function, np.ufunc)):
        return np.asarray(value)
    raise NoRuleError(
        f"{name_of(function)}: no rule says how it differentiates beside a {kind.__name__}, which {meaning.text}"
    )


def array_contents(value: Any, owner: str) -> Any:
    """What a tensor may hold, of what a user gives explicitly: the numbers of an array, in their order.

    Raises
    ------
    TypeError
        If a mask or a unit would be lost.

    Examples
    --------
    >>> array_contents(np.ma.array([1.0, 2.0], mask=[False, True]), "Tensor")
    Traceback (most recent call last):
    ...
    TypeError: Tensor: got a MaskedArray, which leaves out what is masked; pass its .filled(value), or ...
    """
    kind = type(value)
    if kind is list or kind is tuple:
        return value if is_itself(value) else kind([array_contents(member, owner) for member in value])
    meaning = _meaning(kind)
    if meaning in (Meaning.MASKED, Meaning.QUANTITY, Meaning.SPARSE):
        raise TypeError(f"{owner}: got a {kind.__name__}, which {meaning.text}")
    return value if meaning in (Meaning.ITSELF, Meaning.SEQUENCE) else np.asarray(value)


def is_itself(value: Any) -> bool:
    """Whether a value is what it is, and so is all that is in it, if it is a list or a tuple."""
    if type(value) is tuple or type(value) is list:
        for member in value:  # noqa: SIM110 - a generator takes twice as long
            if type(member) not in USUAL and not is_itself(member):
                return False
        return True
    return _meaning(type(value)) is Meaning.ITSELF


def is_array(value: Any) -> bool:
    """Whether a value is an array of NumPy's, or one that speaks NumPy's protocols, and means its elements alone."""
    dtype = getattr(value, "dtype", None)
    if getattr(dtype, "kind", "O") == "O" or not hasattr(value, "shape"):
        return False
    return _meaning(type(value)) in (Meaning.ITSELF, Meaning.ARRAY)


def instead_of(value: Any) -> str:
    """What to write in the place of a value that means more than its numbers; nothing for others."""
    meaning = _meaning(type(value))
    return "" if meaning in (Meaning.ITSELF, Meaning.ARRAY, Meaning.SEQUENCE) else f", which {meaning.text}"


def _told_by(kind: type) -> Meaning:
    """What objects of a class mean; it is told by what the class can do, so that no other package is imported."""
    if issubclass(kind, np.ndarray):
        if issubclass(kind, np.ma.MaskedArray):
            return Meaning.MASKED
        if hasattr(kind, "unit") or hasattr(kind, "units"):
            return Meaning.QUANTITY
        if any(getattr(kind, name) is not getattr(np.ndarray, name) for name in _OPERATORS):
            return Meaning.OPERATORS
        return Meaning.ITSELF if kind is np.ndarray else Meaning.ARRAY
    if hasattr(kind, "toarray") and hasattr(kind, "nnz"):
        return Meaning.SPARSE
    if hasattr(kind, "units") and hasattr(kind, "magnitude"):
        return Meaning.QUANTITY
    if hasattr(kind, "__array_function__") or issubclass(kind, np.generic | str | bytes | list) or kind is tuple:
        return Meaning.ITSELF
    if getattr(kind, "__array_ufunc__", None) is not None:
        return Meaning.LABELLED
    if hasattr(kind, "__array__") or hasattr(kind, "__array_interface__") or issubclass(kind, memoryview):
        return Meaning.ARRAY
    return Meaning.SEQUENCE if issubclass(kind, Sequence) else Meaning.ITSELF


_meaning: Callable[[type], Meaning] = lru_cache(maxsize=256)(_told_by)


def _is_of_numpy(function: Callable[..., Any]) -> bool:
    """Whether a function takes arrays as NumPy's do; what a user writes takes what it likes."""
    module = getattr(function, "__module__", None)
    return isinstance(function, np.ufunc) or (module or "numpy").partition(".")[0] in _ARRAY_PACKAGES


_ARRAY_PACKAGES = ("numpy", "scipy", "autograd_lite")
