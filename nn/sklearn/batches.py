"""The batches of an estimator, in scikit-learn's order, and outputs for dense and sparse examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..module import Module
from ..training.predict import predict

Array = NDArray[Any]


class Batches:
    """Examples and targets, divided into batches again in every epoch, in the order of scikit-learn's MLP.

    Each epoch shuffles the order of the one before. Sparse examples become dense a batch at a time.

    Parameters
    ----------
    X : array or sparse matrix, shape (N, ...)
        The examples.
    targets : array, shape (N, ...)
    batch_size : int
        The number of examples in a batch; the last one may be smaller.
    random_state : RandomState, optional
        What shuffles; without it the order stays.
    drop_last : bool, default False
        Whether a smaller last batch is left out.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> [(X.shape, y) for X, y in Batches(csr_array(np.eye(3)), np.arange(3), batch_size=2)]
    [((2, 3), array([0, 1])), ((1, 3), array([2]))]
    """

    def __init__(
        self,
        X: Any,
        targets: Array,
        *,
        batch_size: int,
        random_state: np.random.RandomState | None = None,
        drop_last: bool = False,
    ) -> None:
        self.X, self.targets, self.random_state = X, targets, random_state
        count = len(targets)
        last = count - count % batch_size if drop_last else count
        self.parts = [slice(start, min(start + batch_size, last)) for start in range(0, last, batch_size)]
        self.order: Array = np.arange(count)

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """Begin an epoch."""
        if self.random_state is not None:
            self.order = self.order[self.random_state.permutation(len(self.order))]
        return map(self._batch, self.parts)

    def _batch(self, part: slice) -> tuple[Array, Array]:
        X, targets = self.X, self.targets
        if self.random_state is None:
            return as_dense(X[part]), targets[part]
        rows = self.order[part]
        return (X.take(rows, axis=0) if isinstance(X, np.ndarray) else X[rows].toarray()), targets.take(rows, axis=0)


def as_dense(X: Any) -> Array:
    """An array of an array or a sparse matrix."""
    return X if isinstance(X, np.ndarray) else np.asarray(X.toarray())


def outputs_of(model: Module, X: Any) -> Array:
    """A model's outputs for an array, or for a sparse matrix."""
    if isinstance(X, np.ndarray):
        return np.asarray(predict(model, X))
    starts = range(0, X.shape[0], 1024)
    return np.concatenate([predict(model, X[start : start + 1024].toarray()) for start in starts])
