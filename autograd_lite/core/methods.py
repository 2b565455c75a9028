"""The attributes and methods of NumPy's array, each method the NumPy function of its name called on the tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

Axis = int | tuple[int, ...] | None

# NumPy's stubs know arrays only; that its functions take tensors is this package's doing.
_np: Any = np


class ArrayMethods:
    """What `numpy.ndarray` offers, for tensors: methods are recorded like the functions, with the same arguments."""

    __slots__ = ()

    if TYPE_CHECKING:
        _value: Any
        data: Any
        __getitem__: Callable[..., Any]

        def _brief(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._value.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size  # type: ignore[no-any-return]

    @property
    def T(self) -> Self:  # noqa: N802 - NumPy's name
        """The tensor with its axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Self:  # noqa: N802
        """The matrix transpose: the last two axes swapped."""
        if self.ndim < 2:
            raise ValueError(f"{self._brief()}: .mT needs at least two axes")
        return self.swapaxes(-1, -2)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError(f"{self._brief()} has no axes, so it has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return value in self.data

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"{self._brief()} cannot be assigned into, since the graph may have saved its values. Build the result "
            "with np.where(mask, new, old) or np.concatenate; to change a leaf outside of the graph, assign to .data"
        )

    def sum(self, axis: Axis = None, dtype: npt.DTypeLike | None = None, keepdims: bool = False) -> Self:
        """`numpy.sum`."""
        return _np.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[no-any-return]

    def mean(self, axis: Axis = None, dtype: npt.DTypeLike | None = None, keepdims: bool = False) -> Self:
        """`numpy.mean`."""
        return _np.mean(self, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[no-any-return]

    def prod(self, axis: Axis = None, dtype: npt.DTypeLike | None = None, keepdims: bool = False) -> Self:
        """`numpy.prod`."""
        return _np.prod(self, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[no-any-return]

    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """`numpy.max`."""
        return _np.max(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """`numpy.min`."""
        return _np.min(self, axis=axis, keepdims=keepdims)  # type: ignore[no-any-return]

    def var(
        self, axis: Axis = None, dtype: npt.DTypeLike | None = None, ddof: float = 0, keepdims: bool = False
    ) -> Self:
        """`numpy.var`."""
        return _np.var(self, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return]

    def std(
        self, axis: Axis = None, dtype: npt.DTypeLike | None = None, ddof: float = 0, keepdims: bool = False
    ) -> Self:
        """`numpy.std`."""
        return _np.std(self, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims)  # type: ignore[no-any-return]

    def cumsum(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Self:
        """`numpy.cumsum`."""
        return _np.cumsum(self, axis=axis, dtype=dtype)  # type: ignore[no-any-return]

    def cumprod(self, axis: int | None = None, dtype: npt.DTypeLike | None = None) -> Self:
        """`numpy.cumprod`."""
        return _np.cumprod(self, axis=axis, dtype=dtype)  # type: ignore[no-any-return]

    def dot(self, b: Any) -> Self:
        """`numpy.dot`."""
        return _np.dot(self, b)  # type: ignore[no-any-return]

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """`numpy.clip`."""
        return _np.clip(self, min, max)  # type: ignore[no-any-return]

    def round(self, decimals: int = 0) -> Self:
        """`numpy.round`."""
        return _np.round(self, decimals)  # type: ignore[no-any-return]

    def take(self, indices: Any, axis: int | None = None) -> Self:
        """`numpy.take`."""
        return _np.take(self, indices, axis=axis)  # type: ignore[no-any-return]

    def repeat(self, repeats: Any, axis: int | None = None) -> Self:
        """`numpy.repeat`."""
        return _np.repeat(self, repeats, axis=axis)  # type: ignore[no-any-return]

    def squeeze(self, axis: Axis = None) -> Self:
        """`numpy.squeeze`."""
        return _np.squeeze(self, axis=axis)  # type: ignore[no-any-return]

    def ravel(self, order: Any = "C") -> Self:
        """`numpy.ravel`."""
        return _np.ravel(self, order=order)  # type: ignore[no-any-return]

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """`numpy.swapaxes`."""
        return _np.swapaxes(self, axis1, axis2)  # type: ignore[no-any-return]

    def copy(self) -> Self:
        """`numpy.copy`."""
        return _np.copy(self)  # type: ignore[no-any-return]

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """`numpy.argmax`; a plain array, which carries no gradient."""
        return _np.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Any:
        """`numpy.argmin`; a plain array, which carries no gradient."""
        return _np.argmin(self, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1) -> Any:
        """`numpy.argsort`; a plain array, which carries no gradient."""
        return _np.argsort(self, axis=axis)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """`numpy.all`; a plain array, which carries no gradient."""
        return _np.all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Any:
        """`numpy.any`; a plain array, which carries no gradient."""
        return _np.any(self, axis=axis, keepdims=keepdims)

    @property
    def real(self) -> Self:
        """`numpy.real`."""
        return _np.real(self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Self:
        """`numpy.imag`."""
        return _np.imag(self)  # type: ignore[no-any-return]

    def conj(self) -> Self:
        """`numpy.conjugate`."""
        return _np.conjugate(self)  # type: ignore[no-any-return]

    conjugate = conj

    def reshape(self, *shape: Any, order: Any = "C") -> Self:
        """`numpy.reshape`; the shape as one tuple or as separate lengths."""
        return _np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Self:
        """`numpy.transpose`; the axes as one tuple, as separate numbers, or reversed where none are given."""
        order = None if not axes else axes[0] if len(axes) == 1 else axes
        return _np.transpose(self, order)  # type: ignore[no-any-return]

    def flatten(self, order: Any = "C") -> Self:
        """`numpy.ravel`: all elements along one axis."""
        return _np.ravel(self, order=order)  # type: ignore[no-any-return]

    def __round__(self, ndigits: int | None = None) -> Self:
        return self.round(ndigits or 0)
