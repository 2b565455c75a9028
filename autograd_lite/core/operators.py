"""`instead_of_power`: what NumPy's operator ``**`` computes in place of a power, for exponents of Python's.

An array's ``x**2`` is `numpy.square`, which takes a fraction of the time of `numpy.power`, and of complex numbers gives
other last digits. Tensors, and the arrays of a plan that is being recorded, do as arrays do.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def instead_of_power(dtype: np.dtype[Any], exponent: Any) -> np.ufunc | None:
    """The function of the base alone that takes the place of a power; None for a power.

    Parameters
    ----------
    dtype : dtype
        Of the base.
    exponent : object
        The other operand of ``**``.

    Examples
    --------
    >>> instead_of_power(np.dtype(float), 2), instead_of_power(np.dtype(float), 3)
    (<ufunc 'square'>, None)
    """
    if type(exponent) is int or type(exponent) is float:
        return _INSTEAD.get((dtype.kind, type(exponent), exponent))
    return None


_INSTEAD = {
    ("f", int, 2): np.square,
    ("c", int, 2): np.square,
    ("f", float, 2.0): np.square,
    ("f", float, 0.5): np.sqrt,
    ("c", float, 0.5): np.sqrt,
}
