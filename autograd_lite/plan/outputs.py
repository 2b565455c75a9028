"""What a compiled function returns: which of it is values of the program, and the same as plain arrays."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, wrap
from .plan import Output
from .recorded_array import RecordedArray
from .recorder import Recorder


def outputs_of(result: Any, recorder: Recorder) -> Any:
    """What the function returned, with the values of the program in it."""
    if isinstance(result, RecordedArray):
        return Output(result.value, "number" if result.is_scalar else "array")
    if isinstance(result, Tensor):
        if not isinstance(result._data, RecordedArray) or recorder.is_adopted(result):
            return result
        node = result._node
        if node is not None and node.saved is not None:
            recorder.refuse(
                "a tensor is returned whose gradient is still to be computed, and a plan keeps no graph; call "
                "backward() within the compiled function, compile transforms.value_and_grad of it, or return .detach()"
            )
        return Output(result._data.value, "tensor")
    if type(result) is tuple or type(result) is list:
        return type(result)(outputs_of(member, recorder) for member in result)
    if type(result) is dict:
        return {name: outputs_of(member, recorder) for name, member in result.items()}
    if isinstance(result, tuple) and hasattr(result, "_make"):
        return result._make(outputs_of(member, recorder) for member in result)
    return result


def plain(result: Any) -> Any:
    """What the function returned in the call that was recorded, as a replay returns it."""
    if isinstance(result, RecordedArray):
        return result.array[()] if result.is_scalar else result.array.copy()
    if isinstance(result, Tensor) and isinstance(result._data, RecordedArray):
        return wrap(result._data.array.copy())
    if type(result) is tuple or type(result) is list:
        return type(result)(map(plain, result))
    if type(result) is dict:
        return {name: plain(member) for name, member in result.items()}
    if isinstance(result, tuple) and hasattr(result, "_make"):
        return result._make(map(plain, result))
    return result
