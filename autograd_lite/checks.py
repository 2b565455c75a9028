"""Checks of gradients: against differences, and against a derivation by hand."""

from .comparison.compare import compare_gradients
from .comparison.report import Explanation, GradientComparison, ParameterComparison
from .gradient_check import GradientCheckError, check_gradients

__all__ = [
    "Explanation",
    "GradientCheckError",
    "GradientComparison",
    "ParameterComparison",
    "check_gradients",
    "compare_gradients",
]
