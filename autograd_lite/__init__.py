"""Automatic differentiation for people who think in NumPy.

Make a `Tensor` with ``requires_grad=True``, compute with it as with any array, and call ``backward()`` on the result.

The graph
    `Tensor`, `no_grad`, `detect_anomaly`, `set_detect_anomaly`; `draw`: pictures and pages of it.

Functions of functions (`transforms`)
    `grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, `vmap`, `checkpoint`, `stop_gradient`.

Compiled functions
    `compile`, `callback`, `assume`.

Rules of one's own
    `custom_vjp`, `defvjp`, `defjvp`; `extend`: what a package on top of the engine may use; `rules`: the engine's own.

Checks (`checks`)
    `check_gradients`: against differences; ``checks.compare_gradients``: against a derivation by hand.

SciPy
    `special`: softmax and its like; the ufuncs of ``scipy.special`` take tensors.

What decides the speed
    `show_config`, `tune_memory`.

Errors
    `GradientError`, and its kinds `LostGradientError`, `NoRuleError`, `ChangedTensorError`, `FreedGraphError`,
    `StructureError`, `CompileError`, `AnomalyError`; `GradientCheckError`.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import rules as rules
from . import transforms as transforms
from .checks.anomaly import detect_anomaly as detect_anomaly
from .checks.anomaly import set_detect_anomaly as set_detect_anomaly
from .compiler import assume as assume
from .compiler import callback as callback
from .compiler import compile as compile
from .configuration import show_config as show_config
from .core.context import no_grad as no_grad
from .core.custom import custom_vjp as custom_vjp
from .core.registry import defvjp as defvjp
from .core.tensor import Tensor as Tensor
from .errors import AnomalyError as AnomalyError
from .errors import ChangedTensorError as ChangedTensorError
from .errors import CompileError as CompileError
from .errors import FreedGraphError as FreedGraphError
from .errors import GradientError as GradientError
from .errors import LostGradientError as LostGradientError
from .errors import NoRuleError as NoRuleError
from .errors import StructureError as StructureError
from .habits import ENGINE as _ENGINE
from .on_demand import on_demand as _on_demand
from .on_demand import public_names as _public_names
from .speed.malloc import tune_memory as tune_memory
from .transforms import checkpoint as checkpoint
from .transforms import grad as grad
from .transforms import hessian as hessian
from .transforms import hvp as hvp
from .transforms import jacobian as jacobian
from .transforms import jvp as jvp
from .transforms import stop_gradient as stop_gradient
from .transforms import value_and_grad as value_and_grad
from .transforms import vjp as vjp
from .transforms import vmap as vmap
from .transforms.rule_tables import defjvp as defjvp

if _TYPE_CHECKING:
    from .checks.finite import check_gradients as check_gradients
    from .checks.finite_report import GradientCheckError as GradientCheckError

__getattr__, __dir__ = _on_demand(
    __name__,
    {".checks.finite": ["check_gradients"], ".checks.finite_report": ["GradientCheckError"]},
    ["draw", "extend", "special"],
    _ENGINE,
)

__version__ = "0.1.0"

tune_memory()

__all__ = _public_names(__name__, ["checks", "draw", "extend", "rules", "special", "transforms"])
