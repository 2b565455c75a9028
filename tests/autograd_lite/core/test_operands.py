"""What stands beside a tensor: what means an array counts as that, and what means more than its numbers is refused."""

import array
import operator
from collections import UserList, deque, namedtuple

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_lite import GradientError, LostGradientError, NoRuleError, Tensor, custom_vjp
from autograd_lite.transforms import grad, jvp, vmap

NUMBERS = [1.0, 2.0, 3.0]
Triple = namedtuple("Triple", "x y z")


class Annotated(np.ndarray):
    """An array with a remark, which computes as any other."""


class Reversed(np.ndarray):
    """An array whose operators have a meaning of their own."""

    def __mul__(self, other):
        return np.asarray(self)[::-1] * other

    __rmul__ = __mul__


class Labelled(NDArrayOperatorsMixin):
    """As a column of a table: operators answer by labels, and other functions get the numbers."""

    def __init__(self, numbers):
        self.numbers = np.array(numbers)

    shape = property(lambda self: self.numbers.shape)
    dtype = property(lambda self: self.numbers.dtype)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.numbers, dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        bare = [x.numbers if isinstance(x, Labelled) else np.asarray(x) for x in inputs]
        return Labelled(getattr(ufunc, method)(*bare, **kwargs))


class Quantity:
    """A number with a unit, which speaks NumPy's protocols."""

    units, shape, dtype, ndim = "m", (3,), np.dtype(float), 1
    magnitude = np.array(NUMBERS)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return self

    def __array_function__(self, function, types, args, kwargs):
        return self


class Sparse:
    nnz, shape, dtype = 3, (3,), np.dtype(float)

    def toarray(self):
        return np.array(NUMBERS)


def memory_map(folder):
    file = np.memmap(folder / "numbers", dtype=float, mode="w+", shape=(3,))
    file[:] = NUMBERS
    return file


MEAN_AN_ARRAY = {
    "a list": lambda: list(NUMBERS),
    "a tuple": lambda: tuple(NUMBERS),
    "a named tuple": lambda: Triple(*NUMBERS),
    "a deque": lambda: deque(NUMBERS),
    "a list of one's own": lambda: UserList(NUMBERS),
    "a range": lambda: range(1, 4),
    "Python's array": lambda: array.array("d", NUMBERS),
    "a buffer": lambda: memoryview(np.array(NUMBERS)),
    "a subclass": lambda: np.array(NUMBERS).view(Annotated),
    "a record array": lambda: np.rec.array(np.array(NUMBERS)),
}

MEAN_MORE = {
    "a masked array": lambda: np.ma.array(NUMBERS, mask=[False, True, False]),
    "a masked list": lambda: [np.ma.array(NUMBERS, mask=[False, True, False])],
    "a unit": Quantity,
    "labels": lambda: Labelled(NUMBERS),
    "operators of its own": lambda: np.array(NUMBERS).view(Reversed),
    "a sparse array": Sparse,
}

CALLS = {
    "w * v": lambda w, v: w * v,
    "v * w": lambda w, v: np.multiply(v, w),
    "w - v": lambda w, v: w - v,
    "maximum": lambda w, v: np.maximum(w, v),
    "matmul": lambda w, v: np.outer(w, w) @ v,
    "keyword": lambda w, v: np.multiply(w, v, dtype=float),
    "dot": lambda w, v: np.dot(w, v),
    "stack": lambda w, v: np.stack([w, v]),
    "where": lambda w, v: np.where(np.array([True, False, True]), w, v),
}


def leaf():
    return Tensor([1.0, 1.5, 2.5], requires_grad=True)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("make", MEAN_AN_ARRAY.values(), ids=MEAN_AN_ARRAY)
def test_what_means_an_array_is_one(call, make):
    given, plain = leaf(), leaf()
    result = call(given, make())
    assert type(result.data) is np.ndarray
    result.sum().backward()
    call(plain, np.array(NUMBERS)).sum().backward()
    np.testing.assert_array_equal(given.grad.data, plain.grad.data)
    np.testing.assert_array_equal(grad(lambda w: np.sum(call(w, make())))(leaf().data), plain.grad.data)


def test_a_memory_map_is_an_array(tmp_path):
    w, file = leaf(), memory_map(tmp_path)
    product = w * file
    assert type(product.data) is np.ndarray
    product.sum().backward()
    np.testing.assert_array_equal(w.grad.data, NUMBERS)


@pytest.mark.parametrize("call", [CALLS[name] for name in ("w * v", "w - v", "maximum", "matmul", "keyword")])
@pytest.mark.parametrize("make", MEAN_MORE.values(), ids=MEAN_MORE)
def test_what_means_more_than_its_numbers_is_refused_beside_a_tensor(call, make):
    differentiated = [
        lambda: call(leaf(), make()),
        lambda: grad(lambda w: np.sum(call(w, make())))(np.ones(3)),
        lambda: jvp(lambda w: call(w, make()), (np.ones(3),), (np.ones(3),)),
        lambda: vmap(lambda w: call(w, make()))(np.ones((2, 3))),
        lambda: call(Tensor(np.ones(3)), make()),
    ]
    for program in differentiated:
        with pytest.raises(NoRuleError, match=r"beside a \w+, which .*; pass"):
            program()


@pytest.mark.parametrize("make", [MEAN_MORE[name] for name in ("a masked array", "a masked list", "a unit")])
@pytest.mark.parametrize("call", [CALLS["dot"], CALLS["where"], CALLS["stack"], lambda w, v: w[v]])
def test_functions_that_are_no_ufuncs_refuse_masks_and_units_too(make, call):
    with pytest.raises(NoRuleError, match="beside a"):
        call(leaf(), make())


@pytest.mark.parametrize("operate", [operator.add, operator.mul, operator.truediv, operator.pow, operator.sub])
def test_a_masked_array_on_the_left_drops_no_gradient(operate):
    masked = np.ma.array(NUMBERS, mask=[False, True, False])
    with pytest.raises(GradientError):
        operate(masked, leaf())
    with pytest.raises(GradientError):
        grad(lambda w: np.sum(operate(masked, w)))(np.ones(3))


MASKED_FUNCTIONS = [
    np.ma.getdata, np.ma.array, np.ma.masked_array, np.ma.asarray, np.ma.sum, np.ma.mean, np.ma.average, np.ma.median,
    np.ma.var, np.ma.log, np.ma.exp, np.ma.sqrt, np.ma.abs, np.ma.cumsum, np.ma.filled, np.ma.compressed,
    np.ma.masked_invalid, np.ma.fix_invalid, lambda w: np.ma.multiply(w, 2.0), lambda w: np.ma.add(w, w),
    lambda w: np.ma.power(w, 2), lambda w: np.ma.maximum(w, 0.0), lambda w: np.ma.concatenate([w, w]),
    lambda w: np.ma.stack([w, w]), lambda w: np.ma.dot(w, w), lambda w: np.ma.outer(w, w),
    lambda w: np.ma.where([True, False, True], w, 0.0),
]  # fmt: skip


@pytest.mark.parametrize("function", MASKED_FUNCTIONS)
def test_functions_of_masked_arrays_drop_no_gradient(function):
    with pytest.raises(GradientError):
        function(leaf())
    with pytest.raises(GradientError):
        grad(lambda w: np.sum(function(w)))(np.ones(3))


@pytest.mark.parametrize("call", [CALLS[name] for name in ("dot", "where", "stack")])
def test_functions_that_are_no_ufuncs_take_labelled_numbers_by_position_as_numpys_do(call):
    labelled, plain = leaf(), leaf()
    call(labelled, Labelled(NUMBERS)).sum().backward()
    call(plain, np.array(NUMBERS)).sum().backward()
    np.testing.assert_array_equal(labelled.grad.data, plain.grad.data)


@pytest.mark.parametrize("make", MEAN_MORE.values(), ids=MEAN_MORE)
def test_transforms_differentiate_with_respect_to_plain_arrays_alone(make):
    refused = [lambda v: grad(np.sum)(v), lambda v: vmap(np.sum)(v), lambda v: jvp(np.sin, (np.ones(3),), (v,))]
    for transform in refused:
        with pytest.raises((TypeError, ValueError)):
            transform(make())


@pytest.mark.parametrize("make", [MEAN_MORE[name] for name in ("a masked array", "a masked list", "a unit")])
def test_a_tensor_is_not_made_of_numbers_that_would_lose_their_mask_or_unit(make):
    with pytest.raises(TypeError, match=r"Tensor: got a \w+, which .*; pass"):
        Tensor(make())


@pytest.mark.parametrize("make", [MEAN_MORE["a masked array"], MEAN_MORE["a unit"]])
def test_neither_is_such_an_array_assigned(make):
    with pytest.raises(TypeError, match=r"\.data: got a"):
        leaf().data = make()


@pytest.mark.parametrize("make", [MEAN_MORE["labels"], MEAN_MORE["operators of its own"], MEAN_AN_ARRAY["a subclass"]])
def test_what_is_assigned_is_a_plain_array_afterwards(make):
    w = leaf()
    w.data = make()
    assert type(w.data) is np.ndarray
    np.testing.assert_array_equal(w.data, NUMBERS)


@pytest.mark.parametrize("gather", [deque, UserList, lambda members: Triple(*members)])
def test_tensors_in_a_sequence_are_joined_as_from_a_list(gather):
    w = leaf()
    np.sum(np.stack(gather([w, w * 2, w * 3]))).backward()
    np.testing.assert_array_equal(w.grad.data, [6.0, 6.0, 6.0])


@pytest.mark.parametrize(
    "call", [lambda w, v: w * v, lambda w, v: np.dot(w, v), lambda w, v: np.where(True, w, v), lambda w, v: v + w]
)
def test_an_array_of_objects_loses_no_gradient(call):
    objects = np.empty(3, object)
    for i in range(3):
        objects[i] = Tensor(1.0, requires_grad=True)
    for beside in (objects, np.array(NUMBERS, dtype=object)):
        with pytest.raises((LostGradientError, TypeError)):
            call(leaf(), beside)


def test_ones_own_function_is_given_what_it_takes():
    given = []
    scaled = custom_vjp(lambda x, table: given.append(table) or x * 2.0, x=lambda g: g * 2.0, any_value=("table",))
    labelled = Labelled(NUMBERS)
    scaled(leaf(), labelled).sum().backward()
    assert given == [labelled]


def test_ix_differentiates():
    w = Tensor([1.0, 2.0], requires_grad=True)
    rows, columns = np.ix_(w, [1.0, 2.0, 3.0])
    (np.sum(w) + np.sum(rows * columns)).backward()
    np.testing.assert_array_equal(w.grad.data, [7.0, 7.0])
    with pytest.raises(ValueError, match="expected sequences"):
        np.ix_(Tensor([[1.0]], requires_grad=True))
