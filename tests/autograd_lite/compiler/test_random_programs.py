"""Random programs over arrays of any layout give, compiled, the eager bits, whatever changes between calls.

A world is what a program finds outside: two tensors, a plain array and a number, some of which may share memory. Each
program runs five times in two worlds, in one compiled; arguments come to overlap, masks choose others, a number and a
tensor are exchanged. A call may be refused with a line of this file, which ends the program.

Column-major arrays are among them, whose rows must not be cut out for ``out=``: in NumPy 2.4 `negative` reads an input
as contiguous whose stride is 4 elements of 4 bytes, or 8 of 8 bytes, where the output is not, and `isnan`, `isinf`,
`isfinite` and `signbit` are wrong where their output is not contiguous.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import CompileError, Tensor, compile
from autograd_lite.compiler.native import is_installed

JIT = [False, pytest.param("exact", marks=pytest.mark.skipif(not is_installed(), reason="needs Numba"))]

ELEMENTWISE = [
    *(np.tanh, np.negative, np.abs, np.square, np.copy, np.sign, np.cbrt, np.exp),
    *(lambda x: x * 0.5, lambda x: x + 1, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0)),
    *(lambda x: np.where(np.isfinite(x), x, 0), lambda x: np.sqrt(np.abs(x)), lambda x: 1 / (1 + x * x)),
    *(lambda x: x.T.copy().T, lambda x: x[::-1], lambda x: np.cumsum(x, axis=1), lambda x: x + np.max(x, axis=0)),
]
OF_TWO = [
    *(np.add, np.subtract, np.multiply, np.maximum, np.arctan2),
    *(lambda x, y: np.where(x > y, x, y), lambda x, y: np.where(x > 0, y, 0), lambda x, y: x + np.sum(y, axis=0)),
]
CHOOSING = [
    *(lambda x, m: x[m], lambda x, m: np.ravel(x)[np.flatnonzero(m)], lambda x, m: np.compress(m[0], x, axis=1)),
    *(lambda x, m: np.argwhere(m) * 2, lambda x, m: x[np.where(m)], lambda x, m: np.unique(np.sign(x) * m) * 2),
    *(lambda x, m: np.repeat(x, np.sum(m, axis=1), axis=0), lambda x, m: np.nonzero(m)[1] + 1),
]
KINDS = ["elementwise"] * 6 + ["of two"] * 6 + ["choose"] * 2
KINDS += [
    "in place",
    "into an argument",
    "scale an argument",
    "assign",
    "assign other",
    "assign argument",
    "move",
    "move a part",
    "captured",
]
KINDS += ["scaled", "old", "set by mask", "backward", "backward", "zero", "gradient", "product"]


def _laid_out(rng, x):
    """The numbers in one of several layouts."""
    rows, columns = x.shape
    places = [
        np.empty_like(x),
        np.empty(x.shape, x.dtype, order="F"),
        np.empty((rows + 3, columns), x.dtype, order="F")[1 : 1 + rows],
        np.empty((rows, 2 * columns), x.dtype)[:, ::2],
        np.empty(x.shape, x.dtype)[::-1],
    ]
    place = places[rng.integers(len(places))]
    place[...] = x
    return place


class World:
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.dtype = rng.choice(["f4", "f8"])
        shape = (int(rng.integers(1, 9)), int(rng.choice([3, 4, 8, 17, 64, 3000], p=[0.18] * 5 + [0.1])))
        self.shape = shape if rng.random() < 0.7 else shape[::-1]
        self.w, self.v = (Tensor(self.numbers(rng), requires_grad=True) for _ in range(2))
        self.captured, self.factor = self.numbers(rng), 2.0
        if rng.random() < 0.15:
            self.v._value = self.w.data if rng.random() < 0.5 else self.w.data[::-1]
        if rng.random() < 0.1:
            self.captured = self.w.data
        self._seed, self._overlap, self._when = (
            seed,
            rng.choice(["", "same", "backwards", "tensor", "shifted"]),
            rng.integers(4),
        )

    def numbers(self, rng):
        return _laid_out(rng, rng.standard_normal(self.shape).astype(self.dtype))

    def arguments(self, call):
        same_layout, rng = np.random.default_rng(self._seed), np.random.default_rng([self._seed, call])
        x, y = self.numbers(same_layout), self.numbers(same_layout)
        x[...], y[...] = (rng.standard_normal(self.shape) for _ in range(2))
        if call >= self._when:
            rows = self.shape[0]
            both = np.concatenate([x, y])
            pairs = {"same": (x, x), "backwards": (x, x[::-1]), "tensor": (self.w.data, y)}
            x, y = {**pairs, "shifted": (both[:rows], both[1 : 1 + rows])}.get(self._overlap, (x, y))
        return x, y, rng.random(self.shape) < (0.5 if call < self._when else rng.random())

    def change(self, call):
        self.captured[...] *= 1.1
        if call == 3:
            self.factor = 3.0
        if call == 4 and self._seed % 3 == 0:
            self.w = Tensor(np.full(self.shape, 0.5, self.dtype), requires_grad=True)


def _run(program, world, x, y, m):
    w, v = world.w, world.v
    values, results = [x, y, x * 1], []
    for kind, a, b in program:
        p, q = values[a % len(values)], values[b % len(values)]
        if kind == "elementwise":
            values.append(ELEMENTWISE[a % len(ELEMENTWISE)](q))
        elif kind == "of two":
            values.append(OF_TWO[(a + b) % len(OF_TWO)](p, q))
        elif kind == "choose":
            results.append(CHOOSING[b % len(CHOOSING)](p, m))
        elif kind == "in place":
            p += q * 0.5
        elif kind == "into an argument":
            np.add(p, 1, out=y)
        elif kind == "scale an argument":
            x *= 0.5
        elif kind == "assign":
            w.data = w.data - p * 0.1
        elif kind == "assign other":
            v.data = w.data
        elif kind == "assign argument":
            v.data = y
        elif kind == "move":
            w.data -= p * 0.1
        elif kind == "move a part":
            w.data[:1] *= 0.5
        elif kind == "captured":
            values.append(p * world.captured)
        elif kind == "scaled":
            values.append(p * world.factor)
        elif kind == "old":
            results.append((w, v)[a % 2].data)
            values.append(w.data)
        elif kind == "set by mask":
            copied = p.copy()
            copied[m] = 1
            values.append(copied)
        elif kind == "backward":
            ((w * p + v * w)[m] if b % 3 == 0 else w * p * v).sum().backward()
        elif kind == "zero":
            w.zero_grad()
            v.zero_grad()
        elif kind == "gradient":
            results.append(x.sum() if w.grad is None else w.grad.data * 2)
        elif kind == "product":
            results.append(p @ q.T)
    return [*results, values[-1], values[0]]


def _left(world, arguments):
    """What a call leaves outside."""
    gradients = [None if tensor.grad is None else tensor.grad.data for tensor in (world.w, world.v)]
    return [*arguments, world.w.data, world.v.data, world.captured, *gradients]


def _assert_same(mine, expected):
    for one, other in zip(mine, expected, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert np.asarray(one).dtype == np.asarray(other).dtype
            np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("jit", JIT)
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    program=st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(0, 999), st.integers(0, 999)), min_size=2, max_size=14
    ),
)
@np.errstate(all="ignore")
def test_compiled_programs_do_what_the_eager_ones_do(seed, program, jit):
    eager, world = World(seed), World(seed)
    compiled, held = compile(lambda x, y, m: _run(program, world, x, y, m), jit=jit), []
    for call in range(5):
        for one in (eager, world):
            one.change(call)
        theirs, mine = eager.arguments(call), world.arguments(call)
        held.append(((world.w.data, world.v.data), (eager.w.data, eager.v.data)))
        try:
            found = compiled(*mine)
        except CompileError as error:
            assert "test_random_programs.py:" in str(error)  # noqa: PT017 - what it says is beside the point
            return
        _assert_same(found, _run(program, eager, *theirs))
        _assert_same(_left(world, mine), _left(eager, theirs))
        for of_mine, of_theirs in held:
            _assert_same(of_mine, of_theirs)
