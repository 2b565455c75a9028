"""Optimizers: how parameters follow their gradients, each method after its paper."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Array, Group, Optimizer

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]


class SGD(Optimizer):
    """Stochastic gradient descent (Robbins and Monro 1951), with momentum if wanted.

    ``v = momentum v + g`` and ``w = w - lr v`` (Polyak 1964); with `nesterov`, ``w = w - lr (g + momentum v)``
    (Sutskever, Martens, Dahl and Hinton 2013).

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-3
        Learning rate.
    momentum : float, default 0
        The share of the velocity that is kept.
    nesterov : bool, default False
        Look ahead along the velocity; needs momentum.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.8, -1.6])
    """

    buffers = ("velocity",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def update(self, w: Array, v: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``v = momentum v + g``, ``w -= lr v``."""
        g = _with_penalty(g, w, u, group["weight_decay"])
        momentum = group["momentum"]
        if momentum:
            v *= momentum
            v += g
            if group["nesterov"]:
                np.multiply(v, momentum, out=t)
                t += g
                t *= group["lr"]
            else:
                np.multiply(v, group["lr"], out=t)
        else:
            np.multiply(g, group["lr"], out=t)
        w -= t


class RMSprop(Optimizer):
    """RMSprop: steps divided by a running root mean square of the gradient (Tieleman and Hinton 2012, lecture 6.5).

    ``v = alpha v + (1 - alpha) g^2`` and ``w = w - lr g / (sqrt(v) + eps)``; with momentum, ``b = momentum b + g /
    (sqrt(v) + eps)`` and ``w = w - lr b``.

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-2
        Learning rate.
    alpha : float, default 0.99
        The share of the mean square that is kept.
    eps : float, default 1e-8
        Added to the divisor.
    momentum : float, default 0
        The share of the velocity that is kept.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([   0.9, -199.9])
    """

    buffers = ("mean_square", "velocity")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, alpha=alpha, eps=eps, momentum=momentum, weight_decay=weight_decay)

    def update(self, w: Array, v: Array, b: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``v = alpha v + (1 - alpha) g^2``, ``w -= lr g / (sqrt(v) + eps)``."""
        g = _with_penalty(g, w, u, group["weight_decay"])
        _average_square(v, g, group["alpha"], t)
        np.sqrt(v, out=t)
        t += group["eps"]
        np.divide(g, t, out=t)
        if group["momentum"]:
            b *= group["momentum"]
            b += t
            np.multiply(b, group["lr"], out=t)
        else:
            t *= group["lr"]
        w -= t


class Adagrad(Optimizer):
    """Adagrad: steps divided by the root of the sum of all squared gradients (Duchi, Hazan and Singer 2011).

    ``s = s + g^2`` and ``w = w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)``.

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-2
        Learning rate.
    lr_decay : float, default 0
        How fast it falls with the steps.
    eps : float, default 1e-10
        Added to the divisor.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([   0.9, -199.9])
    """

    buffers = ("sum_of_squares",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay)

    def update(self, w: Array, s: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``s += g^2``, ``w -= lr g / (sqrt(s) + eps)``."""
        g = _with_penalty(g, w, u, group["weight_decay"])
        np.multiply(g, g, out=t)
        s += t
        np.sqrt(s, out=t)
        t += group["eps"]
        np.divide(g, t, out=t)
        t *= group["lr"] / (1 + (step - 1) * group["lr_decay"])
        w -= t


class Adam(Optimizer):
    """Adam: steps along a running mean of the gradient, divided by its running root mean square.

    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2`` and, with both corrected for their start at zero,
    ``w = w - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)`` (Kingma and Ba 2015, algorithm 1).

    Parameters
    ----------
    params : iterable
        See `Optimizer`.
    lr : float, default 1e-3
        Learning rate: about the largest change of a weight in one step.
    betas : (float, float), default (0.9, 0.999)
        The shares of the two means that are kept.
    eps : float, default 1e-8
        Added to the divisor.
    weight_decay : float, default 0
        L2 penalty: ``weight_decay w`` is added to the gradient. `AdamW` decays the weights themselves.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0, -200.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([   0.9, -199.9])
    """

    buffers = ("mean", "mean_square")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, w: Array, m: Array, v: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``, ``w -= lr m / (sqrt(v) + eps)``."""
        self._move(w, m, v, t, _with_penalty(g, w, u, group["weight_decay"]), step, group)

    @staticmethod
    def _move(w: Array, m: Array, v: Array, t: Array, g: Array, step: int, group: Group) -> None:
        beta1, beta2 = group["betas"]
        np.subtract(g, m, out=t)
        t *= 1 - beta1
        m += t
        _average_square(v, g, beta2, t)
        # The corrections are numbers, so they are drawn out of the arrays (section 2 of the paper).
        correction = math.sqrt(1 - beta2**step)
        np.sqrt(v, out=t)
        t += group["eps"] * correction
        np.divide(m, t, out=t)
        t *= group["lr"] * correction / (1 - beta1**step)
        w -= t


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: ``w = w - lr weight_decay w`` before Adam's step.

    Loshchilov and Hutter 2019, algorithm 2. Parameters as `Adam`, with a `weight_decay` of 1e-2 by default.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([0.85])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, w: Array, m: Array, v: Array, t: Array, u: Array, g: Array, step: int, group: Group) -> None:
        """``w -= lr weight_decay w``, and Adam's step."""
        if group["weight_decay"]:
            w *= 1 - group["lr"] * group["weight_decay"]
        self._move(w, m, v, t, g, step, group)


def _with_penalty(g: Array, w: Array, u: Array, weight_decay: float) -> Array:
    """The gradient with that of the L2 penalty, in scratch memory."""
    if not weight_decay:
        return g
    np.multiply(w, weight_decay, out=u)
    u += g
    return u


def _average_square(v: Array, g: Array, beta: float, t: Array) -> None:
    """``v = beta v + (1 - beta) g^2``."""
    np.multiply(g, g, out=t)
    t *= 1 - beta
    v *= beta
    v += t
