"""Choices between numbers and zero: the backward of a rectifier as one call, and masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...speed.fast_where import is_zero
from ..ir import Call, Value


def where_positive(x: Any, g: Any) -> Any:
    """``np.where(x > 0, g, 0)``: the backward of a rectifier."""
    return np.where(x > 0, g, 0)


def with_where_positive(calls: Sequence[Call], kept: set[Value]) -> list[Call]:
    """The calls with `where_positive` in the place of a comparison and the choice that alone reads it."""
    uses = Counter(operand.root for call in calls for operand in call.operands)
    comparisons: dict[Value, Call] = {}
    remaining: list[Call] = []
    for call in calls:
        if call.function is np.greater and len(call.args) == 2 and is_zero(call.args[1]) and call.results:
            comparisons[call.results[0]] = call
        compared = comparisons.get(call.args[0]) if call.function is np.where and len(call.args) == 3 else None
        if compared is not None and _is_rectifier(call, compared, uses, kept):
            remaining.remove(compared)
            call = Call(where_positive, (compared.args[0], call.args[1]), {}, call.results, line=call.line)
        remaining.append(call)
    return remaining


def _is_rectifier(call: Call, compared: Call, uses: Counter[Value], kept: set[Value]) -> bool:
    condition, chosen, otherwise = call.args
    same_layout = isinstance(chosen, Value) and chosen.layout.shape == condition.layout.shape
    x = compared.args[0]
    return (
        same_layout
        and is_zero(otherwise)
        and uses[condition] == 1
        and condition not in kept
        and isinstance(x, Value)
        and x.layout.dtype == chosen.layout.dtype
        and not x.root.version
    )


def masks(call: Call) -> bool:
    """Whether a call is ``np.where(condition, x, 0)`` for floating-point numbers."""
    if call.function is not np.where or len(call.args) != 3 or call.kwargs or not call.results:
        return False
    condition, x, otherwise = call.args
    dtype = call.results[0].layout.dtype
    return (
        is_zero(otherwise)
        and isinstance(condition, Value)
        and condition.layout.dtype == np.bool_
        and isinstance(x, Value)
        and x.layout.dtype == dtype
        and dtype in (np.float32, np.float64)
    )
