"""`TracedArray`: an array of a function that is being traced; each computation with it becomes a call of the plan.

It implements NumPy's protocols, so the rules of the engine and the user's own NumPy code run on it as on any array.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, Protocol

import numpy as np

from ...core.operators import Operators, define_operators, instead_of_power
from ...core.tree import found, mapped
from ..array_layout import Array
from ..ir import Value
from .scalar_operators import called_on_number, of_numbers


class Tracing(Protocol):
    """An object that traces the calls on an array."""

    def call(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        writes: tuple[Any, ...] = (),
    ) -> Any:
        """Call a function, and keep the call."""

    def is_foreign(self, values: Iterable[Any]) -> bool:
        """Whether an operand handles the call instead of the traced arrays."""

    def refuse(self, reason: str) -> NoReturn:
        """Raise, with the line of the user's code."""


class TracedArray(Operators):
    """An array together with its value in the program.

    Attributes
    ----------
    array : ndarray
        Its numbers in the recorded call.
    value : Value
        Its value in the program.
    tracer : Tracer
        The tracer of the function.
    is_scalar : bool
        Whether NumPy returned a number instead of an array.
    """

    __slots__ = ("array", "is_scalar", "tracer", "value")

    def __init__(self, array: Array, value: Value, tracer: Tracing, is_scalar: bool = False) -> None:
        self.array, self.value, self.tracer, self.is_scalar = array, value, tracer, is_scalar

    # ---- properties that do not depend on the numbers ----

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    dtype = property(lambda self: self.array.dtype)
    size = property(lambda self: self.array.size)
    nbytes = property(lambda self: self.array.nbytes)
    itemsize = property(lambda self: self.array.itemsize)
    strides = property(lambda self: self.array.strides)
    flags = property(lambda self: self.array.flags)
    base = property(lambda self: self.array.base)

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return f"<traced array of shape {self.shape}, {self.dtype}>"

    # ---- traced operations ----

    T = property(lambda self: self.tracer.call(np.transpose, (self,), {}))

    @property
    def mT(self) -> Any:  # noqa: N802 - NumPy's name
        """The last two axes swapped."""
        return self.T if self.ndim == 2 else self.tracer.call(np.swapaxes, (self, -1, -2), {})

    real = property(lambda self: self.tracer.call(np.real, (self,), {}))
    imag = property(lambda self: self.tracer.call(np.imag, (self,), {}))

    def __getitem__(self, index: Any) -> Any:
        return self.tracer.call(operator.getitem, (self, index), {})

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tracer.call(operator.setitem, (self, index, value), {}, writes=(self,))

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("a traced array without axes cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if self.tracer.is_foreign((*inputs, *kwargs.values())):
            return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        if self.is_scalar and len(inputs) == 1 and function is ufunc and not kwargs:
            function = called_on_number(ufunc, self.dtype) or ufunc
        return self.tracer.call(function, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if self.tracer.is_foreign((*args, *kwargs.values())):
            return NotImplemented
        return self.tracer.call(function, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        method = getattr(np.ndarray, name, None)
        if name.startswith("__") or not callable(method):
            raise AttributeError(f"a traced array has no attribute {name!r}")
        if name == "resize":
            self.tracer.refuse(".resize() changes the shape of an array in place; write x = np.resize(x, shape)")
        if name in _READING:
            return lambda *args, **kwargs: self._refuse(f".{name}()")
        return lambda *args, **kwargs: self.tracer.call(method, (self, *args), kwargs)

    # ---- operations that would read a number into Python ----

    def _refuse(self, deed: str) -> NoReturn:
        self.tracer.refuse(
            f"{deed} reads a number out of an array (shape {self.shape}, {self.dtype}) into Python, and later calls "
            "would use the number of this first call. Choose with np.where, return the array to look at it, or read it "
            "in every call by autograd_lite.callback"
        )

    def __bool__(self) -> bool:
        self._refuse("bool()" if self.ndim == 0 else "a truth value")

    def __float__(self) -> float:
        self._refuse("float()")

    def __int__(self) -> int:
        self._refuse("int()")

    def __complex__(self) -> complex:
        self._refuse("complex()")

    def __index__(self) -> int:
        self._refuse("an index")

    def __format__(self, spec: str) -> str:
        self._refuse("formatting")

    def __str__(self) -> str:
        self._refuse("str()")

    def __contains__(self, value: Any) -> bool:
        self._refuse("in")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NoReturn:
        self._refuse("a conversion to a plain array (by np.asarray, or for an index into an array outside of a Tensor)")

    def __reduce__(self) -> NoReturn:
        self._refuse("a copy of the object")

    __hash__ = object.__hash__


def _computed(ufunc: np.ufunc, *operands: Any) -> Any:
    """An operator, which NumPy may compute otherwise where all operands are numbers."""
    if all(map(_is_number, operands)):
        traced = next(x for x in operands if isinstance(x, TracedArray))
        instead = of_numbers(ufunc, np.result_type(*[x.dtype if isinstance(x, TracedArray) else x for x in operands]))
        if instead is not None:
            return traced.tracer.call(instead, operands, {})
    return ufunc(*operands)


def _is_number(x: Any) -> bool:
    return x.is_scalar if isinstance(x, TracedArray) else isinstance(x, int | float | complex | np.generic)


def _in_place(ufunc: np.ufunc, x1: Any, x2: Any) -> Any:
    """``x1 += x2`` and its like: of a number a new one, since numbers do not change."""
    return _computed(ufunc, x1, x2) if x1.is_scalar else ufunc(x1, x2, out=(x1,))


def bare(member: Any) -> Any:
    """The plain array of a traced one; anything else as it is."""
    return member.array if isinstance(member, TracedArray) else member


def gives_number(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call whose result has no axes gives a number where operands are numbers, as NumPy's methods do."""
    tree = args, kwargs
    if not any(array.is_scalar for array in found(TracedArray, tree)):
        return False
    args, kwargs = mapped(lambda x: x.array[()] if isinstance(x, TracedArray) and x.is_scalar else bare(x), tree)
    name = getattr(function, "__name__", "")
    if args and isinstance(args[0], np.generic) and getattr(np.ndarray, name, None) is function:
        function = getattr(type(args[0]), name)
    return isinstance(function(*args, **kwargs), np.generic)


define_operators(TracedArray, _computed, _computed, _in_place)

_power_of_array = TracedArray.__pow__


def _power(self: TracedArray, exponent: Any) -> Any:
    if self.is_scalar and _is_number(exponent):  # a number's square is no call of `numpy.square`
        return _computed(np.power, self, exponent)
    return _power_of_array(self, exponent)


def _power_in_place(self: TracedArray, exponent: Any) -> Any:
    instead = None if self.is_scalar else instead_of_power(self.dtype, exponent)
    return _in_place(np.power, self, exponent) if instead is None else instead(self, out=(self,))


TracedArray.__pow__ = _power
TracedArray.__ipow__ = _power_in_place  # type: ignore[attr-defined]

_READING = frozenset({"item", "tolist", "tobytes", "tofile", "dump", "dumps", "tostring"})
