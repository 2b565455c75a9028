"""What a package that trains leaves asks and says about them: optimizers, training loops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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
    for leaf in leaves:
        node = leaf._node
        if not isinstance(node, Leaf):
            raise TypeError("announce_change: expected leaves, tensors with requires_grad=True that no call returned")
        leaf._node = node.successor(how)
    tracer = CONTEXT.get().tracer
    return [leaf._value if tracer is None else tracer.array_of(leaf) for leaf in leaves]
