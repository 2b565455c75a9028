"""Rules as formulas: converts a vector-Jacobian product, which is a Python expression, to MathML."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from types import CodeType
from typing import Any

from .mathml import call, identifier, partial, written

VectorJacobianProduct = Callable[..., Any]


def formula_of(vjp: VectorJacobianProduct, argument: str) -> str:
    """``dL/d argument = ...`` as a ``<math>`` element, from a rule's own source.

    Parameters
    ----------
    vjp : callable
        The rule; its first parameter is the cotangent ``g``, which is shown as dL/d out.
    argument : str
        The argument that the rule is for.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.core.registry import RULES
    >>> from autograd_lite.notation.formulas import formula_of
    >>> from autograd_lite.notation.mathml import text_of
    >>> text_of(formula_of(RULES[np.multiply].vjps["x1"], "x1"))
    '∂L/∂x1 = ∂L/∂out · x2'
    """
    left = partial("<mi>L</mi>", identifier(argument))
    return f'<math display="block"><mrow>{left}<mo>=</mo>{right_side(vjp)}</mrow></math>'


def right_side(
    vjp: VectorJacobianProduct,
    names: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> str:
    """The expression that a rule computes, as MathML.

    A rule that is a lambda is written out, and so are its private helpers that only distinguish cases. For a rule that
    is a longer function, the formula at the beginning of its docstring is shown. Without such a formula, or if the
    source cannot be read, the rule is shown as its name, applied to its parameters. Constants and functions keep their
    names, except those with a mathematical sign.

    Parameters
    ----------
    vjp : callable
        The rule; its first parameter is the cotangent ``g``.
    names : mapping, optional
        From a parameter of the rule to its MathML. By default, the cotangent is dL/d out, and others keep their names.
    settings : mapping, optional
        The values of parameters that are not arrays; cases that they exclude are not shown.
    values : mapping, optional
        The values of all parameters; counts and lengths that follow from them are shown as numbers.
    """
    names = {"g": partial("<mi>L</mi>", "<mi>out</mi>"), **(names or {})}
    source = source_of(vjp)
    expression = _stated(source) if isinstance(source, ast.FunctionDef) else source
    if expression is None:
        code = vjp.__code__
        called = "rule" if vjp.__name__ == "<lambda>" else vjp.__name__.strip("_")
        reads = code.co_varnames[: code.co_argcount]
        return call(identifier(called), [names.get(name) or identifier(name) for name in reads])
    formula: Any = _Expanded(vjp.__globals__).visit(deepcopy(expression))
    formula = _Decided(settings or {}).visit(formula)
    if values:
        formula = _Counted(vjp.__globals__, values).visit(formula)
    return written(formula, names)


def source_of(function: Callable[..., Any]) -> ast.expr | ast.FunctionDef | None:
    """The body of a lambda, or the definition of another function; None if the file cannot be read."""
    code: CodeType = function.__code__
    # The first instruction of a function has no position: its columns are 0 to 0.
    places = [(line, start) for line, _, start, end in code.co_positions() if line and start is not None and end]
    arguments = code.co_varnames[: code.co_argcount]
    for node in _functions_in(code.co_filename):
        if tuple(argument.arg for argument in node.args.args) != arguments:
            continue
        if isinstance(node, ast.FunctionDef):
            if node.name == code.co_name and node.lineno <= code.co_firstlineno + len(node.decorator_list):
                return node
        elif code.co_name == "<lambda>" and places and all(_within(node, place) for place in places):
            return node.body
    return None


# ---- finding the source ----


@cache
def _functions_in(path: str) -> list[ast.Lambda | ast.FunctionDef]:
    """Every function in a file, the innermost first."""
    try:
        with open(path, encoding="utf-8") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda | ast.FunctionDef)]
    return found[::-1]


def _within(node: ast.Lambda, place: tuple[int, int]) -> bool:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset) <= place <= (node.end_lineno, node.end_col_offset)


# ---- from the source to a formula ----


def _stated(rule: ast.FunctionDef) -> ast.expr | None:
    """The formula, an expression in the cotangent, at the beginning of a rule's docstring."""
    found = re.match(r"``(.+?)``", ast.get_docstring(rule) or "")
    try:
        expression = ast.parse(found[1], mode="eval").body if found else None
    except SyntaxError:
        return None
    if expression is None or isinstance(expression, ast.Constant):
        return expression
    names = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
    return expression if "g" in names else None


class _Expanded(ast.NodeTransformer):
    """Replaces calls of private helpers that only distinguish cases by the cases."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self.scope = scope

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        helper = self.scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if not inspect.isfunction(helper) or not helper.__name__.startswith("_") or node.keywords:
            return node
        definition = source_of(helper)
        if not isinstance(definition, ast.FunctionDef):
            return node
        match definition.body:
            case [ast.Expr(), ast.Return(value)] | [ast.Return(value)] if value is not None and _is_of_cases(value):
                parameters = [parameter.arg for parameter in definition.args.args]
                replaced: ast.AST = _Replaced(dict(zip(parameters, node.args, strict=False))).visit(deepcopy(value))
                return replaced
        return node


class _Replaced(ast.NodeTransformer):
    """Replaces variables by expressions."""

    def __init__(self, expressions: Mapping[str, ast.expr]) -> None:
        self.expressions = expressions

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.expressions.get(node.id, node)


class _Decided(ast.NodeTransformer):
    """Replaces cases whose conditions are known by the one that is taken."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        condition = compile(ast.unparse(node.test), "<rule>", "eval")
        if not {*condition.co_names} <= {*self.settings, *_TESTS}:
            return self.generic_visit(node)
        taken: ast.AST = self.visit(node.body if eval(condition, {**_TESTS, **self.settings}) else node.orelse)
        return taken


class _Counted(ast.NodeTransformer):
    """Replaces expressions whose value is an integer, such as the count of a mean's elements, by the integer."""

    def __init__(self, scope: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        self.scope = {**scope, **values}
        self.values = values

    def visit(self, node: ast.AST) -> ast.AST:
        """The node, or its value if that is an integer."""
        if isinstance(node, ast.Call | ast.Attribute):
            names = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            if names <= {*self.scope, *dir(builtins)} and names & {*self.values}:
                value = eval(compile(ast.unparse(node), "<rule>", "eval"), dict(self.scope))
                if isinstance(value, int):
                    return ast.Constant(value)
        return self.generic_visit(node)


_TESTS = {"len": len, "isinstance": isinstance, "tuple": tuple, "list": list}
"""The functions that may be used in conditions on settings."""


def _is_of_cases(expression: ast.expr) -> bool:
    if isinstance(expression, ast.Call):
        return ast.unparse(expression.func).endswith("where")
    return isinstance(expression, ast.IfExp)
