"""Derivatives by differences: whether the bound on their error holds, and tells what it is made of."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from autograd_lite.checks.differences import Estimate, Value, complex_step, derivative, irregularity

EPSILON = float(np.finfo(float).eps)


def curve(f):
    return lambda t: Value(float(f(t)), abs(float(f(t))))


SMOOTH = {
    "exp": (np.exp, 1.0),
    "sin": (lambda t: np.sin(t + 1), np.cos(1.0)),
    "steep": (lambda t: np.exp(50 * t), 50.0),
    "fast": (lambda t: np.sin(1e6 * t), 1e6),
    "cubic": (lambda t: (t - 2) ** 3, 12.0),
    "constant": (lambda t: 3.0, 0.0),
    "near a pole": (lambda t: 1 / (0.06 - t), 1 / 0.0036),
    "under a large number": (lambda t: 1e8 + np.sin(t), 1.0),
}


@pytest.mark.parametrize(("f", "expected"), SMOOTH.values(), ids=SMOOTH)
def test_the_derivative_lies_within_its_bound(f, expected):
    found = derivative(curve(f), EPSILON)
    assert abs(found.value - expected) <= found.bound + 1e-300
    assert irregularity(found) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=8), st.floats(-2, 2))
def test_of_a_polynomial_too(coefficients, x):
    expected = np.polyval(np.polyder(coefficients), x)
    size = np.polyval(np.abs(coefficients), abs(x) + 0.1)
    found = derivative(lambda t: Value(float(np.polyval(coefficients, x + t)), float(size)), EPSILON)
    assert abs(found.value - expected) <= 2 * found.bound + 1e-300


def test_the_bound_tells_roundoff_from_truncation():
    assert derivative(curve(lambda t: 1e12 + t), EPSILON).dominant == "round-off"
    assert Estimate(1.0, truncation=2e-3, roundoff=1e-3).dominant == "truncation"


def test_single_precision_has_a_wider_bound():
    wide = derivative(curve(lambda t: np.float32(np.exp(np.float32(t)))), float(np.finfo(np.float32).eps))
    assert abs(wide.value - 1) <= wide.bound < 1e-2
    assert wide.bound > 1e3 * derivative(curve(np.exp), EPSILON).bound


def test_complex_steps_are_exact_for_analytic_functions():
    central = derivative(curve(np.exp), EPSILON)
    found = complex_step(np.exp, central, Value(1.0, 1.0), EPSILON)
    assert found.value == pytest.approx(1.0, rel=1e-15)
    assert found.bound < central.bound


@pytest.mark.parametrize(
    "f",
    [
        lambda t: abs(t + 1),
        lambda t: np.real(t) + 1,
        lambda t: np.conj(t) + 1,
        lambda t: float(t) + 1,
        lambda t: 1j * t + 1,
    ],
)
def test_complex_steps_are_left_alone_for_others(f):
    central = derivative(lambda t: Value(t + 1, 1.0), EPSILON)
    assert complex_step(f, central, Value(1.0, 1.0), EPSILON) is None


IRREGULAR = {
    "abs": (abs, "kink"),
    "relu": (lambda t: max(t, 0.0) + t, "kink"),
    "small kink on a slope": (lambda t: 100 * t + abs(t), "kink"),
    "step": (lambda t: float(t >= 0), "jump"),
    "log": (lambda t: np.log(t + 1e-12) if t > -1e-12 else np.nan, "not finite"),
}


@pytest.mark.parametrize(("f", "kind"), IRREGULAR.values(), ids=IRREGULAR)
def test_points_without_a_derivative_are_recognised(f, kind):
    assert irregularity(derivative(curve(f), EPSILON)).kind == kind


def test_a_kink_has_the_slopes_of_both_sides():
    found = irregularity(derivative(curve(lambda t: max(2 * t, -3 * t)), EPSILON))
    assert (found.left, found.right) == pytest.approx((-3.0, 2.0))


def test_noise_is_no_jump_and_no_kink_wherever_it_is_met():
    """Noise that depends on the argument alone, as that of an iteration that ends at a tolerance."""
    for seed in range(200):

        def noisy(t, seed=seed):
            noise = np.random.default_rng([seed, abs(int(t * 1e15)), int(t < 0)]).uniform(-1e-4, 1e-4)
            return Value(1 + t + noise, 1.0)

        assert irregularity(derivative(noisy, EPSILON)) is None


def test_a_jump_is_one_on_either_side_of_the_point():
    for side in (1, -1):
        estimate = derivative(lambda t, side=side: Value(float(side * t > 0) + t, 1.0), EPSILON)
        assert str(irregularity(estimate)) == "a jump"
