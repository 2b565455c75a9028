"""Preparation of data for a network: standardised columns, one-hot labels."""

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
    r"""Give every column of X mean 0 and standard deviation 1, and transform the other arrays in the same way.

    The result is :math:`(x - \mathrm{mean}) / \mathrm{scale}`, column by column. Mean and scale come from X alone, so
    that no information about a test set reaches the training.

    Parameters
    ----------
    X : array_like of real numbers, shape (N, ...)
        The training examples. Each index of the later axes is a column.
    *others : array_like of real numbers, shape (M, ...)
        Examples with the same columns, such as a validation or a test set.
    mean, scale : array_like, shape X.shape[1:] or (), optional
        Mean and scale from an earlier call of `column_statistics`; give both or neither. With them, X is treated like
        the others.

    Returns
    -------
    ndarray or tuple of ndarray
        The new arrays, in the given order; a single array if only X was given. A floating dtype is kept, integers and
        booleans become float64.

    Raises
    ------
    TypeError
        If an array does not hold real numbers, or only one of `mean` and `scale` is given.
    ValueError
        If columns have NaN or infinite values (the message names them), if the columns of an array differ from those of
        X, or if `scale` is not positive.

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
            raise ValueError(f"the columns of {name} have shape {array.shape[1:]}, but those of X have shape {columns}")
    if mean is None and scale is None:
        mean, scale = column_statistics(arrays["X"])
    elif mean is None or scale is None:
        raise TypeError("mean and scale belong together; pass both, or neither to compute them from X")
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
        The examples, along the first axis.

    Returns
    -------
    mean, scale : ndarray of float64, shape X.shape[1:]
        `scale` is the standard deviation over all N examples (``ddof=0``), and 1 for a constant column.

    Raises
    ------
    TypeError
        If X does not hold real numbers.
    ValueError
        If there are no examples, or columns have values that are NaN, infinite, or too large to be squared.

    Examples
    --------
    >>> column_statistics([[1, 5], [3, 5]])
    (array([2., 5.]), array([1., 1.]))
    """
    examples = _real(example_array(X, "X"), "X")
    # If values are not finite, the statistics are not finite either; checking only these saves a pass over X.
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.mean(examples, axis=0, dtype=np.float64, keepdims=True)
        # The mean of equal numbers may be rounded, and then the standard deviation would not be 0.
        constant = np.min(examples, axis=0) == np.max(examples, axis=0)
        mean = np.where(constant, examples[:1].astype(np.float64), mean)
        scale = np.std(examples, axis=0, dtype=np.float64, mean=mean)
    _require_all(np.isfinite(scale), "X", "values that are NaN, infinite, or too large to be squared")
    return mean.squeeze(axis=0), np.where(scale == 0, 1.0, scale)


def one_hot(labels: ArrayLike, num_classes: int | None = None, dtype: DTypeLike = np.float32) -> Array:
    """Convert class numbers to rows with a single 1.

    Parameters
    ----------
    labels : array_like of int, any shape
        The classes, from 0 to ``num_classes - 1``.
    num_classes : int, optional
        The number of classes; the default is the largest label plus 1. Pass it if the last class may be missing, as in
        a batch or a test set.
    dtype : data type, default float32

    Returns
    -------
    ndarray, shape labels.shape + (num_classes,)

    Raises
    ------
    TypeError
        If labels or `num_classes` are not integers.
    ValueError
        If a label is out of range (the message names the first one), or if `num_classes` is missing and there are no
        labels.

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
        raise ValueError("there are no labels to compute num_classes from; pass num_classes")
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
        raise ValueError(f"{name} has shape {figure.shape}, but the columns of X have shape {columns}")
    if not np.isfinite(figure).all():
        raise ValueError(f"{name} must be finite, got {figure}")
    return figure.astype(np.float64)


def _moved(array: Array, mean: NDArray[np.float64], scale: NDArray[np.float64], name: str) -> NDArray[np.floating[Any]]:
    result = np.empty(array.shape, array.dtype if array.dtype.kind == "f" else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        # The difference is computed in float64 and then rounded, so a float32 column far from zero keeps its digits.
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
        raise ValueError(f"{shown}{more} must not have {problem}; replace them or leave the columns out")
