"""The results of a compiled function: as values of the program, and as plain arrays."""

from __future__ import annotations

from typing import Any

from ...core.tensor import Tensor, wrap
from ...core.tree import mapped
from ..ir import Output
from .traced_array import TracedArray
from .tracer import Tracer


def outputs_of(result: Any, tracer: Tracer) -> Any:
    """The function's result, with an `Output` in place of each array of the program."""

    def one(member: Any) -> Any:
        if isinstance(member, TracedArray):
            return Output(member.value, "number" if member.is_scalar else "array")
        if not isinstance(member, Tensor) or not isinstance(member._value, TracedArray):
            return member
        node = member._node
        if node is not None and node.saved is not None:
            tracer.refuse(
                "the function returns a tensor that backward() has not run on, and a compiled function keeps no graph. "
                "Call backward() inside it, compile transforms.value_and_grad of it, or return tensor.detach()"
            )
        return Output(member._value.value, "tensor")

    return mapped(one, result)


def plain(result: Any) -> Any:
    """The result of the recorded call, in the form in which a replay returns it."""

    def one(member: Any) -> Any:
        if isinstance(member, TracedArray):
            return member.array[()] if member.is_scalar else member.array.copy("K")
        if isinstance(member, Tensor) and isinstance(member._value, TracedArray):
            return wrap(member._value.array.copy("K"))
        return member

    return mapped(one, result)
