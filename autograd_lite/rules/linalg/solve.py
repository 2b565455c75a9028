"""How inverses, determinants and functions that are made of them differentiate.

The formulas are those of Giles, *An extended collection of matrix derivative results* (2008), and for the
pseudo-inverse those of Golub and Pereyra (SIAM J. Numer. Anal. 10 (1973), equation 4.12). They hold for stacks of
matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.registry import defconstant, defvjp, derive
from ...transforms.interpreter import innermost_array
from ...transforms.linearize import array_like
from ...transforms.rule_tables import defbatching, defjvp
from .._common import Shape, batch_stack, strong_product, strong_quotient, symmetric_product
from ..complex_numbers import conjugate
from .cofactors import cofactors
from .products import vecdot


def adjoint(x: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    return conjugate(x).mT


def identity_like(x: Any) -> Any:
    """The identity matrix of the size of the last axis, in the dtype of an array."""
    return np.eye(x.shape[-1], dtype=x.dtype)


def diagonal_of(x: Any) -> Any:
    """The diagonals of the last two axes, as vectors."""
    i = np.arange(min(x.shape[-2:]))
    return x[..., i, i]


def diagonal_matrix(x: Any) -> Any:
    """Matrices with the last axis on their diagonals."""
    return x[..., None] * identity_like(x)


# ---- inverses and systems of equations ----
defvjp(np.linalg.inv, a=lambda g, out: -out.mT @ g @ out.mT)
defjvp(np.linalg.inv, a=lambda t, out: -out @ t @ out)
batch_stack(np.linalg.inv)


def _solve_a(g: Any, a: Any, b_shape: Shape, out: Any) -> Any:
    """``-np.linalg.solve(a.T, g) @ out.T``."""
    pulled = np.linalg.solve(a.mT, _columns(g, b_shape))
    return -pulled @ _columns(out, b_shape).mT


def _columns(x: Any, b_shape: Shape) -> Any:
    """A right side or a solution as a matrix; it is a vector if the right side has one axis."""
    return x[..., None] if len(b_shape) == 1 else x


def _as_given(x: Any, b_shape: Shape) -> Any:
    return x[..., 0] if len(b_shape) == 1 else x


defvjp(
    np.linalg.solve,
    a=_solve_a,
    b=lambda g, a, b_shape: _as_given(np.linalg.solve(a.mT, _columns(g, b_shape)), b_shape),
)
defjvp(
    np.linalg.solve,
    a=lambda t, a, b_shape, out: _as_given(-np.linalg.solve(a, t @ _columns(out, b_shape)), b_shape),
    b=lambda t, a, b_shape: _as_given(np.linalg.solve(a, _columns(t, b_shape)), b_shape),
)


@defbatching(np.linalg.solve, "a", "b", repeats=False)
def _solve_all(a: Any, b: Any, *, mapped: frozenset[str] = frozenset()) -> Any:
    one = np.ndim(b) - ("b" in mapped) == 1
    columns = b[..., None] if one else b
    rank_a, rank_b = np.ndim(a) - ("a" in mapped), np.ndim(columns) - ("b" in mapped)
    if "a" in mapped and rank_b > rank_a:
        a = np.reshape(a, (a.shape[0], *(1,) * (rank_b - rank_a), *a.shape[1:]))
    if "b" in mapped and rank_a > rank_b:
        columns = np.reshape(columns, (columns.shape[0], *(1,) * (rank_a - rank_b), *columns.shape[1:]))
    solution = np.linalg.solve(a, columns)
    return solution[..., 0] if one else solution


def _pinv(g: Any, a: Any, out: Any) -> Any:
    """The cotangent for the pairing ``Re tr(g^H t)``, at constant rank."""
    g, inverse = conjugate(g), adjoint(out)
    beside = adjoint(g) @ out @ inverse
    before = inverse @ out @ adjoint(g)
    return conjugate(-inverse @ g @ inverse + beside - a @ (out @ beside) + before - before @ out @ a)


def _pinv_along(t: Any, a: Any, out: Any) -> Any:
    """``-P t P + P P^H t^H (I - a P) + (I - P a) t^H P^H P``."""
    beside = out @ adjoint(out) @ adjoint(t)
    before = adjoint(t) @ adjoint(out) @ out
    return -out @ t @ out + beside - beside @ a @ out + before - out @ a @ before


defvjp(np.linalg.pinv, any_value=("rcond", "hermitian", "rtol"), a=_pinv)
defjvp(np.linalg.pinv, a=_pinv_along)
batch_stack(np.linalg.pinv)


@derive(np.linalg.lstsq)
def lstsq(a: Any, b: Any, rcond: float | None = None) -> tuple[Any, Any, Any, Any]:
    """`numpy.linalg.lstsq` by the pseudo-inverse; the rank carries no gradient."""
    a, b = array_like(a), array_like(b)
    rows, columns = a.shape
    if rcond is None:
        rcond = float(np.finfo(a.dtype).eps) * max(rows, columns)
    elif rcond < 0:
        rcond = float(np.finfo(a.dtype).eps)
    rank = np.linalg.matrix_rank(a, rtol=rcond)
    x = np.linalg.pinv(a, rtol=rcond) @ b
    residuals = np.sum(np.absolute(b - a @ x) ** 2, axis=0, keepdims=np.ndim(b) == 1)
    if rows <= columns or np.any(innermost_array(rank) < columns):
        residuals = residuals[:0]
    return x, residuals, rank, np.linalg.svdvals(a)


@derive(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """`numpy.linalg.tensorsolve` as one system of equations."""
    a, b = array_like(a), array_like(b)
    if axes is not None:
        given = [axis % a.ndim for axis in axes]
        a = np.transpose(a, [i for i in range(a.ndim) if i not in given] + given)
    shape = a.shape[b.ndim :]
    return np.reshape(np.linalg.solve(np.reshape(a, (b.size, -1)), np.ravel(b)), shape)


@derive(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """`numpy.linalg.tensorinv` as the inverse of one matrix."""
    if ind < 1:
        raise ValueError(f"np.linalg.tensorinv: ind must be a positive number of axes, got {ind!r}")
    inverse = np.linalg.inv(np.reshape(a, (math.prod(a.shape[:ind]), -1)))
    return np.reshape(inverse, (*a.shape[ind:], *a.shape[:ind]))


# ---- determinants ----
def _over_matrix(g: Any) -> Any:
    return g[..., None, None]


defvjp(np.linalg.det, a=lambda g, a: strong_product(_over_matrix(g), cofactors(a)))
defjvp(np.linalg.det, a=lambda t, a: np.sum(symmetric_product(t, cofactors(a)), axis=(-2, -1)))
batch_stack(np.linalg.det)


def _slogdet(g: tuple[Any, Any], a: Any, out: tuple[Any, Any]) -> Any:
    """With ``w = tr(a^-1 t)``, the logarithm changes by ``Re w``, and the angle of a complex sign by ``Im w``."""
    sign, log = g
    if a.dtype.kind == "c":
        log = log - 1j * np.real(1j * sign * out[0])
    return strong_product(_over_matrix(log), _slope_of_logarithm(a))


def _slogdet_along(t: Any, a: Any, out: tuple[Any, Any]) -> tuple[Any, Any]:
    w = np.sum(symmetric_product(t, _slope_of_logarithm(a)), axis=(-2, -1))
    return 1j * out[0] * np.imag(w) if a.dtype.kind == "c" else np.zeros_like(w), np.real(w)


def _slope_of_logarithm(a: Any) -> Any:
    """``np.linalg.inv(a).mT``, and of a singular matrix its cofactors over 0, as the logarithm's slope is 1 over 0."""
    singular = _over_matrix(np.equal(np.linalg.det(a), 0))
    regular = np.where(singular, identity_like(a), a)
    with np.errstate(divide="ignore"):
        return np.where(singular, strong_quotient(cofactors(a), np.where(singular, 0, 1)), np.linalg.inv(regular).mT)


defvjp(np.linalg.slogdet, a=_slogdet)
defjvp(np.linalg.slogdet, a=_slogdet_along)
batch_stack(np.linalg.slogdet)


# ---- products of many matrices ----
@derive(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """`numpy.linalg.matrix_power` by repeated squaring."""
    if n == 0:
        return np.where(True, identity_like(a), a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 3:
        return a @ a @ a
    power, result = a, None
    while n:
        n, bit = divmod(n, 2)
        if bit:
            result = power if result is None else result @ power
        power = power @ power if n else power
    return result


@derive(np.linalg.multi_dot)
def multi_dot(arrays: Sequence[Any], *, out: None = None) -> Any:
    """`numpy.linalg.multi_dot`: the product in the order that needs the fewest multiplications."""
    if len(arrays) < 2:
        raise ValueError(f"np.linalg.multi_dot: expected at least two arrays, got {len(arrays)}")
    matrices = list(map(array_like, arrays))
    first, last = matrices[0].ndim, matrices[-1].ndim
    if first == 1:
        matrices[0] = matrices[0][None, :]
    if last == 1:
        matrices[-1] = matrices[-1][:, None]
    product = _multiplied(matrices, _splits([matrix.shape[0] for matrix in matrices] + [matrices[-1].shape[1]]))
    if first == 1:
        product = product[0]
    return product[..., 0] if last == 1 else product


def _splits(lengths: list[int]) -> dict[tuple[int, int], int]:
    """Where each chain of matrices is best split (Cormen et al., *Introduction to Algorithms*, section 15.2)."""
    cost = {(i, i): 0 for i in range(len(lengths) - 1)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, len(lengths) - 1):
        for i in range(len(lengths) - 1 - length):
            j = i + length
            costs = {k: cost[i, k] + cost[k + 1, j] + lengths[i] * lengths[k + 1] * lengths[j + 1] for k in range(i, j)}
            split[i, j] = min(costs, key=costs.__getitem__)
            cost[i, j] = costs[split[i, j]]
    return split


def _multiplied(matrices: list[Any], splits: dict[tuple[int, int], int], i: int = 0, j: int | None = None) -> Any:
    j = len(matrices) - 1 if j is None else j
    if i == j:
        return matrices[i]
    k = splits[i, j]
    return np.matmul(_multiplied(matrices, splits, i, k), _multiplied(matrices, splits, k + 1, j))


# ---- the names of the array API standard ----
derive(np.linalg.matmul)(lambda x1, x2, /: np.matmul(x1, x2))
derive(np.linalg.outer)(lambda x1, x2, /: np.outer(x1, x2))
derive(np.linalg.tensordot)(lambda x1, x2, /, *, axes=2: np.tensordot(x1, x2, axes=axes))
derive(np.linalg.trace)(lambda x, /, *, offset=0, dtype=None: np.trace(x, offset, axis1=-2, axis2=-1, dtype=dtype))
derive(np.linalg.diagonal)(lambda x, /, *, offset=0: np.diagonal(x, offset, axis1=-2, axis2=-1))
derive(np.linalg.matrix_transpose)(lambda x, /: np.swapaxes(x, -1, -2))
derive(np.linalg.cross)(lambda x1, x2, /, *, axis=-1: np.cross(x1, x2, axis=axis))
derive(np.linalg.vecdot)(vecdot)

defconstant([np.linalg.matrix_rank])
batch_stack(np.linalg.matrix_rank)
