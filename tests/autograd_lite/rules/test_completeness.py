"""Whether the table of specifications leaves a rule out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite
from autograd_lite import Tensor
from autograd_lite.core.graph import ancestors
from autograd_lite.formatting import name_of

from .engine import gradients_of_leaves, seeds
from .specs import EXAMPLES, SPECS

PROGRAM = """
import json, autograd_lite.rules.scipy.special, autograd_lite.special
from autograd_lite.core.registry import DERIVED, RULES
from autograd_lite.transforms.rule_tables import BATCHING
from autograd_lite.formatting import name_of
known = list(RULES), list(DERIVED)
import nn
unbatched = [function for function, rule in RULES.items() if not rule.elementwise and function not in BATCHING]
print(json.dumps([[name_of(function) for function in table] for table in (*known, unbatched)]))
"""

WITHOUT_BATCHING = {
    "convolve_full": "NumPy convolves one pair of vectors in a call; a product with all windows of the longer one "
    "would take as many copies of it as the shorter one has elements, and spread NaN and infinity over other windows",
}
"""The functions with a rule that are rightly called for each example in turn within `vmap`, and why."""


@pytest.fixture(scope="module")
def at_import():
    """Names after importing the libraries alone, since other tests register rules of their own.

    They are those in the two tables of autograd_lite, and those in the first, of nn too, that have no batching rule
    though they are not elementwise.
    """
    root = Path(autograd_lite.__file__).parents[1]
    finished = subprocess.run([sys.executable, "-c", PROGRAM], cwd=root, capture_output=True, text=True, check=True)
    return [set(names) for names in json.loads(finished.stdout)]


def rules_in(results):
    """The names of the rules in the graphs of tensors."""
    return {
        node.recipe.rule.name
        for result in results
        if result.requires_grad
        for node in ancestors(result.node)
        if node.recipe is not None
    }


def test_every_rule_is_reached_by_a_specification(at_import):
    rules, _, _ = at_import
    reached = set()
    for example in EXAMPLES:
        leaves = [Tensor(a, requires_grad=True) for a in example.arrays()]
        results = example.call(*leaves)
        cotangents = [Tensor(c, requires_grad=True) for c in seeds([result.data for result in results])]
        reached |= rules_in(results) | rules_in(
            gradients_of_leaves(example.call, leaves, cotangents, create_graph=True)
        )
    assert rules - reached == set()


def test_every_function_written_in_terms_of_others_has_a_specification(at_import):
    _, derived, _ = at_import
    assert derived - {name_of(spec.of) for spec in SPECS} == set()


def test_every_rule_that_is_not_elementwise_has_a_batching_rule_or_a_reason(at_import):
    _, _, unbatched = at_import
    assert unbatched == WITHOUT_BATCHING.keys()


def test_every_example_has_a_name_of_its_own():
    assert len({str(example) for example in EXAMPLES}) == len(EXAMPLES)
