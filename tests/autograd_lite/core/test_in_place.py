"""Cotangents computed in the memory of the one before: the same bits, and only where nobody else holds it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_lite import Tensor, compile
from autograd_lite.compiler.native import is_installed
from autograd_lite.core.registry import RULES
from autograd_lite.speed.fast_where import FEW

SIDE = int(FEW**0.5) + 1
FUNCTIONS = {"relu": nn.relu, "sigmoid": nn.sigmoid, "tanh": np.tanh}
BINARY = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "matmul": np.matmul}

every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def leaf(seed, dtype=np.float64):
    array = np.random.default_rng(seed).standard_normal((SIDE, SIDE)).astype(dtype)
    return Tensor(array, requires_grad=True)


def test_these_functions_have_products_in_place():
    assert {function for function, rule in RULES.items() if rule.in_place} == set(FUNCTIONS.values())


@every_function
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (SIDE, SIDE)])
def test_they_are_those_of_the_rule_to_the_bit(function, dtype, shape):
    rng = np.random.default_rng(0)
    x = Tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True)
    g = np.asarray(rng.standard_normal(shape), dtype)
    if shape:
        g[..., :3] = [np.inf, -0.0, np.nan]
    node = function(x).node
    (expected,) = node.recipe.pull(g.copy(), node.saved)
    (found,) = node.recipe.pull_in_place(g, node.saved)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@every_function
def test_large_cotangents_stay_where_they_are(function):
    node, g = function(leaf(0)).node, np.ones((SIDE, SIDE))
    assert node.recipe.pull_in_place(g, node.saved)[0] is g


@every_function
def test_a_pass_computes_in_the_memory_of_a_cotangent_that_nobody_else_holds(function):
    rule, given_arrays = RULES[function].first, []
    in_place = rule.pull_in_place

    def watched(g, saved):
        given_arrays.append(g)
        return in_place(g, saved)

    x, w = leaf(0), leaf(1)
    rule.pull_in_place = watched
    try:
        (function(x) @ w).sum().backward()
    finally:
        rule.pull_in_place = in_place
    assert x.grad.data is given_arrays[0]


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
def test_a_cotangent_that_two_functions_share_is_not_written_over(function):
    x, w = leaf(0), leaf(1)
    shared = (function(x) + function(-x)) @ w
    shared.sum().backward()
    g = np.ones((SIDE, SIDE)) @ w.data.T
    expected = sum(sign * RULES[function].first.pull(g, (function(sign * x.data),))[0] for sign in (1, -1))
    np.testing.assert_allclose(x.grad.data, expected, rtol=1e-13)


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


def gradients_of(program):
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
    return [tensor.grad.data for tensor in (*leaves, *(values[place] for place in kept)) if tensor.grad is not None]


@settings(max_examples=60, deadline=None)
@given(programs())
def test_any_program_has_the_gradients_that_it_has_without(program):
    found = gradients_of(program)
    recipes = [recipe for function in FUNCTIONS.values() for recipe in RULES[function].recipes.values()]
    in_place = [recipe.pull_in_place for recipe in recipes]
    for recipe in recipes:
        recipe.pull_in_place = None
    try:
        expected = gradients_of(program)
    finally:
        for recipe, product in zip(recipes, in_place, strict=True):
            recipe.pull_in_place = product
    for gradient, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(gradient, other)
