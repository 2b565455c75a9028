"""Python functions with rules of their own: `custom_vjp` for everybody, `primitive` for the engine itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from sys import getrefcount
from typing import Any, TypeVar, overload
from weakref import ref

import numpy as np

from ..formatting import name_of
from .context import CONTEXT
from .dispatch import call, call_unary, holds_tensor
from .outputs import in_container_of
from .registry import give_own_rule
from .rule import Rule, VectorJacobianProduct
from .tensor import NUMPY, Tensor

Function = TypeVar("Function", bound=Callable[..., Any])


def primitive(function: Function) -> Function:
    """Make a function of arrays one that is recorded as a single call when it is given tensors.

    It needs a rule, by `defvjp`; within it there are only arrays.
    """
    takes_one = _has_one_parameter(function)

    @wraps(function)
    def recorded_call(*args: Any, **kwargs: Any) -> Any:
        if args and type(args[0]) is Tensor:
            if takes_one and len(args) == 1 and not kwargs:
                return call_unary(itself(), args[0])  # type: ignore[arg-type]
            return call(itself(), args, kwargs)  # type: ignore[arg-type]
        if holds_tensor(args) or (kwargs and holds_tensor(kwargs)):
            return call(itself(), args, kwargs)  # type: ignore[arg-type]
        return function(*args, **kwargs)

    itself = ref(recorded_call)  # so that it is freed with the last reference, and what it holds
    return recorded_call  # type: ignore[return-value]


def _has_one_parameter(function: Callable[..., Any]) -> bool:
    try:
        (parameter,) = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


@overload
def custom_vjp(
    function: Function,
    /,
    *,
    backward: VectorJacobianProduct | None = None,
    any_value: Sequence[str] = (),
    **vjps: VectorJacobianProduct | None,
) -> Function: ...


@overload
def custom_vjp(
    *,
    backward: VectorJacobianProduct | None = None,
    any_value: Sequence[str] = (),
    **vjps: VectorJacobianProduct | None,
) -> Callable[[Function], Function]: ...


def custom_vjp(
    function: Callable[..., Any] | None = None,
    /,
    *,
    backward: VectorJacobianProduct | None = None,
    any_value: Sequence[str] = (),
    **vjps: VectorJacobianProduct | None,
) -> Any:
    """Make a differentiable function out of any Python function, with a hand-written backward.

    Parameters
    ----------
    function : callable, optional
        Takes and returns arrays, by whatever means: loops, Numba, an iterative solver. When it is called with tensors
        it gets their arrays, and the call is recorded as one node. It may return a tuple of arrays, and the rules'
        cotangent is then a tuple as well. Left out, `custom_vjp` is a decorator.
    backward : callable, optional
        Gives the cotangents of all arguments at once, as a tuple in their order, with None for an argument that has
        none. It takes the cotangent ``g`` of the result and then, by name, what it needs: arguments, ``out``,
        ``<argument>_shape``.
    any_value : sequence of str, default ()
        Names of arguments that change the result, but not how it differentiates, as in `defvjp`.
    **vjps : callable or None
        In its place, one rule for each differentiable argument, as in `defvjp`.

    Returns
    -------
    callable
        The differentiable function. Written with NumPy functions, its backward is differentiable in turn.

    Raises
    ------
    TypeError
        If neither or both forms of the backward are given, or it reads something that the function does not have.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor, custom_vjp
    >>> @custom_vjp(x=lambda g, out: g * out * (1 - out))
    ... def sigmoid(x):
    ...     return 1 / (1 + np.exp(-x))
    >>> z = Tensor([0.0, 2.0], requires_grad=True)
    >>> sigmoid(z).sum().backward()
    >>> z.grad
    Tensor([0.25      , 0.10499359], shape=(2,), dtype=float64)

    >>> def scaled_backward(g, x, factor):
    ...     return g * factor, (g * x).sum()
    >>> scaled = custom_vjp(lambda x, factor: x * factor, backward=scaled_backward)
    >>> factor = Tensor(3.0, requires_grad=True)
    >>> scaled(np.array([1.0, 2.0]), factor).sum().backward()
    >>> factor.grad.item()
    3.0
    """
    if function is None:
        return lambda decorated: custom_vjp(decorated, backward=backward, any_value=any_value, **vjps)
    if not callable(function):
        raise TypeError(f"custom_vjp: expected a function, got {function!r}")
    if (backward is None) == (not vjps):
        raise TypeError(
            f"custom_vjp: give {name_of(function)} either backward=, or a rule for each differentiable argument by name"
        )
    name = name_of(function)

    def array(out: Any) -> Any:
        if isinstance(out, NUMPY):
            return out
        if isinstance(out, Tensor):
            raise TypeError(
                f"{name}: returned a Tensor where an array was expected; it must reach every tensor through its "
                "arguments, or gradients would be lost"
            )
        if isinstance(out, int | float | complex):
            out = np.asarray(out)
        if not hasattr(out, "shape") or not hasattr(out, "dtype"):
            raise TypeError(f"{name}: returned {type(out).__name__} where an array, or a tuple of arrays, was expected")
        return out

    @wraps(function)
    def on_arrays(*args: Any, **kwargs: Any) -> Any:
        tracer = CONTEXT.get().tracer
        out = function(*args, **kwargs) if tracer is None else tracer.attempt(function, args, kwargs)
        if type(out) is np.ndarray:
            # A buffer of the function's own, which it may fill again in its next call, is copied.
            return out.copy("K") if (out.base is not None or getrefcount(out) > _ALONE) and tracer is None else out
        if isinstance(out, tuple):
            members = list(map(array, out))
            return in_container_of(out, members if tracer is not None else map(np.copy, members))
        return array(out)

    differentiable = primitive(on_arrays)
    rule = Rule(on_arrays, vjps, like=function, joint=backward, any_value=any_value)
    rule.is_called_by(differentiable)
    give_own_rule(differentiable, rule)
    return differentiable


def _references_alone() -> int:
    """How many references are counted for an array that a function has returned, and that nobody else holds."""
    function: Callable[..., Any] = np.empty
    tracer = None
    out = function(0) if tracer is None else None
    return getrefcount(out)


_ALONE = _references_alone()
