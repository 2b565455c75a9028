"""The table in autograd_lite/rules/SPECIAL_POINTS.md: `python -m` this module writes it anew.

What it says is what the rules give; `test_special_points` and `test_special_matrices` hold that against limits.
"""

from pathlib import Path

import numpy as np

import autograd_lite
import nn
from autograd_lite import special
from autograd_lite.transforms import grad

from .special_points import FUNCTIONS

PATH = Path(autograd_lite.__file__).parent / "rules" / "SPECIAL_POINTS.md"

HEAD = """# What the rules give at special points

Made from the rules by `python -m tests.autograd_lite.rules.special_points_table`. A test holds it to them, and others
hold the rules to limits of differences, in float32 and float64, in both modes, and in second order inside of domains.

- **A zero is strong.** A cotangent or tangent that is exactly 0 stays 0 through elementwise rules, whatever slope it
  meets: `np.where(x > 0, x * np.log(x), 0)` has the gradient 0 at 0, and so it is in second order and in compiled
  functions. Choices (`where`, `maximum`, `max`, `clip`, `abs`, `relu`) choose, and multiply nothing by 0. Sums, matrix
  products, convolutions and other linear functions of several elements are NumPy's own: 0 times infinity is NaN.
- **A slope of 0 that meets an infinite cotangent is NaN**, save where that 0 was chosen: the limit may be any number.
- **Saturated slopes**: `np.tanh` and `nn.sigmoid` compute theirs from the result, `1 - out**2` and `out * (1 - out)`,
  which is exact to one unit in the last place of 1, and not of the slope: from tanh(19.5) and sigmoid(37) on it is 0.
  `scipy.special.expit` keeps all digits.
- **Vectors** of equal singular values or eigenvalues have no derivative, and get an infinite one or NaN if they are
  used, and so do second derivatives of singular values where these are equal or 0. First derivatives of functions of
  the values divide by no difference. A determinant has two derivatives where the matrix is singular, and no third.

## Elementwise functions

Slopes where a function has a limit, a kink or an end: "x: slope". NaN is where nothing tends to a limit.

| function | slopes |
| --- | --- |
"""

CALLS = [
    ("np.maximum(x, y)", lambda x: np.maximum(x[0], x[1]), [1.0, 1.0]),
    ("np.hypot(x, y)", lambda x: np.hypot(x[0], x[1]), [0.0, 0.0]),
    ("np.arctan2(x, y)", lambda x: np.arctan2(x[0], x[1]), [0.0, 0.0]),
    ("np.logaddexp(x, y)", lambda x: np.logaddexp(x[0], x[1]), [np.inf, np.inf]),
    ("np.logaddexp(x, y)", lambda x: np.logaddexp(x[0], x[1]), [-np.inf, 0.0]),
    ("np.divide(x, y)", lambda x: x[0] / x[1], [1.0, 0.0]),
    ("np.divide(x, y)", lambda x: x[0] / x[1], [1.0, np.inf]),
    ("np.power(x, y)", lambda x: np.power(x[0], x[1]), [0.0, 0.0]),
    ("np.power(x, y)", lambda x: np.power(x[0], x[1]), [0.0, 0.5]),
    ("np.power(x, y)", lambda x: np.power(x[0], x[1]), [0.0, 2.0]),
    ("special.logsumexp", special.logsumexp, [-np.inf, -np.inf]),
    ("special.logsumexp", special.logsumexp, [np.inf, 1.0]),
    ("np.max", np.max, [2.0, 2.0, 1.0]),
    ("np.median", np.median, [2.0, 2.0, 2.0]),
    ("np.ptp", np.ptp, [2.0, 2.0]),
    ("np.var", np.var, [2.0, 2.0]),
    ("np.std", np.std, [2.0, 2.0]),
    ("np.nanstd", np.nanstd, [2.0, np.nan, 2.0]),
    ("np.prod", np.prod, [0.0, 2.0, 3.0]),
    ("np.prod", np.prod, [0.0, 0.0, 3.0]),
    *((f"np.linalg.norm, ord={order}", lambda x, o=order: np.linalg.norm(x, o), [0.0, 0.0]) for order in (-1, 1, 2, 3)),
    *((f"np.linalg.norm, ord={order}", lambda x, o=order: np.linalg.norm(x, o), [0.0, 2.0]) for order in (-1, 0.5, 3)),
    ("np.linalg.det", np.linalg.det, [[1.0, 2.0], [2.0, 4.0]]),
    ("np.linalg.slogdet, the logarithm", lambda x: np.linalg.slogdet(x)[1], [[1.0, 2.0], [2.0, 4.0]]),
    ("np.linalg.svdvals, their squares' sum", lambda x: np.sum(np.linalg.svdvals(x) ** 2), [[1.0, 0.0], [0.0, 0.0]]),
    ("np.linalg.eigvalsh, their sum", lambda x: np.sum(np.linalg.eigvalsh(x)), [[1.0, 0.0], [0.0, 1.0]]),
    ("nn.softmax_cross_entropy, label 0", lambda x: nn.softmax_cross_entropy(x[None], np.array([0])), [1.0, -np.inf]),
]  # fmt: skip


def text_of(array):
    """Numbers as text, of four digits."""
    if np.ndim(array):
        return f"[{', '.join(map(text_of, array))}]"
    return f"{float(array) + 0.0:.4g}"


def slopes(function):
    """The special points of an elementwise function with its slopes."""
    points = sorted({-np.inf, 0.0, np.inf, *function.ends, *function.kinks})
    inside = [x for x in points if function.ends[0] <= x <= function.ends[1]]
    return "; ".join(f"{text_of(x)}: {text_of(grad(function.call)(np.array(x)))}" for x in inside)


def table():
    """The text of the file."""
    with np.errstate(all="ignore"):
        lines = [f"| `{function.name}` | {slopes(function)} |" for function in FUNCTIONS]
        parts = ["\n## Functions of several elements\n", "| function | at | gradient |", "| --- | --- | --- |"]
        parts += [
            f"| `{name}` | {text_of(at)} | {text_of(np.round(grad(call)(np.array(at)), 12))} |"
            for name, call, at in CALLS
        ]
    return HEAD + "\n".join(lines) + "\n" + "\n".join(parts) + "\n"


if __name__ == "__main__":
    PATH.write_text(table())
