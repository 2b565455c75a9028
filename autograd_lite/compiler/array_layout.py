"""`Layout`: how the elements of an array lie in memory; and what is raised where that is not as it was recorded."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Layout(NamedTuple):
    """How the elements of an array lie in memory."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, array: Array) -> Layout:
        """The layout of an array."""
        return cls(array.shape, array.dtype, array.strides)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The number of bytes of the elements."""
        return self.size * self.dtype.itemsize

    @property
    def is_dense(self) -> bool:
        """Whether the elements fill one block of memory, in any order of the axes."""
        expected = self.dtype.itemsize
        for length, stride in sorted(zip(self.shape, self.strides, strict=True), key=lambda axis: axis[1]):
            if length != 1:
                if stride != expected:
                    return False
                expected *= length
        return True

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements fill one block of memory in C order."""
        expected = self.dtype.itemsize
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != expected:
                return False
            expected *= length
        return True

    def in_block(self) -> Layout:
        """The layout for a copy in its own block of memory: this layout if it is dense, otherwise C order."""
        if self.is_dense:
            return self
        strides = [self.dtype.itemsize * math.prod(self.shape[i + 1 :]) for i in range(len(self.shape))]
        return Layout(self.shape, self.dtype, tuple(strides))


class OtherLayout(Exception):  # noqa: N818 - no error, but a reason to record anew
    """Raised in a replay, before it changes anything, where arrays are not as they were when it was recorded.

    A tensor has an array that lies in memory otherwise, arrays overlap, or a shape that depends on numbers is another.
    """
