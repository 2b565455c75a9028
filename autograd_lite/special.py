"""`logsumexp`, `softmax` and `log_softmax` as in `scipy.special`, for arrays and tensors; SciPy is not needed.

SciPy's ufuncs take tensors themselves: ``scipy.special.erf(x)`` is differentiated like ``np.sin(x)``. But these three
are Python functions in SciPy, and would convert tensors to plain arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .core.custom import custom_vjp, primitive
from .core.registry import defvjp
from .rules._common import axes_of_all, strong_product, strong_quotient, symmetric_product
from .transforms.linearize import array_like
from .transforms.rule_tables import defbatching, defjvp

_np: Any = np

Axis = int | tuple[int, ...] | None


def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """``log(sum(b exp(a)))`` along axes, without overflow, and exact where all but one of the terms vanish.

    Parameters
    ----------
    a : array or Tensor
        The exponents, real or complex. If an exponent is -inf, its term is 0, and so is its gradient.
    axis : int, tuple of int or None, default None
        The axes to sum along; None for all.
    b : array or Tensor, optional
        Factors that broadcast against `a`; the default is 1.
    keepdims : bool, default False
        Whether the axes stay, with length 1.
    return_sign : bool, default False
        Whether to return the logarithm of the sum's absolute value and its sign; for real numbers only.

    Returns
    -------
    array or Tensor, or a tuple of two
        NaN where the sum is negative and ``return_sign`` is False.

    Raises
    ------
    TypeError
        If the sign of a complex sum is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor
    >>> from autograd_lite.special import logsumexp
    >>> a = Tensor([1000.0, 1000.0, -np.inf], requires_grad=True)
    >>> total = logsumexp(a)
    >>> total.backward()
    >>> total.item(), a.grad.data.round(9)
    (1000.6931471805599, array([0.5, 0.5, 0. ]))
    """
    logarithm, sign = _log_and_sign_of_sum(array_like(a), 1 if b is None else array_like(b), axis)
    if not keepdims:
        logarithm, sign = np.squeeze(logarithm, axis), np.squeeze(sign, axis)
    if return_sign:
        if logarithm.dtype.kind == "c":
            raise TypeError(
                "logsumexp: return_sign=True is for real numbers; a complex logarithm has the sum's phase itself"
            )
        return logarithm, sign
    if b is None or logarithm.dtype.kind == "c":
        return logarithm
    return np.where(sign < 0, np.nan, logarithm)


def _softmax_rule(g: Any, out: Any, axis: Axis) -> Any:
    """``out * (g - (g * out).sum(axis=axis, keepdims=True))``."""
    return symmetric_product(out, g - symmetric_product(g, out).sum(axis=axis, keepdims=True))


@custom_vjp(x=_softmax_rule)
def softmax(x: Any, axis: Axis = None) -> Any:
    """``exp(x) / sum(exp(x))`` along axes.

    Its Jacobian ``diag(a) - a a^T`` is full: each output depends on every input along the axes.

    Parameters
    ----------
    x : array or Tensor
        The numbers; they may be large, since the maximum is subtracted first.
    axis : int, tuple of int or None, default None
        The axes along which the outputs add up to 1; None for all.

    Returns
    -------
    array or Tensor
        The softmax, with the shape of `x`.

    Examples
    --------
    >>> softmax(np.array([10000.0, 10000.0, -10000.0]))
    array([0.5, 0.5, 0. ])
    """
    exponentials = np.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True))
    return exponentials / np.add.reduce(exponentials, axis=axis, keepdims=True)


defjvp(softmax, x=lambda t, out, axis: _softmax_rule(t, out, axis))
defbatching(softmax, "x")(lambda x, axis=None: softmax(x, axes_of_all(axis, x.ndim - 1)))


@custom_vjp(x=lambda g, out, axis: g - strong_product(g.sum(axis=axis, keepdims=True), _np.exp(out)))
def log_softmax(x: Any, axis: Axis = None) -> Any:
    """The logarithm of `softmax`, without its underflow.

    Parameters
    ----------
    x : array or Tensor
        The numbers; they may be large.
    axis : int, tuple of int or None, default None
        The axes along which the outputs' exponentials add up to 1; None for all.

    Returns
    -------
    array or Tensor
        The logarithm, with the shape of `x`.

    Examples
    --------
    >>> log_softmax(np.array([0.0, -10000.0]))
    array([     0., -10000.])
    """
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axis=axis, keepdims=True))


defjvp(log_softmax, x=lambda t, out, axis: t - symmetric_product(t, _np.exp(out)).sum(axis=axis, keepdims=True))
defbatching(log_softmax, "x")(lambda x, axis=None: log_softmax(x, axes_of_all(axis, x.ndim - 1)))


@primitive
def _ratios(a: Any, b: Any, axis: Axis) -> Any:
    """``exp(a) / sum(b exp(a))``, and 0 where ``exp(a)`` is; infinite terms, which are all of the sum, share it."""
    present = np.where(np.equal(b, 0), -np.inf, np.real(a))
    largest = np.max(present, axis=axis, keepdims=True)
    infinite = np.isposinf(largest)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        terms = np.exp(np.where(infinite, 0, a) - np.where(np.isfinite(largest), largest, 0))
        terms = np.where(infinite, np.isposinf(np.real(a)), terms)
        total = np.sum(strong_product(b, terms), axis=axis, keepdims=True)
        return strong_quotient(terms, total).astype(np.result_type(a, b))


def _parts(a: Any, b: Any, axis: Axis) -> Any:
    """``b exp(a) / sum(b exp(a))``: 0 where ``b`` is, however large the exponential."""
    return strong_product(b, _ratios(a, b, axis))


def _ratios_rule(g: Any, a: Any, b: Any, axis: Axis, out: Any) -> Any:
    """``g * out - b * out * (g * out).sum(axis=axis, keepdims=True)``."""
    pulled = strong_product(g, out)
    return pulled - strong_product(b, out) * pulled.sum(axis=axis, keepdims=True)


defvjp(
    _ratios,
    a=_ratios_rule,
    b=lambda g, axis, out: -out * strong_product(g, out).sum(axis=axis, keepdims=True),
)


@defbatching(_ratios, "a", "b")
def _ratios_of_all(a: Any, b: Any, axis: Axis) -> Any:
    return _ratios(*_of_equal_ndim(a, b, axis))


def _of_equal_ndim(a: Any, b: Any, axis: Axis) -> tuple[Any, Any, Any]:
    """Stacks of arrays with as many axes each, and the axes to sum along as those of a stack."""
    ndim = max(a.ndim, b.ndim)
    a, b = (np.reshape(x, (len(x), *(1,) * (ndim - x.ndim), *x.shape[1:])) for x in (a, b))
    return a, b, axes_of_all(axis, ndim - 1)


@custom_vjp(
    a=lambda g, a, b, axis: strong_product(g[0], _parts(a, b, axis)),
    b=lambda g, a, b, axis: strong_product(g[0], _ratios(a, b, axis)),
)
def _log_and_sign_of_sum(a: Any, b: Any, axis: Axis) -> tuple[Any, Any]:
    """The logarithm of a sum's absolute value, and its sign; for a complex sum, its logarithm and 1. All axes stay."""
    present = np.where(np.equal(b, 0), -np.inf, np.real(a))
    largest = np.max(present, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        total = np.sum(np.where(np.equal(b, 0), 0, b * np.exp(a - largest)), axis=axis, keepdims=True)
        if total.dtype.kind == "c":
            return np.log(total) + largest, np.ones_like(total.real)
        return np.log(np.abs(total)) + largest, np.sign(total)


def _tangents(terms: Any, out: tuple[Any, Any], axis: Axis) -> tuple[Any, Any]:
    return np.sum(terms, axis=axis, keepdims=True), np.zeros_like(out[1])


defjvp(
    _log_and_sign_of_sum,
    a=lambda t, a, b, out, axis: _tangents(symmetric_product(t, _parts(a, b, axis)), out, axis),
    b=lambda t, a, b, out, axis: _tangents(symmetric_product(t, _ratios(a, b, axis)), out, axis),
)


@defbatching(_log_and_sign_of_sum, "a", "b")
def _log_and_sign_of_all_sums(a: Any, b: Any, axis: Axis) -> Any:
    return _log_and_sign_of_sum(*_of_equal_ndim(a, b, axis))
