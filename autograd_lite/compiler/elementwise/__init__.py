"""Elementwise functions of arrays and numbers, traced into a program that runs in one pass over the arrays.

A `FormulaTracer` gives symbols to call a function with, and keeps what the function did with them; `numpy_passes` runs
the program as NumPy calls, and `llvm` as a loop in machine code; a `Batch` does so for arrays of several lengths. All
give the same results to the bit as the function called with arrays.
"""

from .batch import Batch as Batch
from .batch import overlap as overlap
from .llvm import Kernel as Kernel
from .llvm import KernelCall as KernelCall
from .purity import depends_on_arguments_alone as depends_on_arguments_alone
from .trace import FormulaTracer as FormulaTracer
from .trace import Program as Program
from .trace import Untraceable as Untraceable
