"""Activations: their formulas, their stability far out, and their derivatives of first and second order."""

import math
import subprocess
import sys

import numpy as np
import pytest

import nn
from autograd_lite import Tensor
from autograd_lite.transforms import grad, jvp

X = np.array([-3.0, -1.2, -0.3, 0.4, 1.1, 2.9])

ELEMENTWISE = {
    "relu": (nn.relu, lambda x: max(x, 0.0)),
    "leaky_relu": (nn.leaky_relu, lambda x: x if x > 0 else 0.01 * x),
    "elu": (nn.elu, lambda x: x if x > 0 else math.expm1(x)),
    "sigmoid": (nn.sigmoid, lambda x: 1 / (1 + math.exp(-x))),
    "tanh": (nn.tanh, math.tanh),
    "softplus": (nn.softplus, lambda x: math.log1p(math.exp(x))),
    "gelu": (nn.gelu, lambda x: x * 0.5 * math.erfc(-x / math.sqrt(2))),
    "gelu tanh": (
        lambda x: nn.gelu(x, approximate="tanh"),
        lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    "silu": (nn.silu, lambda x: x / (1 + math.exp(-x))),
}
ALONG_AN_AXIS = {"softmax": nn.softmax, "log_softmax": nn.log_softmax}
ALL = {name: function for name, (function, _) in ELEMENTWISE.items()} | ALONG_AN_AXIS


def gradient(function, x, seed=1.0, **kwargs):
    leaf = Tensor(x, requires_grad=True)
    (function(leaf) * seed).sum().backward(**kwargs)
    return leaf, leaf.grad


@pytest.mark.parametrize(("function", "formula"), ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_values_are_the_formulas(function, formula):
    np.testing.assert_allclose(function(X), [formula(x) for x in X], rtol=1e-14)


def test_softmax_sums_to_one_along_its_axis():
    x = np.random.default_rng(0).standard_normal((3, 4))
    np.testing.assert_allclose(nn.softmax(x, axis=0), np.exp(x) / np.exp(x).sum(axis=0), rtol=1e-14)
    np.testing.assert_allclose(nn.log_softmax(x), np.log(nn.softmax(x)), rtol=1e-13)


@pytest.mark.parametrize("function", ALL.values(), ids=ALL)
def test_the_first_derivative_is_the_central_difference(function):
    seed, h = np.arange(1.0, 7), 1e-6
    _, g = gradient(function, X, seed)
    shifted = [(function(X + h * e) - function(X - h * e)) / (2 * h) @ seed for e in np.eye(len(X))]
    np.testing.assert_allclose(g.data, shifted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("function", ALL.values(), ids=ALL)
def test_the_second_derivative_is_the_central_difference(function):
    seed, h = np.arange(1.0, 7), 1e-6

    def penalty(x):
        return (gradient(function, x, seed)[1].data ** 2).sum()

    leaf, g = gradient(function, X, seed, create_graph=True)
    leaf.zero_grad()
    if g.requires_grad:
        (g * g).sum().backward()
    second = np.zeros(len(X)) if leaf.grad is None else leaf.grad.data
    expected = [(penalty(X + h * e) - penalty(X - h * e)) / (2 * h) for e in np.eye(len(X))]
    np.testing.assert_allclose(second, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("function", ALL.values(), ids=ALL)
def test_far_out_in_float32_values_and_derivatives_are_finite_and_right(function):
    x = np.float32([-1e4, 1e4])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        leaf, g = gradient(function, x)
        y = function(leaf)
    assert y.dtype == g.dtype == np.float32
    reference = function(x.astype(np.float64))
    np.testing.assert_allclose(y.data, reference.astype(np.float32), rtol=1e-6)
    assert np.isfinite(g.data).all()


FAR_SLOPES = {
    "relu": (0, 1), "leaky_relu": (0.01, 1), "elu": (0, 1), "sigmoid": (0, 0), "tanh": (0, 0), "softplus": (0, 1),
    "gelu": (0, 1), "gelu tanh": (0, 1), "silu": (0, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FAR_SLOPES)
def test_far_out_the_slopes_are_the_asymptotes(name):
    _, g = gradient(ALL[name], np.float32([-1e4, 1e4]))
    np.testing.assert_allclose(g.data, FAR_SLOPES[name], atol=1e-7)


def test_the_lower_tails_keep_their_digits():
    x = np.float64(-30.0)
    assert nn.sigmoid(x) == pytest.approx(math.exp(-30), rel=1e-12)
    assert nn.softplus(x) == pytest.approx(math.exp(-30), rel=1e-12)
    assert nn.gelu(np.float64(-10.0)) == pytest.approx(-10 * 0.5 * math.erfc(10 / math.sqrt(2)), rel=1e-12)


def test_masked_logits_of_minus_infinity_have_probability_zero():
    x = np.array([0.0, -np.inf, 0.0])
    assert nn.softmax(x).tolist() == [0.5, 0, 0.5]
    _, g = gradient(nn.softmax, x, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(g.data, [-0.5, 0, 0.5])


def test_relu_has_slope_zero_at_zero():
    assert gradient(nn.relu, np.zeros(1))[1].tolist() == [0]


def test_an_infinite_cotangent_is_nothing_where_relu_is_off():
    x = Tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        np.sqrt(nn.relu(x)).sum().backward()
    assert x.grad.tolist() == [0, 0.25]


@pytest.mark.parametrize("function", ALL.values(), ids=ALL)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_dtype_stays(function, dtype):
    assert function(X.astype(dtype)).dtype == np.dtype(dtype)
    _, g = gradient(function, X.astype(dtype))
    assert g.dtype == np.dtype(dtype)


MODULES = {
    "ReLU()": (nn.ReLU(), nn.relu),
    "LeakyReLU(negative_slope=0.2)": (nn.LeakyReLU(0.2), lambda x: nn.leaky_relu(x, 0.2)),
    "ELU(alpha=2.0)": (nn.ELU(2.0), lambda x: nn.elu(x, 2.0)),
    "Sigmoid()": (nn.Sigmoid(), nn.sigmoid),
    "Tanh()": (nn.Tanh(), nn.tanh),
    "Softplus()": (nn.Softplus(), nn.softplus),
    "GELU(approximate='tanh')": (nn.GELU("tanh"), lambda x: nn.gelu(x, "tanh")),
    "SiLU()": (nn.SiLU(), nn.silu),
    "Softmax(axis=-1)": (nn.Softmax(), nn.softmax),
    "LogSoftmax(axis=0)": (nn.LogSoftmax(0), lambda x: nn.log_softmax(x, 0)),
}


@pytest.mark.parametrize(("text", "module", "function"), [(t, m, f) for t, (m, f) in MODULES.items()], ids=MODULES)
def test_each_activation_is_a_module_too(text, module, function):
    np.testing.assert_array_equal(module(X), function(X))
    assert repr(module) == f"{text}  # 0 parameters"


def test_every_name_makes_its_module():
    assert {name: cls().forward(X).shape for name, cls in nn.ACTIVATIONS.items()} == dict.fromkeys(nn.ACTIVATIONS, (6,))


def test_an_unknown_approximation_is_refused():
    with pytest.raises(ValueError, match="'none' or 'tanh'"):
        nn.gelu(X, approximate="fast")


def test_gelu_is_the_same_without_scipy():
    program = (
        "import sys; sys.modules['scipy'] = sys.modules['scipy.special'] = None\n"
        "import numpy as np, nn\n"
        "print(nn.gelu(np.linspace(-5, 5, 11)).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(eval(done.stdout), nn.gelu(np.linspace(-5, 5, 11)), rtol=1e-13)


EDGES = [-np.inf, -1e300, -1e4, 0.0, 1e4, 1e300, np.inf]

LIMITS = {
    "relu": (nn.relu, [0, 0, 0, 0, 1, 1, 1]),
    "leaky_relu": (nn.leaky_relu, [0.01, 0.01, 0.01, 0.01, 1, 1, 1]),
    "elu": (nn.elu, [0, 0, 0, 1, 1, 1, 1]),
    "sigmoid": (nn.sigmoid, [0, 0, 0, 0.25, 0, 0, 0]),
    "tanh": (nn.tanh, [0, 0, 0, 1, 0, 0, 0]),
    "softplus": (nn.softplus, [0, 0, 0, 0.5, 1, 1, 1]),
    "gelu": (nn.gelu, [0, 0, 0, 0.5, 1, 1, 1]),
    "gelu tanh": (lambda x: nn.gelu(x, "tanh"), [0, 0, 0, 0.5, 1, 1, 1]),
    "silu": (nn.silu, [0, 0, 0, 0.5, 1, 1, 1]),
}


@pytest.mark.parametrize("name", LIMITS)
def test_slopes_at_infinity_and_of_huge_inputs_are_the_limits_in_both_modes_and_finite_in_second_order(name):
    function, expected = LIMITS[name]
    x = np.array(EDGES)
    with np.errstate(all="ignore"):
        assert not np.isnan(function(x)).any()
        assert grad(lambda x: np.sum(function(x)))(x).tolist() == expected
        for point, slope in zip(x, expected, strict=True):
            assert jvp(function, (np.array(point),), (np.ones(()),))[1] == slope
        assert np.isfinite(grad(lambda x: np.sum(grad(lambda x: np.sum(function(x)))(x)))(x)).all()


def test_activations_are_reached_by_the_name_of_their_module():
    assert nn.activations.softplus is nn.softplus
