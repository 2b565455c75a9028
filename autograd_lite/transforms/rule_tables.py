"""What a function's rule says to forward mode and to `vmap`: Jacobian-vector products, and batching rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..core.registry import RULES
from ..core.rule import HELPERS, Members, Rule, parameter_names
from ..formatting import name_of

JacobianVectorProduct = Callable[..., Any]

JVPS: dict[Rule, dict[str, JacobianVectorProduct]] = {}
"""Of a rule the Jacobian-vector product of each argument, `LINEAR` where that is the function itself.

An elementwise function needs none: its Jacobian is diagonal, and so its own transpose.
"""


def LINEAR(t: Any) -> Any:  # noqa: N802 - a constant, in the place of a function
    """The Jacobian-vector product of a linear function, which is the function itself."""
    raise NotImplementedError


def defjvp(function: Callable[..., Any], /, **jvps: JacobianVectorProduct) -> None:
    """Say how tangents go forward through a function that has a rule: a Jacobian-vector product for each argument.

    It is a matter of speed alone. Elementwise ufuncs need none, and for every other function that has only a
    vector-Jacobian product that is transposed, which costs about two backward steps.

    Parameters
    ----------
    function : callable
        One that `defvjp` or `custom_vjp` has given a rule.
    **jvps : callable
        Named after the arguments. Each takes the argument's tangent ``t`` first, and then by name what it needs, as
        in `defvjp`. It returns the tangent of the result; those of several arguments are added up. For an argument
        that is a sequence of arrays ``t`` is a list, with a tangent for each of the ``members``.

    Raises
    ------
    TypeError
        If the function has no rule, a name is none of its arguments, or a rule reads something that it cannot have.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import custom_vjp, defjvp
    >>> from autograd_lite.transforms import jvp
    >>> cube = custom_vjp(lambda x: x**3, x=lambda g, x: 3 * g * x**2)
    >>> defjvp(cube, x=lambda t, x: 3 * t * x**2)
    >>> jvp(cube, (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    (array([1., 8.]), array([ 3., 12.]))
    """
    if function not in RULES:
        raise TypeError(f"defjvp: {name_of(function)} has no rule yet; give it one with defvjp or custom_vjp first")
    rule = RULES[function]
    rule.check(jvps, "t", "tangent")
    JVPS.setdefault(rule, {}).update(jvps)
    for name in jvps:
        _READS.pop((rule, name), None)


def deflinear(function: Callable[..., Any], *names: str) -> None:
    """Say of a function that has a rule that it is linear in arguments, in each for itself: it is its own derivative.

    A function of a sequence of arrays is linear in all of its members together.
    """
    defjvp(function, **dict.fromkeys(names, LINEAR))


def push(rule: Rule, position: int, t: Any, values: Sequence[Any], out: Any, members: Members) -> Any:
    """The tangent of the result that the tangent of one argument causes; None for zero."""
    name = rule.parameters[position]
    product = JVPS.get(rule, {}).get(name, rule.vjps.get(name))
    if product is None:
        return None
    if (rule, name) not in _READS:
        wanted = parameter_names(product)[1:]
        reads = ["members" if each == "members" else rule.locate(each, {})[0] for each in wanted]
        _READS[rule, name] = product, eval(f"lambda values, out, members: [{', '.join(reads)}]", dict(HELPERS))
    known, read = _READS[rule, name]
    return known(t, *read(values, out, members))


_READS: dict[tuple[Rule, str], tuple[JacobianVectorProduct, Callable[..., list[Any]]]] = {}
"""Of a rule's argument its product, and the function that finds what the product reads."""


# ---- for many examples at once ----


class Batching(NamedTuple):
    """How a function is called with arrays that have one more axis, the first, which counts examples.

    Attributes
    ----------
    rule : callable
        Takes the function's arguments, with all examples in the operands, and returns all results.
    operands : tuple of str
        The parameters that may hold an array, or a list of arrays, that differs from example to example.
    repeats : bool
        Whether an operand that is the same for all is repeated for each; if not, the rule takes also ``mapped``, the
        set of the operands that do differ.
    """

    rule: Callable[..., Any]
    operands: tuple[str, ...]
    repeats: bool = True


BATCHING: dict[Callable[..., Any], Batching] = {}
"""How functions that are not elementwise are called for many examples at once."""


def defbatching(
    function: Callable[..., Any], *operands: str, repeats: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the decorated function say how another is called for many examples at once; see `Batching`."""

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        BATCHING[function] = Batching(rule, operands, repeats)
        return rule

    return register
