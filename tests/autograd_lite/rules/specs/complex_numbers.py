"""Calls of the functions that take complex numbers apart; on real numbers here, on complex ones as every spec is."""

import numpy

from .spec import Spec, nonzero

SPECS = [
    Spec(function, lambda np, x, name=function.__name__: getattr(np, name)(x), (nonzero,), (((2, 3),), ((),)))
    for function in (numpy.real, numpy.imag, numpy.conjugate, numpy.angle)
] + [Spec(numpy.angle, lambda np, x: np.angle(x, deg=True), (nonzero,), (((3,),),), "in degrees")]
