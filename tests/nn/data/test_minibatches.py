"""Minibatches, splits, standardised columns and one-hot labels."""

import gc
import struct
import threading
import tracemalloc

import numpy as np
import pytest
import sklearn.model_selection
from hypothesis import given
from hypothesis import strategies as st

import nn
from nn.data import Minibatches, column_statistics, one_hot, standardize, train_test_split


def labels_of(batches):
    return [batch.tolist() for batch in batches]


# Minibatches


@given(
    length=st.integers(1, 50),
    batch_size=st.integers(1, 60),
    shuffle=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_an_epoch_yields_every_example_once(length, batch_size, shuffle, seed):
    batches = Minibatches(np.arange(length), batch_size=batch_size, shuffle=shuffle, rng=seed)
    assert sorted(np.concatenate(list(batches))) == list(range(length))


@given(length=st.integers(1, 50), batch_size=st.integers(1, 60), drop_last=st.booleans())
def test_len_is_the_number_of_batches(length, batch_size, drop_last):
    batches = Minibatches(np.arange(length), batch_size=min(batch_size, length), drop_last=drop_last)
    assert len(batches) == len(list(batches))


@given(length=st.integers(1, 50), batch_size=st.integers(1, 50))
def test_drop_last_leaves_only_full_batches(length, batch_size):
    batches = Minibatches(np.arange(length), batch_size=min(batch_size, length), drop_last=True)
    assert {len(batch) for batch in batches} == {min(batch_size, length)}


def test_only_the_last_batch_is_smaller():
    assert [len(batch) for batch in Minibatches(np.arange(10), batch_size=4)] == [4, 4, 2]


@pytest.mark.parametrize("drop_last", [False, True])
def test_examples_that_divide_evenly_leave_no_empty_batch(drop_last):
    batches = Minibatches(np.arange(8), batch_size=4, drop_last=drop_last)
    assert [len(batch) for batch in batches] == [4, 4]


def test_one_array_yields_arrays():
    (batch,) = Minibatches([1, 2, 3], shuffle=False)
    np.testing.assert_array_equal(batch, [1, 2, 3])


def test_several_arrays_yield_tuples_at_the_same_rows():
    X = np.arange(60).reshape(20, 3)
    for X_batch, y_batch in Minibatches(X, X[:, 0], batch_size=7, rng=0):
        np.testing.assert_array_equal(X_batch[:, 0], y_batch)


def test_every_epoch_has_its_own_order():
    batches = Minibatches(np.arange(20), batch_size=5, rng=0)
    assert labels_of(batches) != labels_of(batches)


def test_the_same_seed_gives_the_same_epochs():
    first, second = (Minibatches(np.arange(20), batch_size=5, rng=7) for _ in range(2))
    assert [labels_of(first) for _ in range(3)] == [labels_of(second) for _ in range(3)]


def test_orders_follow_the_calls_to_iter_and_not_the_first_batches():
    eager = Minibatches(np.arange(20), rng=3)
    expected = [labels_of(eager), labels_of(eager)]
    interleaved = Minibatches(np.arange(20), rng=3)
    first, second = iter(interleaved), iter(interleaved)
    assert [labels_of(second), labels_of(first)] == expected[::-1]


def test_a_restored_generator_state_repeats_the_epochs_that_follow():
    batches = Minibatches(np.arange(20), batch_size=5, rng=0)
    labels_of(batches)
    state = batches.rng.bit_generator.state
    expected = [labels_of(batches) for _ in range(2)]
    resumed = Minibatches(np.arange(20), batch_size=5)
    resumed.rng.bit_generator.state = state
    assert [labels_of(resumed) for _ in range(2)] == expected


def test_a_generator_is_shared():
    rng = np.random.default_rng(0)
    assert Minibatches([1], rng=rng).rng is rng


def test_batches_in_order_are_views():
    X = np.arange(10)
    assert all(np.shares_memory(batch, X) for batch in Minibatches(X, batch_size=3, shuffle=False))


def test_shuffled_batches_of_a_read_only_array_are_writable_copies():
    X = np.arange(10)
    X.flags.writeable = False
    for batch in Minibatches(X, batch_size=3):
        batch[:] = 0
    assert X.tolist() == list(range(10))


@pytest.mark.parametrize("shuffle", [True, False])
def test_batches_of_a_memory_map_are_plain_arrays(tmp_path, shuffle):
    X = np.memmap(tmp_path / "X", dtype=np.float32, mode="w+", shape=(10, 3))
    X[:] = np.arange(30).reshape(10, 3)
    batches = list(Minibatches(X, batch_size=4, shuffle=shuffle, rng=0))
    assert {type(batch) for batch in batches} == {np.ndarray}
    np.testing.assert_array_equal(np.sort(np.concatenate(batches), axis=0), X)


def names_of_threads():
    return [thread.name for thread in threading.enumerate()]


@given(length=st.integers(1, 50), batch_size=st.integers(1, 60), prefetch=st.integers(1, 9), seed=st.integers(0, 99))
def test_batches_that_are_gathered_ahead_are_the_same(length, batch_size, prefetch, seed):
    arrays = np.arange(length) * 1.5, np.arange(length)
    plain, ahead = (Minibatches(*arrays, batch_size=batch_size, rng=seed, prefetch=n) for n in (0, prefetch))
    for _ in range(2):
        for one, other in zip(plain, ahead, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_thread_gathers_while_the_step_runs(monkeypatch):
    taken, gathered, gather = [], threading.Event(), nn.data._gathered

    def watched(array, index):
        taken.append(threading.current_thread())
        if len(taken) == 3:
            gathered.set()
        return gather(array, index)

    monkeypatch.setattr(nn.data, "_gathered", watched)
    batches = iter(Minibatches(np.arange(100), batch_size=10, prefetch=2))
    next(batches)
    assert gathered.wait(10)
    assert len(taken) == 3
    assert threading.main_thread() not in taken


def test_an_epoch_that_is_left_early_leaves_no_thread():
    for i, _ in enumerate(Minibatches(np.arange(100), batch_size=10, prefetch=3)):
        if i == 2:
            break
    gc.collect()
    assert not any("Minibatches" in name for name in names_of_threads())


def test_an_error_of_the_gathering_is_raised_where_the_batch_is_taken(monkeypatch):
    def broken(array, index):
        raise OSError("the disk is gone")

    monkeypatch.setattr(nn.data, "_gathered", broken)
    with pytest.raises(OSError, match="the disk is gone"):
        next(iter(Minibatches(np.arange(100), prefetch=1)))


def test_only_memory_maps_are_gathered_ahead_by_default(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(8.0))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert Minibatches(np.arange(8)).prefetch == 0
    assert Minibatches(mapped, np.arange(8)).prefetch == 2
    assert Minibatches(mapped[::2]).prefetch == 2
    assert Minibatches(mapped, prefetch=0).prefetch == 0


def test_a_memory_map_is_not_read_into_memory(tmp_path):
    X = np.memmap(tmp_path / "X", dtype=np.float32, mode="w+", shape=(10, 3))
    assert np.shares_memory(Minibatches(X).arrays[0], X)


def test_a_file_whose_numbers_are_not_aligned_is_not_copied_for_a_batch(tmp_path):
    path = tmp_path / "doubles"
    path.write_bytes(bytes([0, 0, 0x0E, 2]) + struct.pack(">2I", 10_000, 100) + bytes(8_000_000))
    batches = iter(Minibatches(nn.data.read_idx(path, mmap=True), batch_size=10, prefetch=0))
    tracemalloc.start()
    try:
        next(batches)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [">f4", "S3", bool, object, np.float16])
def test_dtypes_pass_unchanged(dtype):
    X = np.zeros((4, 2), dtype)
    assert {batch.dtype for batch in Minibatches(X, batch_size=3)} == {X.dtype}


def test_repr_shows_arrays_and_settings():
    batches = Minibatches(np.zeros((6, 2), np.float32), np.zeros(6, int), batch_size=4, shuffle=False)
    assert repr(batches) == ("Minibatches((6, 2) float32, (6,) int64, batch_size=4, shuffle=False, drop_last=False)")


@pytest.mark.parametrize(
    ("arrays", "options", "error", "message"),
    [
        ((), {}, TypeError, "at least one array"),
        (([1, 2], [1, 2, 3]), {}, ValueError, "equally many examples, got 2, 3"),
        (([1, 2], 3), {}, TypeError, r"arrays\[1\] must hold examples along its first axis, got int"),
        (([],), {}, ValueError, r"arrays\[0\] has no examples"),
        (([[1], [1, 2]],), {}, ValueError, r"arrays\[0\] is no array: its rows differ in length"),
        (([1, 2],), {"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        (([1, 2],), {"batch_size": 2.0}, TypeError, r"batch_size must be an integer, got 2\.0"),
        (([1, 2],), {"batch_size": True}, TypeError, "batch_size must be an integer, got True"),
        (([1, 2],), {"prefetch": -1}, ValueError, "prefetch must be at least 0, got -1"),
        (([1, 2],), {"prefetch": 0.5}, TypeError, "prefetch must be an integer"),
        (([1, 2],), {"batch_size": 3, "drop_last": True}, ValueError, "batch_size=3 is more than 2 examples"),
    ],
)
def test_minibatches_refuse(arrays, options, error, message):
    with pytest.raises(error, match=message):
        Minibatches(*arrays, **options)


def test_batch_size_takes_a_numpy_integer():
    assert len(Minibatches(np.arange(10), batch_size=np.int32(4))) == 3


# train_test_split


@given(length=st.integers(2, 60), size=st.floats(0.01, 0.99) | st.integers(1, 59), seed=st.integers(0, 2**32))
def test_a_split_has_the_sizes_of_scikit_learn_and_parts_the_examples(length, size, seed):
    try:
        expected = sklearn.model_selection.train_test_split(range(length), test_size=size)
    except ValueError:
        with pytest.raises(ValueError, match="test_size"):
            train_test_split(range(length), test_size=size, rng=seed)
        return
    train, test = train_test_split(range(length), test_size=size, rng=seed)
    assert [len(train), len(test)] == [len(part) for part in expected]
    assert sorted([*train, *test]) == list(range(length))


@given(
    counts=st.lists(st.integers(2, 30), min_size=2, max_size=5),
    test_size=st.floats(0.1, 0.9),
    seed=st.integers(0, 2**32),
)
def test_stratified_counts_are_the_exact_shares_rounded_up_or_down(counts, test_size, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    try:
        _, expected = sklearn.model_selection.train_test_split(labels, test_size=test_size, stratify=labels)
    except ValueError:
        with pytest.raises(ValueError, match=r"stratify has|test_size"):
            train_test_split(labels, test_size=test_size, stratify=labels, rng=seed)
        return
    train, test = train_test_split(labels, test_size=test_size, stratify=labels, rng=seed)
    assert len(test) == len(expected)
    shares = np.array(counts) * len(test) / len(labels)
    assert np.all(np.abs(np.bincount(test, minlength=len(counts)) - shares) < 1)
    np.testing.assert_array_equal(np.bincount(np.concatenate([train, test])), counts)


def test_stratified_counts_follow_the_largest_remainders():
    labels = np.repeat([0, 1, 2], [10, 6, 4])  # shares of 7 for the training: 3.5, 2.1, 1.4
    train, _ = train_test_split(labels, test_size=13, stratify=labels, rng=0)
    assert np.bincount(train).tolist() == [4, 2, 1]


def test_equal_remainders_are_drawn_at_random():
    labels = np.repeat([0, 1], 5)
    drawn = {
        tuple(np.bincount(train_test_split(labels, test_size=5, stratify=labels, rng=seed)[1])) for seed in range(20)
    }
    assert drawn == {(2, 3), (3, 2)}


def test_every_member_of_a_class_comes_to_be_tested():
    labels = np.repeat([0, 1], 5)
    tested = [train_test_split(np.arange(10), test_size=4, stratify=labels, rng=seed)[1].tolist() for seed in range(50)]
    assert {example for part in tested for example in part} == set(range(10))


def test_stratified_parts_are_not_ordered_by_class():
    labels = np.repeat([0, 1], 50)
    train, test = train_test_split(labels, stratify=labels, rng=0)
    assert np.any(np.diff(train) < 0)
    assert np.any(np.diff(test) < 0)


def test_stratify_takes_labels_of_any_sortable_type():
    train, test = train_test_split(np.arange(8), stratify=["no", "yes"] * 4, rng=0)
    assert (len(train), sorted(test % 2)) == (6, [0, 1])


def test_results_come_array_by_array():
    a, b = np.arange(8), np.arange(8) + 100
    a_train, a_test, b_train, b_test = train_test_split(a, b, rng=0)
    np.testing.assert_array_equal(a_train + 100, b_train)
    np.testing.assert_array_equal(a_test + 100, b_test)


def test_without_shuffle_the_test_part_is_a_view_of_the_end():
    X = np.arange(8)
    train, test = train_test_split(X, shuffle=False)
    assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3, 4, 5], [6, 7])
    assert np.shares_memory(train, X)
    assert np.shares_memory(test, X)


@pytest.mark.parametrize("stratify", [None, [0, 1] * 10])
def test_the_same_seed_gives_the_same_split(stratify):
    first, second = (train_test_split(np.arange(20), stratify=stratify, rng=5) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"test_size": 0.0}, ValueError, "between 0 and 1"),
        ({"test_size": 1.0}, ValueError, "between 0 and 1"),
        ({"test_size": 4}, ValueError, "takes 4 of 4 examples"),
        ({"test_size": 0.99}, ValueError, "takes 4 of 4 examples"),
        ({"test_size": 0}, ValueError, "at least 1"),
        ({"test_size": "half"}, TypeError, "must be an integer"),
        ({"stratify": [0, 0, 1, 1], "shuffle": False}, ValueError, "stratify needs shuffle=True"),
        ({"stratify": [0, 0, 0, 1]}, ValueError, "stratify needs 2 examples of every class, and 1 has 1"),
        ({"stratify": [0, 0, 1, 1]}, ValueError, "2 classes, and the test part only 1"),
        ({"stratify": [0, 0, 1, 1], "test_size": 3}, ValueError, "2 classes, and the training part only 1"),
        ({"stratify": [0, 1]}, ValueError, r"stratify must have shape \(4,\)"),
        ({"stratify": [[0], [0], [1], [1]]}, ValueError, r"stratify must have shape \(4,\)"),
        ({"stratify": ["a", "a", None, None]}, TypeError, "cannot be sorted"),
    ],
)
def test_train_test_split_refuses(options, error, message):
    with pytest.raises(error, match=message):
        train_test_split(np.arange(4), **options)


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
    with pytest.raises(ValueError, match=r"X\[:, 1\], X\[:, 2\]: values that are NaN, infinite"):
        standardize(X)


def test_columns_of_the_others_that_are_not_finite_are_named():
    with pytest.raises(ValueError, match=r"others\[1\]\[:, 0\]: values that are NaN"):
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
        (([[1, 2]], [[1]]), {}, ValueError, r"others\[0\] has columns of shape \(1,\), and X of \(2,\)"),
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
        (np.zeros(0, int), None, ValueError, "no labels to take num_classes from"),
        ([0], 0, ValueError, "num_classes must be at least 1"),
        ([0], 2.0, TypeError, "num_classes must be an integer"),
    ],
)
def test_one_hot_refuses(labels, num_classes, error, message):
    with pytest.raises(error, match=message):
        one_hot(labels, num_classes)
