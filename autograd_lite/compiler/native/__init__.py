"""The machine code that runs segments of a plan if Numba is installed; without Numba a plan is NumPy calls.

`kernels` is its source; `loader` compiles, keeps and loads it. `opcodes` defines how calls are written down for it,
`lower` writes them, `fusion` says which run together, and a `segment` is run in one go. `direct` runs kernels outside
of plans. Matrix products are done by NumPy's own BLAS, which is called by its address; see `blas`.
"""

from functools import cache
from importlib.util import find_spec
from typing import Literal

Jit = bool | Literal["exact"]
"""Whether a plan runs segments by machine code. "exact" means only operations that give NumPy's results to the bit, and
only if the machine code was compiled before."""

DATA_OFFSET = object.__basicsize__
"""The offset in an array object of the pointer to its memory: `PyArrayObject` of NumPy's C interface."""


@cache
def is_installed() -> bool:
    """Whether Numba is installed; looked up once, since to look takes the lock of Python's imports."""
    return find_spec("numba") is not None and find_spec("llvmlite") is not None
