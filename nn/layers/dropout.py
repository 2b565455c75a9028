"""`Dropout`: sets random entries to zero while a model is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite import callback

from ..arguments import fraction
from ..init import Random
from ..mode import Setting
from ..module import Module


class Dropout(Module):
    """In training, sets each entry to zero with a probability, and scales the others up to keep the mean.

    Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014). In use, after ``eval()``, it changes nothing.
    Within `autograd_lite.transforms.checkpoint`, which runs a function twice, the second run would draw other zeros, so
    the backward pass raises a `GradientError`.

    Parameters
    ----------
    p : float, default 0.5
        The probability of a zero, at least 0 and below 1.
    rng : Generator, int or None
        The generator of the random choice, or its seed.

    Raises
    ------
    ValueError, TypeError
        If `p` is not such a number.

    Examples
    --------
    >>> dropout = Dropout(0.5, rng=0)
    >>> dropout(np.ones((2, 4)))
    array([[2., 2., 2., 0.],
           [0., 0., 0., 0.]])
    >>> dropout.eval()(np.ones(4))
    array([1., 1., 1., 1.])
    """

    p = Setting()
    rng = Setting()

    def __init__(self, p: float = 0.5, rng: Random = None) -> None:
        self.p = fraction(p, "Dropout: p")
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        """The array or tensor `x`, of any shape; in training with some entries set to zero."""
        p = self.p
        if not self.training or not p:
            return x
        x = x if hasattr(x, "shape") else np.asarray(x)
        kept = callback(self.rng.random, x.shape, np.float32) >= p
        return x * (kept / (1 - p)).astype(x.dtype if x.dtype.kind in "fc" else np.float64)

    def extra_repr(self) -> str:
        """The probability."""
        return f"p={self.p}"
