"""The arguments that a transform differentiates, and the name of the transformed function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from ..core.tree import flatten

ArgumentNumbers = int | str | Sequence[int | str]
"""Positions of arguments, or the names that the function has for them."""


def positions(f: Callable[..., Any], argnums: ArgumentNumbers, transform: str) -> int | Sequence[int]:
    """What ``argnums`` names, as positions: of a function's parameters, ``"w"`` is the one of that name.

    Examples
    --------
    >>> positions(lambda x, w: x @ w, "w", "grad"), positions(lambda x, w: x @ w, (0, "w"), "grad")
    (1, (0, 1))
    """
    names = [argnums] if isinstance(argnums, str) else argnums if isinstance(argnums, tuple | list) else []
    if not any(isinstance(name, str) for name in names):
        return argnums  # type: ignore[return-value]
    parameters = _parameters(f)
    for name in names:
        if isinstance(name, str) and name not in parameters:
            has = f"has the parameters {', '.join(parameters)}" if parameters else "does not say its parameters"
            raise ValueError(f"{transform}: argnums names the argument {name!r}, but the function {has}")
    found = [parameters.index(name) if isinstance(name, str) else name for name in names]
    return found[0] if isinstance(argnums, str) else tuple(found)


def by_position(
    f: Callable[..., Any], argnums: int | Sequence[int], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, in which those that are differentiated are positional, if they were given by name."""
    if not kwargs:
        return args, kwargs
    numbers = [argnums] if not isinstance(argnums, Iterable) else list(argnums)
    last = max((number for number in numbers if is_single(number)), default=0)
    parameters = _parameters(f)[: last + 1] if last >= len(args) else []
    if len(parameters) <= last or not all(name in kwargs for name in parameters[len(args) :]):
        return args, kwargs
    given = tuple(kwargs[name] for name in parameters[len(args) :])
    return args + given, {name: value for name, value in kwargs.items() if name not in parameters}


def _parameters(f: Callable[..., Any]) -> list[str]:
    """The names of the parameters that may be given by position or by name."""
    try:
        found = inspect.signature(f).parameters.values()
    except (ValueError, TypeError):  # of some functions that are written in C
        return []
    return [parameter.name for parameter in found if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]


def numbers_of(argnums: int | Sequence[int], args: tuple[Any, ...], transform: str) -> tuple[int, ...]:
    """The positions that ``argnums`` names, counted from 0, each once."""
    if not is_single(argnums) and not all(map(is_single, argnums if isinstance(argnums, Iterable) else [argnums])):
        raise TypeError(f"{transform}: argnums is the position of an argument, or several; got {argnums!r}")
    numbers: tuple[int, ...] = (argnums,) if is_single(argnums) else tuple(argnums)  # type: ignore[arg-type, assignment]
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ValueError(
                f"{transform}: argnums={argnums} names the positional argument {number}, but the call has only "
                f"{len(args)}; pass the arguments to differentiate by position"
            )
    return tuple(dict.fromkeys(number % len(args) for number in numbers))


def is_single(argnums: Any) -> bool:
    """Whether ``argnums`` is one number, so that results are not put into a tuple."""
    return hasattr(argnums, "__index__")


def as_named(argnums: int | Sequence[int], numbers: tuple[int, ...], results: Sequence[Any], count: int) -> Any:
    """The results for the positions ``numbers`` as ``argnums`` asks for them: alone, or in a tuple, in its order.

    What it names twice is there twice, in memory of its own.
    """
    if is_single(argnums):
        return results[0]
    found = dict(zip(numbers, results, strict=True))
    named = [number % count for number in argnums]  # type: ignore[union-attr]
    return tuple(_copied(found[n]) if n in named[:i] else found[n] for i, n in enumerate(named))


def _copied(tree: Any) -> Any:
    leaves, rebuild = flatten(tree)
    return rebuild([leaf.copy() for leaf in leaves])


def replaced(args: tuple[Any, ...], numbers: tuple[int, ...], values: Any) -> tuple[Any, ...]:
    """The arguments, with the values in place of those at the given positions."""
    changed = list(args)
    for number, value in zip(numbers, values, strict=True):
        changed[number] = value
    return tuple(changed)


DERIVATIVES = frozenset({"grad", "value_and_grad", "jacobian", "hessian", "hvp"})
"""The transforms that compute derivatives; their functions have the transform's name as ``__derivative__``."""


def named_after(f: Callable[..., Any], transform: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the transformed function the name and the documentation of the function."""
    if not callable(f):
        raise TypeError(f"{transform}: expected a function, got {f!r}")

    def decorate(transformed: Callable[..., Any]) -> Callable[..., Any]:
        named = wraps(f)(transformed)
        named.__name__ = f"{transform}({getattr(f, '__name__', 'f')})"
        if transform in DERIVATIVES:
            named.__derivative__ = transform  # type: ignore[attr-defined]
        return named

    return decorate
