"""The table of functions in autograd_lite/rules/FUNCTIONS.md: `python -m` this module writes it anew.

It is made of the registry. Whether a function takes complex numbers, and has second derivatives, is what the table of
specifications says, and so what the tests of the rules have found to hold.
"""

from pathlib import Path

import numpy as np
import scipy
import scipy.special

import autograd_lite
from autograd_lite.core.registry import DERIVED, NONDIFFERENTIABLE, RULES
from autograd_lite.rules.nondifferentiable import NO_DERIVATIVE, WHY_CONSTANT
from autograd_lite.rules.scipy.special import NO_DERIVATIVE as SPECIAL_WITHOUT
from autograd_lite.transforms.rule_tables import JVPS, LINEAR

from .complex_choices import choices
from .specs import EXAMPLES, SPECS
from .test_namespace import functions_of

ONCE = {spec.of for spec in SPECS if spec.complex_once}

PATH = Path(autograd_lite.__file__).parent / "rules" / "FUNCTIONS.md"

HEAD = """# Which functions of NumPy and of scipy.special differentiate

Made from the rules by `python -m tests.autograd_lite.rules.functions_table`, with NumPy {numpy} and SciPy {scipy}.
A test checks that it is up to date.

- **VJP**: the arguments with a vector-Jacobian product, for reverse mode; "by others" means that the function is
  written in terms of other functions, which have rules.
- **JVP**: how tangents go forward: by a formula; "elementwise" if the Jacobian is diagonal; "linear" if the function is
  its own derivative; or by others. Forward mode always takes one pass without a graph.
- **complex**: whether complex numbers are differentiated, by the convention dL/dx - i dL/dy; "-" means that NumPy's
  function does not take them, "first" that there is only a first derivative. The vectors of `eigh`, `eig` and `svd` are
  differentiated up to their phase.
- **2nd**: whether there are second derivatives, in all four orders of the two modes.

The ufuncs of `scipy.special` take tensors; its `logsumexp`, `softmax` and `log_softmax`, which are Python functions,
are in `autograd_lite.special`. Arguments without a VJP, such as orders, must not require a gradient.
[SPECIAL_POINTS.md](SPECIAL_POINTS.md) says what rules give at zeros, ties, infinities and ends of domains.

"""


def forward(rule):
    if rule.elementwise:
        return "elementwise"
    kinds = {"linear" if product is LINEAR else "formula" for product in JVPS.get(rule, {}).values()}
    return " and ".join(sorted(kinds))


def row(name, function, of_complex, tested):
    if function in SPECIAL_WITHOUT:
        return f"| `{name}` | none: {SPECIAL_WITHOUT[function]} | | | |"
    if function in NONDIFFERENTIABLE:
        return f"| `{name}` | {WHY_CONSTANT} | | | |"
    if function in NO_DERIVATIVE:
        return f"| `{name}` | none: {NO_DERIVATIVE[function]} | | | |"
    if function in DERIVED:
        vjp = jvp = "by others"
    else:
        rule = RULES[function]
        vjp, jvp = ", ".join(name for name in rule.vjps), forward(rule)
    complex_numbers, second = ("yes" if function in those else "-" for those in (of_complex, tested))
    complex_numbers = "first" if function in ONCE else complex_numbers
    return f"| `{name}` | {vjp} | {jvp} | {complex_numbers} | {second} |"


def table():
    """The text of the file."""
    of_complex = {parameter.values[0].spec.of for parameter in choices(EXAMPLES)}
    tested = {spec.of for spec in SPECS}
    parts = [HEAD.format(numpy=np.__version__, scipy=scipy.__version__)]
    for module in (np, np.linalg, np.fft, scipy.special):
        functions = functions_of(module)
        known = {*RULES, *DERIVED, *NONDIFFERENTIABLE, *NO_DERIVATIVE, *SPECIAL_WITHOUT}
        parts += [
            f"## {module.__name__}\n",
            "| function | VJP | JVP | complex | 2nd |",
            "| --- | --- | --- | --- | --- |",
        ]
        parts += [
            row(name, functions[name], of_complex, tested) for name in sorted(functions) if functions[name] in known
        ]
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PATH.write_text(table())
