"""What a refused call says: what was given, what was expected, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from ..errors import GradientError, LostGradientError, NoRuleError
from ..formatting import name_of
from .registry import refuse_out
from .rule import Rule
from .tensor import Tensor


def no_rule(function: Callable[..., Any], values: tuple[Any, ...]) -> NoRuleError:
    """What to raise when a function without a rule meets a tensor that is differentiated."""
    name = name_of(function)
    if name.endswith(".at") or function in _WRITING:
        return NoRuleError(
            f"{name}: it writes into its first argument, and a tensor is not changed in place, for {_shapes(values)}. "
            "Write np.where(mask, new, x), or x + onehot.T @ values to add values at indices"
        )
    return NoRuleError(
        f"{name}: no rule says how it differentiates, for {_shapes(values)}. Give it one with "
        f"autograd_lite.defvjp({name}, ...), or call it on .data where no gradient is wanted"
    )


def refuse_unread(rule: Rule, values: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse an argument that changes the result, or takes it, while the rules would know nothing of it."""
    given = {
        rule.parameters[i]: values[i] for i in rule.guarded if i < len(values) and values[i] is not rule.defaults[i]
    }
    if isinstance(rule.function, np.ufunc):
        given.update((name, value) for name, value in kwargs.items() if name not in _NEUTRAL_OF_UFUNCS)
    for name, value in given.items():
        if value is None:
            continue
        if name == "out":
            refuse_out(rule.function, value)
        raise TypeError(
            f"{rule.name}: {name}={value!r} is not supported for a tensor that requires a gradient, because no rule "
            "says how the gradient depends on it"
        )


def refuse_tensor_as_out(function: Callable[..., Any], kwargs: Mapping[str, Any]) -> None:
    """Refuse a tensor that a result is to be written to."""
    out = kwargs.get("out")
    if any(isinstance(target, Tensor) for target in (out if isinstance(out, tuple) else (out,))):
        refuse_out(function, out)


def check_dtype(rule: Rule, out: Any) -> None:
    """Refuse a result that cannot carry a derivative."""
    for result in out if isinstance(out, tuple) else (out,):
        if not hasattr(result, "dtype"):
            raise TypeError(
                f"{rule.name}: its result is a {type(result).__name__}; a rule is for a function that gives one array, "
                "or a tuple of them"
            )
        if result.dtype.kind not in "fc":
            refuse_dtype(rule, result.dtype)


def refuse_dtype(rule: Rule, dtype: np.dtype[Any]) -> NoReturn:
    """Refuse a result of integers or truth values."""
    raise LostGradientError(
        f"{rule.name}: its result is {dtype}, which carries no gradient, but its input requires one; take .detach() "
        "first, or ask for a floating-point dtype"
    )


def explained(error: Exception, function: Callable[..., Any], values: tuple[Any, ...]) -> Exception:
    """NumPy's complaint with the function's name, the shapes and dtypes that it got, and what to do.

    What a user's own function raises is the user's to see, and passes as it is.
    """
    if isinstance(error, GradientError):
        return error
    name = name_of(function)
    if not (name.startswith("np.") or getattr(function, "__module__", "").startswith("autograd_lite.")):
        return error
    message = str(error)
    advice = next((advice for sign, advice in _ADVICE.items() if sign in message), "")
    kind = next(kind for kind in (IndexError, TypeError, ValueError) if isinstance(error, kind))
    return kind(f"{name} of {_shapes(values)}: {message}{advice and '; ' + advice}")


def _shapes(values: tuple[Any, ...]) -> str:
    described = []
    for value in values:
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            described.append(f"shape {value.shape} {value.dtype}")
        elif isinstance(value, list | tuple) and any(hasattr(member, "shape") for member in value):
            described.append(f"[{_shapes(tuple(value))}]")
        elif value is not None:
            described.append(repr(value)[:60])
    return " and ".join(described)


_WRITING = frozenset({np.put, np.copyto, np.place, np.putmask, np.fill_diagonal, np.put_along_axis})

_INNER_AXES = "the last axis of the first must be as long as the last but one of the second; a .T may be missing"

_ADVICE = {
    "could not be broadcast": "counted from the last, axes must be equally long, or one of them 1; reshape or "
    "np.expand_dims adds an axis",
    "core dimension": _INNER_AXES,
    "not aligned": _INNER_AXES,
    "cannot reshape": "the number of elements must stay the same",
    "out of bounds for array of dimension": "axes count from 0, or from -1 backwards",
    "did not contain a loop": "expected numbers",
    "not supported for the input types": "expected numbers",
}

_NEUTRAL_OF_UFUNCS = frozenset({"dtype", "casting", "order", "subok"})
"""Keyword arguments of every ufunc that choose how its result is computed, and so leave the rules as they are."""
