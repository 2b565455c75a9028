"""One-hot vectors as rows of an identity matrix, where NumPy would compare the indices with every class.

That takes it four times as long. Only for indices that an `IndexCheck` looks at before, so that each has its row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .declarations import looks_at_indices
from .program import Array, Call, Constant, Layout, Value

MOST_CLASSES = 128
"""The identity matrix of more takes up more of the cache than it is worth."""


def one_hot(indices: Any, identity: Array) -> Any:
    """For each index its row of the identity matrix, which has one for it."""
    return identity.take(indices, 0, mode="clip")


def with_one_hot(calls: Sequence[Call], kept: set[Value]) -> list[Call]:
    """The calls with `one_hot` for comparisons with every class that are only subtracted from floating-point numbers.

    Parameters
    ----------
    calls : sequence of Call
        Of a plan.
    kept : set of Value
        What is still read after the last call.
    """
    uses = Counter(operand.root for call in calls for operand in call.operands)
    comparisons = _comparisons(calls)
    remaining: list[Call] = []
    for call in calls:
        compared = _subtracted(call, comparisons)
        if compared is not None and uses[compared.truth] == 1 and compared.truth not in kept:
            dtype = call.results[0].layout.dtype
            rows = Value(Layout.of(np.empty((*compared.indices.layout.shape, compared.classes), dtype)))
            matrix = np.eye(compared.classes, dtype=dtype)
            identity = Value(Layout.of(matrix), Constant(matrix))
            made = Call(one_hot, (compared.indices, identity), {}, (rows,), line=call.line)
            remaining = [made if one.results == (compared.truth,) else one for one in remaining]
            call = Call(np.subtract, (call.args[0], rows), call.kwargs, call.results, line=call.line)
        remaining.append(call)
    return remaining


class _Comparison(NamedTuple):
    """``indices[..., None] == arange(classes)``."""

    truth: Value
    indices: Value
    classes: int


def _comparisons(calls: Sequence[Call]) -> dict[Value, _Comparison]:
    """The comparisons of indices, which are looked at before and stay what they are, by their results."""
    columns = {call.results[0]: call.args[0] for call in calls if call.is_view and call.args[1:] == ((..., None),)}
    changed = {value.root for call in calls for value in call.writes}
    stops: dict[Value, int] = {}

    def below(value: Value) -> int:
        return min(stops.get(value, MOST_CLASSES + 1), stops.get(value.root, MOST_CLASSES + 1))

    found = {}
    for call in calls:
        if looks_at_indices(call.function):
            stops[call.operands[0]] = call.function.stop
        if call.function is np.ndarray.astype and call.results:
            stops[call.results[0]] = below(call.operands[0])
        if call.function is np.equal and len(call.args) == 2 and call.args[0] in columns and not call.kwargs:
            indices, classes = columns[call.args[0]], _length_of_range(call.args[1])
            if classes and below(indices) <= classes and indices.root not in changed:
                found[call.results[0]] = _Comparison(call.results[0], indices, classes)
    return found


def _subtracted(call: Call, comparisons: Mapping[Value, _Comparison]) -> _Comparison | None:
    """The comparison whose result the call subtracts from floating-point numbers."""
    if call.function is not np.subtract or len(call.args) != 2 or len(call.results) != 1:
        return None
    is_float = call.results[0].layout.dtype in (np.float32, np.float64)
    return comparisons.get(call.args[1]) if is_float and isinstance(call.args[1], Value) else None


def _length_of_range(value: Any) -> int | None:
    """The length of a constant that counts up from 0, if it is not too long."""
    constant = value.origin.array if isinstance(value, Value) and isinstance(value.origin, Constant) else None
    if constant is None or constant.ndim != 1 or constant.size > MOST_CLASSES:
        return None
    return constant.size if np.array_equal(constant, np.arange(constant.size)) else None
