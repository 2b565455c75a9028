"""Gradient hooks: functions that look at a gradient as it passes, or put another one in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .graph import GradientSlot, Node, describe


class HookHandle:
    """What `Tensor.register_hook` returns: ``remove()`` takes the hook away again, at any time and any number of times.

    Attributes
    ----------
    hook : callable
        The function that was registered.
    """

    def __init__(self, slot: GradientSlot, on_gradient: Callable[[Any], Any], hook: Callable[..., Any]) -> None:
        self.hook = hook
        self._slot = slot
        self._on_gradient = on_gradient
        slot.hooks = (*slot.hooks, on_gradient)

    def remove(self) -> None:
        """Take the hook away."""
        self._slot.hooks = tuple(kept for kept in self._slot.hooks if kept is not self._on_gradient)


def attach(node: Node, hook: Callable[[Any], Any], wrap: Callable[[Any], Any]) -> HookHandle:
    """Call a hook with the gradient of a node's result in every pass, when all of it has arrived.

    A pass over plain arrays shows them wrapped as tensors, and goes on with arrays; a pass that is recorded itself goes
    on with tensors and their graph.
    """
    if not callable(hook):
        raise TypeError(f"register_hook: expected a function of the gradient, got {type(hook).__name__}")
    if node.slot is None:
        node.slot = GradientSlot(keeps=False)
    name = getattr(hook, "__name__", type(hook).__name__)

    def on_gradient(g: Any) -> Any:
        is_recorded = hasattr(g, "node")
        returned = hook(g if is_recorded else wrap(_read_only(g)))
        if returned is None:
            return g
        array = returned if hasattr(returned, "dtype") and hasattr(returned, "shape") else np.asarray(returned)
        if array.shape != node.shape or array.dtype.kind not in ("fiubc" if node.dtype.kind == "c" else "fiub"):
            raise ValueError(
                f"the hook {name} of {describe(node)} returned {array.dtype} of shape {array.shape}; expected a "
                f"gradient of shape {node.shape}, {node.dtype}, or None to leave it as it is"
            )
        if array.dtype != node.dtype:
            array = array.astype(node.dtype)
        return array.data if hasattr(array, "node") and not is_recorded else array

    return HookHandle(node.slot, on_gradient, hook)


def _read_only(g: Any) -> Any:
    """A view of a gradient that a hook cannot write to, since rules may still read it."""
    if not isinstance(g, np.ndarray):
        return g
    view = g.view()
    view.flags.writeable = False
    return view
