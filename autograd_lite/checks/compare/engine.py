"""The engine's side of a comparison: gradients, the parameters' values, and the recorded graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ...core.graph import Node
from ...core.tensor import Tensor
from ...core.tree import differentiable_leaf, flatten, joined, paths
from ...errors import GradientError
from ...transforms.argnums import ArgumentNumbers, numbers_of, positions, replaced
from .hand import plain
from .recording import Recording, Witness
from .rows import Array


def differentiated(
    f: Callable[..., Any], args: tuple[Any, ...], argnums: ArgumentNumbers
) -> tuple[dict[str, Array | None], dict[str, Array], Recording]:
    """The parameters among a function's arguments, their gradients, and the graph."""
    numbers = numbers_of(positions(f, argnums, "compare_gradients"), args, "compare_gradients")
    names: list[str] = []
    tensors: list[Tensor] = []
    changed = []
    for number in numbers:
        leaves, rebuild = flatten(args[number])
        own = paths(args[number])
        prefix = _parameter_name(f, number)
        own = [name if name and len(numbers) == 1 else joined(prefix, name) for name in own]
        made = [_leaf(leaf, name) for leaf, name in zip(leaves, own, strict=True)]
        names += own
        tensors += made
        changed.append(rebuild(list(made)))
    witness = Witness()
    with witness:
        result = f(*replaced(args, numbers, changed))
    if not isinstance(result, Tensor) or result.shape != ():
        shape = getattr(result, "shape", type(result).__name__)
        raise ValueError(
            f"compare_gradients: the function must return a scalar loss, computed from its parameters; it returned "
            f"{'an array of shape ' if isinstance(shape, tuple) else ''}{shape}. To compare a Jacobian or a "
            "Hessian, pass jacobian(f) or hessian(f)"
        )
    if result.node is None:
        raise GradientError("compare_gradients: the loss does not depend on the parameters; nothing can be compared")
    leaves_by_name = {name: tensor.node for name, tensor in zip(names, tensors, strict=True) if tensor.node is not None}
    recording = Recording(result.node, leaves_by_name, witness)
    recording.loss = result
    return {n: t.data for n, t in zip(names, tensors, strict=True)}, recording.gradients(), recording


def _leaf(value: Any, name: str) -> Tensor:
    leaf = differentiable_leaf(value, f"compare_gradients, {name}")
    return Tensor(np.array(leaf.data if isinstance(leaf, Tensor) else leaf), requires_grad=True, name=name)


def _parameter_name(f: Callable[..., Any], number: int) -> str:
    try:
        return list(inspect.signature(f).parameters)[number]
    except (ValueError, TypeError, IndexError):
        return f"argument{number}"


def after_backward(auto: Any) -> tuple[dict[str, Array | None], dict[str, Array], dict[str, Node]]:
    """The parameters of a module or a dict, the gradients that they hold, and their leaves."""
    if hasattr(auto, "named_parameters"):
        items: Iterable[tuple[Any, Any]] = auto.named_parameters()
    elif isinstance(auto, Mapping):
        items = auto.items()
    else:
        raise TypeError(
            f"compare_gradients: auto must be a Module, a dict, or a function that returns the loss, not "
            f"{type(auto).__name__}"
        )
    values: dict[str, Array | None] = {}
    gradients: dict[str, Array] = {}
    leaves: dict[str, Node] = {}
    for key, value in items:
        name = str(key)
        values[name] = None
        if isinstance(value, Tensor) and value.requires_grad:
            if value.grad is None:
                raise GradientError(f"compare_gradients: {name} has no gradient yet; call backward() first")
            values[name], leaves[name] = value.data, value.node  # type: ignore[assignment]
            value = value.grad
        gradients[name] = plain(f"the engine's gradient of {name}", value)
    return values, gradients, leaves


def recording_of(loss: Tensor | Callable[[], Tensor], leaves: dict[str, Node], computed: dict[str, Array]) -> Recording:
    """The graph of a loss that is given beside the gradients, or a function that computes it."""
    witness = Witness()
    with witness:
        tensor = loss if isinstance(loss, Tensor) else loss()
    if not isinstance(tensor, Tensor) or tensor.node is None or tensor.shape != ():
        raise GradientError("compare_gradients: loss= must be, or return, a scalar tensor computed from the parameters")
    recording = Recording(tensor.node, leaves, witness)
    recording.loss = tensor
    for name, gradient in recording.gradients().items():
        scale = np.max(np.abs(gradient), initial=0.0)
        if np.max(np.abs(gradient - computed[name]), initial=0.0) > 1e-4 * scale:
            raise GradientError(
                f"compare_gradients: loss= has another gradient with respect to {name} than the parameter holds; call "
                "zero_grad() before backward(), and pass the loss that backward() ran on"
            )
    return recording
