"""The exceptions of the engine: each says what was given, what was expected and what to do.

Wrong shapes, dtypes and values raise Python's own ``ValueError`` and ``TypeError``; the classes here are for errors
that only a differentiated program can have. All of them are ``GradientError``, so that one ``except`` finds them.
"""


class GradientError(Exception):
    """A gradient cannot be computed, or would be wrong."""


class NoRuleError(GradientError, TypeError):
    """A function was called on a tensor that requires a gradient, and no rule says how it differentiates."""


class LostGradientError(GradientError, TypeError):
    """A tensor that requires a gradient was about to become a plain number or array, or to be overwritten."""


class FreedGraphError(GradientError, RuntimeError):
    """A second backward pass met nodes whose saved values the first one has dropped."""


class ChangedTensorError(GradientError, RuntimeError):
    """A leaf tensor's array, or another one that a graph has saved, changed before the graph was differentiated."""


class AnomalyError(GradientError, ArithmeticError):
    """Within `detect_anomaly`: an operation, or its rule, gave a number that is not finite, of numbers that are."""


class StructureError(GradientError, ValueError):
    """Two trees that belong together, such as primals and tangents, differ in keys, lengths or containers."""


class CompileError(GradientError, TypeError):
    """A function cannot be compiled, because a replay of its calls could give other results than the function."""
