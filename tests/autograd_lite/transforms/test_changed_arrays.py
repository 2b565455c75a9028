"""Arrays that change between a transformed function and its derivative: what ran is differentiated, or refused."""

import numpy as np
import pytest

from autograd_lite import ChangedTensorError, Tensor
from autograd_lite.transforms import grad, hessian, jacobian, vjp
from tests.autograd_lite.core.writes import LARGE, SMALL, WRITES_TO_A_LEAF, leaf, ramp


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_the_argument_of_a_pullback_may_not_change_its_derivative(size):
    x = ramp(size)
    _, pull = vjp(lambda x: np.sum(x * x), x)
    x *= 5
    try:
        (found,) = pull(1.0)
    except ChangedTensorError:
        assert size == LARGE
    else:
        np.testing.assert_array_equal(found, 2 * ramp(size))


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_what_a_pullback_has_captured_may_change(kind):
    m = np.array([1.0, 2.0]) if kind == "array" else Tensor([1.0, 2.0])
    _, pull = vjp(lambda x: np.sum(x * m), np.ones(2))
    (m if kind == "array" else m.data)[:] = 0
    np.testing.assert_array_equal(pull(1.0)[0].data if kind == "tensor" else pull(1.0)[0], [1.0, 2.0])


def test_a_captured_tensor_that_is_assigned_within_counts_as_it_was():
    m = Tensor([1.0, 1.0])

    def f(x):
        y = np.sum(x * m)
        m.data = m.data * 10
        return y

    np.testing.assert_array_equal(np.asarray(grad(f)(np.array([0.5, 1.0])).data), [1.0, 1.0])


@pytest.mark.parametrize("write", WRITES_TO_A_LEAF.values(), ids=WRITES_TO_A_LEAF)
def test_a_captured_leaf_that_is_written_to_is_refused_by_the_pullback(write):
    w = leaf(np.ones(2))
    _, pull = vjp(lambda x: np.sum(x * w), np.ones(2))
    write(w)
    with pytest.raises(ChangedTensorError, match=r"np\.multiply"):
        pull(1.0)


def test_a_captured_leaf_is_still_differentiated():
    w = leaf(np.ones(2))
    np.sum(grad(lambda x: np.sum(x * x * w))(np.ones(2))).backward()
    np.testing.assert_array_equal(w.grad.data, [2.0, 2.0])


@pytest.mark.parametrize("derivative", [jacobian, grad, hessian])
def test_constants_of_transforms_that_are_refilled_within_count_as_they_were(derivative):
    def f(x, refill):
        buffer, total = np.empty(2), 0.0
        for i in range(3):
            if refill:
                buffer.fill(i)
            else:
                buffer = np.full(2, float(i))
            total = total + np.sum(np.sin(x) * buffer)
        return total

    x = np.array([0.3, 0.7])
    np.testing.assert_array_equal(derivative(lambda x: f(x, True))(x), derivative(lambda x: f(x, False))(x))
