"""How norms of vectors and matrices, and condition numbers, differentiate.

At 0 a norm has no derivative; the rules give 0, the smallest of its subgradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.custom import primitive
from ...core.registry import defvjp, derive
from ...transforms.rule_tables import defbatching, defjvp
from .._common import as_tuple, axes_of_all, shared, strong_product, strong_quotient, symmetric_product, with_kept_axes
from ..complex_numbers import conjugate


@primitive
def vector_norm_of(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """`numpy.linalg.norm` of vectors; along several axes, or none, the Euclidean norm of all their elements."""
    if np.ndim(axis) == 0:
        return np.linalg.norm(x, ord, axis, keepdims)
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims) if axis else np.absolute(x)


def _slope(x: Any, out: Any, ord: Any, axis: Any) -> Any:
    """The derivative of the norm by each element: ``(|x| / norm)^(ord - 1)`` in the direction of ``conj(x)``.

    A norm of negative order is 0 if an element is, whatever the others are, and so are their derivatives.
    """
    norm = with_kept_axes(out, x.shape, axis)
    if ord == 2:
        return strong_quotient(conjugate(x), norm)
    direction = conjugate(np.sign(x))
    if ord == 1:
        return direction
    modulus = np.absolute(x)
    if np.isinf(ord):
        reached = np.equal(modulus, norm)
        return shared(direction, reached, axis)
    zero = np.equal(modulus, 0) | np.equal(norm, 0)
    share = np.where(zero, np.ones_like(modulus), modulus) / np.where(zero, np.ones_like(norm), norm)
    return np.where(zero, 0, share ** (ord - 1.0)) * direction


defvjp(
    vector_norm_of,
    x=lambda g, x, out, ord, axis: strong_product(with_kept_axes(g, x.shape, axis), _slope(x, out, ord, axis)),
)
defjvp(
    vector_norm_of,
    x=lambda t, x, out, ord, axis, keepdims: np.sum(
        np.real(symmetric_product(t, _slope(x, out, ord, axis))), axis=axis, keepdims=keepdims
    ),
)
defbatching(vector_norm_of, "x")(
    lambda x, ord, axis, keepdims: (
        np.absolute(x) if axis == () else vector_norm_of(x, ord, axes_of_all(axis, x.ndim - 1), keepdims)
    )
)


def _vectors(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if ord in ("fro", "f", "nuc"):
        raise ValueError(f"np.linalg.norm: ord={ord!r} is a norm of matrices; for vectors pass a number")
    if ord == 0:
        return np.sum(np.sign(np.absolute(x)), axis=axis, keepdims=keepdims)
    return vector_norm_of(x, 2 if ord is None else ord, axis, keepdims)


def _matrices(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    rows, columns = (axis % x.ndim for axis in axes)
    if rows == columns:
        raise ValueError(f"np.linalg.norm: axis={axes} names the same axis twice; a matrix has two different axes")
    if ord in (None, "fro", "f"):
        return vector_norm_of(x, 2, (rows, columns), keepdims)
    if ord in (2, -2, "nuc"):
        s = np.linalg.svdvals(np.moveaxis(x, (rows, columns), (-2, -1)))
        found = np.sum(s, axis=-1) if ord == "nuc" else (np.max if ord == 2 else np.min)(s, axis=-1)
    elif ord in (1, -1, np.inf, -np.inf):
        along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = np.sum(np.absolute(x), axis=along)
        found = (np.max if ord > 0 else np.min)(sums, axis=over - (over > along))
    else:
        raise ValueError(f"np.linalg.norm: ord={ord!r} is not a norm of matrices; expected 1, 2, inf, their negatives, "
                         "'fro' or 'nuc'")  # fmt: skip
    return np.expand_dims(found, (rows, columns)) if keepdims else found


@derive(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """`numpy.linalg.norm` in all its orders."""
    if axis is None:
        if ord is None:
            return vector_norm_of(x, 2, tuple(range(x.ndim)), keepdims) if x.ndim != 1 else _vectors(x, 2, 0, keepdims)
        if x.ndim not in (1, 2):
            raise ValueError(f"np.linalg.norm: for ord={ord!r} and an array of shape {x.shape}, pass axis=")
        axis = tuple(range(x.ndim))
    axes = as_tuple(axis)
    if len(axes) == 1:
        return _vectors(x, ord, int(axes[0]), keepdims)
    if len(axes) == 2:
        return _matrices(x, ord, axes, keepdims)
    raise ValueError(
        f"np.linalg.norm: axis={axis} names {len(axes)} axes; expected one for vectors, or two for matrices"
    )


@derive(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """`numpy.linalg.vector_norm`: of all elements, or along any number of axes."""
    axes = tuple(range(x.ndim)) if axis is None else as_tuple(axis)
    axes = tuple(int(a) % x.ndim for a in axes)
    kept = [i for i in range(x.ndim) if i not in axes]
    flat = np.reshape(np.transpose(x, (*axes, *kept)), (-1, *(x.shape[i] for i in kept)))
    found = _vectors(flat, ord, 0, False)
    return np.expand_dims(found, axes) if keepdims else found


@derive(np.linalg.matrix_norm)
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """`numpy.linalg.matrix_norm`: of the last two axes."""
    return _matrices(x, ord, (-2, -1), keepdims)


@derive(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    """`numpy.linalg.cond`: the ratio of singular values, or the product of the norms of a matrix and its inverse."""
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return _matrices(x, p, (-2, -1), False) * _matrices(np.linalg.inv(x), p, (-2, -1), False)
