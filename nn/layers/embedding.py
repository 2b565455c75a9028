"""`Embedding`: a table of vectors, which are looked up by number."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from autograd_lite import Tensor, callback
from autograd_lite.extend import IndexCheck, innermost_array

from ..arguments import as_array_or_tensor, positive_int
from ..init import Initializer, Random, get_initializer, normal
from ..module import Module


class Embedding(Module):
    """A table with a trainable vector for each word, category or other thing that has a number.

    Bengio, Ducharme, Vincent and Jauvin (2003). The gradient of a vector is the sum over all its uses.

    Parameters
    ----------
    num_embeddings : int
        The number of vectors.
    embedding_dim : int
        The length of a vector.
    init : str or initialiser, optional
        The initialiser of the vectors; standard normal by default.
    rng : Generator, int or None
        The generator of random vectors, or its seed.
    dtype : dtype, default float32
        The dtype of the table.

    Attributes
    ----------
    weight : Tensor, shape (num_embeddings, embedding_dim)

    Raises
    ------
    ValueError
        On a call, if an index is negative or too large.
    TypeError
        On a call, if the indices are not integers.

    Examples
    --------
    >>> words = Embedding(5, 2, rng=0)
    >>> words([[0, 4, 4]]).shape
    (1, 3, 2)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        init: str | Initializer | None = None,
        rng: Random = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.num_embeddings = positive_int(num_embeddings, "Embedding: num_embeddings")
        self.embedding_dim = positive_int(embedding_dim, "Embedding: embedding_dim")
        start = normal() if init is None else get_initializer(init)
        shape = (self.num_embeddings, self.embedding_dim)
        self.weight = Tensor(start(shape, rng=rng, dtype=dtype), requires_grad=True, name="weight")

    def forward(self, indices: Any) -> Any:
        """The vectors of `indices`, integers of any shape; the result has one more axis."""
        numbers = as_array_or_tensor(indices, "Embedding: indices")
        if numbers.dtype.kind not in "iu":
            raise TypeError(f"Embedding: indices have dtype {numbers.dtype}; expected integers")
        callback(_Indices(self.num_embeddings), innermost_array(numbers))
        return self.weight[numbers]


class _Indices(IndexCheck):
    """The check that all indices have a vector."""

    __name__ = "check_indices"

    def refuse(self, values: Any, where: tuple[int, ...]) -> NoReturn:
        raise ValueError(f"Embedding: indices{list(where) or ''} is {values[where]}; expected 0 to {self.stop - 1}")
