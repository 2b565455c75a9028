"""The signs of operations, as a textbook's circuits have them in circles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.graph import Node
from .live import Array
from .repeats import short_name

_SIGNS = {
    "add": "+", "subtract": "\N{MINUS SIGN}", "multiply": "×", "divide": "÷", "true_divide": "÷", "negative": "× (−1)",
    "square": "x²", "sqrt": "√", "cbrt": "∛", "reciprocal": "1/x", "matmul": "@", "dot": "@", "vecdot": "@",
    "inner": "@", "matvec": "@", "vecmat": "@", "maximum": "max", "minimum": "min", "sum": "Σ", "prod": "Π",
    "sigmoid": "σ", "expit": "σ", "relu": "ReLU", "leaky_relu": "leaky ReLU", "absolute": "|x|", "abs": "|x|",
    "transpose": "xᵀ", "getitem": "[ ]", "exp2": "2ˣ",
}  # fmt: skip

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def sign_of(node: Node, constants: Mapping[str, Array]) -> tuple[str, set[str]]:
    """The sign of a call, and the names of the constants that are part of it: the 2 of x², the 1 of 1/x.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(2.0, requires_grad=True)
    >>> sign_of((x + x).node, {}), sign_of((x**3).node, {"x2": np.array(3)})
    (('+', set()), ('x³', {'x2'}))
    """
    name = short_name(node)
    if name in ("power", "pow", "float_power") and _is_number(constants.get("x2")):
        exponent = constants["x2"].item()
        if exponent == 0.5:
            return "√", {"x2"}
        if float(exponent).is_integer() and abs(exponent) < 100:
            return f"x{int(exponent)}".replace(str(int(exponent)), str(int(exponent)).translate(_SUPERSCRIPTS)), {"x2"}
    if name in ("divide", "true_divide") and _is_number(constants.get("x1")) and constants["x1"] == 1:
        return "1/x", {"x1"}
    return _SIGNS.get(name, name.replace("_", " ")), set()


def _is_number(constant: Array | None) -> bool:
    return constant is not None and constant.ndim == 0 and constant.dtype.kind in "fiu"


def inferred_constant(node: Node, values: Mapping[Node, Array]) -> tuple[str, Array] | None:
    """The number beside the operand of a sum or product that the graph has not kept; it follows from the result.

    Returns the argument's name and the number; None if there is none, or if rounding leaves fewer than five digits.

    Examples
    --------
    >>> from autograd_lite import Tensor
    >>> x = Tensor(2.0, requires_grad=True)
    >>> y = x + 1.5
    >>> inferred_constant(y.node, {x.node: x.data, y.node: y.data})
    ('x2', array(1.5))
    """
    assert node.recipe is not None
    function, arguments = node.recipe.rule.function, node.recipe.arguments
    if function not in _INVERSES or len(arguments) != 1:
        return None
    (parent,), missing = node.parents, "x2" if arguments[0] == "x1" else "x1"
    if any(n not in values or values[n].dtype.kind != "f" for n in (node, parent)):
        return None
    out, x = (np.asarray(values[n], np.float64) for n in (node, parent))
    with np.errstate(all="ignore"):
        found = _INVERSES[function][missing == "x2"](out, x)
    if not found.size or not np.isfinite(found).all():
        return None
    is_sum = function in (np.add, np.subtract)
    scale = max(np.max(np.abs(out)), np.max(np.abs(x))) if is_sum else np.max(np.abs(found))
    rounding, number = float(np.finfo(node.dtype).eps * scale), float(found.flat[0])
    if np.ptp(found) > 4 * rounding or rounding > 1e-6 * abs(number):
        return None
    return missing, np.array(float(f"{number:.5g}"))


_INVERSES: dict[Any, tuple[Callable[[Array, Array], Array], Callable[[Array, Array], Array]]] = {
    np.add: (lambda out, x2: out - x2, lambda out, x1: out - x1),
    np.subtract: (lambda out, x2: out + x2, lambda out, x1: x1 - out),
    np.multiply: (lambda out, x2: out / x2, lambda out, x1: out / x1),
    np.divide: (lambda out, x2: out * x2, lambda out, x1: x1 / out),
}
"""How the first argument follows from the result and the second, and the second from the result and the first."""
