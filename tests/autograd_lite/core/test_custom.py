"""Rules of the user's own: `defvjp` for NumPy functions, `custom_vjp` for Python ones."""

import math

import numpy as np
import pytest
from scipy import special

import autograd_lite.rules.scipy.special  # noqa: F401 - so that its rules are among those that are restored
from autograd_lite import NoRuleError, Tensor, custom_vjp, defvjp
from autograd_lite.core.registry import RULES
from autograd_lite.transforms import grad


def leaf(data, **kwargs):
    return Tensor(data, requires_grad=True, **kwargs)


@pytest.fixture
def _rules_restored():
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


@pytest.mark.usefixtures("_rules_restored")
def test_defvjp_gives_a_numpy_function_a_rule():
    del RULES[np.arctan]
    with pytest.raises(NoRuleError):
        np.arctan(leaf([0.5]))
    defvjp(np.arctan, x=lambda g, x: g / (1 + x**2))
    x = leaf([0.5])
    np.arctan(x).sum().backward()
    assert x.grad.item() == 0.8


@pytest.mark.usefixtures("_rules_restored")
def test_defvjp_gives_a_ufunc_of_ones_own_a_rule():
    defvjp(special.expit, x=lambda g, out: g * out * (1 - out))
    x = leaf([0.0])
    special.expit(x).sum().backward()
    assert x.grad.item() == 0.25


@pytest.mark.usefixtures("_rules_restored")
def test_a_none_rule_says_that_the_derivative_is_zero():
    defvjp(np.nan_to_num, x=None)
    x = leaf([1.0])
    (np.nan_to_num(x) + x).sum().backward()
    assert x.grad.item() == 1


@pytest.mark.parametrize(
    ("vjps", "message"),
    [
        ({"y": lambda g: g}, "has no parameter 'y'; it has x"),
        ({"x": lambda g, z: g}, "reads 'z'"),
        ({"x": lambda out, g: g}, "must take the cotangent g first"),
        ({"x": lambda: 0}, "must take the cotangent g first"),
    ],
)
def test_a_rule_that_cannot_be_called_is_refused_at_once(vjps, message):
    with pytest.raises(TypeError, match=message):
        defvjp(np.exp, **vjps)


@pytest.mark.parametrize("data", [np.ones(2), leaf(np.ones(2))], ids=["array", "tensor"])
def test_an_argument_that_the_function_does_not_have_is_refused(data):
    square = custom_vjp(lambda x: x * x, x=lambda g, x: 2 * g * x)
    with pytest.raises(TypeError, match="negative_slope"):
        square(data, negative_slope=0.1)


def test_custom_vjp_sees_arrays_and_records_one_node():
    seen = []

    @custom_vjp(x=lambda g, x: g * 2 * x)
    def square(x):
        seen.append(type(x))
        return x * x

    x = leaf([3.0])
    y = square(x)
    assert seen == [np.ndarray]
    assert y.node.recipe.rule.name == "square"
    y.sum().backward()
    assert x.grad.item() == 6


def test_custom_vjp_on_arrays_is_the_plain_function():
    assert custom_vjp(lambda x: x + 1, x=lambda g: g)(1.0) == 2.0


def test_custom_vjp_differentiates_a_loop_by_its_closed_form():
    def newton(a):
        root = a
        for _ in range(50):
            root = 0.5 * (root + a / root)
        return root

    root = custom_vjp(newton, a=lambda g, out: g / (2 * out))
    a = leaf(2.0)
    root(a).backward()
    assert a.grad.item() == pytest.approx(0.5 / math.sqrt(2), rel=1e-15)


def test_a_joint_backward_is_called_once_for_all_arguments():
    calls = []

    def backward(g, x, w):
        calls.append(1)
        return g @ w.T, x.T @ g

    product = custom_vjp(lambda x, w: x @ w, backward=backward)
    x, w = leaf(np.ones((2, 3))), leaf(np.ones((3, 4)))
    product(x, w).sum().backward()
    assert calls == [1]
    assert (x.grad.data == 4).all()
    assert (w.grad.data == 2).all()


def test_a_joint_backward_may_give_none_for_an_argument():
    scaled = custom_vjp(lambda x, k: x * k, backward=lambda g, k: (g * k, None))
    x, k = leaf([1.0]), leaf(3.0)
    scaled(x, k).sum().backward()
    assert (x.grad.item(), k.grad.item()) == (3, 0)


def test_a_backward_written_with_numpy_is_differentiable_itself():
    cube = custom_vjp(lambda x: x**3, x=lambda g, x: g * 3 * x**2)
    x = leaf(2.0)
    cube(x).backward(create_graph=True)
    first = x.grad
    x.zero_grad()
    first.backward()
    assert x.grad.item() == 12


def test_keyword_arguments_and_defaults_reach_the_rule():
    power = custom_vjp(lambda x, n=2: x**n, x=lambda g, x, n: g * n * x ** (n - 1))
    for kwargs, expected in [({}, 6.0), ({"n": 3}, 27.0)]:
        x = leaf(3.0)
        power(x, **kwargs).backward()
        assert x.grad.item() == expected


OUTSIDE = Tensor([1.0], requires_grad=True)

BAD_RESULTS = {
    "a list": (lambda x: [x], TypeError, "returned list"),
    "nothing": (lambda x: None, TypeError, "returned NoneType"),
    "a tensor from outside": (lambda x: x * OUTSIDE, TypeError, "returned a Tensor"),
}


@pytest.mark.parametrize(("function", "error", "message"), BAD_RESULTS.values(), ids=BAD_RESULTS)
def test_a_function_that_returns_no_array_is_refused(function, error, message):
    with pytest.raises(error, match=message):
        custom_vjp(function, x=lambda g: g)(leaf([1.0]))


BAD_COTANGENTS = {
    "wrong shape": (lambda g: np.ones(5), ValueError, r"cotangent of shape \(5,\) for an argument of shape \(2,\)"),
    "text": (lambda g: "no", TypeError, "array of numbers"),
    "complex": (lambda g: g * 1j, TypeError, "complex128"),
}


@pytest.mark.parametrize(("rule", "error", "message"), BAD_COTANGENTS.values(), ids=BAD_COTANGENTS)
def test_a_rule_that_returns_no_cotangent_is_refused_by_name(rule, error, message):
    x = leaf([1.0, 2.0])
    twice = custom_vjp(lambda x: 2 * x, x=rule)
    with pytest.raises(error, match=message):
        twice(x).sum().backward()
    assert x.grad is None


@pytest.mark.usefixtures("_rules_restored")
def test_a_rule_for_a_list_that_returns_too_few_cotangents_is_refused():
    defvjp(np.block, arrays=lambda g, members: [g])
    with pytest.raises(ValueError, match=r"np\.block returned 1 cotangents where 2 were expected"):
        np.block([leaf([1.0]), leaf([2.0])]).sum().backward()


def test_a_joint_backward_of_the_wrong_length_is_refused():
    f = custom_vjp(lambda x, y: x * y, backward=lambda g: (g,))
    with pytest.raises(ValueError, match=r"tuple of 2 cotangents, one for each of x, y"):
        f(leaf(1.0), leaf(2.0)).backward()


@pytest.mark.parametrize("kwargs", [{}, {"backward": lambda g: (g,), "x": lambda g: g}])
def test_custom_vjp_needs_exactly_one_form_of_backward(kwargs):
    with pytest.raises(TypeError, match=r"either backward="):
        custom_vjp(lambda x: x, **kwargs)


def test_an_error_in_the_users_function_is_the_users_own():
    def broken(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        custom_vjp(broken, x=lambda g: g)(leaf(1.0))


def test_a_dict_of_tensors_is_refused_where_a_rule_would_lose_its_gradient():
    half = custom_vjp(lambda d: d["a"] / 2.0, d=lambda g: g)
    with pytest.raises(NoRuleError, match="is or holds a tensor that requires a gradient"):
        half({"a": Tensor(1.0, requires_grad=True)})
    with pytest.raises(NoRuleError, match="as arrays or lists of them"):
        grad(lambda w: half({"a": w}))(1.0)
