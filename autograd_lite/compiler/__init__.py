"""Compiled functions: recorded once, and replayed in memory that is planned for them.

`recorder` listens while the function runs, on arrays that are `recorded_array`'s, and keeps its `program`;
`simplification` leaves out what is not needed; `memory` says where each array lies; `writing` makes `code` of the
calls, Python and, by `native`, machine code; a `plan` holds them, and `compiled` the plans.
"""

from .api import CompiledFunction as CompiledFunction
from .api import compile as compile
from .hints import FusedUpdate as FusedUpdate
from .hints import IndexCheck as IndexCheck
from .hints import assume as assume
from .hints import callback as callback
from .hints import constant as constant
