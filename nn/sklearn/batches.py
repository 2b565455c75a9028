"""Rows of sparse matrices, dense a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.minibatches import Minibatches
from ..module import Module
from ..training.predict import predict

Array = NDArray[Any]


class SparseBatches:
    """Minibatches of a sparse matrix and its targets, each of them dense; options are those of `Minibatches`.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> [X.shape for X, y in SparseBatches(csr_array(np.eye(5)), np.arange(5), batch_size=2)]
    [(2, 5), (2, 5), (1, 5)]
    """

    def __init__(self, X: Any, targets: Array, **options: Any) -> None:
        self.X, self.targets = X, targets
        self.rows = Minibatches(np.arange(len(targets)), **options)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for rows in self.rows:
            yield self.X[rows].toarray(), self.targets[rows]


def outputs_of(model: Module, X: Any) -> Array:
    """A model's outputs for an array, or for a sparse matrix."""
    if isinstance(X, np.ndarray):
        return np.asarray(predict(model, X))
    starts = range(0, X.shape[0], 1024)
    return np.concatenate([predict(model, X[start : start + 1024].toarray()) for start in starts])
