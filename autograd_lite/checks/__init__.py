"""Checks of gradients.

`check_gradients`: against differences, or a `GradientCheckError`. `compare_gradients`: against a derivation by hand;
its `GradientComparison` has a `ParameterComparison` for each parameter and an `Explanation` for each mistake.
`detect_anomaly`, `set_detect_anomaly`: the first number that is not finite.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from ..on_demand import on_demand as _on_demand
from ..on_demand import public_names as _public_names
from .anomaly import detect_anomaly as detect_anomaly
from .anomaly import set_detect_anomaly as set_detect_anomaly

if _TYPE_CHECKING:
    from .compare.compare import compare_gradients as compare_gradients
    from .compare.report import GradientComparison as GradientComparison
    from .compare.rows import Explanation as Explanation
    from .compare.rows import ParameterComparison as ParameterComparison
    from .finite import check_gradients as check_gradients
    from .finite_report import GradientCheckError as GradientCheckError

__getattr__, __dir__ = _on_demand(
    __name__,
    {
        ".compare.compare": ["compare_gradients"],
        ".compare.report": ["GradientComparison"],
        ".compare.rows": ["Explanation", "ParameterComparison"],
        ".finite": ["check_gradients"],
        ".finite_report": ["GradientCheckError"],
    },
)

__all__ = _public_names(__name__)
