"""Calls of `scipy.special`'s ufuncs, and of the functions of `autograd_lite.special`."""

import numpy
from scipy import special as scipy_special

from autograd_lite import special

from .spec import Spec, between, nonzero, positive, reals, staggered, unit

DEGREES = numpy.array([0, 1, 4])
ORDERS = numpy.array([0.0, 1.0, 2.5])
COUNTS = numpy.array([0.0, 1.0, 3.0])
SHAPE_A = numpy.array([0.7, 2.0, 3.5])
SHAPE_B = numpy.array([1.2, 0.8, 4.0])
angle = between(-80.0, 80.0)
probability = between(0.1, 0.9)
right = between(0.5, 4.0)
degrees = between(5.0, 70.0)

ARGUMENTS = {
    # elementary
    "cbrt": (nonzero,), "exp2": (reals,), "exp10": (reals,), "expm1": (reals,), "log1p": (positive,),
    "cosm1": (reals,), "sindg": (angle,), "cosdg": (angle,), "tandg": (degrees,), "cotdg": (degrees,),
    "radian": (reals, reals, reals), "round": (staggered(0.2),), "gammasgn": (nonzero,), "exprel": (reals,),
    "powm1": (positive, reals), "boxcox": (positive, nonzero), "boxcox1p": (positive, nonzero),
    "inv_boxcox": (positive, positive), "inv_boxcox1p": (positive, positive),
    "expit": (reals,), "logit": (probability,), "log_expit": (reals,),
    # error functions
    "erf": (reals,), "erfc": (reals,), "erfcx": (reals,), "erfi": (reals,), "erfinv": (unit,),
    "erfcinv": (between(0.2, 1.8),), "dawsn": (reals,), "wofz": (reals,), "ndtr": (reals,), "ndtri": (probability,),
    "log_ndtr": (reals,), "ndtri_exp": (between(-3.0, -0.1),), "owens_t": (reals, reals),
    "voigt_profile": (reals, positive, positive), "fresnel": (reals,), "modfresnelp": (right,),
    "modfresnelm": (right,),
    # entropies and losses
    "xlogy": (reals, positive), "xlog1py": (reals, positive), "entr": (positive,), "rel_entr": (positive, positive),
    "kl_div": (positive, positive), "huber": (between(0.5, 0.9), staggered(0.3)), "pseudo_huber": (positive, reals),
    # gamma and beta
    "digamma": (positive,), "gamma": (positive,), "rgamma": (positive,), "gammaln": (positive,),
    "loggamma": (positive,), "beta": (positive, positive), "betaln": (positive, positive),
    "binom": (between(3.0, 5.0), between(0.5, 2.5)), "poch": (positive, positive),
    "gammainc": (SHAPE_A, right), "gammaincc": (SHAPE_A, right), "gammaincinv": (SHAPE_A, probability),
    "gammainccinv": (SHAPE_A, probability), "betainc": (SHAPE_A, SHAPE_B, probability),
    "betaincc": (SHAPE_A, SHAPE_B, probability), "betaincinv": (SHAPE_A, SHAPE_B, probability),
    "betainccinv": (SHAPE_A, SHAPE_B, probability),
    # integrals
    "exp1": (positive,), "expi": (positive,), "expn": (DEGREES, positive), "spence": (positive,),
    "sici": (positive,), "shichi": (positive,), "wrightomega": (reals,),
    # hypergeometric
    "hyp0f1": (SHAPE_A, reals), "hyp1f1": (SHAPE_A, SHAPE_B, reals), "hyp2f1": (0.5, SHAPE_A, SHAPE_B, unit),
    "hyperu": (SHAPE_A, SHAPE_B, positive), "wright_bessel": (SHAPE_A, SHAPE_B, positive),
    "log_wright_bessel": (SHAPE_A, SHAPE_B, positive),
    # Bessel
    "jv": (ORDERS, right), "yv": (ORDERS, right), "yn": (DEGREES, right), "iv": (ORDERS, right), "kv": (ORDERS, right),
    "kn": (DEGREES, right), "hankel1": (ORDERS, right), "hankel2": (ORDERS, right), "ive": (ORDERS, right),
    "kve": (ORDERS, right), "hankel1e": (ORDERS, right), "hankel2e": (ORDERS, right),
    "j0": (reals,), "j1": (reals,), "y0": (right,), "y1": (right,), "i0": (reals,), "i1": (reals,), "k0": (right,),
    "k1": (right,), "i0e": (nonzero,), "i1e": (nonzero,), "k0e": (right,), "k1e": (right,),
    "itj0y0": (right,), "iti0k0": (right,), "it2j0y0": (right,), "it2i0k0": (right,),
    "struve": (ORDERS, right), "modstruve": (ORDERS, right), "itstruve0": (right,), "it2struve0": (right,),
    "itmodstruve0": (right,), "ber": (right,), "bei": (right,), "ker": (right,), "kei": (right,), "berp": (right,),
    "beip": (right,), "kerp": (right,), "keip": (right,), "kelvin": (right,), "airy": (reals,), "itairy": (right,),
    # elliptic
    "ellipk": (unit,), "ellipkm1": (probability,), "ellipe": (unit,), "ellipkinc": (between(-4.0, 4.0), unit),
    "ellipeinc": (between(-4.0, 4.0), unit), "elliprf": (positive, positive, positive),
    "elliprd": (staggered(2.3), staggered(2.6), staggered(2.9)), "elliprc": (staggered(2.3), staggered(2.7)),
    "elliprg": (staggered(2.3), staggered(2.6), staggered(2.9)), "agm": (positive, positive),
    "ellipj": (reals, SHAPE_A / 4),
    # orthogonal polynomials
    **{f"eval_{name}": (DEGREES, reals) for name in (
        "chebyt", "chebyu", "chebyc", "chebys", "legendre", "laguerre", "hermite", "hermitenorm",
    )},
    **{f"eval_sh_{name}": (DEGREES, probability) for name in ("chebyt", "chebyu", "legendre")},
    "eval_gegenbauer": (DEGREES, SHAPE_A, unit), "eval_genlaguerre": (DEGREES, SHAPE_A, reals),
    "eval_jacobi": (DEGREES, SHAPE_A, SHAPE_B, unit), "eval_sh_jacobi": (DEGREES, 3.5, SHAPE_B, probability),
    "lpmv": (numpy.array([0, 1, 2]), numpy.array([1, 2, 4]), unit),
    # distributions
    "fdtr": (SHAPE_A, SHAPE_B, right), "fdtrc": (SHAPE_A, SHAPE_B, right), "fdtri": (SHAPE_A, SHAPE_B, probability),
    "chdtr": (SHAPE_A, right), "chdtrc": (SHAPE_A, right), "chdtri": (SHAPE_A, probability),
    "stdtr": (SHAPE_A, reals), "stdtrit": (SHAPE_A, probability), "tklmbda": (between(-0.4, 0.4), SHAPE_B),
    "chndtr": (right, SHAPE_A, positive), "chndtrix": (probability, SHAPE_A, SHAPE_B),
    "gdtr": (positive, SHAPE_A, positive), "gdtrc": (positive, SHAPE_A, positive),
    "gdtrix": (positive, SHAPE_A, probability), "gdtria": (probability, SHAPE_A, positive),
    "bdtr": (COUNTS, 5, probability), "bdtrc": (COUNTS, 5, probability), "bdtri": (COUNTS, 5, probability),
    "nbdtr": (DEGREES, 4, probability), "nbdtrc": (DEGREES, 4, probability), "nbdtri": (DEGREES, 4, probability),
    "pdtr": (COUNTS, positive), "pdtrc": (COUNTS, positive), "pdtri": (DEGREES, probability),
    "nrdtrimn": (probability, positive, reals), "nrdtrisd": (reals, between(0.6, 0.9), reals),
}  # fmt: skip
"""For each ufunc its arguments: where those are drawn from that it is differentiated by, and the numbers of others."""


REAL_ONLY, COMPLEX_ONCE = {"digamma"}, {"gamma", "rgamma", "loggamma"}
"""SciPy has no polygamma of complex numbers."""


def filled(arguments, arrays):
    """All arguments, the arrays in the places of those that are drawn."""
    arrays = iter(arrays)
    return [next(arrays) if callable(argument) else argument for argument in arguments]


def parts(result):
    """The results that are complex as their two parts."""
    results = result if isinstance(result, tuple) else (result,)
    return [part for r in results for part in ([numpy.real(r), numpy.imag(r)] if r.dtype.kind == "c" else [r])]


def of_ufunc(name, arguments):
    ufunc = getattr(scipy_special, name)
    domains = tuple(argument for argument in arguments if callable(argument))
    shapes = ((2, 3), (3,), (2, 1))[: len(domains)]
    return Spec(
        ufunc,
        lambda np, *x: parts(ufunc(*filled(arguments, x))),
        domains,
        (shapes,),
        variant="of SciPy" if hasattr(numpy, name) else "",
        real_only=name in REAL_ONLY,
        complex_once=name in COMPLEX_ONCE,
    )


def along_axes(function, variant, *domains, shapes, **options):
    return Spec(function, lambda np, *x: function(*x[:1], **options, **dict(zip("b", x[1:], strict=False))), domains,
                (shapes,), variant=variant)  # fmt: skip


SPECS = [
    *[of_ufunc(name, arguments) for name, arguments in ARGUMENTS.items()],
    along_axes(special.logsumexp, "", reals, shapes=((2, 3),)),
    along_axes(special.logsumexp, "axis, keepdims", reals, shapes=((2, 3),), axis=1, keepdims=True),
    along_axes(special.logsumexp, "axes, b", reals, positive, shapes=((2, 3, 2), (3, 1)), axis=(0, -1)),
    along_axes(special.logsumexp, "sign", reals, nonzero, shapes=((4, 3), (3,)), axis=0, return_sign=True),
    along_axes(special.softmax, "", reals, shapes=((2, 3),)),
    along_axes(special.softmax, "axis", reals, shapes=((2, 3),), axis=0),
    along_axes(special.log_softmax, "", reals, shapes=((2, 3),)),
    along_axes(special.log_softmax, "axis", reals, shapes=((2, 3),), axis=-1),
    Spec(scipy_special.zeta, lambda np, q: scipy_special.zeta(3, q), (positive,), (((3,),),)),
    Spec(scipy_special.lambertw, lambda np, z: parts(scipy_special.lambertw(z)), (positive,), (((3,),),)),
]
