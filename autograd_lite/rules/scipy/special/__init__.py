"""How `scipy.special`'s ufuncs differentiate, a file per family; registered when the first of them meets a tensor.

Formulas without another source are those of the NIST *Digital Library of Mathematical Functions* (dlmf.nist.gov).
"""

from . import bessel, distributions, elementary, elliptic, gamma, hypergeometric, polynomials
from .nondifferentiable import NO_DERIVATIVE

__all__ = [
    "NO_DERIVATIVE",
    "bessel",
    "distributions",
    "elementary",
    "elliptic",
    "gamma",
    "hypergeometric",
    "polynomials",
]
