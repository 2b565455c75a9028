"""What a random program is held against: differences, peers, and the library's other ways to the same numbers.

Tolerances are of two parts. Each comparison has a share of the largest element that covers the rounding of sums in
another order, 1e-10 in float64 and 2e-3 in float32. To it comes what the program itself makes of rounding: how far the
derivative moves when the arguments are moved by some units in the last place (`Case.noise`), so that a program that
is badly conditioned is not held to digits that it cannot have. Where that is more than a 1e-4th of the derivative, the
program says nothing and is left out. Comparisons "to the bit" have no tolerance.
"""

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite import Tensor
from autograd_lite.transforms import jvp, vjp
from tests.autograd_lite import numerical

from .program import Program

RTOL = {"float64": 1e-10, "float32": 2e-3}
ROUNDING = 64
"""By how many units in the last place the arguments are moved."""
AMPLIFIED = 50
"""How many times the movement that follows may separate two ways to the same number."""
WORST_CONDITION = 1e-4
ROUGH_VALUES = ("itairy",)
"""Functions that SciPy computes roughly, so that differences are not those of the function: 2e-5 off at 5, 2.3 at 9."""


class DisagreementError(Exception):
    """Two ways to the same number give two numbers, or one of them none."""


class UnsuitableError(Exception):
    """The program says nothing in this comparison; the reason is counted."""


def drawn(rng: np.random.Generator, like: Any) -> Any:
    """A direction or a cotangent for an array, complex where that is."""
    real = rng.uniform(-1.5, 1.5, like.shape)
    return np.asarray(real + 1j * rng.uniform(-1.5, 1.5, like.shape) if like.dtype.kind == "c" else real, like.dtype)


def paired(arrays: list[Any], others: list[Any]) -> Any:
    """The pairing of cotangents and tangents: one number."""
    total: Any = 0.0
    for a, b in zip(arrays, others, strict=True):
        product = a * b
        total = total + np.sum(np.real(product) if product.dtype.kind == "c" else product)
    return total


class Case:
    """A program with its arguments, and what is known of its derivative.

    Attributes
    ----------
    program : Program
    rng : numpy.random.Generator
        For directions and choices of the comparisons.
    arrays : list of array
    """

    def __init__(self, program: Program, seed: int = 0) -> None:
        self.program = program
        self.seed = seed
        self.arrays = program.arrays()
        self.is_single = any(dtype in ("float32", "complex64") for dtype in program.dtypes)
        self.is_complex = any(dtype.startswith("complex") for dtype in program.dtypes)
        self.rtol = RTOL["float32" if self.is_single else "float64"]
        # Cotangents of size 1 that cancel leave some of their last places.
        self.cancelled = 16 * float(np.finfo(np.float32).eps) if self.is_single else 1e-13

    @property
    def rng(self) -> np.random.Generator:
        """The same draws each time."""
        return np.random.default_rng([self.seed, 3])

    def loss(self, arrays: list[Any]) -> Any:
        """One number of all results."""
        return self.program.loss_of(np, arrays)

    def results(self, arrays: list[Any]) -> list[Any]:
        """The results, as a list."""
        return self.program.results_of(np, arrays)

    def gradient_at(self, arrays: list[Any]) -> list[Any]:
        """The gradient of the loss, by `vjp`."""
        value, pull = vjp(self.loss, arrays)
        return list(pull(np.ones_like(value))[0])

    @cached_property
    def gradient(self) -> list[Any]:
        """The gradient of the loss at the arguments."""
        return self.gradient_at(self.arrays)

    @cached_property
    def noise(self) -> list[float]:
        """How far each array of the gradient moves when the arguments do, by some units in the last place."""
        return self.noise_of(self.gradient_at, self.gradient)

    def noise_of(self, function: Callable[[list[Any]], list[Any]], at: list[Any]) -> list[float]:
        """The same of another function of the arguments, with its values there."""
        rng = self.rng
        epsilon = ROUNDING * float(np.finfo(np.float32 if self.is_single else np.float64).eps)
        moved = [np.asarray(a * (1 + epsilon * rng.uniform(-1, 1, a.shape)), a.dtype) for a in self.arrays]
        self.check_shapes(moved)
        there = function(moved)
        if any(np.shape(a) != np.shape(b) for a, b in zip(there, at, strict=True)):
            raise UnsuitableError("shapes that depend on the last places")
        apart = [np.abs(a - b) for a, b in zip(there, at, strict=True)]
        return [float(np.max(a, initial=0.0, where=np.isfinite(a))) for a in apart]

    def check_shapes(self, arrays: list[Any]) -> None:
        """Leave out programs that NumPy refuses for these arguments, a little beside the drawn ones."""
        try:
            self.results(arrays)
        except ValueError:
            raise UnsuitableError("shapes that depend on the last places") from None

    def check_condition(self) -> None:
        """Leave out programs whose derivative has no digits to compare, or is no number."""
        for gradient, noise in zip(self.gradient, self.noise, strict=True):
            largest = float(np.max(np.abs(gradient), initial=0.0))
            if not np.isfinite(largest):
                raise DisagreementError("the gradient is not finite")
            if noise > WORST_CONDITION * largest * (1e4 if self.is_single else 1) + 1e-12:
                raise UnsuitableError("badly conditioned")

    def assert_close(
        self, found: list[Any], expected: list[Any], noise: list[float] | None = None, rtol: float | None = None
    ) -> None:
        """Arrays that agree, each to its tolerance."""
        noise = self.noise if noise is None else noise
        rtol = self.rtol if rtol is None else rtol
        if len(found) != len(expected):
            raise DisagreementError(f"{len(found)} arrays, expected {len(expected)}")
        for i, (a, b, moved) in enumerate(zip(found, expected, noise, strict=True)):
            a, b = np.asarray(a), np.asarray(b)
            if a.shape != b.shape:
                raise DisagreementError(f"array {i}: shape {a.shape}, expected {b.shape}")
            largest = float(np.max(np.abs(b), initial=0.0, where=np.isfinite(b)))
            bound = rtol * largest + AMPLIFIED * moved + self.cancelled
            apart = np.where((a == b) | np.isnan(a) & np.isnan(b), 0, np.abs(a - b))
            if not np.all(apart <= bound):
                at = tuple(int(k) for k in np.unravel_index(np.argmax(np.nan_to_num(apart, nan=np.inf)), a.shape))
                raise DisagreementError(
                    f"array {i}{list(at)}: {a[at]!r}, expected {b[at]!r}, bound {bound:.1e}, largest {largest:.1e}"
                )


def assert_same_bits(found: list[Any], expected: list[Any]) -> None:
    """Arrays of the same shapes, dtypes and bits; a NaN is a NaN."""
    if len(found) != len(expected):
        raise DisagreementError(f"{len(found)} arrays, expected {len(expected)}")
    for i, (a, b) in enumerate(zip(map(np.asarray, found), map(np.asarray, expected), strict=True)):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            raise DisagreementError(f"array {i}: {a.shape} {a.dtype}, expected {b.shape} {b.dtype}")
        parts = [(a.real, b.real), (a.imag, b.imag)] if a.dtype.kind == "c" else [(a, b)]
        for p, q in parts:
            differ = ~((p == q) & (np.signbit(p) == np.signbit(q)) | np.isnan(p) & np.isnan(q))
            if np.any(differ):
                at = tuple(int(k) for k in np.argwhere(differ)[0])
                raise DisagreementError(
                    f"array {i}{list(at)}: {p[at]!r}, expected {q[at]!r}; {np.sum(differ)} of {differ.size} differ"
                )


# ---- the comparisons ----


def leaves_against_functions(case: Case) -> None:
    """`Tensor.backward` against `vjp`, results against NumPy's, and what a gradient is."""
    leaves = [Tensor(a, requires_grad=True) for a in case.arrays]
    results = case.results(leaves)
    plain = case.results(case.arrays)
    values = [r.data if isinstance(r, Tensor) else r for r in results]
    case.assert_close(values, plain, case.noise_of(case.results, plain))
    for value, other in zip(values, plain, strict=True):
        if value.dtype != other.dtype:
            raise DisagreementError(f"a result is {value.dtype}, NumPy's {other.dtype}")
    loss = case.loss(leaves)
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise UnsuitableError("no result depends on the arguments")
    loss.backward()
    for leaf, array in zip(leaves, case.arrays, strict=True):
        if leaf.grad is None:
            leaf.zero_grad()
            continue
        if (leaf.grad.shape, leaf.grad.dtype) != (array.shape, array.dtype):
            raise DisagreementError(f"a gradient is {leaf.grad.shape} {leaf.grad.dtype} of {array.shape} {array.dtype}")
    zeros = [np.zeros_like(a) for a in case.arrays]
    found = [z if leaf.grad is None else leaf.grad.data for leaf, z in zip(leaves, zeros, strict=True)]
    case.assert_close(found, case.gradient)


def forward_against_reverse(case: Case) -> None:
    """Tangents pair with cotangents as these do when they are pulled back."""
    rng = case.rng
    along = [drawn(rng, a) for a in case.arrays]
    results, tangents = jvp(case.results, (case.arrays,), (along,))
    if any((t.shape, t.dtype) != (r.shape, r.dtype) for t, r in zip(tangents, results, strict=True)):
        raise DisagreementError("a tangent has another shape or dtype than its result")
    cotangents = [drawn(rng, r) for r in results]
    pulled = vjp(case.results, case.arrays)[1](cotangents)[0]
    found, expected = paired(tangents, cotangents), paired(list(pulled), along)
    size = sum(float(np.sum(np.abs(p * a))) for p, a in zip(pulled, along, strict=True))

    def pushed(arrays: list[Any]) -> list[Any]:
        return [paired(jvp(case.results, (arrays,), (along,))[1], cotangents)]

    (noise,) = case.noise_of(pushed, [found])
    bound = case.rtol * size + AMPLIFIED * noise + case.cancelled
    if not abs(found - expected) <= bound:
        raise DisagreementError(f"forward {found!r}, reverse {expected!r}, bound {bound:.1e}")


def reverse_against_differences(case: Case) -> None:
    """A directional derivative against central differences with two steps, whose difference is their error."""
    if case.is_single:
        raise UnsuitableError("differences have no digits in single precision")
    if any(f"'{name}'" in str(case.program) for name in ROUGH_VALUES):
        raise UnsuitableError("SciPy's values are too rough")
    along = [drawn(case.rng, a) for a in case.arrays]

    def moved(t: float) -> Any:
        return case.loss([a + t * d for a, d in zip(case.arrays, along, strict=True)])

    wide, narrow = (numerical.central_difference(moved, step) for step in (numerical.STEP, numerical.STEP / 2))
    size = sum(float(np.sum(np.abs(g * a))) for g, a in zip(case.gradient, along, strict=True))
    found, uncertain = paired(case.gradient, along), abs(wide - narrow)
    if not uncertain <= 1e-3 * size + 1e-9:
        raise UnsuitableError("differences do not settle")
    bound = 1e-7 * size + 10 * uncertain + 1e-9 * abs(case.loss(case.arrays)) + 1e-9
    if not abs(found - narrow) <= bound:
        raise DisagreementError(f"reverse {found!r}, differences {narrow!r}, bound {bound:.1e}")


def single_against_double(case: Case) -> None:
    """The gradient in single precision against the one in double."""
    if not case.is_single:
        raise UnsuitableError("no single precision")
    wide = {"float32": np.float64, "complex64": np.complex128}
    doubles = [np.asarray(a, wide.get(str(a.dtype), a.dtype)) for a in case.arrays]
    case.check_shapes(doubles)
    case.assert_close(case.gradient, case.gradient_at(doubles))


def quietly(check: Callable[[Case], None], case: Case) -> None:
    """A comparison without the warnings that numbers give."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        check(case)
