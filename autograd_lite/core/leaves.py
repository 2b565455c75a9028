"""What a package that trains leaves asks and says about them: optimizers, training loops."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from .commit import Change, commit
from .context import CONTEXT
from .graph import Leaf
from .tensor import Tensor


def is_leaf(tensor: Tensor) -> bool:
    """Whether a tensor requires a gradient and is no result of a call.

    Examples
    --------
    >>> w = Tensor(1.0, requires_grad=True)
    >>> is_leaf(w), is_leaf(2 * w), is_leaf(Tensor(1.0))
    (True, False, False)
    """
    return isinstance(tensor.node, Leaf)


def has_hooks(tensor: Tensor) -> bool:
    """Whether a hook of `Tensor.register_hook` is called with the gradient of a tensor.

    Examples
    --------
    >>> w = Tensor(1.0, requires_grad=True)
    >>> handle = w.register_hook(print)
    >>> has_hooks(w), handle.remove(), has_hooks(w)
    (True, None, False)
    """
    node = tensor.node
    return node is not None and node.slot is not None and bool(node.slot.hooks)


def announce_change(leaves: Iterable[Tensor], how: str) -> list[Any]:
    """Say that the arrays of leaves are about to be changed in place: graphs recorded before refuse to be used then.

    Parameters
    ----------
    leaves : iterable of Tensor
    how : str
        The end of the sentence "it was changed ..." in their error, such as "by an optimizer's step".

    Returns
    -------
    list of array
        The arrays, to write to.

    Raises
    ------
    TypeError
        If one is no leaf.

    Examples
    --------
    >>> w = Tensor(2.0, requires_grad=True)
    >>> square = w * w
    >>> (array,) = announce_change([w], "by hand")
    >>> array += 1
    >>> square.backward()
    Traceback (most recent call last):
    ...
    autograd_lite.errors.ChangedTensorError: ...
    """
    leaves = list(leaves)
    change, _ = announcement(leaves, how)
    commit([change])
    return arrays_of(leaves)


def arrays_of(tensors: Iterable[Tensor]) -> list[Any]:
    """The arrays of tensors; while a compiled function is recorded, those that stand for them."""
    tracer = CONTEXT.get().tracer
    return [tensor._value if tracer is None else tracer.array_of(tensor) for tensor in tensors]


def announcement(leaves: list[Tensor], how: str) -> tuple[Change, list[Leaf]]:
    """What `announce_change` does, as a change to be made at once with that of the arrays; and the leaves after it."""
    old, new = [], []
    for leaf in leaves:
        node = leaf._node
        if not isinstance(node, Leaf):
            raise TypeError("announce_change: expected leaves, tensors with requires_grad=True that no call returned")
        node.changed = how  # which says nothing until what it has saved is gone
        old.append(node)
        new.append(Leaf(node.shape, node.dtype, node.slot, node.name))
    names, nothing = ["_node"] * len(leaves) + ["saved"] * len(leaves), [None] * len(leaves)
    return (deque, map(setattr, [*leaves, *old], names, [*new, *nothing]), 0), new


def end_of_change(leaves: list[Tensor], new: list[Leaf], how: str) -> None:
    """Say that arrays have been changed: leaves whose arrays were given out meanwhile are announced again.

    Another thread that read them then may have seen neither the old numbers nor the new ones.
    """
    if any(map(_SAVED, new)):
        announce_change(leaves, how)


_SAVED = attrgetter("saved")
