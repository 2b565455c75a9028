"""How decompositions of matrices differentiate: Cholesky, QR, eigenvalues, singular values.

The formulas are from the literature, which pairs a cotangent and a tangent as ``Re tr(G^H T)``; the engine's pairing
has no conjugate, so cotangents are conjugated before and after. ``skew(X) = X - X^H``, ``herm(X) = (X + X^H) / 2``.

A symmetric (Hermitian) matrix is assumed to stay so: `eigh` and `cholesky` read one triangle, but spread the gradient
over both. Vectors of equal eigenvalues or singular values have no derivative, and get an infinite gradient if they are
used. LAPACK chooses the phase of a complex vector, so a gradient that depends on it is refused; so is one with respect
to the vectors of a null space.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.custom import primitive
from ...core.registry import defvjp, derive
from ...errors import GradientError
from ...transforms.interpreter import innermost_array
from ...transforms.rule_tables import defjvp
from .._common import batch_stack, strong_quotient
from ..complex_numbers import conjugate
from .solve import adjoint, diagonal_matrix, diagonal_of


def _herm(x: Any) -> Any:
    return (x + adjoint(x)) / 2


def _over_gaps(x: Any, values: Any) -> Any:
    """``x[i, j] / (values[j] - values[i])``, and 0 on the diagonal and where ``x`` is 0."""
    gaps = values[..., None, :] - values[..., :, None]
    return strong_quotient(x, np.where(np.eye(x.shape[-1], dtype=bool), np.inf, gaps))


def _check_phase(turning: Any, cotangent: Any, function: str) -> None:
    """Refuse a cotangent that depends on the vectors' phases."""
    size = np.max(np.absolute(innermost_array(cotangent)), initial=0.0)
    found = np.max(np.absolute(innermost_array(turning)), initial=0.0)
    if found > 1e4 * float(np.finfo(innermost_array(cotangent).dtype).eps) * size:
        raise GradientError(
            f"{function}: the loss depends on the phase of complex vectors, which LAPACK chooses, so it has no "
            "gradient; use values that do not depend on it, such as absolute values or the projectors v v^H"
        )


def _check_unused(g: Any, function: str, what: str) -> None:
    if np.any(innermost_array(g)):
        raise GradientError(
            f"{function}: the loss depends on {what}, which are an arbitrary basis and have no derivative; use "
            "full_matrices=False (mode='reduced' for np.linalg.qr)"
        )


# ---- Cholesky ----
def _lower_half(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    n = x.shape[-1]
    return np.where(np.tri(n, k=-1, dtype=bool), x, np.where(np.eye(n, dtype=bool), x / 2, 0))


@primitive
def cholesky_lower(a: Any) -> Any:
    """The lower Cholesky factor."""
    return np.linalg.cholesky(a)


def _cholesky(g: Any, out: Any) -> Any:
    """``herm(L^-H Phi(L^H G) L^-1)`` (Murray, *Differentiation of the Cholesky decomposition*, 2016)."""
    inner = _lower_half(adjoint(out) @ conjugate(g))
    pulled = np.linalg.solve(adjoint(out), adjoint(np.linalg.solve(adjoint(out), adjoint(inner))))
    return conjugate(_herm(pulled))


def _cholesky_along(t: Any, out: Any) -> Any:
    """``L Phi(L^-1 T L^-H)``."""
    return out @ _lower_half(np.linalg.solve(out, adjoint(np.linalg.solve(out, _herm(t)))))


defvjp(cholesky_lower, a=_cholesky)
defjvp(cholesky_lower, a=_cholesky_along)
batch_stack(cholesky_lower)


@derive(np.linalg.cholesky)
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """`numpy.linalg.cholesky`; the upper factor is the conjugate transpose of the lower one."""
    return adjoint(cholesky_lower(adjoint(a))) if upper else cholesky_lower(a)


# ---- eigenvalues ----
def _eigh(g: tuple[Any, Any], out: tuple[Any, Any]) -> Any:
    """``herm(V (diag(g_w) + (V^H G_V) / gaps) V^H)``."""
    w, v = out
    inner = adjoint(v) @ conjugate(g[1])
    if v.dtype.kind == "c":
        _check_phase(np.imag(diagonal_of(inner)), inner, "np.linalg.eigh")
    pulled = v @ (diagonal_matrix(g[0]) + _over_gaps(inner, w)) @ adjoint(v)
    return conjugate(_herm(pulled))


def _eigh_along(t: Any, out: tuple[Any, Any]) -> tuple[Any, Any]:
    w, v = out
    inner = adjoint(v) @ _herm(t) @ v
    return np.real(diagonal_of(inner)), v @ _over_gaps(inner, w)


defvjp(np.linalg.eigh, any_value=("UPLO",), a=_eigh)
defjvp(np.linalg.eigh, a=_eigh_along)
batch_stack(np.linalg.eigh)


def _eig(g: tuple[Any, Any], out: tuple[Any, Any]) -> Any:
    """For vectors of length 1: ``V^-H (diag(g_w) + (V^H G_V - V^H V Re diag(V^H G_V)) / conj(gaps)) V^H``."""
    w, v = conjugate(out[0]), out[1]
    inner = adjoint(v) @ conjugate(g[1])
    along = diagonal_of(inner)
    if v.dtype.kind == "c":
        _check_phase(np.imag(along), inner, "np.linalg.eig")
    inner = inner - (adjoint(v) @ v) * np.real(along)[..., None, :]
    pulled = diagonal_matrix(conjugate(g[0])) + _over_gaps(inner, w)
    return conjugate(np.linalg.solve(adjoint(v), pulled @ adjoint(v)))


def _eig_along(t: Any, out: tuple[Any, Any]) -> tuple[Any, Any]:
    w, v = out
    inner = np.linalg.solve(v, t @ v)
    moved = v @ _over_gaps(inner, w)
    return diagonal_of(inner), moved - v * np.real(np.sum(conjugate(v) * moved, axis=-2, keepdims=True))


defvjp(np.linalg.eig, a=_eig)
defjvp(np.linalg.eig, a=_eig_along)
batch_stack(np.linalg.eig)


@derive(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    """`numpy.linalg.eigvalsh`, with the vectors that its derivative needs."""
    return np.linalg.eigh(a, UPLO)[0]


@derive(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    """`numpy.linalg.eigvals`, with the vectors that its derivative needs."""
    return np.linalg.eig(a)[0]


# ---- singular values ----
@primitive
def svd_thin(a: Any) -> Any:
    """`numpy.linalg.svd` with as many vectors as singular values."""
    return np.linalg.svd(a, full_matrices=False)


def _skew(x: Any) -> Any:
    return x - adjoint(x)


def _over_gaps_of_squares(left: Any, right: Any, s: Any) -> Any:
    """``(left[i, j] s[j] + s[i] right[i, j]) / (s[j]^2 - s[i]^2)``, without the squares.

    They leave the range of numbers before the quotient does.
    """
    columns, rows = s[..., None, :], s[..., :, None]
    total = columns + rows
    weighted = left * strong_quotient(columns, total) + strong_quotient(rows, total) * right
    return _over_gaps(weighted, s)


def _svd(g: tuple[Any, Any, Any], out: tuple[Any, Any, Any]) -> Any:
    """The formula of Townsend, *Differentiating the singular value decomposition* (2016), for complex numbers, too."""
    u, s, vh = out
    g_u, g_v, v = conjugate(g[0]), adjoint(conjugate(g[2])), adjoint(vh)
    in_u, in_v = adjoint(u) @ g_u, adjoint(v) @ g_v
    columns, rows = s[..., None, :], s[..., :, None]
    inner = _over_gaps_of_squares(_skew(in_u), _skew(in_v), s) + diagonal_matrix(g[1])
    if u.dtype.kind == "c":
        turning = np.imag(diagonal_of(in_u))
        _check_phase(turning + np.imag(diagonal_of(in_v)), np.concatenate([in_u, in_v]), "np.linalg.svd")
        inner = inner + diagonal_matrix(1j * strong_quotient(turning, s))
    pulled = u @ inner @ vh
    if u.shape[-2] > s.shape[-1]:
        pulled = pulled + strong_quotient(g_u - u @ in_u, columns) @ vh
    if v.shape[-2] > s.shape[-1]:
        pulled = pulled + u @ strong_quotient(adjoint(g_v - v @ in_v), rows)
    return conjugate(pulled)


def _svd_along(t: Any, out: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    u, s, vh = out
    v = adjoint(vh)
    inner = adjoint(u) @ t @ v
    columns = s[..., None, :]
    d_u = u @ _over_gaps_of_squares(inner, adjoint(inner), s)
    d_v = v @ _over_gaps_of_squares(adjoint(inner), inner, s)
    if u.dtype.kind == "c":
        d_u = d_u + u * strong_quotient(1j * np.imag(diagonal_of(inner)), s)[..., None, :]
    if u.shape[-2] > s.shape[-1]:
        moved = t @ v
        d_u = d_u + strong_quotient(moved - u @ (adjoint(u) @ moved), columns)
    if v.shape[-2] > s.shape[-1]:
        moved = adjoint(t) @ u
        d_v = d_v + strong_quotient(moved - v @ (adjoint(v) @ moved), columns)
    return d_u, np.real(diagonal_of(inner)), adjoint(d_v)


defvjp(svd_thin, a=_svd)
defjvp(svd_thin, a=_svd_along)
batch_stack(svd_thin)


@primitive
def singular_values(a: Any) -> Any:
    """`numpy.linalg.svdvals`."""
    return np.linalg.svd(a, compute_uv=False)


def _singular_values(g: Any, a: Any) -> Any:
    """``U diag(g) V^H``, for equal values, too."""
    u, _, vh = svd_thin(a)
    return conjugate((u * g[..., None, :]) @ vh)


def _singular_values_along(t: Any, a: Any) -> Any:
    u, _, vh = svd_thin(a)
    return np.real(np.sum(conjugate(u) * (t @ adjoint(vh)), axis=-2))


defvjp(singular_values, a=_singular_values)
defjvp(singular_values, a=_singular_values_along)
batch_stack(singular_values)
derive(np.linalg.svdvals)(lambda x, /: singular_values(x))


@primitive
def svd_full(a: Any) -> Any:
    """`numpy.linalg.svd`, including the vectors of the null spaces."""
    return np.linalg.svd(a)


def _svd_full(g: tuple[Any, Any, Any], out: tuple[Any, Any, Any]) -> Any:
    u, s, vh = out
    k = s.shape[-1]
    for beyond in (g[0][..., :, k:], g[2][..., k:, :]):
        _check_unused(beyond, "np.linalg.svd", "the singular vectors of a null space")
    return _svd((g[0][..., :, :k], g[1], g[2][..., :k, :]), (u[..., :, :k], s, vh[..., :k, :]))


def _svd_full_along(t: Any, out: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """NaN for the vectors of the null spaces, which have no derivative."""
    u, s, vh = out
    k = s.shape[-1]
    d_u, d_s, d_vh = _svd_along(t, (u[..., :, :k], s, vh[..., :k, :]))
    beyond_u, beyond_vh = np.full_like(u[..., :, k:], np.nan), np.full_like(vh[..., k:, :], np.nan)
    return np.concatenate([d_u, beyond_u], axis=-1), d_s, np.concatenate([d_vh, beyond_vh], axis=-2)


defvjp(svd_full, a=_svd_full)
defjvp(svd_full, a=_svd_full_along)
batch_stack(svd_full)


@derive(np.linalg.svd)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """`numpy.linalg.svd`; a Hermitian matrix is decomposed by the general algorithm, too."""
    if not compute_uv:
        return singular_values(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        return svd_full(a)
    return svd_thin(a)


# ---- QR ----
@primitive
def qr_reduced(a: Any) -> Any:
    """`numpy.linalg.qr` of a matrix with at least as many rows as columns."""
    return np.linalg.qr(a)


def _mirrored(x: Any) -> Any:
    """The Hermitian matrix with the upper triangle of ``x``."""
    above = np.where(np.tri(x.shape[-1], k=-1, dtype=bool).T, x, 0)
    return above + adjoint(above) + diagonal_matrix(np.real(diagonal_of(x)))


def _qr(g: tuple[Any, Any], out: tuple[Any, Any]) -> Any:
    """``(G_Q + Q mirrored(G_R R^H - Q^H G_Q)) R^-H`` (Roberts and Roberts, arXiv:2009.10071)."""
    q, r = out
    g_q, g_r = conjugate(g[0]), conjugate(g[1])
    left = g_q + q @ _mirrored(g_r @ adjoint(r) - adjoint(q) @ g_q)
    return conjugate(adjoint(np.linalg.solve(r, adjoint(left))))


def _qr_along(t: Any, out: tuple[Any, Any]) -> tuple[Any, Any]:
    """With ``W = Q^H T R^-1``, ``dQ = Q K + (T - Q Q^H T) R^-1`` and ``dR = (W - K) R``, where K is skew."""
    q, r = out
    moved = adjoint(np.linalg.solve(adjoint(r), adjoint(t)))
    w = adjoint(q) @ moved
    below = np.where(np.tri(w.shape[-1], k=-1, dtype=bool), w, 0)
    k = below - adjoint(below)
    if w.dtype.kind == "c":
        k = k + diagonal_matrix(1j * np.imag(diagonal_of(w)))
    return moved - q @ (w - k), (w - k) @ r


defvjp(qr_reduced, a=_qr)
defjvp(qr_reduced, a=_qr_along)
batch_stack(qr_reduced)


@derive(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """`numpy.linalg.qr`; for a wide matrix, R's columns beyond the square are ``Q^H`` times those of the matrix."""
    rows, columns = a.shape[-2:]
    if mode not in ("reduced", "r", "complete") or (mode == "complete" and rows > columns):
        raise TypeError(
            f"np.linalg.qr: mode={mode!r} of a matrix of shape {a.shape[-2:]} has no derivative; use mode='reduced', "
            "or mode='r'"
        )
    if rows >= columns:
        q, r = result = qr_reduced(a)
    else:
        result = qr_reduced(a[..., :rows])
        q, r = result
        r = np.concatenate([r, adjoint(q) @ a[..., rows:]], axis=-1)
        result = result._replace(R=r)
    return r if mode == "r" else result
