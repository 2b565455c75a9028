"""Transforms of functions: what they take and return, how they nest, and what they refuse."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from autograd_lite import GradientError, NoRuleError, Tensor, custom_vjp, defjvp, defvjp, no_grad
from autograd_lite.core.registry import RULES
from autograd_lite.transforms import grad, hessian, hvp, jacobian, jvp, stop_gradient, value_and_grad, vjp
from tests.autograd_lite import numerical

X = np.array([0.5, -1.0, 2.0])
MATRIX = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
Pair = namedtuple("Pair", "first second")


@dataclass
class Line:
    slope: float
    offset: np.ndarray
    name: str | None = None


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


# ---- arguments and results ----
def test_plain_arrays_give_plain_arrays():
    value, gradient = value_and_grad(lambda x: np.sum(x**2))(X)
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(gradient, 2 * X)


def test_a_tensor_gives_tensors():
    value, gradient = value_and_grad(lambda x: np.sum(x**2))(Tensor(X))
    assert isinstance(value, Tensor)
    assert isinstance(gradient, Tensor)
    assert not gradient.requires_grad


def test_float32_stays_float32():
    assert grad(lambda x: np.sum(x**2))(X.astype(np.float32)).dtype == np.float32
    assert jacobian(np.sin)(X.astype(np.float32)).dtype == np.float32


def test_argnums_choose_arguments_from_either_end():
    f = lambda a, b, c: a * b**2 * c**3  # noqa: E731
    assert grad(f, argnums=-1)(1.0, 2.0, 3.0) == 4 * 27
    assert grad(f, argnums=(2, 0))(1.0, 2.0, 3.0) == (4 * 27, 4 * 27)


def test_keyword_arguments_are_handed_on():
    assert grad(lambda x, *, power: x**power)(2.0, power=3) == 12


def test_gradients_have_the_structure_of_a_nested_argument():
    tree = {"a": [X, (1.0, None)], "b": Pair(2.0, MATRIX)}
    gradient = grad(lambda t: np.sum(t["a"][0] ** 2) + 3 * t["a"][1][0] + t["b"].first * np.sum(t["b"].second))(tree)
    np.testing.assert_array_equal(gradient["a"][0], 2 * X)
    assert gradient["a"][1] == (3.0, None)
    assert isinstance(gradient["b"], Pair)
    assert gradient["b"].first == MATRIX.sum()
    np.testing.assert_array_equal(gradient["b"].second, 2 * np.ones((2, 3)))


def test_gradients_of_a_dataclass_are_a_dataclass():
    gradient = grad(lambda line: np.sum(line.slope * X + line.offset))(Line(2.0, X))
    assert isinstance(gradient, Line)
    assert (gradient.slope, gradient.name) == (X.sum(), None)
    np.testing.assert_array_equal(gradient.offset, np.ones(3))


def test_gradients_of_a_module_are_those_that_backward_leaves():
    model = nn.MLP([3, 4, 2], rng=0)
    x, labels = np.ones((5, 3), np.float32), np.array([0, 1, 0, 1, 1])

    def loss(model):
        return nn.softmax_cross_entropy(model(x), labels)

    value, gradients = value_and_grad(loss)(model)
    expected = loss(model)
    expected.backward()
    assert value.item() == expected.item()
    assert list(gradients) == [name for name, _ in model.named_parameters()]
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(gradients[name].data, parameter.grad.data, rtol=1e-6)


def test_aux_comes_back_as_plain_numbers():
    gradient, aux = grad(lambda x: (np.sum(x**2), {"twice": 2 * x}), has_aux=True)(X)
    np.testing.assert_array_equal(gradient, 2 * X)
    assert type(aux["twice"]) is np.ndarray
    np.testing.assert_array_equal(aux["twice"], 2 * X)


def test_an_argument_that_the_result_does_not_depend_on_has_a_zero_gradient():
    np.testing.assert_array_equal(grad(lambda x: 3.0)(X), np.zeros(3))
    np.testing.assert_array_equal(jvp(lambda x: np.ones(2), (X,), (X,))[1], np.zeros(2))


def test_a_pullback_can_be_called_again():
    _, pullback = vjp(lambda x: np.sin(x) * x, X)
    np.testing.assert_array_equal(pullback(X)[0], pullback(X)[0])


def test_vjp_and_jvp_take_functions_with_several_results():
    def f(x, y):
        return {"product": x * y, "sum": [np.sum(x)]}

    out, pullback = vjp(f, X, 2.0)
    assert out["sum"] == [X.sum()]
    along_x, along_y = pullback({"product": np.ones(3), "sum": [10.0]})
    np.testing.assert_array_equal(along_x, np.full(3, 12.0))
    assert along_y == X.sum()
    _, tangent = jvp(f, (X, 2.0), (np.ones(3), 1.0))
    np.testing.assert_array_equal(tangent["product"], 2 + X)
    assert tangent["sum"] == [3.0]


# ---- Jacobians and Hessians ----
@pytest.mark.parametrize("mode", [None, "forward", "reverse"])
def test_jacobians_have_the_shape_of_the_result_and_then_of_the_argument(mode):
    jacobians = jacobian(lambda x: {"outer": np.outer(x, x), "sum": np.sum(x)}, mode=mode)(X)
    eye = np.eye(3)
    expected = eye[:, None, :] * X[None, :, None] + X[:, None, None] * eye[None, :, :]
    np.testing.assert_allclose(jacobians["outer"], expected)
    np.testing.assert_array_equal(jacobians["sum"], np.ones(3))


@pytest.mark.parametrize(("shape", "mode"), [((2, 6), "reverse"), ((6, 2), "forward"), ((3, 3), "reverse")])
def test_the_jacobian_takes_the_mode_with_fewer_passes(shape, mode):
    ran = []
    noting = custom_vjp(lambda x: x.copy(), x=lambda g: ran.append("reverse") or g)
    defjvp(noting, x=lambda t: ran.append("forward") or t)
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(shape) @ noting(x))(np.ones(shape[1])), np.ones(shape))
    assert ran == [mode]


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_many_passes_of_a_jacobian_are_made_as_one(mode):
    calls = []

    def f(x):
        calls.append(x)
        return np.sin(x) * x[::-1]

    jacobian(f, mode=mode)(np.ones(100))
    assert len(calls) <= 1 + 4


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_passes_that_would_hold_too_many_numbers_are_made_one_after_the_other(mode, monkeypatch):
    def f(x):
        return {"a": np.outer(x, x), "b": np.sum(np.sin(x))}

    x = np.linspace(0.1, 1.0, 7)
    together = jacobian(f, mode=mode)(x)
    monkeypatch.setattr("autograd_lite.transforms.jacobians.ELEMENTS_TOGETHER", 100)
    apart = jacobian(f, mode=mode)(x)
    for name in ("a", "b"):
        np.testing.assert_allclose(apart[name], together[name], rtol=1e-14)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_rule_that_takes_arrays_alone_has_its_jacobian(mode):
    matrix = np.array([[2.0, 1.0], [0.0, 3.0]])

    def by_elements(x):
        return np.array([sum(float(a) * float(b) for a, b in zip(row, x, strict=True)) for row in matrix])

    applied = custom_vjp(by_elements, x=lambda g: matrix.T @ np.array([float(c) for c in g]))
    defjvp(applied, x=lambda t: by_elements(t))
    np.testing.assert_array_equal(jacobian(applied, mode=mode)(np.ones(2)), matrix)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_a_jacobian_of_a_function_that_branches_on_its_argument(mode):
    def f(x):
        return x**2 if x[0] > 0 else -x

    np.testing.assert_array_equal(jacobian(f, mode=mode)(np.ones(2)), 2 * np.eye(2))
    np.testing.assert_array_equal(jacobian(f, mode=mode)(-np.ones(2)), -np.eye(2))
    np.testing.assert_array_equal(hessian(lambda x: np.sum(f(x)))(np.ones(2)), 2 * np.eye(2))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobians_of_empty_arrays_are_empty(mode):
    assert jacobian(lambda x: x * 2, mode=mode)(np.zeros((0,))).shape == (0, 0)
    assert jacobian(lambda x: np.sum(x), mode=mode)(np.zeros((0, 2))).shape == (0, 2)
    assert jacobian(lambda x: x[:0], mode=mode)(np.zeros(3)).shape == (0, 3)


def test_a_hessian_of_two_arguments_has_four_blocks():
    blocks = hessian(lambda x, y: np.sum(x * y**2), argnums=(0, 1))(X, X)
    np.testing.assert_array_equal(blocks[0][0], np.zeros((3, 3)))
    np.testing.assert_array_equal(blocks[0][1], np.diag(2 * X))
    np.testing.assert_array_equal(blocks[1][1], np.diag(2 * X))


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5))
def test_hvp_is_the_product_with_the_hessian(values):
    x = np.array(values)
    v = np.cos(np.arange(x.size))
    np.testing.assert_allclose(hvp(rosenbrock)(x, v), hessian(rosenbrock)(x) @ v, rtol=1e-9, atol=1e-9)


def test_hvp_goes_over_trees():
    tree, vector = {"a": X, "b": 2.0}, {"a": np.ones(3), "b": 1.0}
    product = hvp(lambda t: t["b"] ** 2 * np.sum(t["a"] ** 2))(tree, vector)
    np.testing.assert_allclose(product["a"], 2 * 4 * np.ones(3) + 4 * 2.0 * X)
    assert product["b"] == pytest.approx(2 * X @ X + 8 * X.sum())


# ---- nesting ----
def test_gradients_nest_to_any_depth():
    f = np.sin
    for _ in range(6):
        f = grad(f)
    assert f(0.5) == pytest.approx(-np.sin(0.5), rel=1e-14)


@pytest.mark.parametrize("outer", ["forward", "reverse"])
@pytest.mark.parametrize("inner", ["forward", "reverse"])
def test_no_perturbation_is_taken_for_another_levels(outer, inner):
    def derivative(f, x, mode):
        return grad(f)(x) if mode == "reverse" else jvp(f, (x,), (1.0,))[1]

    # d/dx [x d/dy (x + y)] is 1; it would be 2 if the inner derivative took x's perturbation for y's.
    assert derivative(lambda x: x * derivative(lambda y: x + y, 1.0, inner), 1.0, outer) == 1
    # d/dx [x^2 d/dy (x y^2)] at x = 3, y = 2: 3 x^2 * 2 y
    assert derivative(lambda x: x * x * derivative(lambda y: x * y * y, 2.0, inner), 3.0, outer) == 108


def test_a_function_of_an_outer_tensor_stays_in_its_graph():
    w = Tensor(3.0, requires_grad=True)
    slope = grad(lambda x: x**2 * w)(2.0)
    assert slope.item() == 12
    slope.backward()
    assert w.grad.item() == 4


def test_the_gradient_at_a_tensor_can_be_differentiated_by_backward():
    x = Tensor(X, requires_grad=True)
    np.sum(grad(lambda x: np.sum(x**3))(x)).backward()
    np.testing.assert_allclose(x.grad.data, 6 * X)


def test_a_gradient_penalty_trains_the_model():
    model = nn.MLP([3, 4, 1], activation="tanh", rng=0, dtype=np.float64)
    x = np.ones((2, 3))

    def penalty():
        return np.sum(grad(lambda x: np.sum(model(x)))(x) ** 2)

    penalty().backward()
    weight = model.layers[0].weight
    analytic = weight.grad.data[0, 0]
    values = []
    for step in (1e-5, -1e-5):
        weight.data[0, 0] += step
        values.append(penalty().item())
        weight.data[0, 0] -= step
    assert analytic == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-6)


def test_no_grad_around_a_transform_keeps_the_graph_of_outer_tensors_out():
    w = Tensor(3.0, requires_grad=True)
    with no_grad():
        slope = grad(lambda x: x**2 * w)(2.0)
    assert float(slope) == 12


@pytest.mark.parametrize("derivative", [grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]])
def test_no_grad_within_a_function_makes_constants(derivative):
    def f(x):
        with no_grad():
            constant = x * x
        return constant * x

    assert derivative(f)(2.0) == 4


@pytest.mark.parametrize("derivative", [grad, lambda f: lambda x: jvp(f, (x,), (1.0,))[1]])
def test_stop_gradient_makes_constants(derivative):
    assert derivative(lambda x: x * stop_gradient({"a": [x * x]})["a"][0])(2.0) == 4


def test_stop_gradient_stops_backward_too():
    x = Tensor(2.0, requires_grad=True)
    (x * stop_gradient(x)).backward()
    assert x.grad.item() == 2


def test_a_comparison_chooses_a_branch():
    assert grad(lambda x: x**2 if x > 0 else -x)(3.0) == 6
    assert jvp(lambda x: x**2 if x > 0 else -x, (-3.0,), (1.0,))[1] == -1


# ---- functions with rules of the user's own ----
def test_a_rule_without_a_jvp_is_transposed():
    scaled = custom_vjp(lambda x, factor: x * factor, backward=lambda g, x, factor: (g * factor, np.sum(g * x)))
    out, tangent = jvp(scaled, (X, np.array(2.0)), (np.ones(3), np.array(10.0)))
    np.testing.assert_array_equal(out, 2 * X)
    np.testing.assert_array_equal(tangent, 2 + 10 * X)


def test_forward_over_forward_goes_through_a_transposed_rule():
    cube = custom_vjp(lambda x: x**3, x=lambda g, x: g * 3 * x**2)
    second = jvp(lambda x: jvp(cube, (x,), (1.0,))[1], (2.0,), (1.0,))[1]
    assert second == 12


def test_a_ufunc_that_is_given_a_rule_goes_forward():
    halved = np.frompyfunc(lambda x: x / 2, 1, 1)
    defvjp(halved, x=lambda g: g / 2)
    scaled = custom_vjp(lambda x: halved(x).astype(float), x=lambda g: g / 2)
    np.testing.assert_array_equal(jvp(scaled, (X,), (X,))[1], X / 2)


# ---- what is refused ----
def test_integers_are_refused_with_the_way_out():
    with pytest.raises(TypeError, match=r"expected floating-point numbers .* int 3; write 3\.0"):
        grad(np.sin)(3)
    with pytest.raises(TypeError, match="int64 of shape"):
        grad(np.sum)(np.arange(3))


def test_a_result_with_several_elements_is_refused():
    with pytest.raises(ValueError, match=r"single number.*shape \(3,\).*jacobian"):
        grad(np.sin)(X)


def test_a_result_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match="returned str"):
        grad(lambda x: "three")(X)


def test_a_missing_argument_is_named():
    with pytest.raises(ValueError, match="argnums=1 names the positional argument 1, but the call has only 1"):
        grad(np.sin, argnums=1)(1.0)


def test_shapes_of_tangents_and_cotangents_are_checked():
    with pytest.raises(ValueError, match=r"tangent of shape \(2,\) was given for a value of shape \(3,\)"):
        jvp(np.sin, (X,), (np.ones(2),))
    with pytest.raises(ValueError, match=r"cotangent of shape \(\) was given for a value of shape \(3,\)"):
        vjp(np.sin, X)[1](1.0)
    with pytest.raises(ValueError, match=r"differ in structure: at the top .* a tuple of 2 .* a tuple of 1"):
        jvp(np.sin, (X,), (X, X))


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="expected 'reverse', 'forward'"):
        jacobian(np.sin, mode="backward")


@pytest.mark.parametrize("derivative", [grad, lambda f: lambda x: jvp(f, (x,), (x,))])
def test_a_function_without_a_rule_is_refused(derivative, monkeypatch):
    monkeypatch.delitem(RULES, np.arctan)
    with pytest.raises(NoRuleError, match=r"np\.arctan: no rule"):
        derivative(lambda x: np.sum(np.arctan(x)))(X)


@pytest.mark.parametrize("derivative", [grad, lambda f: lambda x: jvp(f, (x,), (x,))])
@pytest.mark.parametrize("convert", [np.asarray, float])
def test_a_conversion_that_would_lose_the_derivative_is_refused(derivative, convert):
    with pytest.raises(GradientError, match="would be lost"):
        derivative(lambda x: x * convert(x))(np.array(2.0))


def test_backward_within_a_transform_is_refused():
    with pytest.raises(GradientError, match=r"backward\(\) cannot be called.*belongs to grad"):
        grad(lambda x: (x * x).backward())(2.0)


def test_a_tensor_that_has_left_its_function_is_refused():
    kept = []
    grad(lambda x: kept.append(x) or x * x)(2.0)
    for use in (lambda x: x * 2, np.sin, lambda x: x[None], np.sum):
        with pytest.raises(GradientError, match="after the function has returned"):
            use(kept[0])


def test_an_error_in_the_function_ends_its_level():
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 // 0)(2.0)
    assert grad(np.square)(3.0) == 6


# ---- with the numbers of a network ----
def test_forward_and_reverse_mode_agree_through_a_network():
    model = nn.MLP([3, 5, 2], activation="tanh", rng=0, dtype=np.float64)
    x, labels = np.linspace(-1, 1, 12).reshape(4, 3), np.array([0, 1, 1, 0])
    values = {name: p.data for name, p in model.named_parameters()}
    rng = np.random.default_rng(1)
    along = {name: rng.normal(size=v.shape) for name, v in values.items()}

    def loss(values):
        return nn.softmax_cross_entropy(model.with_parameters(values)(x), labels)

    _, tangent = jvp(loss, (values,), (along,))
    gradients = grad(loss)(values)
    numerical.assert_close(
        np.asarray(tangent), np.asarray(sum(np.sum(gradients[n] * along[n]) for n in values)), rtol=1e-12
    )
