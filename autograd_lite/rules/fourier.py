"""How the discrete Fourier transforms differentiate: they are linear, and `fft` is its own transpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.backward import as_dtype
from ..core.registry import defvjp, derive
from ..transforms.rule_tables import defbatching, deflinear
from ._common import Shape, as_tuple, axes_of_all

SWAPPED: dict[Any, Any] = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}
"""For each normalisation, the one that gives the opposite transform the same factor."""


def _fitted(x: Any, length: int, axis: int) -> Any:
    """The first elements along an axis, padded with zeros if there are too few, as ``n`` does with the input."""
    before = (slice(None),) * (axis % x.ndim)
    if x.shape[axis] >= length:
        return x[(*before, slice(length))]
    shape = [length - n if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
    return np.concatenate([x, np.zeros(shape, x.dtype)], axis=axis)


def _irfft(g: Any, a_shape: Shape, a_dtype: np.dtype[Any], axis: int, norm: Any) -> Any:
    """The cotangent for `irfft`: all frequencies except the first, and the last of an even length, count twice."""
    n = g.shape[axis]
    spectrum = np.conjugate(np.fft.rfft(g, axis=axis, norm=SWAPPED[norm]))
    times = np.full(spectrum.shape[axis], 2.0, np.real(spectrum[:0]).dtype)
    times[0] = 1.0
    times[n // 2 :] = 1.0 if n % 2 == 0 else 2.0
    weighted = spectrum * np.reshape(times, [-1 if i == axis % g.ndim else 1 for i in range(g.ndim)])
    return as_dtype(_fitted(weighted, a_shape[axis], axis), a_dtype)


defvjp(
    np.fft.fft,
    any_value=("n",),
    a=lambda g, a_shape, axis, norm: _fitted(np.fft.fft(g, axis=axis, norm=norm), a_shape[axis], axis),
)
defvjp(
    np.fft.ifft,
    any_value=("n",),
    a=lambda g, a_shape, axis, norm: _fitted(np.fft.ifft(g, axis=axis, norm=norm), a_shape[axis], axis),
)
defvjp(
    np.fft.rfft,
    a=lambda g, a_shape, n, axis, norm: _fitted(
        np.fft.fft(g, n=a_shape[axis] if n is None else n, axis=axis, norm=norm), a_shape[axis], axis
    ),
)
defvjp(
    np.fft.irfft, any_value=("n",), a=lambda g, a_shape, a_dtype, axis, norm: _irfft(g, a_shape, a_dtype, axis, norm)
)


def _linear_along_one_axis(function: Callable[..., Any]) -> None:
    deflinear(function, "a")
    defbatching(function, "a")(
        lambda a, n=None, axis=-1, norm=None: function(a, n, axes_of_all(axis, a.ndim - 1), norm)
    )


for _function in (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft):
    _linear_along_one_axis(_function)


@derive(np.fft.hfft)
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
    """`numpy.fft.hfft`, as `numpy.fft.irfft` of the conjugate."""
    n = (a.shape[axis] - 1) * 2 if n is None else n
    return np.fft.irfft(np.conjugate(a), n, axis, norm=SWAPPED[norm])


@derive(np.fft.ihfft)
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Any = None, out: None = None) -> Any:
    """`numpy.fft.ihfft`: the conjugate of `numpy.fft.rfft`."""
    return np.conjugate(np.fft.rfft(a, n, axis, norm=SWAPPED[norm]))


# ---- along several axes, one after the other ----
def _lengths(a: Any, s: Any, axes: Any, inverse_real: bool = False) -> tuple[list[int], list[int]]:
    if s is None:
        axes = list(range(a.ndim)) if axes is None else list(axes)
        lengths = [a.shape[axis] for axis in axes]
        if inverse_real and lengths:
            lengths[-1] = 2 * (lengths[-1] - 1)
    else:
        lengths = list(s)
        axes = list(range(-len(lengths), 0)) if axes is None else list(axes)
        lengths = [a.shape[axis] if n in (-1, None) else n for n, axis in zip(lengths, axes, strict=True)]
    return lengths, axes


def _each(a: Any, transform: Callable[..., Any], lengths: Sequence[int], axes: Sequence[int], norm: Any) -> Any:
    for n, axis in reversed(list(zip(lengths, axes, strict=True))):
        a = transform(a, n, axis, norm)
    return a


def _over_axes(name: str, default_axes: Any, first: str | None, rest: str, last: str | None) -> None:
    """Register a transform along several axes; for real numbers, the last axis has its own transform, first or last."""

    def transform(a: Any, s: Any = None, axes: Any = default_axes, norm: Any = None, out: None = None) -> Any:
        lengths, over = _lengths(a, s, axes, inverse_real=last is not None)
        one = None if first is None and last is None else (lengths.pop(), over.pop())
        if first is not None and one is not None:
            a = getattr(np.fft, first)(a, *one, norm)
        a = _each(a, getattr(np.fft, rest), lengths, over, norm)
        return getattr(np.fft, last)(a, *one, norm) if last is not None and one is not None else a

    transform.__doc__ = f"`numpy.fft.{name}`, one axis after the other."
    derive(getattr(np.fft, name))(transform)


for _suffix, _default in (("n", None), ("2", (-2, -1))):
    _over_axes(f"fft{_suffix}", _default, None, "fft", None)
    _over_axes(f"ifft{_suffix}", _default, None, "ifft", None)
    _over_axes(f"rfft{_suffix}", _default, "rfft", "fft", None)
    _over_axes(f"irfft{_suffix}", _default, None, "ifft", "irfft")


# ---- the zero frequency moved to the middle and back ----
def _shifting(sign: int) -> Callable[..., Any]:
    def shift(x: Any, axes: Any = None) -> Any:
        over = tuple(range(x.ndim)) if axes is None else as_tuple(axes)
        steps = tuple(x.shape[axis] // 2 if sign > 0 else -(x.shape[axis] // 2) for axis in over)
        return np.roll(x, steps, over)

    return shift


derive(np.fft.fftshift)(_shifting(1))
derive(np.fft.ifftshift)(_shifting(-1))
