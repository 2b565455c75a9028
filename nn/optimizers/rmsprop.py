"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .base import Optimizer


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

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """One step; see the class."""
        alpha = options["alpha"]
        s = state["mean_square"] = alpha * state["mean_square"] + (1 - alpha) * g**2
        step = g / (np.sqrt(s) + options["eps"])
        if options["momentum"]:
            step = state["velocity"] = options["momentum"] * state["velocity"] + step
        return w - options["lr"] * step
