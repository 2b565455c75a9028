"""What a specification is: a function as users call it, and arguments that keep off its kinks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Domain = Callable[[np.random.Generator, Shape], np.ndarray]


@dataclass(frozen=True)
class Spec:
    """One way of calling a function.

    Attributes
    ----------
    of : callable
        The function whose rule is pinned.
    call : callable
        What a user writes: takes a namespace with NumPy's names, and after it the arrays.
    domains : tuple of callable
        For each array, where its elements are drawn from: ``domain(rng, shape)``.
    shapes : tuple of tuples of shapes
        The choices for the shapes of the arrays.
    variant : str
        What sets it apart from other calls of the function.
    exact : bool
        Whether the values are NumPy's to the last bit.
    real_only : bool
        Whether of complex numbers it has no derivative: it depends on phases or on an order that the algorithm chooses.
    complex_once : bool
        Whether of complex numbers it has a first derivative only.
    ragged : bool
        Whether the shape of the result depends on the numbers.
    """

    of: Callable[..., Any]
    call: Callable[..., Any]
    domains: tuple[Domain, ...]
    shapes: tuple[tuple[Shape, ...], ...]
    variant: str = ""
    exact: bool = True
    real_only: bool = False
    complex_once: bool = False
    ragged: bool = False

    @property
    def name(self) -> str:
        """The function's name and the variant."""
        return f"{self.of.__name__} {self.variant}".strip()


@dataclass(frozen=True)
class Example:
    """A specification with shapes chosen."""

    spec: Spec
    shapes: tuple[Shape, ...]

    def __str__(self) -> str:
        return f"{self.spec.name} of {' '.join('x'.join(map(str, shape)) or '0d' for shape in self.shapes)}"

    @property
    def size(self) -> int:
        """The number of elements of all its arrays."""
        return sum(int(np.prod(shape)) for shape in self.shapes)

    def arrays(self, dtype=np.float64, seed=20) -> list[np.ndarray]:
        """Arguments, the same ones each time."""
        rng = np.random.default_rng(seed)
        return [
            np.asarray(domain(rng, shape), dtype) for domain, shape in zip(self.spec.domains, self.shapes, strict=True)
        ]

    def call(self, *arrays):
        """The results as a list, of arrays or tensors as the arguments are."""
        return as_list(self.spec.call(np, *arrays))


def as_list(result):
    """One result or several, as a list."""
    return list(result) if isinstance(result, list | tuple) else [result]


# ---- where elements are drawn from; steps of differences are far smaller than the distance kept from a kink ----
def between(low: float, high: float) -> Domain:
    """Uniform."""
    return lambda rng, shape: rng.uniform(low, high, shape)


def nonzero(rng, shape):
    """Of either sign."""
    return rng.uniform(0.4, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def off_steps(rng, shape):
    """Far from integers, from halves, and from where one decimal is rounded."""
    return rng.integers(-3, 4, shape) + rng.uniform(0.115, 0.135, shape)


def distinct(rng, shape):
    """All elements apart from each other."""
    size = int(np.prod(shape))
    return (rng.permutation(size) * 0.3 - 0.15 * size + 0.07).reshape(shape)


def staggered(offset: float) -> Domain:
    """Apart from every element that is drawn with another offset, by the offsets' difference."""
    return lambda rng, shape: rng.integers(-2, 3, shape) + offset


def with_zeros(rng, shape):
    """One zero, among elements that are none."""
    values = nonzero(rng, shape)
    values.flat[:1] = 0.0
    return values


reals = between(-2.0, 2.0)
positive = between(0.4, 3.0)
unit = between(-0.8, 0.8)
above_one = between(1.3, 3.0)
