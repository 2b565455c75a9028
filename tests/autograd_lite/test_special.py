"""SciPy's special functions: their ufuncs on tensors, and `autograd_lite.special`."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.special

from autograd_lite import NoRuleError, Tensor, special
from autograd_lite.transforms import grad, jacobian, vmap

A = np.array([[0.3, -1.2, 2.0], [1.5, 0.0, -0.4]])
B = np.array([2.0, 0.0, -3.0])


def run(program):
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return finished.stdout.split()


# ---- the ufuncs ----


def test_importing_the_library_imports_no_scipy():
    assert run("import sys, nn, autograd_lite.special; print('scipy' in sys.modules)") == ["False"]


@pytest.mark.parametrize("first", ["autograd_lite", "scipy.special"])
def test_it_does_not_matter_which_is_imported_first(first):
    others = "import autograd_lite, scipy.special"
    program = f"import {first}; {others}; print(autograd_lite.transforms.grad(scipy.special.erf)(0.0))"
    assert run(program.replace("import autograd_lite,", "import autograd_lite.transforms,")) == ["1.1283791670955126"]


def test_a_rule_of_the_users_own_stays():
    program = """
import scipy.special
from autograd_lite import Tensor, defvjp
from autograd_lite.transforms import jvp
defvjp(scipy.special.erf, x=lambda g: 7 * g)
defvjp(scipy.special.ive, x2=lambda g, x1: 8 * g)
defvjp(scipy.special.ellipj, x1=lambda g, x2: 9 * g[0])
for function in (scipy.special.erfc, scipy.special.erf):
    x = Tensor(0.0, requires_grad=True)
    function(x).backward()
    print(x.grad.item())
print(jvp(lambda x: scipy.special.ive(1, x), (0.5,), (1.0,))[1])
x = Tensor(0.0, requires_grad=True)
scipy.special.ellipj(x, 0.5)[0].backward()
print(x.grad.item())
"""
    assert run(program) == ["-1.1283791670955126", "7.0", "8.0", "9.0"]


def test_the_order_of_a_function_cannot_require_a_gradient():
    order = Tensor(1.0, requires_grad=True)
    with pytest.raises(NoRuleError, match=r"scipy\.special\.jv: its argument 'x1' .* \(only to x2, "):
        scipy.special.jv(order, 2.0)


def test_a_ufunc_without_a_rule_is_refused():
    with pytest.raises(NoRuleError, match=r"scipy\.special\.zetac: no rule"):
        scipy.special.zetac(Tensor(3.0, requires_grad=True))


def test_the_derivative_of_digamma_of_complex_numbers_is_refused():
    with pytest.raises(NoRuleError, match="polygamma takes only real numbers"):
        grad(lambda z: np.real(scipy.special.digamma(z)))(1.0 + 1.0j)


def test_functions_that_are_0_by_a_factor_of_0_have_gradient_0_by_the_other():
    assert [float(grad(lambda y, f=f: f(0.0, y))(0.0)) for f in (scipy.special.xlogy, scipy.special.rel_entr)] == [0, 0]


# ---- logsumexp ----


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axis": 1},
        {"axis": (0, -1), "keepdims": True},
        {"axis": 0, "b": B, "return_sign": True},
        {"b": -1.0},
        {"axis": -1, "b": [[1.0], [2.0]]},
    ],
    ids=str,
)
def test_logsumexp_gives_scipys_values(options):
    found, expected = special.logsumexp(A, **options), scipy.special.logsumexp(A, **options)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_logsumexp_of_complex_numbers_is_scipys():
    z = A + 0.5j * B
    np.testing.assert_allclose(special.logsumexp(z, axis=1), scipy.special.logsumexp(z, axis=1), rtol=1e-14)


def test_logsumexp_of_terms_of_any_size():
    assert special.logsumexp(np.array([1e4, 1e4])) == 1e4 + np.log(2)
    assert special.logsumexp(np.array([-1e4, -1e4])) == -1e4 + np.log(2)
    assert special.logsumexp([np.inf, 1.0]) == np.inf


def test_logsumexp_of_nothing_but_zeros_is_minus_infinity_and_has_gradient_0():
    a = np.full((2, 2), -np.inf)
    assert np.all(special.logsumexp(a, axis=1) == -np.inf)
    assert np.array_equal(grad(special.logsumexp)(a), np.zeros((2, 2)))


def test_a_term_with_factor_0_has_no_part_in_the_gradient_however_large():
    found = grad(lambda a: special.logsumexp(a, b=[0.0, 1.0, 1.0]))(np.array([np.inf, 2.0, 2.0]))
    assert found.tolist() == pytest.approx([0.0, 0.5, 0.5], rel=1e-15)


def test_the_gradient_of_logsumexp_is_the_softmax():
    np.testing.assert_allclose(grad(special.logsumexp)(A), scipy.special.softmax(A), rtol=1e-14)


def test_logsumexp_keeps_single_precision():
    a = Tensor(A.astype(np.float32), requires_grad=True)
    total = special.logsumexp(a)
    total.backward()
    assert total.dtype == a.grad.dtype == np.float32


def test_the_sign_of_a_complex_sum_is_refused():
    with pytest.raises(TypeError, match="return_sign=True is for real numbers"):
        special.logsumexp(A + 1j, return_sign=True)


# ---- softmax and its logarithm ----


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_and_its_logarithm_give_scipys_values(name, axis):
    found = getattr(special, name)(A, axis=axis)
    np.testing.assert_allclose(found, getattr(scipy.special, name)(A, axis=axis), rtol=1e-14)


def test_softmax_gives_what_is_masked_out_neither_weight_nor_gradient():
    x = np.array([1.0, -np.inf, 1.0])
    assert special.softmax(x).tolist() == [0.5, 0.0, 0.5]
    assert jacobian(special.softmax)(x).tolist() == [[0.25, 0.0, -0.25], [0.0, 0.0, 0.0], [-0.25, 0.0, 0.25]]


def test_softmax_of_integers_and_lists():
    assert special.softmax([1, 1]).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("function", [special.softmax, special.log_softmax, special.logsumexp])
def test_one_call_for_many_examples(function, axis):
    X = np.stack([A, 2 * A, A - 1])
    found = vmap(lambda x: function(x, axis=axis))(X)
    np.testing.assert_allclose(found, np.stack([function(x, axis=axis) for x in X]), rtol=1e-14)


def test_one_call_of_logsumexp_for_examples_with_factors_of_their_own():
    X, factors = np.stack([A, 2 * A]), np.array([[1.0, 2.0, 3.0], [0.5, 0.5, 0.5]])
    found = vmap(lambda a, b: special.logsumexp(a, axis=1, b=b))(X, factors)
    expected = [special.logsumexp(a, axis=1, b=b) for a, b in zip(X, factors, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
