"""`vmap`: makes a function of one example into a function of many, by adding an axis to every call that it makes.

Its tensors are `Batched`: they show the shape of one example, and hold all examples along axis 0. An elementwise
function is called on all examples at once. Other functions have a batching rule, which says how to call them with one
more axis, or are written in terms of such functions. The rest are called for each example, and the results are stacked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NoReturn

import numpy as np

from ..core.context import CONTEXT
from ..core.outputs import in_container_of
from ..core.registry import DERIVED, STRUCTURAL, rule_of
from ..core.tensor import Tensor
from ..core.tree import flatten, found, mapped, matched, paths
from ..errors import GradientError
from ..formatting import name_of
from .argnums import named_after
from .interpreter import Level, Traced
from .linearize import array_like, leaving
from .rule_tables import BATCHING, Batching

Axes = Any
"""An axis, None, or a tree of these that begins like another tree and may end before it."""


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """The function that maps ``f`` over examples: as a loop would, and as fast as if it had been written for many.

    Parameters
    ----------
    f : callable
        Takes one example, and returns an array or a tree of arrays. It may use every function with a rule, and must
        not branch on the numbers.
    in_axes : int, None, or a sequence of these or of trees of these, default 0
        For all positional arguments, or for each of them: the axis that counts the examples, and None for an argument
        that is the same for all. For an argument that is a tree it holds for every array in it, or is a tree itself,
        with the same keys: ``in_axes=({"x": 0, "scale": None},)``. Keyword arguments are the same for all.
    out_axes : int, None, or a tree of these, default 0
        The axis that counts the examples in the results, for all of them or each; None for a result that is the same
        for all examples.

    Returns
    -------
    callable
        With the parameters of ``f``.

    Raises
    ------
    ValueError
        When called, if nothing is mapped, the arguments hold different numbers of examples, or a result differs from
        example to example where out_axes is None.
    StructureError
        If in_axes or out_axes has other keys or lengths than what it belongs to.
    GradientError
        If the function branches on the numbers of an example, or asks for them.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.transforms import grad, vmap
    >>> vmap(np.dot)(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [0.0, 2.0]]))
    array([3., 8.])

    The gradient of each example's loss, in one call:

    >>> def loss(w, x, y):
    ...     return (np.dot(w, x) - y) ** 2
    >>> w, X, y = np.array([1.0, -1.0]), np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([0.0, 1.0])
    >>> vmap(grad(loss), in_axes=(None, 0, 0))(w, X, y)
    array([[2., 0.],
           [0., 0.]])
    """

    @named_after(f, "vmap")
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, _ = flatten(args)
        axes = _axis_of_each(in_axes, args)
        values = [
            leaf if axis is None else _examples_first(leaf, axis) for leaf, axis in zip(leaves, axes, strict=True)
        ]
        size = _number_of_examples(values, leaves, axes, paths(args))
        as_tensors = any(isinstance(leaf, Tensor) for leaf, axis in zip(leaves, axes, strict=True) if axis is not None)
        with BatchLevel(size) as level:
            inputs = [value if axis is None else level.input(value) for value, axis in zip(values, axes, strict=True)]
            result = f(*_with_inputs(args, inputs, axes), **kwargs)
        outs, rebuild_out = flatten(result)
        axes_out = matched(out_axes, result, ("vmap: out_axes", "the result"), _is_axis)
        _check_axes(axes_out, "out_axes")
        return rebuild_out(
            [leaving(level.examples(out, axis), as_tensors) for out, axis in zip(outs, axes_out, strict=True)]
        )

    return mapped


def _with_inputs(args: tuple[Any, ...], inputs: list[Any], axes: list[int | None]) -> list[Any]:
    """The arguments of one example; those of which nothing is mapped are the very objects that were given."""
    changed, start = [], 0
    for arg in args:
        leaves, rebuild = flatten(arg)
        own = slice(start, start := start + len(leaves))
        changed.append(arg if all(axis is None for axis in axes[own]) else rebuild(inputs[own]))
    return changed


def _is_axis(given: Any) -> bool:
    return given is None or (hasattr(given, "__index__") and not isinstance(given, bool | Tensor))


def _check_axes(axes: list[Any], name: str) -> None:
    for axis in axes:
        if not _is_axis(axis):
            raise TypeError(f"vmap: {name} holds {axis!r:.60}; expected the number of an axis, or None")


def _axis_of_each(in_axes: Axes, args: tuple[Any, ...]) -> list[int | None]:
    """The axis of each leaf of the arguments."""
    if not _is_axis(in_axes) and not isinstance(in_axes, list | tuple):
        raise TypeError(
            f"vmap: in_axes is an axis, None, or a tuple with one of these, or a tree of them, for each positional "
            f"argument, not {in_axes!r:.60}"
        )
    for_each = in_axes if _is_axis(in_axes) else tuple(in_axes)
    if not _is_axis(in_axes) and len(for_each) != len(args):
        raise ValueError(
            f"vmap: in_axes={in_axes} has length {len(for_each)}, but {len(args)} positional arguments were given"
        )
    axes = matched(for_each, args, ("vmap: in_axes", "the arguments"), _is_axis)
    _check_axes(axes, "in_axes")
    if all(axis is None for axis in axes):
        raise ValueError("vmap: no argument is mapped; give in_axes an axis for at least one positional argument")
    return axes


def _examples_first(leaf: Any, axis: int) -> Any:
    value: Any = leaf if isinstance(leaf, Tensor) else array_like(leaf)
    if type(value) is Tensor and (value.node is None or not CONTEXT.get().recording):
        value = value._array()
    return np.moveaxis(value, axis, 0) if axis and -value.ndim <= axis < value.ndim else value


def _number_of_examples(values: list[Any], leaves: list[Any], axes: list[int | None], names: list[str]) -> int:
    sizes: dict[int, str] = {}
    for value, leaf, axis, name in zip(values, leaves, axes, names, strict=True):
        if axis is None:
            continue
        shape = np.shape(leaf)
        if not -len(shape) <= axis < len(shape):
            raise ValueError(f"vmap: argument {name} has shape {shape}; it has no axis {axis} to map over")
        sizes.setdefault(value.shape[0], f"argument {name} has {shape[axis]} (shape {shape}, axis {axis})")
    if len(sizes) != 1:
        raise ValueError(f"vmap: the arguments hold different numbers of examples: {'; '.join(sizes.values())}")
    return next(iter(sizes))


class Batched(Traced):
    """A tensor that looks like one example, and holds all examples along axis 0."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return self._value.shape[1:]  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return self._value.ndim - 1  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return int(np.prod(self.shape))

    @property
    def data(self) -> Any:
        """Refused: there is one array for each example."""
        self._differs(".data was asked for")

    @data.setter
    def data(self, array: Any) -> None:
        self._belongs(".data cannot be assigned")

    def detach(self) -> Tensor:
        """The same examples as constants."""
        inner = self._value.detach() if isinstance(self._value, Tensor) else self._value
        return self._level.input(inner)  # type: ignore[attr-defined, no-any-return]

    def item(self) -> NoReturn:
        """Refused: there is one number for each example."""
        self._differs(".item() was called")

    def tolist(self) -> NoReturn:
        """Refused: there is one list for each example."""
        self._differs(".tolist() was called")

    def __bool__(self) -> bool:
        self._differs("a branch was taken on it")

    def __index__(self) -> int:
        self._differs("a Python index was made of it")

    def __contains__(self, value: Any) -> bool:
        self._differs("its elements were searched")

    def _refuse(self, deed: str, advice: str) -> NoReturn:
        self._differs(f"it was {deed}")

    def _differs(self, deed: str) -> NoReturn:
        raise GradientError(
            f"vmap: {deed}, but {self._brief()} differs from example to example; choose with np.where, and compute "
            "everything else with NumPy functions of the tensor"
        )

    def _brief(self) -> str:
        return f"the tensor of one example (shape {self.shape}, {self.dtype})"

    def __repr__(self) -> str:
        return f"Tensor(<{len(self._value)} examples>, shape={self.shape}, dtype={self.dtype})"

    __str__ = __repr__


def concrete(value: Any, function: str) -> Any:
    """The plain array within a tensor, for a function whose result has a shape that depends on the numbers."""
    while isinstance(value, Tensor):
        if isinstance(value, Batched):
            value._differs(f"the shape of the result of {function} depends on the numbers")
        value = value._array()
    return np.asarray(value)


class BatchLevel(Level):
    """A level whose tensors hold all examples, and whose calls compute all of them."""

    def __init__(self, size: int) -> None:
        super().__init__("vmap")
        self.size_of_batch = size

    def input(self, value: Any) -> Batched:
        """A value whose axis 0 counts the examples, as a tensor for one of them."""
        batched = object.__new__(Batched)
        batched._value, batched._node, batched._name, batched._level = value, None, None, self
        return batched

    def examples(self, out: Any, axis: int | None = 0) -> Any:
        """All examples of a result, counted along an axis; None if it is the same for all of them."""
        if axis is None:
            if self.owns(out):
                raise ValueError(
                    f"vmap: out_axes is None for {out._brief()}, which differs from example to example; give it an axis"
                )
            return array_like(out)
        value = self.lower(out) if self.owns(out) else self.repeated(out)
        if not -value.ndim <= axis < value.ndim:
            raise ValueError(
                f"vmap: out_axes is {axis} for a result that has {value.ndim} axes with that of the examples"
            )
        return value if axis == 0 else np.moveaxis(value, 0, axis)

    def repeated(self, value: Any) -> Any:
        """A value that is the same for all examples, repeated for each of them."""
        value = array_like(value)
        return np.broadcast_to(value, (self.size_of_batch, *value.shape))

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call a function for all examples."""
        self.check_running()
        result = self._answer(function, args, kwargs)
        if (anomalies := CONTEXT.get().anomalies) is not None:
            anomalies.look_at_result(function, (*args, *kwargs.values()), result)
        return result

    def _answer(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if function in STRUCTURAL:
            return function(*map(self._stand_in, args), **{k: self._stand_in(v) for k, v in kwargs.items()})
        rule = rule_of(function)
        if rule.elementwise if rule is not None else isinstance(function, np.ufunc) and function.signature is None:
            named = self._aligned(tuple(kwargs.values()), args)
            return self._wrapped(function(*self._aligned(args), **dict(zip(kwargs, named, strict=True))))
        batching = BATCHING.get(function)
        if batching is not None:
            result = self._by_rule(batching, args, kwargs)
            if result is not NotImplemented:
                return self._wrapped(result)
        if function in DERIVED:
            return DERIVED[function](*args, **kwargs)
        return self._one_by_one(function, args, dict(kwargs))

    def _wrapped(self, result: Any) -> Any:
        """The results for all examples as tensors of this level."""
        if isinstance(result, tuple):
            return in_container_of(result, map(self.input, result))
        return self.input(result)

    def _aligned(self, args: tuple[Any, ...], others: tuple[Any, ...] = ()) -> list[Any]:
        """Operands of an elementwise function, with new axes behind the examples' axis, so that all have as many."""
        args, others = (tuple(map(self._as_operand, given)) for given in (args, others))
        ndim = max((arg.ndim for arg in (*args, *others) if hasattr(arg, "ndim")), default=0)

        def aligned(arg: Any) -> Any:
            if not self.owns(arg):
                return arg
            missing = (1,) * (ndim - arg.ndim)
            return np.reshape(arg._value, (self.size_of_batch, *missing, *arg.shape)) if missing else arg._value

        return list(map(aligned, args))

    def _as_operand(self, arg: Any) -> Any:
        """A list of numbers or tensors as an array, which has axes."""
        if not isinstance(arg, list | tuple):
            return arg
        return np.stack(arg) if self._holds(arg) else np.asarray(arg)

    def _by_rule(self, batching: Batching, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The result of a batching rule; NotImplemented if it cannot handle these arguments."""
        try:
            bound = _signature(batching.rule).bind(*args, **kwargs)
        except TypeError:
            return NotImplemented
        given = bound.arguments
        mapped = {name for name, value in given.items() if self._holds(value)}
        if not mapped <= set(batching.operands):
            return NotImplemented
        for name in batching.operands:
            if name in mapped:
                given[name] = self._for_all(given[name])
            elif name in given:
                given[name] = self.repeated(given[name]) if batching.repeats else self._as_operand(given[name])
        if not batching.repeats:
            given["mapped"] = mapped
        result: Any = batching.rule(*bound.args, **bound.kwargs)
        return result

    def _for_all(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self.examples(member) for member in value]
        return self.examples(value)

    def _holds(self, value: Any) -> bool:
        """Whether a value is or contains a tensor of this level."""
        return any(tensor._level is self for tensor in found(Traced, value))

    def _one_by_one(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self.size_of_batch:
            raise ValueError(
                f"vmap: {name_of(function)} has no batching rule, so it is called once for each example, but there are "
                "no examples"
            )
        results = [function(*self._example(args, i), **self._example(kwargs, i)) for i in range(self.size_of_batch)]
        if isinstance(results[0], tuple):
            return self._wrapped(in_container_of(results[0], map(_stacked, zip(*results, strict=True))))
        return self._wrapped(_stacked(results))

    def _example(self, value: Any, i: int) -> Any:
        """A value with the i-th example in place of all examples."""
        return mapped(lambda member: member._value[i] if self.owns(member) else member, value)

    def _stand_in(self, value: Any) -> Any:
        """A plain array of the same shape and dtype, for functions that need nothing else."""
        return mapped(
            lambda each: np.broadcast_to(np.zeros((), each.dtype), each.shape) if self.owns(each) else each, value
        )


def _stacked(results: Sequence[Any]) -> Any:
    shapes = {np.shape(result) for result in results}
    if len(shapes) > 1:
        raise ValueError(f"vmap: the results of the examples have different shapes: {', '.join(map(str, shapes))}")
    return np.stack(results)


_signature = cache(inspect.signature)
