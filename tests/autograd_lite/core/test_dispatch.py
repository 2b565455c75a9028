"""Calls on tensors: NumPy's protocols, and what is refused because a rule could not answer for it."""

import numpy as np
import pytest

from autograd_lite import GradientError, LostGradientError, NoRuleError, Tensor
from autograd_lite.core.messages import explained
from autograd_lite.core.registry import RULES


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


SQUARE = np.array([[1.0, 2.0], [3.0, 5.0]])


def test_a_function_with_no_rule_raises_and_says_how_to_give_it_one(monkeypatch):
    monkeypatch.delitem(RULES, np.arctan)
    with pytest.raises(NoRuleError, match=r"np\.arctan: no rule .*defvjp\(np\.arctan, \.\.\.\)"):
        np.arctan(leaf([1.0]))


def test_a_ufunc_method_with_no_rule_raises():
    with pytest.raises(NoRuleError, match=r"np\.subtract\.accumulate: no rule"):
        np.subtract.accumulate(leaf([1.0, 2.0]))


def test_ufunc_at_on_a_tensor_is_refused():
    with pytest.raises(NoRuleError):
        np.add.at(leaf([1.0, 2.0]), [0], 1.0)


def test_a_function_with_no_rule_works_where_there_is_no_gradient_to_lose(monkeypatch):
    monkeypatch.delitem(RULES, np.arctan)
    np.testing.assert_array_equal(np.arctan(Tensor([1.0])), np.arctan([1.0]))


@pytest.mark.parametrize(
    ("ufunc", "function"), [(np.add, np.sum), (np.multiply, np.prod), (np.maximum, np.max), (np.minimum, np.min)]
)
@pytest.mark.parametrize("kwargs", [{}, {"axis": 1}, {"axis": None}, {"axis": 0, "keepdims": True}])
def test_reductions_by_a_ufunc_are_the_functions(ufunc, function, kwargs):
    x, y = leaf(SQUARE), leaf(SQUARE)
    reduced = ufunc.reduce(x, **kwargs)
    expected = function(y, **{"axis": 0, **kwargs})
    np.testing.assert_array_equal(reduced.data, expected.data)
    reduced.sum().backward()
    expected.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.grad.data)


def test_accumulation_by_a_ufunc_is_the_cumulative_function():
    np.testing.assert_array_equal(np.add.accumulate(leaf(SQUARE)).data, np.cumsum(SQUARE, axis=0))


CONSTANT = {
    "argmax": lambda x: np.argmax(x),
    "argsort": lambda x: np.argsort(x, axis=0),
    "isfinite": lambda x: np.isfinite(x),
    "all": lambda x: np.all(x > 1),
    "shape": lambda x: np.shape(x),
    "zeros_like": lambda x: np.zeros_like(x),
    "allclose": lambda x: np.allclose(x, SQUARE),
    "nonzero": lambda x: np.nonzero(x > 2),
    "searchsorted": lambda x: np.searchsorted(x[0], 1.5),
    "result_type": lambda x: np.result_type(x),
    "where of a condition alone": lambda x: np.where(x),
}


@pytest.mark.parametrize("function", CONSTANT.values(), ids=CONSTANT)
def test_functions_without_a_derivative_give_numpys_plain_answers(function):
    result, expected = function(leaf(SQUARE)), function(SQUARE)
    assert type(result) is type(expected)
    np.testing.assert_equal(result, expected)


def test_a_list_of_tensors_reaches_the_function():
    a, b = leaf([1.0, 2.0]), leaf([3.0])
    joined = np.concatenate([a, b, np.array([9.0])])
    (joined * np.array([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([1, 2], [3])


def test_the_same_tensor_may_stand_in_a_list_twice():
    a = leaf([1.0, 2.0])
    np.stack([a, a]).sum().backward()
    assert a.grad.tolist() == [2, 2]


def test_arguments_may_come_by_keyword():
    x = leaf(SQUARE)
    np.sum(a=x, axis=0, keepdims=True).backward(np.ones((1, 2)))
    assert x.grad.tolist() == [[1, 1], [1, 1]]


def test_an_index_may_be_an_integer_tensor():
    x = leaf([1.0, 2.0, 3.0])
    x[Tensor([0, 0, 2])].sum().backward()
    assert x.grad.tolist() == [2, 0, 1]


# ---- right or refused ----


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.sum(x, where=SQUARE > 1),
        lambda x: np.max(x, initial=2.0),
        lambda x: np.add(x, 1.0, where=SQUARE > 1),
        lambda x: np.mean(x, where=SQUARE > 1),
    ],
)
def test_an_argument_that_no_rule_knows_of_is_refused(call):
    with pytest.raises(TypeError, match="no rule says how the gradient depends on it"):
        call(leaf(SQUARE))


def test_dtype_widens_the_result_and_not_the_gradient():
    x = leaf(np.float32([1, 2]))
    y = np.multiply(x, 2.0, dtype=np.float64)
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("call", [lambda x, out: np.exp(x, out=out), lambda x, out: np.sum(x, axis=0, out=out[0])])
def test_out_is_refused_before_anything_is_written(call):
    out = np.zeros((2, 2))
    with pytest.raises(LostGradientError, match="out="):
        call(leaf(SQUARE), out)
    assert not out.any()


def test_out_works_for_what_requires_no_gradient():
    out = np.zeros((2, 2))
    np.exp(Tensor(SQUARE), out=out)
    np.testing.assert_array_equal(out, np.exp(SQUARE))


def test_a_gradient_through_a_condition_is_zero():
    x = leaf([1.0, 0.0])
    np.where(x, x * 2, 5.0).sum().backward()
    assert x.grad.tolist() == [2, 0]


def test_a_gradient_to_an_argument_without_a_rule_is_refused():
    with pytest.raises(NoRuleError, match=r"'indices'|index"):
        np.ones(3)[:2] + leaf([1.0, 2.0])[leaf(1.0)]


# ---- errors that name the function, the shapes and the dtypes ----

BAD_CALLS = {
    "matmul": (
        lambda x: x @ np.ones((3, 2)),
        ValueError,
        r"np\.matmul of shape \(2, 2\) float64 and shape \(3, 2\) float64",
    ),
    "add": (
        lambda x: x + np.ones(3),
        ValueError,
        r"np\.add of shape \(2, 2\) float64 and shape \(3,\) float64.*np\.expand_dims",
    ),
    "reshape": (lambda x: x.reshape(3), ValueError, r"np\.reshape of shape \(2, 2\) float64"),
    "axis": (lambda x: x.sum(axis=5), IndexError, r"np\.sum of shape \(2, 2\) float64.*axes count from 0"),
    "index": (lambda x: x[5], IndexError, r"getitem of shape \(2, 2\) float64"),
    "text": (lambda x: x + "a", TypeError, r"np\.add of shape \(2, 2\) float64 and 'a'"),
    "stack": (
        lambda x: np.stack([x, x[0]]),
        ValueError,
        r"np\.stack of \[shape \(2, 2\) float64 and shape \(2,\) float64\]",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_an_error_names_the_function_shapes_and_dtypes(call, error, message):
    with pytest.raises(error, match=message) as raised:
        call(leaf(SQUARE))
    assert "numpy" not in raised.traceback[-1].path.parts


@pytest.mark.parametrize("kind", [GradientError, *GradientError.__subclasses__()])
def test_an_error_of_our_own_within_a_call_passes_as_it_is(kind):
    error = kind("said once")
    assert explained(error, np.einsum, (np.ones(2),)) is error
