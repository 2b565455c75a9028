"""Rules as mathematics: a vector-Jacobian product, which is a Python expression, as MathML."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

from .mathml import call, identifier, name, partial, written


def formula_of(vjp: Callable[..., Any], argument: str) -> str:
    """``dL/d argument = ...`` as a ``<math>`` element, from a rule's own source.

    A rule that is a lambda is written out; another function, or one whose source cannot be read, stands by its name,
    applied to what it reads. Constants and functions keep their names, save those that have a sign.

    Parameters
    ----------
    vjp : callable
        Takes the cotangent ``g`` first, which is shown as dL/d out.
    argument : str
        The argument that it is for.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite.registry import RULES
    >>> from autograd_lite.draw.formulas import formula_of
    >>> from autograd_lite.draw.mathml import text_of
    >>> text_of(formula_of(RULES[np.multiply].vjps["x1"], "x1"))
    '∂L/∂x1 = ∂L/∂out · x2'
    """
    source = source_of(vjp)
    if isinstance(source, ast.expr):
        right = written(source)
    else:
        code = vjp.__code__
        called = "rule" if vjp.__name__ == "<lambda>" else vjp.__name__.strip("_")
        right = call(identifier(called), [name(n) for n in code.co_varnames[: code.co_argcount]])
    return f'<math display="block"><mrow>{partial(argument)}<mo>=</mo>{right}</mrow></math>'


def source_of(function: Callable[..., Any]) -> ast.expr | ast.FunctionDef | None:
    """The body of a lambda, or the definition of another function; None where the file cannot be read."""
    code: CodeType = function.__code__
    # The first instruction of every function stands at no place, from column 0 to 0.
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


# ---- where the source is ----


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
