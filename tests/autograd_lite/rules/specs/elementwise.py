"""Calls of NumPy's elementwise functions."""

import inspect

import numpy

from autograd_lite.core.dispatch import astype

from .spec import Spec, above_one, between, nonzero, off_steps, positive, reals, staggered, unit

UNARY_SHAPES = (((),), ((4,),), ((2, 3),), ((2, 0, 3),))
BINARY_SHAPES = (
    ((), ()),
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((), (2, 3)),
    ((2, 1), (1, 3)),
    ((3,), (2, 1, 1)),
    ((1,), ()),
    ((2, 0), (2, 1)),
    ((1, 3), (0, 1)),
)


def elementwise(function, *domains, **options):
    """The function by its name, called on as many arrays as there are domains."""
    shapes = UNARY_SHAPES if len(domains) == 1 else BINARY_SHAPES
    return Spec(function, lambda np, *x: getattr(np, function.__name__)(*x), domains, shapes, **options)


def multiple_and_a_half(rng, shape):
    """About three times an integer and a half: divided by about 3, of either sign, far from an integer."""
    return 3.0 * rng.integers(-2, 3, shape) + 1.5 + rng.uniform(-0.3, 0.3, shape)


def about_three(rng, shape):
    return rng.uniform(2.9, 3.1, shape) * rng.choice([-1.0, 1.0], shape)


UNARY = [
    elementwise(numpy.absolute, nonzero),
    elementwise(numpy.fabs, nonzero),
    elementwise(numpy.negative, reals),
    elementwise(numpy.positive, reals),
    elementwise(numpy.square, reals),
    elementwise(numpy.reciprocal, nonzero),
    elementwise(numpy.sqrt, positive),
    elementwise(numpy.cbrt, nonzero),
    elementwise(numpy.exp, reals),
    elementwise(numpy.exp2, reals),
    elementwise(numpy.expm1, reals),
    elementwise(numpy.log, positive),
    elementwise(numpy.log2, positive),
    elementwise(numpy.log10, positive),
    elementwise(numpy.log1p, between(-0.5, 2.0)),
    elementwise(numpy.sin, reals),
    elementwise(numpy.cos, reals),
    elementwise(numpy.tan, between(-1.2, 1.2)),
    elementwise(numpy.arcsin, unit),
    elementwise(numpy.arccos, unit),
    elementwise(numpy.arctan, reals),
    elementwise(numpy.sinh, reals),
    elementwise(numpy.cosh, reals),
    elementwise(numpy.tanh, reals),
    elementwise(numpy.arcsinh, reals),
    elementwise(numpy.arccosh, above_one),
    elementwise(numpy.arctanh, unit),
    elementwise(numpy.degrees, reals),
    elementwise(numpy.rad2deg, reals),
    elementwise(numpy.radians, reals),
    elementwise(numpy.deg2rad, reals),
    elementwise(numpy.sign, nonzero),
    elementwise(numpy.floor, off_steps),
    elementwise(numpy.ceil, off_steps),
    elementwise(numpy.trunc, off_steps),
    elementwise(numpy.rint, off_steps),
    elementwise(numpy.round, off_steps),
    elementwise(numpy.copy, reals),
]

BINARY = [
    elementwise(numpy.add, reals, reals),
    elementwise(numpy.subtract, reals, reals),
    elementwise(numpy.multiply, reals, reals),
    elementwise(numpy.divide, reals, nonzero),
    elementwise(numpy.power, positive, reals),
    elementwise(numpy.float_power, positive, reals),
    elementwise(numpy.hypot, nonzero, nonzero),
    elementwise(numpy.arctan2, nonzero, nonzero),
    elementwise(numpy.copysign, nonzero, nonzero),
    elementwise(numpy.logaddexp, reals, reals),
    elementwise(numpy.logaddexp2, reals, reals),
    elementwise(numpy.maximum, staggered(0.0), staggered(0.3)),
    elementwise(numpy.minimum, staggered(0.0), staggered(0.3)),
    elementwise(numpy.remainder, multiple_and_a_half, about_three),
    elementwise(numpy.fmod, multiple_and_a_half, about_three),
    elementwise(numpy.floor_divide, multiple_and_a_half, about_three),
    elementwise(numpy.heaviside, nonzero, reals),
]


def of_one(function, variant, call, domain, shapes=((2, 3),)):
    return Spec(function, call, (domain,), tuple((shape,) for shape in shapes), variant)


OPERATORS = [
    of_one(numpy.add, "number + x", lambda np, x: 2.0 + x, reals),
    of_one(numpy.add, "x + integers", lambda np, x: x + numpy.arange(3), reals),
    of_one(numpy.subtract, "number - x", lambda np, x: 2 - x, reals),
    of_one(numpy.subtract, "x - x", lambda np, x: x - x, reals),
    of_one(numpy.multiply, "x * x * x", lambda np, x: x * x * x, reals),
    of_one(numpy.multiply, "x * infinite", lambda np, x: x * x.dtype.type("inf"), positive, shapes=((0,),)),
    of_one(numpy.divide, "number / x", lambda np, x: 2.0 / x, nonzero),
    of_one(numpy.divide, "x / x", lambda np, x: x / (x + x * x), positive),
    of_one(numpy.power, "x ** 2", lambda np, x: x**2, reals),
    of_one(numpy.power, "x ** 3", lambda np, x: x**3, reals),
    of_one(numpy.power, "x ** 1", lambda np, x: x**1, reals),
    of_one(numpy.power, "x ** 0", lambda np, x: x**0, reals),
    of_one(numpy.power, "x ** -2", lambda np, x: x**-2, nonzero),
    of_one(numpy.power, "x ** 1.5", lambda np, x: x**1.5, positive, shapes=((), (4,))),
    of_one(numpy.power, "x ** integers", lambda np, x: x ** numpy.array([2, 3, 0]), nonzero),
    of_one(numpy.power, "x ** unsigned", lambda np, x: x ** numpy.array([2, 1, 0], dtype=numpy.uint8), nonzero),
    of_one(numpy.power, "2.5 ** x", lambda np, x: 2.5**x, reals, shapes=((), (4,))),
    of_one(numpy.power, "integers ** x", lambda np, x: numpy.array([2, 3, 1]) ** x, reals),
    of_one(numpy.power, "x ** x", lambda np, x: x**x, positive),
    of_one(numpy.absolute, "abs(x)", lambda np, x: abs(x), nonzero),
    of_one(numpy.negative, "-x", lambda np, x: -(+x), reals),
    of_one(numpy.remainder, "x % 3", lambda np, x: x % 3, multiple_and_a_half),
    of_one(numpy.round, "decimals=1", lambda np, x: np.round(x, 1), off_steps),
    of_one(numpy.ldexp, "integers", lambda np, x: np.ldexp(x, numpy.array([-2, 0, 3])), reals),
    of_one(numpy.ldexp, "wider integers", lambda np, x: np.ldexp(x, numpy.array([[1], [2]])), reals, shapes=((3,), ())),
    of_one(astype, "own dtype", lambda np, x: x.astype(x.dtype), reals, shapes=((), (2, 3))),
    of_one(numpy.maximum, "x, number", lambda np, x: np.maximum(x, 0.0), nonzero),
    of_one(numpy.minimum, "number, x", lambda np, x: np.minimum(0.0, x), nonzero),
    of_one(numpy.arctan2, "list, x", lambda np, x: np.arctan2([1.0, -2.0, 3.0], x), nonzero),
    of_one(numpy.power, "x, list", lambda np, x: np.power(x, [1.0, 2.0, 0.5]), positive),
]

CONDITION = numpy.array([[True, False, True], [False, False, True]])
PAIRS = (((2, 3), (2, 3)), ((), (2, 3)), ((2, 1), (3,)), ((1, 3), ()))

CHOICES = [
    Spec(numpy.where, lambda np, x, y: np.where(CONDITION, x, y), (reals, reals), PAIRS),
    Spec(numpy.where, lambda np, x, y: np.where(CONDITION[0], x, y), (reals, reals), PAIRS, "narrow condition"),
    Spec(numpy.where, lambda np, x, y: np.where(x > y, x * y, x), (nonzero, reals), PAIRS, "condition of its own"),
    of_one(numpy.where, "number", lambda np, x: np.where(CONDITION, x, 0.0), reals, shapes=((2, 3), (), (0, 1, 1))),
    of_one(numpy.clip, "a, min, max", lambda np, a: np.clip(a, -1, 1), staggered(0.3), shapes=((), (4,), (2, 3), (0,))),
    of_one(numpy.clip, "a_min, a_max=None", lambda np, a: np.clip(a, -1.0, None), staggered(0.3)),
    of_one(numpy.clip, "method", lambda np, a: a.clip(-1.0, 1.0), staggered(0.3)),
    of_one(numpy.clip, "method max=", lambda np, a: a.clip(max=1.0), staggered(0.3)),
    of_one(
        numpy.clip,
        "bounds alone",
        lambda np, low: np.clip(numpy.linspace(-3, 3, 4), low, low + 2.0),
        staggered(0.3),
        shapes=((), (2, 1)),
    ),
    Spec(
        numpy.clip,
        lambda np, a, low, high: np.clip(a, low, high),
        (staggered(0.0), staggered(-0.7), staggered(0.4)),
        (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), ()), ((), (2, 1), (3,)), ((0, 3), (3,), (1, 1))),
        "bounds of which some are crossed",
    ),
]  # fmt: skip

if "min" in inspect.signature(numpy.clip).parameters:  # since NumPy 2.1
    CHOICES += [
        of_one(numpy.clip, "min=", lambda np, a: np.clip(a, min=-1), staggered(0.3)),
        of_one(numpy.clip, "max=", lambda np, a: np.clip(a, max=1.0), staggered(0.3)),
        of_one(numpy.clip, "no bounds", lambda np, a: np.clip(a, None, None), staggered(0.3)),
    ]

SPECS = [*UNARY, *BINARY, *OPERATORS, *CHOICES]
