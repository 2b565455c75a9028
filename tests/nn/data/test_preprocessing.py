"""Standardised columns and one-hot labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import column_statistics, one_hot, standardize

# standardize, column_statistics


def random_columns(dtype=np.float64):
    return np.random.default_rng(0).normal([5, -300, 0], [2, 0.1, 40], (200, 3)).astype(dtype)


def test_standardized_columns_have_mean_0_and_deviation_1():
    X = standardize(random_columns())
    np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X.std(axis=0), 1, rtol=1e-12)


def test_the_others_are_moved_by_the_figures_of_the_first():
    X = random_columns()
    train, test = standardize(X, X[:20] + 7)
    np.testing.assert_allclose(test, train[:20] + 7 / X.std(axis=0))


def test_one_array_gives_an_array_and_several_a_tuple():
    X = random_columns()
    assert isinstance(standardize(X), np.ndarray)
    assert [type(part) for part in standardize(X, X, X)] == [np.ndarray] * 3


def test_figures_can_travel():
    X = random_columns()
    mean, scale = column_statistics(X)
    np.testing.assert_array_equal(standardize(X[:5], mean=mean, scale=scale), standardize(X)[:5])


def test_the_scale_of_a_constant_column_is_1():
    mean, scale = column_statistics([[3, 0], [3, 4]])
    assert (mean.tolist(), scale.tolist()) == ([3, 2], [1, 2])


def test_scalar_figures_serve_every_column():
    np.testing.assert_array_equal(standardize([[2, 4], [6, 8]], mean=2, scale=2), [[0, 1], [2, 3]])


@given(
    value=st.floats(-1e300, 1e300),
    length=st.integers(1, 40),
    dtype=st.sampled_from([np.float32, np.float64, np.int64]),
)
def test_a_constant_column_becomes_zeros(value, length, dtype):
    limit = 1e18 if dtype is np.int64 else 1e38
    X = np.full((length, 1), dtype(np.clip(value, -limit, limit)))
    np.testing.assert_array_equal(standardize(X), np.zeros((length, 1)))


def test_a_column_too_narrow_for_its_deviation_is_only_centred():
    X = np.array([[0.0], [1e-200]])  # the variance underflows to 0
    assert np.all(np.isfinite(standardize(X)))


@pytest.mark.parametrize(
    ("given_dtype", "expected"),
    [
        (np.float16, np.float16),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.uint8, np.float64),
        (np.int64, np.float64),
        (bool, np.float64),
    ],
)
def test_floats_keep_their_dtype_and_integers_become_float64(given_dtype, expected):
    assert standardize(np.array([[0], [1]], given_dtype)).dtype == expected


def test_every_array_keeps_its_own_dtype():
    train, test = standardize(random_columns(), random_columns(np.float32))
    assert (train.dtype, test.dtype) == (np.float64, np.float32)


def test_float32_columns_far_from_zero_are_centred_exactly():
    X = (1e6 + np.arange(8, dtype=np.float32)[:, np.newaxis] / 16).astype(np.float32)
    expected = standardize(X.astype(np.float64))
    np.testing.assert_allclose(standardize(X), expected, rtol=1e-6)


def test_columns_of_images_are_pixels():
    images = np.random.default_rng(0).random((10, 4, 5))
    np.testing.assert_allclose(standardize(images).reshape(10, 20), standardize(images.reshape(10, 20)))


def test_a_vector_is_one_column():
    np.testing.assert_array_equal(standardize([1, 3]), [-1, 1])


def test_the_input_is_left_alone():
    X = random_columns()
    X.flags.writeable = False
    assert not np.shares_memory(standardize(X), X)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_columns_that_are_not_finite_are_named(bad):
    X = random_columns()
    X[3, 1] = X[7, 2] = bad
    with pytest.raises(ValueError, match=r"X\[:, 1\], X\[:, 2\] must not have values that are NaN, infinite"):
        standardize(X)


def test_columns_of_the_others_that_are_not_finite_are_named():
    with pytest.raises(ValueError, match=r"others\[1\]\[:, 0\] must not have values that are NaN"):
        standardize([[1.0], [2.0]], [[1.0]], [[np.nan]])


def test_many_bad_columns_are_counted():
    with pytest.raises(ValueError, match=r"X\[:, 4\] and 15 columns more"):
        standardize(np.full((2, 20), np.nan))


def test_values_whose_squares_overflow_are_refused():
    with pytest.raises(ValueError, match="too large to be squared"):
        standardize([[1e200], [-1e200]])


@pytest.mark.parametrize(
    ("arrays", "figures", "error", "message"),
    [
        (([["a"]],), {}, TypeError, "X must hold real numbers, got <U1"),
        (([[1j]],), {}, TypeError, "X must hold real numbers, got complex128"),
        ((3.0,), {}, TypeError, "X must hold examples along its first axis"),
        ((np.zeros((0, 2)),), {}, ValueError, "X has no examples"),
        (
            ([[1, 2]], [[1]]),
            {},
            ValueError,
            r"the columns of others\[0\] have shape \(1,\), but those of X have shape \(2,\)",
        ),
        (([[1, 2]],), {"mean": 0}, TypeError, "mean and scale belong together"),
        (([[1, 2]],), {"mean": [0], "scale": 1}, ValueError, r"mean has shape \(1,\)"),
        (([[1, 2]],), {"mean": np.nan, "scale": 1}, ValueError, "mean must be finite"),
        (([[1, 2]],), {"mean": 0, "scale": [1, 0]}, ValueError, "scale must be positive"),
    ],
)
def test_standardize_refuses(arrays, figures, error, message):
    with pytest.raises(error, match=message):
        standardize(*arrays, **figures)


# one_hot


@given(
    st.integers(1, 12).flatmap(
        lambda k: st.tuples(st.just(k), st.lists(st.integers(0, k - 1), min_size=1, max_size=30))
    )
)
def test_argmax_undoes_one_hot(case):
    num_classes, labels = case
    rows = one_hot(labels, num_classes)
    assert rows.shape == (len(labels), num_classes)
    assert rows.argmax(axis=-1).tolist() == labels
    assert rows.sum(axis=-1).tolist() == [1] * len(labels)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0)])
def test_one_hot_adds_an_axis_to_any_shape(shape):
    assert one_hot(np.zeros(shape, int), 4).shape == (*shape, 4)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_labels_may_be_of_any_integer_type(dtype):
    np.testing.assert_array_equal(one_hot(np.array([1, 0], dtype)), [[0, 1], [1, 0]])


def test_num_classes_defaults_to_the_largest_label_and_one():
    assert one_hot([0, 4]).shape == (2, 5)


def test_one_hot_is_float32_unless_told():
    assert one_hot([0]).dtype == np.float32
    assert one_hot([0], dtype=bool).dtype == bool


@pytest.mark.parametrize(
    ("labels", "num_classes", "error", "message"),
    [
        ([0, 3, 5], 3, ValueError, r"labels\[1\] is 3; classes run from 0 to 2"),
        ([[0, 1], [0, -1]], 3, ValueError, r"labels\[1, 1\] is -1"),
        ([0, -1], None, ValueError, r"labels\[1\] is -1"),
        (7, 3, ValueError, "labels is 7"),
        ([1.0, 2.0], 3, TypeError, r"must be integers .* got float64; labels\[0\] is 1.0"),
        ([True], 2, TypeError, "got bool"),
        (["a"], 2, TypeError, r"got <U1; labels\[0\] is a"),
        (np.zeros(0, int), None, ValueError, "no labels to compute num_classes from"),
        ([0], 0, ValueError, "num_classes must be at least 1"),
        ([0], 2.0, TypeError, "num_classes must be an integer"),
    ],
)
def test_one_hot_refuses(labels, num_classes, error, message):
    with pytest.raises(error, match=message):
        one_hot(labels, num_classes)
