"""The operations that machine code runs, and how each is written down: as a row of 64-bit words.

A plan's calls become rows of a table, which one call of the machine code walks through. A row is an operation over a
matrix, of which vectors and numbers are special cases::

    0  the operation        3-6    addresses of the result and up to three operands
    1  rows                 7-10   their strides from row to row, in bytes
    2  columns              11-14  their steps from column to column, in elements: 1, or 0 for a repeated column
                            15-18  the bytes of an element of each; 0 for an absent operand

A `PICK` has as many rows as it picks, and in word 12 the rows of the matrix that it picks from.

A `MINUS_ONE_HOT` has its indices as the operand in word 5; a `CHECK` before it has checked them.

A `CHECK` checks that all elements of its operand are from 0 to below the number in word 3. A `FETCH` adds the offset in
word 2, in bytes, to the address of an array's memory, and puts the sum into the word of the table that word 1 names;
word 3 is the address of a word that has the address of the pointer to that memory.

A matrix product has the rows and columns of its result there, and then the common length, the leading dimensions, which
operands are transposed, and the address of BLAS's function. A `GROUP` means that the rows after it run together, some
rows of the matrix at a time, so that these stay in the cache from one operation to the next.

An operation's number says what may be done with its row:

    2-79     elementwise: `kernels/elementwise.py` has its loop, and `kernels/gather.py` that of a `MINUS_ONE_HOT`. It
             is run for any of the matrix's rows: in a group, and in parts for several threads.
    80-89    by an axis: `kernels/reductions.py`. It is run for any of the rows as well. Among threads a `SUM_OF_ROWS`
             is cut by columns, those in `WHOLE_ROWS` by rows alone.
    90-      alone, and in one piece: `kernels/run.py` has a branch for it. A `FUSED` is cut by elements.

A function that is entered in `UNARY`, `BINARY` or `COMPARISONS` is lowered from then on; without a loop in
`kernels/elementwise.py` the machine code does not compile, which a warning tells.

A `FUSED` calls a kernel of `compiler.elementwise`, whose address is in word 1, for so many elements as word 2 says. The
addresses of up to 15 flat arrays begin at word 3, that of the coefficients is in word 18, and word 19 has the bytes of
an element.
"""

from __future__ import annotations

import numpy as np

from ...speed.strong_zero import strong_product, strong_quotient, symmetric_product

WORDS = 20
"""The number of words of a row."""

OPERATION, ROWS, COLUMNS, ADDRESSES, STRIDES, STEPS, ITEMS = 0, 1, 2, 3, 7, 11, 15
MEMBERS, CHUNK = 2, 3
KERNEL, COEFFICIENTS, ITEM = 1, 18, 19
COMMON, LEADING, TRANSPOSED, FUNCTION = 6, 7, 10, 12

GROUP, MATMUL = 0, 1

BLOCK = 512
"""The number of elements that are computed at a time."""

UNARY = {np.negative: 10, np.absolute: 11, np.exp: 12, np.log: 13, np.sqrt: 14, np.square: 15, np.positive: 16}
BINARY = {
    np.add: 30, np.subtract: 31, np.multiply: 32, np.divide: 33, np.maximum: 34, np.minimum: 35,
    strong_product: 36, strong_quotient: 37, symmetric_product: 38,
}  # fmt: skip
COMPARISONS = {np.greater: 50, np.greater_equal: 51, np.less: 52, np.less_equal: 53}
EQUAL_INTEGERS, SUBTRACT_TRUTH, MULTIPLY_TRUTH = 60, 61, 62
WHERE, WHERE_POSITIVE = 70, 71
MINUS_ONE_HOT = 79
SUM_OF_ROWS, SUM_ALONG_ROWS, MAX_ALONG_ROWS = 80, 81, 82
SUM_OF_ALL, PICK, CHECK, FETCH = 90, 91, 92, 93
FUSED = 100

LOCAL_TO_ROWS = 89
"""Operations up to this one can be members of a group."""

WHOLE_ROWS = {MINUS_ONE_HOT, SUM_ALONG_ROWS, MAX_ALONG_ROWS}
"""The operations that need all columns of a row."""

HALVINGS = 12
LONGEST_SUM = 128 * 2 ** (HALVINGS - 1)
"""The largest number of numbers that can be summed; they are halved until at most 128 are left."""
