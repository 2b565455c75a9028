"""Functions with several results."""

from typing import NamedTuple

import numpy as np
import pytest

from autograd_lite import LostGradientError, Tensor, custom_vjp, no_grad
from autograd_lite.transforms import grad, jacobian, jvp, vjp
from tests.autograd_lite import numerical


class Polar(NamedTuple):
    """Polar coordinates."""

    radius: np.ndarray
    angle: np.ndarray


@custom_vjp(
    x=lambda g, x, y, out: g[0] * x / out[0] - g[1] * y / out[0] ** 2,
    y=lambda g, x, y, out: g[0] * y / out[0] + g[1] * x / out[0] ** 2,
)
def polar(x, y):
    return Polar(np.hypot(x, y), np.arctan2(y, x))


X, Y = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, -1.5])


def leaves():
    return Tensor(X, requires_grad=True), Tensor(Y, requires_grad=True)


def test_the_results_come_in_the_functions_own_container():
    result = polar(*leaves())
    assert type(result) is Polar
    assert np.array_equal(result.radius.data, np.hypot(X, Y))
    assert np.array_equal(result.angle.data, np.arctan2(Y, X))


def test_a_result_alone_gets_its_own_gradient():
    for number, expected in ((0, X / np.hypot(X, Y)), (1, -Y / np.hypot(X, Y) ** 2)):
        x, y = leaves()
        polar(x, y)[number].sum().backward()
        np.testing.assert_allclose(x.grad.data, expected, rtol=1e-14)


def test_gradients_through_several_results_and_several_uses_of_one_add_up():
    x, y = leaves()
    radius, angle = polar(x, y)
    (radius * np.sin(angle) + radius * np.cos(angle)).sum().backward()  # which is y + x
    np.testing.assert_allclose(x.grad.data, np.ones(3), rtol=1e-14)
    np.testing.assert_allclose(y.grad.data, np.ones(3), rtol=1e-14)


def test_the_call_runs_its_rule_once_in_a_pass():
    calls = []

    def counted(g, x):
        calls.append(g)
        return g[0] + 2 * g[1]

    x, _ = leaves()
    first, second = custom_vjp(lambda x: (x.copy(), 2 * x), x=counted)(x)
    (first * 3 + second + first).sum().backward()
    assert len(calls) == 1
    assert np.array_equal(x.grad.data, np.full(3, 6.0))


def test_an_unused_result_is_zeros_to_the_rule():
    seen = []

    def remembered(g):
        seen.append(g)
        return g[0]

    split = custom_vjp(lambda x: (x.copy(), x[:2] > 0), x=remembered)
    with pytest.raises(LostGradientError, match="bool"):
        split(leaves()[0])
    split = custom_vjp(lambda x: (x.copy(), x[:2].astype(np.float32)), x=remembered)
    split(leaves()[0])[0].sum().backward()
    ((_, unused),) = seen
    assert (unused.shape, unused.dtype, unused.any()) == ((2,), np.float32, False)


def test_second_derivatives_go_through_all_results():
    def product(x, y):
        radius, angle = polar(x, y)
        return np.sum(radius * angle)

    def first(x, y):
        return grad(product)(x, y)

    along = np.array([0.3, -1.0, 0.7])
    expected = numerical.derivative_along(first, [X, Y], [along, along])
    numerical.assert_close(jvp(first, (X, Y), (along, along))[1], expected)
    pulled = vjp(first, X, Y)[1](along)
    again = numerical.gradient(lambda x, y: np.sum(along * first(x, y)), [X, Y], 1)
    numerical.assert_close(pulled[1], again)


def test_create_graph_differentiates_a_gradient_through_all_results():
    x, y = leaves()
    radius, angle = polar(x, y)
    (radius * angle).sum().backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.sum().backward()
    expected = numerical.gradient(
        lambda x, y: np.sum(grad(lambda x: np.sum(np.hypot(x, y) * np.arctan2(y, x)))(x)), [X, Y], 0
    )
    numerical.assert_close(x.grad.data, expected)


def test_forward_mode_transposes_the_rule():
    tangents = jvp(polar, (X, Y), (np.ones(3), np.zeros(3)))[1]
    assert type(tangents) is Polar
    np.testing.assert_allclose(tangents.radius, X / np.hypot(X, Y), rtol=1e-14)
    np.testing.assert_allclose(tangents.angle, -Y / np.hypot(X, Y) ** 2, rtol=1e-14)


def test_a_jacobian_of_several_results_has_their_structure():
    for mode in ("forward", "reverse"):
        found = jacobian(polar, mode=mode)(X, Y)
        np.testing.assert_allclose(found.radius, np.diag(X / np.hypot(X, Y)), rtol=1e-14)


def test_without_a_gradient_the_results_are_tensors_outside_of_the_graph():
    for tensors in ((Tensor(X), Tensor(Y)), leaves()):
        with no_grad():
            result = polar(*tensors)
        assert type(result) is Polar
        assert not result.radius.requires_grad


def test_a_result_that_is_no_array_is_refused():
    with pytest.raises(TypeError, match=r"returned str where an array, or a tuple of arrays"):
        custom_vjp(lambda x: (x, "text"), x=lambda g: g[0])(leaves()[0])
