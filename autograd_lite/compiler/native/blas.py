"""NumPy's own BLAS: the library in its wheel, and the addresses of its matrix products."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np


@cache
def library() -> ctypes.CDLL | None:
    """The OpenBLAS of NumPy's wheel, which NumPy has loaded; None if NumPy uses another BLAS."""
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs", package.parent / "numpy.libs.dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                continue
    return None


@cache
def product(dtype: np.dtype[np.generic]) -> int | None:
    """The address of ``cblas_?gemm`` for integers of 64 bits; None if the library has no such function."""
    letter = {"float32": "s", "float64": "d"}.get(dtype.name)
    for name in (f"scipy_cblas_{letter}gemm64_", f"cblas_{letter}gemm64_"):
        function = getattr(library(), name, None)
        if function is not None:
            return ctypes.cast(function, ctypes.c_void_p).value
    return None


def call(name: str, result: type) -> object:
    """The result of an OpenBLAS function without arguments, such as ``get_num_threads``; None if it does not exist."""
    for full in (f"scipy_openblas_{name}64_", f"openblas_{name}64_", f"openblas_{name}"):
        function = getattr(library(), full, None)
        if function is not None:
            function.restype, function.argtypes = result, []
            return function()
    return None
