"""Tables, labelled arrays, quantities and sparse arrays beside tensors: as they mean it, or refused."""

import operator

import numpy as np
import pytest

from autograd_lite import GradientError, NoRuleError, Tensor
from autograd_lite.transforms import grad

NUMBERS = np.array([1.0, 2.0, 3.0])
OPERATORS = [operator.mul, operator.add, operator.sub, operator.truediv, operator.matmul]


def leaf():
    return Tensor([1.0, 1.5, 2.5], requires_grad=True)


def series():
    return pytest.importorskip("pandas").Series(NUMBERS, index=[2, 1, 0])


def data_frame():
    return pytest.importorskip("pandas").DataFrame(np.diag(NUMBERS))


def data_array():
    return pytest.importorskip("xarray").DataArray(NUMBERS, dims="a")


def quantity():
    return NUMBERS * pytest.importorskip("pint").UnitRegistry().m


def sparse():
    return pytest.importorskip("scipy.sparse").csr_array(np.diag(NUMBERS))


@pytest.mark.parametrize("make", [series, data_frame, data_array, quantity, sparse])
@pytest.mark.parametrize("operate", OPERATORS)
def test_on_the_right_of_a_tensor_they_are_refused_with_what_to_write(make, operate):
    with pytest.raises(NoRuleError, match=r"beside a .*; pass its"):
        operate(leaf(), make())
    with pytest.raises(NoRuleError, match=r"beside a .*; pass its"):
        grad(lambda w: np.sum(operate(w, make())))(np.ones(3))


@pytest.mark.parametrize("make", [series, data_frame, sparse])
@pytest.mark.parametrize("operate", OPERATORS)
def test_on_the_left_they_drop_no_gradient(make, operate):
    with pytest.raises((GradientError, TypeError)):
        operate(make(), leaf())


@pytest.mark.parametrize("make", [series, data_array])
def test_their_numbers_are_taken_where_they_are_asked_for(make):
    w = leaf()
    np.sum(w * make().to_numpy()).backward()
    np.testing.assert_array_equal(w.grad.data, NUMBERS)


def test_a_labelled_array_of_xarray_that_holds_a_tensor_goes_on_recording():
    w = leaf()
    (data_array() * w).sum().data.backward()
    np.testing.assert_array_equal(w.grad.data, NUMBERS)
