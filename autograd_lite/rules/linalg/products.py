"""How products of matrices and tensors differentiate.

For ``Y = X W``: ``dX = dY W^T`` and ``dW = X^T dY``. The transposes are views, which BLAS reads without a copy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ...core.registry import deflinear, defvjp, derive
from ...transforms.linearize import array_like
from ..complex_numbers import conjugate

Shape = tuple[int, ...]


def _matmul_x1(g: Any, x1_shape: Shape, x2: Any) -> Any:
    """``g @ x2.T``, for vectors and stacks of matrices as well."""
    if x2.ndim == 1:
        return g[..., None] * x2
    if len(x1_shape) == 1:
        return (g[..., None, :] @ x2.mT)[..., 0, :]
    return g @ x2.mT


def _matmul_x2(g: Any, x1: Any, x2_shape: Shape) -> Any:
    """``x1.T @ g``, for vectors and stacks of matrices as well."""
    if x1.ndim == 1:
        return g * x1 if len(x2_shape) == 1 else x1[..., None] * g[..., None, :]
    if len(x2_shape) == 1:
        return (x1.mT @ g[..., None])[..., 0]
    if len(x2_shape) == 2 < x1.ndim:
        # One product over all rows of the stack, in place of a stack of products that is summed afterwards.
        rows = math.prod(x1.shape[:-1])
        return x1.reshape((rows, x1.shape[-1])).T @ g.reshape((rows, g.shape[-1]))
    return x1.mT @ g


defvjp(np.matmul, x1=_matmul_x1, x2=_matmul_x2)
defvjp(
    np.outer,
    a=lambda g, a_shape, b: (g @ np.ravel(b)).reshape(a_shape),
    b=lambda g, a, b_shape: (np.ravel(a) @ g).reshape(b_shape),
)
deflinear(np.matmul, "x1", "x2")
deflinear(np.outer, "a", "b")


@derive(np.dot)
def dot(a: Any, b: Any, out: None = None) -> Any:
    """`numpy.dot`: a product of numbers, of matrices, or over the last axis and the last but one."""
    if out is not None:
        raise TypeError("np.dot: out= cannot be used with tensors; use the result that is returned")
    a, b = array_like(a), array_like(b)
    if a.ndim == 0 or b.ndim == 0:
        return np.multiply(a, b)
    if a.ndim <= 2 and b.ndim <= 2:
        return np.matmul(a, b)
    return np.tensordot(a, b, axes=((-1,), (-2 if b.ndim > 1 else -1,)))


@derive(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """`numpy.inner`: the sum of products over the last axes."""
    a, b = array_like(a), array_like(b)
    if a.ndim == 0 or b.ndim == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=((-1,), (-1,)))


@derive(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    """`numpy.vdot`: the sum of products of all elements, the first of them conjugated."""
    return np.matmul(conjugate(np.ravel(a)), np.ravel(b))


@derive(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """`numpy.tensordot` as the product of two matrices."""
    a, b = array_like(a), array_like(b)
    if isinstance(axes, int | np.integer):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    given_a, given_b = ([int(i) for i in np.atleast_1d(part)] for part in axes)
    over_a = normalize_axis_tuple(given_a, a.ndim, "axes of np.tensordot for its first")
    over_b = normalize_axis_tuple(given_b, b.ndim, "axes of np.tensordot for its second")
    if [a.shape[i] for i in over_a] != [b.shape[i] for i in over_b]:
        raise ValueError(
            f"np.tensordot of shapes {a.shape} and {b.shape}: the axes {over_a} and {over_b} have different lengths"
        )
    free_a = [i for i in range(a.ndim) if i not in over_a]
    free_b = [i for i in range(b.ndim) if i not in over_b]
    summed = math.prod(a.shape[i] for i in over_a)
    shape_a, shape_b = tuple(a.shape[i] for i in free_a), tuple(b.shape[i] for i in free_b)
    matrix_a = np.reshape(np.transpose(a, (*free_a, *over_a)), (math.prod(shape_a), summed))
    matrix_b = np.reshape(np.transpose(b, (*over_b, *free_b)), (summed, math.prod(shape_b)))
    return np.reshape(np.matmul(matrix_a, matrix_b), (*shape_a, *shape_b))


@derive(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    """`numpy.trace` as the sum of a diagonal."""
    if out is not None:
        raise TypeError("np.trace: out= cannot be used with tensors; use the result that is returned")
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows = np.arange(max(0, min(a.shape[-2] + min(offset, 0), a.shape[-1] - max(offset, 0))))
    return np.sum(a[..., rows - min(offset, 0), rows + max(offset, 0)], axis=-1, dtype=dtype)


# ---- products of vectors in stacks ----
@derive(np.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """`numpy.vecdot`: the sum of products along an axis, the first of them conjugated."""
    return np.sum(conjugate(np.moveaxis(array_like(x1), axis, -1)) * np.moveaxis(array_like(x2), axis, -1), axis=-1)


if hasattr(np, "matvec"):
    derive(np.matvec)(lambda x1, x2, /: np.matmul(x1, array_like(x2)[..., None])[..., 0])
    derive(np.vecmat)(lambda x1, x2, /: np.matmul(conjugate(array_like(x1))[..., None, :], x2)[..., 0, :])
