"""The attributes and methods of NumPy's array, each method the NumPy function of its name called on the tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from ..habits import KEYWORDS, no_argument

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
    def itemsize(self) -> int:
        """The bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self.size * self.itemsize

    @property
    def device(self) -> str:
        """``"cpu"``, as NumPy's arrays have it."""
        return "cpu"

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
            "with np.where(mask, new, old), np.stack or np.concatenate; to change a leaf outside of the graph, assign "
            "to .data"
        )

    def sum(self, axis: Axis = None, dtype: npt.DTypeLike | None = None, keepdims: bool = False, **others: Any) -> Self:
        """`numpy.sum`."""
        return _np.sum(self, axis=axis, dtype=dtype, keepdims=keepdims, **_known("sum", others))  # type: ignore[no-any-return]

    def mean(
        self, axis: Axis = None, dtype: npt.DTypeLike | None = None, keepdims: bool = False, **others: Any
    ) -> Self:
        """`numpy.mean`."""
        return _np.mean(self, axis=axis, dtype=dtype, keepdims=keepdims, **_known("mean", others))  # type: ignore[no-any-return]

    def prod(
        self, axis: Axis = None, dtype: npt.DTypeLike | None = None, keepdims: bool = False, **others: Any
    ) -> Self:
        """`numpy.prod`."""
        return _np.prod(self, axis=axis, dtype=dtype, keepdims=keepdims, **_known("prod", others))  # type: ignore[no-any-return]

    def max(self, axis: Axis = None, keepdims: bool = False, **others: Any) -> Self:
        """`numpy.max`."""
        return _np.max(self, axis=axis, keepdims=keepdims, **_known("max", others))  # type: ignore[no-any-return]

    def min(self, axis: Axis = None, keepdims: bool = False, **others: Any) -> Self:
        """`numpy.min`."""
        return _np.min(self, axis=axis, keepdims=keepdims, **_known("min", others))  # type: ignore[no-any-return]

    def var(
        self,
        axis: Axis = None,
        dtype: npt.DTypeLike | None = None,
        ddof: float = 0,
        keepdims: bool = False,
        **others: Any,
    ) -> Self:
        """`numpy.var`."""
        return _np.var(self, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, **_known("var", others))  # type: ignore[no-any-return]

    def std(
        self,
        axis: Axis = None,
        dtype: npt.DTypeLike | None = None,
        ddof: float = 0,
        keepdims: bool = False,
        **others: Any,
    ) -> Self:
        """`numpy.std`."""
        return _np.std(self, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, **_known("std", others))  # type: ignore[no-any-return]

    def cumsum(self, axis: int | None = None, dtype: npt.DTypeLike | None = None, **others: Any) -> Self:
        """`numpy.cumsum`."""
        return _np.cumsum(self, axis=axis, dtype=dtype, **_known("cumsum", others))  # type: ignore[no-any-return]

    def cumprod(self, axis: int | None = None, dtype: npt.DTypeLike | None = None, **others: Any) -> Self:
        """`numpy.cumprod`."""
        return _np.cumprod(self, axis=axis, dtype=dtype, **_known("cumprod", others))  # type: ignore[no-any-return]

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

    def squeeze(self, axis: Axis = None, **others: Any) -> Self:
        """`numpy.squeeze`."""
        return _np.squeeze(self, axis=axis, **_known("squeeze", others))  # type: ignore[no-any-return]

    def ravel(self, order: Any = "C") -> Self:
        """`numpy.ravel`."""
        return _np.ravel(self, order=order)  # type: ignore[no-any-return]

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """`numpy.swapaxes`."""
        return _np.swapaxes(self, axis1, axis2)  # type: ignore[no-any-return]

    def copy(self) -> Self:
        """`numpy.copy`."""
        return _np.copy(self)  # type: ignore[no-any-return]

    def argmax(self, axis: int | None = None, keepdims: bool = False, **others: Any) -> Any:
        """`numpy.argmax`; a plain array, which carries no gradient."""
        return _np.argmax(self, axis=axis, keepdims=keepdims, **_known("argmax", others))

    def argmin(self, axis: int | None = None, keepdims: bool = False, **others: Any) -> Any:
        """`numpy.argmin`; a plain array, which carries no gradient."""
        return _np.argmin(self, axis=axis, keepdims=keepdims, **_known("argmin", others))

    def argsort(self, axis: int | None = -1, **others: Any) -> Any:
        """`numpy.argsort`; a plain array, which carries no gradient."""
        return _np.argsort(self, axis=axis, **_known("argsort", others))

    def all(self, axis: Axis = None, keepdims: bool = False, **others: Any) -> Any:
        """`numpy.all`; a plain array, which carries no gradient."""
        return _np.all(self, axis=axis, keepdims=keepdims, **_known("all", others))

    def any(self, axis: Axis = None, keepdims: bool = False, **others: Any) -> Any:
        """`numpy.any`; a plain array, which carries no gradient."""
        return _np.any(self, axis=axis, keepdims=keepdims, **_known("any", others))

    def nonzero(self) -> Any:
        """`numpy.nonzero`; plain arrays, which carry no gradient."""
        return _np.nonzero(self)

    def searchsorted(self, v: Any, side: Any = "left") -> Any:
        """`numpy.searchsorted`; a plain array, which carries no gradient."""
        return _np.searchsorted(self, v, side=side)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """`numpy.diagonal`."""
        return _np.diagonal(self, offset, axis1, axis2)  # type: ignore[no-any-return]

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """`numpy.trace`."""
        return _np.trace(self, offset, axis1, axis2)  # type: ignore[no-any-return]

    def compress(self, condition: Any, axis: int | None = None) -> Self:
        """`numpy.compress`."""
        return _np.compress(condition, self, axis=axis)  # type: ignore[no-any-return]

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

    def flatten(self, order: Any = "C", **others: Any) -> Self:
        """`numpy.ravel`: all elements along one axis."""
        return _np.ravel(self, order=order, **_known("flatten", others))  # type: ignore[no-any-return]

    def __round__(self, ndigits: int | None = None) -> Self:
        return self.round(ndigits or 0)


def _known(method: str, others: dict[str, Any]) -> dict[str, Any]:
    """Further arguments for NumPy's function; a `TypeError` for those of other libraries, with what to write."""
    for name in others:
        if name in KEYWORDS:
            raise no_argument(method, name, KEYWORDS)
    return others
