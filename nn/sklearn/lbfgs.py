"""L-BFGS: SciPy's minimisation of an estimator's loss, over all examples at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

from ..module import Module
from ..penalties import weights_of

Array = NDArray[Any]


def minimize_loss(
    model: Module,
    loss: Callable[[Any, Any], Any],
    X: Array,
    targets: Array,
    *,
    weight_decay: float,
    max_iter: int,
    max_fun: int,
    tol: float,
    after_iteration: Callable[[float], None],
) -> OptimizeResult:
    """Minimise ``loss(model(X), targets) + weight_decay / 2 sum w^2`` over the parameters of a model, in place.

    Parameters
    ----------
    model : Module
        The model; it must draw no random numbers.
    loss : callable
    X, targets : array
    weight_decay : float
        The factor of the penalty on the weights.
    max_iter, max_fun : int
        The most iterations, and the most evaluations of the loss.
    tol : float
        The largest entry of the gradient with which the minimisation ends.
    after_iteration : callable
        A function that is called with the loss after each iteration, when the model has its weights.

    Returns
    -------
    scipy.optimize.OptimizeResult
    """
    parameters = model.parameters()
    decaying = {id(weight) for weight in weights_of(model)}
    sizes = np.cumsum([parameter.size for parameter in parameters])[:-1]
    latest = [np.nan]

    def put(flat: Array) -> None:
        for parameter, part in zip(parameters, np.split(flat, sizes), strict=True):
            parameter.data = part.reshape(parameter.shape).astype(parameter.dtype)

    def evaluate(flat: Array) -> tuple[float, Array]:
        put(flat)
        model.zero_grad()
        value = loss(model(X), targets)
        value.backward()
        total, gradients = float(value.item()), []
        for parameter in parameters:
            gradient = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.data
            if id(parameter) in decaying:
                weight = parameter.data.astype(np.float64)
                total += weight_decay / 2 * float(np.vdot(weight, weight))
                gradient = gradient + weight_decay * weight
            gradients.append(gradient.ravel())
        latest[0] = total
        return total, np.concatenate(gradients).astype(np.float64)

    def report(intermediate_result: OptimizeResult) -> None:
        put(intermediate_result.x)
        after_iteration(float(intermediate_result.fun))

    start = np.concatenate([parameter.data.ravel() for parameter in parameters]).astype(np.float64)
    options = {"maxiter": max_iter, "maxfun": max_fun, "gtol": tol}
    try:
        result = minimize(evaluate, start, jac=True, method="L-BFGS-B", options=options, callback=report)
        put(result.x)
    finally:
        model.zero_grad()
    return result
