"""The derivatives of functions in one pass: `vjp` and `grad` in reverse mode, `jvp` in forward mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.operands import is_array
from ..core.tensor import Tensor
from ..core.tree import flatten, matched, structure
from .argnums import ArgumentNumbers, as_named, by_position, named_after, numbers_of, positions, replaced
from .forward import ForwardLevel
from .interpreter import Traced
from .linearize import array_like, as_tuple, direction, dtype_of, entering, leaving, linearized, results_of


def stop_gradient(x: Any) -> Any:
    """The same numbers as a constant: neither a transform nor `Tensor.backward` differentiates through it.

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
    for leaf in leaves:
        if not isinstance(leaf, Tensor | int | float | complex | str) and not is_array(leaf):
            raise TypeError(
                f"stop_gradient: got a {type(leaf).__name__}, and what is in it could not be made constant; pass "
                "arrays, or trees of them"
            )
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
        From a cotangent, of the structure and shapes of ``out`` (a dict's members are found by their keys), to a tuple
        with the cotangents of the primals. It can be called as often as is wanted; it holds on to the graph as long as
        it is there.

    Raises
    ------
    TypeError
        If a primal or the result is not made of floating-point numbers.
    StructureError
        If a cotangent has other keys, another length or another kind of container than the result.
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
    like = rebuild_out(out)

    def pullback(g: Any) -> tuple[Any, ...]:
        cotangents = matched(g, like, ("vjp: the cotangent", "the result"))
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
        The direction: for each primal one of the same structure and shapes; a dict's members are found by their keys,
        and for a module it is a dict by the parameters' names.

    Returns
    -------
    out
        ``f(*primals)``.
    tangent
        The derivative of ``out``, of its shape.

    Raises
    ------
    TypeError
        If a primal or the result is not made of floating-point numbers.
    StructureError
        If tangents and primals differ in keys, lengths or kinds of containers.
    ValueError
        If they differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import jvp
    >>> jvp(np.sin, (np.array([0.0, 1.0]),), (np.array([1.0, 2.0]),))
    (array([0.        , 0.84147098]), array([1.        , 1.08060461]))
    """
    primals = as_tuple(primals, "primals")
    leaves, rebuild = flatten(primals)
    directions = matched(as_tuple(tangents, "tangents"), primals, ("jvp: the tangents", "the primals"))
    values = [entering(leaf, "jvp") for leaf in leaves]
    along = [direction(t, value, "tangent") for t, value in zip(directions, values, strict=True)]
    as_tensors = any(isinstance(leaf, Tensor) for leaf in (*leaves, *directions))
    with ForwardLevel("jvp") as level:
        result = f(*rebuild([level.input(v, t) for v, t in zip(values, along, strict=True)]))
    outs, rebuild_out = results_of(result, level)
    lowered = [array_like(level.lower(out)) for out in outs]
    moved = [out._tangent if level.owns(out) else np.zeros_like(low) for out, low in zip(outs, lowered, strict=True)]
    value, tangent = (rebuild_out([leaving(v, as_tensors) for v in part]) for part in (lowered, moved))
    return value, tangent


def value_and_grad(
    f: Callable[..., Any], argnums: ArgumentNumbers = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
    """The function that computes a scalar function's value and gradient.

    Parameters
    ----------
    f : callable
        Returns a single number.
    argnums : int, str, or sequence of these, default 0
        The arguments to differentiate with respect to, by position or by name; for a sequence the gradients are a
        tuple, and an argument that it names twice has its whole gradient twice.
    has_aux : bool, default False
        Whether ``f`` returns a pair: the number, and anything else that is returned with the result.
    holomorphic : bool, default False
        Whether ``f`` is a holomorphic function of complex arguments, and returns a complex number: the gradient is
        then its complex derivative.

    Returns
    -------
    callable
        With the parameters of ``f``. Returns ``(value, gradient)``, or ``((value, aux), gradient)``; a gradient has
        the structure of its argument, and for a module it is a dict from the parameters' names. The gradient of a real
        function L at a complex ``x + iy`` is ``dL/dx - i dL/dy``, as in JAX and HIPS autograd; PyTorch's is its
        conjugate.

    Raises
    ------
    TypeError
        When called, if an argument to differentiate is not made of floating-point numbers, or ``f`` does not return a
        number.
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
    both: Callable[..., Any] = _value_and_grad(f, argnums, has_aux, holomorphic, "value_and_grad")
    return both


def grad(
    f: Callable[..., Any], argnums: ArgumentNumbers = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
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
    >>> grad(lambda z: np.abs(z) ** 2)(3.0 + 4.0j)
    np.complex128(6-8j)
    >>> grad(lambda z: z**3, holomorphic=True)(1.0 + 1.0j)
    np.complex128(6j)
    """
    both = _value_and_grad(f, argnums, has_aux, holomorphic, "grad")

    @named_after(f, "grad")
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


# ---- shared by the transforms ----


def _value_and_grad(
    f: Callable[..., Any], argnums: ArgumentNumbers, has_aux: bool, holomorphic: bool, transform: str
) -> Any:
    places = positions(f, argnums, transform)

    @named_after(f, transform)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = by_position(f, places, args, kwargs)
        numbers = numbers_of(places, args, transform)
        chosen = tuple(args[i] for i in numbers)
        aux: list[Any] = []

        def scalar(*primals: Any) -> Any:
            out = f(*replaced(args, numbers, primals), **kwargs)
            if has_aux:
                if not isinstance(out, tuple) or len(out) != 2:
                    raise TypeError(f"{transform}: with has_aux=True the function must return a pair (value, aux)")
                out, beside = out
                aux.append(beside)
            _check_scalar(out, holomorphic, transform)
            return out

        (value,), pull, _ = linearized(scalar, chosen, transform)
        gradients = flatten(structure(chosen))[1](pull([np.ones_like(value)], retain_graph=False))
        gradient = as_named(places, numbers, gradients, len(args))
        if not has_aux:
            return value, gradient
        leaves, rebuild = flatten(aux[0])
        return (value, rebuild([_outside(leaf) for leaf in leaves])), gradient

    return value_and_gradient


def _outside(leaf: Any) -> Any:
    """The value in a tensor whose transform has ended; any other value is returned unchanged."""
    if isinstance(leaf, Traced) and not leaf._level.running:
        return leaving(leaf._value, False)
    return leaf


def _check_scalar(out: Any, holomorphic: bool, transform: str) -> None:
    number = np.asarray(out) if type(out) in (float, complex) else out
    dtype = dtype_of(number)
    if dtype is None or dtype.kind != ("c" if holomorphic else "f"):
        kind = "complex number, because holomorphic=True," if holomorphic else "floating-point number,"
        advice = "; take its real part, or pass holomorphic=True" if dtype is not None and dtype.kind == "c" else ""
        raise TypeError(
            f"{transform}: the function must return one {kind} and returned "
            + (f"{dtype} of shape {number.shape}" if dtype is not None else f"{type(out).__name__} {out!r:.60}")
            + advice
        )
    if number.size != 1:
        raise ValueError(
            f"{transform}: the function must return a single number, and returned shape {number.shape}; reduce it with "
            ".sum() or .mean(), or take the jacobian"
        )
