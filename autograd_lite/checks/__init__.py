"""Checks of gradients: against differences, and against a derivation by hand."""

from .compare.compare import compare_gradients
from .compare.report import GradientComparison
from .compare.rows import Explanation, ParameterComparison
from .finite import GradientCheckError, check_gradients

__all__ = [
    "Explanation",
    "GradientCheckError",
    "GradientComparison",
    "ParameterComparison",
    "check_gradients",
    "compare_gradients",
]
