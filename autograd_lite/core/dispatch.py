"""Calling a function on tensors: unwrap, call on the bare arrays, and record a node if a gradient can flow.

Everything that happens to a tensor comes through here: operators and ufuncs by `call_unary` and `call_binary`, and all
other functions by `call`. The two are short, because small networks spend their time in them: by `call` an operation on
32 elements takes 37 % longer, and a step of a small network 6 to 9 %.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import GradientError
from . import outputs
from .context import CONTEXT, RUNNING
from .graph import Leaf, Node
from .messages import check_dtype, explained, no_rule, refuse_dtype, refuse_tensor_as_out, refuse_unread
from .operands import USUAL, is_itself, operand
from .operators import IN_PLACE, PLAIN, define_operators
from .registry import DERIVED, NONDIFFERENTIABLE, PIECEWISE_CONSTANT, RULES, canonical, rule_of
from .rule import Mask, Recipe, Rule, not_differentiable
from .tensor import Array, Tensor, wrap
from .tree import found, mapped


def call_unary(function: Callable[..., Any], x: Tensor) -> Any:
    """A ufunc of one argument, or a function with a single parameter."""
    rule, context = RULES.get(function), CONTEXT.get()
    if rule is None or not context.is_plain:
        return call(function, (x,), {})
    value, parent = x._value, x._node
    try:
        out = rule.function(value)
    except (ValueError, TypeError, IndexError) as error:
        raise explained(error, function, (value,)) from None
    if parent is None or not context.recording:
        return as_tensors(out) if type(out) is tuple else wrap(out)
    return recorded_result(rule.first, (parent,), (value,), out)


def call_binary(ufunc: np.ufunc, x1: Any, x2: Any) -> Any:
    """A ufunc of two arguments, of which at least one is a tensor."""
    rule, context = RULES.get(ufunc), CONTEXT.get()
    if rule is None or not context.is_plain:
        return call(ufunc, (x1, x2), {})
    if type(x1) is Tensor:
        value1, parent1 = x1._value, x1._node
    else:
        value1, parent1 = (x1, None) if type(x1) in PLAIN else _operand(x1, ufunc)
    if type(x2) is Tensor:
        value2, parent2 = x2._value, x2._node
    else:
        value2, parent2 = (x2, None) if type(x2) in PLAIN else _operand(x2, ufunc)
    try:
        out = ufunc(value1, value2)
    except (ValueError, TypeError) as error:
        raise explained(error, ufunc, (value1, value2)) from None
    if context.recording:
        if parent1 is not None:
            if parent2 is not None:
                return recorded_result(rule.both, (parent1, parent2), (value1, value2), out)
            return recorded_result(rule.first, (parent1,), (value1, value2), out)
        if parent2 is not None:
            return recorded_result(rule.second, (parent2,), (value1, value2), out)
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
    context = CONTEXT.get()
    for arg in args:
        if type(arg) not in USUAL and not is_itself(arg):
            args = tuple([operand(arg, function) for arg in args])
            break
    for arg in kwargs.values():
        if type(arg) not in USUAL and not is_itself(arg):
            kwargs = {name: operand(value, function) for name, value in kwargs.items()}
            break
    for running in RUNNING[-1:]:
        interpreter = running.answering((*args, *kwargs.values()))
        if interpreter is not None:
            return interpreter.call(function, args, kwargs)
    rule = RULES.get(function) or rule_of(function)
    if rule is None:
        derived = DERIVED.get(function)
        if derived is None:
            return _call_without_rule(function, args, kwargs)
        if context.recording and any(map(requires_gradient, (*args, *kwargs.values()))):
            return derived(*args, **kwargs)
        return as_tensors(_call_without_rule(function, args, kwargs))
    mask: Mask = ()
    positional = not kwargs and rule.variadic is None
    if context.recording:
        values = args if positional else rule.bind(args, {} if isinstance(function, np.ufunc) else kwargs)
        mask, parents, arrays = _needing_gradient(rule, values)
    if mask:
        if kwargs or rule.guarded:
            refuse_unread(rule, values, kwargs)
    elif kwargs:
        refuse_tensor_as_out(function, kwargs)
    try:
        if mask and positional:
            out = rule.function(*arrays)
        else:
            out = rule.function(*map(bare, args), **{name: bare(value) for name, value in kwargs.items()})
    except (ValueError, TypeError, IndexError) as error:
        raise explained(error, function, (*args, *kwargs.values())) from None
    if context.anomalies is not None:
        context.anomalies.look_at_result(function, (*args, *kwargs.values()), out)
    if not mask:
        return as_tensors(out)
    result = recorded_result(rule.recipe(mask), tuple(parents), (*arrays, *rule.defaults[len(arrays) :]), out)
    if context.anomalies is not None:
        context.anomalies.note(result)
    return result


def recorded_result(recipe: Recipe, parents: tuple[Node, ...], values: tuple[Any, ...], out: Any) -> Any:
    """The result of a call as a tensor, with the node that the call makes; of several a tuple."""
    try:
        dtype = out.dtype
    except AttributeError:
        check_dtype(recipe.rule, out)
        node = outputs.node_of_call(recipe, parents, recipe.save(values, out), out)
        return outputs.in_container_of(
            out, [wrap(result, outputs.node_of_output(node, i)) for i, result in enumerate(out)]
        )
    parent, shape = parents[0], out.shape
    if dtype is not parent.dtype and dtype.kind not in "fc":
        refuse_dtype(recipe.rule, dtype)
    if shape == parent.shape:
        shape = parent.shape  # one tuple for a whole chain: a long graph is a third smaller
    saved = recipe.save(values, out) if recipe.reads else ()
    return wrap(out, Node(recipe, parents, saved, shape, dtype))


def bare(value: Any) -> Any:
    """A value with the arrays in place of the tensors, within lists, tuples and dicts too."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Tensor):
        return value._array()
    return mapped(bare, value) if type(value) in _NESTING else value


def as_tensors(result: Any) -> Any:
    """The arrays that a function gave, alone or several, as tensors outside of the graph."""
    if isinstance(result, tuple):
        return outputs.in_container_of(result, map(as_tensors, result))
    if isinstance(result, list):
        return list(map(as_tensors, result))
    return result if isinstance(result, Tensor) else wrap(result)


def requires_gradient(value: Any) -> bool:
    """Whether a value is, or holds in lists, tuples and dicts, a tensor that requires a gradient."""
    if isinstance(value, Tensor):
        return value._node is not None
    return isinstance(value, _CONTAINERS) and any(tensor._node is not None for tensor in found(Tensor, value))


def holds_tensor(value: Any) -> bool:
    """Whether a value is, or holds in lists, tuples and dicts, a tensor."""
    return isinstance(value, Tensor) or (isinstance(value, _CONTAINERS) and any(True for _ in found(Tensor, value)))


def _operand(value: Any, ufunc: np.ufunc) -> tuple[Any, Node | None]:
    """An operand as rules can read it, of which a list is an array, and its node if it has one."""
    if isinstance(value, Tensor):
        return value._value, value._node
    value = operand(value, ufunc)
    return np.asarray(value) if type(value) in _SEQUENCES else value, None


def _needing_gradient(rule: Rule, values: tuple[Any, ...]) -> tuple[Mask, list[Node], list[Any]]:
    """The arguments that need a gradient, their nodes, and all arguments with arrays in place of the tensors."""
    mask: list[tuple[int, tuple[int, ...] | None]] = []
    parents: list[Node] = []
    arrays: list[Any] = []
    for position, value in enumerate(values):
        members: tuple[int, ...] | None = None
        if isinstance(value, Tensor):
            arrays.append(value._array())
            if value._node is None:
                continue
            nodes = [value._node]
        elif type(value) in _SEQUENCES:
            arrays.append(bare(value))
            if not requires_gradient(value):
                continue
            members = tuple(i for i, member in enumerate(value) if isinstance(member, Tensor) and member._node)
            nodes = [value[i]._node for i in members]
        elif isinstance(value, dict) and requires_gradient(value):
            raise not_differentiable(rule, position)
        else:
            arrays.append(value)
            continue
        is_nested = members is not None and any(
            type(member) in _NESTING and requires_gradient(member) for member in value
        )
        if position not in rule.differentiable or is_nested:
            raise not_differentiable(rule, position)
        mask.append((position, members))
        parents += nodes
    return tuple(mask), parents, arrays


def _call_without_rule(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call on bare arrays what carries no gradient, or has none to lose."""
    values = (*args, *kwargs.values())
    if function not in NONDIFFERENTIABLE and CONTEXT.get().recording and any(map(requires_gradient, values)):
        raise no_rule(function, values)
    refuse_tensor_as_out(function, kwargs)
    try:
        return function(*map(bare, args), **{name: bare(value) for name, value in kwargs.items()})
    except (ValueError, TypeError, IndexError) as error:
        raise explained(error, function, values) from None


_SEQUENCES = frozenset({list, tuple})

_NESTING = _SEQUENCES | {dict}

_CONTAINERS = (list, tuple, dict)

_AS_FUNCTION: dict[tuple[np.ufunc, str], Callable[..., Any]] = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}


# ---- what leads here: indexing and conversion, operators, and NumPy's protocols ----


def getitem(x: Array, index: Any) -> Array:
    """``x[index]``, as a function that has a rule."""
    return x[index]


def astype(x: Array, dtype: np.dtype[Any]) -> Array:
    """``x.astype(dtype)``, as a function that has a rule."""
    return x.astype(dtype)


def _getitem(self: Tensor, index: Any) -> Any:
    return call(getitem, (self, index), {})


def _astype(self: Tensor, dtype: npt.DTypeLike) -> Any:
    """The tensor in another floating-point width; its cotangent comes back in this one."""
    dtype = np.dtype(dtype)
    return call(astype, (self.detach() if has_no_slope(self, dtype) else self, dtype), {})


def has_no_slope(tensor: Tensor, dtype: np.dtype[Any]) -> bool:
    """Whether a tensor is the result of a step function, such as `floor`, which integers do not lose the slope of."""
    node = tensor._node
    if dtype.kind in "fc" or node is None or node.recipe is None:
        return False
    rule = node.recipe.rule
    return rule.function in PIECEWISE_CONSTANT and (rule.function is not np.sign or node.dtype.kind == "f")


def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if method == "__call__" and not kwargs:
        if len(inputs) == 2:
            return call_binary(ufunc, *inputs)
        if len(inputs) == 1:
            return call_unary(ufunc, *inputs)
    return call_ufunc(ufunc, method, inputs, kwargs)


def _array_function(
    self: Tensor, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return call(function, canonical(function, args), kwargs)


def _in_place(symbol: str, compute: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    """An operator such as ``-=``: a new tensor for the name, but within `no_grad` a leaf is updated itself."""

    def update(self: Tensor, other: Any) -> Any:
        result = compute(self, other)
        if type(self) is not Tensor or not isinstance(self._node, Leaf):
            return result
        if not CONTEXT.get().recording:
            if not np.can_cast(result.dtype, self.dtype, "same_kind"):
                raise TypeError(f"{self._brief()}: {symbol} gives {result.dtype}, which the tensor cannot hold")
            self.data = result._array().astype(self.dtype)
            return self
        if self.grad is not None:
            raise GradientError(
                f"{self._brief()} has a gradient, so {symbol} looks like a step, but it would make a new tensor and "
                f"leave this one as it is. Write the step within no_grad(), or x = x {symbol[:-1]} y for a new tensor"
            )
        return result

    return update


USUAL.add(Tensor)
define_operators(Tensor, call_unary, call_binary)
for _name, _symbol in IN_PLACE.items():
    setattr(Tensor, f"__i{_name}__", _in_place(_symbol, getattr(operator, _name)))
Tensor.__getitem__ = _getitem
Tensor.astype = _astype
Tensor.__array_ufunc__ = _array_ufunc
Tensor.__array_function__ = _array_function
