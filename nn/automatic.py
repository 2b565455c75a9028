"""Whether a training is one whose step `fit` compiles unasked: where that changes nothing but the time."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.graph import Leaf

from . import losses
from .architecture import ArchitectureError, describe
from .data import Minibatches
from .optimizer import Optimizer

if TYPE_CHECKING:
    from .module import Module
    from .training import Training

ENOUGH_STEPS = 400
"""In fewer steps, what compiling takes is not saved again."""


def is_worth_compiling(training: Training) -> bool:
    """Whether to compile a training's step though nobody asked for it.

    A compiled function runs its Python code once. So all code that runs in a step, or changes a model between steps,
    must be the library's own, which takes what changes into account; code of a user's may print, count, or read a
    number that is another one in each call. Errors that NumPy was told to raise are raised step by step alone.
    """
    return (
        training.epochs * len(training.batches) >= ENOUGH_STEPS
        and type(training.batches) is Minibatches
        and training.penalty is None
        and _is_own_loss(training.loss)
        and _is_own_model(training.model)
        and _is_own_step(training.optimizer)
        and all(_is_own(type(callback)) for callback in training.callbacks)
        and {*np.geterr().values()} <= {"warn", "ignore"}
    )


def _is_own_loss(loss: Any) -> bool:
    """Whether it is one of the library's, also with some options given by `functools.partial`."""
    if isinstance(loss, partial):
        options: Iterable[Any] = (*loss.args, *loss.keywords.values())
        if not all(isinstance(option, _PLAIN) for option in options):
            return False
        loss = loss.func
    return any(loss is own for own in vars(losses).values()) and _is_own(loss)


_PLAIN = (bool, int, float, str, np.ndarray, np.generic, type(None))


def _is_own_model(model: Module) -> bool:
    """Whether it is made of the library's layers and functions alone, and no hook sees its gradients."""
    try:
        describe(model)
    except ArchitectureError:
        return False
    if not all(_is_own(module.forward) for _, module in model.named_modules()):
        return False
    leaves = [parameter.node for parameter in model.parameters()]
    return all(isinstance(leaf, Leaf) and not leaf.slot.hooks for leaf in leaves)


def _is_own_step(optimizer: Optimizer) -> bool:
    """Whether a step is the library's, of whatever update."""
    kind, names = type(optimizer), ("step", "zero_grad")
    return all(getattr(kind, name) is getattr(Optimizer, name) and name not in vars(optimizer) for name in names)


def _is_own(thing: Any) -> bool:
    """Whether a class or a function is of this package."""
    return str(thing.__module__).partition(".")[0] == __name__.partition(".")[0]
