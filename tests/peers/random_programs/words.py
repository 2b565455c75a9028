"""What the text of a random program is made of, beside NumPy's names: arguments, constants and calls of the table.

Every word takes the namespace that a program is run in: NumPy's, on arrays or tensors, or a peer's under NumPy's names.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from tests.autograd_lite.rules.engine import laid_out
from tests.autograd_lite.rules.specs import SPECS
from tests.autograd_lite.rules.specs import matrices as of_matrices
from tests.autograd_lite.rules.specs.spec import (
    Domain,
    Shape,
    Spec,
    distinct,
    nonzero,
    off_steps,
    positive,
    reals,
    with_zeros,
)


def named_specs() -> Iterator[tuple[str, Spec]]:
    """Each specification by its name; a second one of the same name has a number."""
    count: dict[str, int] = {}
    for spec in SPECS:
        count[spec.name] = count.get(spec.name, 0) + 1
        yield spec.name if count[spec.name] == 1 else f"{spec.name} #{count[spec.name]}", spec


TABLE = dict(named_specs())
"""The table of rules, as calls."""

MARGINS: dict[Domain, float] = {
    reals: 1.0,
    nonzero: 0.3,
    positive: 0.3,
    distinct: 0.1,
    off_steps: 0.005,
    with_zeros: 0.3,
    of_matrices.gapped: 0.05,
}
"""How far an argument may be from where its domain draws it, so that it keeps off the kinks; of others, see below."""
ELSEWHERE = 0.02


@cache
def base(key: str, position: int, seed: int, shape: Shape, dtype: str) -> np.ndarray:
    """A point of a domain: of the argument at a position, of a call of the table."""
    rng = np.random.default_rng(seed)
    point = np.asarray(TABLE[key].domains[position](rng, shape), dtype)
    return point + 1j * np.asarray(rng.uniform(0.2, 0.6, shape), dtype) if np.dtype(dtype).kind == "c" else point


def near(np: Any, key: str, position: int, seed: int, x: Any) -> Any:
    """A value of any size, brought into the neighbourhood of a point of a domain: smoothly, and one to one."""
    dtype = str(x.dtype).removeprefix("torch.")
    margin = MARGINS.get(TABLE[key].domains[position], ELSEWHERE)
    point = base(key, position, seed, tuple(x.shape), dtype)
    point = np.asarray(point) if hasattr(np, "asarray") else point
    if dtype.startswith("complex"):
        return point + margin * x / (1.0 + np.real(x * np.conjugate(x)))
    return point + margin * np.tanh(x)


def call(np: Any, key: str, *arrays: Any) -> Any:
    """What a call of the table gives."""
    return TABLE[key].call(np, *arrays)


def weighted(np: Any, results: Any, seed: int = 0) -> Any:
    """One number of all results: their elements, times constants that differ from each other."""
    total = 0.0
    for i, result in enumerate(flat(results)):
        dtype = str(result.dtype).removeprefix("torch.")
        weight = np.asarray(weights(tuple(result.shape), dtype, seed + i))
        product = result * weight
        total = total + np.sum(np.real(product) if dtype.startswith("complex") else product)
    return total


@cache
def weights(shape: Shape, dtype: str, seed: int) -> np.ndarray:
    """Constants between 0.5 and 1.5, of either sign."""
    rng = np.random.default_rng([7, seed])

    def drawn() -> np.ndarray:
        return rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)

    return np.asarray(drawn() + 1j * drawn() if np.dtype(dtype).kind == "c" else drawn(), dtype)


def flat(tree: Any) -> list[Any]:
    """The arrays of nested dicts, lists and tuples, in order."""
    if isinstance(tree, dict):
        return [leaf for member in tree.values() for leaf in flat(member)]
    if isinstance(tree, list | tuple):
        return [leaf for member in tree for leaf in flat(member)]
    return [tree]


LAYOUTS = ("C", "F", "strided", "reversed", "transposed", "broadcast", "read-only")


def argument(seed: int | Sequence[int], shape: Shape, dtype: str = "float64", layout: str = "C") -> np.ndarray:
    """An argument of a program: numbers between -1.5 and 1.5, in the memory in one of several ways."""
    rng = np.random.default_rng(seed)
    drawn_shape = tuple(1 if i == 0 else n for i, n in enumerate(shape)) if layout == "broadcast" else shape
    drawn = rng.uniform(-1.5, 1.5, drawn_shape)
    if np.dtype(dtype).kind == "c":
        drawn = drawn + 1j * rng.uniform(-1.5, 1.5, drawn_shape)
    array = np.asarray(drawn, dtype)
    if layout == "C":
        return array
    if layout == "broadcast":
        return np.broadcast_to(array, shape)
    return np.asfortranarray(array) if layout == "F" else laid_out(array, layout)
