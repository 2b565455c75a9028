"""Gradients of the engine, as functions of arrays to arrays."""

import numpy as np

from autograd_lite import Tensor

from .specs.spec import as_list


def seeds(results):
    """A cotangent for each result; the same ones each time."""
    rng = np.random.default_rng(7)
    return [
        np.asarray(rng.uniform(0.5, 1.5, result.shape) * rng.choice([-1, 1], result.shape), result.dtype)
        for result in results
    ]


def gradients(call, arrays, cotangents, needed=None):
    """The cotangents of the arrays that are needed (numbers of arguments; all if not said), of the others None.

    The others are handed over as the plain arrays that they are.
    """
    needed = range(len(arrays)) if needed is None else needed
    arguments = [Tensor(a, requires_grad=True) if i in needed else a for i, a in enumerate(arrays)]
    return gradients_of_leaves(call, arguments, cotangents)


def gradients_of_leaves(call, arguments, cotangents, create_graph=False):
    """The gradients that one backward pass over each result leaves in the arguments; zeros where none arrives."""
    leaves = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
    for leaf in leaves:
        leaf.zero_grad()
    for result, cotangent in zip(as_list(call(*arguments)), cotangents, strict=True):
        if isinstance(result, Tensor) and result.requires_grad:
            result.backward(cotangent, retain_graph=True, create_graph=create_graph)
    found = [leaf.grad if leaf.grad is not None else Tensor(np.zeros_like(leaf.data)) for leaf in leaves]
    for leaf in leaves:
        leaf.zero_grad()
    wanted = iter(found if create_graph else [gradient.data for gradient in found])
    return [next(wanted) if any(a is leaf for leaf in leaves) else None for a in arguments]


def inner(arrays, others):
    """The sum of the products of all elements."""
    return sum(np.sum(a * b) for a, b in zip(arrays, others, strict=True))


LAYOUTS = ("transposed", "strided", "reversed", "read-only")


def laid_out(array, layout):
    """The same numbers, in other places of the memory."""
    if layout == "transposed":
        return array.T.copy(order="C").T
    if layout == "strided":
        wide = np.full(tuple(2 * n for n in array.shape), np.nan, array.dtype)
        wide[(slice(None, None, 2),) * array.ndim] = array
        return wide[(slice(None, None, 2),) * array.ndim]
    if layout == "reversed":
        back = (slice(None, None, -1),) * array.ndim
        return array[back].copy(order="C")[back]
    frozen = array.copy()
    frozen.flags.writeable = False
    return frozen
