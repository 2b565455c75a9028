"""Calls of NumPy's reductions, and of its cumulative sums and products."""

import numpy

from .spec import Spec, distinct, nonzero, reals, with_zeros

DOMAINS = {
    numpy.sum: reals,
    numpy.mean: reals,
    numpy.prod: nonzero,
    numpy.max: distinct,
    numpy.amax: distinct,
    numpy.min: distinct,
    numpy.amin: distinct,
    numpy.ptp: distinct,
    numpy.var: distinct,
    numpy.std: distinct,
}

EMPTY_ALLOWED = (numpy.sum, numpy.prod)
"""The reductions that are defined for no elements at all."""

AXES = [
    ({}, ((3,), (2, 3), (1,), ())),
    ({"axis": None, "keepdims": True}, ((2, 3), ())),
    ({"axis": 0}, ((3,), (2, 3), (2, 1, 3), (2, 0))),
    ({"axis": -1}, ((2, 3), (0, 2))),
    ({"axis": 1, "keepdims": True}, ((2, 3, 2),)),
    ({"axis": (0, -1)}, ((2, 2, 3),)),
    ({"axis": (2, 0), "keepdims": True}, ((2, 2, 3),)),
    ({"axis": (1,)}, ((2, 3),)),
]


def reduction(function, domain, shapes, variant="", **arguments):
    shown = ", ".join(f"{name}={value}" for name, value in arguments.items())
    return Spec(
        function,
        lambda np, a: getattr(np, function.__name__)(a, **arguments),
        (domain,),
        tuple((shape,) for shape in shapes),
        f"{shown} {variant}".strip(),
    )


REDUCTIONS = [
    reduction(function, domain, shapes, **arguments)
    for function, domain in DOMAINS.items()
    for arguments, shapes in AXES
]

OVER_NOTHING = [
    reduction(function, reals, ((0,), (0, 3), (2, 0)), "over nothing", **arguments)
    for function in EMPTY_ALLOWED
    for arguments in ({}, {"axis": 0}, {"axis": -1, "keepdims": True})
]

SPREAD = [
    reduction(function, distinct, shapes, **arguments)
    for function in (numpy.var, numpy.std)
    for arguments, shapes in [
        ({"ddof": 1}, ((4,), (2, 3))),
        ({"axis": 0, "ddof": 1}, ((3, 2),)),
        ({"axis": (0, 2), "ddof": 0.5, "keepdims": True}, ((2, 2, 2),)),
    ]
]

METHODS = [
    Spec(numpy.sum, lambda np, a: a.sum(0), (reals,), (((2, 3),),), "method"),
    Spec(numpy.sum, lambda np, a: a.sum(axis=-1, keepdims=True), (reals,), (((2, 3),),), "method, keepdims"),
    Spec(numpy.mean, lambda np, a: a.mean((0, 1)), (reals,), (((2, 3),),), "method"),
    Spec(numpy.prod, lambda np, a: a.prod(1), (nonzero,), (((2, 3),),), "method"),
    Spec(numpy.max, lambda np, a: a.max(axis=0), (distinct,), (((2, 3),),), "method"),
    Spec(numpy.min, lambda np, a: a.min(), (distinct,), (((2, 3),),), "method"),
    Spec(numpy.var, lambda np, a: a.var(axis=1, ddof=1), (distinct,), (((2, 3),),), "method"),
    Spec(numpy.std, lambda np, a: a.std(axis=1, ddof=1), (distinct,), (((2, 3),),), "method"),
    Spec(numpy.cumsum, lambda np, a: a.cumsum(), (reals,), (((2, 3),),), "method"),
    Spec(numpy.cumprod, lambda np, a: a.cumprod(0), (reals,), (((2, 3),),), "method"),
    Spec(numpy.sum, lambda np, a: np.sum(a, axis=0, initial=2.0), (reals,), (((2, 3),),), "initial"),
]

CUMULATIVE = [
    reduction(function, domain, shapes, variant, **arguments)
    for function in (numpy.cumsum, numpy.cumprod)
    for domain, variant in ((reals, ""), (with_zeros, "with a zero"))
    for arguments, shapes in [
        ({}, ((3,), (2, 3), (), (0,))),
        ({"axis": 0}, ((2, 3), (0, 2))),
        ({"axis": -1}, ((2, 3), (2, 0))),
        ({"axis": 1}, ((2, 3, 2),)),
    ]
]

PRODUCTS_WITH_ZEROS = [
    reduction(numpy.prod, with_zeros, ((4,), (2, 3)), "with a zero"),
    reduction(numpy.prod, with_zeros, ((2, 3), (3, 2, 2)), "with a zero", axis=0),
    reduction(numpy.prod, with_zeros, ((2, 3, 2),), "with a zero", axis=(2, 0), keepdims=True),
    Spec(
        numpy.prod, lambda np, a: np.prod(a * numpy.array([0, 1, 0, 1]), axis=-1), (nonzero,), (((2, 4),),), "two zeros"
    ),
]

SPECS = [*REDUCTIONS, *OVER_NOTHING, *SPREAD, *METHODS, *CUMULATIVE, *PRODUCTS_WITH_ZEROS]
