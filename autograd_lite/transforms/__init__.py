"""Transforms of functions: from a function of arrays to the functions that compute its derivatives.

They take and return plain arrays, nest to any depth, and differentiate with respect to one argument or several, each
an array or a tree of arrays: dicts, lists, tuples, dataclasses, and the parameters of a module. If an argument is a
`Tensor`, or the function uses tensors that require a gradient, results are tensors, and `Tensor.backward` goes through
them.

The Jacobian of a function f at x, applied to a tangent t, is J t (`jvp`, forward mode); its transpose, applied to a
cotangent g, is J^T g (`vjp`, reverse mode). All other transforms are made of these two: `grad`, `value_and_grad`,
`jacobian`, `hessian`, `hvp`. Beside them are `vmap`, `checkpoint` and `stop_gradient`.
"""

from ..habits import ENGINE as _ENGINE
from ..on_demand import on_demand as _on_demand
from ..on_demand import public_names as _public_names
from .batching import vmap as vmap
from .checkpointing import checkpoint as checkpoint
from .gradients import grad as grad
from .gradients import jvp as jvp
from .gradients import stop_gradient as stop_gradient
from .gradients import value_and_grad as value_and_grad
from .gradients import vjp as vjp
from .jacobians import hessian as hessian
from .jacobians import hvp as hvp
from .jacobians import jacobian as jacobian

__getattr__, __dir__ = _on_demand(__name__, {}, answers=_ENGINE)

__all__ = _public_names(__name__)
