"""What would take numbers out of the graph without a word is refused, and what leaves it openly is not."""

import copy
import math
import pickle

import numpy as np
import pytest

from autograd_lite import LostGradientError, Tensor


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


CONVERSIONS = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "float": float,
    "int": int,
    "complex": complex,
    "math.exp": math.exp,
    "np.array of a list": lambda t: np.array([t, t]),
    "assignment into an array": lambda t: np.zeros(1).__setitem__(slice(None), t.reshape(1)),
    "in-place addition to an array": lambda t: np.zeros(()).__iadd__(t),
    "out=": lambda t: np.exp(t, out=np.zeros(())),
    "pickle of a result": lambda t: pickle.dumps(t * 1),
    "copy of a result": lambda t: copy.copy(t * 1),
    "an integer result": lambda t: np.sum(t, dtype=int),
    "astype(int)": lambda t: t.astype(int),
}


@pytest.mark.parametrize("conversion", CONVERSIONS.values(), ids=CONVERSIONS)
def test_a_conversion_that_would_lose_the_gradient_raises(conversion):
    with pytest.raises(LostGradientError, match="gradient"):
        conversion(leaf(1.0))


def test_assignment_of_a_scalar_into_an_array_fails_because_of_the_gradient():
    with pytest.raises(ValueError, match="setting an array element") as raised:
        np.zeros(1)[0] = leaf(1.0)
    assert isinstance(raised.value.__cause__, LostGradientError)


@pytest.mark.parametrize("conversion", [np.asarray, float, int, complex, math.exp], ids=lambda f: f.__name__)
def test_a_tensor_that_requires_no_gradient_converts(conversion):
    assert conversion(Tensor(1.0)) == conversion(1.0)


def test_item_and_tolist_leave_the_graph_openly():
    assert leaf([[2.5]]).item() == 2.5
    assert leaf([1.0, 2.0]).tolist() == [1, 2]


def test_item_of_several_elements_is_refused():
    with pytest.raises(ValueError, match="2 elements"):
        leaf([1.0, 2.0]).item()


def test_detach_shares_the_array_and_not_the_graph():
    x = leaf([1.0, 2.0])
    y = x.detach()
    assert y.data is x.data
    assert not y.requires_grad


def test_the_truth_of_one_element_is_its_own():
    assert bool(leaf(2.0))
    assert not bool(leaf([0.0]))


def test_the_truth_of_several_is_refused():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf([1.0, 2.0]))


def test_an_integer_tensor_is_an_index():
    assert [10, 20, 30][Tensor(1)] == 20
    assert np.arange(5)[: Tensor(2)].tolist() == [0, 1]


def test_a_float_tensor_is_no_index():
    with pytest.raises(TypeError, match="cannot be an index"):
        [10, 20][Tensor(1.0)]


def test_assignment_into_a_tensor_is_refused_with_the_way_out():
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"np\.where"):
        x[0] = 5.0


def test_out_cannot_be_a_tensor():
    with pytest.raises(TypeError, match=r"got out= .* cannot be used with tensors"):
        np.add(np.ones(2), 1.0, out=Tensor(np.ones(2)))
