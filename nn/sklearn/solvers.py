"""Adam and SGD to the letter of scikit-learn's, so that the same options take the same steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..optimizers.adam import Adam
from ..optimizers.sgd import SGD


class UncorrectedAdam(Adam):
    """`nn.Adam` with epsilon beside the root of the mean square before it is corrected for its start at zero.

    Kingma and Ba (2015), the end of section 2; parameters as `nn.Adam`.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0], requires_grad=True)
    >>> optimizer = UncorrectedAdam([w], lr=0.1, eps=1.0)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(4)  # by 0.1 * 0.0316 / 0.1 * 0.2 / (0.0632 + 1)
    array([0.9941])
    """

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """One step; see the class."""
        beta1, beta2 = options["betas"]
        m = state["mean"] = beta1 * state["mean"] + (1 - beta1) * g
        v = state["mean_square"] = beta2 * state["mean_square"] + (1 - beta2) * g**2
        rate = options["lr"] * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        return w - rate * (m / (np.sqrt(v) + options["eps"]))


class RatedSGD(SGD):
    """`nn.SGD` with a velocity that keeps the learning rates of its gradients: ``v = momentum v + lr g``.

    With a rate that does not change it takes the same steps. Parameters as `nn.SGD`.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> w = Tensor([1.0], requires_grad=True)
    >>> optimizer = RatedSGD([w], lr=0.25, momentum=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> optimizer.lr = 0.0
    >>> optimizer.step()
    >>> w.data  # by 0.5, and by half of that
    array([0.25])
    """

    def update(self, w: Any, g: Any, state: Any, t: Any, options: Any) -> Any:
        """One step; see the class."""
        if not options["momentum"]:
            return w - options["lr"] * g
        v = state["velocity"] = options["momentum"] * state["velocity"] + options["lr"] * g
        if options["nesterov"]:
            return w - (options["momentum"] * v + options["lr"] * g)
        return w - v
