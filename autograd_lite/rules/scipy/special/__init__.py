"""How `scipy.special`'s ufuncs differentiate, by family; registered when one of them is first called with a tensor.

Formulas without another source are from the NIST *Digital Library of Mathematical Functions* (dlmf.nist.gov).
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
