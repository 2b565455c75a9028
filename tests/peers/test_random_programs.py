"""Random programs, some of a fixed seed: the search itself is ``python -m tests.peers.random_programs``."""

import os

import numpy as np
import pytest

from autograd_lite.core.registry import RULES
from autograd_lite.transforms.rule_tables import JVPS
from tests.peers.random_programs import search
from tests.peers.random_programs.generate import generate
from tests.peers.random_programs.hold import DisagreementError
from tests.peers.random_programs.program import Program
from tests.peers.random_programs.shrink import shrink

try:
    import jax  # noqa: F401
    import torch  # noqa: F401
except ImportError as missing:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip(f"{missing.name} is not installed", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("seed", range(30))
def test_a_random_program_agrees_with_everything_that_it_is_held_against(seed):
    outcome = search.hold_program([0, seed], search.PEERS)
    assert not outcome.failures, outcome.failures[0]


def test_programs_of_a_seed_are_the_same_each_time():
    assert [str(generate([5, i])) for i in range(5)] == [str(generate([5, i])) for i in range(5)]


def test_a_printed_program_runs_and_gives_what_the_program_gives():
    program = generate([1, 2])
    scope = {}
    exec(str(program), scope)
    printed = scope["program"](np, *scope["arguments"])
    again = program.function(np, *program.contained(program.arrays()))
    assert str(printed) == str(again)


def program_with(text: str) -> Program:
    """The first program of some length that has a text."""
    programs = (generate([2, i]) for i in range(2000))
    return next(p for p in programs if text in p.source() and len(p.statements) > 6 and not p.is_ragged)


@pytest.mark.parametrize("check", ["reverse against differences", "PyTorch"])
def test_a_wrong_rule_is_found_and_the_program_shrunk_to_its_call(check, monkeypatch):
    program = next(p for p in (generate([2, i]) for i in range(2000)) if "np.cos(" in p.source() and "torch" in p.peers)
    assert search.failure_of(program, check) is None
    monkeypatch.setitem(RULES, np.cos, RULES[np.sin])
    error = search.failure_of(program, check)
    assert isinstance(error, DisagreementError)
    small = shrink(program, search.fails_alike(error, check))
    assert len(small.statements) == 1
    assert "np.cos(" in small.source()


def test_a_wrong_tangent_is_found_and_the_program_shrunk_to_its_call(monkeypatch):
    program = program_with("np.cumsum(")
    monkeypatch.setitem(JVPS, RULES[np.cumsum], {"a": lambda t: 2.0 * t})
    check = "forward against reverse"
    error = search.failure_of(program, check)
    assert isinstance(error, DisagreementError)
    small = shrink(program, search.fails_alike(error, check))
    assert len(small.statements) == 1
    assert "np.cumsum(" in small.source()
