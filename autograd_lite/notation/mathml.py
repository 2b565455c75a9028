"""Python expressions as MathML, with mathematical signs for NumPy's functions; and MathML as a line of text."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping, Sequence
from html import escape

from ..formatting import short

# These are levels of precedence: an expression of a lower level than its place needs is put in parentheses.
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

_AS_THEY_ARE = frozenset({"astype", "asarray", "broadcast_to", "array", "keep"})
"""Functions that change no number, and are not shown."""

_NEGATIVE = "<mrow><mo>−</mo>"

_SIGNS = {"pi": "π", "inf": "∞", "e": "e", "nan": "NaN"}
_CONSTANT = re.compile(r"_*(LN|SQRT)_(\w+)")


def written(expression: ast.expr, names: Mapping[str, str] | None = None) -> str:
    """An expression as MathML.

    Parameters
    ----------
    expression : ast.expr
        The expression.
    names : mapping, optional
        From variable to its MathML; others keep their names.
    """
    return _Writer(names or {}).place(expression, ANY)


def identifier(text: str) -> str:
    """A name, with digits at its end as an index."""
    stem, digits = re.fullmatch(r"(.*?)(\d*)", text).groups()  # type: ignore[union-attr]
    shown = f"<mi>{escape(stem.replace('_', ' '))}</mi>"
    return f"<msub>{shown}<mn>{digits}</mn></msub>" if digits and stem else shown if stem else f"<mn>{digits}</mn>"


def variable(text: str) -> str:
    """A user's name, unchanged, except that a number after letters becomes an index."""
    return identifier(text) if re.fullmatch(r"[^\W\d_]+\d*", text) else f"<mi>{escape(text)}</mi>"


def partial(of: str, by: str) -> str:
    """The derivative of one variable with respect to another, both given as MathML."""
    return f"<mfrac><mrow><mo>∂</mo>{of}</mrow><mrow><mo>∂</mo>{by}</mrow></mfrac>"


def number(value: complex, digits: int = 4) -> str:
    """A number with some significant digits."""
    if isinstance(value, complex):
        parts = number(abs(value.imag), digits)
        sign = "−" if value.imag < 0 else "+"
        return in_parentheses(f"{number(value.real, digits)}<mo>{sign}</mo>{parts}<mi>i</mi>")
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else short(value, digits)
    text = text.replace("inf", "∞").replace("nan", "NaN")
    return f"{_NEGATIVE}<mn>{text[1:]}</mn></mrow>" if text.startswith("-") else f"<mn>{text}</mn>"


def matrix(rows: Sequence[Sequence[complex]], digits: int = 4) -> str:
    """A matrix of numbers in brackets."""
    cells = ("".join(f"<mtd>{number(entry, digits)}</mtd>" for entry in row) for row in rows)
    table = "".join(f"<mtr>{row}</mtr>" for row in cells)
    return f"<mrow class='matrix'><mo>[</mo><mtable>{table}</mtable><mo>]</mo></mrow>"


def call(function: str, arguments: Sequence[str]) -> str:
    """A function of arguments in parentheses."""
    return f"<mrow>{function}{in_parentheses('<mo>,</mo>'.join(arguments))}</mrow>"


def text_of(mathml: str) -> str:
    """MathML as one line of text, similar to what a screen reader says."""
    return " ".join(_text(ElementTree.fromstring(mathml)).split())


# ---- expressions ----


class _Writer:
    """Writes expressions as MathML, with given MathML for some variables."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def place(self, node: ast.expr, place: int) -> str:
        """An expression, in parentheses if its precedence is too low for the place."""
        mathml, tightness = self.written(node)
        return mathml if tightness >= place else in_parentheses(mathml)

    def written(self, node: ast.expr) -> tuple[str, int]:
        """An expression, and its precedence."""
        match node:
            case ast.Name(text):
                known = self.names.get(text)
                if known is None and (constant := _CONSTANT.fullmatch(text)):
                    return self.called(ast.Name(constant[1].lower()), [_parsed(constant[2].lower())])
                return known or identifier(text), SIGNED if known and known.startswith(_NEGATIVE) else ATOM
            case ast.Constant(value):
                return _constant(value)
            case ast.BinOp(left, ast.Div(), right):
                return f"<mfrac>{self.row(left)}{self.row(right)}</mfrac>", ATOM
            case ast.BinOp(left, ast.Pow(), right):
                return f"<msup>{self.place(left, ATOM)}{self.row(right)}</msup>", ATOM
            case ast.BinOp(left, ast.MatMult(), right):
                space = "<mspace width='0.2em'/>"
                return f"<mrow>{self.place(left, PRODUCT)}{space}{self.place(right, SIGNED)}</mrow>", PRODUCT
            case ast.BinOp(left, operator, right) if type(operator) in _INFIX:
                return self.infix(type(operator), left, right)
            case ast.BoolOp(operator, [first, second]):
                return self.infix(type(operator), first, second)
            case ast.Compare(left, [operator], [right]) if type(operator) in _INFIX:
                return self.infix(type(operator), left, right)
            case ast.UnaryOp(ast.USub(), operand):
                return f"<mrow><mo>−</mo>{self.place(operand, SIGNED)}</mrow>", SIGNED
            case ast.UnaryOp(ast.Not() | ast.Invert(), operand):
                return f"<mrow><mo>¬</mo>{self.place(operand, SIGNED)}</mrow>", SIGNED
            case ast.IfExp(test, body, other):
                return self.cases(test, body, other), COMPARED
            case ast.Attribute(value, "T" | "mT"):
                return self.transposed(value), ATOM
            case ast.Attribute(value, "real" | "imag" as part):
                return self.function("Re" if part == "real" else "Im", [value]), ATOM
            case ast.Attribute(ast.Name("np" | "math"), text):
                return identifier(_SIGNS.get(text, text)), ATOM
            case ast.Attribute(value, text):
                return self.function(text, [value]), ATOM
            case ast.Subscript(value, index):
                return f"<msub>{self.place(value, ATOM)}<mrow>{self.place(index, ANY)}</mrow></msub>", ATOM
            case ast.Tuple(members) | ast.List(members):
                return in_parentheses("<mo>,</mo>".join(self.place(member, ANY) for member in members)), ATOM
            case ast.Call(function, arguments):
                return self.called(function, arguments)
        return f"<mtext>{escape(ast.unparse(node))}</mtext>", ATOM

    def called(self, function: ast.expr, arguments: list[ast.expr]) -> tuple[str, int]:
        """A call of a function or a method; keyword arguments are left out, since they only say how it is computed."""
        path = ast.unparse(function).split(".")
        called = path[-1].lstrip("_")
        if isinstance(function, ast.Attribute) and path[0].lstrip("_") not in ("np", "math", "special"):
            if called in _METHODS:
                arguments = [function.value, *arguments]
        elif path[-2:] == ["add", "reduce"]:
            called = "sum"
        if called in _AS_THEY_ARE:
            return self.written(arguments[0])
        if called in _OPERATOR_OF and len(arguments) == 2:
            return self.infix(_OPERATOR_OF[called], *arguments)
        if called in _NOTATION and arguments:
            return _NOTATION[called](self, arguments)
        return self.function(called, arguments), ATOM

    def infix(self, operator: type, left: ast.expr, right: ast.expr) -> tuple[str, int]:
        """Two operands and the sign between them."""
        sign, tightness = _INFIX[operator]
        # The right side of a difference may need parentheses where the left does not: a - (b - c).
        right_place = tightness + (operator is ast.Sub or tightness == COMPARED)
        left_place = tightness + (tightness == COMPARED)
        sides = self.place(left, left_place), self.place(right, right_place)
        return f"<mrow>{sides[0]}<mo>{escape(sign)}</mo>{sides[1]}</mrow>", tightness

    def row(self, node: ast.expr) -> str:
        """An expression as one element."""
        return f"<mrow>{self.place(node, ANY)}</mrow>"

    def function(self, called: str, arguments: Sequence[ast.expr]) -> str:
        """A function that is shown by its name."""
        return call(identifier(called), [self.place(argument, ANY) for argument in arguments])

    def transposed(self, value: ast.expr) -> str:
        """A matrix with a superscript T."""
        return f"<msup>{self.place(value, ATOM)}<mi>T</mi></msup>"

    def cases(self, test: ast.expr, chosen: ast.expr, other: ast.expr) -> str:
        """Values with the conditions under which they are taken; nested cases become one list."""
        rows = []
        while True:
            rows.append((chosen, f"<mtext>where </mtext>{self.row(test)}"))
            match other:
                case ast.Call(function, [deeper, then, last]) if ast.unparse(function).endswith("where"):
                    test, chosen, other = deeper, then, last
                case ast.IfExp(deeper, then, last):
                    test, chosen, other = deeper, then, last
                case _:
                    break
        rows.append((other, "<mtext>elsewhere</mtext>"))
        lines = (f"<mtr><mtd>{self.row(value)}</mtd><mtd><mrow>{when}</mrow></mtd></mtr>" for value, when in rows)
        return f"<mrow><mo>{{</mo><mtable>{''.join(lines)}</mtable></mrow>"


_METHODS = frozenset({"sum", "mean", "conj", "conjugate", "astype", "transpose", "reshape", "swapaxes"})


def _constant(value: object) -> tuple[str, int]:
    if isinstance(value, bool) or value is None or value is ...:
        return f"<mi>{'…' if value is ... else value}</mi>", ATOM
    if isinstance(value, int | float):
        return f"<mn>{value:g}</mn>", ATOM if value >= 0 else SIGNED
    if isinstance(value, complex):
        return f"<mrow><mn>{value.imag:g}</mn><mi>i</mi></mrow>", ATOM
    return f"<mtext>{escape(str(value))}</mtext>", ATOM


def in_parentheses(mathml: str) -> str:
    """MathML in parentheses."""
    return f"<mrow><mo>(</mo>{mathml}<mo>)</mo></mrow>"


def _parsed(text: str) -> ast.expr:
    """The expression for a constant's name: a product of numbers and NumPy's constants."""
    factors = (factor if factor.isdigit() else f"np.{factor}" for factor in text.split("_"))
    return ast.parse(" * ".join(factors), mode="eval").body


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 1


_NOTATION: dict[str, Callable[[_Writer, list[ast.expr]], tuple[str, int]]] = {
    "sqrt": lambda w, a: (f"<msqrt>{w.row(a[0])}</msqrt>", ATOM),
    "square": lambda w, a: (f"<msup>{w.place(a[0], ATOM)}<mn>2</mn></msup>", ATOM),
    "power": lambda w, a: (f"<msup>{w.place(a[0], ATOM)}{w.row(a[1])}</msup>", ATOM),
    "divide": lambda w, a: w.written(ast.BinOp(a[0], ast.Div(), a[1])),
    "over_count": lambda w, a: w.written(ast.BinOp(a[0], ast.Div(), a[1])),
    # Their strong zeros are left out: they decide only where a formula has no value.
    "strong_quotient": lambda w, a: w.written(ast.BinOp(a[0], ast.Div(), a[1])),
    "strong_product": lambda w, a: w.written(ast.BinOp(a[0], ast.Mult(), a[1])),
    "symmetric_product": lambda w, a: w.written(ast.BinOp(a[0], ast.Mult(), a[1])),
    "abs": lambda w, a: (f"<mrow><mo>|</mo>{w.place(a[0], ANY)}<mo>|</mo></mrow>", ATOM),
    "absolute": lambda w, a: (f"<mrow><mo>|</mo>{w.place(a[0], ANY)}<mo>|</mo></mrow>", ATOM),
    "where": lambda w, a: (w.cases(*a), COMPARED) if len(a) == 3 else (w.function("where", a), ATOM),
    "sum": lambda w, a: (f"<mrow><mo>∑</mo>{w.place(a[0], PRODUCT)}</mrow>", PRODUCT),
    "conj": lambda w, a: (f"<mover>{w.row(a[0])}<mo>‾</mo></mover>", ATOM),
    "conjugate": lambda w, a: (f"<mover>{w.row(a[0])}<mo>‾</mo></mover>", ATOM),
    "real": lambda w, a: (w.function("Re", a), ATOM),
    "imag": lambda w, a: (w.function("Im", a), ATOM),
    "sign": lambda w, a: (w.function("sgn", a), ATOM),
    "transpose": lambda w, a: (w.transposed(a[0]), ATOM),
    "swapaxes": lambda w, a: (w.transposed(a[0]), ATOM),
    "matmul": lambda w, a: w.written(ast.BinOp(a[0], ast.MatMult(), a[1])),
    "negative": lambda w, a: w.written(ast.UnaryOp(ast.USub(), a[0])),
    "zeros_like": lambda w, a: ("<mn>0</mn>", ATOM),
    "zero": lambda w, a: ("<mn>0</mn>", ATOM),
    "ones_like": lambda w, a: ("<mn>1</mn>", ATOM),
    # The number of elements of a reduction, and the same number guarded against an empty array.
    "count": lambda w, a: ("<mi>n</mi>", ATOM),
    "max": lambda w, a: w.written(a[0]) if len(a) == 2 and _is_one(a[1]) else (w.function("max", a), ATOM),
    # The cotangent of a sum, repeated for each term: it is shown multiplied by an array of ones.
    "spread": lambda w, a: (f"<mrow>{w.place(a[0], PRODUCT)}<mo>·</mo><mi>𝟏</mi></mrow>", PRODUCT),
    "one_hot": lambda w, a: (w.function("one_hot", a[:1]), ATOM),
}
"""How functions with a mathematical sign are written."""


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
            return sign if sign in "()[]∂|" else f"{sign} " if sign in ",{∑¬" else f" {sign} "
    return (element.text or "") + "".join(inner)


def _grouped(text: str) -> str:
    return text if re.fullmatch(r"∂?[\w.]+|\([^()]*\)", text) else f"({text.strip()})"
