"""The tensor as an array: its data, attributes, operators, copies and text."""

import copy
import pickle

import numpy as np
import pytest

from autograd_lite import LostGradientError, Tensor, no_grad


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


# ---- making one ----


def test_the_data_are_copied():
    array = np.ones(3)
    tensor = Tensor(array)
    array[0] = 7
    assert tensor.data.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("data", "dtype"), [(1.5, "f8"), ([1, 2], "i8"), (np.float32([1]), "f4"), ([True], "?"), (2j, "c16")]
)
def test_dtypes_are_numpys(data, dtype):
    assert Tensor(data).dtype == np.dtype(dtype)


def test_dtype_can_be_chosen():
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    "data", ["text", None, [[1, 2], [3]], [object()], np.array(["a"]), np.datetime64("2026-01-01")]
)
def test_what_is_not_numbers_is_refused(data):
    with pytest.raises((TypeError, ValueError), match=r"^Tensor: expected"):
        Tensor(data)


def test_a_masked_array_is_refused_since_its_mask_would_be_lost():
    with pytest.raises(TypeError, match="MaskedArray, which leaves out what is masked"):
        Tensor(np.ma.masked_array([1.0, 2.0], [True, False]))


@pytest.mark.parametrize("data", [[1, 2], [True]])
def test_only_floating_point_can_require_a_gradient(data):
    with pytest.raises(TypeError, match="only floating-point and complex tensors can require a gradient"):
        Tensor(data, requires_grad=True)


def test_a_tensor_of_a_tensor_that_requires_a_gradient_is_refused():
    with pytest.raises(LostGradientError, match="detach"):
        Tensor(leaf([1.0]))


def test_a_tensor_of_a_list_of_tensors_that_require_gradients_points_to_stack():
    with pytest.raises(LostGradientError, match=r"np\.stack"):
        Tensor([leaf(1.0), leaf(2.0)])


def test_a_tensor_of_a_plain_tensor_is_a_copy():
    first = Tensor([1.0])
    second = Tensor(first, requires_grad=True)
    first.data[0] = 5
    assert second.data[0] == 1


# ---- attributes ----


def test_attributes_are_the_arrays():
    x = Tensor(np.zeros((2, 3), np.float32))
    assert (x.shape, x.ndim, x.dtype, x.size, len(x)) == ((2, 3), 2, np.float32, 6, 2)
    assert x.T.shape == x.mT.shape == (3, 2)


def test_data_of_a_scalar_result_is_an_array():
    y = leaf([1.0, 2.0]).sum()
    assert isinstance(y.data, np.ndarray)
    assert y.data.shape == ()


def test_the_name_reaches_the_node():
    x = leaf([1.0], name="x")
    x.name = "w"
    assert x.name == x.node.name == "w"


def test_tensors_are_hashable_by_identity():
    x, y = Tensor([1.0]), Tensor([1.0])
    assert {x: 1, y: 2}[y] == 2


def test_a_tensor_without_an_axis_has_no_length():
    with pytest.raises(TypeError, match="no axes"):
        len(Tensor(1.0))


def test_iteration_gives_the_rows_with_their_gradients():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    first, second = x
    (first.sum() + 2 * second.sum()).backward()
    assert x.grad.data.tolist() == [[1, 1], [2, 2]]


def test_containment_compares_elements():
    assert 2.0 in Tensor([1.0, 2.0])
    assert 3.0 not in Tensor([1.0, 2.0])


# ---- operators ----

OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "@": lambda a, b: a @ b,
}


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
def test_operators_are_numpys_on_both_sides(operator):
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 2, (3, 3)), rng.uniform(1, 2, (3, 3))
    expected = operator(a, b)
    for left, right in [(leaf(a), leaf(b)), (leaf(a), b), (a, leaf(b)), (Tensor(a), b)]:
        result = operator(left, right)
        assert isinstance(result, Tensor)
        np.testing.assert_array_equal(result.data, expected)


@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.int64(2), np.array(2.0)], ids=repr)
def test_scalars_of_every_kind_stand_on_either_side(other):
    x = leaf([1.0, 3.0])
    assert (other - x).data.tolist() == [1, -1]
    assert (x - other).data.tolist() == [-1, 1]


@pytest.mark.parametrize("other", [2, 2.0, True])
def test_python_numbers_keep_float32(other):
    x = leaf(np.float32([1, 2]))
    for result in (x + other, other * x, x**other, other / x):
        assert result.dtype == np.float32


def test_lists_are_arrays_to_an_operator():
    x = leaf([3.0, 4.0])
    ([1, 2] * x + [[1.0, 2.0]] @ x).sum().backward()
    assert x.grad.tolist() == [3, 6]


def test_lists_stand_beside_tensors_in_a_list():
    x = leaf([3.0, 4.0])
    (np.concatenate([x, [1.0, 2.0]]).sum() + np.einsum("ij,j->i", [[1.0, 2.0]], x).sum()).backward()
    assert x.grad.tolist() == [2, 3]


def test_unary_operators():
    x = Tensor([-1.5, 2.0])
    assert (-x).data.tolist() == [1.5, -2]
    assert (+x).data.tolist() == [-1.5, 2]
    assert abs(x).data.tolist() == [1.5, 2]
    assert round(x).data.tolist() == [-2, 2]


def test_divmod_is_quotient_and_remainder():
    quotient, remainder = divmod(Tensor([7.0]), 2)
    assert (quotient.item(), remainder.item()) == (3, 1)
    assert [t.item() for t in divmod(7, Tensor(2.0))] == [3, 1]


def test_integer_tensors_have_the_bitwise_operators():
    a = Tensor([6, 3])
    assert [(a & 2).data.tolist(), (a | 1).data.tolist(), (a ^ 1).data.tolist(), (~a).data.tolist()] == [
        [2, 2], [7, 3], [7, 2], [-7, -4],
    ]  # fmt: skip
    assert [(a << 1).data.tolist(), (a >> 1).data.tolist()] == [[12, 6], [3, 1]]


@pytest.mark.parametrize("symbol", ["<", "<=", ">", ">=", "==", "!="])
def test_comparisons_are_plain_arrays_of_bool(symbol):
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    expected = eval(f"a {symbol} b")
    for x, y in [(leaf(a), leaf(b)), (leaf(a), b), (a, leaf(b)), (leaf(a), 2.0)]:
        result = eval("x symbol y".replace("symbol", symbol), {"x": x, "y": y})
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, expected)


def test_augmented_assignment_makes_a_new_tensor():
    loss = leaf(1.0)
    first = loss
    loss += 2 * first
    assert loss is not first
    loss.backward()
    assert first.grad.item() == 3


def test_an_operand_that_asks_to_answer_is_deferred_to():
    class Answering:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "mine"

    assert Tensor([1.0]) + Answering() == "mine"


# ---- copies ----


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_leaf_is_copied_as_a_leaf_of_its_own(copied):
    w = leaf([1.0, 2.0], name="w")
    twin = copied(w)
    twin.data -= 1
    assert (twin.requires_grad, twin.name, twin.dtype) == (True, "w", w.dtype)
    assert w.data.tolist() == [1, 2]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_copy_has_the_gradient_too(copied):
    w = leaf([1.0, 2.0])
    (w * w).sum().backward()
    twin = copied(w)
    assert twin.grad.tolist() == [2, 4]
    w.zero_grad()
    assert twin.grad is not None


# ---- text ----


def test_repr_of_a_leaf():
    assert (
        repr(leaf([1.0, 2.0], name="w")) == "Tensor([1., 2.], shape=(2,), dtype=float64, requires_grad=True, name='w')"
    )


def test_repr_of_a_result_shows_the_function():
    assert repr(np.exp(leaf(np.float32([0])))) == "Tensor([1.], shape=(1,), dtype=float32, function=np.exp)"


def test_repr_of_a_plain_tensor():
    assert repr(Tensor(3)) == "Tensor(3, shape=(), dtype=int64)"


def test_repr_of_a_large_tensor_is_short():
    assert len(repr(Tensor(np.zeros((1000, 1000))))) < 1000


def test_format_works_on_what_requires_a_gradient():
    loss = leaf([1.0, 2.0]).sum()
    assert f"{loss:.4f} {loss}" == "3.0000 3.0"


def test_format_with_a_specification_applies_to_each_element():
    assert f"{leaf([1.0, 2.5]):.1f}" == "[1.0 2.5]"


# ---- no_grad ----


def test_no_grad_records_nothing():
    w = leaf([1.0])
    with no_grad():
        assert not (w * 2).requires_grad
        assert not np.sum(w).requires_grad
    assert (w * 2).requires_grad


def test_no_grad_as_a_decorator():
    w = leaf([1.0])

    @no_grad()
    def predict():
        return w * 2

    assert not predict().requires_grad
    assert (w * 2).requires_grad


def test_no_grad_nests_and_ends_with_an_exception():
    w = leaf([1.0])

    def fail():
        with no_grad():
            with no_grad():
                pass
            assert not (w * 2).requires_grad
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (w * 2).requires_grad


def test_no_grad_holds_in_its_own_thread_only():
    import threading

    w, seen = leaf([1.0]), []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((w * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_no_grad_keeps_no_intermediate_array():
    import weakref

    class Watched(np.ndarray):
        pass

    with no_grad():
        x = Tensor(1.0, requires_grad=True)
        array = np.ones(3).view(Watched)
        watch = weakref.ref(array)
        y = x * array
        del array
    assert watch() is None
    assert y.shape == (3,)
