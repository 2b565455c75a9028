"""Matrices of derivatives, and their products with vectors: `jacobian`, `hessian`, `hvp`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..core.tree import flatten, matched, structure
from ..errors import GradientError
from .argnums import ArgumentNumbers, as_named, by_position, is_single, named_after, numbers_of, positions, replaced
from .batching import vmap
from .gradients import grad, jvp
from .linearize import entering, leaving, linearized


def jacobian(
    f: Callable[..., Any], argnums: ArgumentNumbers = 0, mode: str | None = None, holomorphic: bool = False
) -> Callable[..., Any]:
    """The function that computes the Jacobian: derivatives of every element of the result by every element of x.

    Parameters
    ----------
    f : callable
        Returns an array or a tree of arrays.
    argnums : int, str, or sequence of these, default 0
        The arguments to differentiate with respect to, by position or by name.
    mode : {"reverse", "forward"}, optional
        Reverse mode computes a row for each element of the result, and forward mode a column for each element of the
        arguments; `vmap` computes many of them together. The default is the mode with fewer of them, or reverse if
        there are equally many; forward for a complex result of real arguments, and reverse for a real result of complex
        arguments.
    holomorphic : bool, default False
        Whether ``f`` is a holomorphic function of complex arguments; it must be if both arguments and result are
        complex.

    Returns
    -------
    callable
        With the parameters of ``f``. For an argument x it returns, in the structure of the result, Jacobians of shape
        ``out.shape + x.shape``; if x is a tree, each of them in the structure of x.

    Raises
    ------
    ValueError
        If the mode is unknown.
    TypeError
        For complex numbers, if the mode cannot give the Jacobian, or if it needs ``holomorphic=True``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import jacobian
    >>> jacobian(lambda x: np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]]) @ np.sin(x))(np.zeros(2))
    array([[1., 2.],
           [0., 1.],
           [3., 0.]])
    """
    if mode not in (None, "reverse", "forward"):
        raise ValueError(f"jacobian: mode={mode!r} is not known; expected 'reverse', 'forward', or None to choose")

    places = positions(f, argnums, "jacobian")

    @named_after(f, "jacobian")
    def jacobians(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = by_position(f, places, args, kwargs)
        numbers = numbers_of(places, args, "jacobian")
        chosen = tuple(args[i] for i in numbers)
        x, rebuild_x = flatten(chosen)
        shaped = flatten(structure(chosen))[1]
        as_tensors = any(isinstance(leaf, Tensor) for leaf in x)

        def of_leaves(*leaves: Any) -> Any:
            return f(*replaced(args, numbers, rebuild_x(list(leaves))), **kwargs)

        values = [entering(leaf, "jacobian") for leaf in x]
        rows, rebuild_out = _rows(of_leaves, values, mode, holomorphic)
        parts = [shaped([leaving(part, as_tensors) for part in row]) for row in rows]
        return rebuild_out([as_named(places, numbers, part, len(args)) for part in parts])

    return jacobians


def hessian(f: Callable[..., Any], argnums: ArgumentNumbers = 0, holomorphic: bool = False) -> Callable[..., Any]:
    """The function that computes the Hessian, forward over reverse: second derivatives of every pair of elements.

    For an argument x of a scalar function it has shape ``x.shape + x.shape``; for trees it is a tree of trees.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import hessian
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    gradient = jacobian(f, argnums, mode="reverse", holomorphic=holomorphic)
    return named_after(f, "hessian")(jacobian(gradient, argnums, mode="forward", holomorphic=holomorphic))


def hvp(f: Callable[..., Any], argnums: ArgumentNumbers = 0) -> Callable[..., Any]:
    """The function that multiplies the Hessian of a scalar function by a vector, without computing the Hessian.

    It uses forward over reverse mode (Pearlmutter, *Fast exact multiplication by the Hessian*, 1994), and costs about
    twice as much as a gradient.

    Returns
    -------
    callable
        Takes the arguments of ``f``, and then the vector, with the structure of the argument that is differentiated (a
        tuple for several arguments).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import hvp
    >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]), np.array([1.0, 0.0]))
    array([10.,  6.])
    """
    argnums = positions(f, argnums, "hvp")

    @named_after(f, "hvp")
    def product(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError("hvp: expected the function's arguments, and after them the vector")
        *rest, vector = args
        vector = tuple(vector) if isinstance(vector, list) and not is_single(argnums) else vector
        numbers = numbers_of(argnums, tuple(rest), "hvp")
        chosen = tuple(rest[i] for i in numbers)
        if not is_single(argnums) and len(numbers) < len(argnums):  # type: ignore[arg-type]
            raise GradientError(
                f"hvp: argnums={argnums} names an argument twice, which would have two vectors then; name it once"
            )

        def gradient(*primals: Any) -> Any:
            return grad(f, argnums)(*replaced(tuple(rest), numbers, primals), **kwargs)

        names = ("hvp: the vector", "the argument" if is_single(argnums) else "the arguments")
        like = chosen[0] if is_single(argnums) else chosen
        vectors = matched(vector, like, names)
        return jvp(gradient, chosen, flatten(structure(chosen))[1](vectors))[1]

    return product


# ---- passes over a basis ----


def _rows(
    f: Callable[..., Any], values: list[Any], mode: str | None, holomorphic: bool
) -> tuple[list[list[Any]], Callable[[list[Any]], Any]]:
    """For each array of the result, its Jacobians with respect to each input; and the structure of the result."""
    complex_in = any(value.dtype.kind == "c" for value in values)
    if mode == "forward":
        if complex_in and not holomorphic:
            raise TypeError(
                "jacobian: with complex arguments, mode='forward' needs a holomorphic function. Pass holomorphic=True "
                "if the function is one, or mode='reverse' if its result is real"
            )
        return _forward_jacobian(f, values)
    outs, pull, rebuild_out = linearized(f, values, "jacobian")
    complex_out = any(out.dtype.kind == "c" for out in outs)
    if complex_out and complex_in and not holomorphic:
        raise TypeError(
            "jacobian: arguments and result are complex, and a complex Jacobian exists only if the function is "
            "holomorphic. Pass holomorphic=True if it is; otherwise differentiate its real and its imaginary part"
        )
    if complex_out and not complex_in:
        if mode == "reverse":
            raise TypeError("jacobian: for a complex result of real arguments use mode='forward'")
        return _forward_jacobian(f, values)
    fewer_columns = sum(value.size for value in values) < sum(np.size(out) for out in outs)
    if mode is None and fewer_columns and (holomorphic or not complex_in):
        return _forward_jacobian(f, values)
    return _reverse_jacobian(outs, pull, values), rebuild_out


def _reverse_jacobian(outs: list[Any], pull: Callable[..., list[Any]], values: list[Any]) -> list[list[Any]]:
    """For each array of the result, its Jacobians with respect to each input, computed row by row."""
    widest = sum(np.size(each) for each in (*outs, *values))
    jacobians = []
    for i, out in enumerate(outs):

        def rows(basis: Any, i: int = i) -> list[Any]:
            return pull([basis if i == j else np.zeros_like(other) for j, other in enumerate(outs)])

        found = _over_basis(rows, out, widest)
        jacobians.append(
            [np.reshape(row, (*np.shape(out), *np.shape(x))) for row, x in zip(found, values, strict=True)]
        )
    return jacobians


def _forward_jacobian(f: Callable[..., Any], values: list[Any]) -> tuple[list[list[Any]], Callable[..., Any]]:
    """The same Jacobians, computed column by column; and the structure of the result."""
    widest = sum(np.size(value) for value in values)
    structures = []
    columns: list[list[Any]] = []
    for i, value in enumerate(values):

        def column(basis: Any, i: int = i) -> list[Any]:
            along = [basis if i == j else np.zeros_like(other) for j, other in enumerate(values)]
            tangents, rebuild = flatten(jvp(f, values, along)[1])
            structures.append(rebuild)
            return tangents

        found = _over_basis(column, value, widest)
        columns.append([np.reshape(np.moveaxis(c, 0, -1), (*np.shape(c)[1:], *np.shape(value))) for c in found])
    return [[column[k] for column in columns] for k in range(len(columns[0]))], structures[0]


PASSES_TOGETHER = 32
"""The largest number of passes that are made as one; more would need more memory for intermediate values."""

ELEMENTS_TOGETHER = 1 << 22
"""The largest number of elements that the arguments and results of passes made as one may have together."""


def _over_basis(f: Callable[[Any], list[Any]], value: Any, widest: int) -> list[Any]:
    """The results of a linear function for every unit vector of a value's shape, along a new first axis."""
    size = int(np.size(value))
    if not size:
        return [np.zeros((0, *np.shape(result)), result.dtype) for result in f(np.zeros_like(value))]
    count = min(PASSES_TOGETHER, max(1, ELEMENTS_TOGETHER // widest))
    parts = []
    for start in range(0, size, count):
        stop = min(start + count, size)
        basis = np.zeros((stop - start, size), value.dtype)
        basis[np.arange(stop - start), np.arange(start, stop)] = 1
        parts.append(_of_each(f, np.reshape(basis, (-1, *np.shape(value)))))
    return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def _of_each(f: Callable[[Any], list[Any]], rows: Any) -> list[Any]:
    """The function of every row: in one pass, or row by row if a rule of the user takes plain arrays only."""
    try:
        return vmap(f)(rows)  # type: ignore[no-any-return]
    except (GradientError, TypeError):
        pass
    return [np.stack(results) for results in zip(*map(f, rows), strict=True)]
