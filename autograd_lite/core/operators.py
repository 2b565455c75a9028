"""Python's operators as NumPy's ufuncs: one table, for every class whose objects record what is computed with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

BINARY: dict[str, np.ufunc] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
IN_PLACE: dict[str, str] = {
    "add": "+=", "sub": "-=", "mul": "*=", "truediv": "/=", "floordiv": "//=", "mod": "%=", "pow": "**=",
    "matmul": "@=",
}  # fmt: skip
"""The symbols of those operators on numbers that update what is left of them."""
COMPARISONS: dict[str, np.ufunc] = {
    "lt": np.less, "gt": np.greater, "le": np.less_equal, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip
UNARY: dict[str, np.ufunc] = {
    "neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert,
}  # fmt: skip

PLAIN: frozenset[type] = frozenset({np.ndarray, np.float32, np.float64, float, int})
"""The usual operands that are no tensors: they hold none, and leave operators to a tensor beside them."""


class Operators:
    """What `define_operators` and `dispatch` give to a class: operators, indexing, and NumPy's protocols."""

    __slots__ = ()

    if TYPE_CHECKING:
        __add__: Callable[..., Any]
        __radd__: Callable[..., Any]
        __sub__: Callable[..., Any]
        __rsub__: Callable[..., Any]
        __mul__: Callable[..., Any]
        __rmul__: Callable[..., Any]
        __truediv__: Callable[..., Any]
        __rtruediv__: Callable[..., Any]
        __floordiv__: Callable[..., Any]
        __rfloordiv__: Callable[..., Any]
        __mod__: Callable[..., Any]
        __rmod__: Callable[..., Any]
        __pow__: Callable[..., Any]
        __rpow__: Callable[..., Any]
        __matmul__: Callable[..., Any]
        __rmatmul__: Callable[..., Any]
        __and__: Callable[..., Any]
        __or__: Callable[..., Any]
        __xor__: Callable[..., Any]
        __lt__: Callable[..., Any]
        __gt__: Callable[..., Any]
        __le__: Callable[..., Any]
        __ge__: Callable[..., Any]
        __neg__: Callable[..., Any]
        __pos__: Callable[..., Any]
        __abs__: Callable[..., Any]
        __invert__: Callable[..., Any]
        __getitem__: Callable[..., Any]
        astype: Callable[..., Any]
        __array_ufunc__: Callable[..., Any]
        __array_function__: Callable[..., Any]

    __hash__ = object.__hash__

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self


def define_operators(
    kind: type, unary: Callable[..., Any], binary: Callable[..., Any], in_place: Callable[..., Any] | None = None
) -> None:
    """Give a class all operators: ``unary(ufunc, x)`` and ``binary(ufunc, x1, x2)`` compute them.

    If it is given, ``in_place(ufunc, x1, x2)`` computes ``x1 += x2`` and its like.
    """
    usual = PLAIN | {kind}

    def pair(ufunc: np.ufunc) -> tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]:
        def forward(self: Any, other: Any) -> Any:
            if type(other) not in usual and _defers(other):
                return NotImplemented
            return binary(ufunc, self, other)

        def reflected(self: Any, other: Any) -> Any:
            if type(other) not in usual and _defers(other):
                return NotImplemented
            return binary(ufunc, other, self)

        return forward, reflected

    for name, ufunc in BINARY.items():
        forward, reflected = pair(ufunc)
        setattr(kind, f"__{name}__", forward)
        setattr(kind, f"__r{name}__", reflected)
        if in_place is not None:
            setattr(kind, f"__i{name}__", lambda self, other, ufunc=ufunc: in_place(ufunc, self, other))
    for name, ufunc in COMPARISONS.items():
        setattr(kind, f"__{name}__", pair(ufunc)[0])
    for name, ufunc in UNARY.items():
        setattr(kind, f"__{name}__", lambda self, ufunc=ufunc: unary(ufunc, self))
    power = pair(np.power)[0]

    def power_or_its_like(self: Any, exponent: Any) -> Any:
        instead = instead_of_power(self.dtype, exponent)
        return power(self, exponent) if instead is None else unary(instead, self)

    setattr(kind, "__pow__", power_or_its_like)  # noqa: B010 - a class of any kind has no such attribute for mypy


def _defers(other: Any) -> bool:
    """Whether the other operand asks, as NumPy has it (NEP 13), to answer the operator itself."""
    return getattr(type(other), "__array_ufunc__", False) is None


def instead_of_power(dtype: np.dtype[Any], exponent: Any) -> np.ufunc | None:
    """The function of the base alone that NumPy's operator ``**`` computes in the place of a power; None for a power.

    An array's ``x**2`` is `numpy.square`, which takes a fraction of the time of `numpy.power`, and of complex numbers
    gives other last digits.

    Parameters
    ----------
    dtype : dtype
        Of the base.
    exponent : object
        The other operand of ``**``.

    Examples
    --------
    >>> instead_of_power(np.dtype(float), 2), instead_of_power(np.dtype(float), 3)
    (<ufunc 'square'>, None)
    """
    if type(exponent) is int or type(exponent) is float:
        return _INSTEAD.get((dtype.kind, type(exponent), exponent))
    return None


_INSTEAD = {
    ("f", int, 2): np.square,
    ("c", int, 2): np.square,
    ("f", float, 2.0): np.square,
    ("f", float, 0.5): np.sqrt,
    ("c", float, 0.5): np.sqrt,
}
