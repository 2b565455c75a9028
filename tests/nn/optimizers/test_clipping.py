"""Norms of gradients, and gradients clipped in place."""

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, Tensor


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_the_norm_keeps_its_digits_where_squares_leave_the_range(scale):
    w = Tensor(np.zeros(2, np.float32), requires_grad=True)
    (w * np.array([3 * scale, 4 * scale], np.float32)).sum().backward()
    assert nn.gradient_norm([w]) == pytest.approx(5 * scale, rel=1e-6)
    assert nn.clip_gradient_norm([w], scale) == pytest.approx(5 * scale, rel=1e-6)
    assert nn.gradient_norm([w]) == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize("clip", [nn.clip_gradient_norm, nn.clip_gradient_value])
def test_gradients_that_belong_to_a_graph_are_not_clipped_in_place(clip):
    w, free = (Tensor([3.0, 4.0], requires_grad=True, name=name) for name in ("w", "free"))
    (free * free).sum().backward()
    (w * w).sum().backward(create_graph=True)
    with pytest.raises(
        GradientError, match=r"the gradient of the parameter 'w' belongs to a graph, .* create_graph=True"
    ):
        clip([free, w], 1.0)
    np.testing.assert_array_equal(free.grad.data, [6, 8])
    np.testing.assert_array_equal(w.grad.data, [6, 8])


@pytest.mark.parametrize("again", ["the gradient is assigned to two", "the parameter is given twice"])
def test_a_gradient_that_comes_twice_is_scaled_once(again):
    v, w = (Tensor([1.0, 1.0], requires_grad=True) for _ in range(2))
    w.grad = Tensor([3.0, 4.0])
    if again == "the gradient is assigned to two":
        v.grad = w.grad
        assert nn.clip_gradient_norm([v, w], 1.0) == pytest.approx(50**0.5)
        np.testing.assert_allclose(v.grad.data, np.array([3.0, 4.0]) / 50**0.5)
        np.testing.assert_allclose(w.grad.data, np.array([3.0, 4.0]) / 50**0.5)
    else:
        assert nn.clip_gradient_norm([w, w], 1.0) == pytest.approx(5.0)
        np.testing.assert_allclose(w.grad.data, [0.6, 0.8])
