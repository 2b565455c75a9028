"""Which results share memory with arguments, and the writes after which a plan would hold other numbers in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np

from ..array_layout import Array, Layout
from ..ir import Call, Value
from ..overlap import owner
from .effects import gives_views_by_shapes
from .traced_array import TracedArray

Refusal = Callable[[str], NoReturn]
"""What raises, with the reason."""


class Sharing:
    """What is known so far of memory that results share.

    A view is one in a plan too where shapes alone say what it is a view of. Where numbers say it, as they do for
    `numpy.trim_zeros`, a plan calls the function and copies the result, which may have another shape each time.
    """

    def __init__(self, refuse: Refusal) -> None:
        self._refuse = refuse
        self._copied: set[Value] = set()
        self._numbers: set[Value] = set()

    def value_of(self, call: Call, array: Array, out: Any, operands: Iterable[TracedArray]) -> Value:
        """The value of a result, with what it is a view of."""
        if isinstance(out, np.ndarray) and call.is_pure and not isinstance(call.function, np.ufunc):
            for operand in operands:
                given = operand.array
                if np.may_share_memory(out, given) or (not out.size and owner(out) is owner(given)):
                    base = operand.value
                    if operand.is_scalar:
                        self._numbers.add(base.root)
                    offset = base.offset + int(array.ctypes.data) - int(given.ctypes.data)
                    return Value(Layout.of(array), base=base, offset=offset)
        return Value(Layout.of(array))

    def settle(self, call: Call) -> None:
        """Have a call whose views may follow from numbers copy them; refuse one that takes numbers of another array."""
        if not any(result.base is not None for result in call.results):
            return
        if not call.is_view or not gives_views_by_shapes(call.function):
            self._copy_views(call)
        elif not {result.base for result in call.results}.issuperset(call.operands):
            self._refuse(
                f"{call.name} takes numbers out of an array to say which part of another one it gives, and later calls "
                "would use the numbers of this first one; pass Python numbers"
            )

    def _copy_views(self, call: Call) -> None:
        for result in call.results:
            if result.base is None:
                continue
            if not result.layout.is_dense:
                self._refuse(
                    f"{call.name} looks at the numbers in an array to say which part of it it gives, and later calls "
                    "would use the numbers of this first one; choose by Python's numbers, or with np.where"
                )
            self._copied.update((result, result.base.root))
            result.base, result.offset = None, 0

    def look_at_write(self, root: Value) -> None:
        """Refuse to write to memory that is shared in NumPy, and not in a plan, or the other way round."""
        if root in self._copied:
            self._refuse(
                "an array is written to while another one shares its memory by a call that looks at numbers, or gives "
                "new arrays too, and a plan has a copy; take one with np.copy before"
            )
        if root in self._numbers:
            self._refuse(
                "an array is written to that a call has made of a number, which NumPy copies, and a plan does not; "
                "write y = y + 1 for y += 1, or take a copy with np.copy"
            )
