"""A program as NumPy calls, each of which writes its result into its own array or into scratch.

Called with pieces of long arrays, it processes each piece while that is in the cache. Called with several short arrays
that lie end to end, it makes one call for all of them; inputs that do not lie end to end are given in parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from ...core.commit import Change
from .trace import Program

Array = np.ndarray[Any, Any]

Parts = list[tuple[Array, ...]]
"""For each part of the arrays of an operation: its operands that are arrays, and the array for its result."""


class Passes(NamedTuple):
    """A program as a function that gives its calls.

    Attributes
    ----------
    calls : callable
        ``calls(coefficients, arrays, parts)``: `arrays` are the inputs, followed by `scratch` more arrays for
        intermediate results. For an input in parts the array is not used. The calls are changes as `commit` makes them.
    scratch : int
    in_parts : tuple of (tuple of int, int)
        For each operation on an input in parts, the places of its operands and of its result in `arrays`. `parts` has
        one element for each, with these arrays in each part.
    """

    calls: Callable[[Sequence[float], Sequence[Array | None], Sequence[Parts]], list[Change]]
    scratch: int
    in_parts: tuple[tuple[tuple[int, ...], int], ...]


@lru_cache(maxsize=64)
def passes(program: Program, parted: frozenset[int] = frozenset()) -> Passes:
    """The function of a program; `parted` are the inputs that come in parts."""
    places, copies, scratch = _places(program, parted)
    scope: dict[str, Any] = {"partial": partial}
    body: list[str] = []
    in_parts: list[tuple[tuple[int, ...], int]] = []

    def add(ufunc: np.ufunc, operands: Sequence[tuple[bool, int]], target: int) -> None:
        scope[ufunc.__name__] = ufunc

        def one(given: Sequence[str], out: str) -> str:
            # NumPy warns of these two with a third argument, which for all others takes less time than the keyword.
            if ufunc in (np.maximum, np.minimum):
                return f"(partial({ufunc.__name__}, out={out}), {', '.join(given)})"
            return f"({ufunc.__name__}, {', '.join(given)}, {out})"

        arrays = tuple(place for is_array, place in operands if is_array)
        if parted.isdisjoint((*arrays, target)):
            given = [f"{'a' if is_array else 'c'}{place}" for is_array, place in operands]
            body.append(one(given, f"a{target}"))
            return
        names = [f"p{i}" for i in range(len(arrays))]
        given = [names.pop(0) if is_array else f"c{place}" for is_array, place in operands]
        unpacked = ", ".join([*(f"p{i}" for i in range(len(arrays))), "out"])
        body.append(f"*[{one(given, 'out')} for {unpacked} in parts[{len(in_parts)}]]")
        in_parts.append((arrays, target))

    for i, operation in enumerate(program.operations, program.inputs):
        operands = [(is_array, places[place] if is_array else place) for is_array, place in operation.operands]
        add(operation.ufunc, operands, places[i])
    for target, place in copies:
        add(np.positive, [(True, place)], target)
    lines = [
        "def calls(coefficients, arrays, parts):",
        f"({''.join(f'c{i}, ' for i in range(program.coefficients))}) = coefficients",
        f"({''.join(f'a{i}, ' for i in range(program.inputs + scratch))}) = arrays",
        f"return [{', '.join(body)}]",
    ]
    exec("\n    ".join(lines), scope)
    return Passes(scope["calls"], scratch, tuple(in_parts))


def _places(program: Program, parted: frozenset[int]) -> tuple[list[int], list[tuple[int, int]], int]:
    """The places of a program's values, by their numbers; the copies to make at the end; the number of scratch arrays.

    A result is computed directly in the array that it is for, unless the old values of that array are read later. From
    when they have been read until then the array is scratch: a step of 784-128-10 by Adam takes 0.96 of the time.
    """
    last_use: dict[int, int] = {}
    for i, operation in enumerate(program.operations, program.inputs):
        last_use.update((place, i) for is_array, place in operation.operands if is_array)
    end = program.inputs + len(program.operations)
    targets: dict[int, int] = {}
    copies = []
    for target, value in program.results:
        if last_use.get(target, -1) <= value and value not in targets:
            targets[value] = target
        else:
            copies.append((target, value))
            last_use[value] = end
    places = list(range(program.inputs))
    computed_in = {target: value for value, target in targets.items()}
    free: list[int] = []
    count = program.inputs
    for i, operation in enumerate(program.operations, program.inputs):
        read = {place for is_array, place in operation.operands if is_array}
        over = [one for one in read if last_use[one] == i]
        free += [places[one] for one in over if places[one] >= program.inputs and one not in targets]
        own = [
            one for one in over if one in computed_in and last_use.get(i, i) <= computed_in[one] and one not in parted
        ]
        if i in targets:
            places.append(targets[i])
        elif own:
            places.append(own[0])
        elif free:
            places.append(free.pop())
        else:
            places.append(count)
            count += 1
    return places, [(target, places[value]) for target, value in copies], count - program.inputs
