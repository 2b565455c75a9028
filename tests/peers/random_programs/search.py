"""The search: programs of many seeds are held against everything that they can be, and what fails is shrunk."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from . import hold, library, rivals
from .generate import generate
from .hold import Case, DisagreementError, UnsuitableError, quietly
from .program import Program
from .shrink import shrink

Check = Callable[[Case], None]

CHECKS: dict[str, Check] = {
    "condition": Case.check_condition,
    "leaves against functions": hold.leaves_against_functions,
    "forward against reverse": hold.forward_against_reverse,
    "reverse against differences": hold.reverse_against_differences,
    "single against double": hold.single_against_double,
    "PyTorch": rivals.against_torch,
    "JAX": rivals.against_jax,
    "vmap against a loop": library.mapped_against_loop,
    "checkpoint against plain": library.recomputed_against_kept,
    "second order": library.second_order,
    **{
        f"compiled {name}, jit={jit!r}": partial(check, jit=jit)
        for jit in (False, True, "exact")
        for name, check in (
            ("function", library.compiled_against_eager),
            ("step", library.compiled_step_against_eager),
        )
    },
}
"""Every comparison by its name."""

COMPILED = [name for name in CHECKS if name.startswith("compiled")]
SHARES = {"vmap against a loop": 0.5, "checkpoint against plain": 0.5, "second order": 0.5, "JAX": 0.03}
"""Of how many programs the costly comparisons are made; JAX compiles each call of new shapes, for seconds."""
PEERS = ["PyTorch", "JAX"]


def checks_of(program: Program, seed: int | Sequence[int], peers: Iterable[str], thorough: bool) -> list[str]:
    """The comparisons of a program: those that are costly in turns, JAX only where PyTorch lacks a function."""
    rng = np.random.default_rng([*np.atleast_1d(seed), 5])
    left_out = set(PEERS) - set(peers)
    if "torch" in program.peers or "jax" not in program.peers:
        left_out.add("JAX")
    if not thorough:
        left_out |= set(COMPILED) - {COMPILED[rng.integers(len(COMPILED))]}
        left_out |= {name for name, share in SHARES.items() if rng.random() > share}
    return [name for name in CHECKS if name not in left_out]


@dataclass
class Failure:
    """A program that fails.

    Attributes
    ----------
    seed : int or sequence of int
    check : str
    message : str
    program : str
        Its text; shrunk, if there was time.
    """

    seed: int | Sequence[int]
    check: str
    message: str
    program: str

    def __str__(self) -> str:
        """A text that Python runs."""
        return (
            f"# {self.check}, seed {self.seed}: {self.message}\n{self.program}\n\n"
            f"# python -m tests.peers.random_programs --only {self.seed!r} says the same of the whole program.\n"
        )


@dataclass
class Outcome:
    """What came of some programs.

    Attributes
    ----------
    programs : int
    compared : Counter
        How many programs each comparison was made of.
    seconds : Counter
        Of processor time that each comparison took.
    left_out : Counter
        Why comparisons were not made.
    failures : list of Failure
    """

    programs: int = 0
    compared: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def __iadd__(self, other: "Outcome") -> "Outcome":
        self.programs += other.programs
        self.compared += other.compared
        self.left_out += other.left_out
        self.seconds += other.seconds
        self.failures += other.failures
        return self


def failure_of(program: Program, check: str, seed: int = 0) -> Exception | None:
    """What a comparison raises, if it does; what is left out has not failed."""
    try:
        quietly(CHECKS[check], Case(program, seed))
    except UnsuitableError:
        return None
    except Exception as error:
        return error
    return None


def fails_alike(error: Exception, check: str) -> Callable[[Program], bool]:
    """Whether a program fails a comparison with the same kind of error, and is well conditioned."""

    def fails(program: Program) -> bool:
        if type(error) is DisagreementError and check != "condition":
            try:
                quietly(CHECKS["condition"], Case(program))
            except Exception:
                return False
        return type(failure_of(program, check)) is type(error)

    return fails


def hold_program(
    seed: int | Sequence[int], peers: Iterable[str], thorough: bool = False, small: bool = True
) -> Outcome:
    """Hold the program of a seed against what it can be, and shrink it for the first comparison that fails."""
    outcome, start = Outcome(1), time.process_time()
    program = generate(seed)
    outcome.seconds["generating"] += time.process_time() - start
    case = Case(program)
    for check in checks_of(program, seed, peers, thorough):
        start = time.process_time()
        try:
            quietly(CHECKS[check], case)
            outcome.compared[check] += 1
            outcome.seconds[check] += time.process_time() - start
        except UnsuitableError as reason:
            outcome.seconds[check] += time.process_time() - start
            outcome.left_out[f"{check}: {reason}"] += 1
            if check == "condition":
                break
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            if small:
                program = shrink(program, fails_alike(error, check))
                again = failure_of(program, check)
                message = f"{type(again).__name__}: {again}" if again else message
            outcome.failures.append(Failure(seed, check, message, str(program)))
            break
    return outcome


def hold_programs(seeds: Sequence[Sequence[int]], peers: Sequence[str], thorough: bool, small: bool) -> Outcome:
    """Hold the programs of several seeds."""
    outcome = Outcome()
    for seed in seeds:
        outcome += hold_program(seed, peers, thorough, small)
    return outcome
