"""`detect_anomaly`: where a NaN or an infinity was born, forward and backward, and which saved array was written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.context import Block, look_everywhere
from ..core.graph import Node
from ..core.registry import rule_of
from ..core.saved import Mark, Saved
from ..core.tensor import Tensor
from ..core.tree import found
from ..errors import AnomalyError
from ..formatting import name_of
from ..user_line import user_line

Array = np.ndarray[Any, Any]


class detect_anomaly(Block):  # noqa: N801 - the name that users of PyTorch know
    """Within it the first operation whose result is not finite, of inputs that are, raises; and so in backward passes.

    The error names the operation, the shapes, the index, the values that went in there, and the line of the program
    that called it. Compiled functions run as they are written meanwhile. Arrays that graphs save are compared as a
    whole before they are read again, so that a write through any view of them is noticed.

    A context manager and a decorator. It holds for the thread, or the asynchronous task, that enters it, and for
    transforms and backward passes within it. Looking at every number takes about as long as computing it.

    Parameters
    ----------
    enabled : bool, default True
        False switches it off within an outer block.

    Raises
    ------
    AnomalyError
        By the operation, or in the backward pass by the rule, that gave a number which is not finite.
    ChangedTensorError
        In a backward pass, if an array that the graph has saved was written to.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Tensor, detect_anomaly
    >>> x = Tensor([4.0, 0.0], requires_grad=True)
    >>> with np.errstate(divide="ignore"), detect_anomaly():
    ...     np.sqrt(x).sum().backward()
    Traceback (most recent call last):
    ...
    autograd_lite.errors.AnomalyError: the rule of np.sqrt for x gave inf at index (1,), where the cotangent was 1.0 ...
    """

    def __init__(self, enabled: bool = True) -> None:
        self.anomalies = _Detector() if enabled else False


def set_detect_anomaly(enabled: bool) -> None:
    """Switch `detect_anomaly` on, or off again, for the whole program: in every thread, outside of its blocks.

    Parameters
    ----------
    enabled : bool

    Examples
    --------
    >>> from autograd_lite import set_detect_anomaly
    >>> set_detect_anomaly(True)
    >>> set_detect_anomaly(False)
    """
    look_everywhere(_Detector() if enabled else None)


class _Noted(Saved):
    """Saved values, and the line of the user's program that had them saved."""

    line: str


class _Detector:
    """Looks at results and cotangents; see `autograd_lite.core.context.Anomalies`."""

    def look_at_result(self, function: Callable[..., Any], values: Sequence[Any], out: Any) -> None:
        """Refuse a result that is not finite, of values that are."""
        place = _born(out, values)
        if place is None:
            return
        array, index = place
        raise AnomalyError(
            f"{name_of(function)} gave {array[index]} at index {index} of its result of shape {array.shape}, "
            f"{_inputs(function, values, array, index)}{_at(user_line())}. The inputs are finite; keep them where the "
            "function is, or choose the values before the call, with np.where within its argument"
        )

    def look_at_tangent(self, function: Callable[..., Any], values: Sequence[Any], tangent: Any) -> None:
        """Refuse the tangent of a result if it is not finite, while the values, and their tangents, are."""
        place = _born(tangent, values)
        if place is None:
            return
        array, index = place
        raise AnomalyError(
            f"the tangent of {name_of(function)} is {array[index]} at index {index}, "
            f"{_inputs(function, values, array, index)}{_at(user_line())}. The inputs and their tangents are finite; "
            "keep the inputs away from where the slope is not"
        )

    def note(self, result: Any) -> None:
        """Keep with a node the line of the call, and marks of all that it has saved."""
        first = result[0] if isinstance(result, tuple) else result
        node = getattr(first, "_node", None)
        if node is None:
            return
        if isinstance(result, tuple) and node.parents:
            (node,) = node.parents
        values = node.saved or ()
        noted = _Noted(values)
        noted.marks = [Mark(array, whole=True) for array in _arrays(list(values))]
        noted.line = user_line()
        node.saved = noted

    def watcher(self) -> _Watcher:
        """What looks at the cotangents of a pass."""
        return _Watcher()


class _Watcher:
    """Looks at every cotangent of a backward pass."""

    def __init__(self) -> None:
        self._node: Node | None = None
        self._g: Any = None
        self._position = 0

    def take_turn(self, node: Node, g: Any) -> None:
        """A node is about to hand on."""
        self._node, self._g, self._position = node, g, 0

    def hand_on(self, parent: Node, given: Any, cotangent: Any, before: Any, total: Any) -> None:
        """Refuse what a node hands on if it is not finite, while the node's cotangent and what it reads are."""
        node, position = self._node, self._position
        assert node is not None
        assert node.recipe is not None
        self._position += 1
        place = _first_not_finite(given)
        if place is None:
            self._look_at_sum(node, before, total)
            return
        if _born(given, (self._g, list(node.saved or ()))) is None:
            return
        array, index = place
        rule, argument = node.recipe.rule, node.recipe.arguments[position]
        read = zip(node.recipe.reads, node.saved or (), strict=False)
        values = [("the cotangent", self._g), *((name, v) for name, v in read if list(_arrays(v)))]
        line = _at(node.saved.line) if isinstance(node.saved, _Noted) else ""
        raise AnomalyError(
            f"the rule of {rule.name} for {argument} gave {array[index]} at index {index}, where "
            f"{_at_index(values, array, index)}{line}. The values that it reads are finite; keep the argument away "
            "from where the slope is not, or choose it before the call, with np.where within the argument"
        )

    def _look_at_sum(self, node: Node, before: Any, total: Any) -> None:
        place = _first_not_finite(total)
        if before is None or place is None or _first_not_finite(before):
            return
        array, index = place
        raise AnomalyError(
            f"the sum of two cotangents, one of them from {node.recipe and node.recipe.rule.name}, is {array[index]} "
            f"at index {index}, although both are finite: {array.dtype} cannot hold it"
        )


def _arrays(value: Any) -> Iterator[Array]:
    """The arrays of floating-point numbers in a value."""
    if isinstance(value, Tensor):
        while isinstance(value, Tensor):
            value = value._value
    if isinstance(value, float | complex | np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fc":
            yield value
    elif isinstance(value, list | tuple | dict):
        kinds: Any = (Tensor, np.ndarray, np.generic, float, complex)
        for member in found(kinds, value):
            yield from _arrays(member)


def _first_not_finite(value: Any) -> tuple[Array, tuple[int, ...]] | None:
    """The first array with a number that is not finite, and where; None if all are."""
    given = getattr(value, "given", None)
    for array in _arrays(list(given.values()) if isinstance(given, dict) else value):
        finite = np.isfinite(array)
        if not finite.all():
            return array, tuple(int(i) for i in np.argwhere(~finite)[0])
    return None


def _born(out: Any, values: Sequence[Any]) -> tuple[Array, tuple[int, ...]] | None:
    """Where the first number is that is not finite, if all that it was made of is."""
    place = _first_not_finite(out)
    return None if place is None or any(map(_first_not_finite, values)) else place


def _inputs(function: Callable[..., Any], values: Sequence[Any], out: Array, index: tuple[int, ...]) -> str:
    rule = rule_of(function)
    named = list(zip(rule.parameters if rule is not None else (), values, strict=False))
    named = named or [(f"argument {i}", value) for i, value in enumerate(values)]
    named = [(name, value) for name, value in named if value is not None]
    if rule is not None and rule.elementwise:
        return f"where {_at_index(named, out, index)}"
    return f"of {' and '.join(filter(None, (_ranged(name, value) for name, value in named)))}"


def _at_index(named: Sequence[tuple[str, Any]], out: Array, index: tuple[int, ...]) -> str:
    """What the values are at an index of the result, or where they lie if they have other shapes."""
    told = []
    for name, value in named:
        arrays = list(_arrays(value)) or ([np.asarray(value)] if isinstance(value, int | np.ndarray) else [])
        if len(arrays) != 1:
            continue
        try:
            told.append(f"{name} was {np.broadcast_to(arrays[0], out.shape)[index]}")
        except ValueError:
            told.append(_ranged(name, value))
    return " and ".join(told)


def _ranged(name: str, value: Any) -> str:
    arrays = [array for array in _arrays(value) if array.size]
    if not arrays:
        return ""
    magnitudes = [np.abs(array) for array in arrays]
    low, high = min(float(m.min()) for m in magnitudes), max(float(m.max()) for m in magnitudes)
    shapes = ", ".join(str(array.shape) for array in arrays)
    return f"{name} of shape {shapes} with magnitudes from {low:.4g} to {high:.4g}"


def _at(line: str) -> str:
    return f", in {line}" if line else ""
