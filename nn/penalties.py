"""Penalties on the weights of a model, but not on its biases: in the loss, or as weight decay of an optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite import Tensor

from .arguments import nonnegative
from .module import Module

_np: Any = np


def l1_penalty(module: Module, alpha: float) -> Any:
    """``alpha sum |w|`` over the weights of a module, which makes many weights exactly zero (Tibshirani 1996).

    Parameters
    ----------
    module : Module
        The module; its weights are the parameters with two axes or more. Biases, and the scales and shifts of
        normalisations, are left out.
    alpha : float
        The factor, at least 0.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    ValueError
        If the factor is negative, or the module has no weights.

    Examples
    --------
    >>> from nn import Dense
    >>> layer = Dense(2, 1, rng=0, dtype=np.float64)
    >>> penalty = l1_penalty(layer, alpha=0.1)
    >>> bool(np.isclose(penalty.item(), 0.1 * np.abs(layer.weight.data).sum()))
    True
    """
    return nonnegative(alpha, "l1_penalty: alpha") * _total([_np.sum(_np.abs(w)) for w in weights_of(module)])


def l2_penalty(module: Module, alpha: float) -> Any:
    """``alpha / 2 sum w^2`` over the weights of a module, whose gradient is ``alpha w`` (weight decay).

    Goodfellow, Bengio and Courville, *Deep Learning*, section 7.1.1.

    Parameters
    ----------
    module : Module
        As in `l1_penalty`.
    alpha : float
        The factor, at least 0.

    Returns
    -------
    Tensor of shape ()

    Raises
    ------
    ValueError
        If the factor is negative, or the module has no weights.

    Examples
    --------
    >>> from nn import Dense
    >>> layer = Dense(2, 1, rng=0, dtype=np.float64)
    >>> l2_penalty(layer, alpha=0.1).backward()
    >>> bool(np.allclose(layer.weight.grad.data, 0.1 * layer.weight.data)), layer.bias.grad
    (True, None)
    """
    return nonnegative(alpha, "l2_penalty: alpha") / 2 * _total([_np.sum(_np.square(w)) for w in weights_of(module)])


def weights_of(module: Module) -> list[Tensor]:
    """The parameters that are penalized: those with two axes or more."""
    return [parameter for parameter in module.parameters() if parameter.ndim >= 2]


def weight_decay_groups(module: Module, weight_decay: float) -> list[dict[str, Any]]:
    """The parameters of a module as two groups for an optimizer: the weights decay, the others do not.

    Parameters
    ----------
    module : Module
        As in `l1_penalty`.
    weight_decay : float
        The weight decay of the weights.

    Examples
    --------
    >>> from nn import MLP, AdamW
    >>> AdamW(weight_decay_groups(MLP([4, 3, 2], rng=0), 0.01), lr=0.1)
    AdamW(lr=0.1, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)  # 2 tensors, 18 parameters
    AdamW(lr=0.1, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0)  # 2 tensors, 5 parameters
    """
    decaying = {id(weight) for weight in weights_of(module)}
    named = list(module.named_parameters())
    groups = [
        {"params": [(name, p) for name, p in named if id(p) in decaying], "weight_decay": weight_decay},
        {"params": [(name, p) for name, p in named if id(p) not in decaying], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def _total(terms: list[Any]) -> Any:
    if not terms:
        raise ValueError("the module has no weights to penalize: no parameter has two axes or more")
    return sum(terms[1:], terms[0])
