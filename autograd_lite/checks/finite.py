"""`check_gradients`: compares the engine's derivatives with differences, in both modes and to second order."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..core.tree import flatten, members, opened
from ..transforms.argnums import numbers_of, positions, replaced
from ..transforms.gradients import jvp, vjp
from .differences import Estimate, Irregularity, Value, complex_step, derivative, irregularity, why_imprecise
from .finite_report import Comparison, GradientCheckError, GradientReport, described, per_unit
from .wrong_rules import wrong_rules

MODES = ("reverse", "forward")
ENTRIES_SEARCHED = 1000


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: Sequence[str] = MODES,
    argnums: int | Sequence[int] | None = None,
    every_entry: bool = False,
    rtol: float | None = None,
    atol: float = 0.0,
    rng: np.random.Generator | int | None = 0,
) -> GradientReport:
    """Compare the derivatives of a function with differences: along random directions, or entry by entry.

    Parameters
    ----------
    f : callable
        Returns an array, a tensor, or a tree of them, and must be deterministic. The only element of the result is
        differentiated, or the sum of all elements multiplied by random weights.
    *args : array or tree of arrays
        The point at which the function is differentiated; dicts, lists, tuples, dataclasses and modules are allowed.
        Arguments without floating-point numbers are passed on unchanged.
    order : {1, 2}, default 2
        The highest order of derivatives to check.
    modes : sequence of {"reverse", "forward"}
        The modes to check; "reverse" includes reverse over reverse, and "forward" forward over reverse.
    argnums : int or sequence of int, optional
        The arguments to differentiate with respect to; by default all arguments with floating-point numbers.
    every_entry : bool, default False
        Whether each entry of each argument is checked separately. If a direction fails, the entries are always checked.
    rtol, atol : float
        The error that is allowed beyond the measured bound; by default 100 times the precision of the dtype, and 0.
    rng : Generator, int or None, default 0
        The generator of directions and weights, or its seed.

    Returns
    -------
    GradientReport
        The derivatives that were compared, and notes on points where the function has a kink or a jump. These are not
        errors if the engine's derivative lies between those of the two sides.

    Raises
    ------
    GradientCheckError
        If a derivative is outside of its bound. The message names the argument, the entry, both numbers, and the
        difference quotients of all steps.
    TypeError
        If no argument holds floating-point numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.checks import check_gradients
    >>> print(check_gradients(lambda x, w: np.tanh(x @ w), np.ones((2, 3)), np.eye(3)))
    16 derivatives agree with differences; the worst error is ... of its bound
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients: order={order!r}; expected 1 or 2")
    if not modes or not set(modes) <= set(MODES):
        raise ValueError(f"check_gradients: modes={modes!r}; expected some of 'reverse' and 'forward'")
    return _Check(f, args, argnums, tuple(modes), every_entry, rtol, atol, np.random.default_rng(rng)).run(order)


class _Check:
    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        argnums: int | Sequence[int] | None,
        modes: tuple[str, ...],
        every_entry: bool,
        rtol: float | None,
        atol: float,
        rng: np.random.Generator,
    ) -> None:
        numbers = numbers_of(
            range(len(args)) if argnums is None else positions(f, argnums, "check_gradients"), args, "check_gradients"
        )
        leaves, self.rebuild = flatten(tuple(args[i] for i in numbers))
        names = list(_names(f, args, numbers))
        self.fixed: list[Any] = [leaf.data if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self.places = [i for i, leaf in enumerate(self.fixed) if _is_inexact(leaf)]
        if not self.places:
            raise TypeError("check_gradients: no argument holds floating-point numbers; write 3.0 for 3")
        self.names = [names[i] for i in self.places]
        self.points = [np.array(self.fixed[i]) for i in self.places]
        self.f, self.args, self.numbers = f, args, numbers
        self.modes, self.every_entry, self.atol, self.rng = modes, every_entry, atol, rng
        self.report = GradientReport()
        if argnums is not None:
            for i, leaf in enumerate(self.fixed):
                if getattr(leaf, "dtype", np.dtype(bool)).kind in "iu":
                    self.note(
                        f"{names[i]} holds integers, which have no derivative; it is not checked. Write 3.0 for 3"
                    )
        self.epsilon = max(float(np.finfo(point.dtype).eps) for point in self.points)
        self.rtol = 100 * self.epsilon if rtol is None else rtol

    # ---- the function, of its floating-point leaves, and its first derivative ----

    def outputs(self, *points: Any) -> list[Any]:
        leaves = list(self.fixed)
        for place, point in zip(self.places, points, strict=True):
            leaves[place] = point
        return flatten(self.f(*replaced(self.args, self.numbers, self.rebuild(leaves))))[0]

    def gradient(self, *points: Any) -> list[Any]:
        pulled: tuple[Any, ...] = vjp(self.outputs, *points)[1](self.weights)
        return list(pulled)

    # ---- the check ----

    def run(self, order: int) -> GradientReport:
        values = [_plain(out) for out in self.outputs(*self.points)]
        again = [_plain(out) for out in self.outputs(*self.points)]
        for one, other in zip(values, again, strict=True):
            if not np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"):
                raise GradientCheckError(
                    "check_gradients: the function returned two different results for the same arguments; draw random "
                    "numbers outside of it, or with a generator that it makes in each call"
                )
            if not np.all(np.isfinite(one)):
                raise GradientCheckError("check_gradients: the function's result is not finite at the given arguments")
        self.epsilon = max([self.epsilon, *(float(np.finfo(v.dtype).eps) for v in values if v.dtype.kind in "fc")])
        single = len(values) == 1 and values[0].size == 1 and values[0].dtype.kind == "f"
        self.weights = [np.ones_like(values[0])] if single else [self.drawn(value) for value in values]
        self.first_order()
        if order == 2:
            self.second_order()
        return self.report

    def first_order(self) -> None:
        pulled = self.gradient(*self.points)

        def engine(leaf: int, along: list[Any]) -> Iterator[tuple[str, float]]:
            if "reverse" in self.modes:
                yield "the VJP", _pairing(pulled, along).value
            if "forward" in self.modes:
                tangents = jvp(self.outputs, self.points, along)[1]
                yield "the JVP", _pairing(self.weights, tangents).value

        self.over_directions(self.outputs, self.weights, engine)

    def second_order(self) -> None:
        weights = [self.drawn(point) for point in self.points]
        reverse = list(vjp(self.gradient, *self.points)[1](weights)) if "reverse" in self.modes else []

        def engine(leaf: int, along: list[Any]) -> Iterator[tuple[str, float]]:
            if "reverse" in self.modes:
                yield "the second derivative, reverse over reverse,", _pairing(reverse, along).value
            if "forward" in self.modes:
                tangents = jvp(self.gradient, self.points, along)[1]
                yield "the second derivative, forward over reverse,", _pairing(weights, tangents).value

        self.over_directions(self.gradient, weights, engine)

    def over_directions(self, function: Any, weights: list[Any], engine: Any) -> None:
        for leaf, point in enumerate(self.points):
            if not point.size:
                continue
            scale = _scale(point)
            if self.every_entry or point.ndim == 0:
                self.over_entries(function, weights, engine, leaf)
                continue
            for _ in range(2):
                along = self.only(leaf, scale * self.drawn(point))
                estimate = self.differences(function, weights, along)
                for what, found in engine(leaf, along):
                    if not self.agrees(Comparison(what, self.names[leaf], found, estimate)):
                        self.over_entries(function, weights, engine, leaf)
                        break

    def over_entries(self, function: Any, weights: list[Any], engine: Any, leaf: int) -> None:
        """Check each entry, or a random choice of a large argument's entries; raise an error for the worst one."""
        point = self.points[leaf]
        entries = np.arange(point.size)
        if point.size > ENTRIES_SEARCHED and not self.every_entry:
            entries = self.rng.choice(entries, ENTRIES_SEARCHED, replace=False)
        failed: list[Comparison] = []
        units = (1.0, 1j) if point.dtype.kind == "c" else (1.0,)
        for entry in entries:
            index = tuple(int(i) for i in np.unravel_index(entry, point.shape))
            where = f"{self.names[leaf]}{list(index) if index else ''}"
            for unit in units:
                direction = np.zeros_like(point)
                direction[index] = _scale(point)[index] * unit
                along = self.only(leaf, direction)
                estimate = self.differences(function, weights, along)
                for what, found in engine(leaf, along):
                    comparison = Comparison(what, where, found, estimate)
                    if self.agrees(comparison):
                        continue
                    odd = irregularity(estimate)
                    if odd is None or not _allows(odd, comparison):
                        failed.append(per_unit(comparison, abs(direction[index])))
                    else:
                        self.note(f"the function has {odd}, at {where}; the engine's derivative is {found:.6g}")
        if failed:
            self.refuse(failed)

    def refuse(self, failed: list[Comparison]) -> None:
        """Raise the error for the worst of these comparisons, with the rules that are wrong."""
        worst = max(failed, key=_severity)
        found = wrong_rules(self.outputs, self.points)
        said = [described(worst, len({c.where for c in failed})), *(f"   {rule.text}" for rule in found)]
        if not found:
            said.append(
                "   No rule by itself is wrong by as much as differences of its function show. So look for a value "
                "that leaves the graph, a rule within a rule, or a function that is not smooth here."
            )
        error = GradientCheckError("\n".join(said))
        error.explanations = found
        raise error

    def differences(self, function: Any, weights: list[Any], along: list[Any]) -> Estimate:
        """The derivative along a direction of the sum of the results times the weights."""

        def moved(t: Any) -> Any:
            points = [
                point
                if not np.any(d)
                else (point + t * d).astype(np.result_type(point, t) if np.iscomplexobj(t) else point.dtype)
                for point, d in zip(self.points, along, strict=True)
            ]
            with np.errstate(all="ignore"):
                return function(*points)

        def curve(t: float) -> Value:
            return _pairing(weights, moved(t))

        estimate = derivative(curve, self.epsilon)
        if function == self.outputs and not any(p.dtype.kind == "c" for p in self.points):
            finer = complex_step(lambda t: _bilinear(weights, moved(t)), estimate, curve(0.0), self.epsilon)
            return estimate if finer is None else finer
        return estimate

    def agrees(self, comparison: Comparison) -> bool:
        """Whether the two derivatives agree; False if differences show that the function has no derivative."""
        estimate = comparison.estimate
        size = max(abs(estimate.value), abs(comparison.engine))
        allowed = 3 * estimate.bound + self.rtol * size + self.atol + 1e-300
        if not comparison.error <= allowed:
            return False
        if estimate.bound > 1e-4 * max(size, estimate.size):
            odd = irregularity(estimate)
            if odd is not None and odd.kind != "steps":
                return False
            self.note(
                f"{comparison.what} at {comparison.where} cannot be checked precisely: {comparison.engine:.6g} by the "
                f"engine, {estimate.value:.6g} +- {estimate.bound:.1g} by differences ({estimate.dominant}"
                f"{'; ' + why if (why := why_imprecise(estimate)) else ''})"
            )
        self.report.compared.append(comparison)
        return True

    def note(self, text: str) -> None:
        if text not in self.report.notes:
            self.report.notes.append(text)

    def only(self, leaf: int, direction: Any) -> list[Any]:
        """A direction in which only one argument changes."""
        return [direction if i == leaf else np.zeros_like(point) for i, point in enumerate(self.points)]

    def drawn(self, like: Any) -> Any:
        """Random numbers of both signs, none of them small, with the shape and dtype of an array."""

        def real() -> Any:
            return self.rng.uniform(0.5, 1.5, like.shape) * self.rng.choice([-1.0, 1.0], like.shape)

        drawn = real() + 1j * real() if like.dtype.kind == "c" else real()
        return np.asarray(drawn, like.dtype if like.dtype.kind in "fc" else np.float64)


# ---- numbers ----
def _pairing(weights: Sequence[Any], values: Sequence[Any]) -> Value:
    """``Re sum(w * v)``, and the sum of the absolute terms."""
    total = size = 0.0
    with np.errstate(all="ignore"):
        for weight, value in zip(weights, values, strict=True):
            if np.shape(weight) != np.shape(value):
                raise GradientCheckError(
                    f"check_gradients: the function's result has shape {np.shape(weight)} at the given arguments, but "
                    f"{np.shape(value)} nearby; differences need results of the same shape"
                )
            terms = np.real(_plain(weight) * _plain(value))
            total += float(np.sum(terms, dtype=np.float64))
            size += float(np.sum(np.abs(terms), dtype=np.float64))
    return Value(total, size)


def _bilinear(weights: Sequence[Any], values: Sequence[Any]) -> complex:
    return complex(sum(np.sum(_plain(weight) * _plain(value)) for weight, value in zip(weights, values, strict=True)))


def _scale(point: Any) -> Any:
    """The scale of each entry, from which its steps are chosen; for an entry near 0, the scale of the others."""
    size = np.abs(point)
    largest = float(np.max(size))
    return np.maximum(size, 0.1 * largest if largest > 0 else 1.0).astype(np.real(point).dtype)


def _plain(value: Any) -> Any:
    return np.asarray(value.data if isinstance(value, Tensor) else value)


def _is_inexact(leaf: Any) -> bool:
    return isinstance(leaf, float | complex) or (hasattr(leaf, "dtype") and leaf.dtype.kind in "fc")


def _allows(odd: Irregularity, comparison: Comparison) -> bool:
    """Whether the engine's derivative is acceptable at a point where the function has none."""
    if odd.kind == "steps":
        return comparison.engine == 0
    if odd.kind != "kink":
        return bool(np.isfinite(comparison.engine))
    low, high = sorted((odd.left, odd.right))
    margin = 1e-3 * (high - low)
    return bool(low - margin <= comparison.engine <= high + margin)


def _severity(comparison: Comparison) -> float:
    return comparison.error if np.isfinite(comparison.error) else np.inf


# ---- names ----


def _names(f: Callable[..., Any], args: tuple[Any, ...], numbers: tuple[int, ...]) -> Iterator[str]:
    """For each leaf, its argument by number and name, and the path to the leaf."""
    try:
        parameters = [p.name for p in inspect.signature(f).parameters.values() if p.kind is not p.VAR_POSITIONAL]
    except (TypeError, ValueError):
        parameters = []
    for number in numbers:
        name = f" ({parameters[number]})" if number < len(parameters) else ""
        for path in _paths(args[number]):
            yield f"argument {number}{name}{path}"


def _paths(tree: Any) -> Iterator[str]:
    """For each leaf of a tree, in the order of `flatten`, how one gets to it."""
    container = opened(tree)
    if container is None:
        yield ""
        return
    is_indexed = isinstance(tree, dict | list | tuple | deque) and not hasattr(tree, "_fields")
    for (name, part), key in zip(members(tree) or (), container.keys, strict=True):
        step = f"[{key!r}]" if is_indexed else f".{name}"
        yield from (step + rest for rest in _paths(part))
