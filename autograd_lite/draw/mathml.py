"""Python expressions as MathML, with the signs of mathematics for NumPy's functions; and MathML as a line of text."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from html import escape

# How tightly an expression holds together: what is looser than its place gets parentheses.
ANY, COMPARED, SUM, PRODUCT, SIGNED, ATOM = range(6)

_INFIX: dict[type, tuple[str, int]] = {
    ast.Add: ("+", SUM), ast.Sub: ("−", SUM), ast.Mult: ("·", PRODUCT), ast.Mod: ("mod", PRODUCT),
    ast.BitAnd: ("∧", COMPARED), ast.BitOr: ("∨", COMPARED), ast.And: ("∧", COMPARED), ast.Or: ("∨", COMPARED),
    ast.Gt: (">", COMPARED), ast.GtE: ("≥", COMPARED), ast.Lt: ("<", COMPARED), ast.LtE: ("≤", COMPARED),
    ast.Eq: ("=", COMPARED), ast.NotEq: ("≠", COMPARED), ast.Is: ("=", COMPARED), ast.IsNot: ("≠", COMPARED),
    ast.In: ("∈", COMPARED), ast.NotIn: ("∉", COMPARED),
}  # fmt: skip

_OPERATOR_OF: dict[str, type] = {
    "add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "remainder": ast.Mod, "greater": ast.Gt,
    "greater_equal": ast.GtE, "less": ast.Lt, "less_equal": ast.LtE, "equal": ast.Eq, "not_equal": ast.NotEq,
    "logical_and": ast.And, "logical_or": ast.Or,
}  # fmt: skip

_AS_THEY_ARE = frozenset({"astype", "asarray", "broadcast_to", "array"})
"""Functions that change no number, and are left out."""

_SIGNS = {"pi": "π", "inf": "∞", "e": "e", "nan": "NaN"}


def written(expression: ast.expr) -> str:
    """An expression as MathML."""
    return _place(expression, ANY)


def identifier(text: str) -> str:
    """A name, with the digits at its end as an index."""
    stem, digits = re.fullmatch(r"(.*?)(\d*)", text).groups()  # type: ignore[union-attr]
    shown = f"<mi>{escape(stem.replace('_', ' '))}</mi>"
    return f"<msub>{shown}<mn>{digits}</mn></msub>" if digits and stem else shown if stem else f"<mn>{digits}</mn>"


def name(text: str) -> str:
    """A variable of a rule; the cotangent as the derivative that it is."""
    return partial("out") if text == "g" else identifier(text)


def partial(variable: str) -> str:
    """The derivative of the loss with respect to a variable."""
    below = f"<mrow><mo>∂</mo>{identifier(variable)}</mrow>"
    return f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow>{below}</mfrac>"


def call(function: str, arguments: Sequence[str]) -> str:
    """A function of arguments in parentheses."""
    return f"<mrow>{function}{_in_parentheses('<mo>,</mo>'.join(arguments))}</mrow>"


def text_of(mathml: str) -> str:
    """MathML in one line of text, as a screen reader may say it."""
    return " ".join(_text(ElementTree.fromstring(mathml)).split())


# ---- expressions ----


def _place(node: ast.expr, place: int) -> str:
    """An expression where one that holds together so tightly is needed."""
    mathml, tightness = _written(node)
    return mathml if tightness >= place else _in_parentheses(mathml)


def _written(node: ast.expr) -> tuple[str, int]:
    match node:
        case ast.Name(text):
            return name(text), ATOM
        case ast.Constant(value):
            return _constant(value)
        case ast.BinOp(left, ast.Div(), right):
            return f"<mfrac>{_row(left)}{_row(right)}</mfrac>", ATOM
        case ast.BinOp(left, ast.Pow(), right):
            return f"<msup>{_place(left, ATOM)}{_row(right)}</msup>", ATOM
        case ast.BinOp(left, ast.MatMult(), right):
            return f"<mrow>{_place(left, PRODUCT)}<mspace width='0.2em'/>{_place(right, SIGNED)}</mrow>", PRODUCT
        case ast.BinOp(left, operator, right) if type(operator) in _INFIX:
            return _infix(type(operator), left, right)
        case ast.BoolOp(operator, [first, second]):
            return _infix(type(operator), first, second)
        case ast.Compare(left, [operator], [right]) if type(operator) in _INFIX:
            return _infix(type(operator), left, right)
        case ast.UnaryOp(ast.USub(), operand):
            return f"<mrow><mo>−</mo>{_place(operand, SIGNED)}</mrow>", SIGNED
        case ast.UnaryOp(ast.Not() | ast.Invert(), operand):
            return f"<mrow><mo>¬</mo>{_place(operand, SIGNED)}</mrow>", SIGNED
        case ast.IfExp(test, body, other):
            return _cases(body, test, other), ATOM
        case ast.Attribute(value, "T"):
            return _transposed(value), ATOM
        case ast.Attribute(value, "real" | "imag" as part):
            return _function("Re" if part == "real" else "Im", [value]), ATOM
        case ast.Attribute(_, text):
            return identifier(_SIGNS.get(text, text)), ATOM
        case ast.Subscript(value, index):
            return f"<msub>{_place(value, ATOM)}<mrow>{_place(index, ANY)}</mrow></msub>", ATOM
        case ast.Tuple(members) | ast.List(members):
            return _in_parentheses("<mo>,</mo>".join(_place(member, ANY) for member in members)), ATOM
        case ast.Call(function, arguments):
            return _called(function, arguments)
    return f"<mtext>{escape(ast.unparse(node))}</mtext>", ATOM


def _called(function: ast.expr, arguments: list[ast.expr]) -> tuple[str, int]:
    """A call, of a function or of a method; keyword arguments, which say how and where, are left out."""
    path = ast.unparse(function).split(".")
    called = path[-1].lstrip("_")
    if isinstance(function, ast.Attribute) and path[0].lstrip("_") not in ("np", "math", "special"):
        if called in _METHODS:
            arguments = [function.value, *arguments]
    elif path[-2:] == ["add", "reduce"]:
        called = "sum"
    if called in _AS_THEY_ARE:
        return _written(arguments[0])
    if called in _OPERATOR_OF and len(arguments) == 2:
        return _infix(_OPERATOR_OF[called], *arguments)
    if called in _NOTATION and arguments:
        return _NOTATION[called](arguments)
    return _function(called, arguments), ATOM


_METHODS = frozenset({"sum", "mean", "conj", "conjugate", "astype", "transpose", "reshape", "swapaxes"})


def _infix(operator: type, left: ast.expr, right: ast.expr) -> tuple[str, int]:
    sign, tightness = _INFIX[operator]
    # The right side of a difference needs them where the left does not: a - (b - c).
    right_place = tightness + (operator is ast.Sub or tightness == COMPARED)
    left_place = tightness + (tightness == COMPARED)
    return f"<mrow>{_place(left, left_place)}<mo>{escape(sign)}</mo>{_place(right, right_place)}</mrow>", tightness


def _constant(value: object) -> tuple[str, int]:
    if isinstance(value, bool) or value is None or value is ...:
        return f"<mi>{'…' if value is ... else value}</mi>", ATOM
    if isinstance(value, int | float):
        return f"<mn>{value:g}</mn>", ATOM if value >= 0 else SIGNED
    if isinstance(value, complex):
        return f"<mrow><mn>{value.imag:g}</mn><mi>i</mi></mrow>", ATOM
    return f"<mtext>{escape(str(value))}</mtext>", ATOM


def _row(node: ast.expr) -> str:
    return f"<mrow>{_place(node, ANY)}</mrow>"


def _in_parentheses(mathml: str) -> str:
    return f"<mrow><mo>(</mo>{mathml}<mo>)</mo></mrow>"


def _function(called: str, arguments: Sequence[ast.expr]) -> str:
    return call(identifier(called), [_place(argument, ANY) for argument in arguments])


def _transposed(value: ast.expr) -> str:
    return f"<msup>{_place(value, ATOM)}<mi>T</mi></msup>"


def _cases(chosen: ast.expr, test: ast.expr, other: ast.expr) -> str:
    rows = ((chosen, f"<mtext>where </mtext>{_row(test)}"), (other, "<mtext>elsewhere</mtext>"))
    cells = "".join(f"<mtr><mtd>{_row(value)}</mtd><mtd><mrow>{when}</mrow></mtd></mtr>" for value, when in rows)
    return f"<mrow><mo>{{</mo><mtable>{cells}</mtable></mrow>"


def _between_bars(arguments: list[ast.expr]) -> tuple[str, int]:
    return f"<mrow><mo>|</mo>{_place(arguments[0], ANY)}<mo>|</mo></mrow>", ATOM


def _summed(arguments: list[ast.expr]) -> tuple[str, int]:
    return f"<mrow><mo>∑</mo>{_place(arguments[0], PRODUCT)}</mrow>", PRODUCT


def _over(arguments: list[ast.expr]) -> tuple[str, int]:
    return f"<mfrac>{_row(arguments[0])}{_row(arguments[1])}</mfrac>", ATOM


def _overlined(arguments: list[ast.expr]) -> tuple[str, int]:
    return f"<mover>{_row(arguments[0])}<mo>‾</mo></mover>", ATOM


_NOTATION: dict[str, Callable[[list[ast.expr]], tuple[str, int]]] = {
    "sqrt": lambda a: (f"<msqrt>{_row(a[0])}</msqrt>", ATOM),
    "square": lambda a: (f"<msup>{_place(a[0], ATOM)}<mn>2</mn></msup>", ATOM),
    "power": lambda a: (f"<msup>{_place(a[0], ATOM)}{_row(a[1])}</msup>", ATOM),
    "divide": _over,
    "abs": _between_bars,
    "absolute": _between_bars,
    "where": lambda a: (_cases(a[1], a[0], a[2]), ATOM) if len(a) == 3 else (_function("where", a), ATOM),
    "sum": _summed,
    "conj": _overlined,
    "conjugate": _overlined,
    "real": lambda a: (_function("Re", a), ATOM),
    "imag": lambda a: (_function("Im", a), ATOM),
    "sign": lambda a: (_function("sgn", a), ATOM),
    "transpose": lambda a: (_transposed(a[0]), ATOM),
    "swapaxes": lambda a: (_transposed(a[0]), ATOM),
    "matmul": lambda a: _written(ast.BinOp(a[0], ast.MatMult(), a[1])),
    "negative": lambda a: _written(ast.UnaryOp(ast.USub(), a[0])),
    "zeros_like": lambda a: ("<mn>0</mn>", ATOM),
    "ones_like": lambda a: ("<mn>1</mn>", ATOM),
}
"""How functions with a sign of their own are written."""


# ---- as text ----


def _text(element: ElementTree.Element) -> str:
    inner = [_text(child) for child in element]
    match element.tag:
        case "mfrac":
            return f"{_grouped(inner[0])}/{_grouped(inner[1])}"
        case "msup":
            return f"{inner[0]}^{_grouped(inner[1])}"
        case "msub":
            return inner[0] + (inner[1] if inner[1].isdigit() else f"_{_grouped(inner[1])}")
        case "msqrt":
            return f"√({inner[0]})"
        case "mover":
            return f"conj({inner[0]})"
        case "mtable":
            return "; ".join(inner)
        case "mtr":
            return " ".join(inner)
        case "mspace":
            return " "
        case "mo":
            sign = element.text or ""
            return sign if sign in "()∂|" else f"{sign} " if sign in ",{∑¬" else f" {sign} "
    return (element.text or "") + "".join(inner)


def _grouped(text: str) -> str:
    return text if re.fullmatch(r"∂?[\w.]+|\(.*\)", text) else f"({text.strip()})"
