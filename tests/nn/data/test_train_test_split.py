"""Splits into training and test data."""

import numpy as np
import pytest
import sklearn.model_selection
from hypothesis import given
from hypothesis import strategies as st

from nn.data import train_test_split


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
        ({"stratify": [0, 0, 1, 1]}, ValueError, "2 classes, but the test part has only 1"),
        ({"stratify": [0, 0, 1, 1], "test_size": 3}, ValueError, "2 classes, but the training part has only 1"),
        ({"stratify": [0, 1]}, ValueError, r"stratify must have shape \(4,\)"),
        ({"stratify": [[0], [0], [1], [1]]}, ValueError, r"stratify must have shape \(4,\)"),
        ({"stratify": ["a", "a", None, None]}, TypeError, "cannot be sorted"),
    ],
)
def test_train_test_split_refuses(options, error, message):
    with pytest.raises(error, match=message):
        train_test_split(np.arange(4), **options)
