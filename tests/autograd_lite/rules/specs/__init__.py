"""Every call that the tests of the gradient rules make: a file per family, as the rules have."""

from . import (
    calculus,
    complex_numbers,
    elementwise,
    fourier,
    indexing,
    joining,
    matrices,
    products,
    reductions,
    shapes,
    sorting,
    special,
)
from .spec import Example, Spec

CORE: list[Spec] = [
    *elementwise.SPECS,
    *reductions.SPECS,
    *products.SPECS,
    *shapes.SPECS,
    *indexing.SPECS,
]
"""What networks are made of."""

FURTHER: list[Spec] = [
    *complex_numbers.SPECS,
    *matrices.SPECS,
    *fourier.SPECS,
    *sorting.SPECS,
    *joining.SPECS,
    *calculus.SPECS,
]
"""The rest of NumPy."""

SPECIAL: list[Spec] = special.SPECS
"""Of SciPy."""

SPECS = [*CORE, *FURTHER, *SPECIAL]


def examples_of(specs: list[Spec]) -> list[Example]:
    """A specification with each of its choices of shapes."""
    return [Example(spec, choice) for spec in specs for choice in spec.shapes]


EXAMPLES = examples_of(SPECS)


def largest(examples: list[Example]) -> list[Example]:
    """Of each specification's examples that with the most elements, for laws that no shape is special to."""
    found: dict[int, Example] = {}
    for example in examples:
        before = found.get(id(example.spec))
        if before is None or example.size > before.size:
            found[id(example.spec)] = example
    return list(found.values())
