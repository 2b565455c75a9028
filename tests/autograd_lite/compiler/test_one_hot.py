"""Indices that were looked at: one-hot vectors subtracted and elements chosen, in faster forms and the same numbers."""

import numpy as np
import pytest

import nn
from autograd_lite import Tensor, callback, compile
from autograd_lite.compiler import IndexCheck, constant
from autograd_lite.compiler.native import is_installed
from autograd_lite.compiler.optimize.one_hot import MOST_CLASSES, chosen, minus_one_hot


@pytest.fixture(params=[False, True], ids=["numpy", "machine code"])
def jit(request):
    if request.param and not is_installed():
        pytest.skip("needs Numba")
    return request.param


def _functions(compiled):
    (plan,) = compiled.plans
    return [call.function for call in plan.calls]


def _minus_one_hot(x, labels, stop, classes):
    callback(IndexCheck(stop), labels)
    return x - (labels[..., None] == constant(np.arange(classes)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int16, ">i8"])
@pytest.mark.parametrize("shape", [(6,), (3, 4), (1,)])
def test_rows_are_those_of_a_comparison_with_every_class(dtype, kind, shape, jit):
    rng = np.random.default_rng(0)
    compiled = compile(_minus_one_hot, jit=jit)
    for _ in range(3):
        x, labels = rng.standard_normal((*shape, 5)).astype(dtype), rng.integers(0, 5, shape).astype(kind)
        found, expected = compiled(x, labels, 5, 5), _minus_one_hot(x, labels, 5, 5)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    assert minus_one_hot in _functions(compiled)


@pytest.mark.parametrize("shape", [(5,), (1, 5), (2, 6, 5), (2, 1, 5)])
def test_one_hot_vectors_are_subtracted_from_what_is_broadcast(shape, jit):
    rng = np.random.default_rng(0)
    compiled = compile(_minus_one_hot, jit=jit)
    for _ in range(3):
        x, labels = rng.standard_normal(shape), rng.integers(0, 5, 6)
        np.testing.assert_array_equal(compiled(x, labels, 5, 5), _minus_one_hot(x, labels, 5, 5))
    assert minus_one_hot in _functions(compiled)


@pytest.mark.parametrize(("shape", "count", "classes"), [((6, 5), 1, 5), ((6, 5), 6, 1), ((1, 5), 1, 1)])
def test_one_hot_vectors_are_broadcast_where_there_is_one_of_them_or_one_class(shape, count, classes, jit):
    rng = np.random.default_rng(0)
    compiled = compile(_minus_one_hot, jit=jit)
    for _ in range(3):
        x, labels = rng.standard_normal(shape), rng.integers(0, classes, count)
        expected = _minus_one_hot(x, labels, classes, classes)
        np.testing.assert_array_equal(compiled(x, labels, classes, classes), expected)


@pytest.mark.parametrize("kind", [np.float32, np.uint64])
def test_what_labels_become_is_no_index_unless_it_keeps_their_values(kind, jit):
    def minus(x, labels):
        callback(IndexCheck(100), labels)
        return x - (labels.astype(kind)[..., None] == constant(np.arange(x.shape[-1])))

    compiled = compile(minus, jit=jit)
    for largest in (4, 100):
        x, labels = np.ones((3, 100)), np.array([0, 3, largest - 1])
        np.testing.assert_array_equal(compiled(x, labels), minus(x, labels))


def test_labels_that_a_narrow_type_made_negative_count_from_the_end(jit):
    def narrowed(x, labels):
        callback(IndexCheck(200), labels)
        return (x * 2)[constant(np.arange(len(x))), labels.astype(np.int8).astype(np.intp)]

    compiled = compile(narrowed, jit=jit)
    for largest in (4, 200):
        x, labels = np.arange(600.0).reshape(3, 200), np.array([0, 3, largest - 1])
        np.testing.assert_array_equal(compiled(x, labels), narrowed(x, labels))


def test_labels_with_a_step_are_read_where_they_lie(jit):
    rng = np.random.default_rng(0)
    compiled = compile(_minus_one_hot, jit=jit)
    for _ in range(3):
        x, labels = rng.standard_normal((6, 5)).T[::2].T, rng.integers(0, 3, 18)[::3]
        np.testing.assert_array_equal(compiled(x, labels, 3, 3), _minus_one_hot(x, labels, 3, 3))


@pytest.mark.parametrize("classes", [2, MOST_CLASSES, MOST_CLASSES + 1])
def test_cross_entropy_has_the_same_gradient_for_any_number_of_classes(classes, jit):
    rng = np.random.default_rng(0)
    logits = Tensor(rng.standard_normal((20, classes)), requires_grad=True)

    def gradient(labels):
        logits.zero_grad()
        nn.softmax_cross_entropy(logits, labels).backward()
        return logits.grad.data.copy()

    compiled = compile(gradient, jit=jit)
    for _ in range(3):
        labels = rng.integers(0, classes, 20)
        # The last digits of `exp` and `log` differ.
        np.testing.assert_allclose(compiled(labels), gradient(labels), rtol=1e-14 if jit else 0)
    assert (minus_one_hot in _functions(compiled)) == (classes <= MOST_CLASSES)


def test_a_label_out_of_range_is_refused_in_a_later_call(jit):
    logits = Tensor(np.zeros((3, 4)), requires_grad=True)

    def gradient(labels):
        logits.zero_grad()
        nn.softmax_cross_entropy(logits, labels).backward()
        return logits.grad.data.copy()

    compiled = compile(gradient, jit=jit)
    compiled(np.array([0, 1, 2]))
    for wrong in (4, -1):
        with pytest.raises(ValueError, match=f"is {wrong}, but the logits have 4 classes"):
            compiled(np.array([0, wrong, 2]))


def _unchecked(x, labels):
    return x - (labels[..., None] == constant(np.arange(4)))


def _checked_for_more(x, labels):
    return _minus_one_hot(x, labels, 6, 4)


def _checked_in_part(x, labels):
    callback(IndexCheck(4), labels[:1])
    return x - (labels[..., None] == constant(np.arange(4)))


class _Lenient(IndexCheck):
    def __call__(self, values):
        pass


def _checked_leniently(x, labels):
    callback(_Lenient(4), labels)
    return x - (labels[..., None] == constant(np.arange(4)))


def _changed(x, labels):
    callback(IndexCheck(9), labels)
    labels = labels + 0
    labels -= 2
    return x - (labels[..., None] == constant(np.arange(4)))


@pytest.mark.parametrize("function", [_unchecked, _checked_for_more, _checked_in_part, _checked_leniently, _changed])
def test_indices_that_may_have_no_row_are_compared(function, jit):
    compiled = compile(function, jit=jit)
    for labels in ([0, 1, 5], [3, 5, 2]):
        x, labels = np.ones((3, 4)), np.array(labels)
        np.testing.assert_array_equal(compiled(x, labels), function(x, labels))


def test_truth_values_that_are_wanted_otherwise_stay_what_they_are(jit):
    def both(x, labels):
        callback(IndexCheck(4), labels)
        truth = labels[..., None] == constant(np.arange(4))
        return x - truth, truth

    compiled = compile(both, jit=jit)
    for labels in ([0, 1, 2], [3, 3, 0]):
        found = compiled(np.ones((3, 4)), np.array(labels))
        for one, other in zip(found, both(np.ones((3, 4)), np.array(labels)), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


def test_classes_that_the_function_reads_from_outside_may_change(jit):
    classes = np.arange(3)
    compiled = compile(lambda x, labels: x - (labels[..., None] == classes), jit=jit)
    x, labels = np.ones((2, 3)), np.array([0, 2])
    compiled(x, labels)
    classes[:] = [2, 1, 0]
    np.testing.assert_array_equal(compiled(x, labels), [[1, 1, 0], [0, 1, 1]])


def _chosen(x, labels):
    callback(IndexCheck(x.shape[1]), labels)
    return (x * 2)[constant(np.arange(len(x))), labels]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", [np.int64, np.int16])
def test_elements_are_chosen_by_their_places_in_memory(dtype, kind):
    rng = np.random.default_rng(0)
    compiled = compile(_chosen, jit=False)
    for _ in range(3):
        x, labels = rng.standard_normal((6, 4)).astype(dtype), rng.integers(0, 4, 6).astype(kind)
        np.testing.assert_array_equal(compiled(x, labels), _chosen(x, labels))
    assert (chosen in _functions(compiled)) == (kind is np.int64)


def _chosen_unchecked(x, labels):
    return (x * 2)[constant(np.arange(len(x))), labels]


def _chosen_before_the_check(x, labels):
    found = _chosen_unchecked(x, labels)
    callback(IndexCheck(9), labels)
    return found


@pytest.mark.parametrize("function", [_chosen_unchecked, _chosen_before_the_check])
def test_negative_indices_that_nobody_looked_at_count_from_the_end(function, jit):
    compiled = compile(function, jit=jit)
    for labels in ([0, 1, 2], [0, 2, 1]):
        compiled(np.ones((3, 4)), np.array(labels))
    x, labels = np.arange(12.0).reshape(3, 4), np.array([0, -1, 3])
    if function is _chosen_unchecked:
        np.testing.assert_array_equal(compiled(x, labels), function(x, labels))
    with pytest.raises(IndexError):
        compiled(x, np.array([0, 4, 1]))


@pytest.mark.parametrize("shape", [(0, 4), (1, 4)])
def test_elements_of_no_row_and_of_one_are_chosen(shape, jit):
    compiled = compile(_chosen, jit=jit)
    for _ in range(2):
        x, labels = np.ones(shape), np.zeros(shape[0], int)
        np.testing.assert_array_equal(compiled(x, labels), _chosen(x, labels))


def test_other_rows_than_all_in_turn_are_chosen_as_numpy_does(jit):
    def rows(x, labels):
        callback(IndexCheck(4), labels)
        return (x * 2)[constant(np.array([2, 0, 1])), labels]

    compiled = compile(rows, jit=jit)
    for labels in ([0, 1, 2], [3, 3, 0]):
        x, labels = np.arange(12.0).reshape(3, 4), np.array(labels)
        np.testing.assert_array_equal(compiled(x, labels), rows(x, labels))


def test_elements_of_a_matrix_in_columns_are_chosen_as_numpy_does():
    def columns(x, labels):
        callback(IndexCheck(3), labels)
        return (x * 2).T[constant(np.arange(4)), labels]

    compiled = compile(columns, jit=False)
    for labels in ([0, 1, 2, 0], [2, 2, 0, 1]):
        x, labels = np.arange(12.0).reshape(3, 4), np.array(labels)
        np.testing.assert_array_equal(compiled(x, labels), columns(x, labels))
