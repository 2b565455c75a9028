"""A random program against the gradient of a peer, in float64 and for complex numbers."""

from functools import cache
from typing import Any

import numpy as np

from .hold import Case, UnsuitableError
from .words import weighted


@cache
def torch_and_its_numpy() -> tuple[Any, Any]:
    """PyTorch, on one thread, and its functions under NumPy's names."""
    import torch

    from tests.peers.torch_as_numpy import TORCH

    torch.set_num_threads(1)
    return torch, TORCH


@cache
def jax_and_its_numpy() -> tuple[Any, Any]:
    """JAX in double precision, and its functions under NumPy's names."""
    import jax
    import jax.numpy

    jax.config.update("jax_enable_x64", True)
    return jax, jax.numpy


def suited(case: Case, peer: str) -> None:
    """Leave out what the peer has not."""
    if peer not in case.program.peers:
        raise UnsuitableError("the peer lacks a function")
    if case.is_single:
        raise UnsuitableError("peers are compared in double precision")


def against_torch(case: Case) -> None:
    """The gradient against PyTorch's, which is the conjugate for complex numbers."""
    suited(case, "torch")
    torch, namespace = torch_and_its_numpy()
    leaves = [torch.tensor(np.array(a, order="C"), requires_grad=True) for a in case.arrays]
    try:
        loss = weighted(namespace, case.program.results_of(namespace, leaves))
        if not getattr(loss, "requires_grad", False):
            raise UnsuitableError("no result depends on the arguments")
        loss.backward()
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as refusal:
        raise UnsuitableError(f"PyTorch refuses: {type(refusal).__name__}: {str(refusal)[:120]}") from None
    expected = [torch.zeros_like(x) if x.grad is None else x.grad for x in leaves]
    agree(case, [e.conj().resolve_conj().numpy() for e in expected])


def against_jax(case: Case) -> None:
    """The gradient against JAX's."""
    suited(case, "jax")
    jax, namespace = jax_and_its_numpy()
    try:
        expected = jax.grad(lambda arrays: case.program.loss_of(namespace, arrays))(
            [namespace.asarray(np.array(a, order="C")) for a in case.arrays]
        )
    except (AttributeError, IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as refusal:
        raise UnsuitableError(f"JAX refuses: {type(refusal).__name__}: {str(refusal)[:120]}") from None
    agree(case, [np.asarray(e) for e in expected])


def agree(case: Case, expected: list[Any]) -> None:
    """The two gradients are close; where the peer has none (a NaN of its own rule), nothing is said."""
    if not all(np.all(np.isfinite(e)) for e in expected):
        raise UnsuitableError("the peer's gradient is not finite")
    case.assert_close(case.gradient, expected)
