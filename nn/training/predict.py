"""`predict`: the outputs of a model, computed batch by batch."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

import numpy as np

from autograd_lite import Tensor, no_grad

from ..data.minibatches import Minibatches
from ..mode import in_mode
from ..module import Module
from .fit_arguments import members_of


def predict(model: Module, *inputs: Any, batch_size: int = 1024) -> Any:
    """The outputs of a model in use, computed batch by batch, as one array.

    Parameters
    ----------
    model : Module
        The model. Meanwhile it is in ``eval()`` for the calling thread; other threads may train it, and it is not
        changed.
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
    if not isinstance(model, Module):
        raise TypeError(f"predict: model must be a Module, not {type(model).__name__}; write nn.predict(model, X)")
    batches = Minibatches(*inputs, batch_size=batch_size, shuffle=False)
    # In a context of its own, which ends at once where the function is interrupted.
    outputs = copy_context().run(_outputs, model, batches)
    return np.concatenate([out.data if isinstance(out, Tensor) else np.asarray(out) for out in outputs])


def _outputs(model: Module, batches: Minibatches) -> list[Any]:
    with in_mode(model, training=False), no_grad():
        return [model(*members_of(batch)) for batch in batches]
