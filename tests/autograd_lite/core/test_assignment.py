"""What may be assigned to a tensor: data, gradients, names, and whether it requires a gradient."""

import numpy as np
import pytest

from autograd_lite import GradientError, Tensor


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


def test_data_can_be_assigned_to_a_leaf():
    w = leaf([1.0, 2.0])
    w.data -= 0.5
    w.data = w.data * 2
    assert w.data.tolist() == [1, 3]


@pytest.mark.parametrize("array", [np.ones(3), np.ones(2, np.float32), np.ones((2, 1)), 1.0, "x", None], ids=repr)
def test_data_of_another_shape_or_dtype_is_refused(array):
    w = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match=r"expected shape \(2,\), float64"):
        w.data = array
    assert w.data.tolist() == [1, 2]


def test_data_of_a_scalar_leaf_takes_a_number():
    w = leaf(1.0)
    w.data = 3.0
    assert w.item() == 3


def test_data_of_a_result_cannot_be_assigned():
    y = leaf([1.0]) * 2
    with pytest.raises(GradientError, match="only a leaf's"):
        y.data = np.ones(1)


def test_the_array_of_a_result_is_read_only_since_the_graph_may_have_saved_it():
    x = leaf([1.0, 2.0])
    for y in (np.exp(x), x[:1], x.sum()):
        with pytest.raises(ValueError, match="read-only"):
            y.data[...] = 5
    x.data[:] = 3
    assert x.tolist() == [3, 3]


def test_data_takes_no_tensor():
    with pytest.raises(TypeError, match="takes an array"):
        leaf([1.0]).data = Tensor([2.0])


def test_a_gradient_survives_a_change_of_data():
    w = leaf([1.0])
    (w * 3).sum().backward()
    w.data -= 0.1
    assert w.grad.data.tolist() == [3]
    (w * 3).sum().backward()
    assert w.grad.data.tolist() == [6]


def test_grad_can_be_assigned_to_clip_it():
    w = leaf([1.0, 2.0])
    w.grad = Tensor([0.5, 0.5])
    assert w.grad.tolist() == [0.5, 0.5]
    w.grad = None
    assert w.grad is None


@pytest.mark.parametrize(("value", "error"), [(Tensor([1.0]), ValueError), (np.ones(2), TypeError)])
def test_grad_of_another_shape_or_kind_is_refused(value, error):
    with pytest.raises(error, match=r"\.grad"):
        leaf([1.0, 2.0]).grad = value


def test_requires_grad_freezes_and_thaws_a_leaf():
    w = leaf([1.0], name="w")
    w.requires_grad = False
    assert not (w * 2).requires_grad
    w.requires_grad = True
    assert (w * 2).requires_grad
    assert w.name == "w"


def test_a_result_cannot_be_frozen():
    y = leaf([1.0]) * 2
    with pytest.raises(GradientError, match="detach"):
        y.requires_grad = False
