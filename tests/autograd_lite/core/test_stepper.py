"""The pass that is looked at: its sums are the gradients of the pass that counts, and it changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite import FreedGraphError, Tensor
from autograd_lite.core.graph import ancestors
from autograd_lite.core.stepper import cotangents_of_all, steps


def leaf(data):
    return Tensor(data, requires_grad=True)


CALLS = st.sampled_from(
    [
        lambda a, b: a * b,
        lambda a, b: a + b[:1],
        lambda a, b: np.sin(a) - b,
        lambda a, b: np.max(a, axis=0, keepdims=True) * b,
        lambda a, b: np.concatenate([a, b])[: len(a)],
        lambda a, b: np.modf(a)[0] + np.modf(b)[1],
        lambda a, b: (a.astype("f4") * b).astype("f8"),
    ]
)


def drawn(calls):
    """A scalar that is computed from two leaves, and all tensors on the way to it."""
    rng = np.random.default_rng(0)
    values = [leaf(rng.normal(size=(3, 2))), leaf(rng.normal(size=(3, 2)))]
    for call, i, j in calls:
        values.append(call(values[i % len(values)], values[j % len(values)]).retain_grad())
    return sum(np.sum(value * (1 + i)) for i, value in enumerate(values)), values


programs = st.lists(st.tuples(CALLS, st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(programs, st.booleans())
def test_its_cotangents_are_the_gradients_of_the_pass_that_counts(calls, with_hooks):
    loss, values = drawn(calls)
    if with_hooks:
        for value in values[::2]:
            value.register_hook(lambda g: 2 * g)
    found = cotangents_of_all(loss.node, hooks=True)
    loss.backward()
    for value in values:
        np.testing.assert_array_equal(found[value.node], value.grad.data)


@settings(max_examples=30, deadline=None)
@given(programs)
def test_each_cotangent_is_the_last_total_of_what_was_handed_on(calls):
    loss, _ = drawn(calls)
    totals = {loss.node: np.ones(())}
    for step in steps(loss.node):
        np.testing.assert_equal(step.cotangent, totals[step.node])
        assert [each.parent for each in step.contributions] == list(step.node.parents)
        for each in step.contributions:
            assert each.before is totals.get(each.parent)
            if each.before is not None and isinstance(each.total, np.ndarray):
                np.testing.assert_array_equal(each.total, each.before + each.cotangent)
            totals[each.parent] = each.total


def test_every_node_has_one_step_and_comes_before_its_parents():
    loss, _ = drawn([(lambda a, b: a * b, 0, 1), (lambda a, b: a * b, 2, 2)])
    played = [step.node for step in steps(loss.node)]
    assert sorted(map(id, played)) == sorted(map(id, ancestors(loss.node)))
    places = {node: i for i, node in enumerate(played)}
    assert all(places[node] < places[parent] for node in played for parent in node.parents)


def test_a_contribution_has_what_the_rule_gave_and_what_became_of_it():
    x = leaf(np.ones(2, np.float32))
    loss = (np.ones((3, 2)) * x).sum()
    (contribution,) = next(
        step for step in steps(loss.node) if step.node.recipe.rule.name == "np.multiply"
    ).contributions
    assert (contribution.given.shape, contribution.given.dtype) == ((3, 2), np.float64)
    assert (contribution.cotangent.shape, contribution.cotangent.dtype) == ((2,), np.float32)
    assert contribution.before is None


@pytest.mark.parametrize("hooks", [False, True])
def test_hooks_are_called_only_when_that_is_asked_for(hooks):
    seen = []
    x = leaf(3.0)
    h = x * 2.0
    h.register_hook(lambda g: seen.append(g.item()) or 10 * g)
    found = cotangents_of_all((h * 5.0).node, hooks=hooks)
    assert seen == ([5.0] if hooks else [])
    assert found[h.node] == (50.0 if hooks else 5.0)
    assert found[x.node] == (100.0 if hooks else 10.0)


def test_the_graph_and_the_gradients_stay_as_they_were():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    before, loss = x.grad, np.exp(x * x).sum()
    saved = {node: node.saved for node in ancestors(loss.node)}
    first, second = cotangents_of_all(loss.node), cotangents_of_all(loss.node)
    assert {node: node.saved for node in ancestors(loss.node)} == saved
    assert x.grad is before
    np.testing.assert_array_equal(before.data, [2.0, 4.0])
    for node, cotangent in first.items():
        np.testing.assert_array_equal(second[node], cotangent)


def test_what_was_seen_is_not_written_over_later_in_the_pass():
    x = leaf([1.0, 2.0])
    h = x * 1.0
    contributions = [each for step in steps((h * 2.0 + h * 3.0 + h).sum().node) for each in step.contributions]
    to_h = [each for each in contributions if each.parent is h.node]
    assert sorted(float(each.cotangent[0]) for each in to_h) == [1.0, 2.0, 3.0]
    assert to_h[0].before is None
    np.testing.assert_array_equal(to_h[1].before, to_h[0].total)
    np.testing.assert_array_equal(to_h[2].before, to_h[1].total)
    np.testing.assert_array_equal(to_h[2].total, [6.0, 6.0])


def test_a_seed_is_the_cotangent_that_it_begins_with():
    x = leaf([1.0, 2.0])
    first, *_, last = steps((x * 3.0).node, np.array([1.0, 10.0]))
    np.testing.assert_array_equal(first.cotangent, [1.0, 10.0])
    np.testing.assert_array_equal(last.cotangent, [3.0, 30.0])


def test_a_graph_that_is_gone_is_refused():
    loss = leaf(2.0) ** 2
    loss.backward()
    with pytest.raises(FreedGraphError):
        steps(loss.node)
