"""check_gradients names the rule that is wrong, and the mistake in it."""

import numpy as np
import pytest

from autograd_lite import GradientCheckError, check_gradients, custom_vjp, defjvp
from autograd_lite.checks.wrong_rules import wrong_rules
from autograd_lite.extend import primitive

RNG = np.random.default_rng(0)
X, W = RNG.uniform(0.3, 2, (3, 3)), RNG.normal(size=(3, 3))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(z):
    return np.exp(z) / np.exp(z).sum(-1, keepdims=True)


def explanations(f, *arguments, **options):
    with pytest.raises(GradientCheckError) as raised:
        check_gradients(f, *arguments, **options)
    for one in raised.value.explanations:
        assert one.text in str(raised.value)
    return raised.value.explanations


CUBES = {
    "factor": (lambda g, x: g * x**2, "factor", "it gives 0.333333 times the derivative; the rule is ∂L/∂out · x^2"),
    "sign": (lambda g, x: -3 * g * x**2, "sign", "the sign is flipped"),
    "missing": (lambda g: g, "derivative", "the derivative is missing: it hands on the cotangent as it is"),
    "squared": (lambda g, x: g * 9 * x**4, "derivative", "the derivative is applied twice"),
    "value": (lambda g, out: g * out, "derivative", "the function's value stands where its derivative belongs"),
    "alone": (lambda g, x: 3 * x**2, "derivative", "the cotangent is missing: it gives the derivative alone"),
    "zero": (lambda g, x: 0 * g * x, "path", "it hands on 0"),
    "base": (lambda g, x: g * 3 * x, "derivative", "the derivative is divided by the argument besides"),
    "unknown": (lambda g, x: g * np.cos(5 * x), "rule", "its numbers are those of no usual mistake"),
}


@pytest.mark.parametrize(("rule", "kind", "says"), CUBES.values(), ids=CUBES)
def test_an_elementwise_rule_is_explained_within_a_program(rule, kind, says):
    cube = custom_vjp(lambda x: x**3, x=rule)
    (one,) = explanations(lambda x: np.sum(np.tanh(cube(x * 2.0)) * W), X)
    assert (one.kind, one.parameters) == (kind, ("x",))
    assert says in one.text


RULES = {
    "f'(a) for f'(z)": (
        custom_vjp(sigmoid, x=lambda g, out: g * sigmoid(out) * (1 - sigmoid(out))), (X,), "operand",
        "it reads out where x belongs",
    ),
    "with z": (custom_vjp(sigmoid, x=lambda g, x: g * x * (1 - x)), (X,), "operand", "it reads x where out belongs"),
    "not transposed": (
        custom_vjp(lambda a, b: a @ b, a=lambda g, b: g @ b, b=lambda g, a: a.T @ g), (X, W), "transpose",
        "it reads b where b.T belongs",
    ),
    "not transposed, jointly": (
        custom_vjp(lambda a, b: a @ b, backward=lambda g, a, b: (g @ b, a.T @ g)), (X, W), "transpose",
        "it computes g @ b where g @ b.T belongs",
    ),
    "sum for mean": (
        custom_vjp(lambda a: np.mean(a), a=lambda g, a: g * np.ones_like(a)), (X,), "reduction",
        "9 times the derivative, and as many elements of the argument belong to one of the result: a sum stands",
    ),
    "mean for sum": (
        custom_vjp(lambda a, b: a + b, a=lambda g: g, b=lambda g: g.mean(0)), (X, W[0]), "reduction",
        "a mean stands where a sum belongs",
    ),
    "mask": (custom_vjp(lambda a: np.maximum(a, 0), a=lambda g: g * (g > 0)), (W,), "mask", "the mask is taken of the"),
    "mask reversed": (
        custom_vjp(lambda a: np.maximum(a, 0), a=lambda g, a: g * (a < 0)), (W,), "mask", "the mask is reversed"
    ),
    "Jacobian not transposed": (
        custom_vjp(lambda a: np.cumsum(a, 0), a=lambda g: np.cumsum(g, 0)), (X,), "transpose",
        "the Jacobian stands where its transpose belongs",
    ),
    "diagonal": (
        custom_vjp(softmax, z=lambda g, out: g * out * (1 - out)), (X,), "diagonal", "the Jacobian is taken as diagonal"
    ),
    "own factor": (
        custom_vjp(lambda a, b: a * b, a=lambda g, b: g * b, b=lambda g, b: g * b), (X, W), "operand",
        "for b is wrong: it reads b where a belongs",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("f", "arguments", "kind", "says"), RULES.values(), ids=RULES)
def test_a_rule_is_explained_by_the_value_it_should_read_or_by_its_numbers(f, arguments, kind, says):
    (one,) = explanations(f, *arguments)
    assert one.kind == kind
    assert says in one.text


def test_a_rule_of_forward_mode_is_explained_where_the_others_are_right():
    @primitive
    def cubed(x):
        return x**3

    from autograd_lite.extend import defvjp

    defvjp(cubed, x=lambda g, x: 3 * g * x**2)
    defjvp(cubed, x=lambda t, x: t * x**2)
    (one,) = explanations(cubed, X, order=1)
    assert "the JVP of" in one.text
    assert "0.333333 times the derivative" in one.text


RIGHT = [
    np.tanh, np.exp, np.sin, np.abs, lambda x: x @ x.T, lambda x: np.sort(x, axis=0), lambda x: np.max(x, axis=1),
    lambda x: np.linalg.inv(x @ x.T + np.eye(3)), lambda x: np.cumsum(x, 1), lambda x: np.where(x > 0, x, 0.1 * x),
    lambda x: np.linalg.norm(x), lambda x: np.var(x, 0),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e7])
def test_no_right_rule_is_accused_at_any_scale(scale, dtype):
    for seed in range(5):
        x = (scale * np.random.default_rng(seed).normal(size=(3, 3))).astype(dtype)
        with np.errstate(all="ignore"):
            assert [str(one) for f in RIGHT for one in wrong_rules(f, [x])] == []


def test_no_rule_is_accused_beside_one_whose_function_cancels():
    slightly = custom_vjp(lambda x: np.sin(x), x=lambda g, x: g * np.cos(x) * (1 + 1e-3))
    found = explanations(lambda x: slightly(x) + 1e-3 * np.sum((1e13 + 1e-2 * x) - 1e13), X, order=1, atol=1e-4)
    assert all("np." not in one.text.partition(" is wrong")[0] for one in found)


def test_no_rule_is_accused_where_differences_are_not_precise():
    wrong = custom_vjp(lambda x: x**3, x=lambda g, x: g * x**2)
    found = explanations(lambda x: np.sum((1e12 + x) - 1e12) + np.sum(wrong(x)), X, order=1)
    assert ["np.add" in one.text for one in found] == [False]


def test_where_every_rule_is_right_the_error_says_so():
    from autograd_lite.transforms import stop_gradient

    with pytest.raises(GradientCheckError, match="No rule by itself is wrong") as raised:
        check_gradients(lambda x: np.sum(x * np.cos(stop_gradient(x))), X, order=1)
    assert raised.value.explanations == []


# ---- what is no wrong rule ----


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: np.abs(x - 0.7 - 1e-9), "a kink or a jump is near"),
        (lambda x: (x.astype(np.float16) ** 2).astype(np.float64), "the values change in steps"),
        (lambda x: np.abs((1e12 + x) - 1e12), "the values change in steps"),
    ],
)
def test_why_differences_tell_little_is_said(f, says):
    report = check_gradients(f, np.array([0.7, -1.3]), order=1)
    assert any(says in note for note in report.notes)


def noisy(noise, rule):
    """A square with a noise that is the same in each call, as iterations have that end at a tolerance."""
    return custom_vjp(lambda x: x**2 + noise * np.sin(1e16 * x), x=rule)


@pytest.mark.parametrize("noise", [1e-5, 1e-4])
def test_noise_is_told_from_rounding_and_jumps(noise):
    report = check_gradients(noisy(noise, lambda g, x: 2 * g * x), np.array([0.7, -1.3]), order=1)
    assert any("scatter" in note and "noise" in note for note in report.notes)
    assert not any("jump" in note or "kink" in note for note in report.notes)


@pytest.mark.parametrize("noise", [1e-8, 1e-6])
def test_a_wrong_rule_is_explained_in_spite_of_noise(noise):
    (one,) = explanations(noisy(noise, lambda g, x: 3 * g * x), np.array([0.7, -1.3]), order=1)
    assert one.kind == "factor"


def test_a_function_that_rounds_has_steps_and_its_derivative_zero_is_right():
    report = check_gradients(lambda x: np.sum(np.round(x * 1e3)), np.array([0.7001, -1.3002]), order=1)
    assert all("the function has steps" in note for note in report.notes)
    assert report.notes


def test_zero_is_no_derivative_of_a_function_in_lower_precision():
    flat = custom_vjp(lambda x: (x.astype(np.float32) ** 2).astype(np.float64), x=lambda g, x: 0 * g * x)
    with pytest.raises(GradientCheckError):
        check_gradients(flat, np.array([0.7, -1.3]), order=1)


def test_integers_that_were_asked_for_are_noted():
    report = check_gradients(lambda x, n: x * n, np.array([0.7]), np.array([3]), argnums=(0, 1))
    assert report.notes == [
        "argument 1 (n) holds integers, which have no derivative; it is not checked. Write 3.0 for 3"
    ]


def test_the_end_of_a_domain_is_told_in_the_error():
    with np.errstate(all="ignore"), pytest.raises(GradientCheckError, match="at the end of its domain"):
        check_gradients(np.sqrt, np.array([0.0]), order=1)
