"""Derivations of eight families with one step wrong: a part of the trial that `trial.measure` runs as a whole."""

import os
import zlib

import numpy as np
import pytest

from autograd_lite.checks import compare_gradients
from autograd_lite.checks.compare import search
from autograd_lite.checks.compare.projection import Projection

from .trial import measure
from .trial.program import FAMILIES

PROGRAMS = [program for programs in FAMILIES.values() for program in programs]
NAMES = [program.name for program in PROGRAMS]

NOT_NAMED = {
    ("several_heads", "mask forgotten"),
    ("in_one_dimension", "shifted window"),
    ("weight_norm", "gain missing"),
    ("lstm", "tanh' of h"),
    ("lstm", "t for c before"),
    ("logistic", "hard predictions"),
    ("softmax_weighted", "labels sum to one"),
    ("mixture", "hard assignment"),
    ("mixed_effects", "prior's variance not squared"),
}
"""Mistakes that the search does not name, or not in every program that is drawn."""

SHARE = None if os.environ.get("WHOLE_TRIAL") else 2
"""How many mistakes of each program are tried; all of them if the environment says so."""


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """A machine that does other work is no reason to find less."""
    monkeypatch.setattr(search, "BUDGET", 8.0)
    monkeypatch.setattr(search, "PATIENCE", 100.0)


def some(program):
    """A few mistakes of a program, which are always the same."""
    known = [wrong for wrong in program.says if (program.name, wrong) not in NOT_NAMED]
    return sorted(known, key=lambda wrong: zlib.crc32(f"{program.name} {wrong}".encode()))[:SHARE]


@pytest.mark.parametrize(("program", "wrong"), [(p, wrong) for p in PROGRAMS for wrong in some(p)])
def test_a_step_that_is_wrong_is_named_with_its_place(program, wrong):
    texts = measure.said(program, wrong, seed=1)
    assert measure.names(program, texts, wrong), texts


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("network_of_rows", "W2 not transposed", "no relu'"),
        ("network_of_rows", "delta transposed in W1", "mask reversed"),
        ("logistic", "penalty on the bias", "summed"),
        ("batch_norm", "no gamma", "mean constant"),
        ("in_two_dimensions", "relu' reversed", "channels swapped"),
        ("rnn", "b overwritten", "y - t"),
        ("one_head", "diagonal", "Wo not transposed"),
        ("gaussian_process", "of l", "no determinant"),
        ("words", "no tanh'", "mean summed"),
    ],
)
def test_two_steps_that_are_wrong_are_both_named(name, first, second):
    program = PROGRAMS[NAMES.index(name)]
    texts = measure.said(program, first, second, seed=1)
    assert measure.names(program, texts, first), texts
    assert measure.names(program, texts, second), texts


@pytest.mark.parametrize(("program", "wrong"), [(p, wrong) for p in PROGRAMS for wrong in p.outside])
def test_a_mistake_of_no_catalogue_gets_a_place_and_no_cause(program, wrong):
    loss, parameters, gradients = program(wrong, seed=1)
    assert {e.kind for e in compare_gradients(gradients, loss, parameters).explanations} <= {"delta"}


@pytest.mark.parametrize("variant", measure.VARIANTS)
@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
def test_a_right_derivation_is_not_accused(program, variant):
    with np.errstate(all="ignore"):
        loss, parameters, gradients = measure.right(program, variant, seed=3)
        report = compare_gradients(gradients, loss, parameters)
    assert report.explanations == []
    report.assert_close()


def test_central_differences_are_not_accused():
    program = PROGRAMS[NAMES.index("additive")]
    loss, parameters, gradients = measure.right(program, "differences", seed=3)
    assert compare_gradients(gradients, loss, parameters).explanations == []


@pytest.mark.parametrize("name", ["network_of_rows", "rnn", "in_two_dimensions", "gaussian"])
def test_a_projection_changes_as_the_gradients_do(name, monkeypatch):
    program = PROGRAMS[NAMES.index(name)]
    loss, parameters, gradients = program(seed=1)
    rng = np.random.default_rng(0)
    checked = []
    trials = search.Search.trials

    def compared(self, projection: Projection):
        for trial in trials(self, projection):
            changes = self.changes(trial.mutation.detours) if len(checked) < 400 else None
            if changes is not None:
                checked.append(projection.is_quick)
                np.testing.assert_allclose(projection.along(changes), trial.vector, rtol=1e-6, atol=1e-6)
            yield trial

    monkeypatch.setattr(search.Search, "trials", compared)
    monkeypatch.setattr(search, "BUDGET", 1.0)
    compare_gradients({k: g + rng.normal(size=np.shape(g)) for k, g in gradients.items()}, loss, parameters)
    assert len(checked) > 50
    assert all(checked)
