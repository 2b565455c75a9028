"""Compiled functions: recorded once, and replayed in memory that is planned for them.

In the order of the pipeline: `trace` runs the function once and keeps its program (`ir`); `optimize` leaves out what is
not needed and puts cheaper calls in; `layout` says where each array lies; `emit` writes Python code, and segments for
the machine code of `native`; a `plan` holds them, and `api` the plans. `elementwise` is for formulas of arrays and
numbers that run in one pass, such as an optimizer's. `hints` are what a program says to the compiler.
"""

from .api import CompiledFunction as CompiledFunction
from .api import compile as compile
from .hints import IndexCheck as IndexCheck
from .hints import assume as assume
from .hints import callback as callback
from .hints import constant as constant
