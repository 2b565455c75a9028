"""What a package that trains leaves asks and says about them: optimizers, training loops."""

from __future__ import annotations

from collections.abc import Iterable
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
    commit(announcements(leaves, how))
    tracer = CONTEXT.get().tracer
    return [leaf._value if tracer is None else tracer.array_of(leaf) for leaf in leaves]


def announcements(leaves: Iterable[Tensor], how: str) -> list[Change]:
    """What `announce_change` does as changes, to be made at once with those of the arrays."""
    found: list[Change] = []
    for leaf in leaves:
        old = leaf._node
        if not isinstance(old, Leaf):
            raise TypeError("announce_change: expected leaves, tensors with requires_grad=True that no call returned")
        new = Leaf(old.shape, old.dtype, old.slot, old.name)
        found += [(setattr, leaf, "_node", new), (setattr, old, "changed", how), (setattr, old, "saved", None)]
    return found


def end_of_change(leaves: Iterable[Tensor], how: str) -> None:
    """Say that the arrays of leaves have been changed: one that was given out to another thread meanwhile is announced.

    What was seen of it then may be neither the old numbers nor the new ones.
    """
    for leaf in leaves:
        if (node := leaf._node) is not None and node.saved:
            announce_change([leaf], how)
