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
    through all transforms. `array_contents`: the numbers of what a user gives, or a refusal of masks and units.

Leaves
    `is_leaf`: whether a tensor is a leaf. `has_hooks`: whether a hook sees its gradient. `announce_change`: says that
    the arrays of some leaves are about to change in place, so that older graphs refuse to be used; an
    `announcement` is that as a change, with `end_of_change` after it. `commit` makes such a `Change` and others at
    once: no signal handler comes between them. `arrays_of`: the arrays to change.

Hints for compiled functions
    `callback`: a call of plain Python that is repeated in each call. `constant`: an array that nobody changes.
    `assume`: a setting that the function branches on. `IndexCheck`: the callback that looks whether indices are in
    range, which machine code can do too. `is_traced`: whether a compiled function is being traced.

Elementwise functions, in one pass over their arrays
    `FormulaTracer`: symbols to call a function with, and what it did with them, as a `Program`. `Recurrence`: the
    program of a function that moves an array, along a given one, and keeps others for its next call; `Recurrences`
    finds it, and `depends_on_arguments_alone` says whether it may be found once and for all. `Batch`: a recurrence for
    arrays of several lengths. `FusedUpdate`: the callback that moves arrays in batches, by the fastest way, which plans
    take apart. `KernelCall`: a call of machine code; `run_directly` runs some outside of compiled functions. `overlap`:
    whether arrays share memory. `flush_subnormal`: what is below the normal numbers becomes zero.

Products and choices in rules
    `strong_product`, `strong_quotient`: a cotangent times, or over, a number; 0 where the cotangent is, whatever
    infinity or NaN it meets. `symmetric_product`: 0 where either is. `where`: `numpy.where`, to the bit, in less time.

Aligned memory
    `empty`: an array that begins at a line of the processor's cache. `moved_to_cache_line`: copies a long array to such
    a place. `CACHE_LINE_BYTES`: the length of a line.

Comparisons with a derivation by hand
    `defmistake`: how a function is wrongly differentiated by hand, so that `compare_gradients` recognises it.
    `DIAGONAL`: the description of the usual mistake with the softmax.

Files and lines
    `write_atomically`: writes a file completely or not at all. `replacing`: the same in pieces. `check_writable`:
    raises the error that writing would raise. `remove_abandoned`: removes what killed processes left in a folder.
    `user_cache`: the folder of this project among the user's caches. `new_figure`: Matplotlib's figure, which notebooks
    show.
    `add_library`: registers the code in a folder as a library's, so that messages of compiled functions name the line
    that called it.

Notebooks
    `html_table`: a table, as notebooks show it, in the colours of the page.

Packages
    `on_demand`: names of a package whose modules are imported when they are first asked for; `public_names` lists them.
    `Answering`, `answering`:
    a class, and a function, that answer names and arguments of other libraries by what to write, as `no_argument` says
    it; `Answers` are a table.
"""

from .checks.compare.mistakes import DIAGONAL as DIAGONAL
from .checks.compare.mistakes import defmistake as defmistake
from .compiler.elementwise import Batch as Batch
from .compiler.elementwise import FormulaTracer as FormulaTracer
from .compiler.elementwise import KernelCall as KernelCall
from .compiler.elementwise import Program as Program
from .compiler.elementwise import Recurrence as Recurrence
from .compiler.elementwise import Recurrences as Recurrences
from .compiler.elementwise import depends_on_arguments_alone as depends_on_arguments_alone
from .compiler.elementwise import overlap as overlap
from .compiler.fused_update import FusedUpdate as FusedUpdate
from .compiler.fused_update import run_directly as run_directly
from .compiler.hints import IndexCheck as IndexCheck
from .compiler.hints import assume as assume
from .compiler.hints import callback as callback
from .compiler.hints import constant as constant
from .compiler.hints import is_traced as is_traced
from .core.commit import Change as Change
from .core.commit import commit as commit
from .core.custom import custom_vjp as custom_vjp
from .core.custom import primitive as primitive
from .core.known_rules import known_rules as known_rules
from .core.leaves import announce_change as announce_change
from .core.leaves import announcement as announcement
from .core.leaves import arrays_of as arrays_of
from .core.leaves import end_of_change as end_of_change
from .core.leaves import has_hooks as has_hooks
from .core.leaves import is_leaf as is_leaf
from .core.operands import array_contents as array_contents
from .core.registry import defconstant as defconstant
from .core.registry import defelementwise as defelementwise
from .core.registry import defvjp as defvjp
from .core.registry import derive as derive
from .core.tensor import wrap as wrap
from .figures import new_figure as new_figure
from .files import check_writable as check_writable
from .files import remove_abandoned as remove_abandoned
from .files import replacing as replacing
from .files import user_cache as user_cache
from .files import write_atomically as write_atomically
from .habits import Answering as Answering
from .habits import Answers as Answers
from .habits import answering as answering
from .habits import no_argument as no_argument
from .html_tables import html_table as html_table
from .on_demand import on_demand as on_demand
from .on_demand import public_names as public_names
from .speed.aligned import CACHE_LINE_BYTES as CACHE_LINE_BYTES
from .speed.aligned import empty as empty
from .speed.aligned import moved_to_cache_line as moved_to_cache_line
from .speed.fast_where import where as where
from .speed.memo import Memo as Memo
from .speed.strong_zero import strong_product as strong_product
from .speed.strong_zero import strong_quotient as strong_quotient
from .speed.strong_zero import symmetric_product as symmetric_product
from .speed.subnormal import flush_subnormal as flush_subnormal
from .transforms.interpreter import innermost_array as innermost_array
from .transforms.rule_tables import defbatching as defbatching
from .transforms.rule_tables import defjvp as defjvp
from .transforms.rule_tables import deflinear as deflinear
from .user_line import add_library as add_library
