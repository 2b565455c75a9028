"""Removes calls from a plan: dead code, common subexpressions, needless copies, and constants."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...core.tree import found, mapped
from ..array_layout import Array, Layout
from ..ir import Argument, Call, Constant, Value


def simplified(
    calls: Sequence[Call], kept: Iterable[Value], persistent: Iterable[Value]
) -> tuple[list[Call], Renaming]:
    """The calls that are left, and which value replaces which.

    Parameters
    ----------
    calls : sequence of Call
        The calls; their operands are replaced in place.
    kept : iterable of Value
        The values that are needed in the end.
    persistent : iterable of Value
        Those of the kept values that need memory of their own.
    """
    renaming = Renaming()
    own = {value.root for value in persistent}
    known: dict[Any, Call] = {}
    remaining = []
    apart = {call for call in calls if call.function is np.matmul and _are_apart(call)}
    for call in calls:
        call.args, call.kwargs = renaming.of((call.args, call.kwargs))
        if call in apart and not _are_apart(call):
            remaining.append(_apart_again(call))
        call.writes = renaming.of(call.writes)
        for result in call.results:
            result.base = renaming.of(result.base)
        if _folded(call, own) or _is_needless_copy(call, own, renaming) or _is_needless_view(call, renaming):
            continue
        key = _key(call)
        earlier = known.setdefault(key, call) if key is not None else call
        if earlier is not call and own.isdisjoint(result.root for result in call.results):
            for result, same in zip(call.results, earlier.results, strict=True):
                renaming.names[result] = same
        else:
            remaining.append(call)
    return _checks_first(_needed(remaining, [renaming.of(value) for value in kept])), renaming


def _are_apart(call: Call) -> bool:
    """Whether no two operands share memory."""
    return len({operand.root for operand in call.operands}) == len(call.operands)


def _apart_again(product: Call) -> Call:
    """A copy of one of its operands, because BLAS adds in another order if a matrix is multiplied by its transpose."""
    left, right = product.args[:2]
    shape, dtype, strides = right.layout
    like = np.lib.stride_tricks.as_strided(np.empty((), dtype), shape, strides)  # of which no number is read
    copied = Value(Layout.of(np.empty_like(like)))
    product.args = left, copied, *product.args[2:]
    return Call(np.copy, (right,), {}, (copied,), line=product.line, versions=(right.root.version,))


class Renaming:
    """Which value replaces which."""

    def __init__(self) -> None:
        self.names: dict[Value, Value] = {}

    def of(self, tree: Any) -> Any:
        """The tree of values, in nested tuples, lists and dicts, with each value replaced."""
        return mapped(self._one, tree)

    def _one(self, member: Any) -> Any:
        while isinstance(member, Value) and member in self.names:
            member = self.names[member]
        return member


def _needed(calls: Sequence[Call], kept: Iterable[Value]) -> list[Call]:
    """The calls without those whose results nobody reads."""
    wanted = {value.root for value in kept}
    remaining = []
    for call in reversed(calls):
        roots = {value.root for value in (*call.results, *call.writes)}
        reaches_outside = any(value.root.origin is not None for value in call.writes)
        if not call.is_pure or follows_numbers(call) or reaches_outside or not wanted.isdisjoint(roots):
            wanted.update(operand.root for operand in call.operands)
            wanted.update(value.root for value in call.writes)
            remaining.append(call)
    return remaining[::-1]


def follows_numbers(call: Call) -> bool:
    """Whether the shape of a result may follow from the numbers in arrays, as that of ``x[mask]`` does.

    Such a call stays even where nobody reads its result: other shapes follow from that one's.
    """
    if call.function is operator.getitem:
        return any(index.layout.dtype == np.bool_ for index in found(Value, call.args[1]))
    if call.function in (np.repeat, np.ndarray.repeat):
        return len(call.operands) > 1
    return call.function in _OF_NUMBERS or (call.function is np.where and len(call.args) == 1)


def _checks_first(calls: list[Call]) -> list[Call]:
    """The calls, with checks of arguments before all others, so that these form longer segments."""
    checks: list[Call] = []
    for call in calls:
        if call.is_pure:
            continue
        are_as_given = all(isinstance(v.root.origin, Argument) and not v.root.version for v in call.operands)
        if call.results or call.writes or not are_as_given:
            break
        checks.append(call)
    views = [call for call in calls if call.is_view and isinstance(call.results[0].root.origin, Argument)]
    first = [*views, *checks]
    return first + [call for call in calls if not any(call is one for one in first)]


def _key(call: Call) -> Any:
    """A key that is equal for two calls with the same results; None for a call that cannot be shared."""
    if not call.is_pure or call.writes or any(result.root.version for result in call.results):
        return None
    try:
        key = call.function, _hashable((call.args, call.kwargs)), call.versions
        hash(key)
    except TypeError:
        return None
    return key


def _hashable(tree: Any) -> Any:
    if isinstance(tree, Value):
        return tree
    if isinstance(tree, tuple | list):
        return type(tree), *map(_hashable, tree)
    if isinstance(tree, dict):
        return tuple((key, _hashable(member)) for key, member in tree.items())
    if isinstance(tree, slice):
        return "slice", tree.start, tree.stop, tree.step
    return type(tree), repr(tree) if isinstance(tree, float | complex | np.generic) else tree


def _folded(call: Call, own: set[Value]) -> bool:
    """Whether the result depends on shapes alone; then it is made a constant here."""
    operands = call.operands
    if call.writes or not call.is_pure or len(call.results) != 1:
        return False
    if call.results[0].root.version or call.results[0] in own:
        return False
    if call.function not in _OF_SHAPES and not (
        operands and all(_constant(operand) is not None for operand in operands)
    ):
        return False
    result = call.results[0]
    args, kwargs = mapped(_array_for, (call.args, call.kwargs))
    result.base, result.origin = None, Constant(np.asarray(call.function(*args, **kwargs)))
    return True


def _array_for(member: Any) -> Any:
    if not isinstance(member, Value):
        return member
    constant = _constant(member)
    return np.empty(member.layout.shape, member.layout.dtype) if constant is None else constant


def _constant(value: Value) -> Array | None:
    return value.origin.array if isinstance(value.origin, Constant) else None


def _is_needless_copy(call: Call, own: set[Value], renaming: Renaming) -> bool:
    """Whether a call copies an array, and copy and original are only read; then the original replaces the copy."""
    if call.function not in _COPIES or call.writes or not call.results:
        return False
    (result,), source = call.results, call.operands[0]
    if source.root.origin is not None or source.root.version or result.version or result.layout != source.layout:
        return False
    if result in own:
        if source.root is not source or source in own:
            return False
        own.add(source)
    renaming.names[result] = source
    return True


def _is_needless_view(call: Call, renaming: Renaming) -> bool:
    """Whether a call gives a view that is the same as the operand; then the operand replaces it."""
    if not call.is_view or len(call.results) != 1:
        return False
    (result,), source = call.results, call.operands[0]
    if result.base is not source or (result.layout, result.offset) != (source.layout, source.offset):
        return False
    renaming.names[result] = source
    return True


_OF_NUMBERS = frozenset(
    {np.nonzero, np.flatnonzero, np.argwhere, np.compress, np.extract, np.delete, np.trim_zeros, np.bincount}
    | {np.unique, np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values}
    | {np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d}
    | {np.ndarray.nonzero, np.ndarray.compress}
)
_OF_SHAPES = frozenset({np.zeros_like, np.ones_like, np.empty_like})
_COPIES = frozenset({np.copy, np.ndarray.copy, np.ndarray.astype, np.positive})
