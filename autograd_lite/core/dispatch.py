"""Calling a function on tensors: unwrap, call on the bare arrays, and record a node if a gradient can flow.

Everything that happens to a tensor comes through here: operators and ufuncs by `call_unary` and `call_binary`, which
are short because small networks spend their time in them, and all other functions by `call`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from ..errors import LostGradientError, NoRuleError
from .context import STATE
from .graph import Node, new_node
from .lazy_rules import rule_of
from .registry import CONSTANT, DERIVED, RULES
from .rule import Mask, Recipe, Rule, name_of, not_differentiable


def call_unary(function: Callable[..., Any], x: Tensor) -> Any:
    """A ufunc of one argument, or a function with a single parameter."""
    rule = RULES.get(function)
    if rule is None:
        return call(function, (x,), {})
    recording = STATE.recording
    if recording is not True and STATE.plan is not None:
        STATE.plan.adopt((x,))
    value, parent = x._data, x._node
    try:
        out = rule.function(value)
    except (ValueError, TypeError, IndexError) as error:
        raise _explained(error, function, (value,)) from None
    if parent is None or not recording:
        return as_tensors(out) if type(out) is tuple else wrap(out)
    return _recorded(rule.first, (parent,), (value,), out)


def call_binary(ufunc: np.ufunc, x1: Any, x2: Any) -> Any:
    """A ufunc of two arguments, of which at least one is a tensor."""
    rule = RULES.get(ufunc)
    if rule is None:
        return call(ufunc, (x1, x2), {})
    recording = STATE.recording
    if recording is not True and STATE.plan is not None:
        STATE.plan.adopt((x1, x2))
    if type(x1) is Tensor:
        value1, parent1 = x1._data, x1._node
    else:
        value1, parent1 = (x1, None) if type(x1) in PLAIN else _operand(x1)
    if type(x2) is Tensor:
        value2, parent2 = x2._data, x2._node
    else:
        value2, parent2 = (x2, None) if type(x2) in PLAIN else _operand(x2)
    try:
        out = ufunc(value1, value2)
    except (ValueError, TypeError) as error:
        raise _explained(error, ufunc, (value1, value2)) from None
    if not recording:
        return as_tensors(out) if type(out) is tuple else wrap(out)
    if parent1 is not None:
        if parent2 is not None:
            return _recorded(rule.both, (parent1, parent2), (value1, value2), out)
        return _recorded(rule.first, (parent1,), (value1, value2), out)
    if parent2 is not None:
        return _recorded(rule.second, (parent2,), (value1, value2), out)
    return as_tensors(out) if type(out) is tuple else wrap(out)


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A ufunc with keyword arguments, with three inputs or more, or through one of its methods."""
    if method == "__call__":
        return call(ufunc, inputs, kwargs)
    equivalent = _AS_FUNCTION.get((ufunc, method))
    if equivalent is not None:
        names = ("array", "axis", "dtype", "out", "keepdims")
        arguments = {"axis": 0, **dict(zip(names[1:], inputs[1:], strict=False)), **kwargs}
        return call(equivalent, (inputs[0],), {k: v for k, v in arguments.items() if v is not None or k == "axis"})
    if method == "outer" and ufunc.nin == 2:
        first, second = (x if isinstance(x, Tensor) else np.asarray(x) for x in inputs)
        return call(ufunc, (np.reshape(first, (*first.shape, *(1,) * second.ndim)), second), kwargs)
    return _call_without_rule(getattr(ufunc, method), inputs, kwargs)


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Any function with tensors among its arguments, in lists of them too."""
    if STATE.plan is not None:
        STATE.plan.adopt((*args, *kwargs.values()))
    if STATE.level:
        level = interpreter.innermost((*args, *kwargs.values()))
        if level is not None:
            return level.call(function, args, kwargs)
    rule = RULES.get(function) or rule_of(function)
    if rule is None:
        derived = DERIVED.get(function)
        if derived is None:
            return _call_without_rule(function, args, kwargs)
        if STATE.recording and any(map(requires_gradient, (*args, *kwargs.values()))):
            return derived(*args, **kwargs)
        return as_tensors(_call_without_rule(function, args, kwargs))
    mask: Mask = ()
    positional = not kwargs and rule.variadic is None
    if STATE.recording:
        values = args if positional else rule.bind(args, {} if isinstance(function, np.ufunc) else kwargs)
        mask, parents, arrays = _needing_gradient(rule, values)
    if mask:
        if kwargs or rule.guarded:
            refuse_unread(rule, values, kwargs)
    elif kwargs:
        _refuse_tensor_as_out(function, kwargs)
    try:
        if mask and positional:
            out = rule.function(*arrays)
        else:
            out = rule.function(*map(bare, args), **{name: bare(value) for name, value in kwargs.items()})
    except (ValueError, TypeError, IndexError) as error:
        raise _explained(error, function, (*args, *kwargs.values())) from None
    if not mask:
        return as_tensors(out)
    return _recorded(rule.recipe(mask), tuple(parents), (*arrays, *rule.defaults[len(arrays) :]), out)


def record(rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, level: interpreter.Level | None) -> Any:
    """A result that has been computed already, recorded in the graph of a level, or outside of all."""
    if level is not None:
        return level.record(rule, mask, values, out, (), {})
    parents = [
        values[i]._node if members is None else values[i][m]._node for i, members in mask for m in members or (0,)
    ]
    return _recorded(rule.recipe(mask), tuple(parents), tuple(map(bare, values)), out)


def bare(value: Any) -> Any:
    """A value with the arrays in place of the tensors, within lists and tuples too."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Tensor):
        return value._data
    if type(value) is tuple or type(value) is list:
        return type(value)(map(bare, value))
    return value


def holds_tensor(values: Sequence[Any]) -> bool:
    """Whether a tensor is among the values, or in lists and tuples among them."""
    for value in values:
        if isinstance(value, Tensor):
            return True
        if (type(value) is tuple or type(value) is list) and holds_tensor(value):
            return True
    return False


def _operand(value: Any) -> tuple[Any, Node | None]:
    """An operand as rules can read it, of which a list is an array, and its node if it has one."""
    if isinstance(value, Tensor):
        return value._data, value._node
    return np.asarray(value) if type(value) in _SEQUENCES else value, None


def _nests_gradient(member: Any) -> bool:
    return isinstance(member, list | tuple) and requires_gradient(member)


def as_tensors(result: Any) -> Any:
    """The arrays that a function gave, alone or several, as tensors outside of the graph."""
    if isinstance(result, tuple):
        return outputs.in_container_of(result, map(as_tensors, result))
    if isinstance(result, list):
        return list(map(as_tensors, result))
    return result if isinstance(result, Tensor) else wrap(result)


def requires_gradient(value: Any) -> bool:
    """Whether a value is, or holds in lists and tuples, a tensor that requires a gradient."""
    if isinstance(value, Tensor):
        return value._node is not None
    if type(value) is tuple or type(value) is list:
        return any(map(requires_gradient, value))
    return False


def _recorded(recipe: Recipe, parents: tuple[Node, ...], values: tuple[Any, ...], out: Any) -> Any:
    """The result of a call as a tensor, with the node that the call makes; of several a tuple."""
    try:
        dtype = out.dtype
    except AttributeError:
        check_dtype(recipe.rule, out)
        node = outputs.node_of_call(recipe, parents, recipe.save(values, out), out)
        return outputs.in_container_of(
            out, [wrap(result, outputs.node_of_result(node, i)) for i, result in enumerate(out)]
        )
    parent, shape = parents[0], out.shape
    if dtype is not parent.dtype and dtype.kind not in "fc":
        _refuse_dtype(recipe.rule, dtype)
    if shape == parent.shape:
        shape = parent.shape  # one tuple for a whole chain: a long graph is a third smaller
    saved = recipe.save(values, out) if recipe.reads else ()
    return wrap(out, new_node(recipe, parents, saved, shape, dtype))


def _needing_gradient(rule: Rule, values: tuple[Any, ...]) -> tuple[Mask, list[Node], list[Any]]:
    """The arguments that need a gradient, their nodes, and all arguments with arrays in place of the tensors."""
    mask: list[tuple[int, tuple[int, ...] | None]] = []
    parents: list[Node] = []
    arrays: list[Any] = []
    for position, value in enumerate(values):
        members: tuple[int, ...] | None = None
        if isinstance(value, Tensor):
            arrays.append(value._data)
            if value._node is None:
                continue
            nodes = [value._node]
        elif type(value) in _SEQUENCES:
            arrays.append(bare(value))
            if not requires_gradient(value):
                continue
            members = tuple(i for i, member in enumerate(value) if isinstance(member, Tensor) and member._node)
            nodes = [value[i]._node for i in members]
        else:
            arrays.append(value)
            continue
        if position not in rule.differentiable or (members is not None and any(map(_nests_gradient, value))):
            raise not_differentiable(rule, position)
        mask.append((position, members))
        parents += nodes
    return tuple(mask), parents, arrays


def refuse_unread(rule: Rule, values: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse an argument that changes the result, or takes it, while the rules would know nothing of it."""
    given = {
        rule.parameters[i]: values[i] for i in rule.guarded if i < len(values) and values[i] is not rule.defaults[i]
    }
    if isinstance(rule.function, np.ufunc):
        given.update((name, value) for name, value in kwargs.items() if name not in _NEUTRAL_OF_UFUNCS)
    for name, value in given.items():
        if value is None:
            continue
        if name == "out":
            _refuse_tensor_as_out(rule.function, {"out": value})
            raise LostGradientError(
                f"{rule.name}: out= (and so array += tensor) would write into a plain array and lose the gradient; use "
                "the result that is returned: array = array + tensor"
            )
        raise TypeError(
            f"{rule.name}: {name}={value!r} is not supported for a tensor that requires a gradient, because no rule "
            "says how the gradient depends on it"
        )


def _refuse_tensor_as_out(function: Callable[..., Any], kwargs: Mapping[str, Any]) -> None:
    out = kwargs.get("out")
    if any(isinstance(target, Tensor) for target in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(
            f"{name_of(function)}: out= cannot be a tensor, since the graph may have saved its values; use the result "
            "that is returned, or pass out=tensor.data outside of the graph"
        )


def _call_without_rule(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call on bare arrays what carries no gradient, or has none to lose."""
    if function not in CONSTANT and STATE.recording and any(map(requires_gradient, (*args, *kwargs.values()))):
        raise no_rule(function, (*args, *kwargs.values()))
    _refuse_tensor_as_out(function, kwargs)
    try:
        return function(*map(bare, args), **{name: bare(value) for name, value in kwargs.items()})
    except (ValueError, TypeError, IndexError) as error:
        raise _explained(error, function, (*args, *kwargs.values())) from None


def no_rule(function: Callable[..., Any], values: tuple[Any, ...]) -> NoRuleError:
    """What to raise when a function without a rule meets a tensor that is differentiated."""
    name = name_of(function)
    return NoRuleError(
        f"{name}: no rule says how it differentiates, for {_shapes(values)}. Give it one with "
        f"autograd_lite.defvjp({name}, ...), or call it on .data where no gradient is wanted"
    )


def check_dtype(rule: Rule, out: Any) -> None:
    """Refuse a result that cannot carry a derivative."""
    for result in out if isinstance(out, tuple) else (out,):
        if not hasattr(result, "dtype"):
            raise TypeError(
                f"{rule.name}: its result is a {type(result).__name__}; a rule is for a function that gives one array, "
                "or a tuple of them"
            )
        if result.dtype.kind not in "fc":
            _refuse_dtype(rule, result.dtype)


def _refuse_dtype(rule: Rule, dtype: np.dtype[Any]) -> NoReturn:
    raise LostGradientError(
        f"{rule.name}: its result is {dtype}, which carries no gradient, but its input requires one; take .detach() "
        "first, or ask for a floating-point dtype"
    )


def _explained(error: Exception, function: Callable[..., Any], values: tuple[Any, ...]) -> Exception:
    """NumPy's complaint with the function's name, the shapes and dtypes that it got, and what to do.

    What a user's own function raises is the user's to see, and passes as it is.
    """
    if isinstance(error, NoRuleError | LostGradientError):
        return error
    name = name_of(function)
    if not (name.startswith("np.") or getattr(function, "__module__", "").startswith("autograd_lite.")):
        return error
    message = str(error)
    advice = next((advice for sign, advice in _ADVICE.items() if sign in message), "")
    kind = next(kind for kind in (IndexError, TypeError, ValueError) if isinstance(error, kind))
    return kind(f"{name} of {_shapes(values)}: {message}{advice and '; ' + advice}")


def _shapes(values: tuple[Any, ...]) -> str:
    described = []
    for value in values:
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            described.append(f"shape {value.shape} {value.dtype}")
        elif isinstance(value, list | tuple) and any(hasattr(member, "shape") for member in value):
            described.append(f"[{_shapes(tuple(value))}]")
        elif value is not None:
            described.append(repr(value)[:60])
    return " and ".join(described)


_SEQUENCES = frozenset({list, tuple})

PLAIN: frozenset[type] = frozenset({np.ndarray, np.float32, np.float64, float, int})
"""The usual operands that are no tensors: they hold none, and leave operators to a tensor beside them."""

_INNER_AXES = "the last axis of the first must be as long as the last but one of the second; a .T may be missing"

_ADVICE = {
    "could not be broadcast": "counted from the last, axes must be equally long, or one of them 1; reshape or "
    "np.expand_dims adds an axis",
    "core dimension": _INNER_AXES,
    "not aligned": _INNER_AXES,
    "cannot reshape": "the number of elements must stay the same",
    "out of bounds for array of dimension": "axes count from 0, or from -1 backwards",
    "did not contain a loop": "expected numbers",
    "not supported for the input types": "expected numbers",
}

_AS_FUNCTION: dict[tuple[np.ufunc, str], Callable[..., Any]] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}

_NEUTRAL_OF_UFUNCS = frozenset({"dtype", "casting", "order", "subok"})
"""Keyword arguments of every ufunc that choose how its result is computed, and so leave the rules as they are."""

# At the end, since these modules need this one.
from ..transforms import interpreter  # noqa: E402
from . import outputs  # noqa: E402
from .tensor import Tensor, wrap  # noqa: E402
