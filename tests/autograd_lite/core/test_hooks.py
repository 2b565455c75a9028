"""Gradient hooks: what they see, what they change, when they run."""

import numpy as np
import pytest

from autograd_lite import GradientError, Tensor
from autograd_lite.transforms import grad, jvp


def leaf(data):
    return Tensor(data, requires_grad=True)


def test_a_hook_sees_the_sum_of_all_cotangents_once():
    seen = []
    x = leaf(3.0)
    h = x * 2.0
    h.register_hook(lambda g: seen.append(g.item()))
    (h * h + h).backward()
    assert seen == [13.0]
    assert x.grad.item() == 26


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_a_hook_returns_goes_on(create_graph):
    x = leaf([1.0, 2.0])
    h = (x * 3.0).retain_grad()
    h.register_hook(lambda g: g * 10.0)
    h.sum().backward(create_graph=create_graph)
    np.testing.assert_array_equal(h.grad.data, [10, 10])
    np.testing.assert_array_equal(x.grad.data, [30, 30])


def test_a_hook_on_a_leaf_changes_what_is_left_in_grad():
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: np.zeros(2))
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [0, 0])


def test_hooks_run_in_the_order_of_their_registration():
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: g * 10.0)
    (x * 1.0).backward()
    assert x.grad.item() == 20


def test_a_removed_hook_is_called_no_more():
    x = leaf(1.0)
    handle = x.register_hook(lambda g: g * 10.0)
    handle.remove()
    handle.remove()
    (x * 1.0).backward()
    assert x.grad.item() == 1


def test_the_other_hooks_stay_when_one_is_removed():
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: g * 10.0).remove()
    (x * 1.0).backward()
    assert x.grad.item() == 2


def test_a_hook_stays_when_a_leafs_array_is_replaced():
    x = leaf(1.0)
    x.register_hook(lambda g: g * 10.0)
    x.data = np.array(2.0)
    (x * x).backward()
    assert x.grad.item() == 40


def test_a_hook_alone_makes_a_result_keep_no_gradient():
    h = leaf(1.0) * 2.0
    h.register_hook(lambda g: None)
    h.backward()
    with pytest.raises(GradientError, match="only leaves keep"):
        _ = h.grad


def test_a_hook_cannot_write_into_the_gradient():
    def write(g):
        g.data[0] = 5.0

    x = leaf([1.0, 2.0])
    x.register_hook(write)
    with pytest.raises(ValueError, match="read-only"):
        (x * x).sum().backward()


def test_what_a_hook_holds_is_not_what_is_left_in_grad():
    held = []
    x = leaf([1.0, 2.0])
    x.register_hook(lambda g: held.append(g))
    (x * x).sum().backward()
    assert not np.shares_memory(held[0].data, x.grad.data)


@pytest.mark.parametrize("returned", [np.ones(3), 1.0, "zero"])
def test_a_gradient_of_another_shape_or_kind_is_refused(returned):
    h = leaf([1.0, 2.0]) * 2.0
    h.register_hook(lambda g: returned)
    with pytest.raises(ValueError, match=r"the hook <lambda> of np.multiply .* returned .* expected .*\(2,\)"):
        h.sum().backward()


def test_a_hook_of_another_width_is_converted():
    x = leaf(np.ones(2, np.float32))
    x.register_hook(lambda g: np.ones(2))
    x.sum().backward()
    assert x.grad.dtype == np.float32


def test_a_tensor_without_a_gradient_takes_no_hook():
    with pytest.raises(GradientError, match="requires no gradient"):
        Tensor(1.0).register_hook(print)
    with pytest.raises(TypeError, match="expected a function of the gradient, got int"):
        leaf(1.0).register_hook(3)


def test_a_hook_acts_within_a_transform():
    def f(x):
        h = x * x
        h.register_hook(lambda g: g * 10.0)
        return h

    assert grad(f)(3.0) == 60
    assert grad(grad(f))(3.0) == 20


def test_forward_mode_has_no_gradient_to_hook():
    def f(x):
        x.register_hook(print)
        return x

    with pytest.raises(GradientError, match="forward mode"):
        jvp(f, (1.0,), (1.0,))
