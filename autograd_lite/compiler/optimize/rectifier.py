"""Calls that the machine code runs as one, where NumPy takes several."""

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


def fused(calls: Sequence[Call], kept: set[Value]) -> list[Call]:
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
