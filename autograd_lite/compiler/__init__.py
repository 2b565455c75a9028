"""Compiled functions: recorded once, and replayed in memory that is planned for them.

In the order of the pipeline: `trace` runs the function once and keeps its program (`ir`); `optimize` removes calls that
are not needed and replaces others by cheaper ones; `layout` says where each array lies; `emit` writes Python code, and
segments for the machine code of `native`; a `plan` holds the result, and `api` holds the plans. `elementwise` compiles
formulas of arrays and numbers that run in one pass, such as an optimizer's. A program informs the compiler by `hints`.
"""

from .api import CompiledFunction as CompiledFunction
from .api import compile as compile
from .hints import IndexCheck as IndexCheck
from .hints import assume as assume
from .hints import callback as callback
from .hints import constant as constant
