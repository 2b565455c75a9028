"""The arguments that a transform differentiates, and the name of the transformed function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

ArgumentNumbers = int | Sequence[int]


def numbers_of(argnums: ArgumentNumbers, args: tuple[Any, ...], transform: str) -> tuple[int, ...]:
    """The positions that ``argnums`` names, counted from 0."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ValueError(
                f"{transform}: argnums={argnums} names the positional argument {number}, but the call has only "
                f"{len(args)}; pass the arguments to differentiate by position"
            )
    return tuple(number % len(args) for number in numbers)


def replaced(args: tuple[Any, ...], numbers: tuple[int, ...], values: Any) -> tuple[Any, ...]:
    """The arguments, with the values in place of those at the given positions."""
    changed = list(args)
    for number, value in zip(numbers, values, strict=True):
        changed[number] = value
    return tuple(changed)


def named_after(f: Callable[..., Any], transform: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the transformed function the name and the documentation of the function."""
    if not callable(f):
        raise TypeError(f"{transform}: expected a function, got {f!r}")

    def decorate(transformed: Callable[..., Any]) -> Callable[..., Any]:
        named = wraps(f)(transformed)
        named.__name__ = f"{transform}({getattr(f, '__name__', 'f')})"
        return named

    return decorate
