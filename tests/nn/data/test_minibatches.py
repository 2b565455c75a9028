"""Minibatches."""

import gc
import struct
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import Minibatches, minibatches, read_idx


def labels_of(batches):
    return [batch.tolist() for batch in batches]


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
    taken, gathered, gather = [], threading.Event(), minibatches._gathered

    def watched(array, index):
        taken.append(threading.current_thread())
        if len(taken) == 3:
            gathered.set()
        return gather(array, index)

    monkeypatch.setattr(minibatches, "_gathered", watched)
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

    monkeypatch.setattr(minibatches, "_gathered", broken)
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
    batches = iter(Minibatches(read_idx(path, mmap=True), batch_size=10, prefetch=0))
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
        (
            ([[1], [1, 2]],),
            {},
            ValueError,
            r"arrays\[0\] cannot be converted to an array, because its rows have different lengths",
        ),
        (([1, 2],), {"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        (([1, 2],), {"batch_size": 2.0}, TypeError, r"batch_size must be an integer, got 2\.0"),
        (([1, 2],), {"batch_size": True}, TypeError, "batch_size must be an integer, got True"),
        (([1, 2],), {"prefetch": -1}, ValueError, "prefetch must be at least 0, got -1"),
        (([1, 2],), {"prefetch": 0.5}, TypeError, "prefetch must be an integer"),
        (([1, 2],), {"batch_size": 3, "drop_last": True}, ValueError, "batch_size=3 is more than the 2 examples"),
    ],
)
def test_minibatches_refuse(arrays, options, error, message):
    with pytest.raises(error, match=message):
        Minibatches(*arrays, **options)


def test_batch_size_takes_a_numpy_integer():
    assert len(Minibatches(np.arange(10), batch_size=np.int32(4))) == 3
