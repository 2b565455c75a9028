"""Rules as mathematics: expressions as MathML, and where a rule's expression is found."""

import ast
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import autograd_lite.rules.special  # noqa: F401 - registers its rules
import nn
from autograd_lite.draw.formulas import formula_of, source_of
from autograd_lite.draw.mathml import text_of, written
from autograd_lite.registry import RULES


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
        (np.mean, "a", "∂L/∂a = (∂L/∂out)/n"),
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
