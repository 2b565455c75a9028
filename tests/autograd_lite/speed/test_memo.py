"""Memos: what a function kept is read again for the same array, and computed anew for every other one."""

import numpy as np

from autograd_lite import Tensor, compile, custom_vjp
from autograd_lite.speed.memo import Memo
from autograd_lite.transforms import grad, vmap

X = np.array([-1.0, 0.5, 2.0])


def counted_sigmoid():
    calls = []

    def sigmoid(x):
        calls.append(x)
        return 1 / (1 + np.exp(-x))

    return sigmoid, calls


def softplus_with(sigmoid):
    """The softplus, which computes the sigmoid on the way, and its derivative, which is the sigmoid."""

    @custom_vjp(x=lambda g, x, slope: g * slope(x))
    def softplus(x, slope):
        grown = np.exp(x)
        if type(x) is np.ndarray:
            slope.keep(x, grown / (1 + grown))
        return np.log1p(grown)

    return lambda x: softplus(x, Memo(sigmoid))


def slope(x):
    return 1 / (1 + np.exp(-x))


def test_a_rule_reads_what_its_function_kept():
    sigmoid, calls = counted_sigmoid()
    x = Tensor(X, requires_grad=True)
    softplus_with(sigmoid)(x).sum().backward()
    np.testing.assert_allclose(x.grad.data, slope(X), rtol=1e-15)
    assert not calls


def test_a_pass_that_is_recorded_differentiates_what_was_kept():
    sigmoid, calls = counted_sigmoid()
    x = Tensor(X, requires_grad=True)
    softplus_with(sigmoid)(x).sum().backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.sum().backward()
    assert len(calls) == 1
    np.testing.assert_allclose(x.grad.data, slope(X) * (1 - slope(X)), rtol=1e-14)


def test_nested_transforms_differentiate_what_was_kept():
    softplus = softplus_with(counted_sigmoid()[0])
    second = [grad(grad(softplus))(x) for x in X]
    np.testing.assert_allclose(second, slope(X) * (1 - slope(X)), rtol=1e-14)
    np.testing.assert_allclose(vmap(grad(grad(softplus)))(X), second, rtol=1e-14)


def test_a_plan_computes_it_in_every_call():
    softplus = softplus_with(counted_sigmoid()[0])
    x = Tensor(X, requires_grad=True)

    @compile
    def slope_of(scale):
        x.zero_grad()
        softplus(scale * x).sum().backward()
        return x.grad.data

    for scale in (1.0, 2.0, -3.0):
        np.testing.assert_allclose(slope_of(np.float64(scale)), scale * slope(scale * X), rtol=1e-14)


def test_nothing_is_kept_beyond_the_pass():
    x = Tensor(X, requires_grad=True)
    y = softplus_with(counted_sigmoid()[0])(x).sum()
    call = y.node.parents[0]
    y.backward()
    assert call.saved is None
