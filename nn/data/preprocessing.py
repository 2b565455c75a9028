"""Columns and labels made ready for a network: standardised columns, one-hot labels."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..arguments import as_array, example_array, positive_int

Array = NDArray[Any]


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
    arrays = {name: _real(example_array(array, name), name) for name, array in given.items()}
    columns = arrays["X"].shape[1:]
    for name, array in arrays.items():
        if array.shape[1:] != columns:
            raise ValueError(f"{name} has columns of shape {array.shape[1:]}, but those of X have {columns}")
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
    examples = _real(example_array(X, "X"), "X")
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
    classes = as_array(labels, "labels")
    if classes.dtype.kind not in "iu":
        first = f"; labels{[0] * classes.ndim or ''} is {classes.flat[0]}" if classes.size else ""
        raise TypeError(f"labels must be integers (astype converts whole numbers), got {classes.dtype}{first}")
    if num_classes is not None:
        num_classes = positive_int(num_classes, "num_classes")
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


def _real(array: Array, name: str) -> Array:
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got {array.dtype}")
    return array


def _figure(given: ArrayLike, name: str, columns: tuple[int, ...]) -> NDArray[np.float64]:
    figure = _real(as_array(given, name), name)
    if figure.shape not in ((), columns):
        raise ValueError(f"{name} has shape {figure.shape}, but the columns of X have {columns}")
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
