"""Whether every function of NumPy has a rule, is constant, or has a reason to have none."""

import warnings

import numpy as np
import pytest
import scipy.special

from autograd_lite import Tensor
from autograd_lite.core.registry import DERIVED, NONDIFFERENTIABLE, RULES
from autograd_lite.rules.nondifferentiable import NO_DERIVATIVE
from autograd_lite.rules.scipy import special as special_rules


def functions_of(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return {name: f for name, f in found.items() if callable(f) and not isinstance(f, type)}


DEPRECATED = {"row_stack", "in1d", "trapz"}


@pytest.mark.parametrize("module", [np, np.linalg, np.fft], ids=lambda m: m.__name__)
def test_every_function_is_known(module):
    known = {
        *RULES,
        *DERIVED,
        *NONDIFFERENTIABLE,
        *NO_DERIVATIVE,
        np.fft.fftfreq,
        np.fft.rfftfreq,
        np.linalg.test,
        np.fft.test,
    }
    assert [name for name, f in functions_of(module).items() if f not in known and name not in DEPRECATED] == []


def test_every_ufunc_of_scipy_special_is_known():
    known = {*RULES, *special_rules.NO_DERIVATIVE}
    ufuncs = {name: f for name, f in functions_of(scipy.special).items() if isinstance(f, np.ufunc)}
    assert [name for name, f in ufuncs.items() if f not in known] == []
    assert not RULES.keys() & special_rules.NO_DERIVATIVE.keys()


def test_a_function_with_a_rule_is_not_said_to_have_none():
    """The table of functions, and what looks up those without a gradient first, would pass over the rule."""
    with_rules, without = {*RULES, *DERIVED}, {*NONDIFFERENTIABLE, *NO_DERIVATIVE, *special_rules.NO_DERIVATIVE}
    assert with_rules & without == set()
    assert RULES.keys() & DERIVED.keys() == set()


X = np.array([0.3, -1.2, 2.0, 0.3])

CALLS = {
    "argmax": lambda x: np.argmax(x),
    "argsort": lambda x: np.argsort(x),
    "argpartition": lambda x: np.argpartition(x, 1),
    "nonzero": lambda x: np.nonzero(x)[0],
    "searchsorted": lambda x: np.searchsorted(np.array([0.0, 1.0]), x),
    "digitize": lambda x: np.digitize(x, [0.0, 1.0]),
    "isfinite": lambda x: np.isfinite(x),
    "isnan": lambda x: np.isnan(x),
    "isclose": lambda x: np.isclose(x, 0.3),
    "allclose": lambda x: np.allclose(x, x),
    "signbit": lambda x: np.signbit(x),
    "greater": lambda x: x > 0,
    "equal": lambda x: x == 0.3,
    "logical_and": lambda x: np.logical_and(x, x),
    "shape": lambda x: np.shape(x),
    "ndim": lambda x: np.ndim(x),
    "size": lambda x: np.size(x),
    "zeros_like": lambda x: np.zeros_like(x),
    "count_nonzero": lambda x: np.count_nonzero(x),
    "any": lambda x: np.any(x),
    "all": lambda x: np.all(x),
    "isin": lambda x: np.isin(x, [0.3]),
    "unique indices": lambda x: np.unique(x, return_index=True, return_counts=True)[1:][1],
    "histogram counts": lambda x: np.histogram(x, 2)[0],
    "lexsort": lambda x: np.lexsort((x,)),
    "array_equal": lambda x: np.array_equal(x, x),
    "iscomplexobj": lambda x: np.iscomplexobj(x),
    "result_type": lambda x: np.result_type(x),
    "matrix_rank": lambda x: np.linalg.matrix_rank(np.diag(x)),
    "flatnonzero": lambda x: np.flatnonzero(x),
    "nanargmin": lambda x: np.nanargmin(x),
    "frexp exponent": lambda x: np.frexp(x)[1],
    "histogramdd": lambda x: np.histogramdd([x, x], 2)[0],
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_has_no_gradient_simply_works(call):
    found, expected = call(Tensor(X, requires_grad=True)), call(X)
    assert not isinstance(found, Tensor) or not found.requires_grad
    found = found.data if isinstance(found, Tensor) else found
    np.testing.assert_array_equal(found, expected)


STEPS = [np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round, np.heaviside, np.floor_divide]


@pytest.mark.parametrize("function", STEPS, ids=lambda f: f.__name__)
def test_steps_have_gradient_zero(function):
    x = Tensor(X + 0.01, requires_grad=True)
    (function(x, 0.5) if function in (np.heaviside, np.floor_divide) else function(x)).sum().backward()
    assert np.array_equal(x.grad.data, np.zeros(4))
