"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .base import Optimizer


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

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """One step; see the class."""
        s = state["sum_of_squares"] = state["sum_of_squares"] + g**2
        rate = options["lr"] / (1 + (t - 1) * options["lr_decay"])
        return w - rate * (g / (np.sqrt(s) + options["eps"]))
