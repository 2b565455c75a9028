"""Optimizers: how parameters follow their gradients, each method after its paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .base import Optimizer
from .fused.blocks import Array

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]

Options = Mapping[str, Any]


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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def buffers(self, options: Options) -> tuple[str, ...]:
        """The velocity, with momentum."""
        return ("velocity",) if options["momentum"] else ()

    def fused(self, step: int, options: Options) -> tuple[str, tuple[float, ...]]:
        """The same, by machine code."""
        name = "nesterov" if options["nesterov"] else "momentum" if options["momentum"] else "sgd"
        return name, (options["lr"], options["momentum"])

    def update(self, g: Array, state: Sequence[Array], out: Array, step: int, options: Options) -> Array:
        """``v = momentum v + g``; ``lr v``."""
        momentum, direction = options["momentum"], g
        if momentum:
            (v,) = state
            v *= momentum
            v += g
            direction = v
            if options["nesterov"]:
                np.multiply(v, momentum, out=out)
                out += g
                direction = out
        return np.multiply(direction, options["lr"], out)


class RMSprop(Optimizer):
    """RMSprop: steps divided by a running root mean square of the gradient (Tieleman and Hinton 2012, lecture 6.5).

    ``s = alpha s + (1 - alpha) g^2`` and ``w = w - lr g / (sqrt(s) + eps)``; with momentum, ``v = momentum v + g /
    (sqrt(s) + eps)`` and ``w = w - lr v``.

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

    def buffers(self, options: Options) -> tuple[str, ...]:
        """The mean square, and with momentum the velocity."""
        return ("mean_square", "velocity") if options["momentum"] else ("mean_square",)

    def fused(self, step: int, options: Options) -> tuple[str, tuple[float, ...]]:
        """The same, by machine code."""
        alpha, momentum = options["alpha"], options["momentum"]
        numbers = options["lr"], alpha, 1 - alpha, options["eps"], momentum
        return "rmsprop_momentum" if momentum else "rmsprop", numbers

    def update(self, g: Array, state: Sequence[Array], out: Array, step: int, options: Options) -> Array:
        """``s = alpha s + (1 - alpha) g^2``; ``lr g / (sqrt(s) + eps)``."""
        s, *velocity = state
        _move_mean_square(s, g, options["alpha"], out)
        np.sqrt(s, out=out)
        out += options["eps"]
        direction = np.divide(g, out, out=out)
        if velocity:
            (v,) = velocity
            v *= options["momentum"]
            v += out
            direction = v
        return np.multiply(direction, options["lr"], out)


class Adagrad(Optimizer):
    """Adagrad: steps divided by the root of the sum of all squared gradients (Duchi, Hazan and Singer 2011).

    ``s = s + g^2`` and ``w = w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)`` in step ``t``.

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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        eps: float = 1e-10,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay)

    def buffers(self, options: Options) -> tuple[str, ...]:
        """The sum of squares."""
        return ("sum_of_squares",)

    def fused(self, step: int, options: Options) -> tuple[str, tuple[float, ...]]:
        """The same, by machine code."""
        return "adagrad", (options["lr"] / (1 + (step - 1) * options["lr_decay"]), 0.0, 0.0, options["eps"])

    def update(self, g: Array, state: Sequence[Array], out: Array, step: int, options: Options) -> Array:
        """``s = s + g^2``; ``lr g / (sqrt(s) + eps)``."""
        (s,) = state
        s += np.square(g, out=out)
        np.sqrt(s, out=out)
        out += options["eps"]
        np.divide(g, out, out=out)
        out *= options["lr"] / (1 + (step - 1) * options["lr_decay"])
        return out


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

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def buffers(self, options: Options) -> tuple[str, ...]:
        """The two means."""
        return "mean", "mean_square"

    def fused(self, step: int, options: Options) -> tuple[str, tuple[float, ...]]:
        """The same, by machine code."""
        beta1, beta2 = options["betas"]
        correction = math.sqrt(1 - beta2**step)
        rate = options["lr"] * correction / (1 - beta1**step)
        return "adam", (rate, beta1, 1 - beta1, options["eps"] * correction, beta2, 1 - beta2)

    def update(self, g: Array, state: Sequence[Array], out: Array, step: int, options: Options) -> Array:
        """``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``; ``lr m / (sqrt(v) + eps)``."""
        m, v = state
        beta1, beta2 = options["betas"]
        m *= beta1
        m += np.multiply(g, 1 - beta1, out=out)
        _move_mean_square(v, g, beta2, out)
        # The corrections are numbers, so they are drawn out of the arrays (section 2 of the paper).
        correction = math.sqrt(1 - beta2**step)
        np.sqrt(v, out=out)
        out += options["eps"] * correction
        np.divide(m, out, out=out)
        out *= options["lr"] * correction / (1 - beta1**step)
        return out


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

    decoupled_weight_decay = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)


def _move_mean_square(s: Array, g: Array, beta: float, spare: Array) -> None:
    """``s = beta s + (1 - beta) g^2``."""
    np.square(g, out=spare)
    spare *= 1 - beta
    s *= beta
    s += spare
