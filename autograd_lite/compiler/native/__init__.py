"""The machine code that runs segments of a plan, with Numba installed; without it a plan is NumPy calls.

`kernels` is its source; `loader` compiles, keeps and loads it. `opcodes` says how calls are written down for it,
`lower` writes them, `fusion` says which run together, and a `segment` is what runs in one go. `direct` runs kernels
outside of plans. Matrix products are NumPy's own BLAS, called by its address; see `blas`.
"""

from importlib.util import find_spec
from typing import Literal

Jit = bool | Literal["exact"]
"""Whether a plan runs segments by machine code; "exact": those that give NumPy's results to the bit, by what there is
already."""

DATA_OFFSET = object.__basicsize__
"""The bytes in front of the pointer to its memory in an array object: `PyArrayObject` of NumPy's C interface."""


def is_installed() -> bool:
    """Whether there is a Numba to compile with."""
    return find_spec("numba") is not None and find_spec("llvmlite") is not None
