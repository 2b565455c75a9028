"""The rules of functions for forward mode and for `vmap`: Jacobian-vector products, and batching rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from ..core.registry import rule_of
from ..core.rule import HELPERS, Members, Rule, parameter_names
from ..formatting import name_of

JacobianVectorProduct = Callable[..., Any]

JVPS: WeakKeyDictionary[Rule, dict[str, JacobianVectorProduct]] = WeakKeyDictionary()
"""For each rule, the Jacobian-vector products of its arguments; `LINEAR` means the function itself.

An elementwise function needs no entry: its Jacobian is diagonal, and so equal to its transpose.
"""


def LINEAR(t: Any) -> Any:  # noqa: N802 - it is used as a constant
    """The Jacobian-vector product of a linear function, which is the function itself."""
    raise NotImplementedError


def defjvp(function: Callable[..., Any], /, **jvps: JacobianVectorProduct) -> None:
    """Define how tangents go forward through a function that has a rule: a Jacobian-vector product for each argument.

    This only makes forward mode faster. Elementwise ufuncs need no Jacobian-vector product, and for every other
    function the vector-Jacobian product is transposed if there is none, which costs about two backward steps.

    Parameters
    ----------
    function : callable
        A function that has a rule by `defvjp` or `custom_vjp`.
    **jvps : callable
        Functions named after the arguments. Each takes the argument's tangent ``t`` first, and then by name the values
        that it needs, as in `defvjp`. It returns the tangent of the result; the tangents from several arguments are
        added. For an argument that is a sequence of arrays, ``t`` is a list, with a tangent for each of the
        ``members``.

    Raises
    ------
    TypeError
        If the function has no rule, if a name is not one of its arguments, or if a product has a parameter that is
        unknown.

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
    rule = rule_of(function)
    if rule is None:
        raise TypeError(f"defjvp: {name_of(function)} has no rule yet; give it one with defvjp or custom_vjp first")
    rule.check(jvps, "t", "tangent")
    JVPS.setdefault(rule, {}).update(jvps)
    for name in jvps:
        rule.pushes.pop(name, None)


def deflinear(function: Callable[..., Any], *names: str) -> None:
    """Declare that a function with a rule is linear in each of these arguments: it is its own Jacobian-vector product.

    A function of a sequence of arrays has to be linear in all of its members together.
    """
    defjvp(function, **dict.fromkeys(names, LINEAR))


def push(rule: Rule, position: int, t: Any, values: Sequence[Any], out: Any, members: Members) -> Any:
    """The contribution of one argument's tangent to the tangent of the result; None for zero."""
    name = rule.parameters[position]
    product = JVPS.get(rule, {}).get(name, rule.vjps.get(name))
    if product is None:
        return None
    if name not in rule.pushes:
        wanted = parameter_names(product)[1:]
        reads = ["members" if each == "members" else rule.locate(each, {})[0] for each in wanted]
        rule.pushes[name] = product, eval(f"lambda values, out, members: [{', '.join(reads)}]", dict(HELPERS))
    known, read = rule.pushes[name]  # the product, and what finds the values that it reads
    return known(t, *read(values, out, members))


# ---- rules for vmap ----


class Batching(NamedTuple):
    """How a function is called with arrays that have one more axis, in front, which counts examples.

    Attributes
    ----------
    rule : callable
        Takes the function's arguments, with all examples in the operands, and returns all results.
    operands : tuple of str
        The parameters that may hold an array, or a list of arrays, that differs from example to example.
    repeats : bool
        Whether an operand that is the same for all examples is repeated for each of them; if not, the rule also takes
        ``mapped``, the set of the operands that differ from example to example.
    """

    rule: Callable[..., Any]
    operands: tuple[str, ...]
    repeats: bool = True


BATCHING: dict[Callable[..., Any], Batching] = {}
"""The batching rules of functions that are not elementwise."""


def defbatching(
    function: Callable[..., Any], *operands: str, repeats: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the decorated function the batching rule of `function`; see `Batching`."""

    def register(rule: Callable[..., Any]) -> Callable[..., Any]:
        BATCHING[function] = Batching(rule, operands, repeats)
        return rule

    return register
