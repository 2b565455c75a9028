"""Minibatches: arrays of equal length, divided into batches again in every epoch."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import as_array, example_array, nonnegative_int, positive_int

Array = NDArray[Any]


class Minibatches:
    """Arrays of equal length, divided into minibatches again in every epoch.

    Each ``iter()`` is one epoch, and with ``shuffle`` draws the next permutation from the generator.

    Parameters
    ----------
    *arrays : array_like, shape (N, ...)
        The arrays, with examples along the first axis. A memory map stays on disk; only the batches are read.
    batch_size : int, default 32
        The number of examples in a batch. The last batch of an epoch may be smaller. 32 is the default that Bengio,
        "Practical recommendations for gradient-based training of deep architectures" (2012), recommends.
    shuffle : bool, default True
        Whether a new order is drawn for every epoch. Without it the batches are views, in the arrays' own order.
    drop_last : bool, default False
        Whether a last batch that would be smaller than the others is left out.
    rng : numpy.random.Generator, int or None, default None
        The generator of the orders, or a seed for `numpy.random.default_rng`. A generator is shared, not copied.
    prefetch : int, optional
        The number of shuffled batches that a thread gathers ahead, while a step runs on the previous batch; the batches
        are the same. The default is 2 for memory maps, which may have to wait for a disk, and 0 for arrays in memory,
        for which the thread would slow down the step by more than the gathering takes.

    Yields
    ------
    ndarray or tuple of ndarray
        The batch: an array for one array, a tuple for several. Shuffled batches are copies.

    Attributes
    ----------
    arrays : tuple of ndarray
    batch_size, shuffle, drop_last, prefetch
        The values that were given.
    rng : numpy.random.Generator
        The generator; if its state is saved between two epochs and restored later, all following epochs are repeated.

    Raises
    ------
    TypeError
        If there is no array, an array has no first axis, or `batch_size` is not an integer.
    ValueError
        If lengths differ, there are no examples, ``batch_size < 1``, ``prefetch < 0``, or `drop_last` is given with
        fewer examples than a batch.

    Examples
    --------
    >>> X, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> batches = Minibatches(X, y, batch_size=2, rng=0)
    >>> batches
    Minibatches((5, 2) float64, (5,) int64, batch_size=2, shuffle=True, drop_last=False)
    >>> len(batches)
    3
    >>> for epoch in range(2):
    ...     print([labels.tolist() for _, labels in batches])
    [[2, 4], [3, 0], [1]]
    [[4, 1], [2, 0], [3]]
    """

    def __init__(
        self,
        *arrays: ArrayLike,
        batch_size: int = 32,
        shuffle: bool = True,
        drop_last: bool = False,
        rng: np.random.Generator | int | None = None,
        prefetch: int | None = None,
    ) -> None:
        self.arrays = _equally_long(arrays)
        self.batch_size = positive_int(batch_size, "batch_size")
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.rng = np.random.default_rng(rng)
        if prefetch is None:
            prefetch = 2 if any(map(_is_mapped, self.arrays)) else 0
        self.prefetch = nonnegative_int(prefetch, "prefetch")
        if len(self) == 0:
            n = len(self.arrays[0])
            raise ValueError(
                f"drop_last=True leaves no batch, because batch_size={batch_size} is more than the {n} examples"
            )

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(len(self.arrays[0]), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        """Begin an epoch."""
        # The order is drawn here and not at the first batch, so that orders follow the calls to iter().
        order = self.rng.permutation(len(self.arrays[0])) if self.shuffle else None
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        parts = [slice(start, start + self.batch_size) for start in starts]
        if order is not None and self.prefetch:
            return self._gathered_ahead(parts, order)
        return (self._batch(rows, order) for rows in parts)

    def _gathered_ahead(self, parts: list[slice], order: NDArray[np.int64]) -> Iterator[Any]:
        reader, process = ThreadPoolExecutor(1, "autograd_lite.Minibatches"), os.getpid()
        ahead: deque[Future[Any]] = deque()
        begun = 0
        try:
            for given, rows in enumerate(parts):
                if process != os.getpid():  # a forked one, which has no reader
                    yield self._batch(rows, order)
                    continue
                while begun < min(len(parts), given + self.prefetch + 1):
                    ahead.append(reader.submit(self._batch, parts[begun], order))
                    begun += 1
                yield ahead.popleft().result()
        finally:
            reader.shutdown(wait=process == os.getpid(), cancel_futures=True)

    def _batch(self, rows: slice, order: NDArray[np.int64] | None) -> Array | tuple[Array, ...]:
        if order is None:
            batch = tuple(array[rows] for array in self.arrays)
        else:
            index = order[rows]
            batch = tuple(_gathered(array, index) for array in self.arrays)
        return batch if len(batch) > 1 else batch[0]

    def __repr__(self) -> str:
        arrays = ", ".join(f"{array.shape} {array.dtype}" for array in self.arrays)
        how = f"batch_size={self.batch_size}, shuffle={self.shuffle}, drop_last={self.drop_last}"
        return f"Minibatches({arrays}, {how})"


def _is_mapped(array: Any) -> bool:
    """Whether an array is a memory map of a file."""
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, np.memmap)


def _gathered(array: Array, index: NDArray[np.int64]) -> Array:
    """A copy of some rows of an array; `take` is faster, but would first copy the whole of an array not in C order."""
    if array.flags.c_contiguous and array.flags.aligned:
        return array.take(index, axis=0)
    return array[index]


def train_test_split(
    *arrays: ArrayLike,
    test_size: float = 0.25,
    stratify: ArrayLike | None = None,
    shuffle: bool = True,
    rng: np.random.Generator | int | None = None,
) -> tuple[Array, ...]:
    """Split arrays of equal length into a training part and a test part; all arrays are split in the same rows.

    The sizes, the order of results and the errors are those of ``sklearn.model_selection.train_test_split``.

    Parameters
    ----------
    *arrays : array_like, shape (N, ...)
        The arrays, with examples along the first axis.
    test_size : float or int, default 0.25
        A fraction in (0, 1), which gives ``ceil(test_size * N)`` test examples, or the number of test examples.
    stratify : array_like, shape (N,), optional
        The class of each example. Both parts keep the proportions of the classes as closely as possible with whole
        examples (method of largest remainders, ties broken at random).
    shuffle : bool, default True
        Whether the parts are drawn at random. Without it, the test part is the end of the arrays, and all parts are
        views.
    rng : numpy.random.Generator, int or None, default None
        The generator of the order, or a seed for `numpy.random.default_rng`.

    Returns
    -------
    tuple of ndarray
        ``(a_train, a_test, b_train, b_test, ...)``.

    Raises
    ------
    TypeError
        If there is no array, an array has no first axis, or `test_size` is not a number.
    ValueError
        If lengths differ; if a part would be empty; if `stratify` is given without `shuffle`, has a class with a single
        example, or has more classes than one of the parts has examples.

    Examples
    --------
    >>> X, y = np.arange(16).reshape(8, 2), np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, rng=0)
    >>> X_train.shape, X_test.shape
    ((6, 2), (2, 2))
    >>> np.sort(y_test)
    array([0, 1])
    """
    examples = _equally_long(arrays)
    length = len(examples[0])
    n_test = _test_examples(test_size, length)
    generator = np.random.default_rng(rng)
    train: slice | NDArray[np.int64]
    test: slice | NDArray[np.int64]
    if stratify is not None:
        if not shuffle:
            raise ValueError("stratify needs shuffle=True: examples taken in order cannot keep proportions")
        train, test = _stratified(stratify, length, n_test, generator)
    elif shuffle:
        test, train = np.split(generator.permutation(length), [n_test])
    else:
        train, test = slice(0, length - n_test), slice(length - n_test, length)
    return tuple(array[rows] for array in examples for rows in (train, test))


def _equally_long(arrays: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
    if not arrays:
        raise TypeError("expected at least one array, got none")
    results = tuple(example_array(array, f"arrays[{i}]") for i, array in enumerate(arrays))
    lengths = [len(array) for array in results]
    if len(set(lengths)) > 1:
        raise ValueError(f"arrays must have equally many examples, got {', '.join(map(str, lengths))}")
    return results


def _test_examples(test_size: float, length: int) -> int:
    if isinstance(test_size, (float, np.floating)):
        if not 0 < test_size < 1:
            raise ValueError(f"test_size as a fraction must lie between 0 and 1, got {test_size}")
        number = math.ceil(test_size * length)
    else:
        number = positive_int(test_size, "test_size as a number of examples")
    if number >= length:
        raise ValueError(
            f"test_size={test_size} takes {number} of {length} examples, so no example is left for training"
        )
    return number


def _stratified(
    stratify: ArrayLike, length: int, n_test: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    labels = as_array(stratify, "stratify")
    if labels.shape != (length,):
        raise ValueError(f"stratify must have shape ({length},), with a label for each example, got {labels.shape}")
    try:
        classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise TypeError(
            "stratify has labels of different types, which cannot be sorted; pass labels of one type"
        ) from error
    if counts.min() < 2:
        alone = classes[counts.argmin()]
        raise ValueError(f"stratify needs 2 examples of every class, and {alone} has 1; drop or merge it")
    n_train = length - n_test
    for part, size in (("training", n_train), ("test", n_test)):
        if size < len(classes):
            raise ValueError(f"stratify has {len(classes)} classes, but the {part} part has only {size} examples")

    # The method of largest remainders rounds each share down, and adds one where the most was cut off.
    train_counts, remainders = np.divmod(counts * n_train, length)
    drawn = rng.permutation(len(classes))
    by_remainder = drawn[np.argsort(-remainders[drawn], kind="stable")]
    train_counts[by_remainder[: n_train - train_counts.sum()]] += 1

    shuffled = rng.permutation(length)
    by_class = shuffled[np.argsort(members[shuffled], kind="stable")]
    place_in_class = np.arange(length) - np.repeat(np.cumsum(counts) - counts, counts)
    in_train = place_in_class < np.repeat(train_counts, counts)
    return rng.permutation(by_class[in_train]), rng.permutation(by_class[~in_train])
