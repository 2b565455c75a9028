"""Initialisers: their distributions, their seeds, and what they refuse."""

import math

import numpy as np
import pytest

import nn

SHAPE = (300, 500)

# For each its standard deviation, and its bound if it has one.
DISTRIBUTIONS = {
    "glorot_uniform": (nn.init.glorot_uniform, math.sqrt(2 / 800), math.sqrt(6 / 800)),
    "glorot_normal": (nn.init.glorot_normal, math.sqrt(2 / 800), None),
    "he_uniform": (nn.init.he_uniform, math.sqrt(2 / 300), math.sqrt(6 / 300)),
    "he_normal": (nn.init.he_normal, math.sqrt(2 / 300), None),
    "uniform": (nn.init.uniform(-1, 1), 1 / math.sqrt(3), 1.0),
    "normal": (nn.init.normal(std=0.01), 0.01, None),
}


@pytest.mark.parametrize(("init", "std", "bound"), DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_moments_and_bounds_are_the_papers(init, std, bound):
    w = init(SHAPE, rng=0, dtype=np.float64)
    standard_error = std / math.sqrt(w.size)
    assert abs(w.mean()) < 5 * standard_error
    assert w.std() == pytest.approx(std, rel=0.01)
    if bound is not None:
        assert 0.99 * bound < np.abs(w).max() <= bound


@pytest.mark.parametrize("name", nn.init.INITIALIZERS)
def test_the_same_seed_gives_the_same_bits_in_every_form(name):
    init = nn.init.get_initializer(name)
    first = init((3, 4), rng=7)
    np.testing.assert_array_equal(first, init((3, 4), rng=np.random.default_rng(7)))
    assert first.dtype == np.float32


def test_a_generator_moves_on():
    rng = np.random.default_rng(0)
    assert (nn.init.he_normal((3, 4), rng=rng) != nn.init.he_normal((3, 4), rng=rng)).any()


def test_different_seeds_give_different_weights():
    assert (nn.init.he_normal((3, 4), rng=0) != nn.init.he_normal((3, 4), rng=1)).any()


@pytest.mark.parametrize("name", nn.init.INITIALIZERS)
def test_a_seed_gives_the_same_weights_rounded_in_every_width(name):
    init = nn.init.get_initializer(name)
    wide, narrow = init((3, 4), rng=7, dtype=np.float64), init((3, 4), rng=7, dtype=np.float32)
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)


@pytest.mark.parametrize(
    ("init", "variance"),
    [
        (nn.init.glorot_normal, 2 / (5 * 80 + 5 * 120)),
        (nn.init.glorot_uniform, 2 / (5 * 80 + 5 * 120)),
        (nn.init.he_normal, 2 / (5 * 80)),
        (nn.init.he_uniform, 2 / (5 * 80)),
    ],
)
def test_axes_in_front_count_into_both_fans(init, variance):
    assert init((5, 80, 120), rng=0).var() == pytest.approx(variance, rel=0.05)


def test_an_empty_shape_gives_an_empty_array():
    assert nn.init.glorot_uniform((0, 3), rng=0).shape == (0, 3)


def test_zeros_are_zeros():
    assert not nn.init.zeros((3, 4)).any()


def test_a_function_is_an_initialiser():
    layer = nn.Dense(2, 3, init=lambda shape, rng, dtype: np.full(shape, 0.5, dtype))
    assert (layer.weight.data == 0.5).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.init.get_initializer("glorot"), ValueError, "'glorot' is unknown; expected one of glorot_uniform"),
        (lambda: nn.init.get_initializer(3), TypeError, "name or a function"),
        (lambda: nn.init.uniform(1, -1), ValueError, "low <= high"),
        (lambda: nn.init.uniform(0, float("inf")), ValueError, "finite bounds"),
        (lambda: nn.init.normal(std=-1), ValueError, "std >= 0"),
        (lambda: nn.init.he_normal((3,)), ValueError, r"expected a shape \(fan_in, fan_out\), got \(3,\)"),
        (lambda: nn.init.he_normal(3), ValueError, r"he_normal: expected a shape \(fan_in, fan_out\), got 3"),
        (lambda: nn.init.he_normal((3, -1)), ValueError, r"expected a shape \(fan_in, fan_out\), got \(3, -1\)"),
        (lambda: nn.init.he_normal((3, 2), dtype=int), TypeError, "floating-point numbers; got dtype=int64"),
    ],
)
def test_what_cannot_be_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
