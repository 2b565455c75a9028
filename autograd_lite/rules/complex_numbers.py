"""How the parts of complex numbers differentiate, and the convention for complex gradients.

A cotangent ``g`` pairs with a tangent ``dz`` as ``Re(sum(g * dz))``, without a conjugate. So the rule of a holomorphic
function is simply ``g * f'(z)``, and the gradient of a real loss L at ``z = x + iy`` is ``dL/dx - i dL/dy``, as in JAX
and HIPS autograd; PyTorch's is its conjugate. Gradient descent steps along the negative conjugate of this gradient. The
cotangent of a real argument is the real part.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.backward import as_dtype
from ..core.registry import defelementwise, defvjp, derive
from ..speed.strong_zero import strong_product, strong_quotient, symmetric_product
from ..transforms.batching import concrete
from ..transforms.rule_tables import defjvp


def conjugate(x: Any) -> Any:
    """The complex conjugate; a real array is returned itself, without a copy."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def _sign(g: Any, out: Any, x: Any) -> Any:
    """0 for real numbers; for complex numbers, the derivative of ``z / |z|``: ``(dz - out^2 conj(dz)) / (2 |z|)``."""
    if x.dtype.kind != "c":
        return np.zeros_like(g)
    return strong_quotient(g - np.conjugate(strong_product(g, out * out)), _twice_modulus(x))


def _sign_along(t: Any, out: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.zeros_like(t)
    return strong_quotient(t - strong_product(np.conjugate(t), out * out), _twice_modulus(x))


def _twice_modulus(x: Any) -> Any:
    """``2 |z|``, and infinity at 0, where ``sign`` has no derivative and the rule gives 0."""
    modulus = np.absolute(x)
    return np.where(np.equal(modulus, 0), np.inf, 2 * modulus)


def _turn(z: Any) -> Any:
    """``-1j / z``, and 0 at 0, where there is no angle."""
    origin = np.equal(z, 0)
    return np.where(origin, 0, -1j / np.where(origin, 1, z))


defvjp(np.real, val=lambda g: g)
# The order g * -1j keeps a NumPy scalar; -1j * np.float64 would give a Python number.
defvjp(np.imag, val=lambda g, val_dtype: as_dtype(g * -1j, val_dtype))
defelementwise(np.real, np.imag)
defvjp(np.conjugate, x=lambda g: conjugate(g))
defvjp(np.absolute, x=lambda g, x: symmetric_product(g, conjugate(np.sign(x))))
defvjp(np.sign, x=_sign)
defjvp(np.sign, x=_sign_along)
defvjp(
    np.angle,
    z=lambda g, z, z_dtype, deg: as_dtype(strong_product((180 / np.pi if deg else 1.0) * g, _turn(z)), z_dtype),
)
defelementwise(np.angle)


@derive(np.real_if_close)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """`numpy.real_if_close`: the real part if all imaginary parts are almost 0."""
    return np.real(a) if np.isrealobj(np.real_if_close(concrete(a, "np.real_if_close"), tol)) else a
