"""Stochastic gradient descent, with momentum and with that of Nesterov."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .base import Optimizer


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

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """One step; see the class."""
        if not options["momentum"]:
            return w - options["lr"] * g
        v = state["velocity"] = options["momentum"] * state["velocity"] + g
        if options["nesterov"]:
            return w - options["lr"] * (g + options["momentum"] * v)
        return w - options["lr"] * v
