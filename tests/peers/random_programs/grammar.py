"""The kinds of statements of random programs that take values of any shape; each kind writes one, or gives None."""

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.autograd_lite.rules.specs import elementwise, reductions

from .words import TABLE

if TYPE_CHECKING:
    from .generate import Builder

Kind = Callable[["Builder"], str | None]
"""Writes the right side of an assignment, or whole lines, in which ``v0`` is the value that is made."""

BOTH, TORCH, JAX = ("torch", "jax"), ("torch",), ("jax",)
KINDS: list[tuple[float, tuple[str, ...], Kind]] = []
"""Each kind with how often it is drawn, beside the others, and the peers that have it."""

KEYS = {id(spec): key for key, spec in TABLE.items()}


def kind(weight: float, peers: tuple[str, ...] = BOTH) -> Callable[[Kind], Kind]:
    """Enter a kind."""

    def enter(write: Kind) -> Kind:
        KINDS.append((weight, peers, write))
        return write

    return enter


# ---- elementwise ----


@kind(3.0)
def function_of_one(g: "Builder") -> str | None:
    spec = g.choice(elementwise.UNARY)
    g.require(spec)
    return f"np.{spec.of.__name__}({g.near(KEYS[id(spec)], 0, g.value())})"


@kind(3.0)
def function_of_two(g: "Builder") -> str | None:
    spec = g.choice(elementwise.BINARY)
    g.require(spec)
    x = g.value()
    y = g.broadcastable(x)
    key = KEYS[id(spec)]
    return f"np.{spec.of.__name__}({g.near(key, 0, x)}, {g.near(key, 1, y)})"


@kind(6.0)
def arithmetic(g: "Builder") -> str:
    x = g.value()
    y = g.broadcastable(x)
    c = g.constant()
    forms = ("{x} + {y}", "{x} - {y}", "{x} * {y}", "{x} * {c} + {y}", "{y} * {x} * {x}", "({x} + {y}) * ({x} - {y})",
             "-{x}", "{c} * {x}", "{x} / {c}", "{c} - {x}", "{x} ** 2", "{x} ** 3", "abs({x} * {x} + 0.1)",
             "{x} / (1.0 + {y} * {y})", "np.tanh({x}) * {y}", "1.0 / (1.0 + np.exp(-np.tanh({x})))")  # fmt: skip
    if "complex" in str(g.scope[x].dtype) or "complex" in str(g.scope[y].dtype):
        forms = (*forms[:13], "np.real({x}) + np.imag({y})", "np.conjugate({x}) * {y}", "np.real({x} * {y})")
    return g.choice(forms).format(x=x, y=y, c=c)


@kind(1.0)
def choice_by_a_condition(g: "Builder") -> str | None:
    x = g.value()
    shape = g.shape(x)
    y = g.broadcastable(x)
    mask = g.choice((f"numpy.arange({prod(shape)}).reshape({shape}) % 3 == 1", f"{g.near('absolute', 0, x, True)} > 0"))
    return g.choice(("np.where({m}, {x}, {y})", "np.where({m}, {x}, 0.0)", "np.where({m}, {x}, {x} * {y})")).format(
        m=mask, x=x, y=y
    )


@kind(1.0)
def rectified(g: "Builder") -> str:
    x = g.near("absolute", 0, g.value(), True)
    return g.choice(("np.maximum({x}, 0.0)", "np.minimum(0, {x})", "np.clip({x}, 0.0, 9.0)")).format(x=x)


# ---- reductions ----


def axes(g: "Builder", ndim: int) -> str:
    """An axis, some or all, as arguments after the first."""
    keep = g.choice(("", "", ", keepdims=True"))
    if not ndim or g.chance(0.3):
        return keep
    if g.chance(0.3):
        some = g.rng.permutation(ndim)[: g.integer(1, ndim + 1)]
        return f", axis={tuple(int(i) - ndim * g.integer(0, 2) for i in some)}" + keep
    return f", axis={g.integer(-ndim, ndim)}" + keep


@kind(4.0)
def reduction(g: "Builder") -> str | None:
    function, _ = g.choice(tuple(reductions.DOMAINS.items()))
    g.require(TABLE[function.__name__])
    x = g.value()
    return f"np.{function.__name__}({g.near(function.__name__, 0, x)}{axes(g, g.ndim(x))})"


@kind(1.5)
def cumulative(g: "Builder") -> str:
    x = g.value()
    axis = f", axis={g.integer(-g.ndim(x), g.ndim(x))}" if g.ndim(x) and g.chance(0.7) else ""
    return f"np.{g.choice(('cumsum', 'cumprod'))}({x}{axis})"


@kind(1.0, JAX)
def in_order(g: "Builder") -> str | None:
    x = g.value(lambda a: a.ndim)
    name = g.choice(("sort", "median", "quantile", "linalg.norm", "nansum", "nanmean", "average"))
    axis = g.integer(-g.ndim(x), g.ndim(x))
    q = ", 0.3" if name == "quantile" else ""
    return f"np.{name}({g.near('sort', 0, x)}{q}, axis={axis})"


# ---- shapes and places ----


@kind(2.0)
def another_shape(g: "Builder") -> str:
    x = g.value()
    size = prod(g.shape(x))
    divisors = [d for d in range(1, 13) if size and size % d == 0]
    first = g.choice(divisors) if divisors else 0
    shape = (first, size // first) if first and g.chance(0.6) else (size,)
    if len(shape) == 2 and g.chance(0.3) and shape[1] % 2 == 0:
        shape = (shape[0], 2, shape[1] // 2)
    return f"np.reshape({x}, {shape})"


@kind(1.0, JAX)
def another_shape_in_columns(g: "Builder") -> str:
    x = g.value()
    return g.choice((f'np.ravel({x}, order="F")', f'np.reshape({x}, {g.shape(x)[::-1]}, order="F")'))


@kind(2.0)
def axes_in_another_order(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim > 1)
    order = tuple(int(i) for i in g.rng.permutation(g.ndim(x)))
    return g.choice((f"np.transpose({x}, {order})", f"np.swapaxes({x}, 0, -1)", f"np.moveaxis({x}, -1, 0)"))


@kind(2.0, JAX)
def a_view(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim)
    parts: list[str] = []
    for n in g.shape(x):
        start, step = g.integer(0, max(n // 2, 1)), g.choice((1, 1, 2, 3))
        parts.append(g.choice((":", ":", "::-1", f"{start}:", f"::{step}", f"{n}:{start}:-{step}",
                               f"{start}:{n}:{step}", str(g.integer(0, max(n, 1))),
                               "..."[: 3 * ("..." not in parts)] or ":")))  # fmt: skip
    if g.chance(0.2):
        parts.insert(g.integer(0, len(parts) + 1), "None")
    return f"{x}[{', '.join(parts)}]"


@kind(1.0)
def a_forward_view(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim and a.size)
    n = g.shape(x)[0]
    return g.choice((f"{x}[{n // 3}:]", f"{x}[::2]", f"{x}[..., {g.integer(0, g.shape(x)[-1])}]", f"{x}[None]",
                     f"{x}[: {max(n - 1, 1)}] * 2.0", f"{x}[..., None]"))  # fmt: skip


@kind(1.5)
def picked(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim and a.size)
    n, m = g.shape(x)[0], g.shape(x)[-1]
    some = [g.integer(0, n) for _ in range(g.integer(1, 6))]
    mask = [bool(i % 2) for i in range(n)]
    forms = (f"{x}[numpy.array({some})]", f"{x}[numpy.array({mask})]", f"np.take({x}, numpy.array({some}), axis=0)",
             f"{x}[..., numpy.array({[g.integer(0, m) for _ in range(3)]})]")  # fmt: skip
    return g.choice(forms if n < 20 else (*forms[:1], *forms[2:]))


@kind(1.0, ())
def picked_by_several(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim > 1 and a.size)
    some = [[g.integer(-n, n) for _ in range(3)] for n in g.shape(x)]
    first, second = some[:2]
    return g.choice((f"{x}[{first}, {second}]", f"{x}[{first}]", f"{x}[:, {second}]", f"{x}[[{first}], {second}]",
                     f"{x}[{first}, ::-1]", f"{x}[{first[0]}, {second}]",
                     f"{x}[numpy.ix_({first}, {second})]"))  # fmt: skip


@kind(1.0)
def moved(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim)
    axis = g.integer(0, g.ndim(x))
    return g.choice((f"np.flip({x}, {axis})", f"np.roll({x}, {g.integer(-4, 5)}, {axis})", f"np.tile({x}, 2)",
                     f"np.repeat({x}, 2, {axis})", f"np.expand_dims({x}, {axis})", f"np.squeeze({x})"))  # fmt: skip


@kind(1.0, JAX)
def widened(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim and a.size)
    mode = g.choice(("constant", "edge", "wrap", "symmetric"))
    return g.choice((f'np.pad({x}, {g.integer(0, 3)}, mode="{mode}")', f"np.broadcast_to({x}, (2, *{g.shape(x)}))",
                     f"np.diff({x}, axis=0)", f"np.diag(np.ravel({x})[:4])"))  # fmt: skip


@kind(2.0)
def joined(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim)
    y = g.alike(x)
    axis = g.integer(0, g.ndim(x))
    return g.choice((f"np.concatenate([{x}, {y}], axis={axis})", f"np.stack([{x}, {y}, {x}], axis={axis})",
                     f"np.stack([{y}, {x}])", f"np.concatenate([{x}, {x} * {y}])"))  # fmt: skip


@kind(1.0, JAX)
def joined_with_a_part(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim)
    y = g.alike(x)
    return g.choice((f"np.concatenate([{x}[:1], {y}])", f"np.hstack([{x}, {y}])", f"np.vstack([{x}, {y}])",
                     f"np.append({x}, {y})", f"np.concatenate(({x}, {y}), axis=None)"))  # fmt: skip


@kind(1.0)
def taken_apart(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim and a.shape[0] > 1)
    n = g.shape(x)[0]
    return f"{g.name()}, {g.name()} = np.split({x}, [{n // 2}], axis=0)"


@kind(0.5)
def as_if_new(g: "Builder") -> str:
    x = g.value()
    return f"np.copy({x})"


# ---- products ----


@kind(3.0)
def product_of_matrices(g: "Builder") -> str:
    x = g.value(lambda a: 2 <= a.ndim <= 4 and a.size)
    n = g.shape(x)[-1]
    fitting = [v for v in g.pool if g.ndim(v) >= 2 and g.shape(v)[-2] == n and g.ndim(v) <= 3]
    scale = 1.0 / max(n, 1)
    if fitting and g.chance(0.7):
        return f"{x} @ {g.choice(fitting)} * {scale!r}"
    return g.choice((f"{x} @ np.swapaxes({x}, -1, -2) * {scale!r}", f"np.swapaxes({x}, -1, -2) @ {x} * {scale!r}",
                     f"{x} @ {x}[0] * {scale!r}" if g.ndim(x) == 2 else f"{x} @ np.swapaxes({x}, -1, -2)"))  # fmt: skip


@kind(1.0)
def product_by_subscripts(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim == 2 and a.size)
    y = g.alike(x)
    form = g.choice(("ij,ij->", "ij,ij->i", "ij,kj->ik", "ij,ik->jk", "ij,ij->ji", "ij,kj->k"))
    return f"np.einsum({form!r}, {x}, {y}) * 0.3"


@kind(1.0)
def product_of_vectors(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim == 1 and a.size)
    y = g.alike(x)
    return g.choice((f"np.dot({x}, {y})", f"np.outer({x}, {y}[:5])", f"np.tensordot({x}, {y}, 1)", f"{x} @ {y}"))


# ---- Python around them ----


@kind(2.0)
def loop(g: "Builder") -> str:
    x = g.value()
    y = g.fitting_into(x)
    steps = [g.choice(("v0 = np.tanh(v0 * 0.5 + {y})", "v0 = v0 * {y} + {x}", "v0 = v0 - 0.1 * v0 * v0",
                       "v0 = 0.5 * v0", "v0 = v0 * {y} * (i + 1.0)", "v0 = v0 + {y}",
                       "v0 = v0 + {y} if i % 2 else v0 * {y}",
                       "if i == 1:\n        continue", "v0 *= 0.5")) for _ in range(g.integer(1, 4))]  # fmt: skip
    body = "".join(f"\n    {step.format(x=x, y=y)}" for step in steps)
    # An array of its own, since in NumPy an augmented assignment writes into what the name stands for.
    return f"v0 = 1.0 * {x}\nfor i in range({g.integer(1, 5)}):{body}"


@kind(1.0)
def branch(g: "Builder") -> str:
    x = g.value()
    y = g.broadcastable(x)
    return f"if {x}.ndim > {g.integer(0, 3)}:\n    v0 = {x} * {y}\nelse:\n    v0 = {x} + 2.0 * {y}"


@kind(1.0)
def rows(g: "Builder") -> str:
    x = g.value(lambda a: a.ndim and 0 < a.shape[0] <= 6)
    return g.choice((f"np.stack([row * (i + 1.0) for i, row in enumerate({x})])", f"sum(row * row for row in {x})",
                     f"np.stack([{x}[i] * {x}[0] for i in range({g.shape(x)[0]})])",
                     f"np.stack(list({x})[::-1])"))  # fmt: skip


def fitted(x: str, shape: tuple[int, ...], own: tuple[int, ...], chance: Callable[[float], bool]) -> str:
    """A value's elements in a given shape: a view, or copies where it has too few."""
    size, have = prod(shape), prod(own)
    if shape == own:
        return x
    if have >= size:
        text = f"np.ravel({x})[:{size}]" if have > size else x
        return f"np.reshape({text}, {shape})"
    if all(a in (b, 1) for a, b in zip(own[::-1], shape[::-1], strict=False)) and len(own) <= len(shape):
        return f"np.broadcast_to({x}, {shape})"
    if have and chance(0.5):
        return f"np.reshape(np.tile(np.ravel({x}), {-(-size // have)})[:{size}], {shape})"
    return f"np.broadcast_to(np.sum({x}), {shape})"


def is_finite(value: Any) -> bool:
    """Whether a value is an array of ordinary numbers, of a size that a program may have."""
    return (
        hasattr(value, "dtype")
        and value.dtype.kind in "fc"
        and value.size <= 6000
        and value.ndim <= 5
        and bool(np.all(np.abs(value) < 100.0))
    )
