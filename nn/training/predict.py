"""`predict`: the outputs of a model, computed batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite import Tensor, no_grad

from ..data.minibatches import Minibatches
from ..module import Module, in_mode
from .fit_arguments import members_of


def predict(model: Module, *inputs: Any, batch_size: int = 1024) -> Any:
    """The outputs of a model in use, computed batch by batch, as one array.

    Parameters
    ----------
    model : Module
        The model; it is in ``eval()`` meanwhile, and then gets its old mode back.
    *inputs : array_like, shape (N, ...)
        The inputs, with examples along the first axis.
    batch_size : int, default 1024
        The number of examples that are computed at a time.

    Examples
    --------
    >>> from nn import MLP
    >>> predict(MLP([3, 4, 2], rng=0), np.ones((5, 3), np.float32)).shape
    (5, 2)
    """
    batches = Minibatches(*inputs, batch_size=batch_size, shuffle=False)
    with in_mode(model, training=False), no_grad():
        outputs = [model(*members_of(batch)) for batch in batches]
    return np.concatenate([out.data if isinstance(out, Tensor) else np.asarray(out) for out in outputs])
