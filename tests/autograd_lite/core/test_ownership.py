"""Whose arrays a backward pass leaves and adds to: gradients are arrays of their own, which nobody else holds."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor, compile, custom_vjp
from autograd_lite.compiler.native import is_installed

SIDE = 48

FUNCTIONS = {"relu": nn.relu, "sigmoid": nn.sigmoid, "tanh": np.tanh}
BINARY = {"add": operator.add, "multiply": operator.mul, "matmul": operator.matmul}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def leaf(seed):
    return Tensor(np.random.default_rng(seed).standard_normal((SIDE, SIDE)), requires_grad=True)


def test_what_a_rule_has_made_for_a_leaf_is_kept_without_a_copy():
    made = []

    def product(g, w):
        made.append(g @ w.T)
        return made.pop()

    given_arrays = {}
    multiply = custom_vjp(lambda x, w: x @ w, x=product)
    x, w = leaf(0), leaf(1)
    node = multiply(x, w.data).node
    pull = node.recipe.pull
    node.recipe.pull = lambda g, saved: tuple(given_arrays.setdefault(id(c), id(c)) and c for c in pull(g, saved))
    try:
        result = multiply(x, w.data)
        result.sum().backward()
    finally:
        node.recipe.pull = pull
    assert id(x.grad.data) in given_arrays


def test_what_a_rule_hands_on_and_others_hold_is_copied():
    kept = np.full((SIDE, SIDE), 3.0)
    held = custom_vjp(lambda x: 3 * x, x=lambda g: kept)
    saved = custom_vjp(lambda x: x * x / 2, x=lambda g, x: x)
    view = custom_vjp(lambda x: x + 0, x=lambda g: g.T)
    x, y, z = leaf(0), leaf(1), leaf(2)
    (held(x) + saved(y) + view(z)).sum().backward()
    for tensor in (x, y, z):
        tensor.grad.data[...] = -1
    assert (kept == 3).all()
    assert not (y.data == -1).any()


def test_two_leaves_that_get_the_same_cotangent_have_gradients_of_their_own():
    x, y = leaf(0), leaf(1)
    (x + y).sum().backward()
    x.grad.data[...] = 5
    np.testing.assert_array_equal(y.grad.data, 1)


@every_function
def test_a_kept_gradient_is_not_written_over(function):
    x, w = leaf(0), leaf(1)
    h = function(x).retain_grad()
    (h @ w).sum().backward()
    np.testing.assert_array_equal(h.grad.data, np.ones((SIDE, SIDE)) @ w.data.T)


@every_function
def test_what_a_hook_has_seen_is_not_written_over(function):
    x, w = leaf(0), leaf(1)
    h, seen = function(x), []
    h.register_hook(lambda g: seen.append(g))
    (h @ w).sum().backward()
    np.testing.assert_array_equal(seen[0].data, np.ones((SIDE, SIDE)) @ w.data.T)


@every_function
def test_the_users_cotangent_is_not_written_over(function):
    g = Tensor(np.full((SIDE, SIDE), 2.0))
    function(leaf(0)).backward(g)
    np.testing.assert_array_equal(g.data, 2.0)


@every_function
def test_a_graph_that_is_kept_gives_the_same_again(function):
    x, w = leaf(0), leaf(1)
    loss = (function(x) @ w).sum()
    loss.backward(retain_graph=True)
    first = x.grad
    x.zero_grad()
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, first.data)


@every_function
@pytest.mark.parametrize("jit", [False, True, "exact"])
def test_a_plan_writes_over_no_array_that_it_takes_for_a_constant(function, jit):
    w, v = leaf(0), leaf(0)

    def step(w, x):
        h = w * x
        outputs = 2 * function(h) + h * x + 3 * h + w * x + 4 * w
        w.zero_grad()
        outputs.backward(np.full((SIDE, SIDE), 1.5))
        return outputs

    compiled = compile(lambda x: step(w, x), jit=jit if is_installed() else False)
    for seed in range(1, 4):
        x = leaf(seed).data
        found, expected = compiled(x), step(v, x)
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-13)
        np.testing.assert_allclose(w.grad.data, v.grad.data, rtol=1e-12)


@st.composite
def programs(draw):
    """Steps of a program over a growing list of values: a function's name and the places of its arguments."""
    steps, count = [], 2
    for _ in range(draw(st.integers(2, 12))):
        name = draw(st.sampled_from([*FUNCTIONS, *BINARY]))
        places = [draw(st.integers(max(0, count - 3), count - 1)) for _ in range(1 if name in FUNCTIONS else 2)]
        steps.append((name, places))
        count += 1
    return steps, draw(st.sets(st.integers(2, count - 1), max_size=2))


@settings(max_examples=60, deadline=None)
@given(programs())
def test_no_gradient_shares_memory_with_another_array(program):
    steps, kept = program
    leaves = [leaf(0), leaf(1)]
    values = [leaves[0], leaves[1] * (1 / SIDE)]
    for name, places in steps:
        function = FUNCTIONS.get(name) or BINARY[name]
        values.append(function(*(values[place] for place in places)))
    for place in kept:
        values[place].retain_grad()
    with np.errstate(all="ignore"):
        sum(value.sum() for value in values[2:]).backward()
    gradients = [t.grad.data for t in (*leaves, *(values[place] for place in kept)) if t.grad is not None]
    for i, gradient in enumerate(gradients):
        assert gradient.flags.writeable
        for other in (*gradients[:i], *(value.data for value in values)):
            assert not np.shares_memory(gradient, other)
