"""Trees that belong together, arguments that are named twice, and results that have no derivative."""

import itertools
from collections import OrderedDict, deque, namedtuple
from fractions import Fraction

import numpy as np
import pytest

import nn
from autograd_lite import GradientError, LostGradientError, StructureError, Tensor, check_gradients, no_grad
from autograd_lite.transforms import (
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
    vmap,
)

Point = namedtuple("Point", "x y")
P = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0]), "c": {"d": np.array([5.0, 6.0])}}
T = {"a": np.array([1.0, -1.0]), "b": np.array([0.5, 2.0]), "c": {"d": np.array([0.0, 3.0])}}


def f(p):
    return np.sum(p["a"] ** 2 * p["b"] * np.sin(p["c"]["d"]))


def orders(tree):
    return [dict(items) for items in itertools.permutations(tree.items())]


@pytest.mark.parametrize("t", orders(T))
def test_tangents_are_found_by_their_keys(t):
    assert jvp(f, (P,), (t,))[1] == jvp(f, (P,), (T,))[1]
    assert jvp(f, (P,), (OrderedDict(t),))[1] == jvp(f, (P,), (T,))[1]


@pytest.mark.parametrize("t", orders(T))
def test_vectors_of_hvp_are_found_by_their_keys(t):
    found, expected = hvp(f)(P, t), hvp(f)(P, T)
    np.testing.assert_array_equal(found["a"], expected["a"])
    np.testing.assert_array_equal(found["c"]["d"], expected["c"]["d"])
    of_two = hvp(lambda p, x: f(p) * x, (0, 1))(P, 2.0, (t, 1.0))
    np.testing.assert_array_equal(of_two[0]["b"], hvp(lambda p, x: f(p) * x, (0, 1))(P, 2.0, [T, 1.0])[0]["b"])


@pytest.mark.parametrize("g", orders(T))
def test_cotangents_are_found_by_their_keys(g):
    def outputs(x):
        return {"c": {"d": x * x}, "b": np.cos(x), "a": np.sin(x)}

    _, pullback = vjp(outputs, np.array([0.5, 1.0]))
    np.testing.assert_array_equal(pullback(g)[0], pullback(T)[0])


def test_tangents_of_a_module_are_found_by_the_names_of_its_parameters():
    model = nn.Dense(2, 1, rng=0, dtype=np.float64)
    along = {"bias": np.ones(1), "weight": np.zeros((2, 1))}
    assert jvp(lambda m: np.sum(m(np.ones((3, 2)))), (model,), (along,))[1] == 3.0


OTHER = [
    {"a": T["a"], "b": T["b"]},
    {**T, "e": 1.0},
    {"a": T["a"], "b": T["b"], "x": T["c"]},
    {**T, "c": T["b"]},
    {**T, "c": {"D": T["b"]}},
    {**T, "c": [T["b"]]},
    {**T, "a": None},
    [T["a"], T["b"], T["c"]],
    T["a"],
    None,
]


@pytest.mark.parametrize("t", OTHER)
def test_another_structure_is_refused(t):
    _, pullback = vjp(lambda x: {"a": x, "b": x, "c": {"d": x}}, np.ones(2))
    for use in (lambda: jvp(f, (P,), (t,)), lambda: hvp(f)(P, t), lambda: pullback(t)):
        with pytest.raises(StructureError, match="differ in structure: at"):
            use()


def test_primals_and_tangents_are_tuples():
    with pytest.raises(TypeError, match=r"primals are a tuple .* write \(primal,\)"):
        jvp(np.sin, np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match="tangents are a tuple"):
        jvp(np.sin, (np.ones(2),), {"x": np.ones(2)})


# ---- axes of vmap ----
D = {"x": np.arange(6.0).reshape(2, 3), "scale": 2.0, "more": [np.ones((3, 2)), None]}


def g(d, y):
    return d["x"] * d["scale"] + d["more"][0].sum() + y


@pytest.mark.parametrize(
    "axes", [*orders({"x": 0, "scale": None, "more": [1, None]}), {"more": 1, "scale": None, "x": 0}]
)
def test_axes_are_a_tree_that_begins_like_the_argument(axes):
    found = vmap(g, in_axes=(axes, None))(D, 1.0)
    expected = [g({"x": D["x"][i], "scale": 2.0, "more": [D["more"][0][:, i]]}, 1.0) for i in range(2)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "axes",
    [
        ({"x": 0},),
        ({"x": 0, "scale": None, "more": (1, None)},),
        ([0, None, 1],),
        ({"x": {"y": 0}, "scale": None, "more": 1},),
    ],
)
def test_axes_of_another_structure_are_refused(axes):
    with pytest.raises(StructureError, match="in_axes and the arguments differ"):
        vmap(lambda d: d["x"], in_axes=axes)(D)


@pytest.mark.parametrize(
    "axes", [1.0, "x", {"x": 0}, (True, None), ("x", None), (0.0, None), ({"x": "0", "scale": None, "more": 1}, None)]
)
def test_what_is_no_axis_is_refused(axes):
    with pytest.raises((TypeError, StructureError), match="in_axes"):
        vmap(g, in_axes=axes)(D, 1.0)


def test_an_argument_of_which_nothing_is_mapped_is_the_very_object():
    given = []
    model = nn.Dense(2, 1, rng=0)
    vmap(lambda m, x: given.append(m) or m(x), in_axes=(None, 0))(model, np.ones((3, 1, 2)))
    assert given == [model]


def test_axes_of_results_are_a_tree_too():
    x = np.ones((2, 3))
    result = vmap(lambda x: {"a": x, "b": (x * 2, 7.0)}, out_axes={"b": (1, None), "a": 0})(x)
    assert (result["a"].shape, result["b"][0].shape, result["b"][1]) == ((2, 3), (3, 2), 7.0)
    with pytest.raises(StructureError, match="out_axes and the result differ"):
        vmap(lambda x: {"a": x}, out_axes={"c": 0})(x)
    with pytest.raises(ValueError, match=r"out_axes is None for .* which differs from example to example"):
        vmap(lambda x: x, out_axes=None)(x)
    with pytest.raises(ValueError, match="out_axes is 5 for a result that has 2 axes"):
        vmap(lambda x: x, out_axes=5)(x)
    with pytest.raises(TypeError, match="out_axes holds 'a'"):
        vmap(lambda x: x, out_axes="a")(x)


# ---- arguments that are named twice ----
def product(a, b):
    return np.sum(a * a * b)


A, B = np.array([1.0, 2.0]), np.array([3.0, 5.0])


@pytest.mark.parametrize("argnums", [(0, 0), (0, -2), (1, 1, 0), [0, 1, -2, -1], (1, -1)])
def test_an_argument_that_is_named_twice_has_its_whole_derivative_twice(argnums):
    found = grad(product, argnums)(A, B)
    assert len(found) == len(argnums)
    for number, gradient in zip(argnums, found, strict=True):
        np.testing.assert_array_equal(gradient, grad(product, number)(A, B))
    for number, rows in zip(argnums, hessian(product, argnums)(A, B), strict=True):
        for other, block in zip(argnums, rows, strict=True):
            expected = hessian(product, (0, 1))(A, B)[number][other]
            np.testing.assert_array_equal(block, expected)
    jacobians = jacobian(lambda a, b: a * a * b, argnums)(A, B)
    np.testing.assert_array_equal(jacobians[0], jacobian(lambda a, b: a * a * b, argnums[0])(A, B))
    assert check_gradients(product, A, B, argnums=argnums)


def test_both_gradients_have_memory_of_their_own():
    _, (first, second) = value_and_grad(product, (0, 0))(A, B)
    first += 1
    np.testing.assert_array_equal(second, 2 * A * B)


def test_two_vectors_for_one_argument_are_refused():
    with pytest.raises(GradientError, match="names an argument twice"):
        hvp(product, (0, 0))(A, B, (A, A))


@pytest.mark.parametrize(("argnums", "positions"), [("b", 1), (("b",), (1,)), ((0, "b"), (0, 1))])
def test_an_argument_is_named_as_the_function_names_it(argnums, positions):
    expected = grad(product, positions)(A, B)
    np.testing.assert_array_equal(grad(product, argnums)(A, B), expected)
    np.testing.assert_array_equal(grad(product, argnums)(a=A, b=B), expected)


@pytest.mark.parametrize("argnums", ["x", (0, "y")])
def test_a_name_that_the_function_has_not_is_refused(argnums):
    with pytest.raises(ValueError, match=r"names the argument '[xy]', but the function has the parameters a, b"):
        grad(product, argnums)(A, B)


def test_a_name_for_a_function_without_known_parameters_is_refused():
    with pytest.raises(ValueError, match="the function does not say its parameters"):
        grad(max, "x")


@pytest.mark.parametrize("argnums", [1.0, None])
def test_what_is_no_position_is_refused(argnums):
    with pytest.raises(TypeError, match="argnums is the position of an argument"):
        grad(product, argnums)(A, B)


def test_a_position_may_be_an_integer_of_numpys():
    np.testing.assert_array_equal(grad(product, np.int64(1))(A, B), A * A)


# ---- results without a derivative ----
WITHOUT = {
    "a truth value": lambda x: bool(np.sum(x).item() > 0),
    "NumPy's truth value": lambda x: np.sum(x) > 0,
    "a whole number": lambda x: 3,
    "NumPy's whole number": lambda x: np.argmax(x),
    "whole numbers": lambda x: np.arange(3),
    "text": lambda x: "three",
    "a fraction": lambda x: Fraction(1, 2),
    "a set": lambda x: {np.sum(x)},
    "an array of objects": lambda x: np.array([None], dtype=object),
    "a masked array": lambda x: np.ma.array([1.0]),
    "a matrix of its own": lambda x: np.ones(1).view(type("Own", (np.ndarray,), {"__mul__": None})),
}


@pytest.mark.parametrize("function", WITHOUT.values(), ids=WITHOUT)
@pytest.mark.parametrize(
    "derivative",
    [
        grad,
        value_and_grad,
        jacobian,
        hessian,
        lambda f: lambda x: vjp(f, x),
        lambda f: lambda x: jvp(f, (x,), (x,)),
        lambda f: lambda x: hvp(f)(x, x),
        lambda f: jacobian(lambda x: {"good": x, "bad": f(x)}),
        lambda f: lambda x: jvp(lambda x: (x, [f(x)]), (x,), (x,)),
    ],
)
def test_a_result_that_is_no_floating_point_number_is_refused(function, derivative):
    with pytest.raises(TypeError, match="the function must return"):
        derivative(function)(np.array([1.0, 2.0, 3.0]))


def test_the_refusal_names_the_place():
    with pytest.raises(TypeError, match=r"returned bool True at 'b\.1'; leave it out"):
        jacobian(lambda x: {"a": x, "b": (x, True)})(A)


def test_constant_numbers_have_a_derivative_of_zero():
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert grad(lambda z: 1j, holomorphic=True)(1j) == 0.0
    np.testing.assert_array_equal(jacobian(lambda x: (x, 2.0))(A)[1], [0.0, 0.0])


def test_results_and_arguments_may_be_deques():
    result = grad(lambda q: q[0] * q[1])(deque([2.0, 3.0], maxlen=3))
    assert (result, result.maxlen) == (deque([3.0, 2.0]), 3)
    _, pullback = vjp(lambda x: deque([x, x * x]), 3.0)
    assert pullback(deque([1.0, 1.0])) == (7.0,)


@pytest.mark.parametrize("hidden", [lambda x: {x}, lambda x: iter([x]), lambda x: type("Box", (), {"x": x})()])
def test_stop_gradient_refuses_what_it_cannot_look_into(hidden):
    with pytest.raises(TypeError, match="could not be made constant"):
        grad(lambda x: stop_gradient(hidden(x)) and x)(2.0)


def test_stop_gradient_makes_named_tuples_and_deques_constant():
    assert grad(lambda x: stop_gradient(Point(x, 1.0)).x * x + stop_gradient(deque([x]))[0] * x)(3.0) == 6.0
    assert isinstance(stop_gradient(Point(Tensor(1.0), "name")), Point)


def taken(x):
    return np.sum(x * x).item()


@pytest.mark.parametrize(
    "transform",
    [
        lambda x: grad(taken)(x),
        lambda x: jacobian(taken)(x),
        lambda x: vjp(taken, x),
        lambda x: jvp(taken, (x,), (x,)),
        lambda x: grad(lambda y: np.sum(grad(taken)(y)))(x),
    ],
)
def test_a_number_that_item_has_taken_out_is_refused(transform):
    with pytest.raises(LostGradientError, match="without"):
        transform(np.ones(3))


def test_a_number_that_a_function_only_looks_at_may_be_taken_out():
    seen = []

    def f(x):
        loss = np.sum(x * x)
        seen.append(loss.item())
        return loss

    assert grad(f)(np.ones(2)).tolist() == [2, 2]
    assert seen == [2.0]
    assert grad(lambda x: 3.0)(np.ones(2)).tolist() == [0, 0]


# ---- operators in place ----
OPERATORS = ["+=", "-=", "*=", "/=", "//=", "%=", "**="]


@pytest.mark.parametrize("transform", ["grad", "jvp", "vmap", "hessian", "within no_grad"])
@pytest.mark.parametrize("symbol", OPERATORS)
def test_an_operator_in_place_is_the_operator_within_transforms(symbol, transform):
    programs = {}
    exec(f"def f(x):\n    y = x\n    y {symbol} 2.0\n    y {symbol} x\n    return y.sum()", programs)
    exec(f"def g(x):\n    y = x {symbol[:-1]} 2.0\n    y = y {symbol[:-1]} x\n    return y.sum()", programs)
    uses = {
        "grad": lambda f: grad(f)(A),
        "jvp": lambda f: jvp(f, (A,), (B,)),
        "vmap": lambda f: vmap(f)(np.stack([A, B])),
        "hessian": lambda f: hessian(f)(np.array([1.3, 2.4])),
        "within no_grad": lambda f: grad(lambda x: paused(f, x) + x.sum())(A),
    }

    def paused(f, x):
        with no_grad():
            return f(x)

    for found, expected in zip(*(np.atleast_1d(uses[transform](programs[name])) for name in "fg"), strict=True):
        np.testing.assert_array_equal(found, expected)
