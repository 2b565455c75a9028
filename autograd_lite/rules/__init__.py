"""How each NumPy function differentiates, a file per family. To import this package is to register all of them."""

from . import (
    batching,
    decompositions,
    einsum,
    elementwise,
    fourier,
    indexing,
    linalg,
    matrices,
    norms,
    parts,
    reductions,
    shapes,
)

__all__ = [
    "batching",
    "decompositions",
    "einsum",
    "elementwise",
    "fourier",
    "indexing",
    "linalg",
    "matrices",
    "norms",
    "parts",
    "reductions",
    "shapes",
]
