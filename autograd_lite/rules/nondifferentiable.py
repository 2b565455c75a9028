"""The functions of NumPy's main namespace that have no derivative, and the reasons.

The functions of the list below are called on plain arrays, and their results carry no gradient. Those with a reason
raise an error if they are called with a tensor that requires a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.registry import NONDIFFERENTIABLE, defconstant

defconstant(
    [
        np.iterable, np.isfortran, np.einsum_path, np.gcd, np.lcm, np.bitwise_count, np.packbits, np.unpackbits,
        np.ravel_multi_index, np.unravel_index, np.diag_indices_from, np.tril_indices_from, np.triu_indices_from,
        np.array_equal, np.isnat, np.mintypecode, np.typename, np.broadcast_shapes,
    ]
)  # fmt: skip

_REASONS: dict[str, str] = {
    "writes into an array; np.where and np.concatenate make a new one": (
        "copyto fill_diagonal place put put_along_axis putmask"
    ),
    "makes a new array from arguments that are not arrays": (
        "arange bartlett blackman hamming hanning kaiser empty eye full identity indices ones tri zeros diag_indices "
        "tril_indices triu_indices mask_indices fromfunction fromiter frombuffer from_dlpack"
    ),
    "would make a plain array of a tensor; use the tensor itself, or np.stack to join several": (
        "array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix bmat require"
    ),
    "reads or writes files or text": (
        "fromfile fromregex fromstring genfromtxt load loadtxt save savetxt savez savez_compressed base_repr "
        "binary_repr format_float_positional format_float_scientific"
    ),
    "is about dates": "busday_count busday_offset datetime_as_string datetime_data is_busday",
    "is about dtypes": "isdtype issubdtype promote_types",
    "is about NumPy itself": (
        "get_include get_printoptions getbufsize geterr geterrcall info printoptions set_printoptions setbufsize "
        "seterr seterrcall show_config show_runtime test"
    ),
    "makes functions or iterators": "frompyfunc nested_iters",
}

NO_DERIVATIVE: dict[Callable[..., Any], str] = {
    getattr(np, name): reason for reason, names in _REASONS.items() for name in names.split() if hasattr(np, name)
}
"""Functions of the main namespace that have no derivative, with the reason."""

WHY_CONSTANT = "gives indices, truth values, counts, shapes or steps, which carry no gradient"
"""The reason for the functions in `NONDIFFERENTIABLE`."""

assert not NO_DERIVATIVE.keys() & NONDIFFERENTIABLE
