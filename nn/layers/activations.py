"""Activation functions, for arrays and tensors, and each as a module.

All are accurate and finite for inputs of any size, for example in float32 at 10,000 and -10,000, because none computes
the exponential of a large positive number. All keep the dtype of their input.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite import custom_vjp, special
from autograd_lite.extend import defelementwise, no_argument, strong_product, symmetric_product, where

from ..module import Module

_np: Any = np


@custom_vjp(x=lambda g, out: where(out > 0, g, 0))
def relu(x: Any) -> Any:
    """``max(x, 0)``, with derivative 0 at 0 (Nair and Hinton 2010).

    Examples
    --------
    >>> relu(np.array([-2.0, 0.0, 3.0]))
    array([0., 0., 3.])
    """
    return np.maximum(x, 0)


@custom_vjp(x=lambda g, x, negative_slope: where(_np.greater(x, 0), g, negative_slope * g))
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """``x`` above 0, ``negative_slope * x`` elsewhere (Maas, Hannun and Ng 2013).

    Examples
    --------
    >>> leaky_relu(np.array([-2.0, 3.0]))
    array([-0.02,  3.  ])
    """
    return where(x > 0, x, negative_slope * x)


@custom_vjp(x=lambda g, x, out, alpha: where(_np.greater(x, 0), g, strong_product(g, out + alpha)))
def elu(x: Any, alpha: float = 1.0) -> Any:
    """``x`` above 0, ``alpha (exp(x) - 1)`` elsewhere (Clevert, Unterthiner and Hochreiter 2016).

    Examples
    --------
    >>> elu(np.array([-10000.0, 0.0, 3.0]))
    array([-1.,  0.,  3.])
    """
    return where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@custom_vjp(x=lambda g, out: strong_product(g, out * (1 - out)))
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``, with derivative ``a (1 - a)``.

    Examples
    --------
    >>> sigmoid(np.array([-10000.0, 0.0, 10000.0]))
    array([0. , 0.5, 1. ])
    """
    decay = np.exp(-np.abs(x))
    return where(x >= 0, 1, decay) / (1 + decay)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, `numpy.tanh`, with derivative ``1 - a^2``.

    Examples
    --------
    >>> tanh(np.array([-10000.0, 0.0, 10000.0]))
    array([-1.,  0.,  1.])
    """
    return np.tanh(x)


@custom_vjp(x=lambda g, x: strong_product(g, sigmoid(x)))
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, whose derivative is the sigmoid (Dugas et al. 2001).

    Examples
    --------
    >>> softplus(np.array([-10000.0, 0.0, 10000.0]))
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+04])
    """
    return np.logaddexp(x, 0)


@custom_vjp(x=lambda g, x: strong_product(g, _normal_density(x)))
def _normal_distribution(x: Any) -> Any:
    # The complementary error function keeps the digits of the lower tail.
    return np.asarray(0.5 * _erfc(x * -math.sqrt(0.5)), dtype=x.dtype)


def _normal_density(x: Any) -> Any:
    return math.sqrt(0.5 / math.pi) * np.exp(-0.5 * (x * x))


def _erfc(x: Any) -> Any:
    try:
        from scipy.special import erfc
    except ImportError:
        return np.vectorize(math.erfc, otypes=[np.float64])(x)
    return erfc(x)


def _gelu_slope(x: Any) -> Any:
    """``Phi(x) + x * phi(x)``: further out than 40 the density is 0 to the last bit, and nothing is infinite."""
    near = np.clip(x, -40, 40)
    return _normal_distribution(x) + near * _normal_density(near)


@custom_vjp(x=lambda g, x: strong_product(g, _gelu_slope(x)))
def _exact_gelu(x: Any) -> Any:
    return symmetric_product(x, _normal_distribution(x))


def gelu(x: Any, approximate: str = "none") -> Any:
    """``x Phi(x)``, with the normal distribution function ``Phi`` (Hendrycks and Gimpel 2016).

    Parameters
    ----------
    x : array or Tensor
        The input, of any shape.
    approximate : {"none", "tanh"}, default "none"
        "tanh" computes ``x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``. If SciPy is installed, the exact form is
        as fast; without SciPy, the error function is computed element by element.

    Examples
    --------
    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate == "none":
        return _exact_gelu(x)
    if approximate != "tanh":
        raise ValueError(f"gelu: approximate={approximate!r} is unknown; expected 'none' or 'tanh'")
    near = np.clip(x, -10, 10)  # further out the tangent is 1 to the last bit, and the cube could overflow
    return symmetric_product(x, 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (near + 0.044715 * (near * near * near)))))


@custom_vjp(x=lambda g, x: strong_product(g, _silu_slope(x, sigmoid(x))))
def silu(x: Any) -> Any:
    """``x sigmoid(x)``, also called swish (Elfwing, Uchibe and Doya 2018).

    Examples
    --------
    >>> silu(np.array([-10000.0, 0.0, 10000.0]))
    array([   -0.,     0., 10000.])
    """
    return symmetric_product(x, sigmoid(x))


def _silu_slope(x: Any, a: Any) -> Any:
    """``a + x * (a * (1 - a))``: further out than 1000 it is 0 or 1 to the last bit, and nothing is infinite."""
    return a + np.clip(x, -1000, 1000) * (a * (1 - a))


def softmax(x: Any, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis: `autograd_lite.special.softmax`, by default along the last.

    Examples
    --------
    >>> softmax(np.array([10000.0, 10000.0, -10000.0]))
    array([0.5, 0.5, 0. ])
    """
    return special.softmax(x, axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """The logarithm of `softmax`, without its underflow: `autograd_lite.special.log_softmax`.

    Examples
    --------
    >>> log_softmax(np.array([0.0, -10000.0]))
    array([     0., -10000.])
    """
    return special.log_softmax(x, axis)


defelementwise(relu, leaky_relu, elu, sigmoid, softplus, silu, _normal_distribution, _exact_gelu)


# ---- as modules ----


class Activation(Module):
    """A module without parameters that applies a function to each input.

    Parameters
    ----------
    **options
        Passed to the function, and shown by `repr`.
    """

    function: Callable[..., Any]

    def __init__(self, **options: Any) -> None:
        taken = inspect.signature(type(self).function).parameters if options else {}
        for name in options:
            if name not in taken:
                raise no_argument(type(self).__name__, name, self._keywords)
        self.options = options

    def forward(self, x: Any) -> Any:
        """The function of the input."""
        return type(self).function(x, **self.options)

    def extra_repr(self) -> str:
        """The options that were given."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())


class ReLU(Activation):
    """`relu` as a module."""

    function = staticmethod(relu)


class LeakyReLU(Activation):
    """`leaky_relu` as a module."""

    function = staticmethod(leaky_relu)

    def __init__(self, negative_slope: float = 0.01) -> None:
        super().__init__(negative_slope=negative_slope)


class ELU(Activation):
    """`elu` as a module."""

    function = staticmethod(elu)

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__(alpha=alpha)


class Sigmoid(Activation):
    """`sigmoid` as a module."""

    function = staticmethod(sigmoid)


class Tanh(Activation):
    """`tanh` as a module."""

    function = staticmethod(tanh)


class Softplus(Activation):
    """`softplus` as a module."""

    function = staticmethod(softplus)


class GELU(Activation):
    """`gelu` as a module."""

    function = staticmethod(gelu)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)


class SiLU(Activation):
    """`silu` as a module."""

    function = staticmethod(silu)


class Softmax(Activation):
    """`softmax` as a module."""

    function = staticmethod(softmax)

    def __init__(self, axis: int = -1) -> None:
        super().__init__(axis=axis)


class LogSoftmax(Activation):
    """`log_softmax` as a module."""

    function = staticmethod(log_softmax)

    def __init__(self, axis: int = -1) -> None:
        super().__init__(axis=axis)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softplus": Softplus,
    "gelu": GELU,
    "silu": SiLU,
    "softmax": Softmax,
    "log_softmax": LogSoftmax,
}
"""The activations by the names that `MLP` takes."""
