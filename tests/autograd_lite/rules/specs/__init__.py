"""Every call that the tests of the gradient rules make: a file per family, as the rules have."""

from . import (
    assembling,
    calculus,
    elementwise,
    fourier,
    indexing,
    matrices,
    ordering,
    parts,
    products,
    reductions,
    shapes,
)
from .spec import Example, Spec

SPECS: list[Spec] = [
    *elementwise.SPECS,
    *reductions.SPECS,
    *products.SPECS,
    *shapes.SPECS,
    *indexing.SPECS,
    *parts.SPECS,
    *matrices.SPECS,
    *fourier.SPECS,
    *ordering.SPECS,
    *assembling.SPECS,
    *calculus.SPECS,
]

EXAMPLES = [Example(spec, choice) for spec in SPECS for choice in spec.shapes]
