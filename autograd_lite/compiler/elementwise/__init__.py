"""Elementwise functions of arrays and numbers, traced into a program that runs in one pass over the arrays.

A `FormulaTracer` gives symbols to call a function with, and keeps what it did with them; `numpy_passes` runs the
program as NumPy calls, and `llvm` as a loop in machine code. A `Recurrence` is the program of a function that moves
arrays and keeps others for its next call; a `Batch` runs it over arrays of several lengths. All give the bits that the
function itself gives, called with arrays.
"""

from .batch import Batch as Batch
from .llvm import Kernel as Kernel
from .llvm import KernelCall as KernelCall
from .overlap import apart_from as apart_from
from .overlap import overlap as overlap
from .purity import depends_on_arguments_alone as depends_on_arguments_alone
from .recurrence import Recurrence as Recurrence
from .recurrence import Recurrences as Recurrences
from .trace import FormulaTracer as FormulaTracer
from .trace import Program as Program
from .trace import Untraceable as Untraceable
