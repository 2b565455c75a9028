"""How each NumPy function differentiates, a file per family. To import this package is to register all of them."""

from . import einsum, elementwise, indexing, linalg, parts, reductions, shapes

__all__ = ["einsum", "elementwise", "indexing", "linalg", "parts", "reductions", "shapes"]
