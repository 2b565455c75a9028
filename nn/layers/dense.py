"""`Dense`: the affine map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite import Tensor

from ..init import Initializer, Random, get_initializer
from ..module import Module


class Dense(Module):
    """The affine map ``x W + b``.

    Parameters
    ----------
    in_features, out_features : int
        The lengths of the last axis of the input and of the output.
    bias : bool, default True
        Whether ``b`` is added; it starts at zero.
    init : str or initialiser, default "glorot_uniform"
        The initialiser of the weights; see `nn.init`.
    rng : Generator, int or None
        The generator of random weights, or its seed. The same seed gives the same weights, to the bit.
    dtype : dtype, default float32
        The dtype of the parameters.

    Attributes
    ----------
    weight : Tensor, shape (in_features, out_features)
    bias : Tensor, shape (out_features,), or None

    Raises
    ------
    ValueError
        If a number of features is not a positive integer; on a call, if the input has another number of features.

    Examples
    --------
    >>> layer = Dense(3, 2, rng=0)
    >>> layer
    Dense(weight=(3, 2), bias=(2,))  # 8 parameters
    >>> layer(np.ones((5, 3), dtype=np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        init: str | Initializer = "glorot_uniform",
        rng: Random = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        for name, features in (("in_features", in_features), ("out_features", out_features)):
            if not isinstance(features, int | np.integer) or isinstance(features, bool) or features < 1:
                raise ValueError(f"Dense: {name} must be a positive integer, got {features!r}")
        self.in_features, self.out_features = int(in_features), int(out_features)
        weights = get_initializer(init)((self.in_features, self.out_features), rng=rng, dtype=dtype)
        self.weight = Tensor(weights, requires_grad=True, dtype=dtype, name="weight")
        self.bias = Tensor(np.zeros(self.out_features, dtype), requires_grad=True, name="bias") if bias else None

    def forward(self, x: Any) -> Any:
        """``x W + b`` of shape (..., out_features), for an array or tensor `x` of shape (..., in_features)."""
        shape = getattr(x, "shape", None)
        if shape is None:
            x = np.asarray(x)
            shape = x.shape
        if not shape or shape[-1] != self.in_features:
            raise ValueError(
                f"Dense({self.in_features}, {self.out_features}): the input has shape {shape}; expected "
                f"(..., {self.in_features})"
            )
        z = x @ self.weight
        return z if self.bias is None else z + self.bias
