"""Rules: how a function differentiates, with respect to which arguments, and what the graph keeps for it.

A rule is a set of vector-Jacobian products, one for each differentiable argument and named after it. Its
parameters say what the graph keeps: the cotangent ``g`` comes first, and after it, by name, the arguments that it
reads, ``out`` (the function's result), and ``<argument>_shape``, ``<argument>_dtype`` or ``out_shape`` where that is
enough.

    defvjp(np.multiply, x1=lambda g, x2: g * x2, x2=lambda g, x1: g * x1)
    defvjp(np.exp, x=lambda g, out: g * out)
    defvjp(np.add, x1=lambda g: g, x2=lambda g: g)

So an addition keeps nothing, and an exponential only its result. A `Rule` is what is known of a function; a
`Recipe` is a rule made ready for one choice of the arguments that need a gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any
from weakref import finalize, ref

import numpy as np

from ..errors import NoRuleError
from ..formatting import name_of
from .saved import FIXED, protected
from .tree import is_of_numbers

VectorJacobianProduct = Callable[..., Any]

Members = tuple[int, ...] | None
"""Of an argument that is a sequence of arrays those that need a gradient; None for an array."""

Mask = tuple[tuple[int, Members], ...]
"""The arguments of a call that need a gradient: their positions, and their members."""

OUT = -1
"""The source of a saved value that is the call's own result."""

MOST_RECIPES = 64
"""So many recipes are kept of a rule; each takes about 5 kB."""

NEUTRAL = frozenset({"dtype", "casting", "subok", "copy", "optimize", "keepdims"})
"""Arguments that choose how a result is computed or laid out, and so leave every rule as it is."""


class Recipe:
    """A rule made ready for one choice of the arguments that need a gradient.

    Attributes
    ----------
    rule : Rule
        The rule it was made from.
    arguments : tuple of str
        For each parent of a node the argument that it was, for pictures and messages.
    save : callable
        ``save(values, out)``: what to keep of the bound arguments and the result, as a tuple.
    pull : callable
        ``pull(g, saved)``: the cotangents for the parents, in their order.
    reads : tuple of str
        The names of the saved values, in their order.
    sources : tuple
        Where a saved value's own gradient goes: `OUT`, the number of a parent, for a sequence of arrays a dict from
        member to parent, or None where none flows.
    of_outputs : Recipe or None
        The same for calls with several outputs, once there was one.
    """

    __slots__ = ("arguments", "of_outputs", "pull", "reads", "rule", "save", "sources")

    def __init__(self, rule: Rule, mask: Mask) -> None:
        self.rule = rule
        self.of_outputs: Recipe | None = None
        self.arguments: tuple[str, ...] = ()
        parents: dict[int, Any] = {}
        for position, members in mask:
            name = rule.parameters[position]
            if name not in rule.vjps:
                raise not_differentiable(rule, position)
            first = len(self.arguments)
            if members is None:
                parents[position] = first
                self.arguments += (name,)
            else:
                parents[position] = {member: first + i for i, member in enumerate(members)}
                self.arguments += tuple(f"{name}[{member}]" for member in members)

        saves: dict[str, tuple[str, Any]] = {}
        calls: list[str] = []
        scope: dict[str, Any] = {**HELPERS}
        for position, members in mask:
            vjp = rule.vjps[rule.parameters[position]]
            if vjp is None:
                calls += ["None"] * (1 if members is None else len(members))
                continue
            reads = ["g"]
            for wanted in parameter_names(vjp)[1:]:
                if wanted == "members":
                    reads.append(repr(members))
                    continue
                expression, source = rule.locate(wanted, parents)
                saves.setdefault(expression, (wanted, source))
                reads.append(f"saved[{list(saves).index(expression)}]")
            scope[f"vjp{position}"] = vjp
            call = f"vjp{position}({', '.join(reads)})"
            calls.append(call if members is None else f"*counted({call}, {len(members)}, rule)")
        if rule.joint is not None:
            scope["positions"] = [position for position, _ in mask]
            calls = [f"*chosen({calls[0]}, positions, rule)"]
        scope["rule"] = rule
        self.reads = tuple(name for name, _ in saves.values())
        self.sources = tuple(source for _, source in saves.values())
        # Both run once for every node, so they are written out as the one expression that a person would write. As
        # loops they take 14 % more of an operation on 32 elements, and 4 % of a step of a small network.
        scope["constants"] = constants = tuple(
            (place, None if source is None else frozenset(source))
            for place, (expression, (_, source)) in enumerate(saves.items())
            if "values[" in expression and not expression.startswith(("shape_of", "dtype_of"))
            if source is None or isinstance(source, dict)
        )
        save = f"({_items(saves)})"
        if constants:
            arguments = [expression.removeprefix("array_of(").rstrip(")") for expression in saves]
            fixed = " and ".join(f"type({arguments[place]}) in fixed" for place, _ in constants)
            save = f"{save} if {fixed} else protected({save}, constants, rule.elementwise)"
        self.save: Callable[[Any, Any], tuple[Any, ...]] = eval(f"lambda values, out: {save}", scope)
        self.pull: Callable[[Any, Any], tuple[Any, ...]] = eval(f"lambda g, saved: ({_items(calls)})", scope)


class Rule:
    """What is known of a function: its parameters, and a vector-Jacobian product for each differentiable one.

    Attributes
    ----------
    function : callable
        The function that is called on bare arrays.
    name : str
        Its name, with its module where that is short: ``np.exp``.
    parameters : tuple of str
        The parameters' names, in order.
    defaults : tuple
        Their default values; None where there is none, and for NumPy's "no value".
    vjps : dict
        From a parameter's name to its vector-Jacobian product, or to None where the derivative is zero.
    differentiable : frozenset of int
        The positions of the parameters in `vjps`.
    guarded : tuple of int
        The positions of those that change the result while no rule reads them, and that `any_value` does not name:
        they must stay at their defaults.
    joint : callable or None
        In place of them, one function that gives the cotangents of all arguments.
    elementwise : bool
        Whether each element of the result depends on one element of each argument alone.
    pushes : dict
        What forward mode has made of it, by the names of arguments.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        vjps: Mapping[str, VectorJacobianProduct | None],
        like: Callable[..., Any] | None = None,
        joint: VectorJacobianProduct | None = None,
        any_value: Sequence[str] = (),
    ) -> None:
        self.function = function
        self._called_by: Callable[[], Callable[..., Any] | None] = lambda: None
        self.name = name_of(function)
        self.joint = joint
        self.variadic: int | None = None
        self.parameters, self.defaults = self._signature(like or function)
        self.positions = {name: i for i, name in enumerate(self.parameters)}
        self.vjps = dict(vjps) if joint is None else dict.fromkeys(self.parameters, joint)
        self.elementwise = isinstance(function, np.ufunc) and function.signature is None
        self.recipes: dict[Mask, Recipe] = {}
        self.pushes: dict[str, Any] = {}
        self.check(self.vjps, "g", "cotangent")
        for name in any_value:
            self._check_parameter(name, "defvjp")
        self.differentiable = frozenset(i for i, name in enumerate(self.parameters) if name in self.vjps)
        read = {wanted for vjp in self.vjps.values() if vjp for wanted in parameter_names(vjp)} - {"out"}
        free = {*read, *self.vjps, *any_value, *NEUTRAL}
        self.guarded = tuple(i for i, name in enumerate(self.parameters) if name not in free)

    @property
    def call(self) -> Callable[..., Any]:
        """The function as users call it, with tensors too."""
        return self._called_by() or self.function

    def is_called_by(self, function: Callable[..., Any]) -> None:
        """Take note of the function that users call, which has the rule, and is not kept by it."""
        self._called_by = ref(function)
        finalize(function, self._forget).atexit = False

    def _forget(self) -> None:
        """Let go of the recipes, which hold the rule, so that it is freed with the last graph that has one."""
        self.recipes.clear()
        for name in ("first", "second", "both"):
            vars(self).pop(name, None)

    def _signature(self, function: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        if isinstance(function, np.ufunc):
            names = ("x",) if function.nin == 1 else tuple(f"x{i + 1}" for i in range(function.nin))
            return names, (None,) * len(names)
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            raise TypeError(
                f"defvjp: the parameters of {self.name} cannot be read; pass like=, a Python function with the same "
                "parameters"
            ) from None
        kinds = [parameter.kind for parameter in parameters]
        if inspect.Parameter.VAR_POSITIONAL in kinds:
            self.variadic = kinds.index(inspect.Parameter.VAR_POSITIONAL)
        parameters = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
        absent = (inspect.Parameter.empty, np._NoValue)
        defaults = tuple(None if any(p.default is a for a in absent) else p.default for p in parameters)
        return tuple(p.name for p in parameters), defaults

    def check(self, products: Mapping[str, Callable[..., Any] | None], first: str, kind: str) -> None:
        """Refuse products that are named after no parameter, or read what a rule cannot have."""
        registering = "defvjp" if first == "g" else "defjvp"
        for name, product in products.items():
            self._check_parameter(name, registering)
            if product is None:
                continue
            reads = parameter_names(product)
            if not reads or reads[0] != first:
                raise TypeError(
                    f"{registering}: the rule of {self.name} for {name} must take the {kind} {first} first, and not "
                    f"({', '.join(reads)})"
                )
            for wanted in reads[1:]:
                if wanted != "members":
                    self.locate(wanted, {})

    def _check_parameter(self, name: str, registering: str) -> None:
        if name not in self.positions:
            known = ", ".join(self.parameters)
            raise TypeError(f"{registering}: {self.name} has no parameter {name!r}; it has {known}")

    def locate(self, wanted: str, parents: Mapping[int, Any]) -> tuple[str, Any]:
        """Where a value that a rule reads comes from: as an expression, and as the source of its gradient."""
        if wanted == "out":
            return "out", OUT
        if wanted in self.positions:
            position = self.positions[wanted]
            # A list of numbers may have been given for an array. Elementwise functions take lists themselves, and what
            # a joint backward reads is left as it was given.
            may_be_list = wanted in self.vjps and self.joint is None and not self.elementwise
            if may_be_list and position not in parents:
                return f"array_of(values[{position}])", None
            return f"values[{position}]", parents.get(position)
        if wanted == "out_shape":
            return "out.shape", None
        base, _, property_ = wanted.rpartition("_")
        if base in self.positions and property_ in ("shape", "dtype"):
            return f"{property_}_of(values[{self.positions[base]}])", None
        raise TypeError(
            f"defvjp: a rule of {self.name} reads {wanted!r}; it can read g, out, out_shape, members, "
            f"{', '.join(self.parameters)}, and of one of these the shape or the dtype, as <name>_shape, <name>_dtype"
        )

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arguments in the order of the parameters, defaults filled in, ``*args`` gathered in one tuple."""
        if self.variadic is not None:
            args = (*args[: self.variadic], args[self.variadic :])
        if not kwargs:
            return args + self.defaults[len(args) :]
        values = list(args + self.defaults[len(args) :])
        for name, value in kwargs.items():
            if name not in self.positions:
                raise TypeError(f"{self.name}: the argument {name}= is not supported for tensors; no rule mentions it")
            values[self.positions[name]] = None if value is np._NoValue else value
        return tuple(values)

    @cached_property
    def first(self) -> Recipe:
        """The recipe for the first argument alone."""
        return self.recipe(((0, None),))

    @cached_property
    def second(self) -> Recipe:
        """The recipe for the second argument alone."""
        return self.recipe(((1, None),))

    @cached_property
    def both(self) -> Recipe:
        """The recipe for the first two arguments."""
        return self.recipe(((0, None), (1, None)))

    def recipe(self, mask: Mask) -> Recipe:
        """The recipe for these arguments, made on their first use; the latest `MOST_RECIPES` are kept."""
        found = self.recipes.get(mask)
        if found is None:
            if len(self.recipes) >= MOST_RECIPES:  # a sequence may have any of its members in the graph
                self.recipes.pop(next(iter(list(self.recipes))), None)
            found = self.recipes[mask] = Recipe(self, mask)
        return found


def not_differentiable(rule: Rule, position: int) -> NoRuleError:
    """What to raise when an argument that no rule differentiates requires a gradient."""
    return NoRuleError(
        f"{rule.name}: its argument {rule.parameters[position]!r} is or holds a tensor that requires a gradient, and "
        f"no rule differentiates with respect to it (only to {', '.join(rule.vjps)}, as arrays or lists of arrays); "
        "pass its .data or .detach(), or the tensor as an argument of its own"
    )


def parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names of a Python function's positional parameters."""
    try:
        code = function.__code__
    except AttributeError:
        return tuple(inspect.signature(function).parameters)
    return tuple(code.co_varnames[: code.co_argcount])


# ---- what recipes call ----


def _chosen(cotangents: Any, positions: list[int], rule: Rule) -> list[Any]:
    """Of the cotangents for all arguments, which a joint backward gives, those at the positions."""
    given = len(cotangents) if isinstance(cotangents, list | tuple) else None
    if given != len(rule.parameters):
        raise ValueError(
            f"the backward of {rule.name} must return a tuple of {len(rule.parameters)} cotangents, one for each "
            f"of {', '.join(rule.parameters)} (None for none); it returned "
            + (type(cotangents).__name__ if given is None else f"{given}")
        )
    return [cotangents[position] for position in positions]


def _counted(cotangents: Any, expected: int, rule: Rule) -> Any:
    """The cotangents of a sequence's members, if there are as many as there should be."""
    given = len(cotangents) if hasattr(cotangents, "__len__") else type(cotangents).__name__
    if given != expected:
        raise ValueError(
            f"the rule of {rule.name} returned {given} cotangents where {expected} were expected: one for each of the "
            "members"
        )
    return cotangents


def _shape_of(value: Any) -> Any:
    if type(value) is np.ndarray:
        return value.shape
    if isinstance(value, list | tuple) and not is_of_numbers(value):
        return [np.shape(member) for member in value]
    return np.shape(value)


def _dtype_of(value: Any) -> np.dtype[Any]:
    return value.dtype if hasattr(value, "dtype") else np.result_type(value)


def _array_of(value: Any) -> Any:
    """A list of numbers as the array that it stands for; a list of arrays stays one."""
    if type(value) is np.ndarray:
        return value
    return np.asarray(value) if is_of_numbers(value) else value


def _items(expressions: Any) -> str:
    return "".join(f"{expression}, " for expression in expressions)


HELPERS = {
    "shape_of": _shape_of, "dtype_of": _dtype_of, "array_of": _array_of, "chosen": _chosen, "counted": _counted,
    "protected": protected, "fixed": FIXED,
}  # fmt: skip
