"""Which function differentiates how: the tables of rules, and `defvjp` and its like, which add to them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from importlib import import_module
from typing import Any
from weakref import finalize, ref

import numpy as np

from ..errors import LostGradientError
from ..formatting import name_of
from .rule import Rule, VectorJacobianProduct

RULES: dict[Callable[..., Any], Rule] = {}
"""The rule of each function that has one."""

DERIVED: dict[Callable[..., Any], Callable[..., Any]] = {}
"""Functions that are written in terms of others, which have rules: the replacement is called in their place."""

CANONICAL: dict[Callable[..., Any], Callable[[tuple[Any, ...]], tuple[Any, ...]]] = {}
"""For a function that takes its arguments in two forms: what brings them into the one that rules know."""

NONDIFFERENTIABLE: set[Callable[..., Any]] = set()
"""Functions whose results carry no gradient: indices, truth values, shapes. Called on the bare arrays."""


PIECEWISE_CONSTANT: set[Callable[..., Any]] = set()
"""Functions whose derivative is zero wherever there is one, so that nothing is lost in integers of their results."""

STRUCTURAL: set[Callable[..., Any]] = set()
"""Of these the functions that ask for the shapes and dtypes of their arguments alone."""


def defvjp(
    function: Callable[..., Any],
    /,
    *,
    like: Callable[..., Any] | None = None,
    any_value: Sequence[str] = (),
    **vjps: VectorJacobianProduct | None,
) -> None:
    """Say how a function differentiates: a vector-Jacobian product for each differentiable argument.

    Parameters
    ----------
    function : callable
        A NumPy function or ufunc, or another ufunc whose results are floating-point numbers, such as SciPy's. For an
        ordinary Python function use `custom_vjp`.
    like : callable, optional
        A Python function with the same parameters, for a function written in C whose signature cannot be read.
    any_value : sequence of str, default ()
        Names of arguments that change the result, but not how it differentiates, such as ``initial`` of `numpy.sum`.
        A call that gives another argument a value while no rule reads it is refused, since its gradient might be
        wrong.
    **vjps : callable or None
        Named after the arguments (a ufunc's are ``x``, or ``x1``, ``x2``). Each takes the cotangent ``g`` first and
        then, by name, what it needs: arguments, ``out``, ``<argument>_shape``, ``<argument>_dtype``, ``out_shape``; the
        graph keeps just these. It returns the cotangent of its argument, and may leave broadcasting to the engine,
        which sums it down to the argument's shape. Written with NumPy functions it is differentiable itself. For an
        argument that is a sequence of arrays it also reads ``members``, the indices of those that need a cotangent, and
        returns a list with one for each. None says that the derivative is zero everywhere. For a function with several
        results ``g`` is a tuple of their cotangents, and ``out`` the tuple of them.

    Raises
    ------
    TypeError
        If a name is none of the function's, or a rule reads something that it cannot have.

    Examples
    --------
    The trapezoidal rule weighs every value by the step, the two at the ends by half of it:

    >>> import numpy as np
    >>> from autograd_lite import Tensor, defvjp
    >>> def weights(shape, dx):
    ...     return dx * np.concatenate(([0.5], np.ones(shape[0] - 2), [0.5]))
    >>> defvjp(np.trapezoid, y=lambda g, y_shape, dx: g * weights(y_shape, dx))
    >>> y = Tensor([0.0, 1.0, 4.0, 9.0], requires_grad=True)
    >>> np.trapezoid(y, dx=0.1).backward()
    >>> y.grad
    Tensor([0.05, 0.1 , 0.1 , 0.05], shape=(4,), dtype=float64)

    The rule holds until it is taken away, and NumPy's function is differentiated again as it was before:

    >>> from autograd_lite.core.registry import RULES
    >>> del RULES[np.trapezoid]
    """
    if not callable(function):
        raise TypeError(f"defvjp: expected a function, got {function!r}")
    RULES[function] = Rule(function, vjps, like, any_value=any_value)


def defelementwise(*functions: Callable[..., Any]) -> None:
    """Say of functions that have rules that each element of the result depends on one element of each argument."""
    for function in functions:
        RULES[function].elementwise = True


def derive(function: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make the decorated function stand for a NumPy function when that is called with tensors; it refuses ``out=``."""

    def register(replacement: Callable[..., Any]) -> Callable[..., Any]:
        names = list(inspect.signature(replacement).parameters)
        place = names.index("out") if "out" in names else len(names)

        @wraps(replacement)
        def checked(*args: Any, **kwargs: Any) -> Any:
            refuse_out(function, args[place] if len(args) > place else kwargs.get("out"))
            return replacement(*args, **kwargs)

        takes_out = "out" in names or isinstance(function, np.ufunc)
        DERIVED[function] = checked if takes_out else replacement
        return replacement

    return register


def refuse_out(function: Callable[..., Any], out: Any) -> None:
    """Refuse an array, or several in a tuple, that a result is to be written to."""
    targets = [target for target in (out if isinstance(out, tuple) else (out,)) if target is not None]
    if not targets:
        return
    given = targets[0]
    what = f"an array of shape {given.shape}" if hasattr(given, "shape") else f"a {type(given).__name__}"
    name = name_of(function)
    raise LostGradientError(
        f"{name}: got out= ({what}), which cannot be used with tensors: an array would lose the gradient, and a graph "
        f"may have saved a tensor's values. Use the result, array = {name}(...); for array += tensor write array = "
        "array + tensor"
    )


def defconstant(functions: Iterable[Callable[..., Any]]) -> None:
    """Say of functions that their results carry no gradient: they are called on the bare arrays."""
    NONDIFFERENTIABLE.update(functions)


_OWN_RULE = "_rule_of_autograd_lite"
_NAMED: dict[tuple[str, str], Callable[..., Any]] = {}
_OWNERS: dict[int, ref[Callable[..., Any]]] = {}


def give_own_rule(function: Callable[..., Any], rule: Rule) -> None:
    """Give a Python function a rule that is freed with it.

    Functions of modules are in `RULES` too, where they are found faster, until another one takes their name.
    """
    setattr(function, _OWN_RULE, rule)
    _OWNERS[id(function)] = ref(function)
    finalize(function, _OWNERS.pop, id(function), None).atexit = False
    name = str(getattr(function, "__qualname__", "<locals>"))
    if "<" in name:  # made within a function, or a lambda
        return
    key = str(getattr(function, "__module__", "")), name
    if key in _NAMED:
        RULES.pop(_NAMED[key], None)
    RULES[function], _NAMED[key] = rule, function


def all_rules() -> Iterator[tuple[Callable[..., Any], Rule]]:
    """Every function that has a rule, with the rule."""
    owners = [function for owner in list(_OWNERS.values()) if (function := owner()) is not None]
    own = {function: rule for function in owners if (rule := _own_rule(function)) is not None}
    yield from {**own, **RULES}.items()


def _own_rule(function: Callable[..., Any]) -> Rule | None:
    rule: Rule | None = getattr(function, _OWN_RULE, None)
    # What `functools.wraps` has made of a function has its attributes, and is another one.
    return rule if rule is not None and rule.call is function else None


_PENDING = {"scipy.special": "autograd_lite.rules.scipy.special"}
"""From a library's module to that of its rules, which are registered when one of its functions first meets a tensor."""


def rule_of(function: Callable[..., Any]) -> Rule | None:
    """The rule of a function, None if it has none."""
    rule = RULES.get(function) or _own_rule(function)
    if rule is None and _PENDING and isinstance(function, np.ufunc):
        for library in list(_PENDING.keys() & sys.modules.keys()):
            # Taken out afterwards, so that another thread waits for the import in place of finding no rule.
            import_module(_PENDING[library])
            _PENDING.pop(library, None)
        rule = RULES.get(function)
    return rule


def canonical(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The positional arguments of a call in the form that rules know."""
    form = CANONICAL.get(function)
    return args if form is None else form(args)
