"""Transforms of functions: from a function of arrays to the functions that compute its derivatives.

They take and return plain arrays, nest to any depth, and differentiate with respect to one argument or several, each
an array or a tree of arrays: dicts, lists, tuples, dataclasses, and the parameters of a module. Where an argument is
a `Tensor`, or the function uses tensors that require a gradient, results are tensors, and `Tensor.backward` goes
through them.

The Jacobian of a function f at x, applied to a tangent t, is J t (`jvp`, forward mode); its transpose, applied to a
cotangent g, is J^T g (`vjp`, reverse mode). All others are made of these two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .checkpointing import checkpoint as checkpoint
from .levels import Traced
from .modes import ForwardLevel
from .passes import array_like, direction, entering, leaving, linearized
from .tensor import Tensor
from .trees import flatten, structure

ArgumentNumbers = int | Sequence[int]


def stop_gradient(x: Any) -> Any:
    """The same numbers, as a constant: no derivative of any transform, nor of `Tensor.backward`, flows through.

    Parameters
    ----------
    x : array, Tensor, or a tree of them

    Examples
    --------
    >>> from autograd_lite.transforms import grad, stop_gradient
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    leaves, rebuild = flatten(x)
    return rebuild([leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in leaves])


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """The value of a function, and the function that pulls cotangents back through it: reverse mode.

    Parameters
    ----------
    f : callable
        Takes the primals, and returns an array or a tree of arrays.
    *primals : array or tree of arrays
        Where the function is differentiated.

    Returns
    -------
    out
        ``f(*primals)``.
    pullback : callable
        From a cotangent, of the shape of ``out``, to a tuple with the cotangents of the primals. It can be called as
        often as is wanted; it holds on to the graph as long as it is there.

    Raises
    ------
    TypeError
        If a primal is not made of floating-point numbers.
    ValueError
        If a cotangent has another shape than the result.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import vjp
    >>> out, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    >>> out
    array([3., 8.])
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 3., 40.]), array([ 1., 20.]))
    """
    out, pull, rebuild_out = linearized(f, primals, "vjp")
    rebuild_primals = flatten(structure(primals))[1]

    def pullback(g: Any) -> tuple[Any, ...]:
        cotangents, _ = flatten(g)
        return rebuild_primals(pull(cotangents))  # type: ignore[no-any-return]

    return rebuild_out(out), pullback


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of a function, and its derivative along a direction: forward mode, in one pass and with no graph.

    Parameters
    ----------
    f : callable
        Takes the primals, and returns an array or a tree of arrays.
    primals : sequence
        Where the function is differentiated: its arguments, arrays or trees of arrays.
    tangents : sequence
        The direction: for each primal one of the same structure and shapes.

    Returns
    -------
    out
        ``f(*primals)``.
    tangent
        The derivative of ``out``, of its shape.

    Raises
    ------
    TypeError
        If a primal is not made of floating-point numbers.
    ValueError
        If tangents and primals differ in structure or shape.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import jvp
    >>> jvp(np.sin, (np.array([0.0, 1.0]),), (np.array([1.0, 2.0]),))
    (array([0.        , 0.84147098]), array([1.        , 1.08060461]))
    """
    leaves, rebuild = flatten(tuple(primals))
    directions, _ = flatten(tuple(tangents))
    if len(leaves) != len(directions):
        raise ValueError(
            f"jvp: the primals hold {len(leaves)} arrays and the tangents {len(directions)}; a tangent has the "
            "structure of its primal"
        )
    values = [entering(leaf, "jvp") for leaf in leaves]
    along = [direction(t, value, "tangent") for t, value in zip(directions, values, strict=True)]
    as_tensors = any(isinstance(leaf, Tensor) for leaf in (*leaves, *directions))
    with ForwardLevel("jvp") as level:
        result = f(*rebuild([level.input(v, t) for v, t in zip(values, along, strict=True)]))
    outs, rebuild_out = flatten(result)
    lowered = [array_like(level.lower(out)) for out in outs]
    moved = [out._tangent if level.owns(out) else np.zeros_like(low) for out, low in zip(outs, lowered, strict=True)]
    value, tangent = (rebuild_out([leaving(v, as_tensors) for v in part]) for part in (lowered, moved))
    return value, tangent


def value_and_grad(f: Callable[..., Any], argnums: ArgumentNumbers = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that computes a scalar function's value and gradient.

    Parameters
    ----------
    f : callable
        Returns a single number.
    argnums : int or sequence of int, default 0
        The positional arguments to differentiate with respect to; for a sequence the gradients are a tuple.
    has_aux : bool, default False
        Whether ``f`` returns a pair, of the number and of anything that is to be handed on beside it.

    Returns
    -------
    callable
        With the parameters of ``f``. Returns ``(value, gradient)``, or ``((value, aux), gradient)``; a gradient has
        the structure of its argument, and for a module is a dict from the parameters' names.

    Raises
    ------
    TypeError
        When called, if an argument to differentiate is not made of floating-point numbers, or ``f`` returns no number.
    ValueError
        If the result has more than one element.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import value_and_grad
    >>> def loss(parameters, x, y):
    ...     return np.mean((parameters["slope"] * x + parameters["offset"] - y) ** 2)
    >>> x = np.array([0.0, 1.0, 2.0, 3.0])
    >>> value_and_grad(loss)({"slope": 2.0, "offset": 0.0}, x, 3 * x)
    (np.float64(3.5), {'slope': np.float64(-7.0), 'offset': np.float64(-3.0)})
    """
    both: Callable[..., Any] = _value_and_grad(f, argnums, has_aux, "value_and_grad")
    return both


def grad(f: Callable[..., Any], argnums: ArgumentNumbers = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that computes a scalar function's gradient; see `value_and_grad`.

    With ``has_aux`` it returns ``(gradient, aux)``.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import grad
    >>> grad(np.tanh)(0.5)
    np.float64(0.7864477329659274)
    >>> grad(grad(grad(np.sin)))(0.0)
    np.float64(-1.0)
    >>> grad(lambda x, y: np.sum(x * y**2), argnums=(0, 1))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    (array([ 9., 16.]), array([ 6., 16.]))
    """
    both = _value_and_grad(f, argnums, has_aux, "grad")

    @_named(f, "grad")
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def jacobian(f: Callable[..., Any], argnums: ArgumentNumbers = 0, mode: str | None = None) -> Callable[..., Any]:
    """The function that computes the Jacobian: the derivative of every element of the result by every one of x.

    Parameters
    ----------
    f : callable
        Returns an array or a tree of arrays.
    argnums : int or sequence of int, default 0
        The positional arguments to differentiate with respect to.
    mode : {"reverse", "forward"}, optional
        A pass for each element of the result, or one for each element of the arguments. By default the one with
        fewer passes, and reverse where they are equally many.

    Returns
    -------
    callable
        With the parameters of ``f``. For an argument x it returns, in the structure of the result, Jacobians of shape
        ``out.shape + x.shape``; if x is a tree, each of them in the structure of x.

    Raises
    ------
    ValueError
        If the mode is none of the two.

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

    @_named(f, "jacobian")
    def jacobians(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums, args, "jacobian")
        chosen = tuple(args[i] for i in numbers)
        x, rebuild_x = flatten(chosen)
        shaped = flatten(structure(chosen))[1]
        as_tensors = any(isinstance(leaf, Tensor) for leaf in x)

        def of_leaves(*leaves: Any) -> Any:
            return f(*_replaced(args, numbers, rebuild_x(list(leaves))), **kwargs)

        values = [entering(leaf, "jacobian") for leaf in x]
        columns = sum(value.size for value in values)
        if mode == "forward":
            rows, rebuild_out = _forward_jacobian(of_leaves, values)
        else:
            outs, pull, rebuild_out = linearized(of_leaves, values, "jacobian")
            if mode is None and sum(np.size(out) for out in outs) > columns:
                rows, rebuild_out = _forward_jacobian(of_leaves, values)
            else:
                rows = _reverse_jacobian(outs, pull)
        parts = [shaped([leaving(part, as_tensors) for part in row]) for row in rows]
        return rebuild_out([part[0] if isinstance(argnums, int) else part for part in parts])

    return jacobians


def hessian(f: Callable[..., Any], argnums: ArgumentNumbers = 0) -> Callable[..., Any]:
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
    return jacobian(jacobian(f, argnums, mode="reverse"), argnums, mode="forward")


def hvp(f: Callable[..., Any], argnums: ArgumentNumbers = 0) -> Callable[..., Any]:
    """The function that multiplies the Hessian of a scalar function with a vector, and never forms it.

    Forward over reverse (Pearlmutter, *Fast exact multiplication by the Hessian*, 1994): about twice the cost of a
    gradient.

    Returns
    -------
    callable
        Takes the arguments of ``f``, and as the last one the vector, in the structure of the argument that is
        differentiated (a tuple of them for several).

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import hvp
    >>> hvp(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]), np.array([1.0, 0.0]))
    array([10.,  6.])
    """

    @_named(f, "hvp")
    def product(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError("hvp: expected the function's arguments, and after them the vector")
        *rest, vector = args
        numbers = _numbers(argnums, tuple(rest), "hvp")
        chosen = tuple(rest[i] for i in numbers)

        def gradient(*primals: Any) -> Any:
            return grad(f, argnums)(*_replaced(tuple(rest), numbers, primals), **kwargs)

        return jvp(gradient, chosen, (vector,) if isinstance(argnums, int) else tuple(vector))[1]

    return product


# ---- what they share ----
def _value_and_grad(f: Callable[..., Any], argnums: ArgumentNumbers, has_aux: bool, transform: str) -> Any:
    @_named(f, transform)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        numbers = _numbers(argnums, args, transform)
        chosen = tuple(args[i] for i in numbers)
        aux: list[Any] = []

        def scalar(*primals: Any) -> Any:
            out = f(*_replaced(args, numbers, primals), **kwargs)
            if has_aux:
                if not isinstance(out, tuple) or len(out) != 2:
                    raise TypeError(f"{transform}: with has_aux=True the function must return a pair (value, aux)")
                out, beside = out
                aux.append(beside)
            _check_scalar(out, transform)
            return out

        (value,), pull, _ = linearized(scalar, chosen, transform)
        gradients = flatten(structure(chosen))[1](pull([np.ones_like(value)], retain_graph=False))
        gradient = gradients[0] if isinstance(argnums, int) else tuple(gradients)
        if not has_aux:
            return value, gradient
        leaves, rebuild = flatten(aux[0])
        return (value, rebuild([_outside(leaf) for leaf in leaves])), gradient

    return value_and_gradient


def _outside(leaf: Any) -> Any:
    """What a tensor wraps whose transform has ended; anything else as it is."""
    if isinstance(leaf, Traced) and not leaf._level.running:
        return leaving(leaf._data, False)
    return leaf


def _reverse_jacobian(outs: list[Any], pull: Callable[..., list[Any]]) -> list[list[Any]]:
    """For each array of the result its Jacobians with respect to each input, a row for each of its elements."""
    jacobians = []
    for i, out in enumerate(outs):
        rows = []
        for basis in _basis(out):
            rows.append(pull([basis if i == j else np.zeros_like(other) for j, other in enumerate(outs)]))
        blank = rows or [pull([np.zeros_like(other) for other in outs])]
        columns = list(zip(*blank, strict=True))
        jacobians.append([_stacked(column, bool(rows), out, column[0], out_first=True) for column in columns])
    return jacobians


def _forward_jacobian(f: Callable[..., Any], values: list[Any]) -> tuple[list[list[Any]], Callable[..., Any]]:
    """The same, a column for each element of the inputs; with the structure of the result."""
    structures = []
    columns: list[list[list[Any]]] = []
    outs: list[Any] = []
    for i, value in enumerate(values):
        found = []
        directions = list(_basis(value))
        for basis in directions or [np.zeros_like(value)]:
            out, tangent = jvp(f, values, [basis if i == j else np.zeros_like(v) for j, v in enumerate(values)])
            outs, rebuild = flatten(out)
            structures.append(rebuild)
            found.append(flatten(tangent)[0])
        columns.append([_stacked(c, bool(directions), c[0], value, out_first=False) for c in zip(*found, strict=True)])
    return [[column[k] for column in columns] for k in range(len(outs))], structures[0]


def _stacked(parts: Sequence[Any], any_pass: bool, out: Any, x: Any, *, out_first: bool) -> Any:
    """Derivatives by passes as one array of shape ``out.shape + x.shape``."""
    out_shape, x_shape = np.shape(out), np.shape(x)
    if not any_pass:
        return np.zeros((*out_shape, *x_shape), np.result_type(x if out_first else out))
    stacked = np.stack(parts)
    if out_first:
        return np.reshape(stacked, (*out_shape, *x_shape))
    return np.reshape(np.moveaxis(stacked, 0, -1), (*out_shape, *x_shape))


def _basis(value: Any) -> Any:
    """Arrays of a value's shape and dtype with a single 1."""
    for i in range(np.size(value)):
        unit = np.zeros(np.shape(value), value.dtype)
        unit.flat[i] = 1
        yield unit


def _check_scalar(out: Any, transform: str) -> None:
    shape, dtype = getattr(out, "shape", None), getattr(out, "dtype", None)
    if isinstance(out, int | float):
        return
    if shape is None or dtype is None or dtype.kind != "f":
        raise TypeError(
            f"{transform}: the function must return one floating-point number, and returned "
            + (f"{dtype} of shape {shape}" if dtype is not None else type(out).__name__)
        )
    if out.size != 1:
        raise ValueError(
            f"{transform}: the function must return a single number, and returned shape {shape}; reduce it with "
            ".sum() or .mean(), or take the jacobian"
        )


def _numbers(argnums: ArgumentNumbers, args: tuple[Any, ...], transform: str) -> tuple[int, ...]:
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise ValueError(
                f"{transform}: argnums={argnums} names a positional argument {number}, and there are {len(args)}; "
                "arguments to differentiate are passed by position"
            )
    return tuple(number % len(args) for number in numbers)


def _replaced(args: tuple[Any, ...], numbers: tuple[int, ...], values: Any) -> tuple[Any, ...]:
    replaced = list(args)
    for number, value in zip(numbers, values, strict=True):
        replaced[number] = value
    return tuple(replaced)


def _named(f: Callable[..., Any], transform: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the transformed function the name and the documentation of the function."""
    if not callable(f):
        raise TypeError(f"{transform}: expected a function, got {f!r}")

    def decorate(transformed: Callable[..., Any]) -> Callable[..., Any]:
        named = wraps(f)(transformed)
        named.__name__ = f"{transform}({getattr(f, '__name__', 'f')})"
        return named

    return decorate
