"""``tensor.data = array`` in the code of a plan: the tensor gets another array, as it does without one."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.tensor import Tensor
from ..ir import Argument, Call, Captured, Value
from .python_emitter import Code


def statements(call: Call, tensors: tuple[Tensor, ...], code: Code) -> Iterator[str]:
    """The call, with copies of what lies in the plan's memory; tensors that are assigned one array share it."""
    together: dict[Value, list[Tensor]] = {}
    for tensor, value in zip(tensors, call.args, strict=True):
        together.setdefault(value, []).append(tensor)
    arrays = [f"{code.operand(value)}{'' if _is_the_users(value) else _COPY}" for value in together]
    for sharing, array in zip(together.values(), arrays, strict=True):
        targets = [f"{code.name(tensor, 't')}._value" for tensor in sharing]
        yield f"{' = '.join(targets)} = {array}"


_COPY = ".copy('K')"
"""In the same order of axes, since sums depend on it."""


def _is_the_users(value: Value) -> bool:
    """Whether an array is an argument or a tensor's, which the tensor then shares with it."""
    origin = value.root.origin
    return isinstance(origin, Argument) or (isinstance(origin, Captured) and isinstance(origin.holder, Tensor))
