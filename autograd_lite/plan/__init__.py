"""Compiled functions: recorded once, and replayed in memory that is planned for them.

`recorder` listens while the function runs, on arrays that are `recorded_array`'s, and keeps its `program`;
`simplification` leaves out what is not needed; `memory` says where each array lies; `writing` makes `code` of the
calls, Python and, by `native`, machine code; a `plan` holds them, and `compiled` the plans.
"""

from .compiled import CompiledFunction as CompiledFunction
from .compiled import compile as compile
from .declarations import FusedUpdate as FusedUpdate
from .declarations import IndexCheck as IndexCheck
from .declarations import assume as assume
from .declarations import callback as callback
from .declarations import constant as constant
