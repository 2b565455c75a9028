"""What a compiled function returns: which of it is values of the program, and the same as plain arrays."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor, wrap
from ..ir import replaced
from ..plan import Output
from .traced_array import RecordedArray
from .tracer import Recorder


def outputs_of(result: Any, recorder: Recorder) -> Any:
    """What the function returned, with the values of the program in it."""

    def one(member: Any) -> Any:
        if isinstance(member, RecordedArray):
            return Output(member.value, "number" if member.is_scalar else "array")
        if not isinstance(member, Tensor) or not isinstance(member._data, RecordedArray):
            return member
        if recorder.is_adopted(member):
            return member
        node = member._node
        if node is not None and node.saved is not None:
            recorder.refuse(
                "a tensor is returned whose gradient is still to be computed, and a plan keeps no graph; call "
                "backward() within the compiled function, compile transforms.value_and_grad of it, or return .detach()"
            )
        return Output(member._data.value, "tensor")

    return replaced(result, one)


def plain(result: Any) -> Any:
    """What the function returned in the call that was recorded, as a replay returns it."""

    def one(member: Any) -> Any:
        if isinstance(member, RecordedArray):
            return member.array[()] if member.is_scalar else member.array.copy()
        if isinstance(member, Tensor) and isinstance(member._data, RecordedArray):
            return wrap(member._data.array.copy())
        return member

    return replaced(result, one)
