"""Checks of an estimator's parameters, and the optimizer that they describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from ..arguments import fraction, nonnegative, positive_int, real_number
from ..module import Module
from ..optimizers.adagrad import Adagrad
from ..optimizers.adam import AdamW
from ..optimizers.base import Optimizer
from ..optimizers.rmsprop import RMSprop
from ..penalties import l2_penalty, weight_decay_groups
from .solvers import RatedSGD, UncorrectedAdam

SOLVERS = ("adam", "sgd", "adamw", "rmsprop", "adagrad", "lbfgs")
RATES = ("constant", "invscaling", "adaptive")

_NONNEGATIVE = ("alpha", "power_t", "tol")
_POSITIVE = ("learning_rate_init", "epsilon")
_SHARES = ("validation_fraction", "beta_1", "beta_2", "momentum")
_WHOLE = ("max_iter", "max_fun")
_FLAGS = ("shuffle", "warm_start", "nesterovs_momentum")


def check_parameters(estimator: Any) -> None:
    """Check the parameters that are numbers, names or functions by themselves.

    Raises
    ------
    TypeError, ValueError
        If one is wrong; the message names the estimator and the parameter.
    """
    owner = type(estimator).__name__
    for names, check in ((_NONNEGATIVE, nonnegative), (_SHARES, fraction), (_WHOLE, positive_int)):
        for name in names:
            check(getattr(estimator, name), f"{owner}: {name}")
    for name in _POSITIVE:
        if real_number(getattr(estimator, name), f"{owner}: {name}") <= 0:
            raise ValueError(f"{owner}: {name} must be above 0, got {getattr(estimator, name)}")
    for name in _FLAGS:
        if not isinstance(getattr(estimator, name), bool | np.bool_):
            raise TypeError(f"{owner}: {name} must be True or False, got {getattr(estimator, name)!r}")
    if estimator.n_iter_no_change != np.inf:
        positive_int(estimator.n_iter_no_change, f"{owner}: n_iter_no_change")
    if estimator.batch_size != "auto":
        positive_int(estimator.batch_size, f"{owner}: batch_size")
    _check_choice(owner, "solver", estimator.solver, SOLVERS, "a function from parameters to an nn.Optimizer")
    _check_choice(owner, "learning_rate", estimator.learning_rate, RATES, "a schedule, as in nn.schedules")
    if not (isinstance(estimator.early_stopping, bool | np.bool_) or estimator.early_stopping == "loss"):
        raise ValueError(f"{owner}: early_stopping must be True, False or 'loss', got {estimator.early_stopping!r}")
    if estimator.dtype is not None and np.dtype(estimator.dtype) not in (np.float32, np.float64):
        raise ValueError(f"{owner}: dtype must be float32, float64 or None (that of X), got {estimator.dtype!r}")
    if not isinstance(estimator.callbacks, list | tuple):
        raise TypeError(f"{owner}: callbacks must be a list of nn.Callback, got {estimator.callbacks!r}")
    if estimator.solver == "lbfgs":
        _check_for_lbfgs(estimator, owner)


def _check_choice(owner: str, name: str, given: Any, known: tuple[str, ...], other: str) -> None:
    if not callable(given) and given not in known:
        raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, known))}, or {other}; got {given!r}")


def _check_for_lbfgs(estimator: Any, owner: str) -> None:
    """Refuse what needs steps for batches, instead of leaving it out without a word."""
    given = estimator.dropout
    if any(given) if isinstance(given, Iterable) else given:
        raise ValueError(
            f"{owner}: dropout draws at random, and solver='lbfgs' needs the same loss again in every evaluation; take "
            "another solver, or dropout=0"
        )
    if estimator.normalization is not None and "batch" in np.atleast_1d(estimator.normalization):
        raise ValueError(
            f"{owner}: batch normalisation needs batches, and solver='lbfgs' has none; take another solver, or "
            "normalization='layer'"
        )
    if estimator.callbacks:
        raise ValueError(f"{owner}: solver='lbfgs' has no steps for callbacks; take another solver, or callbacks=()")


def make_optimizer(estimator: Any, model: Module, decay: float) -> Optimizer:
    """The optimizer of a model by an estimator's `solver`; by `own_penalty` if it is a function of the user's."""
    rate, solver = estimator.learning_rate_init, estimator.solver
    if callable(solver):
        optimizer = solver(list(model.named_parameters()))
        if not isinstance(optimizer, Optimizer):
            raise TypeError(
                f"{type(estimator).__name__}: solver must give an nn.Optimizer of the parameters, as "
                f"functools.partial(nn.SGD, lr=0.1) does; got {type(optimizer).__name__}"
            )
        return optimizer
    if solver == "adamw":
        decay = estimator.alpha
    groups = weight_decay_groups(model, decay)
    if solver == "sgd":
        nesterov = bool(estimator.nesterovs_momentum and estimator.momentum > 0)
        return RatedSGD(groups, lr=rate, momentum=estimator.momentum, nesterov=nesterov)
    if solver == "rmsprop":
        return RMSprop(groups, lr=rate)
    if solver == "adagrad":
        return Adagrad(groups, lr=rate)
    kind = AdamW if solver == "adamw" else UncorrectedAdam
    return kind(groups, lr=rate, betas=(estimator.beta_1, estimator.beta_2), eps=estimator.epsilon)


def own_penalty(estimator: Any, decay: float) -> Callable[[Module], Any] | None:
    """The penalty for `nn.fit` where the optimizer is the user's and so has no weight decay from `alpha`."""
    return partial(l2_penalty, alpha=decay) if callable(estimator.solver) and decay else None
