"""Gradient clipping, by norm and by value, in place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_lite import GradientError, Tensor, callback


def gradient_norm(parameters: Iterable[Tensor]) -> float:
    """The Euclidean norm of all gradients together; parameters without one do not count.

    Within a compiled function it is an array of shape ().

    Examples
    --------
    >>> w, b = Tensor([3.0], requires_grad=True), Tensor(4.0, requires_grad=True)
    >>> ((w * 3).sum() + b * 4).backward()
    >>> gradient_norm([w, b])
    5.0
    """
    return _as_number(callback(_norm, _gradients(parameters)))


def norm_of(arrays: Iterable[np.ndarray[Any, Any]]) -> float:
    """The Euclidean norm of arrays together, also where squares leave the range of their dtype."""
    arrays = list(arrays)
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for array in arrays:
            flat = array.ravel()
            total += float(np.dot(flat, flat))
    if math.isfinite(total) and (total > _SMALLEST_SQUARE or not total):
        return math.sqrt(total)
    return math.hypot(*(float(np.linalg.norm(array.astype(np.float64))) for array in arrays))


def clip_gradient_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients down together so that their norm is at most `max_norm`; gives the norm before.

    Pascanu, Mikolov and Bengio (2013). Gradients that are not finite are left as they are.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient do not count.
    max_norm : float
        The largest norm.

    Raises
    ------
    GradientError
        If a gradient belongs to a graph, after ``backward(create_graph=True)``. Nothing has changed then.

    Examples
    --------
    >>> w = Tensor([3.0, 4.0], requires_grad=True)
    >>> (w * np.array([3.0, 4.0])).sum().backward()
    >>> clip_gradient_norm([w], 1.0), w.grad.data
    (5.0, array([0.6, 0.8]))
    """
    gradients = _writable_gradients(parameters, "clip_gradient_norm")
    return _as_number(callback(_scale_down, gradients, max_norm, writes=tuple(gradients)))


def _scale_down(gradients: list[np.ndarray[Any, Any]], max_norm: float) -> np.float64:
    norm = norm_of(gradients)
    if max_norm < norm < math.inf:
        for gradient in gradients:
            gradient *= max_norm / norm
    return np.float64(norm)


def _norm(gradients: list[np.ndarray[Any, Any]]) -> np.float64:
    return np.float64(norm_of(gradients))


def _as_number(norm: Any) -> float:
    """A Python number; within a compiled function the array that stands for it."""
    return float(norm) if isinstance(norm, np.float64) else norm


def clip_gradient_value(parameters: Iterable[Tensor], limit: float) -> None:
    """Clip every entry of all gradients to ``[-limit, limit]``.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient do not count.
    limit : float
        The largest absolute value.

    Raises
    ------
    GradientError
        If a gradient belongs to a graph, after ``backward(create_graph=True)``. Nothing has changed then.

    Examples
    --------
    >>> w = Tensor([1.0, 1.0], requires_grad=True)
    >>> (w * np.array([3.0, -0.5])).sum().backward()
    >>> clip_gradient_value([w], 1.0)
    >>> w.grad.data
    array([ 1. , -0.5])
    """
    for gradient in _writable_gradients(parameters, "clip_gradient_value"):
        np.clip(gradient, -limit, limit, out=gradient)


_SMALLEST_SQUARE = 1e-30
"""A sum of squares below which float32 has lost digits."""


def _gradients(parameters: Iterable[Tensor]) -> list[np.ndarray[Any, Any]]:
    return [parameter.grad.data for parameter in parameters if parameter.grad is not None]


def _writable_gradients(parameters: Iterable[Tensor], function: str) -> list[np.ndarray[Any, Any]]:
    parameters = list(dict.fromkeys(parameters))
    for parameter in parameters:
        if parameter.grad is not None and parameter.grad.node is not None:
            described = (
                f"the parameter {parameter.name!r}" if parameter.name else f"a parameter of shape {parameter.shape}"
            )
            raise GradientError(
                f"{function}: the gradient of {described} belongs "
                "to a graph, since backward had create_graph=True, and cannot be changed in place; put a copy in its "
                "place first, parameter.grad = Tensor(parameter.grad.data.copy())"
            )
    seen: set[int] = set()
    for parameter in parameters:
        if parameter.grad is not None and id(parameter.grad.data) in seen:  # one that was assigned to several
            parameter.grad = Tensor(parameter.grad.data)
        if parameter.grad is not None:
            seen.add(id(parameter.grad.data))
    return _gradients(parameters)
