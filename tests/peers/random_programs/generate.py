"""Random programs: statements are drawn one by one, and each is run as it is drawn, so that every program is valid.

A statement that NumPy refuses, or whose numbers are not ordinary, is drawn anew. Arguments of functions with kinks or
singular points are brought near a point of the function's domain (`words.near`), at a distance from those.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.autograd_lite.rules.specs import CORE, FURTHER
from tests.autograd_lite.rules.specs.spec import Example, Shape, Spec
from tests.peers.absent import NOT_IN_JAX, NOT_IN_TORCH

from . import words
from .grammar import KINDS, Kind, fitted, is_finite
from .program import NAME, Argument, Program, Statement

TRIES = 400
"""How many statements are drawn at most for one program."""

HOLISTIC = 0.35
"""The share of statements that are calls of the table as it stands, with its own shapes."""

PEERS = {"torch": 0.5, "jax": 0.1, None: 0.4}
"""For which of them a program is written; for none, from the whole table."""


def has(peer: str, spec: Spec, shapes: tuple[Shape, ...] | None = None) -> bool:
    """Whether a peer has a call, and takes the same derivative."""
    absent, table = (NOT_IN_TORCH, CORE) if peer == "torch" else (NOT_IN_JAX, [*CORE, *FURTHER])
    names = {spec.of.__name__, spec.name, *([str(Example(spec, shapes))] if shapes else [])}
    return spec in table and not names & absent


def by_function() -> dict[str | None, list[list[tuple[str, Spec, tuple[Shape, ...]]]]]:
    """For each peer the calls that it has, a list for each function."""
    found: dict[str | None, list[list[tuple[str, Spec, tuple[Shape, ...]]]]] = {}
    for peer in PEERS:
        functions: dict[Any, list[tuple[str, Spec, tuple[Shape, ...]]]] = {}
        for key, spec in words.TABLE.items():
            for shapes in spec.shapes:
                if peer is None or has(peer, spec, shapes):
                    functions.setdefault(spec.of, []).append((key, spec, shapes))
        found[peer] = list(functions.values())
    return found


CALLS = by_function()
PEERS_OF = {key: [peer for peer in ("torch", "jax") if has(peer, spec)] for key, spec in words.TABLE.items()}


class RefusedError(Exception):
    """The statement cannot be drawn here."""


class Builder:
    """A program that grows.

    Attributes
    ----------
    rng : numpy.random.Generator
    peer : str or None
        The peer that has to have every call.
    scope : dict of str to array
        The numbers of each name.
    pool : list of str
        The names in the order in which they were made.
    """

    def __init__(self, rng: np.random.Generator, peer: str | None) -> None:
        self.rng, self.peer = rng, peer
        self.scope: dict[str, Any] = {}
        self.pool: list[str] = []
        self.arguments: list[Argument] = []
        self.statements: list[Statement] = []
        self._made = 0
        self._peers: set[str] = set()
        self._is_ragged = False
        small, medium, large = (1, 2, 3, 4), (1, 3, 5, 8, 13), (1, 7, 31, 64)
        self._lengths = [self.choice(self.choice((small, small, small, medium, large))) for _ in range(3)]
        dtype = self.choice(("float64",) * 5 + (("float32", "complex128") if peer is None else ("complex128",)))
        self._dtypes = (dtype, dtype, "float64")
        self._layouts = words.LAYOUTS if self.chance(0.6) else ("C",)

    # ---- draws ----

    def integer(self, low: int, high: int) -> int:
        """An integer from `low` to below `high`."""
        return int(self.rng.integers(low, high))

    def chance(self, probability: float) -> bool:
        """Whether something happens."""
        return bool(self.rng.random() < probability)

    def choice(self, members: Sequence[Any]) -> Any:
        """One of several."""
        return members[self.integer(0, len(members))]

    def constant(self) -> str:
        """A number, as text."""
        return repr(round(float(self.rng.uniform(0.2, 2.0)) * self.choice((-1, 1)), 2))

    # ---- what there is ----

    def shape(self, name: str) -> Shape:
        """The shape of a value."""
        return tuple(np.shape(self.scope[name]))

    def ndim(self, name: str) -> int:
        """The number of axes of a value."""
        return len(self.shape(name))

    def name(self) -> str:
        """A new name."""
        self._made += 1
        return f"v{self._made}"

    def value(self, fits: Callable[[Any], Any] = lambda value: True) -> str:
        """A value that there is, a late one more often."""
        names = [name for name in self.pool if fits(self.scope[name])]
        if not names:
            raise RefusedError
        late = min(int(self.rng.exponential(2.5)), len(names) - 1)
        return names[-1 - late] if self.chance(0.7) else self.choice(names)

    def broadcastable(self, x: str) -> str:
        """A value that can meet another."""

        def fits(y: str) -> bool:
            try:
                return int(np.prod(np.broadcast_shapes(self.shape(x), self.shape(y)))) <= 6000
            except ValueError:
                return False

        return self.choice([y for y in self.pool if fits(y)])

    def alike(self, x: str) -> str:
        """A value of the same shape."""
        return self.choice([y for y in self.pool if self.shape(y) == self.shape(x)])

    def fitting_into(self, x: str) -> str:
        """A value that leaves another's shape and dtype as they are."""
        found = [y for y in self.pool if self.shape(y) in (self.shape(x), ()) and self.scope[y].dtype.kind == "f"]
        return self.choice(found) if found else x

    def require(self, spec: Spec) -> None:
        """Note what the statement that is being drawn inherits from a call of the table."""
        key = next(key for key, other in words.TABLE.items() if other is spec)
        self._peers &= set(PEERS_OF[key])
        self._is_ragged |= spec.ragged
        if spec.real_only and any(a.dtype.startswith("complex") for a in self.arguments):
            raise RefusedError

    def near(self, key: str, position: int, x: str, always: bool = False) -> str:
        """A value near a point of a domain; as it is where the domain is all numbers."""
        if words.TABLE[key].domains[position] is words.reals and not always:
            return x
        return f"near(np, {key!r}, {position}, {self.integer(0, 1000)}, {x})"

    # ---- growth ----

    def add_argument(self) -> None:
        """An argument more."""
        ndim = self.choice((0, 1, 1, 2, 2, 2, 3))
        shape = tuple(self.choice(self._lengths) for _ in range(ndim))
        while np.prod(shape) > 4500:
            shape = shape[1:]
        name = f"a{len(self.arguments)}"
        made = Argument(name, shape, self.choice(self._dtypes), self.choice(self._layouts), self.integer(0, 10**6))
        self.arguments.append(made)
        self.scope[name] = made.array()
        self.pool.append(name)

    def call_of_the_table(self) -> str:
        """A call with the shapes that the table has, of values brought into its domains."""
        key, spec, shapes = self.choice(self.choice(CALLS[self.peer]))
        self._is_ragged |= spec.ragged
        self._peers &= {peer for peer in ("torch", "jax") if has(peer, spec, shapes)}
        if spec.real_only and any(a.dtype.startswith("complex") for a in self.arguments):
            raise RefusedError
        operands = []
        for position, shape in enumerate(shapes):
            x = self.value(lambda a: np.ndim(a) < 4)
            text = fitted(x, shape, self.shape(x), self.chance)
            operands.append(self.near(key, position, text))
        return f"call(np, {key!r}, {', '.join(operands)})"

    def grow(self) -> None:
        """Draw one statement, and keep it if it is valid."""
        self._peers, self._is_ragged = {"torch", "jax"}, False
        made = self._made
        try:
            if self.chance(HOLISTIC):
                text = self.call_of_the_table()
            else:
                kinds = [
                    (weight, peers, write) for weight, peers, write in KINDS if not self.peer or self.peer in peers
                ]
                shares = np.array([weight for weight, _, _ in kinds])
                _, peers, write = kinds[self.rng.choice(len(kinds), p=shares / shares.sum())]
                self._peers &= set(peers)
                text = self._written(write)
            self._keep(text)
        except RefusedError:
            self._made = made

    def _written(self, write: Kind) -> str:
        text = write(self)
        if text is None:
            raise RefusedError
        return text

    def _keep(self, text: str) -> None:
        """Run a statement and name its results."""
        if "v0" in text:
            name = self.name()
            text = text.replace("v0", name)
        elif "np.split" in text and text.startswith("v"):
            pass
        else:
            value = self._run(f"it = {text}")["it"]
            count = len(value) if isinstance(value, list | tuple) else None
            names = [self.name() for _ in range(count or 1)]
            text = f"{', '.join(names)}{',' if count == 1 else ''} = {text}"
        scope = self._run(text)
        targets = [name for name in dict.fromkeys(NAME.findall(text)) if name not in self.scope]
        if not targets or not all(is_finite(scope[name]) for name in targets):
            raise RefusedError
        if self.peer is not None and self.peer not in self._peers:
            raise RefusedError
        self.scope.update((name, scope[name]) for name in targets)
        self.pool += targets
        self.statements.append(Statement(text, tuple(targets), frozenset(self._peers), self._is_ragged))

    def _run(self, text: str) -> dict[str, Any]:
        scope = {"np": np, "numpy": np, "call": words.call, "near": words.near, **self.scope}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                exec(text, scope)
            except (
                ArithmeticError,
                AttributeError,
                LookupError,
                TypeError,
                ValueError,
                Warning,
                np.linalg.LinAlgError,
            ):
                raise RefusedError from None
        return scope


def generate(seed: int | Sequence[int]) -> Program:
    """The random program of a seed."""
    rng = np.random.default_rng(seed)
    peer = list(PEERS)[rng.choice(len(PEERS), p=list(PEERS.values()))]
    g = Builder(rng, peer)
    for _ in range(g.integer(1, 5)):
        g.add_argument()
    wanted = int(np.clip(3 + rng.exponential(11.0), 3, 40))
    for _ in range(TRIES):
        if len(g.statements) >= wanted:
            break
        g.grow()
    read = {name for statement in g.statements for name in statement.reads}
    made = [name for statement in g.statements for name in statement.targets]
    results = [name for name in made if g.chance(0.1 if name in read else 0.9)] or [made[-1]]
    return trimmed(
        Program(tuple(g.arguments), tuple(g.statements), tuple(results), g.choice(("plain", "dict", "nested")))
    )


def trimmed(program: Program) -> Program:
    """The program without statements and arguments that no result depends on."""
    needed = set(program.results)
    kept: list[Statement] = []
    for statement in reversed(program.statements):
        if needed & set(statement.targets):
            kept.insert(0, statement)
            needed |= statement.reads
    arguments = tuple(a for a in program.arguments if a.name in needed) or program.arguments[:1]
    return Program(arguments, tuple(kept), program.results, program.containers)
