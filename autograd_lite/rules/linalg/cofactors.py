"""The cofactors of a matrix, which are the derivatives of its determinant, and theirs: of singular matrices too.

Of a regular matrix they are ``det(a) inv(a).T``. Of one whose determinant is 0, or leaves the range of numbers, they
come from the singular values, as products of all values but one, and their derivatives as products of all but two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.registry import defvjp
from ...errors import GradientError
from ...transforms.interpreter import innermost_array
from ...transforms.rule_tables import defbatching, defjvp
from .._common import batch_stack

Array = np.ndarray[Any, Any]


def cofactors(a: Any) -> Any:
    """The cofactors of a matrix, or of each in a stack: the derivative of the determinant by every element.

    Examples
    --------
    >>> cofactors(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    if type(a) is not np.ndarray:
        return a.__array_function__(cofactors, (type(a),), (a,), {})
    determinant = np.linalg.det(a)
    singular = _is_out_of_reach(determinant)
    regular = np.where(singular[..., None, None], np.eye(a.shape[-1], dtype=a.dtype), a)
    found = np.asarray(determinant)[..., None, None] * np.linalg.inv(regular).mT
    if singular.any():
        u, s, vh, turn = _decomposed(a[singular])
        found[singular] = turn * ((u * _products_of_others(s)[:, None, :]) @ vh).conj()
    return found


def change_of_cofactors(a: Any, along: Any) -> Any:
    """How the cofactors change where the matrix moves along another one."""
    for operand in (a, along):
        if type(operand) is not np.ndarray:
            answer = operand.__array_function__(change_of_cofactors, (type(operand),), (a, along), {})
            if answer is not NotImplemented:
                return answer
    determinant = np.linalg.det(a)
    singular = _is_out_of_reach(determinant)
    regular = np.where(singular[..., None, None], np.eye(a.shape[-1], dtype=a.dtype), a)
    found = np.asarray(_of_regular(regular, along))
    if singular.any():
        found[singular] = _of_singular(a[singular], np.broadcast_to(along, a.shape)[singular])
    return found


def _is_out_of_reach(determinant: Any) -> Array:
    return np.asarray(np.equal(determinant, 0) | ~np.isfinite(determinant))


def _of_regular(a: Any, t: Any) -> Any:
    """``det(a) (tr(X t) X^T - (X t X)^T)`` with ``X = inv(a)``."""
    inverse = np.linalg.inv(a)
    moved = inverse @ t
    trace = np.trace(moved, axis1=-2, axis2=-1)[..., None, None]
    return np.linalg.det(a)[..., None, None] * (trace * inverse.mT - (moved @ inverse).mT)


def _of_singular(a: Array, t: Array) -> Array:
    u, s, vh, turn = _decomposed(a)
    inner = u.conj().mT @ t @ vh.conj().mT
    others = _products_of_all_but_two(s)
    diagonal = np.einsum("kij,kjj->ki", others, inner)
    moved = -others * inner.mT
    i = np.arange(s.shape[-1])
    moved[:, i, i] += diagonal
    return np.asarray(turn * (u.conj() @ moved @ vh.conj()))


def _decomposed(a: Array) -> tuple[Array, Array, Array, Array]:
    """The singular value decomposition of a stack, and the determinant of the product of the two sides."""
    u, s, vh = np.linalg.svd(a)
    return u, s, vh, np.linalg.det(u @ vh)[:, None, None]


def _products_of_others(s: Array) -> Array:
    n = s.shape[-1]
    return np.asarray(np.prod(np.where(np.eye(n, dtype=bool), 1, s[..., None, :]), axis=-1))


def _products_of_all_but_two(s: Array) -> Array:
    """For each pair of values the product of all others; 0 for a value with itself."""
    n = s.shape[-1]
    one = np.eye(n, dtype=bool)
    left_out = one[:, None, :] | one[None, :, :]
    return np.where(one, 0, np.prod(np.where(left_out, 1, s[..., None, None, :]), axis=-1))


def _third(x: Any, a: Any, t: Any) -> Any:
    """The third derivative of the determinant of regular matrices along two others, which it is symmetric in."""
    if np.any(_is_out_of_reach(np.linalg.det(innermost_array(a)))):
        raise GradientError("np.linalg.det: a singular matrix has first and second derivatives here, and no third ones")
    inverse = np.linalg.inv(a)
    along_x, along_t = inverse @ x, inverse @ t
    trace_x, trace_t, trace_both = (
        np.trace(matrix, axis1=-2, axis2=-1)[..., None, None] for matrix in (along_x, along_t, along_x @ along_t)
    )
    moved = (
        (trace_x * trace_t - trace_both) * inverse
        - (trace_x * along_t + trace_t * along_x) @ inverse
        + (along_x @ along_t + along_t @ along_x) @ inverse
    )
    return np.linalg.det(a)[..., None, None] * moved.mT


defvjp(cofactors, a=lambda g, a: change_of_cofactors(a, g))
defjvp(cofactors, a=lambda t, a: change_of_cofactors(a, t))
batch_stack(cofactors)
defvjp(
    change_of_cofactors,
    a=lambda g, a, along: _third(g, a, along),
    along=lambda g, a: change_of_cofactors(a, g),
)
defjvp(
    change_of_cofactors,
    a=lambda t, a, along: _third(t, a, along),
    along=lambda t, a: change_of_cofactors(a, t),
)


@defbatching(change_of_cofactors, "a", "along")
def _changes(a: Any, along: Any) -> Any:
    return change_of_cofactors(a, along)
