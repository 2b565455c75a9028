"""Every name of the engine that a package on top of it may use, so that it imports nothing deeper.

Programs need only `autograd_lite`. The names here are for those who write layers, losses, optimizers or rules of whole
libraries, and each is documented where it is defined.

Rules, for functions of NumPy, of another library, or of one's own
    `defvjp`, `defjvp`: the derivative of each argument, backward and forward. `deflinear`, `defelementwise`: declare
    that the function is linear in an argument, or elementwise, in place of `defjvp`. `defbatching`: how the function is
    called for many examples at once. `defconstant`: the result carries no gradient. `derive`: another function, made of
    functions with rules, is called in its place. `known_rules`: the functions that have rules, and the rules.

Functions with a rule
    `custom_vjp`: a Python function with its derivative, called on plain arrays. `primitive`: the same without a rule;
    add it by `defvjp`. `Memo`: keeps an intermediate value that the rule would otherwise compute again.

Arrays within tensors
    `wrap`: a tensor over an array, without a copy or a check. `innermost_array`: the plain array within a tensor,
    through all transforms.

Leaves
    `is_leaf`: whether a tensor is a leaf. `has_hooks`: whether a hook sees its gradient. `announce_change`: says that
    the arrays of some leaves are about to change in place, so that older graphs refuse to be used.

Hints for compiled functions
    `callback`: a call of plain Python that is repeated in each call. `constant`: an array that nobody changes.
    `assume`: a setting that the function branches on. `IndexCheck`: a callback that checks that indices are in range;
    machine code can do the same. `is_traced`: whether a compiled function is being traced. `FusedUpdate`: a callback
    that updates arrays, and that kernels can replace.

Elementwise functions, in one pass over their arrays
    `FormulaTracer`: symbols to call a function with; it makes a `Program` of what the function does with them.
    `depends_on_arguments_alone`: whether a function may be traced once and for all. `Batch`: a program for arrays of
    several lengths. `KernelCall`: a call of its machine code; `run_directly` runs some outside of compiled functions.
    `overlap`: whether arrays share memory. `flush_subnormal`: sets subnormal numbers to zero.

Fast choices
    `where`: the same as `numpy.where` to the bit, in less time.

Aligned memory
    `empty`: an array that begins at a line of the processor's cache. `moved_to_cache_line`: copies a long array to such
    a place. `CACHE_LINE_BYTES`: the length of a line.

Comparisons with a derivation by hand
    `defmistake`: how a function is wrongly differentiated by hand, so that `compare_gradients` recognises it.
    `DIAGONAL`: the description of the usual mistake with the softmax.

Files and lines
    `write_atomically`: writes a file completely or not at all. `add_library`: registers the code in a folder as a
    library's, so that messages of compiled functions name the line that called it.
"""

from collections.abc import Callable as _Callable
from collections.abc import Sequence as _Sequence
from typing import Any as _Any

from .checks.compare.mistakes import DIAGONAL as DIAGONAL
from .checks.compare.mistakes import defmistake as defmistake
from .compiler.elementwise import Batch as Batch
from .compiler.elementwise import FormulaTracer as FormulaTracer
from .compiler.elementwise import KernelCall as KernelCall
from .compiler.elementwise import Program as Program
from .compiler.elementwise import depends_on_arguments_alone as depends_on_arguments_alone
from .compiler.elementwise import overlap as overlap
from .compiler.hints import FusedUpdate as FusedUpdate
from .compiler.hints import IndexCheck as IndexCheck
from .compiler.hints import assume as assume
from .compiler.hints import callback as callback
from .compiler.hints import constant as constant
from .compiler.hints import is_traced as is_traced
from .compiler.trace.user_line import add_library as add_library
from .core.custom import custom_vjp as custom_vjp
from .core.custom import primitive as primitive
from .core.known_rules import known_rules as known_rules
from .core.leaves import announce_change as announce_change
from .core.leaves import has_hooks as has_hooks
from .core.leaves import is_leaf as is_leaf
from .core.registry import defconstant as defconstant
from .core.registry import defelementwise as defelementwise
from .core.registry import defvjp as defvjp
from .core.registry import derive as derive
from .core.tensor import wrap as wrap
from .files import write_atomically as write_atomically
from .speed.aligned import CACHE_LINE_BYTES as CACHE_LINE_BYTES
from .speed.aligned import empty as empty
from .speed.aligned import moved_to_cache_line as moved_to_cache_line
from .speed.fast_where import where as where
from .speed.memo import Memo as Memo
from .speed.subnormal import flush_subnormal as flush_subnormal
from .transforms.interpreter import innermost_array as innermost_array
from .transforms.rule_tables import defbatching as defbatching
from .transforms.rule_tables import defjvp as defjvp
from .transforms.rule_tables import deflinear as deflinear


def run_directly(calls: _Sequence[KernelCall]) -> _Callable[[_Sequence[_Any]], None] | None:
    """A function that runs kernels outside of compiled functions, with other arrays in place of each call's first one.

    None if the machine code that walks through the calls would have to be compiled first.
    """
    # Imported here, since only steps of large networks need it, and the import is slow.
    from .compiler.native.direct import run_directly as run

    return run(calls)
