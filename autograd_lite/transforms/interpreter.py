"""The tensors within transforms: each running transform is a level, whose tensors wrap the values of the level below.

A call is handled by the innermost level among its arguments, which computes with the values in its tensors: plain
arrays, or tensors of outer levels. For the inner level those are constants, so it never confuses its perturbation with
an outer one (Siskind and Pearlmutter, *Nesting forward-mode AD in a functional framework*, 2008). The outer levels in
turn record the computations of the inner one, or push tangents through them, so its results can be differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Any, NoReturn, Self

import numpy as np

from ..core.commit import commit
from ..core.context import CONTEXT, RUNNING, Interpreter, interpreted_by
from ..core.dispatch import as_tensors, astype, call, call_ufunc, getitem, has_no_slope
from ..core.messages import check_dtype, explained, no_rule, refuse_unread
from ..core.operators import PLAIN, define_operators
from ..core.registry import DERIVED, NONDIFFERENTIABLE, RULES, canonical, rule_of
from ..core.rule import Mask, Recipe, Rule
from ..core.tensor import Tensor, wrap
from ..core.tree import found, mapped
from ..errors import GradientError, NoRuleError

_ENTERED = count(1)


class Level:
    """One running transform: a context in which the function that it transforms is called.

    Attributes
    ----------
    transform : str
        The transform's name, for messages.
    depth : int
        Larger than that of every level that was entered before, and so of those around it.
    running : bool
        False once the function has returned.
    gave_number : bool
        Whether `item` of one of its tensors was called, which takes a number out of the level.
    """

    def __init__(self, transform: str) -> None:
        self.transform = transform
        self.depth = 0
        self.running = self.gave_number = False
        self._outer: Interpreter | None = None

    def __enter__(self) -> Self:
        self._outer = CONTEXT.get().interpreter
        # Levels are entered one within the other, in threads that the function starts too.
        self.depth = next(_ENTERED)
        begin = [(CONTEXT.set, interpreted_by(self)), (RUNNING.append, self), (setattr, self, "running", True)]
        try:
            commit(begin)
        except BaseException:  # an interruption, after which the level is not entered
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._leave()
        except BaseException:  # an interruption, which is raised when the level has been left
            self._leave()
            raise

    def _leave(self) -> None:
        if self.running:
            end = interpreted_by(self._outer)
            commit([(CONTEXT.set, end), (RUNNING.remove, self), (setattr, self, "running", False)])

    def answering(self, values: Sequence[Any]) -> Level | None:
        """The innermost level that has a tensor among the values; None if the values have no tensor of a level."""
        return max((tensor._level for tensor in _traced(values)), key=lambda level: level.depth, default=None)

    def call(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call a function whose arguments have tensors of this level, and no tensors of inner levels."""
        self.check_running()
        rule = rule_of(function)
        if rule is None:
            if function in DERIVED:
                return DERIVED[function](*args, **kwargs)
            if function in NONDIFFERENTIABLE:
                return function(*self.lower(args), **self.lower(dict(kwargs)))
            raise no_rule(function, (*args, *kwargs.values()))
        values = rule.bind(args, {} if isinstance(function, np.ufunc) else kwargs)
        mask = self._mask(rule, values) if CONTEXT.get().paused < self.depth else ()
        if mask:
            refuse_unread(rule, values, kwargs)
        out = function(*self.lower(args), **self.lower(dict(kwargs)))
        anomalies = CONTEXT.get().anomalies
        if anomalies is not None:
            anomalies.look_at_result(function, (*args, *kwargs.values()), out)
        if not mask:
            return as_tensors(out)
        check_dtype(rule, out)
        result = self.record(rule, mask, values, out, args, dict(kwargs))
        if anomalies is not None:
            anomalies.note(result)
        return result

    def record(
        self, rule: Rule, mask: Mask, values: tuple[Any, ...], out: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result as a tensor of this level; ``out`` is the result on the next outer level."""
        raise NotImplementedError

    def recorded(self, recipe: Recipe, parents: tuple[Any, ...], values: tuple[Any, ...], out: Any) -> Any:
        """What `record` does for a ufunc with one result, on arrays and numbers alone."""
        raise NotImplementedError

    def is_alone(self) -> bool:
        """Whether no other interpreter runs, and every call is recorded, so that `recorded` does for arrays."""
        return False

    def check_running(self) -> None:
        """Refuse tensors that left the transformed function without being returned."""
        if not self.running:
            raise GradientError(
                f"{self.transform}: a tensor of the transformed function is used after the function has returned; "
                "return the tensors that you need outside of it"
            )

    def owns(self, value: Any) -> bool:
        """Whether a value is a tensor of this level."""
        return isinstance(value, Traced) and value._level is self

    def lower(self, value: Any) -> Any:
        """A value, with this level's tensors replaced by the values that they wrap."""
        return mapped(self._lowered, value)

    def _lowered(self, value: Any) -> Any:
        return value._value if isinstance(value, Traced) and value._level is self else value

    def _mask(self, rule: Rule, values: Sequence[Any]) -> Mask:
        """The arguments that are tensors of this level, or sequences that have some."""
        mask: list[tuple[int, tuple[int, ...] | None]] = []
        for position, value in enumerate(values):
            if self.owns(value):
                members = None
            elif isinstance(value, _NESTING) and any(tensor._level is self for tensor in _traced(value)):
                within = value if isinstance(value, list | tuple) else ()
                members = tuple(i for i, member in enumerate(within) if self.owns(member))
            else:
                continue
            if position not in rule.differentiable or members == ():
                raise NoRuleError(
                    f"{rule.name}: its argument {rule.parameters[position]!r} depends on what {self.transform} "
                    f"differentiates, and no rule says how (only for {', '.join(rule.vjps)}, as arrays or lists of "
                    "them); pass its .detach(), or tensors as arguments of their own"
                )
            mask.append((position, members))
        return tuple(mask)


class Traced(Tensor):
    """A tensor of a level; it wraps a value of the outer levels."""

    __slots__ = ("_level",)

    _level: Level

    def _array(self) -> Any:
        return self._value

    def item(self) -> Any:
        """The only element, as a Python number, which the level does not differentiate."""
        self._level.gave_number = True
        return super().item()

    @property
    def requires_grad(self) -> bool:
        """Always True, since the level differentiates it; it cannot be set."""
        return True

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self._belongs(".requires_grad cannot be set")

    @property
    def data(self) -> Any:
        """The array within all levels, read-only; it cannot be assigned."""
        if isinstance(self._value, Tensor):
            return self._value.data
        if isinstance(self._value, np.generic):
            self._value = np.asarray(self._value)
        if not isinstance(self._value, np.ndarray):
            return self._value
        array = self._value.view()
        array.flags.writeable = False
        return array

    @data.setter
    def data(self, array: Any) -> None:
        self._belongs(".data cannot be assigned")

    @property
    def grad(self) -> Tensor | None:
        """Refused: the transform returns the derivatives."""
        self._belongs(".grad cannot be read")

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        self._belongs(".grad cannot be assigned")

    def zero_grad(self) -> None:
        """Do nothing, since the tensor has no gradient."""

    def retain_grad(self) -> Tensor:
        """Refused: the transform returns the derivatives."""
        self._belongs("retain_grad() cannot be called")

    def backward(self, grad: Any = None, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Refused: the transform runs the pass."""
        self._belongs("backward() cannot be called")

    def _is_immutable(self) -> bool:
        return True

    def detach(self) -> Tensor:
        """The same numbers as a constant for all levels."""
        return self._value.detach() if isinstance(self._value, Tensor) else wrap(self.data)

    def __repr__(self) -> str:
        values = repr(self._value) if isinstance(self._value, Tensor) else np.array2string(self.data, separator=", ")
        return f"Tensor({values}, shape={self.shape}, dtype={self.dtype}, within={self._level.transform})"

    def __str__(self) -> str:
        return str(self._value)

    def __getitem__(self, index: Any) -> Tensor:
        return _answered(getitem, (self, index), {})  # type: ignore[no-any-return]

    def astype(self, dtype: Any) -> Tensor:
        """The tensor in another floating-point dtype."""
        dtype = np.dtype(dtype)
        if has_no_slope(self, dtype):
            return self._value.astype(dtype) if isinstance(self._value, Tensor) else wrap(self._value.astype(dtype))
        return _answered(astype, (self, dtype), {})  # type: ignore[no-any-return]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and len(inputs) <= 2:
            return _call_unary(ufunc, *inputs) if len(inputs) == 1 else _call_binary(ufunc, *inputs)
        self._level.check_running()
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        return _answered(function, canonical(function, args), kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        self._refuse("copied or pickled", "take .detach() first")

    def _belongs(self, deed: str) -> NoReturn:
        raise GradientError(
            f"{deed} on {self._brief()}: the tensor belongs to {self._level.transform}, which returns the derivatives "
            "itself; let the transformed function compute its result and return it"
        )


def innermost_level() -> Level | None:
    """The innermost level that is running in this thread."""
    running = CONTEXT.get().interpreter
    return running if isinstance(running, Level) else None


def innermost_array(value: Any) -> Any:
    """The plain array within all levels of a tensor; within `vmap`, the array of all examples."""
    while isinstance(value, Tensor):
        value = value._array()
    return value


def _traced(value: Any) -> Iterator[Traced]:
    """The tensors of levels in a value."""
    return found(Traced, value) if isinstance(value, (*_NESTING, Traced)) else iter(())


_NESTING = (tuple, list, dict)


def _answered(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for tensor in _traced((args, kwargs)):
        tensor._level.check_running()
    return call(function, args, kwargs)


# Where a level is alone, the two that follow do what `Level.call` does for any function: most calls are of these, and
# take half the time or less then.


def _call_unary(ufunc: np.ufunc, x: Traced) -> Any:
    level, value, rule = x._level, x._value, RULES.get(ufunc)
    if rule is None or ufunc.nout > 1 or type(x) is not Traced or isinstance(value, Tensor) or not level.is_alone():
        return _answered(ufunc, (x,), {})
    try:
        out = ufunc(value)
    except (ValueError, TypeError) as error:
        raise explained(error, ufunc, (value,)) from None
    return level.recorded(rule.first, (x._node,), (value, *rule.defaults[1:]), out)


def _call_binary(ufunc: np.ufunc, x1: Any, x2: Any) -> Any:
    is_first, is_second, rule = type(x1) is Traced, type(x2) is Traced, RULES.get(ufunc)
    value1, value2 = x1._value if is_first else x1, x2._value if is_second else x2
    if (
        rule is None
        or ufunc.nout > 1
        or not (is_first or (is_second and type(x1) in PLAIN))
        or not (type(x2) in PLAIN if not is_second else not is_first or x1._level is x2._level)
        or isinstance(value1, Tensor)
        or isinstance(value2, Tensor)
        or not (x1 if is_first else x2)._level.is_alone()
    ):
        return _answered(ufunc, (x1, x2), {})
    level = (x1 if is_first else x2)._level
    try:
        out = ufunc(value1, value2)
    except (ValueError, TypeError) as error:
        raise explained(error, ufunc, (value1, value2)) from None
    values = (value1, value2, *rule.defaults[2:])
    if is_first and is_second:
        return level.recorded(rule.both, (x1._node, x2._node), values, out)
    if is_first:
        return level.recorded(rule.first, (x1._node,), values, out)
    return level.recorded(rule.second, (x2._node,), values, out)


# Python calls the operator of a subclass before that of its base class, even if the subclass is the right operand.
define_operators(Traced, _call_unary, _call_binary)
