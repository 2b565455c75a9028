"""How products of matrices and tensors differentiate.

For ``Y = X W``: ``dX = dY W^T`` and ``dW = X^T dY``. The transposes are views, which BLAS reads without a copy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ...core.registry import defvjp, derive
from ...transforms.linearize import array_like
from ...transforms.rule_tables import defbatching, deflinear
from .._common import Shape
from ..complex_numbers import conjugate


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
        # One product over all rows of the stack is faster than a stack of products that is summed afterwards.
        rows = math.prod(x1.shape[:-1])
        return x1.reshape((rows, x1.shape[-1])).T @ g.reshape((rows, g.shape[-1]))
    return x1.mT @ g


defvjp(np.matmul, x1=_matmul_x1, x2=_matmul_x2)
deflinear(np.matmul, "x1", "x2")


@defbatching(np.matmul, "x1", "x2", repeats=False)
def _matmul_all(x1: Any, x2: Any, *, mapped: frozenset[str] = frozenset()) -> Any:
    ndim1, ndim2 = (np.ndim(x) - (name in mapped) for x, name in ((x1, "x1"), (x2, "x2")))
    if mapped == {"x1"} and ndim2 <= 2:
        # The rows of all examples are multiplied by the same matrix in one product.
        product = np.matmul(np.reshape(x1, (-1, x1.shape[-1])) if x1.size else x1, x2)
        return np.reshape(product, (*x1.shape[:-1], *x2.shape[1:]))
    if mapped == {"x2"} and ndim2 == 1 and ndim1 <= 2:
        return np.matmul(x2, x1.T)
    # A vector becomes a matrix of one row or column; that axis is removed again at the end.
    if ndim1 == 1:
        x1 = x1[..., None, :]
    if ndim2 == 1:
        x2 = x2[..., :, None]
    if "x1" in mapped and ndim2 > max(ndim1, 2):
        x1 = np.reshape(x1, (x1.shape[0], *(1,) * (ndim2 - max(ndim1, 2)), *x1.shape[1:]))
    if "x2" in mapped and ndim1 > max(ndim2, 2):
        x2 = np.reshape(x2, (x2.shape[0], *(1,) * (ndim1 - max(ndim2, 2)), *x2.shape[1:]))
    product = np.matmul(x1, x2)
    if ndim2 == 1:
        product = product[..., 0]
    if ndim1 == 1:
        product = product[..., 0] if ndim2 == 1 else product[..., 0, :]
    return product


defvjp(
    np.outer,
    a=lambda g, a_shape, b: (g @ np.ravel(b)).reshape(a_shape),
    b=lambda g, a, b_shape: (np.ravel(a) @ g).reshape(b_shape),
)
deflinear(np.outer, "a", "b")
defbatching(np.outer, "a", "b")(lambda a, b: np.reshape(a, (a.shape[0], -1, 1)) * np.reshape(b, (b.shape[0], 1, -1)))


@derive(np.dot)
def dot(a: Any, b: Any, out: None = None) -> Any:
    """`numpy.dot`: a product of numbers or matrices, or a sum over the last axis and the last but one."""
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
    """`numpy.vdot`: the sum of products of all elements, with the first array conjugated."""
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
    a = np.moveaxis(a, (axis1, axis2), (-2, -1))
    rows = np.arange(max(0, min(a.shape[-2] + min(offset, 0), a.shape[-1] - max(offset, 0))))
    return np.sum(a[..., rows - min(offset, 0), rows + max(offset, 0)], axis=-1, dtype=dtype)


@derive(np.kron)
def kron(a: Any, b: Any) -> Any:
    """`numpy.kron`."""
    a, b = array_like(a), array_like(b)
    ndim = max(a.ndim, b.ndim)
    a_shape, b_shape = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    a = np.reshape(a, tuple(n for length in a_shape for n in (length, 1)))
    b = np.reshape(b, tuple(n for length in b_shape for n in (1, length)))
    return np.reshape(a * b, tuple(m * n for m, n in zip(a_shape, b_shape, strict=True)))


@derive(np.cross)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """`numpy.cross` of vectors in three dimensions."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(array_like(a), axisa, -1), np.moveaxis(array_like(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"np.cross: the vectors have lengths {a.shape[-1]} and {b.shape[-1]}; for tensors both must be 3"
        )
    following, before = [1, 2, 0], [2, 0, 1]
    product = a[..., following] * b[..., before] - a[..., before] * b[..., following]
    return np.moveaxis(product, -1, axisc)


# ---- products of vectors in stacks ----
@derive(np.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """`numpy.vecdot`: the sum of products along an axis, with the first array conjugated."""
    return np.sum(conjugate(np.moveaxis(array_like(x1), axis, -1)) * np.moveaxis(array_like(x2), axis, -1), axis=-1)


if hasattr(np, "matvec"):
    derive(np.matvec)(lambda x1, x2, /: np.matmul(x1, array_like(x2)[..., None])[..., 0])
    derive(np.vecmat)(lambda x1, x2, /: np.matmul(conjugate(array_like(x1))[..., None, :], x2)[..., 0, :])
