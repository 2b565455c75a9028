"""Decides whether `fit` compiles a step by itself: only if that changes nothing except the time."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from autograd_lite.extend import has_hooks, is_leaf, known_rules

from ..io.architecture import ArchitectureError, describe
from ..module import Module
from .training import Training

ENOUGH_STEPS = 150
"""The smallest number of steps for which compiling saves more time than it takes."""


def is_worth_compiling(training: Training) -> bool:
    """Whether to compile a training's step with ``compile="auto"``.

    A compiled function runs its Python code once, and overwrites its arrays. So all code that runs in a step, or
    between steps, must be the library's own, which takes this into account; a user's code may print, count, keep a
    gradient, or read a number that changes from call to call. If NumPy is set to raise floating-point errors, the step
    is not compiled, since compiled steps would not raise them.
    """
    return (
        training.epochs * len(training.batches) >= ENOUGH_STEPS
        and _is_own_object(training.batches)
        and training.penalty is None
        and all(map(_is_own_function, (training.loss, *training.metrics.values())))
        and all(map(_is_own_object, (training.optimizer, *training.callbacks)))
        and _is_own_model(training.model)
        and _has_own_rules()
        and {*np.geterr().values()} <= {"warn", "ignore"}
    )


def _is_own_function(function: Any) -> bool:
    """Whether it is a function of the library, possibly with options given by `functools.partial`."""
    if isinstance(function, partial):
        options = (*function.args, *function.keywords.values())
        return all(isinstance(option, _PLAIN) for option in options) and _is_own_function(function.func)
    # Its __module__ does not say that, since `functools.wraps` copies it to a user's function.
    inner = getattr(function, "__wrapped__", None)
    is_own = _is_of(getattr(function, "__globals__", {}).get("__name__"), _OWN)
    return is_own and (inner is None or _is_own_function(inner))


def _is_own_object(thing: Any) -> bool:
    """Whether its class belongs to the library, and so do all functions that it was given."""
    return _is_of(type(thing).__module__, _OWN) and all(
        _is_own_function(value) if isinstance(value, FunctionType | MethodType | partial) else _is_own_object(value)
        for value in vars(thing).values()
        if callable(value)
    )


def _is_own_model(model: Module) -> bool:
    """Whether it consists only of the library's layers and functions, and no hook sees its gradients."""
    try:
        describe(model)
    except ArchitectureError:
        return False
    if not all(_is_own_object(module) and _is_own_function(module.forward) for _, module in model.named_modules()):
        return False
    return all(is_leaf(parameter) and not has_hooks(parameter) for parameter in model.parameters())


def _has_own_rules() -> bool:
    """Whether all functions of NumPy and of the library have the library's rules, and none has a user's rule."""
    return all(
        _is_own_function(vjp)
        for function, vjps in known_rules()
        if _is_of(getattr(function, "__module__", "numpy"), _KNOWN)
        for vjp in vjps
    )


def _is_of(module: str | None, packages: tuple[str, ...]) -> bool:
    return str(module).partition(".")[0] in packages


_OWN = ("nn", "autograd_lite")
_KNOWN = (*_OWN, "numpy")
_PLAIN = (bool, int, float, str, np.ndarray, np.generic, type(None))
