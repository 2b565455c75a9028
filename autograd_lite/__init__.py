"""Automatic differentiation for people who think in NumPy.

Make a `Tensor` with ``requires_grad=True``, compute with it as with any array, and call ``backward()`` on the result.
"""

from . import rules as rules
from . import runtime as runtime
from . import transforms as transforms
from .configuration import show_config as show_config
from .errors import ChangedTensorError as ChangedTensorError
from .errors import CompileError as CompileError
from .errors import FreedGraphError as FreedGraphError
from .errors import GradientError as GradientError
from .errors import LostGradientError as LostGradientError
from .errors import NoRuleError as NoRuleError
from .gradient_check import GradientCheckError as GradientCheckError
from .gradient_check import check_gradients as check_gradients
from .plan import assume as assume
from .plan import callback as callback
from .plan import compile as compile
from .primitive import custom_vjp as custom_vjp
from .registry import defjvp as defjvp
from .registry import defvjp as defvjp
from .state import no_grad as no_grad
from .tensor import Tensor as Tensor

__version__ = "0.1.0"

runtime.tune_memory()
