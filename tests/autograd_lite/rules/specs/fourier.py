"""Calls of numpy.fft."""

import numpy

from .spec import Spec, reals

ONE_AXIS = [
    ({}, ((5,), (4,), (2, 3))),
    ({"n": 3}, ((5,), (2, 3))),
    ({"n": 7, "axis": 0}, ((5,), (4, 2))),
    ({"axis": 0, "norm": "ortho"}, ((4, 2), (5, 2))),
    ({"norm": "forward"}, ((4,), (3,))),
]
SEVERAL_AXES = [
    ({}, ((3, 4), (4, 3))),
    ({"s": (3, 2), "axes": (1, 2)}, ((2, 3, 4),)),
    ({"axes": (0, 2), "norm": "ortho"}, ((3, 2, 4),)),
    ({"s": (4, 5), "axes": (1, 0), "norm": "forward"}, ((3, 4),)),
]
TO_REAL = (numpy.fft.irfft, numpy.fft.hfft, numpy.fft.irfftn, numpy.fft.irfft2)
"""Their results are real, and their arguments are usually not: a real one here, complex ones as every spec."""


def transform(function, shapes, **arguments):
    shown = ", ".join(f"{name}={value}" for name, value in arguments.items())

    def call(np, a):
        result = getattr(np.fft, function.__name__)(a, **arguments)
        return result if function in TO_REAL else [np.real(result), np.imag(result)]

    return Spec(function, call, (reals,), tuple((shape,) for shape in shapes), shown, exact=False)


SPECS = [
    *[
        transform(function, shapes, **arguments)
        for function in (
            numpy.fft.fft,
            numpy.fft.ifft,
            numpy.fft.rfft,
            numpy.fft.irfft,
            numpy.fft.hfft,
            numpy.fft.ihfft,
        )
        for arguments, shapes in ONE_AXIS
    ],
    *[
        transform(function, shapes, **arguments)
        for name in ("fft", "ifft", "rfft", "irfft")
        for function in (getattr(numpy.fft, f"{name}n"), getattr(numpy.fft, f"{name}2"))
        for arguments, shapes in SEVERAL_AXES
    ],
    *[
        Spec(
            function,
            lambda np, x, name=function.__name__, axes=axes: getattr(np.fft, name)(x, axes),
            (reals,),
            (((3, 4),),),
            f"axes={axes}",
        )
        for function in (numpy.fft.fftshift, numpy.fft.ifftshift)
        for axes in (None, 0, (1,))
    ],
]
