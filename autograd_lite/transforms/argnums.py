"""The arguments that a transform differentiates, and the name of the transformed function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from ..core.tree import flatten

ArgumentNumbers = int | Sequence[int]


def numbers_of(argnums: ArgumentNumbers, args: tuple[Any, ...], transform: str) -> tuple[int, ...]:
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


def as_named(argnums: ArgumentNumbers, numbers: tuple[int, ...], results: Sequence[Any], count: int) -> Any:
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
