"""Mistakes that are commonly made in a function's backward, so that a comparison can recognise them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...core.rule import parameter_names
from ...special import log_softmax, softmax


class Mistake(NamedTuple):
    """A wrong rule for one argument of a function.

    Attributes
    ----------
    kind : str
        As in `Explanation`.
    text : str
        The description of the mistake.
    argument : str
        The argument's name.
    vjp : callable
        The wrong vector-Jacobian product. By name it takes values that the right one takes, too.
    """

    kind: str
    text: str
    argument: str
    vjp: Callable[..., Any]

    def cotangent(self, g: Any, values: dict[str, Any]) -> Any:
        """The cotangent by the wrong rule, from the values that the graph has saved for the call."""
        return self.vjp(g, *(values[name] for name in parameter_names(self.vjp)[1:]))


MISTAKES: dict[Callable[..., Any], list[Mistake]] = {}
"""The mistakes known for each function, as users call it."""


def defmistake(function: Callable[..., Any], kind: str, text: str, **vjp: Callable[..., Any]) -> None:
    """Say of a function with a rule one way in which it is wrongly differentiated by hand.

    A function may have several mistakes; one with the same text and argument as before takes its place.

    Parameters
    ----------
    function : callable
        A function that has a rule.
    kind, text : str
        As in `Explanation`.
    **vjp : callable
        One wrong vector-Jacobian product, named after its argument, as in `defvjp`.
    """
    ((argument, wrong),) = vjp.items()
    others = [known for known in MISTAKES.get(function, []) if (known.text, known.argument) != (text, argument)]
    MISTAKES[function] = [*others, Mistake(kind, text, argument, wrong)]


DIAGONAL = "softmax's Jacobian is taken as diagonal: a (1 - a) in place of diag(a) - a a^T"
"""The description of the mistake for softmax in its various forms."""

defmistake(softmax, "softmax", DIAGONAL, x=lambda g, out: g * out * (1 - out))
defmistake(log_softmax, "softmax", DIAGONAL, x=lambda g, out: g * (1 - np.exp(out)))
