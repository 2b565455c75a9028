"""Rules as mathematics: expressions as MathML, and where a rule's expression is found."""

import ast
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import autograd_lite.rules.scipy.special  # noqa: F401 - registers its rules
import nn
from autograd_lite.core.registry import RULES
from autograd_lite.notation.formulas import formula_of, right_side, source_of
from autograd_lite.notation.mathml import matrix, number, text_of, variable, written


def in_text(expression):
    return text_of(f"<mrow>{written(ast.parse(expression, mode='eval').body)}</mrow>")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("a + b * c", "a + b · c"),
        ("(a + b) * c", "(a + b) · c"),
        ("a - (b - c)", "a − (b − c)"),
        ("a - b - c", "a − b − c"),
        ("-x * y", "− x · y"),
        ("-(x + y)", "− (x + y)"),
        ("(-x) ** 2", "( − x)^2"),
        ("(a + b) / (c * d)", "(a + b)/(c · d)"),
        ("x ** (n - 1)", "x^(n − 1)"),
        ("A @ B @ C", "A B C"),
        ("x.T @ g", "x^T g"),
        ("np.exp(-x)", "exp( − x)"),
        ("np.sqrt(1 - x * x)", "√(1 − x · x)"),
        ("np.square(x)", "x^2"),
        ("np.abs(x)", "|x|"),
        ("np.conj(z)", "conj(z)"),
        ("np.sum(g * x, axis=1)", "∑ g · x"),
        ("(g * out).sum(axis=axis, keepdims=True)", "∑ g · out"),
        ("np.add.reduce(x)", "∑ x"),
        ("np.where(x > 0, g, 0)", "{ g where x > 0; 0 elsewhere"),
        ("np.greater(x1, x2)", "x1 > x2"),
        ("g if n else 0", "{ g where n; 0 elsewhere"),
        ("x.astype(g.dtype)", "x"),
        ("np.pi * x[0]", "π · x0"),
        ("x_shape", "x shape"),
        ("f(x, 2j)", "f(x, 2i)"),
        ("{1: 2}", "{1: 2}"),
    ],
)
def test_expressions_are_written_as_mathematics(expression, text):
    assert in_text(expression) == text


def test_what_is_markup_in_python_is_escaped():
    assert in_text("a < b") == "a < b"
    assert in_text("f('<b>')") == "f(<b>)"


@pytest.mark.parametrize(
    ("function", "argument", "text"),
    [
        (np.multiply, "x1", "∂L/∂x1 = ∂L/∂out · x2"),
        (np.add, "x2", "∂L/∂x2 = ∂L/∂out"),
        (np.exp, "x", "∂L/∂x = ∂L/∂out · out"),
        (np.sin, "x", "∂L/∂x = ∂L/∂out · cos(x)"),
        (nn.sigmoid, "x", "∂L/∂x = ∂L/∂out · out · (1 − out)"),
        (nn.relu, "x", "∂L/∂x = { ∂L/∂out where out > 0; 0 elsewhere"),
        (np.power, "x1", "∂L/∂x1 = ∂L/∂out · x2 · x1^(x2 − 1)"),
        (np.matmul, "x2", "∂L/∂x2 = x1^T ∂L/∂out"),
        (np.maximum, "x1", "∂L/∂x1 = { ∂L/∂out where x1 > x2; 0.5 · ∂L/∂out where x1 = x2; 0 elsewhere"),
        (np.mean, "a", "∂L/∂a = (∂L/∂out)/n · 𝟏"),
    ],
)
def test_a_rules_formula_is_its_own_source(function, argument, text):
    assert text_of(formula_of(RULES[function].vjps[argument], argument)) == text


def test_every_rule_of_the_library_has_a_formula():
    for rule in RULES.values():
        for argument, vjp in rule.vjps.items():
            # Other tests have rules of their own.
            if vjp is not None and vjp.__module__.partition(".")[0] in ("autograd_lite", "nn"):
                assert source_of(vjp) is not None, rule.name
                assert ElementTree.fromstring(formula_of(vjp, argument)).tag == "math"


def test_two_lambdas_on_one_line_are_told_apart():
    first, second = (lambda g, x: g * x), (lambda g, x: g + x)
    assert text_of(formula_of(first, "x")) == "∂L/∂x = ∂L/∂out · x"
    assert text_of(formula_of(second, "x")) == "∂L/∂x = ∂L/∂out + x"


def test_a_rule_without_a_source_stands_by_what_it_reads():
    rule = eval("lambda g, x: g * x")
    assert source_of(rule) is None
    assert text_of(formula_of(rule, "x")) == "∂L/∂x = rule(∂L/∂out, x)"


# ---- for one call ----


def in_this_call(function, argument, names=None, **settings):
    return text_of(f"<math>{right_side(RULES[function].vjps[argument], names, settings)}</math>")


def test_names_stand_for_what_a_rule_reads():
    names = {"g": number(0.5), "x2": number(-3.0)}
    assert in_this_call(np.multiply, "x1", names) == "0.5 · − 3"
    assert in_this_call(np.power, "x1", {"g": "<mi>g</mi>", "x1": number(-2.0), "x2": number(3)}) == (
        "g · 3 · ( − 2)^(3 − 1)"
    )


def test_settings_decide_cases():
    rule = next(rule for rule in RULES.values() if rule.name == "_softmax_cross_entropy")
    for reduction, g in [("mean", "(∂L/∂out)/(size(labels))"), ("sum", "∂L/∂out")]:
        text = in_this_call(rule.call, "logits", reduction=reduction)
        assert text == f"{g} · (softmax(logits) − one hot(labels))"
    assert in_this_call(np.linalg.solve, "b", b_shape=(3, 2)) == "solve(a^T, ∂L/∂out)"


def test_counts_are_put_in_with_the_numbers():
    rule = RULES[np.mean].vjps["a"]
    values = {"a_shape": (4, 5), "axis": 1}
    assert text_of(f"<math>{right_side(rule, {'g': number(2.0)}, values, values)}</math>") == "2/5 · 𝟏"
    rule = next(rule for rule in RULES.values() if rule.name == "_softmax_cross_entropy").vjps["logits"]
    values = {"logits": np.ones((3, 2)), "labels": np.array([0, 1, 1]), "reduction": "mean"}
    assert text_of(f"<math>{right_side(rule, None, values, values)}</math>").startswith("(∂L/∂out)/3 · ")


def test_constants_are_written_by_their_sign():
    assert in_text("g * _LN_2") == "g · ln(2)"
    assert in_text("2 / SQRT_PI") == "2/(√(π))"


def test_writing_a_rule_leaves_its_source_as_it_is():
    before = in_this_call(np.maximum, "x1")
    in_this_call(np.maximum, "x1", {"x1": number(1.0), "x2": number(2.0)})
    assert in_this_call(np.maximum, "x1") == before


@pytest.mark.parametrize(
    ("function", "argument", "values"),
    [
        (np.matmul, "x1", {"x1": (4, 3), "x2": (3, 2)}),
        (np.matmul, "x2", {"x1": (4, 3), "x2": (3, 2)}),
        (np.power, "x1", {"x1": (3,), "x2": (3,)}),
        (np.power, "x2", {"x1": (3,), "x2": (3,)}),
        (np.arcsinh, "x", {"x": (5,)}),
        (np.linalg.solve, "a", {"a": (3, 3), "b": (3, 2)}),
        (np.floor, "x", {"x": (3,)}),
    ],
)
def test_the_formula_that_a_procedure_states_is_what_it_computes(function, argument, values):
    rng = np.random.default_rng(0)
    scope = {name: rng.uniform(0.5, 2, size=shape) for name, shape in values.items()}
    scope["out"] = function(*scope.values())
    scope["g"] = rng.normal(size=scope["out"].shape)
    scope |= {f"{name}_shape": shape for name, shape in values.items()}
    vjp = RULES[function].vjps[argument]
    stated = source_of(vjp).body[0].value.value.split("``")[1]
    computed = vjp(*(scope[name] for name in vjp.__code__.co_varnames[: vjp.__code__.co_argcount]))
    np.testing.assert_allclose(np.broadcast_to(eval(stated, {"np": np}, scope), computed.shape), computed, rtol=1e-12)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5"), (-0.25, "− 0.25"), (1 / 3, "0.3333"), (123456789, "123456789"), (True, "1"), (np.inf, "∞"),
     (np.nan, "NaN"), (-np.inf, "− ∞"), (1e-20, "1e-20"), (1.5 - 2j, "(1.5 − 2i)")],
)  # fmt: skip
def test_numbers_have_four_digits(value, text):
    assert text_of(f"<math>{number(value)}</math>") == text


def test_matrices_have_their_numbers_in_rows():
    assert text_of(f"<math>{matrix([[1.0, -2.0], [3.5, 4.0]])}</math>") == "[1 − 2; 3.5 4]"


@pytest.mark.parametrize(
    ("name", "mathml"),
    [
        ("w1", "<msub><mi>w</mi><mn>1</mn></msub>"),
        ("loss", "<mi>loss</mi>"),
        ("layers.0.weight", "<mi>layers.0.weight</mi>"),
        ("hidden_2", "<mi>hidden_2</mi>"),
        ("<b>", "<mi>&lt;b&gt;</mi>"),
        ("δ2", "<msub><mi>δ</mi><mn>2</mn></msub>"),
    ],
)
def test_users_names_stay_as_they_are(name, mathml):
    assert variable(name) == mathml
