"""Transforms of functions: from a function of arrays to the functions that compute its derivatives.

They take and return plain arrays, nest to any depth, and differentiate with respect to one argument or several, each
an array or a tree of arrays: dicts, lists, tuples, dataclasses, and the parameters of a module. Where an argument is
a `Tensor`, or the function uses tensors that require a gradient, results are tensors, and `Tensor.backward` goes
through them.

The Jacobian of a function f at x, applied to a tangent t, is J t (`jvp`, forward mode); its transpose, applied to a
cotangent g, is J^T g (`vjp`, reverse mode). All others are made of these two.
"""

from __future__ import annotations

from .checkpoint import checkpoint as checkpoint
from .grad import grad as grad
from .grad import jvp as jvp
from .grad import stop_gradient as stop_gradient
from .grad import value_and_grad as value_and_grad
from .grad import vjp as vjp
from .jacobian import hessian as hessian
from .jacobian import hvp as hvp
from .jacobian import jacobian as jacobian
from .vmap import vmap as vmap
