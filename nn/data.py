"""Arrays on their way to a network: minibatches, splits, standardised columns, one-hot labels, MNIST.

Everything here takes plain NumPy arrays and gives plain NumPy arrays; nothing is recorded for a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nn.mnist import MNIST, DataFileError, DownloadError, load_mnist, read_idx

__all__ = [
    "MNIST",
    "DataFileError",
    "DownloadError",
    "Minibatches",
    "column_statistics",
    "load_mnist",
    "one_hot",
    "read_idx",
    "standardize",
    "train_test_split",
]

Array = NDArray[Any]


class Minibatches:
    """Arrays of equal length, cut into minibatches anew in every epoch.

    Each ``iter()`` is one epoch, and with ``shuffle`` takes the next permutation from the one generator.

    Parameters
    ----------
    *arrays : array_like, shape (N, ...)
        Examples along the first axis. A memory map stays on disk; only the batches are read.
    batch_size : int, default 32
        Examples in a batch. The last batch of an epoch may be smaller. 32 is the default that Bengio,
        "Practical recommendations for gradient-based training of deep architectures" (2012), gives.
    shuffle : bool, default True
        Draw a new order for every epoch. Without it the batches are views, in the arrays' own order.
    drop_last : bool, default False
        Leave out a last batch that would be smaller than the others.
    rng : numpy.random.Generator, int or None, default None
        Where the orders come from; `numpy.random.default_rng` takes it. A generator is shared, not copied.

    Yields
    ------
    ndarray or tuple of ndarray
        The batch itself for one array, a tuple for several. Shuffled batches are copies.

    Attributes
    ----------
    arrays : tuple of ndarray
    batch_size, shuffle, drop_last
        As given.
    rng : numpy.random.Generator
        Its state, saved between two epochs and put back, repeats every epoch that follows.

    Raises
    ------
    TypeError
        No array, an array without a first axis, or a `batch_size` that is no integer.
    ValueError
        Unequal lengths, no examples, ``batch_size < 1``, or `drop_last` with fewer examples than a batch.

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
    ) -> None:
        self.arrays = _equally_long(arrays)
        self.batch_size = _positive_int(batch_size, "batch_size")
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.rng = np.random.default_rng(rng)
        if len(self) == 0:
            n = len(self.arrays[0])
            raise ValueError(f"drop_last leaves no batch: batch_size={batch_size} is more than {n} examples")

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(len(self.arrays[0]), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        """Begin an epoch."""
        # Drawn here and not at the first batch, so that orders follow the calls to iter().
        order = self.rng.permutation(len(self.arrays[0])) if self.shuffle else None
        starts = range(0, len(self) * self.batch_size, self.batch_size)
        return (self._batch(slice(start, start + self.batch_size), order) for start in starts)

    def _batch(self, rows: slice, order: NDArray[np.int64] | None) -> Array | tuple[Array, ...]:
        # Indexing is as fast as np.take, which copies a whole array first if it is not C-contiguous.
        index = rows if order is None else order[rows]
        batch = tuple(array[index] for array in self.arrays)
        return batch if len(batch) > 1 else batch[0]

    def __repr__(self) -> str:
        arrays = ", ".join(f"{array.shape} {array.dtype}" for array in self.arrays)
        how = f"batch_size={self.batch_size}, shuffle={self.shuffle}, drop_last={self.drop_last}"
        return f"Minibatches({arrays}, {how})"


def train_test_split(
    *arrays: ArrayLike,
    test_size: float = 0.25,
    stratify: ArrayLike | None = None,
    shuffle: bool = True,
    rng: np.random.Generator | int | None = None,
) -> tuple[Array, ...]:
    """Split arrays of equal length into a training part and a test part, all at the same rows.

    Sizes, order of results and refusals are those of ``sklearn.model_selection.train_test_split``.

    Parameters
    ----------
    *arrays : array_like, shape (N, ...)
        Examples along the first axis.
    test_size : float or int, default 0.25
        A fraction in (0, 1), of which ``ceil(test_size * N)`` test examples follow, or their number.
    stratify : array_like, shape (N,), optional
        Class of each example. Both parts keep the proportions of the classes as closely as whole examples
        allow (method of largest remainders, ties broken at random).
    shuffle : bool, default True
        Draw the parts at random. Without it the test part is the end of the arrays, and all parts are views.
    rng : numpy.random.Generator, int or None, default None
        Where the order comes from; `numpy.random.default_rng` takes it.

    Returns
    -------
    tuple of ndarray
        ``(a_train, a_test, b_train, b_test, ...)``.

    Raises
    ------
    TypeError
        No array, an array without a first axis, or a `test_size` that is no number.
    ValueError
        Unequal lengths; a part that would be empty; `stratify` without `shuffle`, with a class of a single
        example, or with more classes than one of the parts has examples.

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


@overload
def standardize(
    X: ArrayLike, /, *, mean: ArrayLike | None = ..., scale: ArrayLike | None = ...
) -> NDArray[np.floating[Any]]: ...


@overload
def standardize(
    X: ArrayLike, /, *others: ArrayLike, mean: ArrayLike | None = ..., scale: ArrayLike | None = ...
) -> tuple[NDArray[np.floating[Any]], ...]: ...


def standardize(
    X: ArrayLike, /, *others: ArrayLike, mean: ArrayLike | None = None, scale: ArrayLike | None = None
) -> NDArray[np.floating[Any]] | tuple[NDArray[np.floating[Any]], ...]:
    r"""Give every column of X mean 0 and standard deviation 1, and move the others by the same figures.

    :math:`(x - \mathrm{mean}) / \mathrm{scale}`, column by column. The figures come from X alone, so that
    nothing of a test set reaches the training.

    Parameters
    ----------
    X : array_like of real numbers, shape (N, ...)
        The training examples. A column is what one index of the later axes picks out.
    *others : array_like of real numbers, shape (M, ...)
        Examples with the same columns: a validation or a test set.
    mean, scale : array_like, shape X.shape[1:] or (), optional
        Figures from an earlier `column_statistics`, both or neither. With them X is treated like the others.

    Returns
    -------
    ndarray or tuple of ndarray
        New arrays, in the order given; the array itself if there is but one. A floating dtype is kept,
        integers and booleans become float64.

    Raises
    ------
    TypeError
        An array that holds no real numbers, or one of `mean` and `scale` without the other.
    ValueError
        Columns with NaN or infinite values (the message names them), columns that differ from those of X,
        a `scale` that is not positive.

    Examples
    --------
    >>> train, test = standardize([[1, 5], [3, 5]], [[2, 6]])
    >>> train                      # the second column is constant: only centred
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> test
    array([[0., 1.]])
    """
    given = {"X": X} | {f"others[{i}]": other for i, other in enumerate(others)}
    arrays = {name: _real(_examples(array, name), name) for name, array in given.items()}
    columns = arrays["X"].shape[1:]
    for name, array in arrays.items():
        if array.shape[1:] != columns:
            raise ValueError(f"{name} has columns of shape {array.shape[1:]}, and X of {columns}")
    if mean is None and scale is None:
        mean, scale = column_statistics(arrays["X"])
    elif mean is None or scale is None:
        raise TypeError("mean and scale belong together: give both, or neither to take them from X")
    mean, scale = _figure(mean, "mean", columns), _figure(scale, "scale", columns)
    if not (scale > 0).all():
        raise ValueError(f"scale must be positive, got {scale}")

    results = tuple(_moved(array, mean, scale, name) for name, array in arrays.items())
    return results if others else results[0]


def column_statistics(X: ArrayLike, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each column, as `standardize` takes them.

    Parameters
    ----------
    X : array_like of real numbers, shape (N, ...)
        Examples along the first axis.

    Returns
    -------
    mean, scale : ndarray of float64, shape X.shape[1:]
        `scale` is the standard deviation over all N (``ddof=0``), and 1 where a column is constant.

    Raises
    ------
    TypeError
        X holds no real numbers.
    ValueError
        No examples; columns with values that are NaN, infinite, or too large to be squared.

    Examples
    --------
    >>> column_statistics([[1, 5], [3, 5]])
    (array([2., 5.]), array([1., 1.]))
    """
    examples = _real(_examples(X, "X"), "X")
    # Figures that are not finite tell of values that are not: asking the figures saves a pass over X.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.mean(examples, axis=0, dtype=np.float64, keepdims=True)
        # The rounded mean of equal numbers may be another number, and its distance would pass for spread.
        constant = np.min(examples, axis=0) == np.max(examples, axis=0)
        mean = np.where(constant, examples[:1].astype(np.float64), mean)
        scale = np.std(examples, axis=0, dtype=np.float64, mean=mean)
    _require_all(np.isfinite(scale), "X", "values that are NaN, infinite, or too large to be squared")
    return mean.squeeze(axis=0), np.where(scale == 0, 1.0, scale)


def one_hot(labels: ArrayLike, num_classes: int | None = None, dtype: DTypeLike = np.float32) -> Array:
    """Turn class numbers into rows with a single 1.

    Parameters
    ----------
    labels : array_like of int, any shape
        Classes from 0 to ``num_classes - 1``.
    num_classes : int, optional
        Default: the largest label and one. Give it wherever the last class may be missing: in a batch,
        in a test set.
    dtype : data type, default float32

    Returns
    -------
    ndarray, shape labels.shape + (num_classes,)

    Raises
    ------
    TypeError
        Labels that are not integers, or a `num_classes` that is none.
    ValueError
        A label out of range (the message names the first), or no labels to take `num_classes` from.

    Examples
    --------
    >>> one_hot([2, 0], num_classes=3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    classes = _array(labels, "labels")
    if classes.dtype.kind not in "iu":
        first = f"; labels{[0] * classes.ndim or ''} is {classes.flat[0]}" if classes.size else ""
        raise TypeError(f"labels must be integers (astype converts whole numbers), got {classes.dtype}{first}")
    if num_classes is not None:
        num_classes = _positive_int(num_classes, "num_classes")
    elif classes.size == 0:
        raise ValueError("no labels to take num_classes from; give num_classes")
    else:
        num_classes = max(int(classes.max()) + 1, 1)
    outside = (classes < 0) | (classes >= num_classes)
    if outside.any():
        index = np.argwhere(outside)[0].tolist()
        raise ValueError(f"labels{index or ''} is {classes[outside][0]}; classes run from 0 to {num_classes - 1}")
    result = np.zeros((*classes.shape, num_classes), dtype)
    np.put_along_axis(result, classes[..., np.newaxis], 1, axis=-1)
    return result


def _array(array: ArrayLike, name: str) -> Array:
    try:
        # asarray also makes a plain array of a memory map, without reading it.
        return np.asarray(array)
    except ValueError as error:
        raise ValueError(f"{name} is no array: its rows differ in length ({error})") from error


def _examples(array: ArrayLike, name: str) -> Array:
    result = _array(array, name)
    if result.ndim == 0:
        raise TypeError(f"{name} must hold examples along its first axis, got {type(array).__name__}")
    if len(result) == 0:
        raise ValueError(f"{name} has no examples: its shape is {result.shape}")
    return result


def _equally_long(arrays: tuple[ArrayLike, ...]) -> tuple[Array, ...]:
    if not arrays:
        raise TypeError("at least one array is needed, got none")
    results = tuple(_examples(array, f"arrays[{i}]") for i, array in enumerate(arrays))
    lengths = [len(array) for array in results]
    if len(set(lengths)) > 1:
        raise ValueError(f"arrays must have equally many examples, got {', '.join(map(str, lengths))}")
    return results


def _positive_int(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return int(value)


def _test_examples(test_size: float, length: int) -> int:
    if isinstance(test_size, (float, np.floating)):
        if not 0 < test_size < 1:
            raise ValueError(f"test_size as a fraction must lie between 0 and 1, got {test_size}")
        number = math.ceil(test_size * length)
    else:
        number = _positive_int(test_size, "test_size as a number of examples")
    if number >= length:
        raise ValueError(f"test_size={test_size} takes {number} of {length} examples: none is left to train on")
    return number


def _stratified(
    stratify: ArrayLike, length: int, n_test: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    labels = _array(stratify, "stratify")
    if labels.shape != (length,):
        raise ValueError(f"stratify must have shape ({length},), a label per example, got {labels.shape}")
    try:
        classes, members, counts = np.unique(labels, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise TypeError("stratify mixes labels that cannot be sorted; give labels of one type") from error
    if counts.min() < 2:
        alone = classes[counts.argmin()]
        raise ValueError(f"stratify needs 2 examples of every class, and {alone} has 1; drop or merge it")
    n_train = length - n_test
    for part, size in (("training", n_train), ("test", n_test)):
        if size < len(classes):
            raise ValueError(f"stratify has {len(classes)} classes, and the {part} part only {size} examples")

    # Largest remainders: the whole part of each share, then one more where the most was cut off.
    train_counts, remainders = np.divmod(counts * n_train, length)
    drawn = rng.permutation(len(classes))
    by_remainder = drawn[np.argsort(-remainders[drawn], kind="stable")]
    train_counts[by_remainder[: n_train - train_counts.sum()]] += 1

    shuffled = rng.permutation(length)
    by_class = shuffled[np.argsort(members[shuffled], kind="stable")]
    place_in_class = np.arange(length) - np.repeat(np.cumsum(counts) - counts, counts)
    in_train = place_in_class < np.repeat(train_counts, counts)
    return rng.permutation(by_class[in_train]), rng.permutation(by_class[~in_train])


def _real(array: Array, name: str) -> Array:
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    return array


def _figure(given: ArrayLike, name: str, columns: tuple[int, ...]) -> NDArray[np.float64]:
    figure = _real(_array(given, name), name)
    if figure.shape not in ((), columns):
        raise ValueError(f"{name} has shape {figure.shape}, and the columns of X {columns}")
    if not np.isfinite(figure).all():
        raise ValueError(f"{name} must be finite, got {figure}")
    return figure.astype(np.float64)


def _moved(array: Array, mean: NDArray[np.float64], scale: NDArray[np.float64], name: str) -> NDArray[np.floating[Any]]:
    result = np.empty(array.shape, array.dtype if array.dtype.kind == "f" else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        # Taken in float64 and then rounded: a float32 column far from zero keeps all its digits.
        np.subtract(array, mean, out=result, casting="same_kind")
        np.divide(result, scale, out=result, casting="same_kind")
    finite = np.isfinite(result).all(axis=0)
    _require_all(finite, name, f"values that are NaN, infinite, or too large for {result.dtype}")
    return result


def _require_all(columns_good: ArrayLike, name: str, problem: str) -> None:
    columns = np.argwhere(np.logical_not(columns_good)).tolist()
    if columns:
        shown = ", ".join(f"{name}[{', '.join([':', *map(str, column)])}]" for column in columns[:5])
        more = f" and {len(columns) - 5} columns more" if len(columns) > 5 else ""
        raise ValueError(f"{shown}{more}: {problem}; replace them or leave the columns out")
