"""check_gradients: what it lets pass, what it catches, and what it says."""

import dataclasses
import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import nn
from autograd_lite import GradientCheckError, Tensor, check_gradients, custom_vjp, defjvp
from autograd_lite.transforms import stop_gradient

RNG = np.random.default_rng(4)
X, W = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 4))

RIGHT = {
    "of a matrix": (lambda x: np.exp(x) * x, X),
    "of a number": (np.sin, 0.3),
    "of two": (lambda x, w: np.tanh(x @ w), X, W),
    "of a large argument": (lambda x: np.sin(x) / x, 1e8 * X),
    "of a small argument": (lambda x: np.log(np.abs(x)), 1e-8 * X),
    "of scales far apart": (lambda x: x**2, np.array([1e-8, 1.0, 1e8])),
    "steep": (lambda x: np.exp(30 * x), X),
    "fast": (lambda x: np.sin(1000 * x), X),
    "with cancellation": (lambda x: (1e6 + x) - 1e6, X),
    "linear": (lambda x: 3 * x, X),
    "constant": (lambda x: np.zeros(3), X),
    "of nothing": (lambda x: np.sum(x), np.zeros((0, 3))),
    "in single precision": (lambda x, w: np.tanh(x @ w), X.astype(np.float32), W.astype(np.float32)),
    "of complex numbers": (lambda z: np.exp(z) * np.abs(z), X + 1j * X[::-1]),
    "complex of real": (lambda x: np.exp(1j * x), X),
    "with several results": (lambda a: np.linalg.eigh(a + a.T), X.T @ X),
    "of integers too": (lambda x, n: x**n, X, np.array([2, 3])),
    "in a tree": (lambda p: p["w"][0] * p["b"], {"w": [X], "b": X}),
    "discrete": (lambda x: np.floor(x) * x, X + 0.05),
}


@pytest.mark.parametrize("call", RIGHT.values(), ids=RIGHT)
def test_right_derivatives_pass(call):
    check_gradients(*call)


def test_every_entry_is_checked_on_demand():
    assert len(check_gradients(np.sin, X, every_entry=True).compared) == 4 * X.size
    assert len(check_gradients(np.sin, X, order=1, modes=["reverse"], every_entry=True).compared) == X.size


def test_a_module_and_its_arguments_are_checked():
    model = nn.MLP([2, 3, 2], activation="tanh", rng=0, dtype=np.float64)
    report = check_gradients(lambda model, x: nn.softmax_cross_entropy(model(x), [0, 1, 1]), model, X)
    assert len(report.compared) == 2 * 4 * 5


def test_tensors_are_taken_by_their_numbers():
    check_gradients(np.sin, Tensor(X, requires_grad=True))


def wrong(**rules):
    return custom_vjp(lambda x: x**2, **rules)


WRONG = {
    "a factor": wrong(x=lambda g, x: 2.002 * g * x),
    "a sign": wrong(x=lambda g, x: -2 * g * x),
    "one entry": wrong(x=lambda g, x: g * np.where(np.arange(x.size).reshape(x.shape) == 3, 0, 2 * x)),
    "no gradient": wrong(x=lambda g, x: g * 0),
    "second order": wrong(x=lambda g, x: 2 * g * stop_gradient(x)),
    "a broadcast": wrong(x=lambda g, x: 2 * x * g.mean()),
    "not a number": wrong(x=lambda g, x: 2 * g * x * np.nan),
}


@pytest.mark.parametrize("f", WRONG.values(), ids=WRONG)
def test_wrong_derivatives_are_caught(f):
    with pytest.raises(GradientCheckError, match=r"argument 0 \(x\)\["):
        check_gradients(f, X)


def test_a_derivative_that_is_wrong_in_forward_mode_alone_is_caught():
    f = wrong(x=lambda g, x: 2 * g * x)
    defjvp(f, x=lambda t, x: 3 * t * x)
    check_gradients(f, X, order=1, modes=["reverse"])
    with pytest.raises(GradientCheckError, match="the JVP"):
        check_gradients(f, X, order=1)


def test_the_message_names_argument_entry_numbers_and_steps():
    f = custom_vjp(lambda x, y: x * y**2, x=lambda g, y: g * y**2, y=lambda g, x, y: 2 * g * x * y * (y != y[1]))

    def total(x, y):
        return np.sum(f(x, y))

    with pytest.raises(GradientCheckError) as raised:
        check_gradients(total, np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 2.0]))
    message = str(raised.value)
    assert "the VJP with respect to argument 1 (y)[1] is 0 by the engine, but 20" in message
    assert "1 entry of this argument disagree" in message
    steps = re.findall(r"^   ([\d.e-]+) +20", message, re.MULTILINE)
    assert len(steps) >= 5
    assert float(steps[0]) == pytest.approx(0.25)


def test_the_way_to_a_leaf_of_a_tree_is_named():
    @dataclasses.dataclass
    class Parameters:
        scale: np.ndarray
        layers: list

    def f(p):
        return p.layers[1]["w"] * WRONG["a sign"](p.scale)

    point = Parameters(np.array([1.0, 2.0]), [None, {"w": np.array([3.0, 4.0])}])
    with pytest.raises(GradientCheckError, match=r"argument 0 \(p\)\.scale\[\d\]"):
        check_gradients(f, point)
    with pytest.raises(GradientCheckError, match=r"argument 0 \(p\)\.layers\[1\]\['w'\]\[\d\]"):
        check_gradients(lambda p: WRONG["a sign"](p.layers[1]["w"]), point)


KINKS = {
    "relu": (lambda x: np.maximum(x, 0), 0.5),
    "abs": (np.abs, 0.0),
    "hidden relu": (nn.relu, 0.0),
    "norm": (lambda x: np.linalg.norm(x[1:2]) + np.sum(x), 1.0),
}


@pytest.mark.parametrize(("f", "says"), KINKS.values(), ids=KINKS)
def test_a_kink_is_noted_and_no_failure(f, says):
    report = check_gradients(f, np.array([1.0, 0.0, -2.0]), order=1, every_entry=True)
    if says == 0.5 or not report.notes:
        assert not report.notes  # half of the cotangent is what central differences give
    else:
        assert "a kink: the slope is" in report.notes[0]
        assert "[1]" in report.notes[0]


def test_a_wrong_derivative_at_a_kink_is_caught():
    f = custom_vjp(np.abs, x=lambda g, x: g * np.where(x == 0, 3.0, np.sign(x)))
    with pytest.raises(GradientCheckError, match="does not lie between"):
        check_gradients(f, np.array([1.0, 0.0]), order=1)


def test_a_kink_hides_no_wrong_entry_beside_it():
    f = custom_vjp(np.abs, x=lambda g, x: g * np.where(x == 0, 0.0, 2 * np.sign(x)))
    with pytest.raises(GradientCheckError, match=r"\[0\]"):
        check_gradients(f, np.array([1.0, 0.0]), order=1)


def test_a_jump_is_noted():
    report = check_gradients(np.floor, np.array([0.5, 1.0]), order=1)
    assert any("a jump" in note for note in report.notes)


def test_the_end_of_a_domain_is_noted():
    report = check_gradients(lambda x: np.where(x < 0, np.nan, x * x), np.array([0.0, 1.0]), order=1)
    assert any("not finite" in note for note in report.notes)


def test_random_functions_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientCheckError, match="two different results"):
        check_gradients(lambda x: x * rng.normal(), X)


def test_a_result_that_is_not_finite_is_refused():
    with pytest.raises(GradientCheckError, match="not finite"):
        check_gradients(lambda x: x * np.inf, X)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((np.array([1, 2]),), {}, TypeError, "no argument holds floating-point numbers"),
        ((X,), {"order": 3}, ValueError, "expected 1 or 2"),
        ((X,), {"modes": ["backward"]}, ValueError, "'reverse' and 'forward'"),
        ((X,), {"argnums": 1}, ValueError, "argnums"),
    ],
)
def test_what_cannot_be_checked_is_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        check_gradients(np.sin, *arguments, **options)


def test_where_differences_tell_little_the_report_says_so():
    report = check_gradients(lambda x: np.abs((1e12 + x) - 1e12), np.array([0.3, -2.0]), order=1)
    assert any("cannot be checked precisely" in note and "round-off" in note for note in report.notes)


def test_complex_steps_make_the_check_stricter():
    slightly = custom_vjp(lambda x: np.sin(x), x=lambda g, x: g * np.cos(x) * (1 + 1e-11))
    with pytest.raises(GradientCheckError):
        check_gradients(slightly, X, order=1)


def test_the_report_says_how_much_agreed():
    text = str(check_gradients(np.sin, X))
    assert re.match(r"8 derivatives agree with differences; the worst error is [\d.e-]+ of its bound$", text)


FUNCTIONS = [np.sin, np.sinc, np.tanh, np.cosh, np.arctan, np.negative, lambda x: x * x.sum(), lambda x: x[::-1] * x]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(FUNCTIONS), min_size=1, max_size=4),
    st.integers(0, 1000),
    st.floats(1e-4, 10.0),
    st.booleans(),
)
def test_compositions_pass_and_any_wrong_factor_in_them_is_caught(functions, seed, relative, negative):
    point = np.random.default_rng(seed).uniform(-1, 1, 4)
    factor = 1 - relative if negative else 1 + relative
    scaled = custom_vjp(lambda x: 1.0 * x, x=lambda g: g * factor)

    def composed(x, wrong=False):
        for function in functions:
            x = function(scaled(x) if wrong else x)
        return x

    check_gradients(composed, point, argnums=0)
    with pytest.raises(GradientCheckError):
        check_gradients(lambda x: composed(x, wrong=True), point, order=1)


def test_a_result_whose_shape_changes_near_by_is_refused():
    with pytest.raises(GradientCheckError, match=r"result has shape \(2,\) at the given arguments, but \(1,\) nearby"):
        check_gradients(lambda x: x[x > 0], np.array([1.0, 1e-12]))


def test_a_function_may_use_tensors_that_require_gradients_themselves():
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    report = check_gradients(lambda x: np.sum(np.sin(x * w)), np.array([0.1, 0.2, 0.3]), order=2)
    assert report.compared
    assert w.grad is None
