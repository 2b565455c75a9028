"""A random program against the library itself: compiled, for many examples, recomputed, and in second order."""

import re
from typing import Any

import numpy as np

from autograd_lite import Tensor
from autograd_lite import compile as compiled
from autograd_lite.errors import CompileError, GradientError
from autograd_lite.transforms import checkpoint, grad, hvp, jvp, value_and_grad, vmap

from .hold import AMPLIFIED, Case, DisagreementError, UnsuitableError, assert_same_bits, paired
from .hold import drawn as drawn_like
from .words import flat, weighted

CALLS = 3
"""How often a compiled function is called with other numbers in arrays that lie in the same way."""


def check_bits(case: Case, jit: Any, found: Any, expected: Any, compiled_function: Any) -> None:
    """The eager bits; but with machine code's own `exp` and `log` their last digits."""
    if jit is True and re.search("exp|log", str(compiled_function)):
        found, expected = flat(found), flat(expected)
        case.assert_close(found, expected, [max([*case.noise, 1e-10])] * len(found), max(case.rtol, 1e-6))
    else:
        assert_same_bits(flat(found), flat(expected))


def compiled_against_eager(case: Case, jit: Any) -> None:
    """Value and gradient of a compiled function, over changing data and then in other memory."""
    program = case.program

    def step(*arrays: Any) -> Any:
        return value_and_grad(case.loss)(list(arrays))

    function = compiled(step, jit=jit, watch_randomness=False)
    try:
        for data in range(CALLS):
            arrays = program.arrays(data)
            check_bits(case, jit, function(*arrays), step(*arrays), function)
        if any(a.layout != "C" for a in program.arguments):
            arrays = [np.array(a, order="C") for a in program.arrays(0)]
            check_bits(case, jit, function(*arrays), step(*arrays), function)
    except CompileError as refusal:
        raise UnsuitableError(f"compile refuses: {str(refusal)[:150]}") from None


def compiled_step_against_eager(case: Case, jit: Any) -> None:
    """A step that leaves gradients in tensors, which are assigned other numbers; half of the arguments are data."""
    program = case.program
    leaves = {i: Tensor(a, requires_grad=True) for i, a in enumerate(program.arrays()) if i % 2 == 0}
    kept: list[Any] = []

    def step(data: dict[str, Any]) -> Any:
        for leaf in leaves.values():
            leaf.zero_grad()
        arrays = [leaves[i] if i in leaves else data[a.name] for i, a in enumerate(program.arguments)]
        results = program.results_of(np, arrays)
        loss = weighted(np, results)
        if isinstance(loss, Tensor) and loss.requires_grad:
            loss.backward()
        return loss, [r.detach() if isinstance(r, Tensor) else r for r in results]

    def run(function: Any, number: int) -> list[Any]:
        arrays = program.arrays(number)
        for i, leaf in leaves.items():
            leaf.data = arrays[i]
        data = {a.name: arrays[i] for i, a in enumerate(program.arguments) if i not in leaves}
        results = flat(function(data))
        kept[:] = [getattr(r, "data", r) if isinstance(r, Tensor) else r for r in results]
        return [*kept, *(np.array(leaf.grad.data) for leaf in leaves.values() if leaf.grad is not None)]

    function = compiled(step, jit=jit, watch_randomness=False)
    try:
        for number in range(CALLS):
            check_bits(case, jit, run(function, number), run(step, number), function)
    except CompileError as refusal:
        raise UnsuitableError(f"compile refuses: {str(refusal)[:150]}") from None


def stacked(trees: list[list[Any]]) -> list[Any]:
    """Results of the examples, each a list of arrays, as one list of arrays."""
    return [np.stack(members) for members in zip(*trees, strict=True)]


def mapped_against_loop(case: Case) -> None:
    """`vmap` of the results and of the gradient against a loop over three examples."""
    if case.program.is_ragged:
        raise UnsuitableError("shapes that depend on numbers")
    rng = case.rng
    examples = [case.program.arrays(data) for data in range(3)]
    count = len(case.arrays)
    axes = [None if rng.random() < 0.25 else int(rng.choice([0, -1])) for _ in range(count)]
    if all(axis is None for axis in axes):
        axes[0] = 0
    own = [[a if axes[i] is not None else examples[0][i] for i, a in enumerate(arrays)] for arrays in examples]
    together = [
        examples[0][i] if axis is None else np.stack([e[i] for e in examples], axis) for i, axis in enumerate(axes)
    ]
    for function in (case.results, case.gradient_at):
        try:
            expected = stacked([function(arrays) for arrays in own])
        except ValueError:
            raise UnsuitableError("shapes that depend on numbers") from None
        try:
            found = vmap(lambda *a, function=function: function(list(a)), tuple(axes))(*together)
        except GradientError as refusal:
            raise UnsuitableError(f"vmap refuses: {str(refusal)[:150]}") from None
        noise = case.noise_of(function, function(case.arrays))
        noise = [max(noise, default=0.0)] * len(expected)
        case.assert_close(flat(found), expected, noise)
        for a, b in zip(flat(found), expected, strict=True):
            if a.dtype != b.dtype:
                raise DisagreementError(f"vmap gives {a.dtype}, the loop {b.dtype}")


def recomputed_against_kept(case: Case) -> None:
    """`checkpoint` of the whole to the bit, and of every assignment of one value by itself to rounding."""
    whole = checkpoint(lambda *arrays: case.loss(list(arrays)))
    argnums = tuple(range(len(case.arrays)))
    if not all(isinstance(g, np.ndarray | np.generic) for g in case.gradient):
        raise DisagreementError("a gradient is no array")
    assert_same_bits(list(grad(whole, argnums)(*case.arrays)), list(grad(case_loss(case), argnums)(*case.arrays)))
    program = case.program
    function = program.in_parts(checkpoint)

    def in_parts(arrays: list[Any]) -> Any:
        return weighted(np, flat(function(np, *program.contained(arrays))))

    leaves = [Tensor(a, requires_grad=True) for a in case.arrays]
    loss = in_parts(leaves)
    if isinstance(loss, Tensor) and loss.requires_grad:
        loss.backward()
        found = [np.zeros_like(x.data) if x.grad is None else x.grad.data for x in leaves]
        case.assert_close(found, case.gradient)


def case_loss(case: Case) -> Any:
    """The loss, of arguments one by one."""
    return lambda *arrays: case.loss(list(arrays))


def second_order(case: Case) -> None:
    """A second derivative along two directions, in the four orders of the modes, and by a difference of gradients."""
    if case.is_complex or case.is_single:
        raise UnsuitableError("second derivatives are compared in real double precision")
    rng = case.rng
    u, v = ([drawn_like(rng, a) for a in case.arrays] for _ in range(2))
    x = case.arrays

    def pulled(arrays: list[Any]) -> Any:
        return paired(list(grad(case.loss)(arrays)), u)

    def pushed(arrays: list[Any]) -> Any:
        return jvp(case.loss, (arrays,), (u,))[1]

    def forward_over_reverse(arrays: list[Any]) -> Any:
        return jvp(pulled, (arrays,), (v,))[1]

    expected = forward_over_reverse(x)
    ways = {
        "reverse over reverse": lambda: paired(list(grad(pulled)(x)), v),
        "forward over forward": lambda: jvp(pushed, (x,), (v,))[1],
        "reverse over forward": lambda: paired(list(grad(pushed)(x)), v),
        "hvp": lambda: paired(list(hvp(case.loss)(x, u)), v),
    }
    products = hvp(case.loss)(x, u)
    size = sum(float(np.sum(np.abs(h * d))) for h, d in zip(products, v, strict=True))
    (noise,) = case.noise_of(lambda arrays: [forward_over_reverse(arrays)], [expected])
    bound = 1e-8 * size + AMPLIFIED * noise + 1e-12
    if not np.isfinite(expected):
        raise DisagreementError(f"the second derivative is {expected!r}")
    if noise > 1e-4 * size + 1e-12:
        raise UnsuitableError("badly conditioned in second order")
    for name in rng.permutation(list(ways))[:2]:
        found = ways[name]()
        if not abs(found - expected) <= bound:
            raise DisagreementError(f"{name} {found!r}, forward over reverse {expected!r}, bound {bound:.1e}")
