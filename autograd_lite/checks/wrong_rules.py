"""Which rule in a program is wrong, and how: the rule of each call alone, beside differences of its function."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.context import Block
from ..core.registry import rule_of
from ..core.rule import parameter_names
from ..core.tensor import Tensor
from ..formatting import name_of
from ..notation.formulas import right_side
from ..notation.mathml import text_of
from ..transforms.gradients import jvp, vjp
from .compare.rows import Explanation

Array = np.ndarray[Any, Any]

LARGEST = 400
"""The largest argument of which a rule is looked at."""

PRECISE, COARSEST = 1e-5, 1e-2
"""How closely a rule's numbers must agree with those of a mistake, relative to the largest: usually, and with noise."""


class _Calls(Block):
    """Within it the functions that are called are noted, with their arguments."""

    def __init__(self) -> None:
        self.made: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.anomalies = self

    def look_at_result(self, function: Callable[..., Any], values: Sequence[Any], out: Any) -> None:
        """Take note of a call."""
        self.made.append((function, tuple(values)))

    def look_at_tangent(self, function: Callable[..., Any], values: Sequence[Any], tangent: Any) -> None:
        """Take any tangent."""

    def note(self, result: Any) -> None:
        """Take any result."""

    def watcher(self) -> Any:
        """Nobody looks on in backward passes."""
        return None


def wrong_rules(program: Callable[..., Any], points: Sequence[Array]) -> list[Explanation]:
    """The rules in a program that are wrong, each told once; those of forward mode if all others are right.

    Parameters
    ----------
    program : callable
    points : sequence of ndarray
        Its arguments.
    """
    calls = _Calls()
    with calls, np.errstate(all="ignore"):
        program(*(Tensor(np.array(point), requires_grad=True) for point in points))
    for forward in (False, True):
        found: dict[tuple[Any, int], Explanation] = {}
        for function, values in calls.made:
            for position, value in enumerate(values):
                takes = isinstance(value, Tensor) and value.requires_grad and 0 < value.size <= LARGEST
                if takes and (function, position) not in found:
                    wrong = _wrong(function, values, position, forward)
                    if wrong is not None:
                        found[function, position] = wrong
        if found:
            return list(found.values())
    return []


def _wrong(function: Callable[..., Any], values: tuple[Any, ...], position: int, forward: bool) -> Explanation | None:
    try:
        with np.errstate(all="ignore"):
            return _Call(function, values, position).wrong(forward)
    except Exception:  # a function that cannot be called by itself is passed over; the check itself has failed
        return None


class _Call:
    """One call, as a function of one of its arguments."""

    def __init__(self, function: Callable[..., Any], values: tuple[Any, ...], position: int) -> None:
        self.function, self.position = function, position
        self.values = [np.asarray(value.data) if isinstance(value, Tensor) else value for value in values]
        self.x = np.array(self.values[position])
        self.out = np.asarray(self.of(self.x))
        rule = rule_of(function)
        names = () if rule is None else rule.parameters
        self.names = [*names, *(f"argument {i}" for i in range(len(names), len(values)))]
        self.argument = self.names[position]
        self.rule = rule
        rng = np.random.default_rng(0)
        self.g = _drawn(rng, self.out)
        self.along = _drawn(rng, self.x)
        self.wider = 1
        self.epsilon = float(np.finfo(self.x.dtype).eps)

    def of(self, x: Any) -> Any:
        out = self.function(*self.values[: self.position], x, *self.values[self.position + 1 :])
        return out.data if isinstance(out, Tensor) else out

    def _recorded(self, x: Any) -> Any:
        return self.function(*self.values[: self.position], x, *self.values[self.position + 1 :])

    def wrong(self, forward: bool) -> Explanation | None:
        """What is wrong with the rule; None if differences agree with it."""
        name = f"the {'JVP' if forward else 'VJP'} of {name_of(self.function)} for {self.argument}"
        given = self.along if forward else self.g
        if forward:
            rules = np.asarray(jvp(self._recorded, (self.x,), (given,))[1])
        else:
            rules = np.asarray(vjp(self._recorded, self.x)[1](given)[0])
        right, precision = self._by_differences(self.directional if forward else self.pulled, given)
        if precision > COARSEST:
            return None  # differences prove nothing here
        allowed = max(PRECISE, 100 * self.epsilon ** (2 / 3), precision)
        size = max(_largest(right), _largest(rules))
        if rules.shape != right.shape or _largest(rules - right) <= allowed * size:
            return None
        if not forward and (repair := self._repair(right, allowed * size)):
            kind = "transpose" if ".T belongs" in repair else "operand"
            return Explanation(kind, (self.argument,), f"{name} is wrong: {repair}")
        formula = f"; the rule is {text}" if (text := self._formula(forward)) else ""
        for kind, text, version in self._versions(given, right, forward):
            if not np.all(np.isfinite(version)):
                continue
            if version.shape == rules.shape and _largest(rules - version) <= allowed * max(size, _largest(version)):
                return Explanation(kind, (self.argument,), f"{name} is wrong: {text}{formula}")
        whole = "its numbers are those of no usual mistake"
        if (factor := _multiple(rules, right)) is not None and _largest(rules - factor * right) <= allowed * size:
            kind, text = self._factor(factor)
            return Explanation(kind, (self.argument,), f"{name} is wrong: {text}{formula}")
        return Explanation("rule", (self.argument,), f"{name} is wrong: {whole}{formula}")

    def _factor(self, factor: float) -> tuple[str, str]:
        if abs(factor + 1) <= PRECISE:
            return "sign", "the sign is flipped"
        text = f"it gives {factor:.6g} times the derivative"
        counts = {
            "the argument has as many elements": self.x.size,
            "as many elements of the argument belong to one of the result": self.x.size // max(self.out.size, 1),
            "as many elements of the result belong to one of the argument": self.out.size // max(self.x.size, 1),
        }
        same = [
            what for what, n in counts.items() if n > 1 and min(abs(factor / n - 1), abs(factor * n - 1)) <= PRECISE
        ]
        if not same:
            return "factor", text
        stands = "a sum stands where a mean belongs" if factor > 1 else "a mean stands where a sum belongs"
        return "reduction", f"{text}, and {same[-1]}: {stands}"

    def _repair(self, right: Array, allowed: float) -> str:
        """The one value that the rule reads and should not, if reading another one makes it right; empty for none."""
        vjp_rule = None if self.rule is None or self.rule.joint is not None else self.rule.vjps.get(self.argument)
        if vjp_rule is None:
            return ""
        known = {**dict(zip(self.names, self.values, strict=False)), "out": self.out}
        reads = parameter_names(vjp_rule)[1:]
        if not all(isinstance(known.get(name), np.ndarray) for name in reads):
            return ""
        given = {name: known[name] for name in reads}
        others = {name: value for name, value in known.items() if isinstance(value, np.ndarray)}
        others |= {f"{name}.T": value.T for name, value in others.items() if value.ndim == 2}
        for name in reads:
            for other, value in others.items():
                if other == name:
                    continue
                try:
                    repaired = np.asarray(vjp_rule(self.g, *{**given, name: value}.values()))
                except Exception:  # not every value can be read in the place of another
                    continue
                if repaired.shape == right.shape and _largest(repaired - right) <= allowed:
                    formula = self._formula(False)
                    written = f" in {formula}" if formula else ""
                    return f"it reads {name} where {other} belongs{written}"
        return ""

    def _formula(self, forward: bool) -> str:
        vjp_rule = None if self.rule is None or forward else self.rule.vjps.get(self.argument)
        if vjp_rule is None:
            return ""
        try:
            return text_of(f"<mrow>{right_side(vjp_rule)}</mrow>")
        except Exception:  # any Python may stand in a rule
            return ""

    # ---- differences ----

    def _by_differences(self, product: Callable[..., Array], given: Array) -> tuple[Array, float]:
        """A product with the Jacobian and its precision, by the smallest steps that rounding and noise allow."""
        largest = max(_largest(np.asarray(value)) for value in (self.out, *self.values) if _is_of_numbers(value))
        for wider in (1, 30, 300):
            self.wider = wider
            right = product(given)
            self.wider = 4 * wider
            apart = _largest(product(given) - right)
            self.wider = wider
            # Terms as large as the operands may have been rounded, although the result does not show it.
            rounding = self.epsilon * largest / self._step(np.ones(1), self.x) * _largest(given)
            precision = 4 * max(apart, rounding) / max(_largest(right), 1e-300)
            if precision <= COARSEST:
                return right, precision
        return right, np.inf

    def _step(self, along: Array, x: Array) -> float:
        return float(self.wider * self.epsilon ** (1 / 3) * max(_largest(x), 1e-3) / max(_largest(along), 1e-300))

    def directional(self, along: Array, at: Array | None = None) -> Array:
        """The derivative of the result along a direction."""
        x = self.x if at is None else at
        step = self._step(along, x)
        above, below = (
            np.asarray(self.of((x + t * along).astype(x.dtype)), np.result_type(x, float)) for t in (step, -step)
        )
        return np.asarray((above - below) / (2 * step))

    def pulled(self, g: Array) -> Array:
        """The product of a cotangent and the Jacobian."""
        found = np.zeros(self.x.shape, np.result_type(self.x, float))
        for index in np.ndindex(self.x.shape):
            direction = np.zeros_like(self.x)
            direction[index] = 1
            found[index] = np.sum(g * self.directional(direction))
        return found

    def diagonal(self) -> Array:
        """The derivatives of each element of the result by the same element of the argument."""
        found = np.zeros(self.x.shape, np.result_type(self.x, float))
        for index in np.ndindex(self.x.shape):
            direction = np.zeros_like(self.x)
            direction[index] = 1
            found[index] = self.directional(direction)[index]
        return found

    # ---- wrong versions ----

    def _versions(self, g: Array, right: Array, forward: bool) -> Iterator[tuple[str, str, Array]]:
        """The kinds, descriptions and numbers of usual mistakes."""
        given = "tangent" if forward else "cotangent"
        yield "path", f"it hands on 0, and not the derivative times the {given}", np.zeros_like(right)
        if right.dtype.kind == "c":
            yield "conjugate", "a complex conjugate is missing, or one too many", np.conj(right)
        yield from self._products(g, right)
        if g.shape == right.shape:
            yield from self._elementwise(g, right, given)
        if not forward and self.x.shape == self.out.shape:
            yield "diagonal", "the Jacobian is taken as diagonal", g * self.diagonal()
            yield "transpose", "the Jacobian stands where its transpose belongs", self.directional(g)
        if right.ndim == 2:
            yield "transpose", "its result is transposed", right.T
        for axis in range(right.ndim):
            yield "reversal", f"its result is reversed along axis {axis}", np.flip(right, axis)

    def _elementwise(self, g: Array, right: Array, given: str) -> Iterator[tuple[str, str, Array]]:
        yield "derivative", f"the derivative is missing: it hands on the {given} as it is", g
        slope = right / g
        if self.x.shape != self.out.shape or _largest(self.directional(self.along) - slope * self.along) > 1e-4 * max(
            _largest(slope * self.along), 1e-300
        ):
            return
        x, out = self.x, self.out
        yield "derivative", f"the {given} is missing: it gives the derivative alone", slope
        yield "derivative", "the derivative is applied twice", g * slope * slope
        yield "derivative", "the function's value stands where its derivative belongs", g * out
        yield "derivative", "the argument stands where the derivative belongs", g * x
        at_out = self.directional(np.ones_like(x), at=out.astype(x.dtype))
        yield "derivative", "the derivative is taken at the result: f'(f(x)) where f'(x) belongs", g * at_out
        yield "derivative", "it divides by the derivative", g / slope
        yield "derivative", "the derivative is multiplied by the argument besides", right * x
        yield "derivative", "the derivative is divided by the argument besides", right / x
        yield "derivative", "the derivative is multiplied by the function's value besides", right * out
        yield "mask", "the derivative is left out where it is not positive", np.where(slope > 0, right, 0)
        yield "mask", f"the mask is taken of the {given} and not of the argument", g * (g > 0)
        yield "mask", "the mask is reversed", g * (slope == 0)
        yield "derivative", "1 minus the derivative stands where the derivative belongs", g * (1 - slope)
        for i, other in self._others():
            if np.shape(other) in ((), x.shape):
                yield "operand", f"{self.names[i]} stands where the derivative belongs", g * other
                yield "operand", f"the factor {self.names[i]} is missing, or one too many", right / other
                yield "operand", f"the factor {self.names[i]} is there once too often", right * other

    def _products(self, g: Array, right: Array) -> Iterator[tuple[str, str, Array]]:
        """Products of matrices in another order, or without a transpose."""
        for i, other in [*self._others(), (self.position, self.x)]:
            if np.ndim(other) != 2 or g.ndim != 2:
                continue
            forms = list(_forms(g, np.asarray(other), self.names[i]))
            known = next((text for text, form in _forms_of_others(g, self) if _is(form, right)), None)
            for text, form in forms:
                if known is not None and text != known and not _is(form, right):
                    yield "transpose", f"it computes {text} where {known} belongs", form

    def _others(self) -> Iterator[tuple[int, Any]]:
        for i, other in enumerate(self.values):
            if i != self.position and isinstance(other, np.ndarray | np.generic | float) and np.size(other):
                yield i, other


def _is_of_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | float) and np.asarray(value).dtype.kind in "fc"


def _forms(g: Array, other: Array, name: str) -> Iterator[tuple[str, Array]]:
    """A cotangent times a matrix, in every order and with every transpose."""
    for left, right in (("g", name), (name, "g")):
        for first, second in ((0, 0), (0, 1), (1, 0), (1, 1)):
            a, b = (g, other) if left == "g" else (other, g)
            a, b = (a.T if first else a), (b.T if second else b)
            if a.shape[1] == b.shape[0]:
                yield f"{left}{'.T' if first else ''} @ {right}{'.T' if second else ''}", a @ b


def _forms_of_others(g: Array, call: _Call) -> Iterator[tuple[str, Array]]:
    for i, other in call._others():
        if np.ndim(other) == 2:
            yield from _forms(g, np.asarray(other), call.names[i])


def _is(form: Array, right: Array) -> bool:
    return form.shape == right.shape and _largest(form - right) <= PRECISE * max(_largest(right), 1e-300)


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _multiple(rules: Array, right: Array) -> float | None:
    size = float(np.vdot(right, right).real)
    if not size or not math.isfinite(size):
        return None
    return float(np.vdot(right, rules).real) / size


def _drawn(rng: np.random.Generator, like: Array) -> Array:
    drawn = rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1.0, 1.0], like.shape)
    if like.dtype.kind == "c":
        drawn = drawn + 1j * rng.uniform(0.5, 1.5, like.shape)
    return np.asarray(drawn, like.dtype if like.dtype.kind in "fc" else float)
