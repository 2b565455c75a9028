"""How each NumPy function differentiates, with a file for each family. Importing this package registers all rules."""

from . import (
    calculus,
    complex_numbers,
    elementwise,
    fourier,
    grids,
    indexing,
    joining,
    nan_reductions,
    nondifferentiable,
    polynomials,
    reductions,
    shapes,
    sinc_i0,
    sorting,
    statistics,
)
from .linalg import decompositions, einsum, norms, products, solve

__all__ = [
    "calculus",
    "complex_numbers",
    "decompositions",
    "einsum",
    "elementwise",
    "fourier",
    "grids",
    "indexing",
    "joining",
    "nan_reductions",
    "nondifferentiable",
    "norms",
    "polynomials",
    "products",
    "reductions",
    "shapes",
    "sinc_i0",
    "solve",
    "sorting",
    "statistics",
]
