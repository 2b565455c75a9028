"""Adam, and AdamW with its own weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .base import Optimizer


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

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """One step; see the class."""
        beta1, beta2 = options["betas"]
        m = state["mean"] = beta1 * state["mean"] + (1 - beta1) * g
        v = state["mean_square"] = beta2 * state["mean_square"] + (1 - beta2) * g**2
        # The corrections are numbers, so they are drawn out of the arrays (section 2 of the paper).
        correction = (1 - beta2**t) ** 0.5
        rate = options["lr"] * correction / (1 - beta1**t)
        return w - rate * (m / (np.sqrt(v) + options["eps"] * correction))


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
